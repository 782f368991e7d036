"""Answers that are still fresh, in this process's memory and nowhere else.

A grant is never served after its own end, nor longer than it may be kept, whatever
has become of the backend since. A no is kept more briefly: somebody may just say yes.
"""

import time
from collections import OrderedDict
from threading import Lock
from typing import Final

from consent_client.answers import Permission, Question

REFUSAL_SECONDS: Final = 5.0


class Remembered:
    """The answers that were used last, each for some seconds from its asking."""

    def __init__(self, *, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._kept: OrderedDict[Question, tuple[Permission, float]] = OrderedDict()
        self._lock = Lock()
        self._forgettings = 0

    def get(self, question: Question) -> Permission | None:
        """A fresh answer to this question, or None."""
        with self._lock:
            permission, until = self._kept.get(question, (None, 0.0))
            if permission is None:
                return None
            ended = permission.allowed and not permission.holds()
            if ended or time.monotonic() >= until:
                del self._kept[question]
                return None
            self._kept.move_to_end(question)
            return permission

    @property
    def forgettings(self) -> int:
        """How often something was forgotten: what was asked before is then not kept."""
        return self._forgettings

    def put(
        self,
        question: Question,
        permission: Permission,
        *,
        asked: float,
        forgettings: int,
    ) -> None:
        """Keep an answer, counted from when it was asked for on the monotonic clock."""
        refusal = min(self._seconds, REFUSAL_SECONDS)
        until = asked + (self._seconds if permission.allowed else refusal)
        with self._lock:
            if forgettings != self._forgettings or until <= time.monotonic():
                return
            self._kept[question] = (permission, until)
            self._kept.move_to_end(question)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def forget(
        self, *, user: str | None, account: str | None, identity: str | None
    ) -> None:
        """Drop what is kept about a person, by whichever name they go."""
        names = (("user", user), ("account", account), ("identity", identity))
        given = [(name, text) for name, text in names if text is not None]
        with self._lock:
            self._forgettings += 1
            for question, (permission, _until) in list(self._kept.items()):
                if any(getattr(permission, name) == text for name, text in given):
                    del self._kept[question]
