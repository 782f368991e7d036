"""Sealing: what waits gets its place in the tree, and the tree a signed head."""

import logging
import shutil
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django import Settings

from consent import keys, ledger
from consent.core.merkle import root
from consent.core.signed_note import parse_checkpoint, parse_note
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
    parisian: Client, settings: Settings, tmp_path: Path, caplog: Any
) -> None:
    (tmp_path / "file").touch()
    settings.CONSENT_CHECKPOINT_DIR = tmp_path / "file" / "folder"
    with caplog.at_level(logging.ERROR):
        choose(parisian, ALL)
    assert Waiting.objects.count() == 0
    assert "A checkpoint of default could not be kept." in caplog.text


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


# --- a backup that was put back -------------------------------------------------------


@pytest.fixture
def restored(site: Site) -> tuple[Checkpoint, Checkpoint]:
    """The database as it was a while ago, beside checkpoints from after that.

    The head that the database has, and the newest that is kept outside of it.
    """
    write(site, 3)
    before = sealed(site).checkpoint
    held = transaction.savepoint_create()
    write(site, 4, first=100)
    lost = sealed(site).checkpoint
    transaction.savepoint_rollback(held)
    ledger.forget()
    assert kept.newest(site, 1).size == lost.tree_size
    return before, lost


def test_a_restored_database_is_not_signed_and_says_why(
    site: Site, restored: Any
) -> None:
    before, lost = restored
    write(site, 20, first=200)  # more than what was lost
    with pytest.raises(ledger.SealRefusedError, match="older backup") as caught:
        ledger.seal(site=site)
    assert str(before.tree_size) in str(caught.value)
    assert str(lost.tree_size) in str(caught.value)
    assert "--new-log" in str(caught.value)
    assert Checkpoint.objects.latest("tree_size") == before
    assert Waiting.objects.count() == 20


def test_a_new_log_goes_on_after_a_restored_backup(site: Site, restored: Any) -> None:
    before, lost = restored
    entries = write(site, 5, first=200)
    with pytest.raises(CommandError, match="Not signed: default"):
        call_command("seal_ledger")
    call_command("seal_ledger", "--new-log")
    newest = ledger.latest_log(site)
    assert newest.number == 2
    assert newest.origin == "127.0.0.1/log/default/2"
    assert indexes(site, 2) == list(range(6))
    head = ledger.newest_checkpoint(site=site, log=2)
    assert bytes(head.root) == root(leaf_hashes(site, 2))
    act = Content.objects.get(event="log_opened")
    for part in (bytes(lost.root).hex(), bytes(before.root).hex(), newest.origin):
        assert part in act.canonical
    # What was sealed before stays provable where it was.
    old = Leaf.objects.get(log=1, index=0)
    assert ledger.log_part(site=site, entry=old.entry_id)["tree_size"] == (
        before.tree_size
    )
    new = ledger.log_part(site=site, entry=uuid.UUID(entries[0]))
    assert new["tree_size"] == 6
    write(site, 1, first=300)
    assert sealed(site).checkpoint.log == 2


def test_a_log_that_is_in_order_is_not_closed(site: Site) -> None:
    write(site, 1)
    call_command("seal_ledger", "--new-log")
    assert ledger.latest_log(site).number == 1
    assert Waiting.objects.count() == 0


def test_a_backup_from_before_the_second_log_is_noticed_as_well(
    site: Site, restored: Any
) -> None:
    held = transaction.savepoint_create()
    call_command("seal_ledger", "--new-log")
    transaction.savepoint_rollback(held)
    ledger.forget()
    kept_before = kept.folder(site, 1)
    for path in kept_before.iterdir():
        path.unlink()  # so that nothing but the second log's folder tells
    kept_before.rmdir()
    write(site, 1, first=400)
    with pytest.raises(ledger.SealRefusedError, match="log 2 are kept"):
        ledger.seal(site=site)


def test_a_log_that_was_rewritten_is_not_signed(site: Site) -> None:
    held = transaction.savepoint_create()
    write(site, 3)
    sealed(site)
    transaction.savepoint_rollback(held)
    ledger.forget()
    write(site, 3)  # as many entries, and other ones
    outside, away = kept.folder(site, 1), kept.folder(site, 1).with_name("away")
    outside.rename(away)
    assert sealed(site).checkpoint.tree_size == 6
    shutil.rmtree(outside)
    away.rename(outside)
    write(site, 1, first=50)
    with pytest.raises(ledger.SealRefusedError, match="rewritten"):
        ledger.seal(site=site)


def test_a_head_that_is_not_the_trees_is_not_built_upon(site: Site) -> None:
    size = sealed(site).checkpoint.tree_size
    Checkpoint.objects.create(
        site=site, tree_size=size + 1, root=b"x" * 32, note="", key_id="", time=NOON
    )
    ledger.forget()
    write(site, 1)
    with pytest.raises((ledger.SealRefusedError, ledger.BrokenTreeError)):
        ledger.seal(site=site)


def test_every_checkpoint_is_kept_outside_the_database(site: Site) -> None:
    for number in range(3):
        write(site, 2, first=10 * number)
        sealed(site)
    notes = [checkpoint.note for checkpoint in Checkpoint.objects.order_by("tree_size")]
    assert list(kept.notes(site, 1)) == notes
    folder = kept.folder(site, 1)
    assert (folder / "newest").read_text(encoding="utf-8") == notes[-1]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_kept_checkpoint_that_was_damaged_leaves_the_ones_before_it(
    site: Site,
) -> None:
    write(site, 1)
    sealed(site)
    size = kept.newest(site, 1).size
    folder = kept.folder(site, 1)
    (folder / "newest").write_text("nothing", encoding="utf-8")
    with next(folder.glob("*.jsonl")).open("a", encoding="utf-8") as file:
        file.write('{"time": "2026-11-23T')  # the power went
    assert kept.newest(site, 1).size == size
    kept.keep(site, Checkpoint.objects.order_by("tree_size").first())
    assert kept.newest(site, 1).size == size  # and never an older one instead


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
