"""Sealing: what waits gets its place in the tree, and the tree a signed head."""

import logging
import uuid
from functools import partial
from itertools import batched
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from pytest_django import Settings

from consent import keys, ledger
from consent.core.merkle import root
from consent.core.signed_note import (
    parse_checkpoint,
    parse_note,
    parse_verifier_key,
)
from consent.ledger import kept, sealing
from consent.models import (
    Checkpoint,
    Content,
    Entry,
    Leaf,
    Log,
    PublicKey,
    Site,
    Tile,
    Waiting,
)
from tests.conftest import NOON
from tests.logs import another_site, indexes, leaf_hashes, write
from tests.visits import ALL, choose


def sealed(site: Site) -> ledger.Sealed:
    found = ledger.seal(site=site, at=NOON)
    assert found is not None
    return found


def test_what_waits_gets_consecutive_places_in_the_order_of_time(site: Site) -> None:
    ledger.seal(site=site)
    begun = Leaf.objects.count()
    later = write(site, 5, first=10)
    earlier = write(site, 5)
    assert sealed(site).entries == 10
    places = Leaf.objects.filter(index__gte=begun).order_by("index")
    assert [leaf.entry_id.hex for leaf in places] == earlier + later
    assert indexes(site) == list(range(begun + 10))
    assert Waiting.objects.count() == 0


