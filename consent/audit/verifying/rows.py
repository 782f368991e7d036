"""Entries as they stand in the tables, each with what belongs to it.

Looking each entry up by its number in large tables is what costs most. Nearly all are
found another way: entries that were sealed together were given at about the same time,
so that a stretch of the indexes by time holds what a stretch of the log does. What is
not found there is looked up, and only then is it known not to be there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from consent.audit.verifying import reading
from consent.audit.verifying.members import COLUMNS
from consent.audit.verifying.reading import Row, Value

# An entry's row: leaf hash, time, and its signature and key where they are wanted.
LEAF, AT, SIGNATURE, KEY = range(4)
# A content's row: the bytes as text, time, and the columns that repeat what they say.
TEXT, CONTENT_AT = range(2)
REPEATED: Final = slice(2, 2 + len(COLUMNS))
# A link's row.
SALT, VISITOR, LINK_AT = range(3)

# Its place in a log, if it has one; its number; its rows, None where one is missing.
type Found = tuple[int | None, str, Row | None, Row | None, Row | None]

# One in so many entries is asked for its time, and as many times as many are expected.
_SAMPLED: Final = 64
_SPARE: Final = 3


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
        """Some of the leaves alone."""
        marks = ", ".join(["%s"] * len(places))
        return replace(
            self.source,
            condition=f'l.site_id = %s AND l.log = %s AND l."index" IN ({marks})',
            values=(self.site, self.log, *places),
        )


def of(source: Source, *, signatures: bool) -> list[Found]:
    """The entries of a source, each looked up, with whatever is there of it."""
    entry, content, link = _entry(signatures=signatures), _content(), _link()
    columns = [source.index, reading.key("l.entry_id"), *entry, *content, *link]
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
            *(row[0], _receipt(row[1])),
            # None of these columns may be null where the row is there.
            row[2:second] if row[2] is not None else None,
            row[second:third] if row[second] is not None else None,
            row[third:] if row[third] is not None else None,
        )
        for row in rows
    ]


def of_stretch(stretch: Stretch, *, signatures: bool) -> list[Found]:
    """The entries of a stretch of a log, in its order."""
    source = stretch.source
    links = _links(source)
    entries, contents = _of_its_time(stretch, signatures=signatures)
    found: list[Found] = []
    missing: list[int] = []
    for place, key in _leaves(source):
        entry, content = entries.get(key), contents.get(key)
        if entry is None or content is None:
            missing.append(place)
        else:
            found.append((place, _receipt(key), entry, content, links.get(key)))
    if not missing:
        return found
    looked_up = of(stretch.at(missing), signatures=signatures)
    return sorted([*found, *looked_up], key=lambda one: one[0] or 0)


def _receipt(key: str) -> str:
    """An entry's number as its receipt has it."""
    return key.replace("-", "")


def _leaves(source: Source) -> list[Row]:
    number = reading.key("l.entry_id")
    return reading.fetched(
        f"SELECT {source.index}, {number} FROM {source.table} l "  # noqa: S608 - ours
        f"WHERE {source.condition} ORDER BY 1",
        source.values,
    )


def _links(source: Source) -> dict[str, Row]:
    """The links of a source's entries, each looked up: no index has them by time."""
    columns = ", ".join([reading.key("k.entry_id"), *_link()])
    rows = reading.fetched(
        f"SELECT {columns} FROM {source.table} l JOIN consent_link k "  # noqa: S608
        "ON k.site_id = l.site_id AND k.entry_id = l.entry_id "
        f"WHERE {source.condition}",
        source.values,
    )
    return {row[0]: row[1:] for row in rows}


def _of_its_time(
    stretch: Stretch, *, signatures: bool
) -> tuple[dict[str, Row], dict[str, Row]]:
    """The entries and the contents of about the time of a stretch, by number."""
    span = _span(stretch)
    if span is None:
        return {}, {}
    found = []
    for table, key, columns in (
        ("entry e", "e.id", _entry(signatures=signatures)),
        ("content c", "c.entry_id", _content()),
    ):
        name = key[0]
        rows = reading.fetched(
            f"SELECT {reading.key(key)}, {', '.join(columns)} "  # noqa: S608 - ours
            f"FROM consent_{table} WHERE {name}.site_id = %s "
            f"AND {name}.time >= %s AND {name}.time <= %s LIMIT %s",
            (stretch.site, *span, (stretch.last - stretch.first) * _SPARE),
        )
        found.append({row[0]: row[1:] for row in rows})
    return found[0], found[1]


def _span(stretch: Stretch) -> tuple[Value, Value] | None:
    """About the time in which the entries of a stretch were given."""
    step = max((stretch.last - stretch.first) // _SAMPLED, 1)
    some = stretch.at([*range(stretch.first, stretch.last, step), stretch.last - 1])
    [(begin, end)] = reading.fetched(
        "SELECT MIN(e.time), MAX(e.time) FROM consent_leaf l "  # noqa: S608 - ours
        "JOIN consent_entry e ON e.site_id = l.site_id AND e.id = l.entry_id "
        f"WHERE {some.condition}",
        some.values,
    )
    return None if begin is None else (begin, end)


def _entry(*, signatures: bool) -> tuple[str, ...]:
    signed = ("e.signature", "e.key_id") if signatures else ()
    return ("e.leaf_hash", reading.utc("e.time"), *signed)


def _content() -> tuple[str, ...]:
    told = {
        "country": "NULLIF(c.country, '')",
        "policy_version": "CAST(c.policy_version AS text)",
        "gpc": reading.truth("c.gpc"),
    }
    columns = (told.get(name, f"c.{name}") for name in COLUMNS)
    return ("c.canonical", reading.utc("c.time"), *columns)


def _link() -> tuple[str, ...]:
    return ("k.salt", "k.visitor", reading.utc("k.time"))
