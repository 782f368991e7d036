"""Measure how often a geo database would give a visitor the wrong law.

What counts is not the country but what follows from it. A visitor whom the reference
sees in the EEA, the United Kingdom or Switzerland is *missed* when the measured
database names other countries only: that visitor would not be asked. A visitor from
elsewhere is *over-asked* when it names one of these countries. No answer is neither:
unknown places are asked. The reference is a database too, and errs as well.
"""

import contextlib
import lzma
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from pathlib import Path
from typing import Final

import maxminddb
from maxminddb import InvalidDatabaseError

from consent.geolocation.address import Address, visitor_address
from consent.geolocation.record import country_in, place_in
from consent.geolocation.storage import PACKED_SUFFIX

type Network = IPv4Network | IPv6Network
type Truth = list[tuple[Address, str]]
"""Addresses, and the country the reference sees them in."""

_ASKING: Final = (
    "AT BE BG CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LI LT LU LV MT NL NO PL "
    "PT RO SE SI SK"
)
ASKING: Final = frozenset(_ASKING.split())
"""EEA, United Kingdom, Switzerland: their storage rules want the visitor asked."""

SAMPLE_SIZE: Final = 60_000


class MeasureError(Exception):
    """A file cannot be read; the text is a sentence for operators."""


@dataclass(frozen=True, slots=True)
class Row:
    """Shares of one sample, each between 0 and 1."""

    sample: str
    """How addresses were drawn."""
    same: float
    """The database's country is the reference's."""
    missed: float
    """Of the visitors in asking countries: not asked."""
    over_asked: float
    """Of all others: asked without need."""
    silent: float
    """No answer, so asked as an unknown place."""


class Reference:
    """A database taken as the truth, and ways to draw addresses that it knows."""

    def __init__(self, path: Path, *, seed: int) -> None:
        self._reader = maxminddb.open_database(str(path))
        self._random = random.Random(seed)  # noqa: S311 - a sample, not a secret
        metadata = self._reader.metadata()
        built = datetime.fromtimestamp(metadata.build_epoch, UTC).date()
        self.label = f"{metadata.database_type} of {built.isoformat()}"

    def samples(self, size: int) -> Iterator[tuple[str, Truth]]:
        """Yield the name and the addresses, with their country, of three samples."""
        yield "IPv4 by address", self._by_address(size)
        ipv4, ipv6 = self._by_network(size)
        yield "IPv4 by network", ipv4
        yield "IPv6 by network", ipv6

    def _by_address(self, size: int) -> Truth:
        """Draw from all IPv4 addresses that have a country, each as likely."""
        drawn: Truth = []
        while len(drawn) < size:
            address = visitor_address(IPv4Address(self._random.getrandbits(32)))
            country = country_in(self._reader.get(address)) if address else None
            if address and country:
                drawn.append((address, country))
        return drawn

    def _by_network(self, size: int) -> tuple[Truth, Truth]:
        """Draw one address each from networks of either family, each as likely."""
        ipv4, ipv6 = _Reservoir(size, self._random), _Reservoir(size, self._random)
        for network, record in self._reader:
            country = country_in(record)
            if country and visitor_address(network.network_address):
                family = ipv4 if isinstance(network, IPv4Network) else ipv6
                family.offer(network, country)
        return ipv4.drawn(), ipv6.drawn()


class _Reservoir:
    """A fair sample of a stream whose length is not known (Vitter's algorithm R)."""

    def __init__(self, size: int, dice: random.Random) -> None:
        self._size, self._dice, self._offered = size, dice, 0
        self._kept: list[tuple[Network, str]] = []

    def offer(self, network: Network, country: str) -> None:
        self._offered += 1
        if len(self._kept) < self._size:
            self._kept.append((network, country))
            return
        place = self._dice.randrange(self._offered)
        if place < self._size:
            self._kept[place] = (network, country)

    def drawn(self) -> Truth:
        """Return an address of each network that was kept."""
        return [
            (network[self._dice.randrange(network.num_addresses)], country)
            for network, country in self._kept
        ]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was measured: the reference, and a row for each database and sample."""

    reference: str
    rows: list[tuple[str, Row]]


def compared(
    databases: Sequence[Path], *, reference: Path, size: int, seed: int
) -> Comparison:
    """Hold databases against a reference on the same random addresses.

    Raises `MeasureError` when one of the files is missing or damaged.
    """
    try:
        with contextlib.ExitStack() as stack:
            files = [stack.enter_context(_plain(path)) for path in databases]
            truth = Reference(reference, seed=seed)
            rows = [
                (path.name, measure(file, sample, drawn))
                for sample, drawn in truth.samples(size)
                for path, file in zip(databases, files, strict=True)
            ]
    except (OSError, lzma.LZMAError, InvalidDatabaseError) as error:
        raise MeasureError(f"Nothing was measured: {error}") from error
    return Comparison(truth.label, sorted(rows, key=lambda row: row[0]))


@contextlib.contextmanager
def _plain(path: Path) -> Iterator[Path]:
    """Yield the path of a database, unpacked if need be."""
    if path.suffix != PACKED_SUFFIX:
        yield path
        return
    with tempfile.NamedTemporaryFile(suffix=".mmdb") as file:
        with lzma.open(path) as content:
            shutil.copyfileobj(content, file)
        file.flush()
        yield Path(file.name)


def measure(path: Path, sample: str, truth: Truth) -> Row:
    """Hold one database against a sample of addresses and their countries."""
    counts: Counter[str] = Counter()
    with maxminddb.open_database(str(path)) as reader:
        for address, country in truth:
            counts.update(_verdicts(country, _answers(reader, address)))
    asking, others = counts["asking"], counts["others"]
    return Row(
        sample=sample,
        same=counts["same"] / max(len(truth), 1),
        missed=counts["missed"] / max(asking, 1),
        over_asked=counts["over_asked"] / max(others, 1),
        silent=counts["silent"] / max(len(truth), 1),
    )


def _answers(reader: maxminddb.Reader, address: Address) -> tuple[str, ...]:
    record = reader.get(address)
    place = place_in(record)
    country = place.country or country_in(record)
    return (country, *place.also) if country else ()


def _verdicts(country: str, answers: tuple[str, ...]) -> Iterator[str]:
    """Yield what to count for one address."""
    yield "asking" if country in ASKING else "others"
    if not answers:
        yield "silent"
        return
    if answers[0] == country:
        yield "same"
    asked = not ASKING.isdisjoint(answers)
    if asked != (country in ASKING):
        yield "over_asked" if asked else "missed"
