"""Writing the rows of one entry: one call on PostgreSQL, four statements on SQLite.

A choice waits for this, so that it goes past the ORM: the rows of an entry belong
together and are known at once. On PostgreSQL a function of the database (migration
0006) inserts them, because it remembers how, and is one round trip.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

_APPEND: Final = f"SELECT consent_append({', '.join(['%s'] * 19)})"
_ENTRY: Final = (
    "INSERT INTO consent_entry (id, site_id, leaf_hash, signature, key_id, time) "
    "VALUES (%s, %s, %s, %s, %s, %s)"
)
_CONTENT: Final = (
    "INSERT INTO consent_content (entry_id, site_id, time, canonical, kind, event, "
    "country, rule, model, surface, policy_version, gpc) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_LINK: Final = (
    'INSERT INTO consent_link (entry_id, site_id, time, salt, visitor, "user", '
    "sources) VALUES (%s, %s, %s, %s, %s, %s, %s)"
)
_WAITING: Final = "INSERT INTO consent_waiting (entry_id, site_id) VALUES (%s, %s)"


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

    `signed` is the leaf hash, the signature over the record and the key's name. Runs
    in the caller's transaction; DatabaseError where a row cannot be kept.
    """
    content = (canonical, *columns.values())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            link = ties.values() if ties else (None, None, None, None)
            cursor.execute(_APPEND, (number, site, time, *signed, *content, *link))
            return
        common = (number.hex, site, connection.ops.adapt_datetimefield_value(time))
        key, _site, at = common
        cursor.execute(_ENTRY, (key, site, *signed, at))
        cursor.execute(_CONTENT, (*common, *content))
        if ties:
            cursor.execute(_LINK, (*common, *ties.values()))
        cursor.execute(_WAITING, (key, site))
