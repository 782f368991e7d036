"""What a pack or a receipt does not prove, it is never said to prove."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from consent import keys, ledger
from consent.core.signed_note import checkpoint_text, verifier_key
from consent.models import Checkpoint, Site
from tests.evidence.test_tampering import (
    edited_and_signed_again,
    edited_with_its_hash,
    record_files,
)
from tests.packs import Files, Made, edit, files_of, kept, refused, repacked, verify
from tests.visits import ALL, choose

ORIGIN = "127.0.0.1/log/default"


def in_another_tree(files: Files, *, origin: str, folder: str) -> None:
    """What only the operator can do: another history, in a head of its own."""
    edited_with_its_hash(files)
    name = record_files(files)[0]
    receipt = json.loads(files[name])
    root = bytes.fromhex(receipt["leaf_hash"])
    note = keys.sign_note(
        checkpoint_text(origin=origin, size=1, root=root), name=origin
    )
    receipt["log"] = {
        "index": 0,
        "tree_size": 1,
        "inclusion_proof": [],
        "checkpoint": note,
    }
    signature = keys.signing_key().sign_receipt(receipt["canonical"].encode())
    receipt["signature"] = base64.b64encode(signature).decode()
    files[name] = json.dumps(receipt).encode()
    files[f"{folder}/checkpoint"] = note.encode()


def test_a_second_head_of_one_log_is_refused(made: Made) -> None:
    forged = repacked(
        made.path, lambda f: in_another_tree(f, origin=ORIGIN, folder="logs/9")
    )
    mine = kept(made.folder / "kept", Checkpoint.objects.latest("tree_size").note)
    for words in ([], ["--checkpoint", mine]):
        assert f"more than one head of the log {ORIGIN}" in refused(forged, *words)


def test_a_record_in_a_log_that_nobody_kept_anything_of_is_refused(made: Made) -> None:
    forged = repacked(
        made.path, lambda f: in_another_tree(f, origin=f"{ORIGIN}/9", folder="logs/9")
    )
    mine = kept(made.folder / "kept", Checkpoint.objects.latest("tree_size").note)
    told = refused(forged, "--checkpoint", mine)
    assert f"no checkpoint that you kept covers its log, {ORIGIN}/9" in told
    assert told.count("WRONG") == 1
    assert verify(made.path, "--checkpoint", mine, cwd=made.folder)[0] == 0


def test_a_checkpoint_that_does_not_fit_covers_nothing(made: Made) -> None:
    head = Checkpoint.objects.latest("tree_size")
    text = checkpoint_text(origin=ORIGIN, size=head.tree_size, root=bytes(32))
    mine = kept(made.folder / "kept", keys.sign_note(text, name=ORIGIN))
    assert "no checkpoint that you kept covers" in refused(
        made.path, "--checkpoint", mine
    )


def test_a_record_taken_out_of_the_log_is_never_everything_right(made: Made) -> None:
    def change(files: Files) -> None:
        edited_and_signed_again(files)
        edit(files, record_files(files)[0], lambda r: r.update(log=None))

    forged = repacked(made.path, change)
    code, told = verify(forged, cwd=made.folder)
    assert code == 1
    assert "that 1 of the records are in a log" in told
    assert "not everything is proved" in told
    assert "Everything is right" not in told
    assert "Always: this record" in told, "the other record is proved"
    assert verify(forged, "--unsealed", cwd=made.folder)[0] == 0


def test_a_pack_without_a_record_proves_nothing(made: Made) -> None:
    def change(files: Files) -> None:
        for name in record_files(files):
            del files[name]

    for words in ([], ["--unsealed"]):
        code, told = verify(repacked(made.path, change), *words, cwd=made.folder)
        assert code == 1
        assert "Not proved: anything at all" in told
        assert "right." not in told.replace("found to be right.", "")
        assert "Always" not in told


def test_a_receipt_that_waits_is_told_not_to_be_proved(
    parisian: Client, site: Site, tmp_path: Path
) -> None:
    number = choose(parisian, ALL)["receipt"]["id"]
    file = tmp_path / "receipt.json"
    file.write_bytes(parisian.get(f"/receipts/{number}/receipt.json").content)
    code, told = verify(file, cwd=tmp_path)
    assert code == 1
    assert "Always" not in told
    assert "Everything is right" not in told
    assert verify(file, "--unsealed", cwd=tmp_path)[0] == 0
    sealed = ledger.seal(site=site)
    assert sealed is not None
    mine = kept(tmp_path / "kept", sealed.checkpoint.note)
    assert "it is in no log yet" in refused(file, "--checkpoint", mine, "--unsealed")
    assert "handed out before" in refused(file, "--checkpoint", file)


def gone(**members: Any) -> dict[str, Any]:
    nothing = {"id": "0" * 32, "site": "default", "leaf_hash": "00" * 32, "log": None}
    signed = {"canonical": None, "record": None, "key_id": "x", "signature": "x"}
    return {**nothing, **signed, "gone": "erased", "keys": [], **members}


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({}, "it proves nothing"),
        ({"record": {"event": "granted"}}, "tells one that nothing proves"),
        ({"opening": {"visitor": "ada"}}, "tells one that nothing proves"),
    ],
)
def test_a_made_up_receipt_whose_content_is_gone_is_refused(
    tmp_path: Path, members: dict[str, Any], reason: str
) -> None:
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(gone(**members)))
    key = verifier_key(name=ORIGIN, public=keys.signing_key().public_bytes)
    for words in ([], ["--key", key, "--unsealed"]):
        assert reason in refused(file, *words)
        assert "Always" not in verify(file, *words, cwd=tmp_path)[1]


def test_of_a_record_that_is_gone_neither_number_nor_site_is_proved(
    made: Made,
) -> None:
    def emptied(receipt: Any) -> None:
        del receipt["opening"]
        receipt.update(canonical=None, record=None, gone="erased", id="f" * 32)

    def change(files: Files) -> None:
        edit(files, record_files(files)[0], emptied)

    code, told = verify(repacked(made.path, change), cwd=made.folder)
    assert code == 0, told
    assert "its number and its site are not proved" in told


def test_the_readme_says_what_the_exit_code_is(made: Made) -> None:
    text = files_of(made.path)["README.txt"].decode()
    assert "--unsealed accepts such records" in text
