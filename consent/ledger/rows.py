"""Writing the rows of one entry: one statement, on either database.

A choice waits for this, so that it goes past the ORM: the rows of an entry belong
together and are known at once. What writes them stands in the database: a function on
PostgreSQL (migration 0006), a view with a trigger on SQLite (0007). So an entry is
written whole or not at all, in a transaction or without one.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

_VALUES: Final = ", ".join(["%s"] * 19)
_APPEND: Final = {
    "postgresql": f"SELECT consent_append({_VALUES})",
    "sqlite": f"INSERT INTO consent_append VALUES ({_VALUES})",  # noqa: S608 - marks
}


@dataclass(frozen=True, slots=True)
class Columns:
    """What of an entry stands in columns of its own, to be searched."""

    kind: str
    event: str
    country: str = ""
    rule: str = ""
    model: str = ""
    surface: str = ""
    policy_version: int | None = None
    gpc: bool = False

    def values(self) -> tuple[Any, ...]:
        place = (self.country, self.rule, self.model, self.surface)
        return (self.kind, self.event, *place, self.policy_version, self.gpc)


@dataclass(frozen=True, slots=True)
class Ties:
    """What ties an entry to a person: the values of its link."""

    salt: bytes
    visitor: str
    user: str
    sources: Sequence[str]

    def values(self) -> tuple[Any, ...]:
        return (self.salt, self.visitor, self.user, json.dumps(list(self.sources)))


def insert(
    *,
    site: int,
    number: uuid.UUID,
    time: datetime,
    signed: tuple[bytes, bytes, str],
    canonical: str,
    columns: Columns,
    ties: Ties | None,
) -> None:
    """Insert an entry with its content, its link if it has one, and its wait.

    `signed` is the leaf hash, the signature over the record and the key's name. In the
    caller's transaction, else durable on return; DatabaseError where it cannot be kept.
    """
    values = (
        number if connection.features.has_native_uuid_field else number.hex,
        site,
        connection.ops.adapt_datetimefield_value(time),
        *signed,
        canonical,
        *columns.values(),
        *(ties.values() if ties else (None, None, None, None)),
    )
    with connection.cursor() as cursor:
        cursor.execute(_APPEND[connection.vendor], values)
