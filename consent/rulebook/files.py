"""The data files of the rule book, read once per process.

Every file is TOML that is reviewed in a diff: places by region, other codes of places,
the subdivisions of countries that have rows for some of them, and offsets from UTC.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from consent.core.days import Offsets
from consent.core.jurisdictions import UNKNOWN_PLACE
from consent.rulebook.book import Alias, Pseudo, RuleBook
from consent.rulebook.fields import Fields, Given, RuleBookError
from consent.rulebook.reading import row_from
from consent.rulebook.rows import Row

DATA: Final = Path(__file__).with_name("data")

REGIONS: Final = (
    "africa",
    "americas",
    "asia",
    "canada",
    "europe",
    "oceania",
    "unknown",
    "us_states",
)


@cache
def load() -> RuleBook:
    """The rule book as it is shipped, without overrides."""
    return read(DATA)


def read(folder: Path) -> RuleBook:
    """Read a folder of data files; what cannot be understood is a `RuleBookError`."""
    regions = [Fields(stem, _toml(folder, stem)) for stem in REGIONS]
    places = [_place(item) for region in regions for item in region.items("place")]
    pseudo = [_pseudo(item) for region in regions for item in region.items("pseudo")]
    for region in regions:
        region.done()
    aliases = [_alias(item) for item in _list(folder, "aliases", "alias")]
    _refuse_twins([*(rows[0].place for rows in places), *(a.code for a in aliases)])
    rows = [row for found in places for row in found]
    return RuleBook(
        rows=tuple(row for row in rows if row.place != UNKNOWN_PLACE),
        unknown=_unknown(rows),
        aliases=tuple(aliases),
        pseudo=tuple(pseudo),
        subdivisions=_subdivisions(_toml(folder, "subdivisions")),
        offsets=_offsets(_toml(folder, "offsets")),
    )


def _toml(folder: Path, stem: str) -> Given:
    path = folder / f"{stem}.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path.name} cannot be read: {error}"
        raise RuleBookError(message) from error


def _list(folder: Path, stem: str, key: str) -> list[object]:
    table = Fields(stem, _toml(folder, stem))
    items = table.items(key)
    table.done()
    return items


def _place(item: object) -> list[Row]:
    """All rows of one `[[place]]` block."""
    table = Fields("a place", item)
    place = table.text("match")
    table.where = place
    name = table.text("name")
    iso = table.flag("iso", default=True)
    periods = table.items("period")
    table.done()
    if not periods:
        table.refuse("a place needs at least one period")
    return [
        row_from(place, name, Fields(place, period).rest(), iso=iso)
        for period in periods
    ]


def _alias(item: object) -> Alias:
    table = Fields("an alias", item)
    alias = Alias(
        code=table.text("match"),
        of=table.text("of"),
        iso=table.flag("iso", default=True),
        note=table.text("note", ""),
    )
    table.done()
    return alias


def _pseudo(item: object) -> Pseudo:
    table = Fields("a pseudo-code", item)
    pseudo = Pseudo(
        code=table.text("match"),
        note=table.text("note", ""),
        source_read=table.flag("source_read", default=False),
    )
    table.done()
    return pseudo


def _refuse_twins(codes: Iterable[str]) -> None:
    twice = sorted(code for code, times in Counter(codes).items() if times > 1)
    if twice:
        message = f"{', '.join(twice)}: stands twice in the rule book"
        raise RuleBookError(message)


def _unknown(rows: Iterable[Row]) -> Row:
    """The one row of the unknown place; it is open, because unknown has no date."""
    found = [row for row in rows if row.place == UNKNOWN_PLACE]
    if len(found) != 1 or found[0].since or found[0].until:
        message = f"{UNKNOWN_PLACE}: exactly one period without dates is wanted"
        raise RuleBookError(message)
    return found[0]


def _subdivisions(given: Given) -> Mapping[str, frozenset[str]]:
    table = Fields("subdivisions", given)
    return MappingProxyType({c: frozenset(table.texts(c)) for c in sorted(given)})


def _offsets(given: Given) -> Mapping[str, Offsets]:
    table = Fields("offsets", given)
    return MappingProxyType({c: _span(table, c) for c in sorted(given)})


def _span(table: Fields, country: str) -> Offsets:
    match table.items(country):
        case [int(least), int(most)] if least <= most:
            span = (least, most)
        case _:
            table.refuse(f"{country} wants two numbers of minutes, the smaller first")
    return span
