"""The ledger's tree in tiles of 256 hashes (C2SP tlog-tiles, tile height 8).

A tile of level 0 holds leaf hashes, a tile of any other level the roots of full tiles
of the level below. Full tiles never change; only the right edge grows.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from typing import Final

from consent.core.merkle import EMPTY_ROOT, HASH_BYTES, Nodes, node_hash

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
MAX_LEVEL: Final = 63
# What a signed 64-bit integer of a database holds; no tree comes near it.
MAX_INDEX: Final = 2**63 - 1

_TILE_BYTES: Final = WIDTH * HASH_BYTES
_PAIR_BYTES: Final = 2 * HASH_BYTES
_PATH: Final = re.compile(
    r"(?P<level>[0-9]{1,2})/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[0-9]{1,3}))?"
)


@dataclass(frozen=True, slots=True)
class FullTile:
    """A tile that is complete: 256 hashes joined, and the root above them."""

    level: int
    index: int
    hashes: bytes
    root: bytes


@dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of a tree of `size` leaves: all that is needed to make it grow.

    `levels` holds for each level, from the leaves upwards, the joined hashes of its
    incomplete tile: `size` in base 256 tells how many, and there are no levels above
    its first digit. ValueError where the levels do not fit the size.
    """

    size: int
    levels: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if [len(hashes) for hashes in self.levels] != _edge_bytes(self.size):
            raise ValueError(f"these are not the levels of a tree of {self.size}")

    def extended(self, leaves: Sequence[bytes]) -> tuple["Edge", list[FullTile]]:
        """The edge after these leaf hashes, and the tiles that they completed.

        The tiles of a level come in order and before those of the level above.
        ValueError where a leaf hash is not 32 bytes long.
        """
        if any(len(leaf) != HASH_BYTES for leaf in leaves):
            raise ValueError("a leaf hash is 32 bytes long")
        levels: list[bytes] = []
        full: list[FullTile] = []
        arriving = b"".join(leaves)
        for level in count():
            if not arriving and level >= len(self.levels):
                break
            held = self.levels[level] if level < len(self.levels) else b""
            first = self.size >> HEIGHT * (level + 1)
            tiles, rest = _cut(held + arriving, level=level, first=first)
            full += tiles
            levels.append(rest)
            arriving = b"".join([tile.root for tile in tiles])
        return Edge(self.size + len(leaves), tuple(levels)), full

    def root(self) -> bytes:
        """The Merkle tree head of the whole tree (RFC 9162 section 2.1.1).

        Every binary one in `size` is a complete subtree of the edge; they are joined
        from the smallest, at the right, to the largest.
        """
        found = b""
        for hashes in self.levels:
            for tier in _tiers(hashes):
                if len(tier) % _PAIR_BYTES:
                    unpaired = tier[-HASH_BYTES:]
                    found = node_hash(unpaired, found) if found else unpaired
        return found or EMPTY_ROOT


def tile_root(hashes: bytes) -> bytes:
    """The root above the 256 joined hashes of a full tile; else ValueError."""
    if len(hashes) != _TILE_BYTES:
        raise ValueError(f"a full tile has {_TILE_BYTES} bytes, not {len(hashes)}")
    return _tiers(hashes)[-1]


def nodes_from_tiles(read: Callable[[int, int], bytes]) -> Nodes:
    """Complete subtrees out of tiles: each tile is read and hashed at most once.

    `read(level, index)` gives the joined hashes that a tile holds now, full or partial;
    what it raises for a tile that is not there (KeyError, say) passes through.
    ValueError where a tile holds fewer hashes than the subtree needs. What was read is
    remembered (16 KB per tile) and not read again when the tree grows: make one of
    these per proof, or per batch of proofs for one tree.
    """
    remembered: dict[tuple[int, int], list[bytes]] = {}

    def node(height: int, index: int) -> bytes:
        level, inner = divmod(height, HEIGHT)
        tile, place = divmod(index, WIDTH >> inner)
        if (level, tile) not in remembered:
            remembered[level, tile] = _tiers(read(level, tile))
        tiers = remembered[level, tile]
        end = (place + 1) * HASH_BYTES
        if inner >= len(tiers) or end > len(tiers[inner]):
            raise ValueError(f"tile {level}/{tile} does not reach that far")
        return tiers[inner][end - HASH_BYTES : end]

    return node


def tile_path(*, level: int, index: int, width: int = WIDTH) -> str:
    """The path of a tile below `tile/`: `0/x001/x234/067`, with `.p/5` where partial.

    ValueError for a level outside 0..63, a width outside 1..256, a negative index or
    one beyond 64 bits.
    """
    known = 0 <= level <= MAX_LEVEL and 1 <= width <= WIDTH
    if not known or not 0 <= index <= MAX_INDEX:
        raise ValueError(f"there is no tile {level}/{index} of width {width}")
    *high, low = [group.zfill(3) for group in f"{index:,}".split(",")]
    folders = "".join([f"x{group}/" for group in high])
    partial = "" if width == WIDTH else f".p/{width}"
    return f"{level}/{folders}{low}{partial}"


def parse_tile_path(text: str) -> tuple[int, int, int] | None:
    """The level, index and width that a path names; None where it is not exactly one.

    Only the one way in which `tile_path` writes it counts. `entries/...` is None.
    """
    match = _PATH.fullmatch(text)
    if match is None:
        return None
    level = int(match["level"])
    index = int(match["index"].replace("/", "").replace("x", ""))
    width = int(match["width"] or WIDTH)
    try:
        again = tile_path(level=level, index=index, width=width)
    except ValueError:
        return None
    return (level, index, width) if again == text else None


def _edge_bytes(size: int) -> list[int]:
    """How many bytes each level of the edge of a tree holds; ValueError below 0."""
    if size < 0:
        raise ValueError("a tree has no fewer than no leaves")
    digits = size.to_bytes(-(-size.bit_length() // 8), "little")
    return [digit * HASH_BYTES for digit in digits]


def _cut(hashes: bytes, *, level: int, first: int) -> tuple[list[FullTile], bytes]:
    """The full tiles of a level, numbered from `first`, and what is left over."""
    whole = len(hashes) // _TILE_BYTES
    parts = [hashes[at * _TILE_BYTES : (at + 1) * _TILE_BYTES] for at in range(whole)]
    tiles = [
        FullTile(level=level, index=first + at, hashes=part, root=tile_root(part))
        for at, part in enumerate(parts)
    ]
    return tiles, hashes[whole * _TILE_BYTES :]


def _tiers(hashes: bytes) -> list[bytes]:
    """A tile's hashes, the complete pairs above them, the pairs of those, and so on.

    The hot loop of the ledger: hashes stay joined, so that a pair is one slice.
    """
    tiers = [hashes]
    while len(hashes) >= _PAIR_BYTES:
        paired = len(hashes) // _PAIR_BYTES * _PAIR_BYTES
        hashes = b"".join(
            [
                sha256(b"\x01" + hashes[at : at + _PAIR_BYTES]).digest()
                for at in range(0, paired, _PAIR_BYTES)
            ]
        )
        tiers.append(hashes)
    return tiers


EMPTY_EDGE: Final = Edge(0, ())
