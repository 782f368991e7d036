"""What an earlier tool kept of somebody's answers, under its own names.

The names are its categories, groups or services. What they mean here is what the
operator says: each of our purposes names those of the earlier tool that it stands for.

>>> kept = Earlier(granted=frozenset({"stats"}), refused=frozenset({"ads"}))
>>> names = {Purpose.ANALYTICS: ["stats"], Purpose.MARKETING: ["stats", "ads"]}
>>> {str(p): granted for p, granted in by_purpose(kept, names=names).items()}
{'analytics': True, 'marketing': False}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from consent.core.purposes import Purpose

type Names = Mapping[Purpose, Sequence[str]]

# Nothing that asked about cookies as this law does is older.
_OLDEST: Final = 2000
_NEWEST: Final = 9000
_LONGEST_TIME: Final = 40


@dataclass(frozen=True, slots=True)
class Earlier:
    """Answers by an earlier tool's names.

    `unclear` are names that were allowed in part. `rest_refused` says that the tool
    lists only what was allowed, so that whatever it does not list was refused. Of the
    times, `first` is the earliest at which any of the grants can have been given, and
    `last` the latest for a refusal; None where the tool did not keep them.
    """

    granted: frozenset[str]
    refused: frozenset[str] = frozenset()
    unclear: frozenset[str] = frozenset()
    rest_refused: bool = False
    first: datetime | None = None
    last: datetime | None = None

    def answer(self, name: str) -> bool | None:
        """Whether a name was allowed; None where that is not said."""
        if name in self.refused:
            return False
        if name in self.unclear:
            return None
        if name in self.granted:
            return True
        return False if self.rest_refused else None


def by_purpose(earlier: Earlier, *, names: Names) -> dict[Purpose, bool]:
    """The answers by our purposes; a purpose that nothing is said about is left out.

    One name that was refused refuses the purpose. It is granted only where every name
    was: whoever allowed a part did not allow the whole.
    """
    found: dict[Purpose, bool] = {}
    for purpose, theirs in names.items():
        answers = [earlier.answer(name) for name in theirs]
        if False in answers:
            found[purpose] = False
        elif answers and None not in answers:
            found[purpose] = True
    return found


def moment(text: object, *, assume_utc: bool = False) -> datetime:
    """A time in ISO 8601, in UTC; ValueError for any other text.

    One without a zone is read as UTC where `assume_utc` says so, and refused elsewhere.
    """
    if not isinstance(text, str) or len(text) > _LONGEST_TIME:
        raise ValueError("no time")
    found = datetime.fromisoformat(text.strip())
    if not _OLDEST <= found.year < _NEWEST:
        raise ValueError("no time at which anybody was asked about cookies")
    if found.tzinfo is None and not assume_utc:
        raise ValueError("a time without its zone")
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
