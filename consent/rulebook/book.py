"""The rule book: all rows, the unknown place, other codes, and a version.

The version is the SHA-256 of the whole effective table as canonical JSON (RFC 8785:
the table holds no floats, its keys are ASCII), so that a record which names it can be
held against the very table that was in use.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import cached_property
from types import MappingProxyType
from typing import Final

from consent.core.days import Offsets, local_days
from consent.core.jurisdictions import UNKNOWN_PLACE, Location, Rules
from consent.rulebook.fields import Given
from consent.rulebook.rows import Row

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Alias:
    """Another code for a place; `iso` says whether it is an ISO 3166 code at all."""

    code: str
    of: str
    iso: bool
    note: str


@dataclass(frozen=True, slots=True)
class Pseudo:
    """A code of geo databases and proxies that names no place: it is unknown."""

    code: str
    note: str
    source_read: bool


@dataclass(frozen=True, eq=False, repr=False)
class RuleBook:
    """The effective table, overrides included; `rules` is what the core reads.

    `overrides` are the changes laid over the shipped data, in order, and
    `lowered_unknown` says that one of them made the unknown place less strict.
    """

    rows: tuple[Row, ...]
    unknown: Row
    aliases: tuple[Alias, ...]
    pseudo: tuple[Pseudo, ...]
    subdivisions: Mapping[str, frozenset[str]]
    offsets: Mapping[str, Offsets]
    overrides: tuple[Given, ...] = ()
    lowered_unknown: bool = False

    def __repr__(self) -> str:
        return f"<RuleBook {self.version}: {len(self.rows)} rows>"

    @cached_property
    def _by_place(self) -> Mapping[str, tuple[Row, ...]]:
        return MappingProxyType(_grouped(self.rows))

    @cached_property
    def _of(self) -> Mapping[str, str]:
        return MappingProxyType({alias.code: alias.of for alias in self.aliases})

    @cached_property
    def version(self) -> str:
        """The name of exactly this table: `sha256:` and the hash of its bytes."""
        return f"sha256:{hashlib.sha256(self.canonical()).hexdigest()}"

    @cached_property
    def rules(self) -> Rules:
        """The table as the core reads it."""
        periods = {
            place: tuple(row.period for row in rows)
            for place, rows in self._by_place.items()
        }
        return Rules(
            version=self.version,
            periods=MappingProxyType(periods),
            unknown=self.unknown.rule,
            aliases=self._of,
            subdivisions=self.subdivisions,
        )

    def place(self, code: str) -> str:
        """The code under which the book keeps a place (`UK` is `GB`)."""
        return self._of.get(code, code)

    def places(self) -> tuple[str, ...]:
        """The codes of all places with rows, without the unknown one."""
        return tuple(self._by_place)

    def periods_of(self, place: str) -> tuple[Row, ...]:
        """All rows of a place in the order of time; none for a place without rows."""
        if place == UNKNOWN_PLACE:
            return (self.unknown,)
        return self._by_place.get(self.place(place), ())

    def row(self, place: str, on: date) -> Row:
        """The row that speaks for a place on a day, else the unknown one.

        A subdivision without a row of its own has the row of its country. A row that is
        not `verified` is given as it stands, to be explained; what is *served* for it
        is the rule of the unknown place.
        """
        rows = self.periods_of(place) or self.periods_of(place.partition("-")[0])
        covering = (row for row in rows if row.period.covers(on))
        return next(covering, self.unknown)

    def days(self, location: Location, *, now: datetime) -> frozenset[date]:
        """The UTC date and the dates it can be at the places of a location."""
        codes = {location.country, location.subdivision or location.country}
        places = {
            self.place(code or UNKNOWN_PLACE) for code in codes.union(location.also)
        }
        countries = {place.partition("-")[0] for place in places}
        spans = [self.offsets.get(self.place(country)) for country in countries]
        return frozenset[date]().union(
            *(local_days(now=now, offsets=span) for span in spans)
        )

    def document(self) -> dict[str, object]:
        """The whole effective table as JSON values."""
        return {
            "format": FORMAT,
            "places": {
                place: {
                    "name": rows[0].name,
                    "iso": rows[0].iso,
                    "periods": [row.document() for row in rows],
                }
                for place, rows in self._by_place.items()
            },
            "unknown": self.unknown.document(),
            "aliases": [asdict(alias) for alias in self.aliases],
            "pseudo": [asdict(pseudo) for pseudo in self.pseudo],
            "subdivisions": {c: sorted(s) for c, s in self.subdivisions.items()},
            "offsets": {c: list(span) for c, span in self.offsets.items()},
            "overrides": [dict(override) for override in self.overrides],
        }

    def canonical(self) -> bytes:
        """The bytes whose SHA-256 is the version."""
        return json.dumps(
            self.document(),
            ensure_ascii=False,
            allow_nan=False,
            sort_keys=True,
            separators=(",", ":"),
        ).encode()


def _grouped(rows: Iterable[Row]) -> dict[str, tuple[Row, ...]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.place].append(row)
    return {
        place: tuple(sorted(found[place], key=lambda row: row.since or date.min))
        for place in sorted(found)
    }
