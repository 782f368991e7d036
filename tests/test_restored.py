"""A backup that was put back: nothing is signed that contradicts what was."""

import fcntl
import shutil
import uuid
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from consent import keys, ledger
from consent.core.merkle import root
from consent.ledger import kept, known
from consent.models import Checkpoint, Content, Leaf, Log, PublicKey, Site, Waiting
from tests.conftest import NOON
from tests.logs import another_site, indexes, leaf_hashes, write
from tests.test_sealing import sealed
from tests.visits import ALL, choose


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
    with pytest.raises(ledger.SealRefusedError, match="log 2 of default are kept"):
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


def test_an_empty_database_beside_kept_checkpoints_is_noticed_and_goes_on(
    db: None,
) -> None:
    site = another_site()
    held = transaction.savepoint_create()
    write(site, 3)
    sealed(site)
    transaction.savepoint_rollback(held)
    ledger.forget()
    write(site, 2, first=50)
    assert "older backup" in (ledger.refusal(site) or "")
    call_command("seal_ledger", "--new-log")
    assert not Waiting.objects.exists()
    assert Log.objects.get().number == 2


def test_a_seal_meanwhile_is_no_restored_backup(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept is read first; another process may seal before the rest is."""
    sealed(site)
    write(site, 1)
    newest, once = kept.newest, iter([True])

    def and_another_seals(of: Site, number: int) -> Any:
        found = newest(of, number)
        if next(once, False):
            ledger.seal(site=site)
        return found

    monkeypatch.setattr(kept, "newest", and_another_seals)
    assert ledger.refusal(site) is None
    assert not Waiting.objects.exists()


def test_every_machine_keeps_what_another_sealed(
    site: Site, settings: Settings, tmp_path: Path
) -> None:
    settings.CONSENT_CHECKPOINT_DIR = tmp_path / "one"
    write(site, 2)
    sealed(site)
    held = transaction.savepoint_create()
    settings.CONSENT_CHECKPOINT_DIR = tmp_path / "other"
    write(site, 3, first=10)
    lost = sealed(site).checkpoint
    settings.CONSENT_CHECKPOINT_DIR = tmp_path / "one"
    ledger.sweep(site)
    assert kept.newest(site, 1).size == lost.tree_size
    transaction.savepoint_rollback(held)
    ledger.forget()
    write(site, 3, first=90)
    with pytest.raises(ledger.SealRefusedError, match="older backup"):
        ledger.seal(site=site)


def test_what_a_crash_left_unkept_is_kept_by_the_sweep_though_nothing_waits(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(site, 2)
    sealed(site)
    monkeypatch.setattr(kept, "keep", lambda *_: None)
    write(site, 3, first=10)
    size = sealed(site).checkpoint.tree_size
    monkeypatch.undo()
    assert kept.newest(site, 1).size < size
    ledger.sweep(site)
    assert kept.newest(site, 1).size == size


def test_the_public_key_is_kept_again_after_a_restore(
    site: Site,
    settings: Settings,
    parisian: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = transaction.savepoint_create()
    settings.CONSENT_SIGNING_KEY = keys.new_key()
    ledger.keyring._kept.learn(keys.signing_key().id, True)  # by the same process
    transaction.savepoint_rollback(held)
    monkeypatch.setattr(known, "SECONDS", 0.0)  # a minute later
    number = choose(parisian, ALL)["receipt"]["key_id"]
    assert PublicKey.objects.filter(pk=number).exists()


# --- what is kept ---------------------------------------------------------------------


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


def test_of_what_is_kept_the_newest_counts_wherever_it_stands(site: Site) -> None:
    write(site, 2)
    sealed(site)
    newest = kept.folder(site, 1) / "newest"
    older = newest.read_text(encoding="utf-8")
    write(site, 2, first=9)
    size = sealed(site).checkpoint.tree_size
    newest.write_text(older, encoding="utf-8")  # a crash came before it was replaced
    assert kept.newest(site, 1).size == size
    kept.keep(site, Checkpoint.objects.order_by("tree_size").first())
    assert kept.newest(site, 1).size == size


@pytest.mark.parametrize("damage", ["cut off", "a folder"])
def test_where_what_is_kept_cannot_be_read_nothing_is_signed(
    site: Site, damage: str
) -> None:
    write(site, 2)
    before = sealed(site).checkpoint
    for path in kept.folder(site, 1).iterdir():
        path.unlink()
        if damage == "a folder":
            path.mkdir()
        else:
            path.write_text('{"time": "2026', encoding="utf-8")
    write(site, 2, first=9)
    with pytest.raises(ledger.SealRefusedError, match="cannot be read"):
        ledger.seal(site=site)
    assert "cannot be read" in (ledger.refusal(site) or "")
    assert Checkpoint.objects.latest("tree_size") == before


def test_folders_that_are_no_logs_of_this_site_say_nothing(site: Site) -> None:
    write(site, 1)
    sealed(site)
    place = kept.folder(site, 1)
    for name in ("20261123", "01", "2", "-1", "99999", "\u0663"):
        shutil.copytree(place, place.with_name(name))
    place.with_name("3").mkdir()
    assert kept.numbers(site) == [1]
    write(site, 1, first=9)
    assert sealed(site).entries == 1


def test_whoever_holds_the_folder_keeps_nobody_waiting(site: Site, caplog: Any) -> None:
    write(site, 1)
    head = sealed(site).checkpoint
    done = Event()
    with (kept.folder(site, 1) / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        thread = Thread(target=lambda: (kept.keep(site, head), done.set()))
        thread.start()
        assert done.wait(20)
        thread.join()
    assert "could not be kept" in caplog.text
