"""`manage.py anchor_ledger`: have the newest checkpoints vouched for from outside."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from consent import anchors
from consent.models import Site


class Command(BaseCommand):
    """Ask the time-stamp authority and the witnesses of the settings, now."""

    help = (
        "Has each site's newest checkpoint time-stamped and co-signed by whom the "
        "settings name. Safe to run at any time; who has answered is not asked again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", help="the short name of one site; else all")

    def handle(self, **options: Any) -> None:  # noqa: ANN401
        if not anchors.anybody_asked():
            raise CommandError(
                "Nobody is to be asked: set CONSENT_TIMESTAMP_URL or CONSENT_WITNESSES."
            )
        sites = Site.objects.order_by("slug")
        if options["site"]:
            sites = sites.filter(slug=options["site"])
            if not sites:
                raise CommandError(f"There is no site {options['site']}.")
        failed = [site.slug for site in sites if not self._anchored(site)]
        if failed:
            raise CommandError(f"Not anchored by everybody: {', '.join(failed)}.")

    def _anchored(self, site: Site) -> bool:
        """Whether everybody who was asked about a site has answered well."""
        outcomes = anchors.anchor(site, timezone.now())
        for outcome in outcomes:
            stream = self.stderr if outcome.problem else self.stdout
            stream.write(outcome.sentence)
        if not outcomes:
            self.stdout.write(f"{site.slug}: nobody is left to ask.")
        return not any(outcome.problem for outcome in outcomes)