def test_a_queue_of_many_batches_is_sealed_in_the_order_it_stands_in(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that what was written together is verified together.

    New rows may stand where others were cleared away; batches are in the order of time.
    For so few rows PostgreSQL may take them in any order, so that there only the order
    within each batch is held.
    """
    monkeypatch.setattr(sealing, "BATCH", 7)
    monkeypatch.setattr(sealing, "IN_A_REQUEST", 6)
    ledger.seal(site=site)
    begun = Leaf.objects.count()
    written = write(site, 60)
    position = "ctid" if connection.vendor == "postgresql" else "rowid"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT entry_id FROM consent_waiting ORDER BY {position}")
        standing = [uuid.UUID(str(number)).hex for (number,) in cursor.fetchall()]
    assert sealed(site).entries == 60
    leaves = Leaf.objects.filter(index__gte=begun).order_by("index")
    placed = [leaf.entry_id.hex for leaf in leaves]
    assert sorted(placed) == sorted(written)
    taken = placed if connection.vendor == "postgresql" else standing
    assert placed == [
        number
        for some in batched(taken, 7)
        for number in sorted(some, key=written.index)
    ]


@pytest.mark.parametrize("steps", [[1, 1, 1], [300], [256 - 2], [255, 2, 700]])
def test_the_head_is_the_root_of_all_that_was_sealed(
    site: Site, steps: list[int]
) -> None:
    for number, count in enumerate(steps):
        write(site, count, first=1000 * number)
        checkpoint = sealed(site).checkpoint
        hashes = leaf_hashes(site)
        assert checkpoint.tree_size == len(hashes) == Entry.objects.count()
        assert bytes(checkpoint.root) == root(hashes)
    kept_tiles = Tile.objects.filter(level=0).order_by("index")
    whole = len(hashes) // 256
    assert [bytes(t.hashes) for t in kept_tiles] == [
        b"".join(hashes[256 * i : 256 * (i + 1)]) for i in range(whole)
    ]
    assert [bytes(t.root) for t in kept_tiles] == [
        root(hashes[256 * i : 256 * (i + 1)]) for i in range(whole)
    ]


def test_a_process_that_remembers_nothing_goes_on_where_another_stopped(
    site: Site,
) -> None:
    for number in range(4):
        write(site, 150, first=1000 * number)
        ledger.forget()
        checkpoint = sealed(site).checkpoint
        assert bytes(checkpoint.root) == root(leaf_hashes(site))


def test_more_than_a_batch_is_sealed_in_several(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "BATCH", 40)
    ledger.seal(site=site)
    before = Checkpoint.objects.count()
    write(site, 100)
    assert sealed(site).entries == 100
    assert Checkpoint.objects.count() == before + 3
    assert bytes(Checkpoint.objects.latest("tree_size").root) == root(leaf_hashes(site))


def test_where_nothing_waits_nothing_is_signed(site: Site) -> None:
    ledger.seal(site=site)
    before = Checkpoint.objects.count()
    assert ledger.seal(site=site) is None
    assert Checkpoint.objects.count() == before


def test_each_site_seals_its_own_log(site: Site) -> None:
    other = another_site()
    write(site, 3)
    write(other, 2)
    sealed(site)
    assert Waiting.objects.filter(site=other).count() == 2
    assert sealed(other).checkpoint.tree_size == 2
    assert indexes(other) == [0, 1]
    assert Log.objects.get(site=other).origin == "shop.example.org/log/shop"


def test_the_logs_name_is_fixed_when_it_begins(site: Site) -> None:
    before = sealed(site).checkpoint
    Site.objects.filter(pk=site.pk).update(hosts=["new.example.org"])
    write(site, 1)
    after = sealed(Site.objects.get(pk=site.pk)).checkpoint
    names = [parse_checkpoint(parse_note(c.note).text).origin for c in (before, after)]
    assert names == ["127.0.0.1/log/default"] * 2


def test_a_wildcard_host_names_its_log_by_what_it_is_of(db: None) -> None:
    site = another_site(hosts=["*.example.org"])
    write(site, 1)
    sealed(site)
    assert Log.objects.get(site=site).origin == "example.org/log/shop"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("how", "waiting"), [("inline", 0), ("worker", 1)])
def test_a_choice_is_sealed_inline_or_left_to_the_worker(
    parisian: Client, settings: Settings, how: str, waiting: int
) -> None:
    settings.CONSENT_SEAL = how
    ledger.seal(site=Site.objects.get())
    receipt = choose(parisian, ALL)["receipt"]
    assert receipt["log"] is None  # what is answered waits for no seal
    assert Waiting.objects.count() == waiting
    entry = uuid.UUID(receipt["id"])
    found = ledger.log_part(site=Site.objects.get(), entry=entry)
    assert (found is None) is bool(waiting)


@pytest.mark.django_db(transaction=True)
def test_a_seal_that_fails_never_reaches_the_choice(
    parisian: Client, caplog: pytest.LogCaptureFixture
) -> None:
    Tile.objects.create(
        site=Site.objects.get(), level=0, index=0, root=b"x", hashes=b"x"
    )
    with caplog.at_level(logging.ERROR):
        write(Site.objects.get(), 260)  # whose tile is taken already, so that it fails
        receipt = choose(parisian, ALL)["receipt"]
    assert Entry.objects.filter(pk=receipt["id"]).exists()
    assert Waiting.objects.filter(entry=receipt["id"]).exists()
    assert caplog.text.count("The log of default could not be sealed.") == 1


@pytest.mark.django_db(transaction=True)
def test_a_checkpoint_that_cannot_be_kept_outside_is_told_of_and_waits_for_nobody(
    parisian: Client, caplog: Any
) -> None:
    lock = kept.folder(Site.objects.get(), 1) / "lock"
    lock.unlink()
    lock.mkdir()
    with caplog.at_level(logging.ERROR):
        choose(parisian, ALL)
    assert Waiting.objects.count() == 0
    assert "A checkpoint of default could not be kept." in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_visitor_seals_a_little_and_the_sweep_what_is_left(
    parisian: Client, settings: Settings
) -> None:
    site = Site.objects.get()
    settings.CONSENT_SEAL = "worker"
    write(site, sealing.IN_A_REQUEST + 100)
    settings.CONSENT_SEAL = "inline"
    choose(parisian, ALL)
    assert 0 < Waiting.objects.count() <= 110
    ledger.sweep(site)
    assert not Waiting.objects.exists()


def test_a_transaction_of_many_entries_is_sealed_once(
    site: Site, django_capture_on_commit_callbacks: Any
) -> None:
    connection.run_on_commit.clear()  # what publishing the policy left to be done
    with django_capture_on_commit_callbacks() as callbacks:
        write(site, 20)
    assert sum(isinstance(work, partial) for work in callbacks) == 1


def test_a_key_is_kept_with_the_first_checkpoint_that_it_signs(
    site: Site, settings: Settings
) -> None:
    write(site, 1)
    settings.CONSENT_RETIRING_KEY = settings.CONSENT_SIGNING_KEY
    settings.CONSENT_SIGNING_KEY = keys.new_key()  # before any entry that it signs
    note = parse_note(sealed(site).checkpoint.note)
    served = Client().get("/log/default/key").content.decode().strip()
    key = parse_verifier_key(served)
    assert keys.verify_note(note, name=key.name, public=key.public)
    assert {row.pk for row in PublicKey.objects.all()} == {
        keys.signing_key().id,
        keys.retiring_key().id,
    }


def test_two_indexes_or_two_entries_of_one_place_are_impossible(site: Site) -> None:
    write(site, 2)
    sealed(site)
    first, second = Leaf.objects.order_by("index")[:2]
    waiting = Entry.objects.get(pk=write(site, 1, first=9)[0])
    for changed in (
        {"index": first.index, "entry": waiting},
        {"index": 99, "entry": second.entry},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Leaf.objects.create(site=site, **changed)


# --- keys ----------------------------------------------------------------------------


def test_old_checkpoints_stay_verifiable_when_the_key_changes(
    site: Site, parisian: Client, settings: Settings
) -> None:
    before = sealed(site).checkpoint
    old = keys.signing_key()
    settings.CONSENT_SIGNING_KEY = keys.new_key()
    new = keys.signing_key()
    choose(parisian, ALL)
    after = sealed(site).checkpoint
    assert (before.key_id, after.key_id) == (old.id, new.id)
    assert {key.pk for key in PublicKey.objects.all()} == {old.id, new.id}
    for checkpoint, good, bad in ((before, old, new), (after, new, old)):
        note, name = parse_note(checkpoint.note), "127.0.0.1/log/default"
        assert keys.verify_note(note, name=name, public=good.public_bytes)
        assert not keys.verify_note(note, name=name, public=bad.public_bytes)
    told = Content.objects.filter(event="key_changed").order_by("time")
    assert [new.id in act.canonical for act in told] == [False, True]


def test_a_retiring_key_signs_beside_the_new_one(
    site: Site, settings: Settings
) -> None:
    old = keys.signing_key()
    settings.CONSENT_RETIRING_KEY = settings.CONSENT_SIGNING_KEY
    settings.CONSENT_SIGNING_KEY = keys.new_key()
    note = parse_note(sealed(site).checkpoint.note)
    name = "127.0.0.1/log/default"
    assert len(note.signatures) == 2
    for key in (old, keys.signing_key()):
        assert keys.verify_note(note, name=name, public=key.public_bytes)


def test_many_receipts_share_what_they_read_and_say_what_each_says_alone(
    site: Site, parisian: Client
) -> None:
    numbers = [uuid.UUID(choose(parisian, ALL)["receipt"]["id"]) for _ in range(3)]
    assert ledger.log_parts(site=site, entries=numbers) == {}
    sealed(site)
    together = ledger.log_parts(site=site, entries=numbers)
    assert together == {
        number: ledger.log_part(site=site, entry=number) for number in numbers
    }
    own = parisian.get("/api/v1/history").json()["records"]
    assert [uuid.UUID(r["id"]) for r in own] == numbers[::-1]
    assert [r["log"] for r in own] == [together[number] for number in numbers[::-1]]


def test_however_many_heads_are_kept_sealing_reads_the_last_few(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        write(site, 1, first=number)
        sealed(site)
    read, really = [], kept.parse_checkpoint
    monkeypatch.setattr(
        kept, "parse_checkpoint", lambda text: read.append(text) or really(text)
    )
    write(site, 1, first=99)
    size = sealed(site).checkpoint.tree_size
    assert f"\n{size - 1}\n" in read[0]
    assert len(read) <= 12


def test_sealing_leaves_a_connection_as_it_was(site: Site) -> None:
    setting = "PRAGMA cache_size" if connection.vendor == "sqlite" else "SHOW work_mem"
    usual = connection.cursor().execute(setting).fetchone()
    write(site, 2)
    sealed(site)
    assert connection.cursor().execute(setting).fetchone() == usual
