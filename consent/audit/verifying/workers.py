"""The work on several processes, each with a connection of its own to the database."""

import signal
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
    # Processes that are begun anew share no connection with this one.
    pool = ProcessPoolExecutor(
        jobs,
        mp_context=get_context("spawn"),
        initializer=_begin,
        initargs=(connection.settings_dict["NAME"],),
    )
    try:
        yield pool.map
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin(database: Any) -> None:  # noqa: ANN401 - a path or a name
    """Set a new process up; it reads the database that the first one reads."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    django.setup()
    connection.settings_dict["NAME"] = database
    reading.prepare()
