"""Kept tiles, held against those that the entries make."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from consent.audit.verifying import reading
from consent.core.merkle import HASH_BYTES
from consent.core.tiles import HEIGHT, FullTile


@dataclass(frozen=True, slots=True)
class Difference:
    """A kept tile that is not the one that it must be.

    `place` is the first of its hashes that is another one; None where it lacks all of
    them, or where only its root is wrong.
    """

    tile: FullTile
    says: str
    place: int | None = None

    @property
    def name(self) -> str:
        return f"tile {self.tile.level}/{self.tile.index}"


def differences(
    tiles: Sequence[FullTile], *, site: int, log: int
) -> Iterator[Difference]:
    """The kept tiles that are not these; `tiles` follow one another on one level."""
    if not tiles:
        return
    kept = {
        index: (bytes(hashes), bytes(root))
        for index, hashes, root in reading.fetched(
            'SELECT "index", hashes, root FROM consent_tile '
            "WHERE site_id = %s AND log = %s AND level = %s "
            'AND "index" >= %s AND "index" <= %s',
            (site, log, tiles[0].level, tiles[0].index, tiles[-1].index),
        )
    }
    for tile in tiles:
        if tile.index not in kept:
            yield Difference(tile, "is not kept")
        elif kept[tile.index] != (tile.hashes, tile.root):
            yield _difference(tile, kept[tile.index][0])


def _difference(tile: FullTile, hashes: bytes) -> Difference:
    if hashes == tile.hashes:
        return Difference(tile, "has a root that is not that of its hashes")
    size = range(0, len(tile.hashes), HASH_BYTES)
    same = (
        hashes[at : at + HASH_BYTES] == tile.hashes[at : at + HASH_BYTES] for at in size
    )
    place = next((place for place, equal in enumerate(same) if not equal), None)
    return Difference(tile, "holds other hashes than it must", place)


def too_many(*, site: int, log: int) -> list[tuple[int, int]]:
    """The levels of the kept tiles, and how large a tree their last one belongs to."""
    rows = reading.asked(
        'SELECT level, MAX("index") FROM consent_tile '
        "WHERE site_id = %s AND log = %s GROUP BY level",
        (site, log),
    )
    return [(level, (last + 1) << HEIGHT * (level + 1)) for level, last in rows]
