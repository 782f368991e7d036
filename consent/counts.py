"""What is only counted: in the memory of the process first, in rows a little later.

A notice shown, a gate asked, a signal applied: each is counted by site, day (UTC),
place and rule, with no id, no address, and no row per view. A background thread adds
the counts to their rows (`models.Count`), never a request.

The numbers are what this server handed out, and neither more nor less: a page from a
cache is not among them, what a process that was killed had not written yet is lost, and
a page that a robot fetched is counted although nobody saw it. So they are good for
comparing notices, places and days, and a bound, not a census, of people.
"""

import atexit
import logging
import os
from collections.abc import Mapping
from datetime import date
from threading import Event, Lock, Thread
from typing import Final

from django.db import DataError, IntegrityError, connection, connections, transaction
from django.db import Error as AnyDatabaseError

from consent.decision import Consent
from consent.models import Count

SECONDS: Final = 10.0
# Keys that may wait in memory, where the database cannot take them.
MOST: Final = 10_000
log = logging.getLogger(__name__)

# Site, day, what, notice, country, subdivision, rule, detail.
type Key = tuple[int, date, str, str, str, str, str, str]

_ADD: Final = """
INSERT INTO consent_count
    (site_id, day, what, notice, country, subdivision, rule, detail, times)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (site_id, day, what, notice, country, subdivision, rule, detail)
DO UPDATE SET times = consent_count.times + excluded.times
"""


class _Memory:
    """What one process has counted and not yet written."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.times: dict[Key, int] = {}
        self.thread: Thread | None = None
        self.ended = Event()

    def add(self, times: Mapping[Key, int]) -> None:
        with self.lock:
            for key, more in times.items():
                self.times[key] = self.times.get(key, 0) + more
            if len(self.times) > MOST:
                self._shrink()

    def take(self) -> dict[Key, int]:
        with self.lock:
            taken, self.times = self.times, {}
        return taken

    def _shrink(self) -> None:
        """Drop the smaller half, so that memory stays bounded and shrinking rare."""
        most = sorted(self.times.items(), key=lambda item: item[1], reverse=True)
        self.times = dict(most[: MOST // 2])
        lost = sum(times for _key, times in most[MOST // 2 :])
        log.warning("Too much is counted at once: %d counts were dropped.", lost)


_memory = _Memory()
_served = False


def note(
    consent: Consent, what: Count.What, *, notice: str = "", detail: str = ""
) -> None:
    """Count one thing that this request saw; costs a few microseconds and no query.

    A HEAD request shows nobody anything and is not counted.
    """
    if consent.request.method == "HEAD":
        return
    place = consent.location
    key = (
        consent.published.site.pk,
        consent.server_time.date(),
        str(what),
        notice,
        place.country or "",
        place.subdivision or "",
        consent.rule.name[:255],
        detail,
    )
    _memory.add({key: 1})
    if _served and _memory.thread is None:
        _begin()


def serve() -> None:
    """Have this process, and those that it forks, write their counts as they go.

    The thread starts with the first count, because a thread does not outlive a fork.
    """
    global _served  # noqa: PLW0603 - whether this process serves is said once
    if not _served:
        _served = True
        atexit.register(_end)


def flush() -> bool:
    """Add what was counted to its rows, in one transaction.

    False where the database could not take it: then it stays in memory. Where the
    commit itself failed nobody knows whether it was taken, and it is dropped rather
    than counted twice.
    """
    taken = _memory.take()
    if not taken:
        return True
    rows = [(*key, times) for key, times in sorted(taken.items())]
    written = False
    try:
        # Sorted, so that no two processes wait for each other's rows.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(_ADD, rows)
            written = True
    except (DataError, IntegrityError):
        log.exception("%d counts do not fit their table and were dropped.", len(rows))
        return False
    except AnyDatabaseError:
        log.warning("Counts could not be written now.", exc_info=True)
        if not written:
            _memory.add(taken)
        return False
    return True


def forget() -> None:
    """Forget what was counted and not written."""
    _memory.take()


def _begin() -> None:
    with _memory.lock:
        if _memory.thread is not None:
            return
        thread = Thread(target=_write_on, args=(_memory,), daemon=True, name="counts")
        _memory.thread = thread
    try:
        thread.start()
    except RuntimeError:
        log.warning("Counts are not written: no thread can be started.")


def _write_on(memory: _Memory) -> None:
    """Flush every few seconds until the process ends, whatever happens."""
    while not memory.ended.wait(SECONDS):
        _flush_apart()


def _flush_apart() -> None:
    """Flush on a connection of its own, which is not kept while nothing is written."""
    try:
        flush()
    except Exception:
        log.exception("Counts could not be written.")
    finally:
        connections.close_all()


def _end() -> None:
    """Write what is left when the process ends."""
    _memory.ended.set()
    if _memory.thread is not None and _memory.thread.is_alive():
        _memory.thread.join(SECONDS)
    _flush_apart()


def _after_fork() -> None:
    """Begin with nothing in a child: what the parent counted the parent writes."""
    global _memory  # noqa: PLW0603 - a lock that was held in the parent stays held
    _memory = _Memory()


os.register_at_fork(after_in_child=_after_fork)
