"""An inclusion proof step by step, for people who want to follow it by hand."""

from collections.abc import Sequence
from dataclasses import dataclass

from consent.core.merkle import node_hash


@dataclass(frozen=True, slots=True)
class Step:
    """Two hashes that stand side by side, and the hash over both.

    `from_left` says that the proof's hash stands at the left, and ours at the right.
    """

    sibling: bytes
    from_left: bool
    result: bytes


def proof_steps(
    *, index: int, size: int, leaf: bytes, proof: Sequence[bytes]
) -> list[Step]:
    """The steps from a leaf hash up to the root (RFC 9162 section 2.1.3.2).

    The last result is the root, where the proof is one; a proof of no hashes belongs to
    the only leaf, which is the root itself. ValueError where the tree has no such leaf
    or the proof is too long for it.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    at, last, found = index, size - 1, leaf
    steps = []
    for sibling in proof:
        if last == 0:
            raise ValueError(f"{len(proof)} hashes are too many for {size} leaves")
        from_left = bool(at % 2) or at == last
        found = node_hash(sibling, found) if from_left else node_hash(found, sibling)
        steps.append(Step(sibling=sibling, from_left=from_left, result=found))
        while from_left and at and at % 2 == 0:
            at, last = at >> 1, last >> 1
        at, last = at >> 1, last >> 1
    return steps
