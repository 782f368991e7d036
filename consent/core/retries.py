"""When a message that nobody took is sent again: ever later, and in the end no more.

>>> [pause(attempts=n, chance=0.5).total_seconds() for n in (1, 2, 3, 9)]
[10.0, 30.0, 90.0, 43200.0]
>>> pause(attempts=ATTEMPTS, chance=0.5) is None
True
"""

from datetime import timedelta
from typing import Final

# 14 attempts within three days, or nearly: over a weekend nothing is given up.
ATTEMPTS: Final = 14
_FIRST: Final = timedelta(seconds=10)
_FACTOR: Final = 3
_LONGEST: Final = timedelta(hours=12)


def pause(*, attempts: int, chance: float) -> timedelta | None:
    """How long to wait after so many attempts that failed; None where it is given up.

    `chance`, from 0 to 1, spreads the pause from four to six fifths, so that what
    failed together does not come back together.
    """
    if attempts >= ATTEMPTS:
        return None
    factor: int = _FACTOR ** (attempts - 1)
    usual = min(_FIRST * factor, _LONGEST)
    return usual * (0.8 + 0.4 * chance)
