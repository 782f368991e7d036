"""Sealing: what waits gets its place in the tree, and the tree a signed head.

One transaction seals up to 16,384 entries under a lock on the log's row. It takes what
stands in the queue, never "what came after the last": entries commit in any order. Who
cannot get the lock leaves, and the holder looks again after its commit, when the lock
is free: an entry that is committed before that look is seen by it, and one that is
committed later finds the lock free. So none is forgotten, whoever stops where.

A log never signs a head that does not follow from the one before. Where the database
is behind a checkpoint that is kept outside of it, a backup was put back: sealing is
refused until `seal_ledger --new-log` begins a new log, and choices go on being kept.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import Error as AnyDatabaseError
from django.db import connection, transaction
from django.utils import timezone

from consent.core.merkle import tree_root
from consent.core.signed_note import checkpoint_text
from consent.core.tiles import EMPTY_EDGE, Edge, FullTile
from consent.keys import KeyProblemError, sign_note, signing_key
from consent.ledger import kept, tree
from consent.ledger.heads import latest_log, newest_checkpoint
from consent.ledger.opening import first_log
from consent.models import Checkpoint, Log, Site, Tile, Waiting

BATCH: Final = 16_384
log = logging.getLogger(__name__)

# The edge of each log as this process last left it; believed only where it has the
# size and the root of the newest checkpoint.
_edges: dict[tuple[int, int], Edge] = {}


class SealRefusedError(Exception):
    """Nothing may be signed; the text says why, and what to do."""


_FAILURES: Final = (
    AnyDatabaseError,
    KeyProblemError,
    SealRefusedError,
    tree.BrokenTreeError,
)
# What was last told of each site, so that a lasting problem does not fill the disk.
_told: dict[int, str] = {}


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a run of sealing did: how many entries it took, and where it ended."""

    entries: int
    checkpoint: Checkpoint


def seal_soon(site: Site) -> None:
    """Seal what waits, after a choice was kept; a failure must never reach the choice.

    What stays in the queue is sealed with the next choice, or by the sweep. What goes
    wrong again and again is told of once.
    """
    try:
        seal(site=site)
    except _FAILURES as error:
        if _told.get(site.pk) != str(error):
            log.exception("The log of %s could not be sealed.", site.slug)
        _told[site.pk] = str(error)
    else:
        if _told.pop(site.pk, None) is not None:
            log.warning("The log of %s is sealed again.", site.slug)


def seal(*, site: Site, at: datetime | None = None) -> Sealed | None:
    """Seal everything that waits on a site; None where nothing was to be done.

    Raises SealRefusedError where the log must not be signed, and DatabaseError.
    """
    entries, newest = 0, None
    while Waiting.objects.filter(site=site).exists():
        with transaction.atomic():
            sealed = _batch(site, at or timezone.now())
        if sealed is None:
            break
        kept.keep(site, sealed.checkpoint)
        entries, newest = entries + sealed.entries, sealed.checkpoint
    return Sealed(entries, newest) if newest else None


def _batch(site: Site, at: datetime) -> Sealed | None:
    """Seal one batch in the caller's transaction; None where another has the lock."""
    current = _locked(site, at)
    if current is None:
        return None
    before = _edge(site, current)
    _refuse_restored(site, current, before)
    taken = _taken(site)
    if not taken:
        return None
    after, full = before.extended([bytes(row[1]) for row in taken])
    _place(site, current, before.size, [row[0] for row in taken])
    _keep_tiles(site, current, full)
    checkpoint = _sign(site, current, after, at)
    _edges[site.pk, current.number] = after
    return Sealed(len(taken), checkpoint)


def _locked(site: Site, at: datetime) -> Log | None:
    """The newest log, its row locked; None where somebody else seals."""
    current = latest_log(site) or first_log(site, at)
    mine = Log.objects.filter(pk=current.pk, site=site)
    if connection.features.has_select_for_update_skip_locked:
        mine = mine.select_for_update(skip_locked=True)
    locked = mine.first()
    # Somebody may have begun a new log while this one waited for its turn.
    return locked if locked and latest_log(site) == locked else None


