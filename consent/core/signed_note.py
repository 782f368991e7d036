"""Signed notes and checkpoints as text (C2SP signed-note, tlog-checkpoint).

A note is text, a blank line, and signature lines. A checkpoint is a note whose text
tells a log's origin, size and root hash. Nothing is signed or verified here: these are
the bytes that a key signs, and the strict reading of what came from elsewhere.
"""

import base64
import hashlib
import re
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from consent.core.merkle import HASH_BYTES

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04
KEY_HASH_BYTES: Final = 4
PUBLIC_KEY_BYTES: Final = 32
# Our own limits on what is read; the specification asks for at least 16 signatures.
MAX_NOTE_BYTES: Final = 1_000_000
MAX_SIGNATURES: Final = 100

_ALGORITHMS: Final = frozenset({ED25519, COSIGNATURE})
_MAX_SIZE: Final = 2**64 - 1
_MAX_TIMESTAMP: Final = 2**63 - 1
_SIGNATURE_START: Final = "\u2014 "
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
# ASCII digits only, and few enough for any 64-bit number.
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,19}")


class NoteError(ValueError):
    """A note, checkpoint or key that is not what its specification says."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name it signs under: all that is needed to verify.

    `hash` has 4 bytes; `public` is the key's 32 bytes (RFC 8032).
    """

    name: str
    hash: bytes
    algorithm: int
    public: bytes


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature of a note, not verified; `hash` is its key's, 4 bytes."""

    name: str
    hash: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note taken apart: its text, which is what is signed, and its signatures."""

    text: str
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True, slots=True)
class CheckpointText:
    """What a checkpoint says: the log, its number of leaves, and their root hash."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


def key_hash(*, name: str, algorithm: int, public: bytes) -> bytes:
    """The 4 bytes that name a key: SHA-256(name LF algorithm public)[:4].

    NoteError for a name that cannot stand in a note.
    """
    _require_name(name)
    data = name.encode() + b"\n" + bytes([algorithm]) + public
    return hashlib.sha256(data).digest()[:KEY_HASH_BYTES]


def verifier_key(*, name: str, public: bytes, algorithm: int = ED25519) -> str:
    """The line that is published for verifiers: `name+hash+key` (C2SP signed-note).

    The hash in hexadecimal, the algorithm's byte and the key in base64. NoteError for
    another algorithm than the two here, or a key that does not have 32 bytes.
    """
    if algorithm not in _ALGORITHMS or len(public) != PUBLIC_KEY_BYTES:
        raise NoteError("a verifier key is a 32-byte Ed25519 key of a known algorithm")
    found = key_hash(name=name, algorithm=algorithm, public=public)
    return f"{name}+{found.hex()}+{_to_base64(bytes([algorithm]) + public)}"


def parse_verifier_key(text: str) -> VerifierKey:
    """The key that a line of `verifier_key` tells; NoteError where it is another line.

    NoteError also where the hash is not that of the name and the key.
    """
    # The base64 may have plus signs of its own.
    parts = text.split("+", 2)
    if len(parts) != len(("name", "hash", "key")):
        raise NoteError("a verifier key has three parts: name+hash+key")
    name, _, encoded = parts
    data = _from_base64(encoded)
    algorithm, public = data[0], data[1:]
    if verifier_key(name=name, public=public, algorithm=algorithm) != text:
        raise NoteError("the hash of this verifier key is not the key's")
    found = key_hash(name=name, algorithm=algorithm, public=public)
    return VerifierKey(name=name, hash=found, algorithm=algorithm, public=public)


def checkpoint_text(
    *, origin: str, size: int, root: bytes, extensions: Sequence[str] = ()
) -> str:
    """The text of a checkpoint: a line each for origin, size and root, then extensions.

    `root` is the RFC 9162 root hash of `size` leaves. Ends in LF. NoteError for a line
    that is empty or does not fit on one line, a root that does not have 32 bytes, a
    size below 0 or beyond 64 bits.
    """
    _require_line(origin)
    for line in extensions:
        _require_line(line)
    if not 0 <= size <= _MAX_SIZE:
        raise NoteError("a checkpoint's size is a number of leaves below 2**64")
    if len(root) != HASH_BYTES:
        raise NoteError(f"a root hash has {HASH_BYTES} bytes, not {len(root)}")
    lines = [origin, str(size), _to_base64(root), *extensions]
    return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(text: str) -> CheckpointText:
    """Read a checkpoint's text (C2SP tlog-checkpoint).

    NoteError unless it is, byte for byte, what `checkpoint_text` writes for the same
    values: no leading zeros, no empty lines, LF at the end.
    """
    *lines, end = text.split("\n")
    if end or len(lines) < len(("origin", "size", "root")):
        raise NoteError("a checkpoint has three lines or more, each ended by LF")
    origin, size, root, *extensions = lines
    if _DECIMAL.fullmatch(size) is None:
        raise NoteError("a checkpoint's size is a decimal number without leading zeros")
    found = CheckpointText(
        origin=origin,
        size=int(size),
        root=_from_base64(root),
        extensions=tuple(extensions),
    )
    # Writing it again checks every line by the rules that lines are written by.
    checkpoint_text(
        origin=origin, size=found.size, root=found.root, extensions=extensions
    )
    return found


