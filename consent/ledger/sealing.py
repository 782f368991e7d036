"""Sealing: what waits gets its place in the tree, and the tree a signed head.

One transaction seals up to 16,384 entries under a lock on the log's row. It takes what
stands in the queue, never "what came after the last": entries commit in any order. Who
cannot get the lock leaves, and the holder looks again after its commit, when the lock
is free: an entry that is committed before that look is seen by it, and one that is
committed later finds the lock free. So none is forgotten, whoever stops where.

A log never signs a head that does not follow from the one before: `standing` says
whether it may be signed.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from consent.core.signed_note import checkpoint_text
from consent.core.tiles import Edge, FullTile
from consent.keys import sign_note, signing_key
from consent.ledger import kept, keyring, standing
from consent.ledger.heads import latest_log
from consent.ledger.opening import first_log
from consent.models import Checkpoint, Log, Site, Tile

BATCH: Final = 16_384
# How many entries a visitor's own request seals at most; the sweep does the rest.
IN_A_REQUEST: Final = 512
# What SQLite may remember meanwhile, in KiB.
_ROOM: Final = 65_536
# How often PostgreSQL clears rows away that stopped waiting, which each look at the
# queue would go through again.
_CLEARED: Final = 16 * BATCH
# What came first is taken first, or nearly: entries that were given together are sealed
# together, and are found together when they are verified.
_TAKE: Final = (
    "WITH taken AS MATERIALIZED (SELECT w.entry_id FROM consent_waiting w "
    "WHERE {whose} AND NOT EXISTS (SELECT 1 FROM consent_leaf l "
    "WHERE l.site_id = w.site_id AND l.entry_id = w.entry_id) LIMIT %s) "
    "SELECT e.id, e.leaf_hash FROM taken w "
    "{join} consent_entry e ON e.site_id = %s AND e.id = w.entry_id "
    "ORDER BY e.time, e.id"
)
# The queue first, and each entry by its key: SQLite, which does not know how many rows
# a table has, would go through all entries to find the one that waits.
_TAKE_SQLITE: Final = _TAKE.format(whose="w.site_id = %s", join="CROSS JOIN")
# PostgreSQL goes through the queue as it stands in its table, and looks everything else
# up. Left to itself it may well take the queue in the order of the entries' numbers,
# which is none; where few are taken, it may: what others left waiting is passed over.
_TAKE_ALL: Final = _TAKE.format(
    whose="w.site_id + 0 = %s AND w.ctid >= '(0,0)'", join="JOIN"
)
_TAKE_FEW: Final = _TAKE.format(whose="w.site_id = %s", join="JOIN")
_LOOK_UP: Final = "SELECT " + ", ".join(
    f"set_config('enable_{way}', 'off', true)"
    for way in ("seqscan", "bitmapscan", "indexonlyscan", "mergejoin", "hashjoin")
)
log = logging.getLogger(__name__)

# What was last told of each site, so that a lasting problem does not fill the disk.
_told: dict[int, str] = {}


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a run of sealing did: how many entries it took, and where it ended."""

    entries: int
    checkpoint: Checkpoint


def seal_soon(site: Site, most: int | None = IN_A_REQUEST) -> None:
    """Seal what waits; a failure is told of, and never reaches who called.

    So it follows a choice. What stays in the queue is sealed with the next choice, or
    by the sweep. What goes wrong again and again is told of once.
    """
    try:
        sealed = seal(site=site, most=most)
    except Exception as error:
        if _told.get(site.pk) != str(error):
            log.exception("The log of %s could not be sealed.", site.slug)
        _told[site.pk] = str(error)
    else:
        if sealed is not None and _told.pop(site.pk, None) is not None:
            log.warning("The log of %s is sealed again.", site.slug)


def sweep(site: Site) -> None:
    """Seal all that waits, and keep outside what a crash left to be kept."""
    seal_soon(site, most=None)
    try:
        standing.keep_behind(site)
    except Exception:
        log.exception("The checkpoints of %s could not be kept.", site.slug)


