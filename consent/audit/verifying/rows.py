"""Entries as they stand in the tables, each with what belongs to it.

Looking each entry up by its number in large tables is what costs most. Nearly all are
found another way: entries that were sealed together were written at about the same
time, so that their rows stand together in each table. What is not found there is looked
up, and only then is it known not to be there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from consent.audit.verifying import reading
from consent.audit.verifying.members import COLUMNS
from consent.audit.verifying.reading import Row, Value

# An entry's row, after its number: leaf hash, time, and where they are wanted its
# signature and key.
LEAF, AT, SIGNATURE, KEY = range(1, 5)
# A content's row: the bytes as text, time, and the columns that repeat what they say.
TEXT, CONTENT_AT = 1, 2
REPEATED: Final = slice(3, 3 + len(COLUMNS))
# A link's row.
SALT, VISITOR, LINK_AT = 1, 2, 3

# Rows by the number of their entry.
type Numbered = dict[str, Row]
# Its place in a log, if it has one; its number; its rows, None where one is missing.
type Found = tuple[int | None, str, Row | None, Row | None, Row | None]

# How the bytes of a record end that names no visitor, and so needs no link.
_NOBODYS: Final = '"visitor":null}'
# One in so many entries is asked where it stands, and as many times as many are read.
_SAMPLED: Final = 128
_SPARE: Final = 3
# About how many rows stand on a page of PostgreSQL.
_A_PAGE: Final = {"e": 45, "c": 8, "k": 48}


@dataclass(frozen=True, slots=True)
class Source:
    """Which entries: those of a table that names them, under a condition.

    `index` is the SQL of their place in a log. The table is `l` in SQL.
    """

    table: str
    index: str
    condition: str
    values: tuple[Value, ...]
    log: int | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """The leaves of a log from `first` up to `last`, which is not among them."""

    site: int
    log: int
    first: int
    last: int

    @property
    def source(self) -> Source:
        return Source(
            table="consent_leaf",
            index='l."index"',
            condition="l.site_id = %s AND l.log = %s "
            'AND l."index" >= %s AND l."index" < %s',
            values=(self.site, self.log, self.first, self.last),
            log=self.log,
        )

    def at(self, places: Sequence[int]) -> Source:
        """Some of the leaves alone.

        Within the stretch as well: PostgreSQL would go through the whole log for them,
        as long as it has no statistics.
        """
        whole, marks = self.source, ", ".join(["%s"] * len(places))
        return replace(
            whole,
            condition=f'{whole.condition} AND l."index" IN ({marks})',
            values=(*whole.values, *places),
        )

    @property
    def most(self) -> int:
        """How many rows about its time and place it is still worth to read."""
        return (self.last - self.first) * _SPARE

    @property
    def sample(self) -> Source:
        """A few of the leaves, the first and the last among them."""
        return self.at([*range(self.first, self.last, _SAMPLED), self.last - 1])


def of(source: Source, *, signatures: bool) -> list[Found]:
    """The entries of a source, each looked up, with whatever is there of it."""
    entry, content, link = _entry(signatures=signatures), _content(), _link()
    columns = [source.index, reading.hexed("l.entry_id"), *entry, *content, *link]
    rows = reading.fetched(
        f"""
        SELECT {", ".join(columns)}
        FROM {source.table} l
        LEFT JOIN consent_entry e ON e.site_id = l.site_id AND e.id = l.entry_id
        LEFT JOIN consent_content c
            ON c.site_id = l.site_id AND c.entry_id = l.entry_id
        LEFT JOIN consent_link k ON k.site_id = l.site_id AND k.entry_id = l.entry_id
        WHERE {source.condition} ORDER BY 1
        """,  # noqa: S608 - all of it is ours
        source.values,
    )
    second = 2 + len(entry)
    third = second + len(content)
    return [
        (
            *row[:2],
            # None of these columns may be null where the row is there.
            (row[1], *row[2:second]) if row[2] is not None else None,
            (row[1], *row[second:third]) if row[second] is not None else None,
            (row[1], *row[third:]) if row[third] is not None else None,
        )
        for row in rows
    ]


def of_stretch(stretch: Stretch, *, signatures: bool) -> list[Found]:
    """The entries of a stretch of a log, in its order."""
    together = _written_together(stretch, signatures=signatures)
    if together is None:
        return of(stretch.source, signatures=signatures)
    entries, contents, links = together
    found: list[Found] = []
    missing: list[int] = []
    for place, number in _leaves(stretch.source):
        entry, content = entries.get(number), contents.get(number)
        link = links.get(number)
        if (
            entry is None
            or content is None
            or (link is None and not content[TEXT].endswith(_NOBODYS))
        ):
            missing.append(place)
        else:
            found.append((place, number, entry, content, link))
    if not missing:
        return found
    looked_up = of(stretch.at(missing), signatures=signatures)
    return sorted([*found, *looked_up], key=lambda one: one[0] or 0)


def _leaves(source: Source) -> list[Row]:
    number = reading.hexed("l.entry_id")
    return reading.fetched(
        f"SELECT {source.index}, {number} FROM {source.table} l "  # noqa: S608 - ours
        f"WHERE {source.condition} ORDER BY 1",
        source.values,
    )


def _written_together(
    stretch: Stretch, *, signatures: bool
) -> tuple[Numbered, Numbered, Numbered] | None:
    """Entries, contents and links from where a stretch's stand, by number.

    None where much else stands there as well.
    """
    some = stretch.sample
    sampled = reading.fetched(
        f"SELECT {reading.plain('e.time')}, {reading.position('e')}, "  # noqa: S608 - ours
        f"{reading.position('c')}, {reading.position('k')} FROM consent_leaf l "
        "JOIN consent_entry e ON e.site_id = l.site_id AND e.id = l.entry_id "
        "LEFT JOIN consent_content c "
        "ON c.site_id = l.site_id AND c.entry_id = l.entry_id "
        "LEFT JOIN consent_link k ON k.site_id = l.site_id AND k.entry_id = l.entry_id "
        f"WHERE {some.condition}",
        some.values,
    )
    times, *places = zip(*sampled, strict=True) if sampled else ((), (), (), ())
    number, entry = reading.hexed("e.id"), _entry(signatures=signatures)
    entries = _standing_at(stretch, places[0], "consent_entry e", (number, *entry))
    if entries is None:
        return None
    content = (reading.hexed("c.entry_id"), *_content())
    contents = _standing_at(stretch, places[1], "consent_content c", content)
    if contents is None:
        # Where some were removed, later ones stand in their places.
        contents = _of_time(stretch, (min(times), max(times)), content)
    link = (reading.hexed("k.entry_id"), *_link())
    links = _standing_at(stretch, places[2], "consent_link k", link)
    return entries, contents, links or {}


def _of_time(
    stretch: Stretch, ends: tuple[Value, Value], columns: Sequence[str]
) -> Numbered:
    rows = reading.fetched(
        f"SELECT {', '.join(columns)} FROM consent_content c "  # noqa: S608 - ours
        "WHERE c.site_id = %s AND c.time >= %s AND c.time <= %s LIMIT %s",
        (stretch.site, *ends, stretch.most),
    )
    return {row[0]: row for row in rows}


def _standing_at(
    stretch: Stretch, places: Sequence[Any], table: str, columns: Sequence[str]
) -> Numbered | None:
    """The rows of a table about where some stand; None where they stand apart."""
    name = table[-1]
    known = [place for place in places if place is not None]
    span = reading.span(known, most=stretch.most, a_page=_A_PAGE[name])
    if span is None:
        return None
    # Only a column by itself sends SQLite to an index, the wrong one here.
    rows = reading.fetched(
        f"SELECT {', '.join(columns)} FROM {table} "  # noqa: S608 - ours
        f"WHERE {reading.between(name)} AND +{name}.site_id = %s",
        (*span, stretch.site),
    )
    return {row[0]: row for row in rows}


def _entry(*, signatures: bool) -> tuple[str, ...]:
    signed = ("e.signature", "e.key_id") if signatures else ()
    return ("e.leaf_hash", reading.utc("e.time"), *signed)


def _content() -> tuple[str, ...]:
    columns = (reading.plain(f"c.{name}") for name in COLUMNS)
    return ("c.canonical", reading.utc("c.time"), *columns)


def _link() -> tuple[str, ...]:
    return ("k.salt", "k.visitor", reading.utc("k.time"))
