"""Which of a site's public keys it takes to verify some receipts and checkpoints."""

from collections.abc import Iterable, Sequence

from consent.core.signed_note import (
    VerifierKey,
    key_hash,
    parse_note,
    parse_verifier_key,
)
from consent.keys import key_id


def signers(
    lines: Sequence[str], *, key_ids: Iterable[str], notes: Iterable[str]
) -> list[str]:
    """Of the published keys, those that signed: one line for each, in their order.

    `key_ids` are those that receipts name, `notes` the checkpoints. A key that has a
    line for each log of a site is told once: verifiers trust the key, not its name.
    """
    ids = set(key_ids)
    signed = {
        (s.name, s.hash) for note in set(notes) for s in parse_note(note).signatures
    }
    found: dict[bytes, str] = {}
    for line in lines:
        key = parse_verifier_key(line)
        if key_id(key.public) in ids or _has_signed(key, signed):
            found.setdefault(key.public, line)
    return list(found.values())


def _has_signed(key: VerifierKey, signed: Iterable[tuple[str, bytes]]) -> bool:
    """Whether it made a signature, under whatever name."""
    return any(
        key_hash(name=name, algorithm=key.algorithm, public=key.public) == digest
        for name, digest in signed
    )
