"""What an evidence pack takes from the log: proofs, heads, and others' time-stamps."""

import uuid
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any, Final

from django.db.models import QuerySet

from consent import ledger
from consent.audit.bundle import as_json
from consent.core.merkle import Nodes, consistency_proof, inclusion_proof
from consent.core.record import timestamp
from consent.core.signed_note import parse_checkpoint, parse_note
from consent.models import Anchor, Checkpoint, Leaf, Log, Site

# Of a log with at most so many heads a pack holds a proof from each.
FEW_HEADS: Final = 100
_AT_ONCE: Final = 500

type Part = dict[str, Any]
type Files = Iterator[tuple[str, bytes]]


class UnrelatedCheckpointError(ValueError):
    """A checkpoint that no proof can be made from; the text says why."""


@dataclass(frozen=True, slots=True)
class LogEvidence:
    """Files of the logs, the `log` member of each sealed entry, and the last time."""

    files: Mapping[str, bytes]
    parts: Mapping[uuid.UUID, Part]
    as_of: str | None


@dataclass(frozen=True, slots=True)
class _Head:
    """The newest head of one log: every proof in a pack leads to such a head."""

    site: Site
    log: Log
    checkpoint: Checkpoint
    # With co-signatures, read once: one that arrives meanwhile would make two notes.
    note: str
    node: Nodes

    @property
    def size(self) -> int:
        return self.checkpoint.tree_size

    @property
    def older(self) -> QuerySet[Checkpoint]:
        """The heads before it, oldest first."""
        heads = Checkpoint.objects.filter(site=self.site, log=self.log.number)
        return heads.filter(tree_size__lt=self.size).order_by("tree_size")

    @property
    def anchors(self) -> QuerySet[Anchor]:
        """What others said of it and of older heads, oldest first."""
        words = Anchor.objects.filter(site=self.site, log=self.log.number)
        return words.filter(tree_size__lte=self.size).order_by("tree_size", "pk")


def log_evidence(
    *, site: Site, entries: Sequence[uuid.UUID], kept_outside: Sequence[str]
) -> LogEvidence:
    """Proofs of entries to one head per log, and from older heads to that one.

    UnrelatedCheckpointError for a note in `kept_outside` that no proof can begin at.
    """
    places = _places(site, entries)
    heads = dict(_heads(site))
    outside = _outside(kept_outside, heads)
    files: dict[str, bytes] = {}
    parts: dict[uuid.UUID, Part] = {}
    for number in sorted(places.keys() | outside.keys()):
        head, mine = heads[number], places.get(number, {})
        files |= _files(head, list(mine.values()), outside.get(number, {}))
        parts |= {entry: _part(head, i) for entry, i in mine.items() if i < head.size}
    used = [heads[number].checkpoint.time for number in places]
    return LogEvidence(files, parts, timestamp(max(used)) if used else None)


def _places(
    site: Site, entries: Sequence[uuid.UUID]
) -> dict[int, dict[uuid.UUID, int]]:
    """Of each log, where the entries stand in it."""
    found: dict[int, dict[uuid.UUID, int]] = {}
    for some in batched(entries, _AT_ONCE):
        leaves = Leaf.objects.filter(site=site, entry__in=some)
        for log, entry, index in leaves.values_list("log", "entry_id", "index"):
            found.setdefault(log, {})[entry] = index
    return found


def _heads(site: Site) -> Iterator[tuple[int, _Head]]:
    for state in ledger.log_states(site):
        number, newest = state.log.number, state.checkpoint
        if newest is not None:
            node = ledger.nodes(site=site, log=number, size=newest.tree_size)
            note = ledger.with_cosignatures(newest)
            yield number, _Head(site, state.log, newest, note, node)


def _outside(
    notes: Sequence[str], heads: Mapping[int, _Head]
) -> dict[int, dict[int, str]]:
    """The notes that somebody kept, by log and size."""
    found: dict[int, dict[int, str]] = {}
    for note in notes:
        told = parse_checkpoint(parse_note(note).text)
        head = next((h for h in heads.values() if h.log.origin == told.origin), None)
        if head is None:
            raise UnrelatedCheckpointError(f"This site has no log {told.origin}.")
        if told.size > head.size:
            raise UnrelatedCheckpointError(
                f"The checkpoint that was kept has {told.size} entries, and "
                f"{told.origin} has {head.size}: run manage.py verify_ledger."
            )
        found.setdefault(head.log.number, {})[told.size] = note
    return found


def _part(head: _Head, index: int) -> Part:
    """The `log` member of a receipt."""
    proof = inclusion_proof(index=index, size=head.size, node=head.node)
    return {
        "index": index,
        "tree_size": head.size,
        "inclusion_proof": [digest.hex() for digest in proof],
        "checkpoint": head.note,
    }


def _files(
    head: _Head, indexes: Sequence[int], outside: Mapping[int, str]
) -> dict[str, bytes]:
    """The newest head, older heads with proofs, and time-stamps."""
    folder = f"logs/{head.log.number}"
    anchors = _anchors(head, indexes)
    sizes = _sizes(head, indexes) | {anchor.tree_size for anchor in anchors}
    rows = {row.tree_size: row for row in head.older.filter(tree_size__in=sizes)}
    notes = {size: ledger.with_cosignatures(row) for size, row in rows.items()}
    stamped = {head.size: head.checkpoint, **rows}
    return {
        f"{folder}/checkpoint": head.note.encode(),
        **{
            f"{folder}/older/{size}.json": _growth(head, size, note)
            for size, note in {**outside, **notes}.items()
            if 0 < size < head.size
        },
        **dict(_stamps(folder, anchors, stamped)),
    }


def _sizes(head: _Head, indexes: Sequence[int]) -> set[int]:
    """All older heads where they are few, else the first that holds each entry."""
    sizes = head.older.values_list("tree_size", flat=True)
    few = list(sizes[: FEW_HEADS + 1])
    if len(few) <= FEW_HEADS:
        return set(few)
    firsts = (sizes.filter(tree_size__gt=index).first() for index in indexes)
    return {size for size in firsts if size is not None}


def _growth(head: _Head, size: int, note: str) -> bytes:
    proof = consistency_proof(old_size=size, size=head.size, node=head.node)
    digests = [digest.hex() for digest in proof]
    return as_json({"checkpoint": note, "consistency_proof": digests})


def _anchors(head: _Head, indexes: Sequence[int]) -> list[Anchor]:
    """For each entry the first word of each outsider about a head that holds it."""
    words: dict[tuple[str, str], list[tuple[int, int]]] = {}
    told = head.anchors.values_list("kind", "name", "tree_size", "pk")
    for kind, name, size, key in told.iterator():
        words.setdefault((kind, name), []).append((size, key))
    keys = set()
    for said in words.values():
        sizes = [size for size, _key in said]
        firsts = {bisect_right(sizes, index) for index in indexes}
        keys |= {said[first][1] for first in firsts if first < len(said)}
    return list(head.anchors.filter(pk__in=keys))


def _stamps(
    folder: str, anchors: Sequence[Anchor], heads: Mapping[int, Checkpoint]
) -> Files:
    """Time-stamps, each with the note it was made of; co-signatures stand in notes."""
    stamps = [a for a in anchors if a.kind == Anchor.Kind.TIMESTAMP]
    for number, stamp in enumerate(stamps, start=1):
        size = stamp.tree_size
        if size in heads:
            yield f"{folder}/timestamps/{size}.note", heads[size].note.encode()
            yield f"{folder}/timestamps/{size}-{number}.tsr", bytes(stamp.token)
