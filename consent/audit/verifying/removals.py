"""Removals: that an act in the log committed to each, and that what it took is gone.

A removal is what lets the database delete a content or a link. One that nobody's act
names would be a way to hide an entry; an act is signed, and commits to the leaf hashes
of all that it removed.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Final

from consent.audit.removal import ERASED, RETENTION_RUN
from consent.audit.verifying import reading
from consent.audit.verifying.acts import Act
from consent.audit.verifying.contents import Reading, opens
from consent.audit.verifying.findings import Finding
from consent.audit.verifying.members import NoRecordError, members
from consent.core.merkle import root

# How many removals are checked at a time, the last act's ones with them.
_AT_ONCE: Final = 16_384
_REASONS: Final = {ERASED: "erasure", RETENTION_RUN: "retention"}
_FIRST: Final = uuid.UUID(int=0)
_LAST: Final = uuid.UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Acts:
    """The removals of the acts with numbers above `after` and up to `upto`."""

    whose: Reading
    after: uuid.UUID
    upto: uuid.UUID


@dataclass(frozen=True, slots=True)
class _Removed:
    """A removal, and what is still there of its entry."""

    act: str
    reason: str
    number: str
    leaf: bytes | None
    log: int | None
    index: int | None
    linked: bool
    salt: bytes | None
    visitor: str | None
    text: str | None

    def finding(self, says: str) -> Finding:
        return Finding(says, self.log, self.index, self.number)


def parts(whose: Reading) -> Iterator[Acts]:
    """All acts that removed something, in parts that can be checked apart."""
    after = _FIRST
    while True:
        found = reading.fetched(
            "SELECT act_id FROM consent_removal WHERE site_id = %s AND act_id > %s "
            "ORDER BY act_id LIMIT 1 OFFSET %s",
            (whose.site, reading.number(after), _AT_ONCE),
        )
        upto = uuid.UUID(str(found[0][0])) if found else _LAST
        yield Acts(whose, after, upto)
        if not found:
            return
        after = upto


def check_removals(part: Acts) -> list[Finding]:
    """What is wrong with the removals of some acts."""
    removed = _removed(part)
    told = {act.number: act for act in _acts(part)} if removed else {}
    findings = []
    for number, group in groupby(removed, key=attrgetter("act")):
        entries = list(group)
        says = _wrong_act(told.get(number), entries, part.whose)
        if says:
            first = min(entries, key=lambda e: (e.log or 0, e.index or 0))
            findings.append(first.finding(says))
        findings += [
            found for entry in entries for found in _left(entry, part.whose.slug)
        ]
    return findings


def _removed(part: Acts) -> list[_Removed]:
    whose = part.whose
    return [
        _Removed(*row)
        for row in reading.fetched(
            f"""
            SELECT {reading.hexed("r.act_id")}, r.reason, {reading.hexed("r.entry_id")},
                e.leaf_hash, l.log, l."index", k.entry_id IS NOT NULL,
                s.salt, s.visitor, CASE WHEN s.salt IS NOT NULL THEN c.canonical END
            FROM consent_removal r
            LEFT JOIN consent_entry e ON e.site_id = r.site_id AND e.id = r.entry_id
            LEFT JOIN consent_leaf l
                ON l.site_id = r.site_id AND l.entry_id = r.entry_id
            LEFT JOIN consent_link k
                ON k.site_id = r.site_id AND k.entry_id = r.entry_id
            LEFT JOIN consent_restricted s
                ON s.site_id = r.site_id AND s.entry_id = r.entry_id
            LEFT JOIN consent_content c
                ON c.site_id = r.site_id AND c.entry_id = r.entry_id
            WHERE r.site_id = %s AND r.act_id > %s AND r.act_id <= %s
            ORDER BY r.act_id
            """,  # noqa: S608 - all of it is ours
            (whose.site, reading.number(part.after), reading.number(part.upto)),
        )
    ]


def _acts(part: Acts) -> Iterator[Act]:
    """The acts that the removals name, read after them, so that they are there."""
    whose = part.whose
    for row in reading.fetched(
        f"""
        SELECT {reading.hexed("e.id")}, e.leaf_hash, e.signature, e.key_id, c.canonical
        FROM (
            SELECT DISTINCT act_id FROM consent_removal
            WHERE site_id = %s AND act_id > %s AND act_id <= %s
        ) a
        JOIN consent_entry e ON e.site_id = %s AND e.id = a.act_id
        LEFT JOIN consent_content c ON c.site_id = e.site_id AND c.entry_id = e.id
        """,  # noqa: S608 - all of it is ours
        (
            *(whose.site, reading.number(part.after), reading.number(part.upto)),
            whose.site,
        ),
    ):
        yield Act(*row)


def _wrong_act(
    act: Act | None, entries: Sequence[_Removed], whose: Reading
) -> str | None:
    """What is wrong with an act that some removals name, or with their number."""
    named = f"it was removed by the act {entries[0].act}"
    if act is None or act.text is None:
        return f"{named}, which is not in the ledger"
    if not act.is_genuine(whose.keys):
        return f"{named}, which was not recorded so, or not signed"
    try:
        said = members(act.text, site=whose.slug)
        reason, detail = _REASONS.get(said["act"]), said["detail"]
        number, digest = detail["entries"], detail["root"]
    except (NoRecordError, KeyError, TypeError):
        return f"{named}, which removes nothing"
    if {entry.reason for entry in entries} != {reason}:
        return f"{named}, which removes for another reason"
    hashes = sorted(entry.leaf for entry in entries if entry.leaf is not None)
    if (number, digest) != (len(entries), root(hashes).hex()):
        return (
            f"{named}, which removed {number} entries, and not the {len(entries)} "
            "that name it now"
        )
    return None


def _left(entry: _Removed, slug: str) -> Iterator[Finding]:
    """What is still there, and must not be."""
    if entry.linked:
        yield entry.finding(f"it is linked to somebody again, after its {entry.reason}")
    if entry.salt is None:
        return
    if entry.reason == "retention":
        yield entry.finding("its restricted link is there after its retention")
    elif entry.text is not None and not _opens(entry, entry.text, slug):
        yield entry.finding("its restricted link does not open its pseudonym")


def _opens(entry: _Removed, text: str, slug: str) -> bool:
    try:
        said = members(text, site=slug).get("visitor")
    except NoRecordError:
        return True  # told of where the contents are read
    return opens(entry.salt or b"", entry.visitor or "", said)
