"""Removing what names people, so that everybody can tell what was removed, and by whom.

An entry stays in the log for ever, as a hash. What stands beside it may go once a
`Removal` names the entry and an act in the same log commits to the hashes of all that
was removed with it: the database refuses anything else, and `verify_ledger` recomputes
what the act says. The act names nobody.
"""

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from django.db.models import Model

from consent import acts
from consent.core.canonical import Json
from consent.core.merkle import root
from consent.models import Entry, Removal, Site

# How many entries one act removes at most, so that it can be recomputed in memory.
LARGEST: Final = 4096

ERASED: Final = "erased"
RETENTION_RUN: Final = "retention_run"
_ACTS: Final = {
    Removal.Reason.ERASURE: ERASED,
    Removal.Reason.RETENTION: RETENTION_RUN,
}


def remove(
    *,
    site: Site,
    entries: Collection[uuid.UUID],
    reason: Removal.Reason,
    tables: Collection[type[Model]],
    at: datetime,
    detail: Mapping[str, Json],
) -> None:
    """Delete the rows of some entries, in the caller's transaction, and say so.

    `entries` are `LARGEST` at most and not empty; `detail` is what the act says beside
    their number and the root over their leaf hashes, sorted as bytes (RFC 9162).
    LookupError where an entry is missing: that is for `verify_ledger` to name.
    """
    if not 0 < len(entries) <= LARGEST:
        raise ValueError(f"{len(entries)} entries cannot be removed by one act")
    known = Entry.objects.filter(site=site, pk__in=entries)
    hashes = sorted(bytes(h) for h in known.values_list("leaf_hash", flat=True))
    if len(hashes) != len(entries):
        raise LookupError("an entry is missing; run manage.py verify_ledger")
    acts.note_key(site=site, at=at)
    act = acts.record(
        site=site,
        at=at,
        act=_ACTS[reason],
        subject=None,
        detail={"entries": len(hashes), "root": root(hashes).hex(), **detail},
    )
    said = uuid.UUID(act.id)
    Removal.objects.bulk_create(
        Removal(site=site, entry_id=entry, reason=reason, act_id=said, time=at)
        for entry in entries
    )
    for table in tables:
        table._default_manager.filter(site=site, entry__in=entries).delete()  # noqa: SLF001 - Django's documented way to a model's manager
