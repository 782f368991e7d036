"""What is kept outside the database shows what was done to all of it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from consent import keys, ledger
from consent.audit.reopening import begin_log
from consent.core.signed_note import checkpoint_text
from consent.models import Checkpoint, Content, Entry, Leaf, Log, Site, Tile, Waiting
from tests.conftest import NOON
from tests.logs import another_site, write
from tests.tampering import all_wrong, first_wrong, in_spite_of_triggers, verified
from tests.visits import ALL, choose


@pytest.fixture
def log(site: Site) -> Site:
    """Three checkpoints, one after the other."""
    for number in range(3):
        write(site, 4, first=1000 * number)
        ledger.seal(site=site)
    return site


def heads() -> list[Checkpoint]:
    return list(Checkpoint.objects.order_by("tree_size"))


def put_back(size: int) -> None:
    """Put a backup back: all that came after a checkpoint was never there."""
    with in_spite_of_triggers():
        later = list(Leaf.objects.filter(index__gte=size).values_list("entry_id"))
        numbers = [number for (number,) in later]
        for model in (Content, Entry, Waiting):
            model.objects.filter(pk__in=numbers)._raw_delete("default")
        Leaf.objects.filter(index__gte=size).delete()
        Checkpoint.objects.filter(tree_size__gt=size).delete()
    ledger.forget()


def rewrite() -> None:
    """Make the whole log anew, signed by its own key, without one of its entries."""
    with in_spite_of_triggers():
        gone = Leaf.objects.get(index=1).entry_id
        Content.objects.filter(pk=gone).delete()
        Entry.objects.filter(pk=gone)._raw_delete("default")
        rest = Leaf.objects.exclude(entry=gone).order_by("index")
        Waiting.objects.bulk_create(
            Waiting(entry_id=leaf.entry_id, site_id=leaf.site_id) for leaf in rest
        )
        for model in (Leaf, Tile, Checkpoint):
            model.objects.all().delete()
    ledger.forget()
    ledger.seal(site=Site.objects.get())


def forget_outside(settings: Settings) -> None:
    shutil.rmtree(settings.CONSENT_CHECKPOINT_DIR)


@pytest.fixture
def held(log: Site, tmp_path: Path) -> list[str]:
    """The checkpoints of the log, each in a file that somebody keeps."""
    for number, head in enumerate(heads()):
        (tmp_path / str(number)).write_text(head.note, encoding="utf-8")
    return [str(tmp_path / str(number)) for number in range(3)]


def test_a_log_agrees_with_every_checkpoint_that_was_ever_kept(held: list[str]) -> None:
    words = [word for path in held for word in ("--checkpoint", path)]
    assert verified(*words)["sites"][0]["logs"][0]["checkpoints"] == 3


def test_a_database_that_was_cut_off_is_named_by_what_was_kept(log: Site) -> None:
    before, after = heads()[1].tree_size, heads()[2].tree_size
    put_back(before)
    assert first_wrong() == (
        f"default, log 1, entry {before}: the log was rolled back or cut off: a "
        f"checkpoint in CONSENT_CHECKPOINT_DIR covers {after} entries, and {before} "
        "are here."
    )
    assert len(all_wrong()) == 1


def test_a_database_that_was_rolled_back_is_named_by_a_checkpoint_of_others(
    held: list[str], settings: Settings
) -> None:
    put_back(heads()[0].tree_size)
    forget_outside(settings)
    verified("--checkpoint", held[0])
    assert "the log was rolled back or cut off: 2 covers" in first_wrong(
        "--checkpoint", held[2]
    )


def test_a_log_that_was_rewritten_is_named_by_a_checkpoint_of_others(
    held: list[str], settings: Settings
) -> None:
    forget_outside(settings)
    size = heads()[1].tree_size
    rewrite()
    verified()
    assert first_wrong("--checkpoint", held[1]) == (
        f"default, log 1: the log was rewritten: its first {size} entries are not "
        "those of 1."
    )


def test_a_checkpoint_that_was_removed_is_named_by_what_was_kept(
    log: Site, settings: Settings
) -> None:
    size = heads()[1].tree_size
    with in_spite_of_triggers():
        Checkpoint.objects.filter(tree_size=size).delete()
    says = (
        f"the checkpoint of {size} entries, a checkpoint in CONSENT_CHECKPOINT_DIR, "
        "is gone."
    )
    assert first_wrong() == f"default, log 1: {says}"
    forget_outside(settings)
    verified()  # nothing else tells of it


def test_a_checkpoint_that_nobody_here_signed_is_refused(
    held: list[str], settings: Settings
) -> None:
    settings.CONSENT_SIGNING_KEY = keys.new_key()
    settings.CONSENT_CHECKPOINT_DIR = Path(held[0]).parent / "other"
    origin = Log.objects.get().origin
    text = checkpoint_text(origin=origin, size=4, root=b"\x07" * 32)
    Path(held[2]).write_text(keys.sign_note(text, name=origin), encoding="utf-8")
    assert "is not signed by a key that is known here" in first_wrong(
        "--checkpoint", held[2]
    )


def test_a_checkpoint_of_no_log_here_is_refused(held: list[str]) -> None:
    path = Path(held[0])
    path.write_text(path.read_text().replace("/log/default\n", "/log/x\n"))
    says = "0 is of 127.0.0.1/log/x, and no log here is."
    assert first_wrong("--checkpoint", held[0]) == says


def test_a_site_that_is_gone_is_named_by_what_was_kept(log: Site) -> None:
    other = another_site()
    write(other, 2)
    ledger.seal(site=other)
    with in_spite_of_triggers():
        for model in (Leaf, Checkpoint, Log, Waiting, Content, Entry):
            model.objects.filter(site=other)._raw_delete("default")
        other.delete()
    assert "checkpoints of the site shop are kept" in first_wrong()


# --- a backup that was put back, and said so ----------------------------------------


def test_entries_lost_with_a_backup_are_remarked_once_the_next_log_says_so(
    log: Site,
) -> None:
    put_back(heads()[1].tree_size)
    first_wrong()
    begin_log(site=log, at=NOON)
    ledger.seal(site=log)
    [site] = verified()["sites"]
    assert [found["number"] for found in site["logs"]] == [1, 2]
    assert "Log 1 was closed when a backup was put back" in site["remarks"][0]


def test_a_log_that_only_pretends_to_be_the_next_excuses_nothing(log: Site) -> None:
    """Whoever can write into the database can make the act, but not sign it."""
    put_back(heads()[1].tree_size)
    begin_log(site=log, at=NOON)
    ledger.seal(site=log)
    verified()
    with in_spite_of_triggers():
        act = Content.objects.get(event="log_opened").pk
        Entry.objects.filter(pk=act).update(signature=b"\x00" * 64)
    assert "rolled back or cut off" in first_wrong()


def test_a_checkpoint_that_others_hold_of_the_lost_entries_is_no_remark(
    held: list[str], log: Site
) -> None:
    put_back(heads()[1].tree_size)
    begin_log(site=log, at=NOON)
    ledger.seal(site=log)
    assert "rolled back" in first_wrong("--checkpoint", held[2])


def test_a_log_that_is_only_in_what_was_kept_is_named(log: Site) -> None:
    put_back(heads()[1].tree_size)
    begin_log(site=log, at=NOON)
    ledger.seal(site=log)
    with in_spite_of_triggers():
        for model in (Leaf, Checkpoint):
            model.objects.filter(log=2).delete()
        Log.objects.filter(number=2).delete()
    assert any("an older backup was put back" in f["says"] for f in all_wrong())


# --- receipts -----------------------------------------------------------------------


@pytest.fixture
def receipt(parisian: Client, log: Site, tmp_path: Path) -> Path:
    """A receipt with its proof, as its person downloaded it."""
    number = choose(parisian, ALL)["receipt"]["id"]
    ledger.seal(site=log)
    path = tmp_path / "receipt.json"
    path.write_bytes(parisian.get(f"/api/v1/receipts/{number}").content)
    assert json.loads(path.read_text())["log"]["index"] > 0
    return path


def changed(path: Path, **members: Any) -> str:
    path.write_text(json.dumps({**json.loads(path.read_text()), **members}))
    return str(path)


def test_a_receipt_is_found_again(receipt: Path, log: Site) -> None:
    verified("--receipt", str(receipt))
    write(log, 300, first=9000)
    ledger.seal(site=log)
    verified("--receipt", str(receipt))
    verified("--receipt", changed(receipt, record=None, canonical=None))


def test_a_record_that_is_gone_is_named_by_its_receipt(
    receipt: Path, settings: Settings
) -> None:
    number = json.loads(receipt.read_text())["id"]
    put_back(heads()[2].tree_size)
    forget_outside(settings)
    found = [finding["says"] for finding in all_wrong("--receipt", str(receipt))]
    assert any("rolled back" in says for says in found)
    assert "its entry is gone from the ledger" in found
    assert f"receipt {number}" in first_wrong("--receipt", changed(receipt, log=None))


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"canonical": "{}"}, "has another leaf hash than its contents"),
        ({"signature": "AAAA"}, "has no good signature"),
        ({"key_id": "0" * 16}, "is signed by a key that is not known here"),
        ({"site": "shop"}, "is of shop, and no site here is"),
    ],
)
def test_a_receipt_that_is_not_genuine_is_refused(
    receipt: Path, members: dict[str, Any], says: str
) -> None:
    assert says in first_wrong("--receipt", changed(receipt, **members))


def test_a_receipt_of_another_place_is_refused(receipt: Path) -> None:
    log = json.loads(receipt.read_text())["log"]
    path = changed(receipt, log={**log, "index": 0})
    assert "a proof that does not lead to its checkpoint" in first_wrong(
        "--receipt", path
    )
