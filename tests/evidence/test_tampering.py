"""A pack or a receipt that was tampered with is refused, with the reason."""

import base64
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from pytest_django import Settings

from consent import keys
from consent.core.signed_note import checkpoint_text, verifier_key
from consent.models import Checkpoint, Content, Notice
from tests.conftest import _no_triggers
from tests.packs import (
    Files,
    Made,
    clumsily,
    command,
    edit,
    files_of,
    kept,
    leaf,
    refused,
    repacked,
    verify,
)

RECORDS = "records/00000"


def record_files(files: Files) -> list[str]:
    return sorted(name for name in files if name.startswith(RECORDS))


def edited_record(files: Files) -> None:
    def change(receipt: Any) -> None:
        receipt["canonical"] = receipt["canonical"].replace("true", "false", 1)
        receipt["record"] = json.loads(receipt["canonical"])

    edit(files, record_files(files)[0], change)


def edited_with_its_hash(files: Files) -> None:
    edited_record(files)
    edit(
        files,
        record_files(files)[0],
        lambda r: r.update(leaf_hash=leaf(r["canonical"])),
    )


def edited_and_signed_again(files: Files) -> None:
    """What only the operator can do: the signature is good, the log is not."""
    edited_with_its_hash(files)

    def sign(receipt: Any) -> None:
        signature = keys.signing_key().sign_receipt(receipt["canonical"].encode())
        receipt["signature"] = base64.b64encode(signature).decode()

    edit(files, record_files(files)[0], sign)


def edited_for_the_eye(files: Files) -> None:
    name = record_files(files)[0]
    edit(files, name, lambda r: r["record"]["purposes"].update(marketing=False))


def edited_by_a_number(files: Files) -> None:
    name = record_files(files)[0]
    edit(files, name, lambda r: r["record"]["purposes"].update(marketing=1))


def swapped_proofs(files: Files) -> None:
    one, other = record_files(files)
    first, second = json.loads(files[one])["log"], json.loads(files[other])["log"]
    edit(files, one, lambda r: r.update(log=second))
    edit(files, other, lambda r: r.update(log=first))


def cut_proof(files: Files) -> None:
    edit(files, record_files(files)[0], lambda r: r["log"]["inclusion_proof"].pop())


def another_index(files: Files) -> None:
    edit(files, record_files(files)[0], lambda r: r["log"].update(index=999_999))


def another_size(files: Files) -> None:
    edit(files, record_files(files)[0], lambda r: r["log"].update(tree_size=7))


def another_visitor(files: Files) -> None:
    edit(
        files, record_files(files)[0], lambda r: r["opening"].update(visitor="somebody")
    )


def another_number(files: Files) -> None:
    edit(files, record_files(files)[0], lambda r: r.update(id="0" * 32))


def another_site_name(files: Files) -> None:
    edit(files, record_files(files)[0], lambda r: r.update(site="shop"))


def no_content(files: Files) -> None:
    edit(
        files,
        record_files(files)[0],
        lambda r: r.update(canonical=None, gone="because"),
    )


def no_json(files: Files) -> None:
    files[record_files(files)[0]] = b"{"


def a_member_twice(files: Files) -> None:
    name = record_files(files)[0]
    files[name] = files[name].replace(b"{", b'{"gone": 1, "gone": 2, ', 1)


def other_key(files: Files) -> None:
    public = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    line = verifier_key(name="127.0.0.1/log/default", public=public)
    files["keys.txt"] = f"{line}\n".encode()


def edited_document(folder: str) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        name = next(n for n in files if n.startswith(folder) and n.endswith(".json"))
        files[name] = files[name].replace(b"e", b"a", 1)

    return change


def edited_asset(files: Files) -> None:
    name = next(n for n in files if n.startswith("notices/assets/"))
    files[name] += b"/* hidden */"


def missing(folder: str) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        del files[next(n for n in files if n.startswith(folder) and "html" not in n)]

    return change


def edited_rules(files: Files) -> None:
    def change(rules: Any) -> None:
        (rows,) = rules.values()
        rows["FR"]["periods"][0]["model"] = "none"

    edit(files, "rules.json", change)


def edited_head(files: Files) -> None:
    note = files["logs/1/checkpoint"]
    size = note.split(b"\n")[1]
    files["logs/1/checkpoint"] = note.replace(size, size + b"0", 1)


def edited_growth(files: Files) -> None:
    name = next(n for n in files if "/older/" in n)
    edit(files, name, lambda part: part["consistency_proof"].reverse())


def no_growth(files: Files) -> None:
    name = next(n for n in files if "/older/" in n)
    edit(files, name, lambda part: part.update(consistency_proof=[]))


FORGERIES = [
    (edited_record, "its content was edited"),
    (edited_with_its_hash, "its signature is not good"),
    (edited_and_signed_again, "does not lead to the root"),
    (edited_for_the_eye, "not what its canonical bytes say"),
    (edited_by_a_number, "not what its canonical bytes say"),
    (swapped_proofs, "does not lead to the root"),
    (cut_proof, "too short"),
    (another_index, "has no leaf 999999"),
    (another_size, "another size"),
    (another_visitor, "does not open the record's pseudonym"),
    (another_number, "its number or its site"),
    (another_site_name, "its number or its site"),
    (no_content, "nothing says why"),
    (no_json, "cannot be read"),
    (a_member_twice, "a member twice"),
    (other_key, "none of those trusted"),
    (edited_document("policies/"), "it was edited"),
    (edited_document("notices/"), "it was edited"),
    (edited_document("rulebooks/"), "it was edited"),
    (edited_asset, "it was edited"),
    (missing("policies/"), "is missing"),
    (missing("notices/"), "is missing"),
    (missing("notices/assets/"), "is missing"),
    (missing("rulebooks/"), "is missing"),
    (missing("keys.txt"), "keys.txt is missing"),
    (missing("logs/1/checkpoint"), "none of the pack's"),
    (edited_rules, "are not those of their rule book"),
    (edited_head, "no trusted key signed"),
    (edited_growth, "the log was rewritten"),
    (no_growth, "too short|cannot be read|rewritten"),
]


