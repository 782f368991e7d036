"""Signed notes, checkpoints and keys: published examples, another implementation, and
what is refused.
"""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales.signing import PlainEd25519Signer, Vkey
from tlog_scales.tlog import Checkpoint

from consent.core.signed_note import (
    COSIGNATURE,
    ED25519,
    CheckpointText,
    Note,
    NoteError,
    NoteSignature,
    VerifierKey,
    checkpoint_text,
    cosignature_message,
    key_hash,
    parse_checkpoint,
    parse_note,
    parse_verifier_key,
    signature_line,
    signed_note,
    verifier_key,
)

# The documentation of Go's package sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_OTHER_KEY = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
GO_NOTE = """\
If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=
"""  # noqa: E501
# C2SP signed-note, the test vector, and the example, whose text has an empty line.
SPECIFIED_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPECIFIED_NOTE = """\
This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""  # noqa: E501
POEM = """\
Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
"""  # noqa: E501
# A checkpoint of a Certificate Transparency log, with a signature of another kind, its
# own of kind 1, and one of a witness.
LOG_KEY = (
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0"
    "+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
)
WITNESS_KEY = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
CHECKPOINT = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
"""  # noqa: E501
ORIGIN = "example.com/log/shop"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
ROOT = bytes(range(32))
TEXT = checkpoint_text(origin=ORIGIN, size=3, root=ROOT)
LINE = signature_line(
    name=ORIGIN,
    hash=key_hash(name=ORIGIN, algorithm=ED25519, public=PUBLIC),
    signature=KEY.sign(TEXT.encode()),
)
NAMES = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Z"], exclude_characters="+"),
    min_size=1,
)
LINES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)


def signed_by(note, text):
    """The public key and the signature in a note that a verifier key names."""
    key = parse_verifier_key(text)
    [found] = [s for s in note.signatures if (s.name, s.hash) == (key.name, key.hash)]
    return Ed25519PublicKey.from_public_bytes(key.public), found.signature


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (GO_NOTE, GO_KEY),
        (GO_NOTE, GO_OTHER_KEY),
        (SPECIFIED_NOTE, SPECIFIED_KEY),
        (CHECKPOINT, LOG_KEY),
    ],
)
def test_a_published_note_verifies_with_its_published_key(text, key):
    note = parse_note(text)
    public, signature = signed_by(note, key)
    public.verify(signature, note.text.encode())
    with pytest.raises(InvalidSignature):
        public.verify(signature, f"{note.text}\n".encode())


@pytest.mark.parametrize("text", [GO_NOTE, SPECIFIED_NOTE, POEM, CHECKPOINT])
def test_a_published_note_is_written_as_it_was_read(text):
    note = parse_note(text)
    lines = [
        signature_line(name=found.name, hash=found.hash, signature=found.signature)
        for found in note.signatures
    ]
    assert signed_note(text=note.text, lines=lines) == text


@pytest.mark.parametrize(
    "text", [GO_KEY, GO_OTHER_KEY, SPECIFIED_KEY, LOG_KEY, WITNESS_KEY]
)
def test_a_published_key_is_written_as_it_was_read(text):
    key = parse_verifier_key(text)
    written = verifier_key(name=key.name, public=key.public, algorithm=key.algorithm)
    assert written == text


def test_a_published_key_is_read_as_what_it_is():
    assert parse_verifier_key(SPECIFIED_KEY) == VerifierKey(
        name="example.com/foo",
        hash=bytes.fromhex("530d903a"),
        algorithm=ED25519,
        public=bytes.fromhex(
            "e932791ae6e7a840a46164c904786426d5e7821dd8b29a00d61cae72afdd4da4"
        ),
    )
    assert parse_verifier_key(WITNESS_KEY).algorithm == COSIGNATURE


def test_an_empty_line_of_the_text_does_not_end_it():
    note = parse_note(POEM)
    assert note.text.endswith("sole:\n\ned è subito sera.\n")
    assert [found.name for found in note.signatures] == ["quasimodo.example/salvatore"]


def test_a_published_checkpoint_is_read_as_what_it_says():
    found = parse_checkpoint(parse_note(CHECKPOINT).text)
    root = bytes.fromhex(
        "53b58cefd8ebcf2846679fc65014e933b373c1dc9f171eb5b77468be0702e11a"
    )
    assert found == CheckpointText(
        origin="arche2025h1.staging.ct.transparency.dev", size=1432088532, root=root
    )


def test_a_published_cosignature_is_over_the_message_written_here():
    note = parse_note(CHECKPOINT)
    public, signature = signed_by(note, WITNESS_KEY)
    time = int.from_bytes(signature[:8])
    public.verify(signature[8:], cosignature_message(text=note.text, timestamp=time))
    later = cosignature_message(text=note.text, timestamp=time + 1)
    with pytest.raises(InvalidSignature):
        public.verify(signature[8:], later)


def test_another_implementation_verifies_what_is_written_here():
    note = signed_note(text=TEXT, lines=[LINE])
    found = Checkpoint.from_text(note)
    assert (found.origin, found.size, found.root_hash) == (ORIGIN, 3, ROOT)
    found.verify(Vkey.from_string(verifier_key(name=ORIGIN, public=PUBLIC)))


def test_what_another_implementation_signs_is_read_here():
    signer = PlainEd25519Signer(ORIGIN, KEY)
    written = Checkpoint.make_signed(ORIGIN, 3, ROOT, [signer]).serialize()
    assert written == signed_note(text=TEXT, lines=[LINE])
    assert signer.vkey.serialize() == verifier_key(name=ORIGIN, public=PUBLIC)


@given(
    NAMES, st.binary(min_size=32, max_size=32), st.sampled_from([ED25519, COSIGNATURE])
)
def test_a_verifier_key_comes_back_as_it_went(name, public, algorithm):
    text = verifier_key(name=name, public=public, algorithm=algorithm)
    found = key_hash(name=name, algorithm=algorithm, public=public)
    assert parse_verifier_key(text) == VerifierKey(name, found, algorithm, public)


@given(
    LINES,
    st.integers(0, 2**64 - 1),
    st.binary(min_size=32, max_size=32),
    st.lists(LINES, max_size=3),
)
def test_a_checkpoint_comes_back_as_it_went(origin, size, root, extensions):
    text = checkpoint_text(origin=origin, size=size, root=root, extensions=extensions)
    assert parse_checkpoint(text) == CheckpointText(
        origin, size, root, tuple(extensions)
    )


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n")),
    st.lists(
        st.builds(
            NoteSignature,
            NAMES,
            st.binary(min_size=4, max_size=4),
            st.binary(min_size=1, max_size=80),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_a_note_comes_back_as_it_went(text, signatures):
    lines = [
        signature_line(name=found.name, hash=found.hash, signature=found.signature)
        for found in signatures
    ]
    note = signed_note(text=f"{text}\n", lines=lines)
    assert parse_note(note) == Note(f"{text}\n", tuple(signatures))


def test_a_note_has_at_most_a_hundred_signatures():
    assert len(parse_note(f"text\n\n{LINE * 100}").signatures) == 100
    with pytest.raises(NoteError, match="up to 100"):
        parse_note(f"text\n\n{LINE * 101}")


def test_a_note_has_at_most_a_million_bytes():
    room = 1_000_000 - len(f"\n\n{LINE}".encode())
    assert parse_note(f"{'e' * room}\n\n{LINE}").signatures
    for too_long in ("e" * (room + 1), "é" * room):
        with pytest.raises(NoteError, match="at most"):
            parse_note(f"{too_long}\n\n{LINE}")
