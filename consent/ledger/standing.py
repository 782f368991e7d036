"""Where a log stands: its growing edge, and whether another head may be signed.

A log never signs a head that does not follow from the one before. Where the database
is behind a checkpoint that is kept outside of it, a backup was put back: sealing is
refused until `seal_ledger --new-log` begins a new log, and choices go on being kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from consent.core.merkle import tree_root
from consent.core.signed_note import CheckpointText
from consent.core.tiles import EMPTY_EDGE, Edge
from consent.ledger import kept, tree
from consent.ledger.heads import latest_log, newest_checkpoint
from consent.models import Log, Site

# The edge of each log as this process last left it; believed only where it has the
# size and the root of the newest checkpoint.
_edges: dict[tuple[int, int], Edge] = {}


class SealRefusedError(Exception):
    """Nothing may be signed; the text says why, and what to do."""


def edge_of(site: Site, current: Log) -> Edge:
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
    """Why a site's log may not be signed now; None where nothing speaks against it.

    Without a lock: what is kept outside is read before the database, which can only
    have grown meanwhile.
    """
    try:
        outside = _Outside.of(site)
        current = latest_log(site)
        edge = edge_of(site, current) if current else EMPTY_EDGE
        outside.refuse(site, current, edge)
    except (SealRefusedError, tree.BrokenTreeError, ValueError) as error:
        return str(error)
    return None


def refuse_restored(site: Site, current: Log, edge: Edge) -> None:
    """Sign nothing while the database is behind, or beside, a kept checkpoint.

    Nor before the head that is built upon is kept: another machine may have signed it,
    or a crash may have come between.
    """
    outside = _Outside.of(site)
    outside.refuse(site, current, edge)
    held = outside.heads.get(current.number)
    if edge.size and (held is None or held.size < edge.size):
        keep_head(site, current.number)


def keep_head(site: Site, number: int) -> None:
    """Keep the newest checkpoint of a log where that was not done when it was signed.

    Asks the database only; not within the transaction that signs another.
    """
    head = newest_checkpoint(site=site, log=number)
    if head is not None:
        kept.keep(site, head)


@dataclass(frozen=True, slots=True)
class _Outside:
    """The newest checkpoint that is kept outside of each of a site's logs."""

    heads: Mapping[int, CheckpointText]

    @classmethod
    def of(cls, site: Site) -> "_Outside":
        """Read what is kept; SealRefusedError where that cannot be told."""
        try:
            return cls(kept.heads(site))
        except OSError as error:
            raise SealRefusedError(
                f"What is kept of the log of {site.slug} cannot be read ({error}), so "
                "that nobody knows what was signed already. Mend "
                "CONSENT_CHECKPOINT_DIR; nothing more is signed before."
            ) from error

    def refuse(self, site: Site, current: Log | None, edge: Edge) -> None:
        """SealRefusedError where what is kept does not fit the database."""
        number = current.number if current else 0
        later = [kept_number for kept_number in self.heads if kept_number > number]
        if later:
            known = f"knows {current.origin} as the newest log" if current else "is new"
            raise SealRefusedError(
                f"The database {known}, but checkpoints of log {max(later)} of "
                f"{site.slug} are kept: an older backup was put back. Put back a newer "
                "one, or go on with manage.py seal_ledger --new-log."
            )
        head = self.heads.get(number)
        if current is None or head is None:
            return
        if head.size > edge.size:
            raise SealRefusedError(
                f"The database has {edge.size} entries of {current.origin}, but a kept "
                f"checkpoint has {head.size}: an older backup was put back. Put back "
                "a newer one, or go on with manage.py seal_ledger --new-log."
            )
        if _root_at(site, current, edge, head.size) != head.root:
            raise SealRefusedError(
                f"The first {head.size} entries of {current.origin} are not those of "
                "a kept checkpoint: the log was rewritten. Run manage.py "
                "verify_ledger; manage.py seal_ledger --new-log goes on beside it."
            )


def _root_at(site: Site, current: Log, edge: Edge, size: int) -> bytes:
    if size == edge.size:
        return edge.root()
    node = tree.nodes(site=site, log=current.number, size=edge.size)
    return tree_root(size=size, node=node)


def keep_behind(site: Site) -> None:
    """Keep the newest head outside where a crash came between it and its keeping."""
    current = latest_log(site)
    head = newest_checkpoint(site=site, log=current.number) if current else None
    if head is None:
        return
    held = kept.newest(site, head.log)
    if held is None or held.size < head.tree_size:
        kept.keep(site, head)


def remember(site: Site, current: Log, edge: Edge) -> None:
    """Remember where this process left a log, for the next time."""
    _edges[site.pk, current.number] = edge


def forget() -> None:
    """Forget where this process left each log."""
    _edges.clear()
