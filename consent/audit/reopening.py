"""Going on after a restored backup: the old log is closed, a new one begins.

The old log cannot grow any more: a head signed now would contradict one that somebody
may hold. What is in the database of it stays provable there. An entry of the new log
names the old one, where it ended here, and where the newest kept checkpoint says that
it ended.
"""

from datetime import datetime
from typing import Any, Final

from django.db import transaction

from consent import acts, ledger
from consent.ledger import kept
from consent.models import Log, Site

LOG_OPENED: Final = "log_opened"


class NotRefusedError(Exception):
    """The log is in order, so that there is nothing to close."""


def begin_log(*, site: Site, at: datetime) -> Log:
    """Close a site's log and begin the next, with an act that says so.

    NotRefusedError where the log may be signed after all, which is asked again once
    nobody can be sealing; IntegrityError where somebody else begins one as well.
    """
    with transaction.atomic():
        # Whoever seals now has this lock; nobody seals into the old log after it.
        list(Log.objects.select_for_update().filter(site=site).order_by("pk"))
        if not ledger.refusal(site):
            raise NotRefusedError
        before = ledger.latest_log(site)
        number = max([before.number if before else 0, *kept.numbers(site)]) + 1
        opened = ledger.open_log(site=site, number=number, at=at)
        acts.record(
            site=site,
            at=at,
            act=LOG_OPENED,
            subject=None,
            detail={"log": number, "origin": opened.origin, **_closed(site, before)},
        )
    return opened


def _closed(site: Site, before: Log | None) -> dict[str, Any]:
    """Where the old log ended: by this database, and by what is kept outside of it."""
    if before is None:
        return {"closed": None}
    here = ledger.newest_checkpoint(site=site, log=before.number)
    outside = kept.newest(site, before.number)
    return {
        "closed": before.origin,
        "here": {"size": here.tree_size, "root": bytes(here.root).hex()}
        if here
        else None,
        "kept": {"size": outside.size, "root": outside.root.hex()} if outside else None,
    }
