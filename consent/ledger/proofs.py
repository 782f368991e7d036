"""What a log can show of an entry: its place, and the way to a signed head."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from consent.core.merkle import consistency_proof, inclusion_proof
from consent.ledger.heads import newest_note
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
    places = leaves.values_list("log", "index", "entry")
    found: dict[uuid.UUID, LogPart] = {}
    for log, some in groupby(places, key=itemgetter(0)):
        found.update(_parts(site, log, some))
    return found


def _parts(
    site: Site, log: int, places: Iterable[tuple[int, int, uuid.UUID]]
) -> Iterator[tuple[uuid.UUID, LogPart]]:
    head = newest_note(site=site, log=log)
    if head is None:
        return
    size, note = head
    node = nodes(site=site, log=log, size=size)
    for _log, index, entry in places:
        if index >= size:
            continue
        proof = inclusion_proof(index=index, size=size, node=node)
        yield (
            entry,
            {
                "index": index,
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
