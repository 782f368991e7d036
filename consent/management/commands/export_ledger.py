"""`manage.py export_ledger --out DIR`: the whole ledger as JSON Lines or CSV."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as AnyDatabaseError
from django.utils import timezone

from consent.audit.export import ExportError, Options, export
from consent.audit.people import NobodyError, the_site

_FORMATS = {"jsonl": ("jsonl",), "csv": ("csv",), "both": ("jsonl", "csv")}


class Command(BaseCommand):
    """Write a site's ledger to numbered files, with a manifest that ends them."""

    help = (
        "Write a site's sealed entries to files, in the order of the log. The manifest "
        "comes last; an export that was stopped goes on with --resume."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--site", help="the site's short name, where there are more"
        )
        parser.add_argument(
            "--out", type=Path, required=True, metavar="DIR", help="an empty folder"
        )
        parser.add_argument("--format", choices=[*_FORMATS], default="jsonl")
        parser.add_argument(
            "--since", type=_moment, metavar="TIME", help="entries from this time (UTC)"
        )
        parser.add_argument(
            "--until", type=_moment, metavar="TIME", help="entries before this time"
        )
        parser.add_argument(
            "--resume", action="store_true", help="go on after the last whole file"
        )
        parser.add_argument(
            "--with-links",
            action="store_true",
            help="also visitor ids, accounts and salts, which are personal data",
        )

    def handle(self, **options: Any) -> None:  # noqa: ANN401
        try:
            manifest = export(
                site=the_site(options["site"]),
                out=options["out"],
                options=Options(
                    formats=_FORMATS[options["format"]],
                    since=options["since"],
                    until=options["until"],
                    with_links=options["with_links"],
                ),
                at=timezone.now(),
                resume=options["resume"],
                after_part=self._told,
            )
        except (ExportError, NobodyError) as error:
            raise CommandError(str(error)) from error
        except AnyDatabaseError as error:
            raise CommandError(f"The database cannot be read: {error}") from error
        except OSError as error:
            where = error.filename or options["out"]
            raise CommandError(
                f"{where} cannot be written: {error.strerror}."
            ) from error
        gone = sum(manifest["gone"].values())
        self.stdout.write(
            f"{options['out']}: {manifest['entries']} entries in "
            f"{len(manifest['files'])} files, the content of {gone} of them gone."
        )

    def _told(self, part: dict[str, Any]) -> None:
        self.stderr.write(
            f"log {part['log']}: entries {part['first']} to {part['end']}"
        )


def _moment(text: str) -> datetime:
    """A day or a time (ISO 8601), in UTC where it does not say otherwise."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
