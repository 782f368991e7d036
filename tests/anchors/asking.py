"""Words for tests that have somebody outside vouch for a checkpoint."""

import base64
from datetime import UTC, datetime

from aics_tlog import (
    cosignature_vkey,
    format_vkey,
    parse_note,
    parse_vkey,
    sign_cosignature,
    verify_checkpoint,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent import anchors, ledger
from consent.core.signed_note import parse_checkpoint
from consent.models import Checkpoint, Site

NAME = "witness.example/w1"
KEY = Ed25519PrivateKey.from_private_bytes(b"the key of a witness in tests ..")
VKEY = format_vkey(cosignature_vkey(NAME, KEY.public_key()))


def keys(site: Site) -> list[str]:
    state = ledger.log_state(site=site, number=1)
    assert state is not None
    return ledger.verifier_keys(state)


def sealed(site: Site) -> Checkpoint:
    """The newest checkpoint, after everything that waits was sealed."""
    ledger.seal(site=site)
    found = ledger.newest_checkpoint(site=site, log=1)
    assert found is not None
    return found


def asked(site: Site) -> anchors.Outcome:
    """What came of asking the only one that the settings name."""
    (outcome,) = anchors.anchor(site, datetime.now(UTC))
    return outcome


def believed(site: Site, note: str) -> bool:
    """Whether another implementation takes a note, with one witness at least."""
    (log_key,) = keys(site)
    found = verify_checkpoint(
        parse_note(note), parse_vkey(log_key), [parse_vkey(VKEY)], quorum=1
    )
    return bool(found.ok)


def cosigned(
    checkpoint: Checkpoint,
    *,
    key: Ed25519PrivateKey = KEY,
    name: str = NAME,
    at: int = 1_795_000_000,
    size: int | None = None,
) -> bytes:
    """A line as a witness makes it, by another implementation."""
    told = parse_checkpoint(checkpoint.note.partition("\n\n")[0] + "\n")
    _, line = sign_cosignature(key, name, at, told.origin, size or told.size, told.root)
    blob = base64.b64encode(line.key_id + line.signature).decode()
    return f"\u2014 {line.name} {blob}\n".encode()
