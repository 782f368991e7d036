"""What witnesses signed beside a log, and when it arrives (C2SP tlog-cosignature)."""

from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent import ledger
from consent.anchors.cosignatures import line_in
from consent.core.signed_note import (
    COSIGNATURE,
    cosignature_message,
    key_hash,
    parse_note,
    parse_verifier_key,
    signature_line,
    verifier_key,
)
from consent.models import Checkpoint, Site
from tests.packs import (
    Files,
    Made,
    anchored,
    command,
    edit,
    forked,
    refused,
    repacked,
    verify,
)


@dataclass
class Witness:
    """Somebody outside who signs a log's heads (C2SP tlog-cosignature)."""

    private: Ed25519PrivateKey
    name: str = "witness.example"

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def line(self) -> str:
        return verifier_key(name=self.name, public=self.public, algorithm=COSIGNATURE)

    def sign(self, note: str, time: int) -> str:
        text = parse_note(note).text
        signed = self.private.sign(cosignature_message(text=text, timestamp=time))
        digest = key_hash(name=self.name, algorithm=COSIGNATURE, public=self.public)
        stamped = time.to_bytes(8, "big") + signed
        return signature_line(name=self.name, hash=digest, signature=stamped)


def test_what_a_witness_signed_is_checked_with_the_witnesss_key(
    made: Made, site: Site
) -> None:
    witness = Witness(Ed25519PrivateKey.generate())
    head = Checkpoint.objects.order_by("tree_size")[0]
    line = witness.sign(head.note, 1_800_000_000)
    assert line_in(line.encode(), note=head.note, key=parse_verifier_key(witness.line))
    anchored(site, head, "cosignature", witness.name, line.encode())
    out = made.folder / "seen.zip"
    command(out, "--visitor", made.visitor)
    code, told = verify(out, cwd=made.folder)
    assert code == 0
    assert "witness.example signed it too" in told
    code, told = verify(out, "--key", witness.line, cwd=made.folder)
    assert code == 0, told
    assert "witness.example saw it at 1800000000" in told
    assert "The keys are the pack's own word" in told

    def later(files: Files) -> None:
        again = witness.sign(forked(site, head.tree_size), 1_900_000_000)
        name = f"logs/1/older/{head.tree_size}.json"
        edit(files, name, lambda part: part.update(checkpoint=head.note + again))

    forged = repacked(out, later)
    assert "witness.example under the" in refused(forged, "--key", witness.line)


def test_a_witness_is_named_as_its_key_is_and_not_as_a_line_says(
    made: Made, site: Site
) -> None:
    witness = Witness(Ed25519PrivateKey.generate())
    head = Checkpoint.objects.order_by("tree_size")[0]
    # The same key under another name, with the hash that goes with that name.
    grand = Witness(witness.private, name="ministry.example")
    anchored(
        *(site, head, "cosignature", grand.name),
        grand.sign(head.note, 1_800_000_000).encode(),
    )
    out = made.folder / "grand.zip"
    command(out, "--visitor", made.visitor)
    _code, told = verify(out, "--key", witness.line, cwd=made.folder)
    assert "ministry.example saw it" not in told
    assert "ministry.example signed it too: give that key" in told


def test_a_co_signature_that_arrives_meanwhile_does_not_spoil_the_pack(
    made: Made, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = Witness(Ed25519PrivateKey.generate())
    head = Checkpoint.objects.latest("tree_size")
    line = witness.sign(head.note, 1_800_000_000)
    read, heads = ledger.with_cosignatures, []

    def then_it_arrives(checkpoint: Checkpoint) -> str:
        note = read(checkpoint)
        if checkpoint == head:
            heads.append(note)
            name = f"{witness.name}/{len(heads)}"
            anchored(site, head, "cosignature", name, line.encode())
        return note

    monkeypatch.setattr(ledger, "with_cosignatures", then_it_arrives)
    out = made.folder / "meanwhile.zip"
    assert "finds everything right" in command(out, "--visitor", made.visitor)
    assert heads == [head.note], "the head is read once, not once for each record"
