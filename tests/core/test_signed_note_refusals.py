"""What is no note, no checkpoint and no verifier key."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.core.signed_note import (
    ED25519,
    NoteError,
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

NAME = "example.com/log/shop"
PUBLIC = bytes(range(32))
ROOT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
TEXT = f"{NAME}\n3\n{ROOT}\n"
ENCODED = base64.b64encode(b"hashsignature").decode()
LINE = f"\u2014 {NAME} {ENCODED}\n"
KEY = verifier_key(name=NAME, public=PUBLIC)
HASH = KEY.split("+")[1]
BAD_NAMES = [
    "",
    "a b",
    "a+b",
    "a\u00a0b",
    "a\u2028b",
    "a\nb",
    "a\tb",
    "a\0b",
    "a\ud800",
]


def made_key(name, data):
    """A verifier key with the right hash, whatever its algorithm and its length."""
    found = hashlib.sha256(name.encode() + b"\n" + data).hexdigest()[:8]
    return f"{name}+{found}+{base64.b64encode(data).decode()}"


def test_what_is_spoilt_below_was_good():
    assert parse_note(f"{TEXT}\n{LINE}").text == TEXT
    assert parse_checkpoint(TEXT).size == 3
    assert parse_verifier_key(KEY).public == PUBLIC
    assert made_key(NAME, bytes([ED25519]) + PUBLIC) == KEY


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        TEXT,
        f"{TEXT}\n",
        f"{TEXT}{LINE}",
        f"{TEXT}\n{LINE}"[:-1],
        f"{TEXT}\n{LINE}\n",
        f"{TEXT}\n{LINE}\n\n",
        f"{TEXT}\n{LINE}\n{LINE}"[:-1],
        f"{TEXT}\n{LINE}{LINE}"[:-1],
        f"\n{LINE}",
        LINE,
        f"{TEXT}\n{LINE}more\n",
        f"{TEXT}\n {LINE}",
        f"{TEXT}\n- {NAME} {ENCODED}\n",
        f"{TEXT}\n\u2013 {NAME} {ENCODED}\n",
        f"{TEXT}\n\u2014{NAME} {ENCODED}\n",
        f"{TEXT}\n\u2014  {NAME} {ENCODED}\n",
        f"{TEXT}\n\u2014 {NAME}  {ENCODED}\n",
        f"{TEXT}\n\u2014 {NAME} {ENCODED} \n",
        f"{TEXT}\n\u2014 {NAME}\n",
        f"{TEXT}\n\u2014 {NAME} \n",
        f"{TEXT}\n\u2014 \u2014 {NAME} {ENCODED}\n",
        f"{TEXT}\n{NAME} {ENCODED}\n",
        f"{TEXT}\n\u2014  {ENCODED}\n",
        f"{TEXT}\n\u2014 a+b {ENCODED}\n",
        f"{TEXT}\n\u2014 a\u3000b {ENCODED}\n",
        f"{TEXT}\n\u2014 {NAME} {ENCODED[:-1]}\n",
        f"{TEXT}\n\u2014 {NAME} {ENCODED}=\n",
        f"{TEXT}\n\u2014 {NAME} {ENCODED[:8]}\u00e9{ENCODED[8:]}\n",
        f"{TEXT}\n\u2014 {NAME} {ENCODED[:8]}-_{ENCODED[10:]}\n",
        f"{TEXT}\n\u2014 {NAME} {ENCODED[:8]}*{ENCODED[8:]}\n",
        f"{TEXT}\n\u2014 {NAME} aGFzaA==\n",
        f"{TEXT}\n\u2014 {NAME} aGFzaHN=\n",
        f"{TEXT}\n\u2014 {NAME} aGFz\n",
        f"{TEXT}\n{LINE}".replace("\n", "\r\n"),
        f"a\0b\n\n{LINE}",
        f"a\tb\n\n{LINE}",
        f"a\x1fb\n\n{LINE}",
        f"a\rb\n\n{LINE}",
        f"a\udcffb\n\n{LINE}",
    ],
)
def test_what_is_not_exactly_a_note_is_refused(note):
    with pytest.raises(NoteError):
        parse_note(note)


@given(st.text(alphabet=f"\n\u2014 +{ENCODED}", max_size=60))
def test_any_text_is_a_note_or_refused(text):
    try:
        note = parse_note(text)
    except NoteError:
        return
    lines = [
        signature_line(name=found.name, hash=found.hash, signature=found.signature)
        for found in note.signatures
    ]
    assert signed_note(text=note.text, lines=lines) == text


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (TEXT, []),
        (TEXT[:-1], [LINE]),
        ("", [LINE]),
        (TEXT, [LINE, LINE[:-1]]),
        (TEXT, [f"{LINE}{LINE}"]),
        (TEXT, [f"more\n\n{LINE}"]),
        (TEXT, [f"\n{LINE}"]),
    ],
)
def test_a_text_and_lines_that_make_another_note_are_refused(text, lines):
    with pytest.raises(NoteError):
        signed_note(text=text, lines=lines)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_cannot_stand_in_a_note_is_refused(name):
    with pytest.raises(NoteError):
        key_hash(name=name, algorithm=ED25519, public=PUBLIC)
    with pytest.raises(NoteError):
        verifier_key(name=name, public=PUBLIC)
    with pytest.raises(NoteError):
        signature_line(name=name, hash=b"hash", signature=b"signature")


@pytest.mark.parametrize(
    ("hash_", "signature"), [(b"has", b"s"), (b"hashs", b"s"), (b"hash", b"")]
)
def test_a_signature_without_its_parts_is_refused(hash_, signature):
    with pytest.raises(NoteError):
        signature_line(name=NAME, hash=hash_, signature=signature)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        NAME,
        f"{NAME}\n3\n",
        TEXT[:-1],
        f"{TEXT}\n",
        f"\n{TEXT}",
        f"\n3\n{ROOT}\n",
        f"{TEXT}more\n\nmore\n",
        f"{TEXT}more",
        f"{NAME}\n\n{ROOT}\n",
        f"{NAME}\n03\n{ROOT}\n",
        f"{NAME}\n00\n{ROOT}\n",
        f"{NAME}\n-3\n{ROOT}\n",
        f"{NAME}\n+3\n{ROOT}\n",
        f"{NAME}\n 3\n{ROOT}\n",
        f"{NAME}\n3 \n{ROOT}\n",
        f"{NAME}\n3.0\n{ROOT}\n",
        f"{NAME}\n3_0\n{ROOT}\n",
        f"{NAME}\n0x3\n{ROOT}\n",
        f"{NAME}\n٣\n{ROOT}\n",
        f"{NAME}\n{2**64}\n{ROOT}\n",
        f"{NAME}\n{'9' * 5000}\n{ROOT}\n",
        f"{NAME}\n3\n\n",
        f"{NAME}\n3\n{ROOT[:-1]}\n",
        f"{NAME}\n3\n{ROOT} \n",
        f"{NAME}\n3\n{ROOT[:-2]}9=\n",
        f"{NAME}\n3\n{base64.b64encode(bytes(31)).decode()}\n",
        f"{NAME}\n3\n{base64.b64encode(bytes(33)).decode()}\n",
        f"{NAME}\n3\n{bytes(32).hex()}\n",
        TEXT.replace("\n", "\r\n"),
        f"a\tb\n3\n{ROOT}\n",
        f"{TEXT}a\0b\n",
        f"\ud800\n3\n{ROOT}\n",
    ],
)
def test_what_is_not_exactly_a_checkpoint_is_refused(text):
    with pytest.raises(NoteError):
        parse_checkpoint(text)
    with pytest.raises(NoteError):
        cosignature_message(text=text, timestamp=0)


@pytest.mark.parametrize(
    "change",
    [
        {"origin": ""},
        {"origin": "a\nb"},
        {"origin": "a\rb"},
        {"size": -1},
        {"size": 2**64},
        {"root": bytes(31)},
        {"root": b""},
        {"extensions": [""]},
        {"extensions": ["a\n"]},
        {"extensions": ["good", "\0"]},
    ],
)
def test_a_checkpoint_that_could_not_be_read_is_not_written(change):
    with pytest.raises(NoteError):
        checkpoint_text(**{"origin": NAME, "size": 3, "root": PUBLIC} | change)


@pytest.mark.parametrize("timestamp", [-1, 2**63])
def test_a_cosignatures_time_fits_its_bytes(timestamp):
    with pytest.raises(NoteError, match="seconds"):
        cosignature_message(text=TEXT, timestamp=timestamp)


@pytest.mark.parametrize(
    "text",
    [
        "",
        NAME,
        f"{NAME}+{HASH}",
        f"{NAME}+{HASH}+",
        f" {KEY}",
        f"{KEY} ",
        f"{KEY}\n",
        f"{KEY}=",
        KEY[:-1],
        KEY.replace(HASH, HASH.upper()),
        KEY.replace(HASH, HASH[:7]),
        KEY.replace(HASH, f"{HASH}0"),
        KEY.replace(HASH, "00000000"),
        KEY.replace(NAME, "example.com/log/other"),
        KEY.replace("+A", "+\u00e9"),
        made_key("", bytes([ED25519]) + PUBLIC),
        made_key("a b", bytes([ED25519]) + PUBLIC),
        made_key(NAME, bytes([ED25519]) + PUBLIC[:-1]),
        made_key(NAME, bytes([ED25519]) + PUBLIC + b"\0"),
        made_key(NAME, bytes([ED25519])),
        made_key(NAME, bytes([0x02]) + PUBLIC),
        made_key(NAME, bytes([0xFF]) + PUBLIC),
    ],
)
def test_what_is_not_exactly_a_verifier_key_is_refused(text):
    with pytest.raises(NoteError):
        parse_verifier_key(text)


def test_a_key_of_another_kind_is_not_published():
    with pytest.raises(NoteError):
        verifier_key(name=NAME, public=PUBLIC, algorithm=0x02)
    with pytest.raises(NoteError):
        verifier_key(name=NAME, public=PUBLIC[:-1])
