"""The codes of ISO 3166, from a maintained library where one is installed.

The library is a tool of reviewers, not of the product: without it everything works,
only the check of the data cannot be made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Final, Protocol

LIBRARY: Final = "pycountry"


@dataclass(frozen=True, slots=True)
class Codes:
    """ISO 3166-1 alpha-2 codes, and per country its ISO 3166-2 codes."""

    countries: frozenset[str]
    subdivisions: Mapping[str, frozenset[str]]
    source: str


class _Country(Protocol):
    alpha_2: str


class _Subdivision(Protocol):
    code: str
    country_code: str


def installed_codes() -> Codes | None:
    """The codes of the installed library, None without one."""
    try:
        library = import_module(LIBRARY)
    except ImportError:
        return None
    countries: list[_Country] = list(library.countries)
    subdivisions: list[_Subdivision] = list(library.subdivisions)
    return Codes(
        countries=frozenset(country.alpha_2 for country in countries),
        subdivisions=_by_country(subdivisions),
        source=f"{LIBRARY} {version(LIBRARY)}",
    )


def _by_country(subdivisions: list[_Subdivision]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for subdivision in subdivisions:
        found.setdefault(subdivision.country_code, set()).add(subdivision.code)
    return {country: frozenset(codes) for country, codes in found.items()}
