"""Build the embedded database: two sources joined so that the stricter one wins.

A record holds `country.iso_code` as every reader knows it, and where the second source
names another country, `consent.also`. The rule for such an address is the combination
of both countries' rules, so a visitor is missed only where both sources are wrong.
"""

import lzma
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Final

import geoip2.database
import maxminddb
from geoip2.errors import AddressNotFoundError

from consent.geolocation.address import Address
from consent.geolocation.mmdb_writer import (
    NOTHING,
    Description,
    Tree,
    Value,
    database_bytes,
)
from consent.geolocation.record import place_in
from consent.geolocation.sources import SourceTree, answer

DATABASE_TYPE: Final = "Consent-Country"

SAMPLES: Final = {
    "8.8.8.8": "US",
    "24.6.0.1": "US",
    "24.201.245.77": "CA",
    "80.58.61.250": "ES",
    "82.64.0.1": "FR",
    "84.128.0.1": "DE",
    "86.128.0.1": "GB",
    "122.160.0.1": "IN",
    "128.143.1.1": "US",
    "195.186.1.111": "CH",
    "196.25.1.1": "ZA",
    "200.221.2.45": "BR",
    "213.186.33.5": "FR",
    "2003::1": "DE",
    "2601:640::1": "US",
    "2804:14c::1": "BR",
    "2a00:23c0::1": "GB",
}
"""Addresses of providers and universities whose country no database doubts."""

_IPV4: Final = IPv6Network("::/96")
_IPV4_IN_IPV6: Final = (IPv6Network("::ffff:0:0/96"), IPv6Network("2002::/16"))
"""Where readers expect the IPv4 tree again: mapped addresses and 6to4."""


class BuildError(Exception):
    """No trustworthy database can be built; the text is a sentence for operators."""


@dataclass(frozen=True, slots=True)
class Built:
    """A finished database and what was counted while checking it."""

    content: bytes
    description: Description
    ipv4_addresses: int
    """IPv4 addresses with a country."""
    ipv4_doubted: int
    """IPv4 addresses whose country the sources disagree on."""


def build(sources: Sequence[SourceTree]) -> Built:
    """Return the joined database, checked against its sources address by address.

    Raises `BuildError` without any source, or when a check fails.
    """
    if not sources:
        raise BuildError("None of the sources can be had, so nothing was built.")
    description = _description(sources)
    tree, root = _joined(sources[0], sources[-1])
    ipv4 = tree.at(root, _IPV4)
    for network in _IPV4_IN_IPV6:
        root = tree.graft(root, network, ipv4)
    content = database_bytes(tree, root, description)
    with tempfile.NamedTemporaryFile(suffix=".mmdb") as file:
        file.write(content)
        file.flush()
        check_samples(Path(file.name))
        countries, doubted = _checked(Path(file.name), [s.path for s in sources])
    return Built(content, description, countries.total(), doubted)


def packed(content: bytes) -> bytes:
    """Return the content as the product carries it."""
    return lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)


def check_samples(database: Path) -> None:
    """Look up well-known addresses with geoip2; raises `BuildError` if one differs."""
    with geoip2.database.Reader(database) as reader:
        for address, expected in SAMPLES.items():
            try:
                found = reader.country(address).country.iso_code
            except AddressNotFoundError:
                found = None
            if found != expected:
                raise BuildError(f"{address} is in {expected}, not in {found}.")


def _description(sources: Sequence[SourceTree]) -> Description:
    """Describe the data; its date is the oldest source's, never the day of building."""
    parts = [
        f"{tree.source.title}, {tree.source.licence}, {tree.built.date().isoformat()}"
        for tree in sources
    ]
    text = "Countries for consent rules: " + "; ".join(parts)
    if len(sources) == 1:
        text += "; without a second source"
    oldest: datetime = min(tree.built for tree in sources)
    return Description(database_type=DATABASE_TYPE, text=text, built=oldest)


def _joined(first: SourceTree, second: SourceTree) -> tuple[Tree, int]:
    """Walk both trees at once, so that every pair of branches is joined once."""
    tree = Tree()

    @cache
    def walk(one: int, other: int) -> int:
        if first.is_leaf(one) and second.is_leaf(other):
            return _leaf(tree, first.country(one), second.country(other))
        one_zero, one_one = first.halves(one)
        other_zero, other_one = second.halves(other)
        return tree.join(walk(one_zero, other_zero), walk(one_one, other_one))

    return tree, walk(0, 0)


def _leaf(tree: Tree, country: str | None, other: str | None) -> int:
    record = joined_record(country, other)
    return NOTHING if record is None else tree.record(record)


def joined_record(country: str | None, other: str | None) -> Value | None:
    """Return the record of two sources' answers; one that is silent adds no doubt."""
    main = country or other
    if main is None:
        return None
    if other is None or other == main:
        return {"country": {"iso_code": main}}
    return {"country": {"iso_code": main}, "consent": {"also": [other]}}


def _checked(database: Path, sources: Sequence[Path]) -> tuple[Counter[str], int]:
    """Compare both ends of every network with the sources, through ordinary readers.

    Nothing of the code that joined the trees is used here. Returns the IPv4 addresses
    of each country and those in doubt; raises `BuildError` at the first difference.
    """
    countries: Counter[str] = Counter()
    doubted = 0
    with maxminddb.open_database(str(database)) as result:
        ask = _asker(sources)
        for network, record in result:
            place = place_in(record)
            for end in {network.network_address, network.broadcast_address}:
                if ask(end) != (place.country, *place.also):
                    raise BuildError(f"The joined database is wrong about {end}.")
            if isinstance(network, IPv4Network):
                countries[str(place.country)] += network.num_addresses
                doubted += network.num_addresses if place.also else 0
    return countries, doubted


def _asker(sources: Sequence[Path]) -> Callable[[Address], tuple[str, ...]]:
    readers = [maxminddb.open_database(str(path)) for path in sources]

    def ask(address: Address) -> tuple[str, ...]:
        said = (answer(reader, address) for reader in readers)
        return tuple(dict.fromkeys(code for code in said if code))

    return ask
