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

# In units of 1,024 bytes, below 0; SQLite is content with 2,000 by itself.
_CACHE: Final = "PRAGMA cache_size = -65536"

# Some thousand rows of large tables are looked up by their keys. What PostgreSQL would
# plan instead reads a whole table for them, wherever its statistics are old.
_LOOK_UP: Final = {
    **dict.fromkeys(("enable_hashjoin", "enable_mergejoin", "enable_seqscan"), "off"),
    **dict.fromkeys(("enable_bitmapscan", "enable_sort", "jit"), "off"),
    "max_parallel_workers_per_gather": "0",
}
_TEXT: Final = {"DateStyle": "ISO"}


def hexed(column: str) -> str:
    """An entry's number, as receipts have it."""
    return f"replace({key(column)}, '-', '')"


def key(column: str) -> str:
    """An entry's number as text, by which rows are put together."""
    return f"{column}::text" if connection.vendor == "postgresql" else column


def utc(column: str) -> str:
    """A time as text: `2026-11-23 12:00:00`, with as many decimals as it has."""
    if connection.vendor == "postgresql":
        return f"({column} AT TIME ZONE 'UTC')::text"
    # Not the column itself, which would come as a date and time.
    return f"({column} || '')"


def number(value: uuid.UUID) -> Value:
    """An entry's number as a value of a statement."""
    return value if connection.features.has_native_uuid_field else value.hex


def truth(column: str) -> str:
    """A yes or no as JSON has it."""
    return f"CASE WHEN {column} THEN 'true' ELSE 'false' END"


def fetched(statement: str, values: Sequence[Value]) -> list[Row]:
    """All rows of a statement that looks some thousand rows up by their keys."""
    with _looking_up(), connection.cursor() as cursor:
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
def _looking_up() -> Iterator[None]:
    if connection.vendor != "postgresql":
        yield
        return
    wanted = {**_LOOK_UP, **_TEXT}
    calls = ", ".join(["set_config(%s, %s, true)"] * len(wanted))
    with transaction.atomic():
        with connection.cursor() as cursor:
            words = [word for item in wanted.items() for word in item]
            cursor.execute(f"SELECT {calls}", words)
        yield


def prepare() -> None:
    """Have SQLite remember more of what it read than it does by itself."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(_CACHE)
