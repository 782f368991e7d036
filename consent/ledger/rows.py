"""Writing the rows of one entry: one statement, on either database.

A choice waits for this, so that it goes past the ORM: the rows of an entry belong
together and are known at once. What writes them stands in the database: a function on
PostgreSQL (migration 0006), a view with a trigger on SQLite (0007). So an entry is
written whole or not at all, in a transaction or without one.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db import connection

_VALUES: Final = ", ".join(["%s"] * 19)
_APPEND: Final = {
    "postgresql": f"SELECT consent_append({_VALUES})",
    "sqlite": f"INSERT INTO consent_append VALUES ({_VALUES})",  # noqa: S608 - marks
}


class Columns(NamedTuple):
    """What of an entry stands in columns of its own, to be searched."""

    kind: str
    event: str
    country: str = ""
    rule: str = ""
    model: str = ""
    surface: str = ""
    policy_version: int | None = None
    gpc: bool = False


class Ties(NamedTuple):
    """What ties an entry to a person: the values of its link."""

    salt: bytes
    visitor: str
    user: str
    sources: Sequence[str]


def insert(
    *,
    site: int,
    number: str,
    time: datetime,
    signed: tuple[bytes, bytes, str],
    canonical: str,
    columns: Columns,
    ties: Ties | None,
) -> None:
    """Insert an entry with its content, its link if it has one, and its wait.

    `number` is the entry's, as receipts have it; `signed` is the leaf hash, the
    signature over the record and the key's name. In the caller's transaction, else
    durable on return; DatabaseError where it cannot be kept.
    """
    values = (
        number,
        site,
        connection.ops.adapt_datetimefield_value(time),
        *signed,
        canonical,
        *columns,
        *((*ties[:3], json.dumps(list(ties.sources))) if ties else (None,) * 4),
    )
    with connection.cursor() as cursor:
        cursor.execute(_APPEND[connection.vendor], values)
