"""What a log can show of an entry: its place, and the way to a signed head."""

import uuid
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from consent.core.merkle import consistency_proof, inclusion_proof
from consent.ledger.heads import newest_checkpoint, with_cosignatures
from consent.ledger.tree import nodes
from consent.models import Leaf, Site

type LogPart = dict[str, Any]


def log_part(*, site: Site, entry: uuid.UUID) -> LogPart | None:
    """The `log` member of a receipt (docs/api.md); None until the entry is sealed.

    The proof leads to the newest checkpoint of the entry's log (RFC 9162 section
    2.1.3).
    """
    return log_parts(site=site, entries=[entry]).get(entry)


def log_parts(*, site: Site, entries: Sequence[uuid.UUID]) -> dict[uuid.UUID, LogPart]:
    """The `log` members of several receipts, without those that are not sealed yet.

    They share what they read of the tree: the second costs much less than the first.
    """
    leaves = Leaf.objects.filter(site=site, entry__in=entries).order_by("log", "index")
    found: dict[uuid.UUID, LogPart] = {}
    for log, some in groupby(leaves, key=attrgetter("log")):
        found.update(_parts(site, log, list(some)))
    return found


def _parts(
    site: Site, log: int, leaves: Sequence[Leaf]
) -> Iterator[tuple[uuid.UUID, LogPart]]:
    checkpoint = newest_checkpoint(site=site, log=log)
    if checkpoint is None:
        return
    size, note = checkpoint.tree_size, with_cosignatures(checkpoint)
    node = nodes(site=site, log=log, size=size)
    for leaf in leaves:
        if leaf.index >= size:
            continue
        proof = inclusion_proof(index=leaf.index, size=size, node=node)
        yield (
            leaf.entry_id,
            {
                "index": leaf.index,
                "tree_size": size,
                "inclusion_proof": [digest.hex() for digest in proof],
                "checkpoint": note,
            },
        )


def consistency_between(
    *, site: Site, log: int, old_size: int, size: int
) -> list[bytes]:
    """The proof that the tree of `size` leaves begins with that of `old_size`.

    In the order of RFC 9162 section 2.1.4; ValueError for sizes that are no trees.
    """
    node = nodes(site=site, log=log, size=size)
    return consistency_proof(old_size=old_size, size=size, node=node)
