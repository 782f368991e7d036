"""When a record stopped being in force: the day from which its retention counts.

A record of somebody who can still be found by it stands as long as any of its answers
counts: until the person answered again, or until a grant ran out. A refusal that nobody
answered since never ends, because what a person chose is what their records add up to,
and without it something refused would run again. For the same reason a grant that is
over stays while an older one would count in its stead.

So what is over may be dropped, oldest first, at any time and in any number of runs:
what the rest adds up to has the same refusals and the same grants that still count.

>>> from datetime import UTC
>>> first = datetime(2026, 1, 1, tzinfo=UTC)
>>> later = first + timedelta(days=30)
>>> yes = Answered(id="a", time=first, answers={"analytics": True},
...                until=first + timedelta(days=180))
>>> no = Answered(id="b", time=later, answers={"analytics": False}, until=None)
>>> found = endings(records=[yes, no], apart=timedelta(minutes=1))
>>> found["a"] == later, found["b"]
(True, None)
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from consent.core.record import Event

_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_SERVICE: Final = "service "


@dataclass(frozen=True, slots=True)
class Answered:
    """What one linked record answers.

    `answers` holds purposes and, under a longer name, services; `until` is when the
    last of its grants ends at the latest, None where no end is known. Times are aware.
    """

    id: str
    time: datetime
    answers: Mapping[str, bool]
    until: datetime | None


def answered(
    *, members: Mapping[str, Any], time: datetime, longest: timedelta
) -> Answered:
    """What a consent record of format 1 answers; KeyError or ValueError for another.

    A merge joins grants of different ages, and its `valid_until` is the first end of
    them: each was given before, so that it ends within `longest`, the longest life that
    any place gives a grant.
    """
    until = _time(members["valid_until"])
    if members["event"] == Event.MERGED and until is not None:
        until = max(until, time + longest)
    alone = {_SERVICE + name: on for name, on in members["services"].items()}
    answers = {**members["purposes"], **alone}
    return Answered(id=members["id"], time=time, answers=answers, until=until)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text is not None else None


def endings(
    *, records: Sequence[Answered], apart: timedelta
) -> dict[str, datetime | None]:
    """When each record of one person ended, by its id; None where it did not.

    `records` are all that are linked to this person. Records less than `apart` from
    each other may have been given in either order, because the clocks of two servers
    differ: neither ends the other.
    """
    ordered = sorted(records, key=lambda record: (record.time, record.id))
    given = _by_answer(ordered)
    # Until when an older grant could still be found, and would count.
    beneath: dict[str, datetime] = {}
    found: dict[str, datetime] = {}
    for record in ordered:
        ends = [
            _answer_ends(record, name, given[name], apart=apart, beneath=beneath)
            for name in record.answers
        ]
        # Whoever answered nothing said nothing that could be in force.
        found[record.id] = max(ends, default=record.time)
        for name, granted in record.answers.items():
            if granted:
                counts = min(_until(record), found[record.id])
                beneath[name] = max(beneath.get(name, counts), counts)
    return {name: None if end == _NEVER else end for name, end in found.items()}


def _answer_ends(
    record: Answered,
    name: str,
    given: Sequence[Answered],
    *,
    apart: timedelta,
    beneath: Mapping[str, datetime],
) -> datetime:
    """When one answer ended: with the next one, or with its own life.

    `given` are all records that answer the same, oldest first.
    """
    place = bisect_left(given, record.time + apart, key=_time_of)
    again = given[place].time if place < len(given) else _NEVER
    if not record.answers[name]:
        return again
    if again < _NEVER:
        return min(_until(record), again)
    # Grants given at the same moment may have been laid under this one.
    beside = given[bisect_left(given, record.time, key=_time_of) :]
    ends = [_until(other) for other in beside if other.answers[name]]
    return max(*ends, _until(record), beneath.get(name, record.time))


def _until(record: Answered) -> datetime:
    return record.until or _NEVER


def _time_of(record: Answered) -> datetime:
    return record.time


def _by_answer(ordered: Sequence[Answered]) -> dict[str, list[Answered]]:
    """The records that answer each purpose and service, oldest first."""
    given: dict[str, list[Answered]] = {}
    for record in ordered:
        for name in record.answers:
            given.setdefault(name, []).append(record)
    return given


def ended_of_nobody(*, time: datetime, remembered: timedelta) -> datetime:
    """When a record ended by which nobody is found: a plain refusal is linked to none.

    The records of an account that was deleted find nobody either. Only a browser knows
    that one was its own, for as long as it remembers the answer.
    """
    return time + remembered


def is_due(*, ended: datetime | None, at: datetime, days: int) -> bool:
    """Whether a record that ended may be dropped: it did so over `days` days ago."""
    return ended is not None and ended < at - timedelta(days=days)
