"""The ledger: append now, seal later, prove to anybody.

Writing an entry is one thing, giving it its place in the tree another (Certificate
Transparency keeps them apart too): `append` runs in the transaction of a choice and
waits for nobody; `seal` takes what waits, one at a time for each site.
"""

from consent.ledger import keyring, sealing
from consent.ledger.entries import (
    Owner,
    Receipt,
    append,
    new_id,
    new_salt,
    receipt_of,
)
from consent.ledger.heads import (
    LogState,
    latest_log,
    log_state,
    log_states,
    newest_checkpoint,
    verifier_keys,
    with_cosignatures,
)
from consent.ledger.opening import open_log
from consent.ledger.proofs import consistency_between, log_part, log_parts
from consent.ledger.sealing import Sealed, seal, seal_soon, sweep
from consent.ledger.standing import SealRefusedError, refusal
from consent.ledger.tree import BrokenTreeError, nodes, tile_hashes


def forget() -> None:
    """Forget what this process remembers of keys and trees."""
    keyring.forget()
    sealing.forget()


__all__ = [
    "BrokenTreeError",
    "LogState",
    "Owner",
    "Receipt",
    "SealRefusedError",
    "Sealed",
    "append",
    "consistency_between",
    "forget",
    "latest_log",
    "log_part",
    "log_parts",
    "log_state",
    "log_states",
    "new_id",
    "new_salt",
    "newest_checkpoint",
    "nodes",
    "open_log",
    "receipt_of",
    "refusal",
    "seal",
    "seal_soon",
    "sweep",
    "tile_hashes",
    "verifier_keys",
    "with_cosignatures",
]
