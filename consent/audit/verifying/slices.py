"""One part of a log: its entries, its tiles, its checkpoints, and what it hashes to."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched, takewhile
from random import SystemRandom
from typing import Final

from consent.audit.verifying import checkpoints, reading, tiles
from consent.audit.verifying.checkpoints import Head, Signers
from consent.audit.verifying.contents import Contents, Reading
from consent.audit.verifying.findings import TOLD, Finding
from consent.audit.verifying.members import Document
from consent.audit.verifying.rows import LEAF, Stretch, of_stretch
from consent.audit.verifying.tree import Part, fold
from consent.core.merkle import HASH_BYTES
from consent.core.tiles import WIDTH, FullTile

# A power of two of tiles, so that a whole slice is a complete subtree.
SLICE: Final = 32 * WIDTH
# As many entries as stay near the processor while they are put together and checked.
_AT_ONCE: Final = 8 * WIDTH
# How many checkpoints of a slice have their signatures verified without being asked.
SIGNATURES: Final = 512

# The place of an entry in its log, its number, and its leaf hash, if it has one.
type Placed = tuple[int, str, bytes | None]


@dataclass(frozen=True, slots=True)
class Slice:
    """The entries `first` to `last`, which is not among them, of one log.

    `wanted` are sizes of the whole tree whose roots somebody outside knows.
    """

    whose: Reading
    log: int
    origin: str
    first: int
    last: int
    wanted: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Sliced:
    """What a slice was found to be.

    `roots` are those over its first leaves, by the size of the whole tree. `claims` are
    the sizes and roots of checkpoints that are ours, of `verified` the signature was
    verified. `suspects` are leaves of which a kept tile has another hash, `broken` is
    the first place without a leaf to go on with. `ends` are the first and the last
    checkpoint, and `older` is the size of the first that is out of order.
    """

    first: int
    last: int
    findings: tuple[Finding, ...]
    count: int
    roots: dict[int, bytes]
    checkpoints: int
    verified: int
    claims: tuple[tuple[int, bytes], ...]
    tile_roots: tuple[bytes, ...]
    suspects: tuple[Finding, ...]
    documents: dict[Document, int | None]
    removed: int
    links: int
    broken: int | None
    ends: tuple[Head, Head] | None
    older: int | None


def check_slice(part: Slice) -> Sliced:
    """Check a slice; it is told of what is wrong in it, and of its hashes."""
    with reading.looking_up():
        return _checked(part)


def _checked(part: Slice) -> Sliced:
    site, log = part.whose.site, part.log
    contents = Contents(part.whose)
    placed = [one for some in _stretches(part) for one in _placed(some, contents)]
    leaves, disorder = in_order(placed, part)
    heads = checkpoints.heads(site=site, log=log, after=part.first, upto=part.last)
    end = part.first + len(leaves)
    sizes = {head.size for head in heads}.union(part.wanted, [part.last])
    known = sorted(size - part.first for size in sizes if part.first < size <= end)
    hashed = fold(leaves, sizes=known)
    suspects, damaged = _tiles(part, placed, leaves, hashed)
    chosen = _verified(heads, every=part.whose.signatures)
    wrong = _wrong(part, heads, chosen)
    findings = [
        *contents.findings,
        *disorder,
        *damaged,
        *wrong.values(),
    ]
    return Sliced(
        first=part.first,
        last=part.last,
        findings=tuple(sorted(findings, key=lambda finding: finding.place)[:TOLD]),
        count=len(findings),
        roots={part.first + size: root for size, root in hashed.roots.items()},
        checkpoints=len(heads),
        verified=len(chosen),
        claims=tuple(
            (head.size, bytes(head.root)) for head in heads if head.size not in wrong
        ),
        tile_roots=hashed.tile_roots,
        suspects=tuple(suspects),
        documents=contents.documents,
        removed=contents.removed,
        links=contents.links,
        broken=end if end < part.last else None,
        ends=(heads[0], heads[-1]) if heads else None,
        older=checkpoints.older(heads),
    )


def _stretches(part: Slice) -> Iterator[Stretch]:
    for first in range(part.first, part.last, _AT_ONCE):
        last = min(first + _AT_ONCE, part.last)
        yield Stretch(part.whose.site, part.log, first, last)


def _placed(stretch: Stretch, contents: Contents) -> Iterator[Placed]:
    """Check the entries of a stretch; where each stands, and its leaf hash."""
    found = of_stretch(stretch, signatures=contents.whose.signatures)
    contents.check(found, stretch.source)
    for place, number, entry, _, _ in found:
        yield place or 0, number, entry[LEAF] if entry else None


def _wrong(
    part: Slice, heads: Sequence[Head], chosen: Collection[int]
) -> dict[int, Finding]:
    """The checkpoints that are none, by their size."""
    signers = Signers(origin=part.origin, keys=part.whose.keys)
    told = {
        head.size: signers.wrong(head, verify=head.size in chosen) for head in heads
    }
    return {
        size: checkpoints.finding(part.log, size, says)
        for size, says in told.items()
        if says is not None
    }


def _verified(heads: Sequence[Head], *, every: bool) -> set[int]:
    """The sizes of the checkpoints whose signatures are verified.

    Where nearly every entry has a checkpoint, verifying them all takes several times as
    long as all else, and shows nothing of the entries: each root is made anew, and the
    newest signature stands for all before. So it is some then, others in each run.
    """
    if every or len(heads) <= SIGNATURES:
        return {head.size for head in heads}
    chosen = SystemRandom().sample(heads, SIGNATURES - 1)
    return {head.size for head in [*chosen, heads[-1]]}


def in_order(
    placed: Sequence[Placed], part: Slice
) -> tuple[list[bytes], list[Finding]]:
    """The leaf hashes as far as nothing breaks their order, and all that breaks it."""
    leaves = [one[2] for one in placed if one[2] and len(one[2]) == HASH_BYTES]
    places = [one[0] for one in placed]
    if places == list(range(part.first, part.last)) and len(leaves) == len(places):
        return leaves, []
    sound = takewhile(
        lambda one: one[1][0] == one[0] and len(one[1][2] or b"") == HASH_BYTES,
        enumerate(placed, part.first),
    )
    leaves = [leaf for _, (_, _, leaf) in sound if leaf]
    return leaves, list(_disorder(placed, part))


def _disorder(placed: Sequence[Placed], part: Slice) -> Iterator[Finding]:
    """Places without a leaf, with two, or with a leaf that no entry stands behind."""
    expected = part.first
    for place, number, leaf in placed:
        if place > expected:
            yield _gap(part.log, expected, place)
        says = ""
        if place < expected:
            says = "this place in the log is taken twice"
        elif leaf is None:
            says = "its entry is gone"
        elif len(leaf) != HASH_BYTES:
            says = "its leaf hash is no SHA-256"
        if says:
            yield Finding(says, part.log, place, number)
        expected = place + 1
    if expected < part.last:
        yield _gap(part.log, expected, part.last)


def _gap(log: int, first: int, end: int) -> Finding:
    upto = f", nor has any up to {end - 1}" if end - 1 > first else ""
    return Finding(f"no entry has this place in the log{upto}", log, first)


def _tiles(
    part: Slice, placed: Sequence[Placed], leaves: Sequence[bytes], hashed: Part
) -> tuple[list[Finding], list[Finding]]:
    """The leaves of which a kept tile has another hash, and what else a tile lacks."""
    first = part.first // WIDTH
    made = [
        FullTile(0, number, b"".join(hashes), root)
        for number, (hashes, root) in enumerate(
            zip(batched(leaves, WIDTH), hashed.tile_roots, strict=False), first
        )
    ]
    suspects, findings = [], []
    for other in tiles.differences(made, site=part.whose.site, log=part.log):
        at = other.tile.index * WIDTH + (other.place or 0)
        says = f"{other.name} {other.says}"
        if other.place is None:
            findings.append(Finding(says, part.log, at))
        else:
            receipt = placed[at - part.first][1]
            suspects.append(Finding(says, part.log, at, receipt))
    return suspects, findings
