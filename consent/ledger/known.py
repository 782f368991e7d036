"""What a process need not ask the database again, for a minute.

Not for longer: a backup may be put back under a running process, which then must keep
again what records point at.
"""

import time
from typing import Final

SECONDS: Final = 60.0


class Known[K, V]:
    """What is known of some keys, until a minute after it was learnt."""

    def __init__(self) -> None:
        self._found: dict[K, tuple[V, float]] = {}

    def get(self, key: K) -> V | None:
        """What is known of a key; None for nothing, or nothing recent."""
        value, learnt = self._found.get(key, (None, 0.0))
        return value if time.monotonic() - learnt < SECONDS else None

    def learn(self, key: K, value: V) -> None:
        self._found[key] = (value, time.monotonic())

    def forget(self) -> None:
        self._found.clear()
