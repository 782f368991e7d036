"""What others kept of a log, what others signed, and which key they trust."""

import hashlib
from pathlib import Path

import pytest
from django.core.management.base import CommandError
from django.test import Client
from pytest_django import Settings

from consent import keys, ledger
from consent.audit.log_evidence import FEW_HEADS
from consent.core.signed_note import (
    checkpoint_text,
    parse_checkpoint,
    parse_note,
)
from consent.models import Checkpoint, Site
from tests.conftest import NOON
from tests.logs import write
from tests.packs import (
    Files,
    Made,
    anchored,
    command,
    files_of,
    forked,
    kept,
    refused,
    repacked,
    verify,
)
from tests.visits import ALL, NONE, choose


def test_a_checkpoint_that_somebody_kept_is_what_the_log_grew_from(
    made: Made,
) -> None:
    for head in Checkpoint.objects.all():
        file = kept(made.folder / "kept", head.note)
        code, told = verify(made.path, "--checkpoint", file, cwd=made.folder)
        assert code == 0, told
        assert f"grew from what you kept ({head.tree_size} entries)" in told


def test_a_receipt_that_somebody_kept_says_the_same(
    made: Made, parisian: Client, site: Site
) -> None:
    older = parisian.get(f"/receipts/{made.receipts[0]}/receipt.json").content
    (made.folder / "mine.json").write_bytes(older)
    write(site, 10, first=900)
    ledger.seal(site=site)
    out = made.folder / "later.zip"
    command(out, "--visitor", made.visitor)
    code, told = verify(out, "--checkpoint", "mine.json", cwd=made.folder)
    assert code == 0, told


@pytest.mark.parametrize("which", ["the newest", "an older"])
def test_a_log_that_was_rewritten_does_not_grow_from_what_was_kept(
    made: Made, site: Site, which: str
) -> None:
    heads = Checkpoint.objects.order_by("-tree_size")
    head = heads[0] if which == "the newest" else heads[1]
    file = kept(made.folder / "kept", forked(site, head.tree_size))
    assert "the log was rewritten" in refused(made.path, "--checkpoint", file)


def test_a_checkpoint_newer_than_the_pack_is_not_believed_to_be_in_it(
    made: Made, site: Site
) -> None:
    write(site, 1, first=5000)
    head = ledger.seal(site=site, at=NOON)
    assert head is not None
    file = kept(made.folder / "kept", head.checkpoint.note)
    assert "the pack was made at" in refused(made.path, "--checkpoint", file)


def test_a_checkpoint_of_another_log_is_told_to_be_one(made: Made) -> None:
    text = checkpoint_text(origin="127.0.0.1/log/other", size=1, root=bytes(32))
    note = keys.sign_note(text, name="127.0.0.1/log/other")
    file = kept(made.folder / "kept", note)
    assert "nothing of the log" in refused(made.path, "--checkpoint", file)


def test_a_checkpoint_that_nobody_trusted_signed_is_no_evidence(made: Made) -> None:
    head = Checkpoint.objects.order_by("-tree_size")[0]
    note = head.note.replace(f"\n{head.tree_size}\n", f"\n{head.tree_size + 1}\n")
    file = kept(made.folder / "kept", note)
    assert "no trusted key signed" in refused(made.path, "--checkpoint", file)


def test_of_a_log_of_many_heads_the_pack_proves_those_that_matter(
    parisian: Client, site: Site, tmp_path: Path
) -> None:
    own = choose(parisian, ALL)["receipt"]
    for number in range(FEW_HEADS + 5):
        write(site, 1, first=number)
        ledger.seal(site=site)
    first, second = Checkpoint.objects.order_by("tree_size")[:2]
    out = tmp_path / "a.zip"
    command(out, "--receipt", own["id"])
    older = [name for name in files_of(out) if "/older/" in name]
    assert older == [f"logs/1/older/{first.tree_size}.json"]
    file = kept(tmp_path / "kept", second.note)
    assert "holds no proof" in refused(out, "--checkpoint", file)
    command(out, "--receipt", own["id"], "--checkpoint", str(file))
    code, told = verify(out, "--checkpoint", file, cwd=tmp_path)
    assert code == 0, told


