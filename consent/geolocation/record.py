"""What one record of a geo database says, in MaxMind's or DB-IP's layout."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeGuard

_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_SUBDIVISION: Final = re.compile(r"[A-Z0-9]{1,3}", re.ASCII)
_PSEUDO_COUNTRIES: Final = frozenset({"AP", "EU", "XX", "ZZ"})
"""Codes of two letters that name no country (A1, A2, O1 and T1 fail the shape)."""

_HIDING_TRAITS: Final = (
    "is_anonymous",
    "is_anonymous_proxy",
    "is_anonymous_vpn",
    "is_anycast",
    "is_hosting_provider",
    "is_public_proxy",
    "is_residential_proxy",
    "is_satellite_provider",
    "is_tor_exit_node",
)
"""Traits of an address that says little about where the person is."""


class Place(NamedTuple):
    """What a record says: codes as in `Location`, and whether the address hides it."""

    country: str | None = None
    subdivision: str | None = None
    also: tuple[str, ...] = ()
    anonymous: bool = False


def place_in(record: object) -> Place:
    """Return the place of a record; whatever it does not say clearly is unknown.

    Only `country` is where the visitor is. A registered or represented country, or the
    second source of the embedded database, may make the rule stricter and nothing else:
    it goes into `also`. A continent alone is no country.
    """
    if not isinstance(record, dict):
        return Place()
    anonymous = hides_place(record.get("traits"))
    country = _country(record.get("country"))
    if country is None:
        return Place(anonymous=anonymous)
    others = tuple(sorted(set(_other_countries(record)) - {country}))
    return Place(country, _subdivision(country, record), others, anonymous)


def country_in(record: object) -> str | None:
    """Return the country of a record, also in the flat layout of some sources."""
    if not isinstance(record, dict):
        return None
    flat = record.get("country_code")
    return flat if _is_country(flat) else _country(record.get("country"))


def hides_place(traits: object) -> bool:
    """Tell whether any trait or flag says that the address hides its user's place."""
    if not isinstance(traits, dict):
        return False
    return any(traits.get(name) is True for name in _HIDING_TRAITS)


def _country(entry: object) -> str | None:
    code = entry.get("iso_code") if isinstance(entry, dict) else None
    return code if _is_country(code) else None


def _is_country(code: object) -> TypeGuard[str]:
    return (
        isinstance(code, str)
        and _COUNTRY.fullmatch(code) is not None
        and code not in _PSEUDO_COUNTRIES
    )


def _other_countries(record: dict[str, object]) -> Iterator[str]:
    for field in ("registered_country", "represented_country"):
        code = _country(record.get(field))
        if code is not None:
            yield code
    joined = record.get("consent")
    named = joined.get("also") if isinstance(joined, dict) else None
    if isinstance(named, list):
        yield from filter(_is_country, named)


def _subdivision(country: str, record: dict[str, object]) -> str | None:
    """Return the largest subdivision as ISO 3166-2: of ENG and WBK, `GB-ENG`.

    Databases write codes without the country and the most specific one last; a law has
    a state or a province in mind, never a district in it.
    """
    listed = record.get("subdivisions")
    if not isinstance(listed, list) or not listed or not isinstance(listed[0], dict):
        return None
    code = listed[0].get("iso_code")
    if not isinstance(code, str) or _SUBDIVISION.fullmatch(code) is None:
        return None
    return f"{country}-{code}"
