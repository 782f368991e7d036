"""Hold geo databases against a better one and print how many visitors they miss."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from consent.geolocation.accuracy import SAMPLE_SIZE, MeasureError, compared
from consent.geolocation.lookup import EMBEDDED


class Command(BaseCommand):
    """`manage.py measure_geoip --reference FILE [DATABASE …]`."""

    help = (
        "Compares databases (default: the embedded one) with a reference on random "
        "addresses. Prints a table for docs/geolocation.md."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("databases", nargs="*", type=Path, default=[EMBEDDED])
        parser.add_argument("--reference", type=Path, required=True, metavar="FILE")
        parser.add_argument("--size", type=int, default=SAMPLE_SIZE)
        parser.add_argument("--seed", type=int, default=1)

    def handle(
        self,
        *_args: object,
        databases: list[Path],
        reference: Path,
        size: int,
        seed: int,
        **_options: object,
    ) -> None:
        try:
            result = compared(databases, reference=reference, size=size, seed=seed)
        except MeasureError as error:
            raise CommandError(str(error)) from error
        today = datetime.now(UTC).date().isoformat()
        self.stdout.write(
            f"{size:,} random addresses a row, seed {seed}, against "
            f"{result.reference}, measured on {today}.\n\n"
            "| Database | Sample | Same country | Missed | Over-asked | No answer |\n"
            "|---|---|---|---|---|---|"
        )
        for name, row in result.rows:
            shares = (row.same, row.missed, row.over_asked, row.silent)
            cells = " | ".join(f"{100 * share:.2f} %" for share in shares)
            self.stdout.write(f"| {name} | {row.sample} | {cells} |")
