"""A log's heads: which log is sealed into, and its newest checkpoint."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from consent.core.signed_note import verifier_key
from consent.keys import signing_key
from consent.models import Anchor, Checkpoint, Log, PublicKey, Site

# The newest checkpoint, once for each co-signature that it has, else once.
_NEWEST: Final = (
    "SELECT c.tree_size, c.note, a.token FROM consent_checkpoint c "
    "LEFT JOIN consent_anchor a ON a.site_id = c.site_id AND a.log = c.log "
    "AND a.tree_size = c.tree_size AND a.kind = 'cosignature' "
    "WHERE c.site_id = %s AND c.log = %s AND c.tree_size = ("
    "SELECT MAX(tree_size) FROM consent_checkpoint WHERE site_id = %s AND log = %s) "
    "ORDER BY a.id"
)


def latest_log(site: Site) -> Log | None:
    """The log that is sealed into; None where nothing was ever sealed."""
    return Log.objects.filter(site=site).order_by("-number").first()


def newest_checkpoint(*, site: Site, log: int) -> Checkpoint | None:
    """The newest checkpoint of a log; None where nothing was sealed into it."""
    heads = Checkpoint.objects.filter(site=site, log=log)
    return heads.order_by("-tree_size").first()


def newest_note(*, site: Site, log: int) -> tuple[int, str] | None:
    """The size of a log's newest checkpoint, and its note `with_cosignatures`.

    In one query past the ORM, because every proof asks for it; None as above.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, (site.pk, log) * 2)
        rows = cursor.fetchall()
    if not rows:
        return None
    size, note, _token = rows[0]
    return size, _signed_by(note, [row[2] for row in rows if row[2] is not None])


def with_cosignatures(checkpoint: Checkpoint) -> str:
    """A checkpoint's note with what witnesses signed beside us (C2SP tlog-witness)."""
    lines = Anchor.objects.filter(
        site=checkpoint.site_id,
        log=checkpoint.log,
        tree_size=checkpoint.tree_size,
        kind=Anchor.Kind.COSIGNATURE,
    )
    tokens = lines.order_by("pk").values_list("token", flat=True)
    return _signed_by(checkpoint.note, tokens)


def _signed_by(note: str, tokens: Iterable[Any]) -> str:
    return note + "".join(bytes(token).decode() for token in tokens)


@dataclass(frozen=True, slots=True)
class LogState:
    """A log with its newest checkpoint, which a log that is new has not."""

    log: Log
    checkpoint: Checkpoint | None

    @property
    def size(self) -> int:
        """How many entries the newest checkpoint covers."""
        return self.checkpoint.tree_size if self.checkpoint else 0


def log_state(*, site: Site, number: int) -> LogState | None:
    """One of a site's logs; None where there is none of that number."""
    log = Log.objects.select_related("site").filter(site=site, number=number).first()
    return LogState(log, newest_checkpoint(site=site, log=number)) if log else None


def log_states(site: Site) -> Iterator[LogState]:
    """Every log of a site, oldest first."""
    for log in Log.objects.filter(site=site).order_by("number"):
        yield LogState(log, newest_checkpoint(site=site, log=log.number))


def verifier_keys(state: LogState) -> list[str]:
    """The keys that ever signed, under a log's name, as signed notes name them.

    First the one that signed the newest checkpoint, then newest first. Keys that were
    retired stay, so that what they signed stays verifiable.
    """
    key = state.checkpoint.key_id if state.checkpoint else signing_key().id
    kept = PublicKey.objects.order_by("-first_used", "id")
    ordered = sorted(kept, key=lambda public: public.pk != key)
    return [
        verifier_key(name=state.log.origin, public=bytes(public.public))
        for public in ordered
    ]
