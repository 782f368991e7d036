"""The ledger is only ever added to: by the ORM, by SQL, and in format 1 for ever."""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, models, transaction
from django.test import Client

from consent import ledger
from consent.core.jurisdictions import Location, Source
from consent.core.purposes import Purpose
from consent.core.record import (
    Act,
    ConsentRecord,
    Event,
    Surface,
    canonical_bytes,
    leaf,
)
from consent.core.scales import Model
from consent.core.signals import Signals
from consent.management.demo_site import POLICY
from consent.models import (
    Anchor,
    Asset,
    Content,
    Entry,
    Leaf,
    Link,
    PolicyVersion,
    Removal,
    Restricted,
    Tile,
    Waiting,
)
from consent.publication import publish
from tests.conftest import NOON
from tests.visits import ALL, choose, rows

FROZEN = [
    *("Entry", "Content", "Link", "Removal", "Restricted", "Waiting"),
    *("Log", "Leaf", "Tile", "Checkpoint", "Anchor", "PublicKey"),
    *("PolicyVersion", "Notice", "Asset", "RuleBookVersion"),
]
VECTORS = Path(__file__).parent / "vectors" / "record_format_1.json"


def model_named(name: str) -> type[models.Model]:
    return apps.get_model("consent", name)


@pytest.fixture
def full(parisian: Client, site: Any) -> None:
    """At least one row in every table of the ledger, and one entry that waits."""
    number = choose(parisian, ALL)["receipt"]["id"]
    ledger.seal(site=site)
    choose(parisian, ALL)
    entry = Entry.objects.get(pk=number)
    waiting = Waiting.objects.get().entry
    link, common = Link.objects.get(pk=number), {"site": site, "time": NOON}
    Tile.objects.create(site=site, level=0, index=0, root=b"x", hashes=b"x")
    Anchor.objects.create(tree_size=1, kind="timestamp", name="x", token=b"x", **common)
    Asset.objects.create(hash="sha256:x", media_type="text/css", body=b"x")
    # These name the entry that waits, so that the first one's link may not be deleted.
    Removal.objects.create(entry=waiting, act=entry, reason="other", **common)
    Restricted.objects.create(entry=entry, salt=link.salt, restricted_at=NOON, **common)
    assert all(rows()[name] for name in FROZEN)


def assert_refused(change: Any) -> None:
    """The database refuses the change, and every table is as it was."""
    before = [list(model_named(name).objects.values()) for name in FROZEN]
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        change()
    assert [list(model_named(name).objects.values()) for name in FROZEN] == before


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("name", FROZEN)
def test_the_orm_can_neither_change_nor_delete(name: str) -> None:
    model = model_named(name)
    row = model.objects.first()
    assert row is not None
    fields = [f for f in model._meta.concrete_fields if not f.primary_key]
    field = min(fields, key=lambda f: f.is_relation)
    value = getattr(row, field.attname)
    assert_refused(lambda: row.save(force_update=True))
    assert_refused(row.save)
    assert_refused(row.delete)
    assert_refused(lambda: model.objects.update(**{field.attname: value}))
    assert_refused(lambda: model.objects.filter(pk=row.pk).delete())
    assert_refused(lambda: model.objects.bulk_update([row], [field.attname]))


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("name", FROZEN)
def test_sql_can_neither_change_nor_delete_nor_replace(name: str) -> None:
    table = model_named(name)._meta.db_table
    column = model_named(name)._meta.pk.column
    columns = [f.column for f in model_named(name)._meta.concrete_fields]

    def run(statement: str) -> Any:
        return lambda: connection.cursor().execute(statement)

    assert_refused(run(f'UPDATE "{table}" SET "{column}" = "{column}"'))
    assert_refused(run(f'DELETE FROM "{table}"'))
    named = ", ".join(f'"{c}"' for c in columns)
    copy = f'INTO "{table}" ({named}) SELECT {named} FROM "{table}" WHERE true'
    if connection.vendor == "sqlite":
        assert_refused(run(f"INSERT OR REPLACE {copy}"))
        assert_refused(run(f"REPLACE {copy}"))
    with connection.cursor() as cursor:
        found = connection.introspection.get_primary_key_columns(cursor, table)
    key = ", ".join(f'"{c}"' for c in found)
    conflict = f'ON CONFLICT ({key}) DO UPDATE SET "{column}" = EXCLUDED."{column}"'
    assert_refused(run(f"INSERT {copy} {conflict}"))


