"""Follow a database file: open it once, look for a new one, never fail."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from consent.geolocation.database import Database, Kind, UnusableDatabaseError
from consent.geolocation.storage import BeingWrittenError, Origin, Stamp, open_copy

LOOK_EVERY_SECONDS: Final = 1.0

_log = logging.getLogger("consent.geolocation")


class WatchedDatabase:
    """The newest state of a database file that may be replaced at any time.

    A file that is missing or damaged is no database, even when a good one was open
    before: an answer must never come from a file that is no longer there. Each problem
    is logged once, and so is its end.
    """

    def __init__(
        self,
        *,
        find: Callable[[], Origin],
        kind: Kind,
        folder: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._kind = kind
        self.folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._next_look = float("-inf")
        self._seen: tuple[Origin, Stamp] | None = None
        self._database: Database | None = None
        self.origin: Origin | None = None
        self.problem: str | None = None
        """What is wrong, as a sentence for operators; None when all is well."""

    def current(self) -> Database | None:
        """Return the open database, or None; looks at the file once a second."""
        if self._clock() >= self._next_look:
            self._look()
        return self._database

    def report_damage(self, database: Database) -> None:
        """Remember that a record could not be read."""
        if self._database is database:
            self._tell(
                f"The geo database {self._path} is damaged: some of its records cannot "
                "be read, and their addresses are at an unknown place. Replace it."
            )

    @property
    def _path(self) -> str:
        return str(self.origin.path) if self.origin else "(none)"

    def _look(self) -> None:
        # The first look must be waited for; later ones go on with what is open while
        # one thread reads the new file.
        first = self._next_look == float("-inf")
        if not self._lock.acquire(blocking=first):
            return
        try:
            if self._clock() >= self._next_look:
                self._follow()
                self._next_look = self._clock() + LOOK_EVERY_SECONDS
        finally:
            self._lock.release()

    def _follow(self) -> None:
        self.origin = origin = self._find()
        try:
            seen = (origin, origin.stamp())
            if seen == self._seen and not self._just_proved():
                return
            self._database = open_copy(origin, kind=self._kind, folder=self.folder)
        except BeingWrittenError:
            # What was open stays in use; what is being written is for the next look.
            return
        except UnusableDatabaseError as error:
            self._lose(f"The geo database {self._path} {error}. Replace it.")
        except OSError as error:
            # Not remembered as seen: whatever kept it from being read may pass.
            self._lose(
                f"The geo database {self._path} cannot be read ({error.strerror}). "
                "Put it there, or correct the setting."
            )
            self._seen = None
            return
        else:
            self._recover()
        self._seen = seen

    def _just_proved(self) -> bool:
        proof = self._database.awaited_proof if self._database else None
        return proof is not None and proof.is_file()

    def _lose(self, problem: str) -> None:
        self._database = None
        self._tell(f"{problem} Until then its answer to every address is unknown.")

    def _tell(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            _log.warning(problem)

    def _recover(self) -> None:
        if self._database and (self.problem or self._seen):
            _log.info("Using the geo database %s: %s", self._path, self._database.label)
        self.problem = None
