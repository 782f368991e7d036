"""`manage.py seal_ledger`: give what waits its place in the log, and sign it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from consent import ledger
from consent.audit.reopening import NotRefusedError, begin_log
from consent.models import Site


class Command(BaseCommand):
    """Seal every site's log, or one; `--new-log` goes on after a restored backup."""

    help = "Seal what waits in the ledger. Safe to run at any time, and beside others."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", help="the short name of one site; else all")
        parser.add_argument(
            "--new-log",
            action="store_true",
            help="close a log that may not be signed any more, and begin another",
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401
        sites = Site.objects.order_by("slug")
        if options["site"]:
            sites = sites.filter(slug=options["site"])
            if not sites:
                raise CommandError(f"There is no site {options['site']}.")
        refused = [site for site in sites if not self._sealed(site, options)]
        if refused:
            raise CommandError(f"Not signed: {', '.join(s.slug for s in refused)}.")

    def _begin(self, site: Site) -> None:
        try:
            opened = begin_log(site=site, at=timezone.now())
        except NotRefusedError:
            self.stdout.write(f"{site.slug}: the log is in order and stays open.")
        else:
            self.stdout.write(f"{site.slug}: began {opened.origin}.")

    def _sealed(self, site: Site, options: dict[str, Any]) -> bool:
        try:
            if options["new_log"]:
                self._begin(site)
            sealed = ledger.seal(site=site)
        except Exception as error:  # noqa: BLE001 - told of, and the next site is sealed
            self.stderr.write(f"{site.slug}: {error}")
            return False
        if sealed is None:
            self.stdout.write(f"{site.slug}: nothing waits.")
        else:
            self.stdout.write(
                f"{site.slug}: sealed {sealed.entries}, "
                f"{sealed.checkpoint.tree_size} in all."
            )
        return True
