"""What is wrong: where it shows, and in one sentence what it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# How many are told of one site; how many there are is counted all the same.
TOLD: Final = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, at an entry of a log where it is one entry's matter.

    `says` is a sentence without a capital and without a full stop. `index` is the
    entry's place in the log, `receipt` its number.
    """

    says: str
    log: int | None = None
    index: int | None = None
    receipt: str | None = None

    def __str__(self) -> str:
        where = [
            f"log {self.log}" if self.log is not None else "",
            f"entry {self.index}" if self.index is not None else "",
            f"receipt {self.receipt}" if self.receipt else "",
        ]
        return ": ".join(filter(None, [", ".join(filter(None, where)), self.says]))

    @property
    def place(self) -> tuple[float, float]:
        """Where it comes in the order of the logs; what has no place comes last."""
        last = float("inf")
        return (
            last if self.log is None else self.log,
            last if self.index is None else self.index,
        )


class Findings:
    """The first of what was found, in the order of the logs, and how many there are."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[Finding] = []

    def add(self, *found: Finding) -> None:
        self.extend(found, count=len(found))

    def extend(self, found: Iterable[Finding], *, count: int) -> None:
        """Take the first of `count` findings."""
        self.count += count
        merged = sorted([*self._first, *found], key=lambda finding: finding.place)
        self._first = merged[:TOLD]

    def take(self, others: "Findings") -> None:
        self.extend(others.first, count=others.count)

    @property
    def first(self) -> tuple[Finding, ...]:
        return tuple(self._first)
