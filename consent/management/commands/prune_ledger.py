"""`manage.py prune_ledger`: drop the records whose time is over."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as AnyDatabaseError
from django.utils import timezone

from consent import publication
from consent.audit import retention


class Command(BaseCommand):
    """Drop what ended long enough ago; its hash, and every act, stay for ever."""

    help = (
        "Drop the records that ended over CONSENT_RETENTION_DAYS ago. Safe to run at "
        "any time, beside others, and again where it was stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", help="the short name of one site; else all")
        parser.add_argument(
            "--days",
            type=int,
            help="how long a record is kept after it ended, instead of "
            "CONSENT_RETENTION_DAYS; 0 is for ever, but for what was erased",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="only count what would be dropped"
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401
        given = options["days"]
        days = settings.CONSENT_RETENTION_DAYS if given is None else given
        slug, dry_run = options["site"], options["dry_run"]
        sites = [p for p in publication.published() if slug in {None, p.site.slug}]
        if slug and not sites:
            raise CommandError(f"There is no site {slug}.")
        if days == 0:
            self.stdout.write(
                "Records are kept for ever, but for those that were erased over "
                f"{retention.ERASED_DAYS} days ago."
            )
        at = timezone.now()
        for here in sites:
            try:
                found = retention.prune(here=here, days=days, at=at, dry_run=dry_run)
            except (retention.TooShortError, LookupError) as error:
                raise CommandError(f"{here.site.slug}: {error}") from error
            except AnyDatabaseError as error:
                raise CommandError(f"The database did not answer: {error}") from error
            done = "would be dropped" if dry_run else "dropped"
            self.stdout.write(f"{here.site.slug}: {found} records {done}.")