@pytest.mark.parametrize(
    ("change", "reason"),
    [pytest.param(*row, id=f"{n}") for n, row in enumerate(FORGERIES)],
)
def test_a_pack_that_was_tampered_with_is_refused_with_the_reason(
    made: Made, change: Callable[[Files], None], reason: str
) -> None:
    assert re.search(reason, refused(repacked(made.path, change)))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (missing("README.txt"), "README.txt is missing"),
        (lambda files: files.update({"extra.txt": b"!"}), "not in the manifest"),
        (lambda files: files.update({"README.txt": b"!"}), "not the file that the"),
        (lambda files: files.pop("manifest.json"), "manifest.json is missing"),
    ],
)
def test_a_pack_that_is_not_whole_is_refused(
    made: Made, change: Callable[[Files], None], reason: str
) -> None:
    assert reason in refused(clumsily(made.path, change))


def test_a_file_that_is_no_pack_is_refused(made: Made) -> None:
    half = made.folder / "half.zip"
    half.write_bytes(made.path.read_bytes()[:5000])
    assert "cannot be read" in refused(half)
    assert "cannot be read" in refused(made.folder / "nothing.zip")
    twice = made.folder / "twice.zip"
    with zipfile.ZipFile(twice, "w") as pack:
        pack.writestr("manifest.json", "{}")
        with pytest.warns(UserWarning, match="Duplicate name"):
            pack.writestr("manifest.json", "{}")
    assert "holds a name twice" in refused(twice)


def test_a_whole_pack_forged_with_another_key_falls_to_the_key_one_kept(
    made: Made, settings: Settings
) -> None:
    (kept_key,) = files_of(made.path)["keys.txt"].decode().split()
    settings.CONSENT_SIGNING_KEY = keys.new_key()
    forger = keys.signing_key()

    def forge(files: Files) -> None:
        for name in [n for n in files if "/older/" in n] + record_files(files)[1:]:
            del files[name]
        edited_with_its_hash(files)
        name = record_files(files)[0]
        receipt = json.loads(files[name])
        text = checkpoint_text(
            origin="127.0.0.1/log/default",
            size=1,
            root=bytes.fromhex(receipt["leaf_hash"]),
        )
        note = keys.sign_note(text, name="127.0.0.1/log/default")
        receipt["log"] = {
            "index": 0,
            "tree_size": 1,
            "inclusion_proof": [],
            "checkpoint": note,
        }
        signature = forger.sign_receipt(receipt["canonical"].encode())
        receipt["signature"] = base64.b64encode(signature).decode()
        receipt["key_id"] = forger.id
        files[name] = json.dumps(receipt).encode()
        files["logs/1/checkpoint"] = note.encode()
        line = verifier_key(name="127.0.0.1/log/default", public=forger.public_bytes)
        files["keys.txt"] = f"{line}\n".encode()

    forged = repacked(made.path, forge)
    code, told = verify(forged, cwd=made.folder)
    assert code == 0, told
    assert "The keys are the pack's own word" in told
    told = refused(forged, "--key", kept_key)
    assert "none of those trusted" in told
    assert "no trusted key signed" in told
    assert verify(made.path, "--key", kept_key, cwd=made.folder)[0] == 0


def test_a_receipt_that_was_tampered_with_is_refused_too(
    made: Made, parisian: Client
) -> None:
    whole = parisian.get(f"/receipts/{made.receipts[0]}/receipt.json").json()
    file = made.folder / "receipt.json"
    file.write_text(json.dumps({**whole, "leaf_hash": "00" * 32}))
    assert "its content was edited" in refused(file)
    file.write_text(json.dumps(whole))
    note = Checkpoint.objects.order_by("tree_size")[0].note
    mine = kept(made.folder / "kept", note)
    assert "holds no proof from" in refused(file, "--checkpoint", mine)
    head = Checkpoint.objects.order_by("-tree_size")[0]
    mine = kept(made.folder / "kept", head.note)
    assert verify(file, "--checkpoint", mine, cwd=made.folder)[0] == 0


def test_a_pack_of_a_database_that_was_edited_is_told_to_be_wrong(made: Made) -> None:
    record = json.loads(Content.objects.get(pk=made.receipts[0]).canonical)
    notice = Notice.objects.get(hash=record["notice"]["hash"])
    connection.check_constraints()  # nothing may be pending while triggers change
    with _no_triggers():
        edited = {**notice.document, "heading": "Something else"}
        Notice.objects.filter(pk=notice.pk).update(document=edited)
    out = made.folder / "b.zip"
    with pytest.raises(CommandError, match="its verifier finds it wrong"):
        command(out, "--visitor", made.visitor)
    assert out.exists()
