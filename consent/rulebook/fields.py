"""One table of the rule book's data, read key by key.

What is of the wrong kind, what is missing and what nobody knows is refused in one
sentence that names the place, so that a slip of the keyboard never becomes law.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NoReturn

type Given = Mapping[str, object]


class RuleBookError(ValueError):
    """The data of the rule book cannot be understood; the message says where."""


class Fields:
    """The keys of one table; what stays unread in the end is refused."""

    def __init__(self, where: str, given: object) -> None:
        self.where = where
        if not isinstance(given, Mapping):
            self.refuse(f"a table is wanted, not {given!r}")
        self._left: dict[str, object] = {str(k): v for k, v in given.items()}

    def refuse(self, sentence: str) -> NoReturn:
        raise RuleBookError(f"{self.where}: {sentence}")

    def text(self, key: str, default: str | None = None) -> str:
        """Words with single spaces; a text without default must not be empty."""
        value = self._left.pop(key, default)
        if not isinstance(value, str):
            self.refuse(f"{key} must be a text, not {value!r}")
        words = " ".join(value.split())
        if not words and default is None:
            self.refuse(f"{key} must not be empty")
        return words

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(self._as_text(key, item) for item in self.items(key))

    def _as_text(self, key: str, value: object) -> str:
        if not isinstance(value, str) or not value:
            self.refuse(f"{key} must hold texts, not {value!r}")
        return value

    def items(self, key: str) -> list[object]:
        value = self._left.pop(key, [])
        if not isinstance(value, list | tuple):
            self.refuse(f"{key} must be a list, not {value!r}")
        return list(value)

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._left.pop(key, default)
        if not isinstance(value, bool):
            self.refuse(f"{key} must be true or false, not {value!r}")
        return value

    def days(self, key: str) -> int | None:
        """A whole number of days above zero, or None where the table is silent."""
        value = self._left.pop(key, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            self.refuse(f"{key} must be a whole number of days above 0, not {value!r}")
        return value

    def day(self, key: str) -> date | None:
        """A date as such or as ISO 8601 text; None where the table is silent."""
        value = self._left.pop(key, None)
        if isinstance(value, str):
            value = self._parsed(key, value)
        if isinstance(value, datetime) or not isinstance(value, date | None):
            self.refuse(f"{key} must be a date like 2026-12-01, not {value!r}")
        return value

    def _parsed(self, key: str, value: str) -> date | None:
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            self.refuse(f"{key} must be a date like 2026-12-01, not {value!r}")

    def choice[T](
        self, key: str, options: Mapping[str, T], default: str | None = None
    ) -> T:
        """The option whose name stands under the key."""
        value = self._left.pop(key, default)
        if not isinstance(value, str) or value not in options:
            self.refuse(f"{key} must be one of {_words(options)}, not {value!r}")
        return options[value]

    def table(self, key: str) -> Given:
        return Fields(f"{self.where}, {key}", self._left.pop(key, {})).rest()

    def rest(self) -> Given:
        """All that is still unread, as one table."""
        rest, self._left = self._left, {}
        return rest

    def done(self) -> None:
        """Refuse every key that nobody asked for."""
        if self._left:
            self.refuse(f"unknown {_words(sorted(self._left))}")


def _words(names: Iterable[str]) -> str:
    return ", ".join(names)
