"""Checkpoints: that each note says what its row says, and that our key signed it."""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consent.audit.verifying import reading
from consent.audit.verifying.findings import Finding
from consent.core.signed_note import (
    ED25519,
    KEY_HASH_BYTES,
    CheckpointText,
    NoteError,
    key_hash,
    parse_checkpoint,
    parse_note,
)
from consent.keys import verify_note

# What the clocks of two servers that seal one log may differ by.
_APART: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Head:
    """A checkpoint's row. `time` is text in UTC."""

    size: int
    root: bytes
    note: str
    key: str
    time: str


def heads(*, site: int, log: int, after: int, upto: int) -> list[Head]:
    """The checkpoints of trees of more than `after` and up to `upto` entries.

    What covers the first entry comes with what covers none.
    """
    found = reading.fetched(
        f"""
        SELECT tree_size, root, note, key_id, {reading.utc("time")}
        FROM consent_checkpoint
        WHERE site_id = %s AND log = %s AND tree_size > %s AND tree_size <= %s
        ORDER BY tree_size
        """,  # noqa: S608 - all of it is ours
        (site, log, after or -1, upto),
    )
    return [Head(*row) for row in found]


class Signers:
    """Who may have signed the checkpoints of a log."""

    def __init__(self, *, origin: str, keys: Mapping[str, bytes]) -> None:
        self._origin = origin
        self._keys = keys
        self._known: dict[str, tuple[bytes, Ed25519PublicKey]] = {}

    def wrong(self, head: Head, *, verify: bool = True) -> str | None:
        """What is wrong with a checkpoint, all but its root; None where nothing is.

        Without `verify` only what it says is compared, and which key it names.
        """
        signature = self._signature(head)
        if signature is not None and (not verify or self._is_good(head, signature)):
            return None
        return self._says(head)

    def _signature(self, head: Head) -> bytes | None:
        """The signature in a note that is just as we write them; it is not verified."""
        start = f"{self._text(head)}\n\u2014 {self._origin} "
        if head.key not in self._keys or not head.note.startswith(start):
            return None
        line, _, rest = head.note[len(start) :].partition("\n")
        try:
            data = b64decode(line, validate=True)
        except ValueError:
            return None
        known, _ = self._key(head)
        alone = not rest and data[:KEY_HASH_BYTES] == known
        return data[KEY_HASH_BYTES:] if alone else None

    def _text(self, head: Head) -> str:
        return f"{self._origin}\n{head.size}\n{b64encode(head.root).decode()}\n"

    def _key(self, head: Head) -> tuple[bytes, Ed25519PublicKey]:
        if head.key not in self._known:
            public = self._keys[head.key]
            digest = key_hash(name=self._origin, algorithm=ED25519, public=public)
            self._known[head.key] = digest, Ed25519PublicKey.from_public_bytes(public)
        return self._known[head.key]

    def _is_good(self, head: Head, signature: bytes) -> bool:
        _, key = self._key(head)
        try:
            key.verify(signature, self._text(head).encode())
        except InvalidSignature:
            return False
        return True

    def _says(self, head: Head) -> str | None:
        """What is wrong with a note, as its specification has it."""
        try:
            note = parse_note(head.note)
            said = parse_checkpoint(note.text)
        except NoteError as error:
            return f"is no signed checkpoint ({error})"
        if said != CheckpointText(self._origin, head.size, head.root):
            return "says another origin, size or root than the row it stands in"
        public = self._keys.get(head.key)
        if public is None:
            return f"is signed by the key {head.key}, which is not known"
        if not verify_note(note, name=self._origin, public=public):
            return f"has no good signature of the key {head.key}"
        return None


def older(heads: Sequence[Head]) -> int | None:
    """The size of the first checkpoint that is older than the one before it.

    None where there is none. A clock that went back makes such a one, so that it proves
    nothing.
    """
    for before, after in pairwise(heads):
        if out_of_order(before.time, after.time):
            return after.size
    return None


def out_of_order(before: str, after: str) -> bool:
    """Whether a larger tree was signed earlier, by more than clocks may differ."""
    if before <= after:
        return False
    return datetime.fromisoformat(before) - datetime.fromisoformat(after) > _APART


def finding(log: int, size: int, says: str) -> Finding:
    """A finding about a checkpoint, at the last entry that it covers."""
    index = max(size - 1, 0)
    return Finding(f"the checkpoint of {size} entries {says}", log=log, index=index)