def _edge(site: Site, current: Log) -> Edge:
    """Where the tree grows; SealRefusedError where it is not what was signed."""
    head = newest_checkpoint(site=site, log=current.number)
    if head is None:
        return EMPTY_EDGE
    size, root = head.tree_size, bytes(head.root)
    known = _edges.get((site.pk, current.number))
    if known is not None and known.size == size and known.root() == root:
        return known
    found = tree.edge(site=site, log=current.number, size=size)
    if found.root() != root:
        raise SealRefusedError(
            f"The tree of {current.origin} is not what its checkpoint of {size} "
            "entries signed. Nothing more is signed; run manage.py verify_ledger."
        )
    return found


def refusal(site: Site) -> str | None:
    """Why a site's log may not be signed now; None where nothing speaks against it."""
    current = latest_log(site)
    if current is None:
        return None
    try:
        _refuse_restored(site, current, _edge(site, current))
    except SealRefusedError as error:
        return str(error)
    return None


def _refuse_restored(site: Site, current: Log, edge: Edge) -> None:
    """Sign nothing while the database is behind, or beside, a kept checkpoint."""
    later = [number for number in kept.numbers(site) if number > current.number]
    if later:
        raise SealRefusedError(
            f"The database knows {current.origin} as the newest log, but checkpoints "
            f"of log {later[-1]} are kept: an older backup was put back. Put back "
            "a newer one, or go on with manage.py seal_ledger --new-log."
        )
    outside = kept.newest(site, current.number)
    if outside is None:
        return
    if outside.size > edge.size:
        raise SealRefusedError(
            f"The database has {edge.size} entries of {current.origin}, but a kept "
            f"checkpoint has {outside.size}: an older backup was put back. Put back "
            "a newer one, or go on with manage.py seal_ledger --new-log."
        )
    if outside.size == edge.size:
        same = edge.root() == outside.root
    else:
        node = tree.nodes(site=site, log=current.number, size=edge.size)
        same = tree_root(size=outside.size, node=node) == outside.root
    if not same:
        raise SealRefusedError(
            f"The first {outside.size} entries of {current.origin} are not those of "
            "a kept checkpoint: the log was rewritten. Run manage.py verify_ledger; "
            "manage.py seal_ledger --new-log goes on beside it."
        )


def _taken(site: Site) -> list[tuple[Any, ...]]:
    """What waits, as (entry, leaf hash, time) in the order of time, a batch at most."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT w.entry_id, e.leaf_hash, e.time FROM consent_waiting w "
            "JOIN consent_entry e ON e.site_id = w.site_id AND e.id = w.entry_id "
            "WHERE w.site_id = %s LIMIT %s",
            [site.pk, BATCH],
        )
        return sorted(cursor.fetchall(), key=lambda row: (row[2], row[0]))


def _place(site: Site, current: Log, first: int, entries: list[Any]) -> None:
    """Give the entries consecutive indexes, and take them out of the queue."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                'INSERT INTO consent_leaf (site_id, log, "index", entry_id) '
                "SELECT %s, %s, %s + place - 1, entry FROM "
                "unnest(%s::uuid[]) WITH ORDINALITY AS taken (entry, place)",
                [site.pk, current.number, first, entries],
            )
        else:
            cursor.executemany(
                'INSERT INTO consent_leaf (site_id, log, "index", entry_id) '
                "VALUES (%s, %s, %s, %s)",
                [
                    (site.pk, current.number, index, entry)
                    for index, entry in enumerate(entries, first)
                ],
            )
        cursor.execute(
            "DELETE FROM consent_waiting WHERE site_id = %s AND entry_id IN ("
            "SELECT entry_id FROM consent_leaf WHERE site_id = %s AND log = %s "
            'AND "index" >= %s)',
            [site.pk, site.pk, current.number, first],
        )


def _keep_tiles(site: Site, current: Log, full: list[FullTile]) -> None:
    Tile.objects.bulk_create(
        Tile(
            site=site,
            log=current.number,
            level=tile.level,
            index=tile.index,
            root=tile.root,
            hashes=tile.hashes,
        )
        for tile in full
    )


def _sign(site: Site, current: Log, edge: Edge, at: datetime) -> Checkpoint:
    root = edge.root()
    text = checkpoint_text(origin=current.origin, size=edge.size, root=root)
    return Checkpoint.objects.create(
        site=site,
        log=current.number,
        tree_size=edge.size,
        root=root,
        note=sign_note(text, name=current.origin),
        key_id=signing_key().id,
        time=at,
    )


def forget() -> None:
    """Forget the edges that this process left."""
    _edges.clear()
    _told.clear()
