"""Putting the tree together again, a part at a time (RFC 9162 section 2.1).

A tree of any size is made of complete subtrees, larger ones first. `Peaks` holds those
of a tree that grows, so that each root on the way costs as many hashes as the size has
ones in binary, and none again that was made before.

>>> from consent.core.merkle import root
>>> leaves = [number.to_bytes(32) for number in range(600)]
>>> part = fold(leaves, sizes=[1, 300, 512, 600])
>>> [part.roots[size] == root(leaves[:size]) for size in (1, 300, 512, 600)]
[True, True, True, True]
>>> part.tile_roots == (root(leaves[:256]), root(leaves[256:512]))
True
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched

from consent.core.merkle import node_hash
from consent.core.tiles import WIDTH, tile_root


class Peaks:
    """The complete subtrees of a tree that grows by subtrees of one size."""

    __slots__ = ("_count", "_held")

    def __init__(self) -> None:
        self._count = 0
        self._held: list[bytes] = []

    def push(self, subtree: bytes) -> None:
        """Add a subtree at the right."""
        rest = self._count
        while rest & 1:
            subtree = node_hash(self._held.pop(), subtree)
            rest >>= 1
        self._held.append(subtree)
        self._count += 1

    def root_with(self, right: bytes) -> bytes:
        """The root with one more subtree at the right, no larger than the others."""
        for left in reversed(self._held):
            right = node_hash(left, right)
        return right

    def root(self) -> bytes:
        """The root of what is there; IndexError while nothing is."""
        root = self._held[-1]
        for left in self._held[-2::-1]:
            root = node_hash(left, root)
        return root


@dataclass(frozen=True, slots=True)
class Part:
    """The hashes of a part of a tree, which begins where a tile begins.

    `roots` goes from a number of the part's leaves to the root over them; `tile_roots`
    are those of its full tiles.
    """

    roots: Mapping[int, bytes]
    tile_roots: tuple[bytes, ...]


def fold(leaves: Sequence[bytes], *, sizes: Sequence[int]) -> Part:
    """Hash a part of a tree; `sizes` are the roots that are wanted, in rising order."""
    tiles, tile_roots = Peaks(), []
    roots: dict[int, bytes] = {}
    done = next_size = 0
    for tile in batched(leaves, WIDTH):
        upto = bisect_right(sizes, done + len(tile), lo=next_size)
        wanted = [size - done for size in sizes[next_size:upto]]
        for size, root in _within(tile, wanted):
            roots[done + size] = tiles.root_with(root)
        if len(tile) == WIDTH:
            tile_roots.append(tile_root(b"".join(tile)))
            tiles.push(tile_roots[-1])
        done, next_size = done + len(tile), upto
    return Part(roots, tuple(tile_roots))


def _within(tile: Sequence[bytes], sizes: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """The roots of the first so many leaves of a tile."""
    peaks, done = Peaks(), 0
    for size in sizes:
        for leaf in tile[done:size]:
            peaks.push(leaf)
        done = max(done, size)
        yield size, peaks.root()
