"""Writing the rows of one entry: one statement on PostgreSQL, four on SQLite.

A choice waits for this. The rows of an entry belong together and are known at once, so
that they need neither models nor a round trip each.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from django.db import connection

type Values = Mapping[str, Any]

# The columns of each table, in the order in which their values are handed over.
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "entry": ("id", "site_id", "leaf_hash", "signature", "key_id", "time"),
    "content": (
        *("entry_id", "site_id", "canonical", "time", "kind", "event", "country"),
        *("rule", "model", "surface", "policy_version", "gpc"),
    ),
    "link": (*("entry_id", "site_id", "salt", "visitor", '"user"', "time", "sources"),),
    "waiting": ("entry_id", "site_id"),
}


def insert(rows: Mapping[str, Values]) -> None:
    """Insert one row into each of the tables, in the caller's transaction.

    `rows` goes from a table's short name to the values of its columns.
    """
    statements = _statements(connection.vendor, tuple(rows))
    values = [
        [_adapted(row[column.strip('"')]) for column in _COLUMNS[table]]
        for table, row in rows.items()
    ]
    with connection.cursor() as cursor:
        if len(statements) == 1:
            cursor.execute(statements[0], [value for row in values for value in row])
            return
        for statement, row in zip(statements, values, strict=True):
            cursor.execute(statement, row)


@lru_cache(maxsize=8)
def _statements(vendor: str, tables: Sequence[str]) -> tuple[str, ...]:
    inserts = [_insert_into(table) for table in tables]
    if vendor != "postgresql":
        return tuple(inserts)
    *first, last = inserts
    # PostgreSQL runs each of them, whether it is asked for or not (SELECT, WITH).
    named = ", ".join(f"row{number} AS ({text})" for number, text in enumerate(first))
    return (f"WITH {named} {last}",)


def _insert_into(table: str) -> str:
    columns = _COLUMNS[table]
    places = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO consent_{table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - names of ours


def _adapted(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    """A value as the database takes it."""
    if isinstance(value, uuid.UUID):
        native = connection.features.has_native_uuid_field
        return value if native else value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, list):
        return json.dumps(value)
    return value
