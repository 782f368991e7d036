"""Which dates it can be where a visitor is.

A rule begins on a day, and a day begins at another moment in every time zone. The day
is therefore reckoned strictly (rule 4): the rules of the UTC date and of every date
that the place's clocks can show are combined.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final

type Offsets = tuple[int, int]

# From the International Date Line on its western to its eastern side: UTC-12, UTC+14.
ANYWHERE: Final[Offsets] = (-12 * 60, 14 * 60)


def local_days(*, now: datetime, offsets: Offsets | None) -> frozenset[date]:
    """The UTC date and the dates at the least and the greatest offset of a place.

    `now` is an aware time. `offsets` are minutes from UTC, the least and the greatest
    of all time zones of the place; None, for a place of unknown clocks, is anywhere.

    >>> eve = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    >>> sorted(day.isoformat() for day in local_days(now=eve, offsets=(60, 120)))
    ['2026-11-30', '2026-12-01']
    """
    utc = now.astimezone(UTC)
    minutes = (0, *(offsets or ANYWHERE))
    return frozenset((utc + timedelta(minutes=m)).date() for m in minutes)