def test_a_kept_checkpoint_beyond_the_log_names_a_database_that_was_put_back(
    made: Made, site: Site
) -> None:
    file = kept(made.folder / "kept", forked(site, 10_000))
    with pytest.raises(CommandError, match=r"run manage\.py verify_ledger"):
        command(
            made.folder / "b.zip",
            *("--visitor", made.visitor, "--checkpoint", str(file)),
        )


# --- anchors


def test_a_time_stamp_goes_with_the_head_that_it_is_of(made: Made, site: Site) -> None:
    head = Checkpoint.objects.order_by("tree_size")[1]
    token = b"\x30\x20" + hashlib.sha256(head.note.encode()).digest() + b"signed"
    anchored(site, head, "timestamp", "tsa.example", token)
    out = made.folder / "stamped.zip"
    command(out, "--visitor", made.visitor)
    files = files_of(out)
    name = f"logs/1/timestamps/{head.tree_size}-1.tsr"
    assert files[name] == token
    assert files[f"logs/1/timestamps/{head.tree_size}.note"] == head.note.encode()
    assert "openssl ts -verify" in files["README.txt"].decode()
    code, told = verify(out, cwd=made.folder)
    assert code == 0, told

    def of_something_else(files: Files) -> None:
        files[name] = b"\x30\x20" + bytes(32) + b"signed"

    def of_another_history(files: Files) -> None:
        note = forked(site, head.tree_size).encode()
        files[f"logs/1/timestamps/{head.tree_size}.note"] = note
        files[name] = hashlib.sha256(note).digest()

    assert "something else" in refused(repacked(out, of_something_else))
    assert "does not have" in refused(repacked(out, of_another_history))


# --- logs and keys


def test_two_logs_of_a_site_are_both_in_the_pack(
    made: Made, site: Site, parisian: Client
) -> None:
    ledger.open_log(site=site, number=2, at=NOON)
    choose(parisian, NONE)
    choose(parisian, ALL)
    ledger.seal(site=site)
    out = made.folder / "two.zip"
    command(out, "--visitor", made.visitor)
    files = files_of(out)
    heads = [
        parse_checkpoint(parse_note(files[f"logs/{n}/checkpoint"].decode()).text)
        for n in (1, 2)
    ]
    assert [head.origin for head in heads] == [
        "127.0.0.1/log/default",
        "127.0.0.1/log/default/2",
    ]
    assert verify(out, cwd=made.folder)[0] == 0
    (first, *_rest) = files["keys.txt"].decode().split()
    assert verify(out, "--key", first, cwd=made.folder)[0] == 0


def test_records_after_a_change_of_key_verify_with_both(
    made: Made, site: Site, parisian: Client, settings: Settings
) -> None:
    (old,) = files_of(made.path)["keys.txt"].decode().split()
    settings.CONSENT_SIGNING_KEY = keys.new_key()
    ledger.forget()
    choose(parisian, ALL)
    ledger.seal(site=site)
    out = made.folder / "rotated.zip"
    command(out, "--visitor", made.visitor)
    assert verify(out, cwd=made.folder)[0] == 0
    new, also_old = files_of(out)["keys.txt"].decode().split()
    assert also_old == old
    text = files_of(out)["README.txt"].decode()
    (printed,) = [line for line in text.splitlines() if " --key" in line]
    assert printed.split() == [
        *("python3", "verify_evidence.py", "--key", f"'{new}'", "--key", f"'{old}'")
    ]
    assert "none of those trusted" in refused(out, "--key", new)
    assert verify(out, "--key", new, "--key", old, cwd=made.folder)[0] == 0
