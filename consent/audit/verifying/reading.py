"""Reading tables in bulk, on either database, past the models.

A row costs a few microseconds here, and a model several times that. Values come in one
form from both databases: numbers of entries in hexadecimal, times as text in UTC.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

type Row = tuple[Any, ...]
type Value = int | str | uuid.UUID | datetime

# In units of 1,024 bytes, below 0. More would not stay near the processor.
_CACHE: Final = "PRAGMA cache_size = -8192"

# Some thousand rows of large tables are looked up by their keys. What PostgreSQL would
# plan instead reads a whole table for them, wherever its statistics are old.
_LOOK_UP: Final = {
    **dict.fromkeys(("enable_hashjoin", "enable_mergejoin", "enable_seqscan"), "off"),
    **dict.fromkeys(("enable_bitmapscan", "enable_sort", "jit"), "off"),
    "max_parallel_workers_per_gather": "0",
}
_TEXT: Final = {"DateStyle": "ISO"}
# Holds something while PostgreSQL has been told.
_told: Final[list[bool]] = []
# What part of a span is added at either side, because its ends are only about known.
_BESIDE: Final = 64


def hexed(column: str) -> str:
    """An entry's number, as receipts have it."""
    if connection.vendor == "postgresql":
        return f"encode(uuid_send({column}), 'hex')"
    return column


def utc(column: str) -> str:
    """A time as text: `2026-11-23 12:00:00`, with as many decimals as it has."""
    if connection.vendor == "postgresql":
        return f"({column} AT TIME ZONE 'UTC')::text"
    return plain(column)


def number(value: uuid.UUID) -> Value:
    """An entry's number as a value of a statement."""
    return value if connection.features.has_native_uuid_field else value.hex


def plain(column: str) -> str:
    """A column as the database has it, which Django's SQLite would make Python of."""
    return column if connection.vendor == "postgresql" else f"+{column}"


def position(alias: str) -> str:
    """Where a row stands in its table, as text on PostgreSQL."""
    return f"{alias}.ctid::text" if connection.vendor == "postgresql" else _rowid(alias)


def between(alias: str) -> str:
    """That a row stands in a span of positions."""
    if connection.vendor == "postgresql":
        return f"{alias}.ctid >= %s::tid AND {alias}.ctid < %s::tid"
    return f"{_rowid(alias)} >= %s AND {_rowid(alias)} < %s"


def _rowid(alias: str) -> str:
    return f"{alias}.rowid"


def span(
    positions: Sequence[Any], *, most: int, a_page: int
) -> tuple[Value, Value] | None:
    """About where rows stand of which some positions are known, for `between`.

    None where that is more than about `most` rows, or nothing is known. `a_page` is how
    many stand on a page of PostgreSQL, about.
    """
    postgresql = connection.vendor == "postgresql"
    # (12,3) is the third row of page 12.
    places = [int(at[1:].split(",")[0]) if postgresql else at for at in positions]
    some = most // a_page if postgresql else most
    if not places or max(places) - min(places) > some:
        return None
    begin = max(min(places) - some // _BESIDE, 0)
    end = max(places) + some // _BESIDE + 1
    return (f"({begin},0)", f"({end},0)") if postgresql else (begin, end)


def fetched(statement: str, values: Sequence[Value]) -> list[Row]:
    """All rows of a statement that looks some thousand rows up by their keys."""
    with looking_up(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        # Where DEBUG is set, Django remembers statements, and these are many.
        connection.queries_log.clear()
        return list(cursor.fetchall())


def asked(statement: str, values: Sequence[Value]) -> list[Row]:
    """All rows of a statement that the database may answer as it likes."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


@contextmanager
def looking_up() -> Iterator[None]:
    """What is fetched meanwhile is looked up; PostgreSQL is told so once for all of it.

    Each statement still sees what is there when it begins.
    """
    if connection.vendor != "postgresql" or _told:
        yield
        return
    wanted = {**_LOOK_UP, **_TEXT}
    calls = ", ".join(["set_config(%s, %s, true)"] * len(wanted))
    with transaction.atomic():
        with connection.cursor() as cursor:
            words = [word for item in wanted.items() for word in item]
            cursor.execute(f"SELECT {calls}", words)
        _told.append(True)
        try:
            yield
        finally:
            _told.pop()


def prepare() -> None:
    """Have SQLite remember more of what it read than it does by itself."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(_CACHE)