def seal(
    *, site: Site, at: datetime | None = None, most: int | None = None
) -> Sealed | None:
    """Seal what waits on a site; None where nothing was done.

    All of it, or `most` entries and a few that came in meanwhile. Raises
    SealRefusedError where the log must not be signed, and DatabaseError. Never within
    another transaction: what is kept outside must have been committed.
    """
    entries = uncleared = 0
    newest = None
    with _room(most):
        while (most is None or entries < most) and _waits(site):
            with transaction.atomic(durable=True):
                sealed = _batch(site, at or timezone.now(), min(BATCH, most or BATCH))
            if sealed is None:
                break
            kept.keep(site, sealed.checkpoint)
            entries, newest = entries + sealed.entries, sealed.checkpoint
            uncleared += sealed.entries
            if uncleared >= _CLEARED:
                uncleared = _clear()
    if uncleared >= BATCH:
        _clear()
    return Sealed(entries, newest) if newest else None


def _clear() -> int:
    """Have PostgreSQL clear away what stopped waiting, as it would in a minute."""
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (SKIP_LOCKED) consent_waiting")
    return 0


def _waits(site: Site) -> bool:
    """Whether anything waits; past the ORM, for every visitor's seal asks it twice."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM consent_waiting WHERE site_id = %s LIMIT 1", [site.pk]
        )
        return cursor.fetchone() is not None


@contextmanager
def _room(most: int | None) -> Iterator[None]:
    """Have SQLite remember more than 2 MB of what it reads, while it seals a queue.

    Entries are numbered at random, so that a large batch touches most of the index of
    leaves by entry.
    """
    if connection.vendor != "sqlite" or (most is not None and most <= IN_A_REQUEST):
        yield
        return
    with connection.cursor() as cursor:
        [(usual,)] = cursor.execute("PRAGMA cache_size").fetchall()
        cursor.execute(f"PRAGMA cache_size = -{_ROOM}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA cache_size = {usual}")


def _batch(site: Site, at: datetime, most: int) -> Sealed | None:
    """Seal one batch in the caller's transaction; None where another has the lock."""
    current = _locked(site, at)
    if current is None:
        return None
    before = standing.edge_of(site, current)
    standing.refuse_restored(site, current, before)
    taken = _taken(site, most)
    if not taken:
        return None
    after, full = before.extended([bytes(leaf) for _entry, leaf in taken])
    _place(site, current, before.size, [entry for entry, _leaf in taken])
    _keep_tiles(site, current, full)
    checkpoint = _sign(site, current, after, at)
    standing.remember(site, current, after)
    return Sealed(len(taken), checkpoint)


def _locked(site: Site, at: datetime) -> Log | None:
    """The newest log, its row locked; None where somebody else seals."""
    current = latest_log(site) or first_log(site, at)
    if not connection.features.has_select_for_update_skip_locked:
        return current  # on SQLite a transaction is the only one that writes
    mine = Log.objects.filter(pk=current.pk, site=site)
    locked = mine.select_for_update(skip_locked=True).first()
    # Somebody may have begun a new log while this one waited for its turn.
    return locked if locked and latest_log(site) == locked else None


def _taken(site: Site, most: int) -> list[tuple[Any, Any]]:
    """What waits, as (entry, leaf hash) in the order of time; `most` of it.

    An entry that has its place already is left where it is: `verify_ledger` names it.
    """
    statement = _TAKE_SQLITE
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_LOOK_UP)
            statement = _TAKE_ALL if most > IN_A_REQUEST else _TAKE_FEW
        cursor.execute(statement, [site.pk, most, site.pk])
        return list(cursor.fetchall())


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
    keyring.remember_signers()
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
    """Forget what this process left, and what it told of."""
    standing.forget()
    _told.clear()
