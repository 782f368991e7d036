"""Ledgers of any size, filled past the product as fast as the database takes them."""

import json
import secrets
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any

from django.db import connection, transaction

from consent import ledger
from consent.core.jurisdictions import Location, Source
from consent.core.merkle import leaf_hash
from consent.core.purposes import OPTIONAL
from consent.core.record import (
    ConsentRecord,
    Event,
    Surface,
    canonical_bytes,
    pseudonym,
    timestamp,
)
from consent.core.scales import Model
from consent.core.signals import Signals
from consent.keys import signing_key
from consent.ledger import Owner
from consent.models import Site
from consent.publication import Published

BATCH = 10_000
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)

type Row = tuple[uuid.UUID, datetime, bytes, bytes, str, bytes, str]


def one(here: Published) -> tuple[ConsentRecord, Owner]:
    """A record as a visitor in Paris makes it, and whose it is."""
    salt, visitor = ledger.new_salt(), secrets.token_hex(16)
    now = datetime.now(UTC)
    record = ConsentRecord(
        id=ledger.new_id(),
        site=here.site.slug,
        time=now,
        event=Event.GRANTED,
        purposes=dict.fromkeys(OPTIONAL, True),
        services={service.slug: True for service in here.policy.services},
        visitor=pseudonym(salt=salt, visitor=visitor),
        policy_version=here.policy.version,
        policy_hash=here.policy.hash,
        notice_hash=None,
        language="en",
        rule="FR",
        rulebook=here.book.version,
        location=Location(country="FR", source=Source.GEOIP, database="a database"),
        signals=Signals(),
        applied=(),
        audience="general",
        model=Model.OPT_IN,
        surface=Surface.BANNER,
        valid_until=now + timedelta(days=180),
    )
    return record, Owner(visitor=visitor, salt=salt)


def fill(here: Published, count: int, *, signed: bool) -> None:
    """Add entries that wait to be sealed; their signatures are good where wished.

    A scratch database that is lost is filled again: SQLite need not wait for the disk.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.execute("PRAGMA cache_size=-2000000")
            cursor.execute("PRAGMA wal_autocheckpoint=100000")
    _fill(here, count, signed=signed)
    connection.close()  # what comes after is as durable as it is for visitors


def _fill(here: Published, count: int, *, signed: bool) -> None:
    for some in batched(_rows(here, count, signed=signed), BATCH):
        with transaction.atomic():
            _insert(here.site, some)


def _rows(here: Published, count: int, *, signed: bool) -> Iterator[Row]:
    """Real canonical bytes: a whole record with other numbers, times and pseudonyms."""
    record, _owner = one(here)
    text = canonical_bytes(record).decode()
    number, time, visitor = record.id, timestamp(record.time), record.visitor or ""
    key = signing_key()
    for index in range(count):
        entry, person, salt = (
            uuid.uuid4(),
            secrets.token_hex(16),
            secrets.token_bytes(32),
        )
        at = _BEGIN + timedelta(milliseconds=17 * index)
        own = text.replace(number, entry.hex).replace(time, timestamp(at))
        own = own.replace(visitor, pseudonym(salt=salt, visitor=person))
        data = own.encode()
        signature = key.sign_receipt(data) if signed else b"s" * 64
        yield entry, at, leaf_hash(data), signature, own, salt, person


def _insert(site: Site, rows: tuple[Row, ...]) -> None:
    key = signing_key().id
    tables: dict[str, Iterator[tuple[Any, ...]]] = {
        "consent_entry (id, site_id, time, leaf_hash, signature, key_id)": (
            (entry, site.pk, at, leaf, signature, key)
            for entry, at, leaf, signature, *_rest in rows
        ),
        "consent_content (entry_id, site_id, time, canonical, kind, event, country, "
        "rule, model, surface, policy_version, gpc)": (
            (
                *(entry, site.pk, at, text, "consent", "granted", "FR", "FR"),
                *("opt_in", "banner", 1, False),
            )
            for entry, at, _leaf, _signature, text, *_rest in rows
        ),
        'consent_link (entry_id, site_id, time, salt, visitor, "user", sources)': (
            (entry, site.pk, at, salt, person, "", json.dumps([]))
            for entry, at, _leaf, _signature, _text, salt, person in rows
        ),
        "consent_waiting (entry_id, site_id)": ((row[0], site.pk) for row in rows),
    }
    with connection.cursor() as cursor:
        for table, values in tables.items():
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    for row in values:
                        copy.write_row(row)
            else:
                adapted = [tuple(map(_adapted, row)) for row in values]
                places = ", ".join(["%s"] * len(adapted[0]))
                cursor.executemany(f"INSERT INTO {table} VALUES ({places})", adapted)


def _adapted(value: Any) -> Any:
    """A value as SQLite keeps what Django would have written."""
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value
