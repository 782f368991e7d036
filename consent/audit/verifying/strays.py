"""What is in no log: entries that wait, and rows that should not be there at all.

Entries wait in a queue until they are sealed, and then have a leaf. One that has
neither was taken out of the queue. Whether there is any such one shows in how many rows
the tables have; only where the numbers do not add up is each row looked for.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from consent.audit.verifying import reading, rows
from consent.audit.verifying.contents import Contents, Reading
from consent.audit.verifying.findings import TOLD, Finding
from consent.audit.verifying.members import Document
from consent.audit.verifying.reading import Value
from consent.audit.verifying.rows import Source

# How many entries of a site are looked through at a time, about.
_AT_ONCE: Final = 32_768
_LAST: Final = 2**128 - 1


@dataclass(frozen=True, slots=True)
class Numbers:
    """The entries of a site with numbers above `after` and up to `upto`."""

    whose: Reading
    after: uuid.UUID
    upto: uuid.UUID

    @property
    def values(self) -> tuple[Value, ...]:
        numbers = (self.after, self.upto)
        return self.whose.site, *(reading.number(number) for number in numbers)


@dataclass(frozen=True, slots=True)
class Waited:
    """What was found among the entries that wait."""

    findings: tuple[Finding, ...]
    count: int
    documents: Mapping[Document, int | None]


def parts(whose: Reading, *, entries: int) -> Iterator[Numbers]:
    """All numbers, in as many parts as about so many entries are worth."""
    count = entries // _AT_ONCE + 1
    bounds = [uuid.UUID(int=_LAST * at // count) for at in range(count + 1)]
    for after, upto in pairwise(bounds):
        yield Numbers(whose, after, upto)


@dataclass(frozen=True, slots=True)
class _Rule:
    """Rows that are wrong: of a table, under a condition, and a sentence of them."""

    table: str
    condition: str
    says: str
    key: str = "entry_id"


_OF_WAITING: Final = (
    _Rule("waiting", "EXISTS ({leaf})", "it waits, and is in a log already"),
    _Rule("waiting", "NOT EXISTS ({entry})", "it waits, and its entry is gone"),
    _Rule(
        "restricted",
        "NOT EXISTS ({removal})",
        "its link is restricted, and no erasure did that",
    ),
)
_OF_ALL: Final = (
    _Rule(
        "entry",
        "NOT EXISTS ({leaf}) AND NOT EXISTS ({waiting})",
        "it is in no log, and was taken out of the queue",
        key="id",
    ),
    _Rule("content", "NOT EXISTS ({entry})", "its contents have no entry"),
)


def check_waiting(part: Numbers) -> Waited:
    """Check what waits to be sealed, as what is sealed is checked."""
    source = Source(
        table="consent_waiting",
        index="NULL",
        condition="l.site_id = %s AND l.entry_id > %s AND l.entry_id <= %s",
        values=part.values,
    )
    waiting = rows.of(source, signatures=part.whose.signatures)
    found = Contents(part.whose)
    found.check(waiting, source)
    findings = [*found.findings, *_found(part, _OF_WAITING)]
    return Waited(tuple(findings), len(waiting), found.documents)


def check_strays(part: Numbers) -> list[Finding]:
    """Look for entries that are nowhere, and contents of no entry."""
    return list(_found(part, _OF_ALL))


def _found(part: Numbers, rules: tuple[_Rule, ...]) -> Iterator[Finding]:
    for rule in rules:
        there = {
            name: f"SELECT 1 FROM consent_{name} o "  # noqa: S608 - all of it is ours
            f"WHERE o.site_id = t.site_id AND o.{key} = t.{rule.key}"
            for name, key in {
                "entry": "id",
                **dict.fromkeys(("leaf", "waiting", "removal"), "entry_id"),
            }.items()
        }
        found = reading.fetched(
            f"SELECT {reading.hexed(f't.{rule.key}')} "  # noqa: S608 - all of it is ours
            f"FROM consent_{rule.table} t "
            f"WHERE t.site_id = %s AND t.{rule.key} > %s AND t.{rule.key} <= %s "
            f"AND {rule.condition.format(**there)} LIMIT {TOLD}",
            part.values,
        )
        for (number,) in found:
            yield Finding(rule.says, receipt=number)


def what_does_not_add_up(whose: Reading) -> str | None:
    """Why something must be missing or too many; None where all is accounted for.

    In one statement, so that the numbers are those of one moment.
    """
    count = "(SELECT COUNT(*) FROM consent_{} t WHERE t.site_id = %s)"
    gone = (
        "(SELECT COUNT(*) FROM consent_removal t WHERE t.site_id = %s "
        "AND t.reason = 'retention' AND NOT EXISTS (SELECT 1 FROM consent_content o "
        "WHERE o.site_id = t.site_id AND o.entry_id = t.entry_id))"
    )
    tables = ("entry", "leaf", "waiting", "content")
    columns = [*(count.format(table) for table in tables), gone]
    [(entries, leaves, waiting, kept, dropped)] = reading.asked(
        f"SELECT {', '.join(columns)}", [whose.site] * len(columns)
    )
    if entries != leaves + waiting:
        return f"{entries} entries are there, {leaves} in logs and {waiting} waiting"
    if entries != kept + dropped:
        return f"{entries} entries are there, {kept} contents and {dropped} dropped"
    return None
