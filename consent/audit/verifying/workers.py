"""The work on several processes, each with a connection of its own to the database."""

import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, Protocol

import django
from django.db import connection

from consent.audit.verifying import reading


class Work(Protocol):
    """Does one thing to each of many parts; what comes of it comes in their order."""

    def __call__[Part, Done](
        self, do: Callable[[Part], Done], parts: Iterable[Part], /
    ) -> Iterator[Done]: ...


@contextmanager
def workers(jobs: int) -> Iterator[Work]:
    """So many processes that work until the end; this process alone for one."""
    if jobs <= 1:
        yield map
        return
    # No process may share the connection of another.
    connection.close()
    pool = ProcessPoolExecutor(
        jobs,
        mp_context=get_context(_how()),
        initializer=_begin,
        initargs=(connection.settings_dict["NAME"],),
    )
    try:
        # They begin with the first work: now, while no connection is open.
        pool.submit(_nothing).result()
        yield pool.map
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _nothing() -> None:
    """Work that makes the processes begin."""


def _how() -> str:
    """How processes begin: as copies of this one, where that is safe, else anew.

    A copy is there at once, and a new process only after it has set Django up.
    """
    alone = threading.active_count() == 1
    return "fork" if alone and sys.platform == "linux" else "spawn"


def _begin(database: Any) -> None:  # noqa: ANN401 - a path or a name
    """Set a new process up; it reads the database that the first one reads."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    django.setup()
    connection.close()
    connection.settings_dict["NAME"] = database
    reading.prepare()
    # There are many rows and no cycles among them to be looked for.
    gc.freeze()
    gc.disable()
