"""The ledger's Merkle tree (RFC 9162 section 2.1): hashes, roots and proofs.

Leaves and nodes are hashed with different first bytes, so that no node can pass for a
leaf. Proofs are made from `Nodes`, which looks complete subtrees up wherever they are
kept, and checked from the proof alone: whoever checks needs no tree.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

type Nodes = Callable[[int, int], bytes]
"""(height, index) -> the hash of the complete subtree of 2**height leaves that begins
at leaf index * 2**height."""


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data): the hash of one entry's canonical bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right): the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree head of leaf hashes (RFC 9162 section 2.1.1).

    An empty tree has the hash of the empty string.
    """
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        odd = level[-1:] if len(level) % 2 else []
        level = [node_hash(left, right) for left, right in pairs] + odd
    return level[0]


def subtree_root(*, first: int, last: int, node: Nodes) -> bytes:
    """The Merkle tree head of leaves [first, last) (RFC 9162 section 2.1.1).

    Few nodes are asked for where `first` is a multiple of the smallest power of two
    that is not below the number of leaves, as it is in every proof; elsewhere up to one
    per leaf. ValueError where the range runs backwards or begins below 0; what `node`
    raises passes through.
    """
    if not 0 <= first <= last:
        raise ValueError(f"there are no leaves from {first} to {last}")
    width = last - first
    if not width:
        return EMPTY_ROOT
    height = width.bit_length() - 1
    if width == 1 << height and first % width == 0:
        return node(height, first >> height)
    middle = first + _split(width)
    return node_hash(
        subtree_root(first=first, last=middle, node=node),
        subtree_root(first=middle, last=last, node=node),
    )


def tree_root(*, size: int, node: Nodes) -> bytes:
    """The Merkle tree head of the first `size` leaves; SHA-256 of "" for none."""
    return subtree_root(first=0, last=size, node=node)


def inclusion_proof(*, index: int, size: int, node: Nodes) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root of `size` leaves.

    From the leaf's sibling upwards (RFC 9162 section 2.1.3.1). ValueError where the
    tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    proof = []
    first, last = 0, size
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            proof.append(subtree_root(first=middle, last=last, node=node))
            last = middle
        else:
            proof.append(subtree_root(first=first, last=middle, node=node))
            first = middle
    return proof[::-1]


def consistency_proof(*, old_size: int, size: int, node: Nodes) -> list[bytes]:
    """The hashes that show the first `old_size` leaves to be still what they were.

    In the order of RFC 9162 section 2.1.4.1. Empty where the sizes are equal and where
    the old tree was empty. ValueError where the old tree is the larger one.
    """
    if not 0 <= old_size <= size:
        raise ValueError(f"a tree of {size} leaves did not grow from {old_size}")
    if not old_size:
        return []
    proof = []
    first, last = 0, size
    while old_size != last:
        middle = first + _split(last - first)
        if old_size <= middle:
            proof.append(subtree_root(first=middle, last=last, node=node))
            last = middle
        else:
            proof.append(subtree_root(first=first, last=middle, node=node))
            first = middle
    # Only a subtree that is not the whole old tree must be told: its root is known.
    if first:
        proof.append(subtree_root(first=first, last=last, node=node))
    return proof[::-1]


def verify_inclusion(
    *, index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether the proof leads from this leaf hash at `index` to the root of `size`.

    RFC 9162 section 2.1.3.2. False also for hashes that are not 32 bytes long, so that
    nobody can move bytes over from one neighbour to the other.
    """
    if not 0 <= index < size or not _are_hashes([leaf, *proof, root]):
        return False
    at, end, found = index, size - 1, leaf
    for sibling in proof:
        if end == 0:
            return False
        if at % 2 or at == end:
            found = node_hash(sibling, found)
            at, end = _past_left_edge(at, end)
        else:
            found = node_hash(found, sibling)
        at, end = at >> 1, end >> 1
    return end == 0 and found == root


def verify_consistency(
    *, old_size: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the tree of `size` leaves begins with the tree of `old_size` leaves.

    RFC 9162 section 2.1.4.2. With equal sizes the proof is empty and the roots are
    equal; an empty old tree has the root of an empty tree and an empty proof. False
    also for hashes that are not 32 bytes long.
    """
    if not 0 <= old_size <= size or not _are_hashes([old_root, *proof, root]):
        return False
    if not old_size and old_root != EMPTY_ROOT:
        return False
    if old_size == size:
        return not proof and old_root == root
    if not old_size:
        return not proof
    # A complete old tree is itself the first subtree, and so left out of the proof.
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    return bool(path) and _grows(old_size, size, path) == (old_root, root)


def _grows(old_size: int, size: int, path: list[bytes]) -> tuple[bytes, bytes] | None:
    """The roots of the old and of the new tree that a path leads to, if it fits."""
    at, end = old_size - 1, size - 1
    while at % 2:
        at, end = at >> 1, end >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if end == 0:
            return None
        if at % 2 or at == end:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            at, end = _past_left_edge(at, end)
        else:
            new = node_hash(new, sibling)
        at, end = at >> 1, end >> 1
    return (old, new) if end == 0 else None


def _past_left_edge(at: int, end: int) -> tuple[int, int]:
    """Up to the first level where `at` is a right child, or to the root.

    Below it the node is the last of its level and has no sibling.
    """
    while at and at % 2 == 0:
        at, end = at >> 1, end >> 1
    return at, end


def _split(width: int) -> int:
    """The largest power of two below `width`, which is 2 or more."""
    return 1 << ((width - 1).bit_length() - 1)


def _are_hashes(values: Iterable[bytes]) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
