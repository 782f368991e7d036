"""The tree of a log, read from its tables.

Full tiles are kept. What is not full yet is put together from what is below it: level 0
from the leaf hashes of the entries, any other level from the roots of the full tiles of
the level below. Every function takes the size of the tree it speaks of, so that an
older tree can be read from a log that has grown since.

They are read past the ORM, which costs more here than the database does: each proof is
put together from a handful of answers.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from django.db import connection

from consent.core.merkle import HASH_BYTES, Nodes
from consent.core.tiles import HEIGHT, WIDTH, Edge, nodes_from_tiles
from consent.models import Site

_TILE: Final = (
    "SELECT hashes FROM consent_tile "
    'WHERE site_id = %s AND log = %s AND level = %s AND "index" = %s'
)
_ROOTS: Final = (
    "SELECT root FROM consent_tile WHERE site_id = %s AND log = %s AND level = %s "
    'AND "index" >= %s AND "index" < %s ORDER BY "index"'
)
_LEAVES: Final = (
    "SELECT e.leaf_hash FROM consent_leaf l "
    "JOIN consent_entry e ON e.site_id = l.site_id AND e.id = l.entry_id "
    'WHERE l.site_id = %s AND l.log = %s AND l."index" >= %s AND l."index" < %s '
    'ORDER BY l."index"'
)


def edge(*, site: Site, log: int, size: int) -> Edge:
    """The right edge of the tree of `size` leaves, from which it grows."""
    levels = []
    for level, held in _digits(size):
        first = (size >> HEIGHT * level) - held
        levels.append(_growing(site, log, level, first, held))
    return Edge(size, tuple(levels))


def _digits(size: int) -> Iterator[tuple[int, int]]:
    """Each level up to the topmost one, and how many hashes stand in its edge."""
    level = 0
    while size:
        size, held = divmod(size, WIDTH)
        yield level, held
        level += 1


def tile_hashes(
    *, site: Site, log: int, size: int, level: int, index: int
) -> bytes | None:
    """The joined hashes of a tile in the tree of `size` leaves; None for no such tile.

    All 256 of a full tile; what a partial one holds at that size.
    """
    there = (size >> HEIGHT * level) - index * WIDTH
    if there <= 0:
        return None
    if there >= WIDTH:
        found = _asked(_TILE, (site.pk, log, level, index))
        return found[0] if found else None
    return _growing(site, log, level, index * WIDTH, there)


def _growing(site: Site, log: int, level: int, first: int, held: int) -> bytes:
    """The hashes at `first` and after of a level whose tile is not kept yet."""
    if not held:
        return b""
    if level == 0:
        found = _asked(_LEAVES, (site.pk, log, first, first + held))
    else:
        found = _asked(_ROOTS, (site.pk, log, level - 1, first, first + held))
    hashes = b"".join(found)
    if len(hashes) != held * HASH_BYTES:
        raise BrokenTreeError(
            f"level {level} of log {log} of {site.slug} lacks hashes from {first} on"
        )
    return hashes


def _asked(statement: str, values: Sequence[int]) -> list[bytes]:
    """The one column that a statement asks for."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [bytes(row[0]) for row in cursor.fetchall()]


class BrokenTreeError(Exception):
    """The tables do not hold the tree that they must; `verify_ledger` says more."""


def nodes(*, site: Site, log: int, size: int) -> Nodes:
    """Complete subtrees of the tree of `size` leaves, read as they are asked for."""

    def read(level: int, index: int) -> bytes:
        found = tile_hashes(site=site, log=log, size=size, level=level, index=index)
        if found is None:
            raise BrokenTreeError(
                f"tile {level}/{index} of log {log} of {site.slug} is not there"
            )
        return found

    return nodes_from_tiles(read)