@pytest.mark.usefixtures("full")
def test_a_row_that_is_there_cannot_be_added_again() -> None:
    entry = Entry.objects.first()
    before = rows()
    with pytest.raises(IntegrityError), transaction.atomic():
        entry.save(force_insert=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        Content.objects.filter(pk=entry.pk).first().save(force_insert=True)
    assert rows() == before


def delete(name: str, entry: Entry) -> None:
    """Delete an entry's row from one table, past the ORM's own rules."""
    table = model_named(name)._meta.db_table
    with transaction.atomic(), connection.cursor() as cursor:
        key = entry.pk.hex if connection.vendor == "sqlite" else entry.pk
        cursor.execute(f'DELETE FROM "{table}" WHERE entry_id = %s', [key])


def test_an_entry_stops_waiting_only_once_it_has_its_leaf(site: Any) -> None:
    entry = Waiting.objects.first().entry
    with pytest.raises(IntegrityError, match="append-only"):
        delete("Waiting", entry)
    Leaf.objects.create(site=site, index=0, entry=entry)
    delete("Waiting", entry)
    assert not Waiting.objects.filter(entry=entry).exists()


@pytest.mark.parametrize(
    ("reason", "gone", "stays"),
    [
        ("erasure", ["Link"], ["Content", "Restricted"]),
        ("retention", ["Link", "Content", "Restricted"], []),
    ],
)
def test_a_removal_lets_go_of_what_it_says_and_of_nothing_else(
    parisian: Client, site: Any, reason: str, gone: list[str], stays: list[str]
) -> None:
    entries = [
        Entry.objects.get(pk=choose(parisian, ALL)["receipt"]["id"]) for _ in range(2)
    ]
    named, other = entries
    for entry in entries:
        Restricted.objects.create(
            site=site, entry=entry, salt=b"x", time=NOON, restricted_at=NOON
        )
    Removal.objects.create(site=site, entry=named, act=other, reason=reason, time=NOON)
    for name in gone:
        delete(name, named)
        with pytest.raises(IntegrityError, match="append-only"):
            delete(name, other)
    for name in stays:
        with pytest.raises(IntegrityError, match="append-only"):
            delete(name, named)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        named.delete()


def test_a_member_of_staff_who_published_cannot_be_deleted_from_under_the_policy(
    site: Any,
) -> None:
    editor = get_user_model().objects.create_user("editor")
    publish(site=site, document=POLICY, at=NOON, by=editor)
    with pytest.raises(models.ProtectedError), transaction.atomic():
        editor.delete()
    assert PolicyVersion.objects.get(version=2).published_by == editor


# --- format 1, frozen ---------------------------------------------------------------


def vectors() -> list[dict[str, Any]]:
    return json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]


def entry_of(members: dict[str, Any]) -> ConsentRecord | Act:
    """The record or act that a vector's members describe."""
    common = {
        "id": members["id"],
        "site": members["site"],
        "time": datetime.fromisoformat(members["time"]),
    }
    if members["kind"] == "act":
        own = {name: members[name] for name in ("act", "subject", "detail")}
        return Act(**common, **own)
    until, signals = members["valid_until"], members["signals"]
    return ConsentRecord(
        **common,
        event=Event(members["event"]),
        purposes={Purpose(p): on for p, on in members["purposes"].items()},
        services=members["services"],
        visitor=members["visitor"],
        policy_version=members["policy"]["version"],
        policy_hash=members["policy"]["hash"],
        notice_hash=members["notice"]["hash"],
        language=members["notice"]["language"],
        rule=members["jurisdiction"]["rule"],
        rulebook=members["jurisdiction"]["rulebook"],
        location=Location(
            country=members["location"]["country"],
            subdivision=members["location"]["subdivision"],
            source=Source(members["location"]["source"]),
            database=members["location"]["database"],
        ),
        signals=Signals(gpc=signals["gpc"], dnt=signals["dnt"]),
        applied=tuple(signals["applied"]),
        audience=members["audience"],
        model=Model[members["model"].upper()],
        surface=Surface(members["surface"]),
        valid_until=datetime.fromisoformat(until) if until else None,
    )


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector["name"])
def test_bytes_written_once_verify_for_ever(vector: dict[str, Any]) -> None:
    data = vector["canonical"].encode()
    assert hashlib.sha256(b"\x00" + data).hexdigest() == vector["leaf_hash"]
    assert json.loads(data) == vector["members"]


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector["name"])
def test_the_product_still_writes_these_bytes(vector: dict[str, Any]) -> None:
    entry = entry_of(vector["members"])
    assert canonical_bytes(entry) == vector["canonical"].encode()
    assert leaf(entry).hex() == vector["leaf_hash"]


def test_the_vectors_show_every_event_and_surface_and_an_act() -> None:
    members = [vector["members"] for vector in vectors()]
    assert {m["kind"] for m in members} == {"consent", "act"}
    told = [m for m in members if m["kind"] == "consent"]
    assert {m["event"] for m in told} == {str(event) for event in Event}
    assert {m["surface"] for m in told} == {str(surface) for surface in Surface}
    assert {m["model"] for m in told} == {model.label for model in Model}
