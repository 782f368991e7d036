"""What goes on beside the requests: the sweep, anchors, retention, and counts.

Sealing inline leaves an entry waiting where a process stopped between a choice and its
seal, so that each serving process sweeps such entries up every second. `run_worker`
does the same in the foreground, and the rest besides.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread
from typing import Final

from django.conf import settings
from django.db import connection, connections
from django.utils import timezone

from consent import anchors, choices, counts, ledger, publication
from consent.audit import retention
from consent.models import Site

SWEEP_SECONDS: Final = 1.0
DAY: Final = 86_400.0
# How long a chore that failed waits for its next turn, at least.
PAUSE_SECONDS: Final = 30.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do again and again, `seconds` after it was last done."""

    name: str
    seconds: float
    work: Callable[[], None]


def sweep() -> None:
    """Seal what waits on every site; a site that cannot be sealed keeps no other."""
    for site in Site.objects.order_by("pk"):
        ledger.sweep(site)


def prune() -> None:
    """Drop what is over for longer than `CONSENT_RETENTION_DAYS`, on every site."""
    days = settings.CONSENT_RETENTION_DAYS
    for here in publication.published():
        dropped = retention.prune(here=here, days=days, at=timezone.now())
        if dropped:
            log.info("Retention dropped %d records of %s.", dropped, here.site.slug)


def forget_keys() -> None:
    """Forget which choices may still be sent again, after a day (choices.repeating)."""
    for site in Site.objects.order_by("pk"):
        choices.forget_keys(site=site, at=timezone.now())


def anchor() -> None:
    """Have somebody outside vouch for every site's newest checkpoint, where due."""
    now = timezone.now()
    for site in Site.objects.order_by("pk"):
        if anchors.due(site, now):
            anchors.anchor(site, now)


def forget_tokens() -> None:
    """Forget the numbers of identity tokens that are over."""
    choices.forget_used(timezone.now())


def add_counts() -> None:
    counts.flush()


def chores() -> tuple[tuple[Chore, ...], ...]:
    """Everything that a worker does; what may take long keeps nothing else waiting."""
    return (
        (
            Chore("sweep", SWEEP_SECONDS, sweep),
            Chore("counts", counts.SECONDS, add_counts),
        ),
        (Chore("anchors", 60.0, anchor),),
        (
            Chore("retention", DAY, prune),
            Chore("keys", 3600.0, forget_keys),
            Chore("tokens", 3600.0, forget_tokens),
        ),
    )


def work(stop: Event) -> None:
    """Do all chores until told to stop, those that may take long in threads."""
    first, *others = chores()
    threads = [Thread(target=run, args=(todo, stop)) for todo in others]
    for thread in threads:
        thread.start()
    run(first, stop)
    for thread in threads:
        thread.join()


def run(todo: Sequence[Chore], stop: Event) -> None:
    """Do the chores in turn until told to stop; one that fails is tried again."""
    due = {chore.name: time.monotonic() for chore in todo}
    told: dict[str, str] = {}
    while not stop.is_set():
        for chore in todo:
            if stop.is_set() or due[chore.name] > time.monotonic():
                continue
            done = _done(chore, told)
            pause = chore.seconds if done else min(chore.seconds, PAUSE_SECONDS)
            due[chore.name] = time.monotonic() + pause
        stop.wait(max(0.0, min(due.values()) - time.monotonic()))


def _done(chore: Chore, told: dict[str, str]) -> bool:
    """Do a chore; a failure that lasts is told of once, and that it ended."""
    try:
        chore.work()
    except Exception as error:
        connections.close_all()  # whatever is wrong with one, the next is new
        if told.get(chore.name) != str(error):
            log.exception("Not done: %s. It is tried again.", chore.name)
        told[chore.name] = str(error)
        return False
    if connection.settings_dict["OPTIONS"].get("pool"):
        connections.close_all()  # a pool's connections are for the requests
    if told.pop(chore.name, None) is not None:
        log.warning("Done again: %s.", chore.name)
    return True


def serve() -> None:
    """Sweep beside the requests of this process, where it seals inline."""
    if settings.CONSENT_SEAL == "inline":
        _begin()
        os.register_at_fork(after_in_child=_begin)  # no thread outlives a fork


def _begin() -> None:
    todo = (Chore("sweep", SWEEP_SECONDS, sweep),)
    Thread(target=run, args=(todo, Event()), daemon=True, name="sweep").start()