def signature_line(
    *,
    name: str,
    hash: bytes,  # noqa: A002 - the specification's word
    signature: bytes,
) -> str:
    """One signature: em dash, key name, base64(key hash || signature), and LF.

    NoteError for a bad name, a hash that does not have 4 bytes, or no signature.
    """
    _require_name(name)
    if len(hash) != KEY_HASH_BYTES or not signature:
        raise NoteError("a signature is a key hash of 4 bytes and the signed bytes")
    return f"{_SIGNATURE_START}{name} {_to_base64(hash + signature)}\n"


def signed_note(*, text: str, lines: Sequence[str]) -> str:
    """The whole note: text, a blank line, signature lines.

    NoteError unless `parse_note` reads exactly this text back, with as many
    signatures as there are lines.
    """
    note = f"{text}\n{''.join(lines)}"
    again = parse_note(note)
    if again.text != text or len(again.signatures) != len(lines):
        raise NoteError("this text and these lines do not make one note")
    return note


def parse_note(note: str) -> Note:
    """Take a note apart (C2SP signed-note). Verifies nothing.

    The last blank line is where the text ends; the text keeps its final LF. NoteError
    for what is not valid UTF-8, has control characters, is longer than 1 MB, or does
    not have between 1 and 100 well-formed signatures.
    """
    if len(note) > MAX_NOTE_BYTES or len(_require_text(note)) > MAX_NOTE_BYTES:
        raise NoteError(f"a note has at most {MAX_NOTE_BYTES} bytes")
    text, blank, signatures = note.rpartition("\n\n")
    *lines, end = signatures.split("\n")
    if not blank or end or not 1 <= len(lines) <= MAX_SIGNATURES:
        raise NoteError("a note has text, a blank line, and up to 100 signatures")
    return Note(
        text=f"{text}\n", signatures=tuple(_parse_signature(line) for line in lines)
    )


def cosignature_message(*, text: str, timestamp: int) -> bytes:
    """What a witness signs for a checkpoint's text (C2SP tlog-cosignature, Ed25519).

    `timestamp` is in seconds since 1970 (POSIX). NoteError for a time before that or
    beyond 63 bits, and for text that is no checkpoint.
    """
    if not 0 <= timestamp <= _MAX_TIMESTAMP:
        raise NoteError("a cosignature's time is in seconds since 1970")
    parse_checkpoint(text)
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def _parse_signature(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_SIGNATURE_START).partition(" ")
    data = _from_base64(encoded)
    found = NoteSignature(
        name=name, hash=data[:KEY_HASH_BYTES], signature=data[KEY_HASH_BYTES:]
    )
    again = signature_line(name=name, hash=found.hash, signature=found.signature)
    if again != f"{line}\n":
        raise NoteError("a signature line is an em dash, a key name and base64")
    return found


def _require_text(text: str) -> bytes:
    """The text in UTF-8; NoteError where it cannot be or has control characters."""
    if _CONTROL.search(text):
        raise NoteError("a note has no control characters but LF")
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise NoteError("a note is valid UTF-8") from error


def _require_line(line: str) -> None:
    if not line or "\n" in line:
        raise NoteError("a checkpoint's lines are neither empty nor two")
    _require_text(line)


def _require_name(name: str) -> None:
    _require_text(name)
    if not name or "+" in name or any(character.isspace() for character in name):
        raise NoteError("a key's name is not empty and has no spaces and no plus sign")


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _from_base64(text: str) -> bytes:
    """The bytes of standard base64 (RFC 4648 section 4), in its one canonical form."""
    try:
        data = base64.b64decode(text.encode(), validate=True)
    except (Base64Error, UnicodeEncodeError) as error:
        raise NoteError("this is not base64") from error
    if not data or _to_base64(data) != text:
        raise NoteError("this is not base64 in its canonical form")
    return data
