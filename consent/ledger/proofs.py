"""What a log can show of an entry: its place, and the way to a signed head."""

import uuid
from typing import Any

from consent.core.merkle import consistency_proof, inclusion_proof
from consent.ledger.heads import newest_checkpoint, with_cosignatures
from consent.ledger.tree import nodes
from consent.models import Leaf, Site


def log_part(*, site: Site, entry: uuid.UUID) -> dict[str, Any] | None:
    """The `log` member of a receipt (docs/api.md); None until the entry is sealed.

    The proof leads to the newest checkpoint of the entry's log (RFC 9162 section
    2.1.3).
    """
    leaf = Leaf.objects.filter(site=site, entry=entry).first()
    if leaf is None:
        return None
    checkpoint = newest_checkpoint(site=site, log=leaf.log)
    if checkpoint is None or checkpoint.tree_size <= leaf.index:
        return None
    size = checkpoint.tree_size
    node = nodes(site=site, log=leaf.log, size=size)
    proof = inclusion_proof(index=leaf.index, size=size, node=node)
    return {
        "index": leaf.index,
        "tree_size": size,
        "inclusion_proof": [digest.hex() for digest in proof],
        "checkpoint": with_cosignatures(checkpoint),
    }


def consistency_between(
    *, site: Site, log: int, old_size: int, size: int
) -> list[bytes]:
    """The proof that the tree of `size` leaves begins with that of `old_size`.

    In the order of RFC 9162 section 2.1.4; ValueError for sizes that are no trees.
    """
    node = nodes(site=site, log=log, size=size)
    return consistency_proof(old_size=old_size, size=size, node=node)
