"""Checking a table, and importing it: some hundred answers in a transaction.

Every transaction ends with an act that says which lines it holds and commits to the
records it made, by the root over their leaf hashes (RFC 9162, sorted as bytes, as
removals do). The act that begins a run says where it all came from and what its names
were said to mean.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Final

from django.db import transaction
from django.utils import timezone

from consent import choices
from consent.accounts import Account
from consent.audit.erasure import unattended
from consent.choices import Recorded
from consent.core.canonical import Json
from consent.core.imports import Source, counted, said, together
from consent.core.merkle import root
from consent.core.policy import Policy
from consent.core.preferences import Choice
from consent.core.record import timestamp
from consent.decision import Consent
from consent.imports.people import People, account_word, visitor_of
from consent.imports.progress import (
    BEGUN,
    ENDED,
    IMPORTED,
    Progress,
    newest_line,
    progress,
    tell,
)
from consent.imports.reading import Bad, Group, OnBad, TableFile
from consent.models import Site
from consent.publication import Published

_AT_ONCE: Final = 500


class PlanError(ValueError):
    """The file is in already, or was begun otherwise; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a table is imported to, and what the operator says of it.

    `same_as` is the published version that the earlier tool asked the same as, of
    everybody and before anything ran; without it only refusals are imported. `people`
    finds accounts by the table's identifiers; None where they name nobody here.
    """

    here: Published
    source: Source
    same_as: Policy | None
    people: People | None

    def document(self, file: TableFile) -> dict[str, Json]:
        """The plan as it stands in the log: what decides what the records say."""
        names = {str(p): list(theirs) for p, theirs in file.table.names.items()}
        return {
            "source": str(self.source),
            "purposes": names,
            "columns": {str(r): place for r, place in file.table.roles.items()},
            "same_as": self.same_as.version if self.same_as else None,
            "accounts": self.people.field if self.people else None,
        }


@dataclass(slots=True)
class Counts:
    """What a table came to; `unmapped` are names that no purpose stands for."""

    rows: int = 0
    answers: int = 0
    tests: int = 0
    nothing: int = 0
    bad: int = 0
    records: int = 0
    accounts: int = 0
    unmapped: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Taken:
    """An answer with what of it counts, and whose it is."""

    group: Group
    account: Account | None


def check(file: TableFile, plan: Plan, *, now: datetime, on_bad: OnBad) -> Counts:
    """Read the whole table, and write nothing; every row that is wrong is told."""
    counts = Counts()

    def bad(one: Bad) -> None:
        counts.bad += 1
        on_bad(one)

    known = {name for theirs in file.table.names.values() for name in theirs}
    consent = _consent(plan)
    for groups in batched(file.groups(now=now, on_bad=bad), _AT_ONCE):
        for taken in _whose(plan, groups, bad):
            _count(counts, taken, known)
            counts.nothing += not _counts(consent, plan, file, taken.group).answers
    return counts


def _count(counts: Counts, taken: _Taken, known: set[str]) -> None:
    rows = taken.group.rows
    counts.answers += 1
    counts.rows += len(rows)
    counts.tests += sum(1 for row in rows if not row.counts)
    counts.accounts += taken.account is not None
    names = {name for row in rows for name in row.answers}
    room = 20 - len(counts.unmapped)
    counts.unmapped.update(sorted(names - known - counts.unmapped)[: max(room, 0)])


def run(file: TableFile, plan: Plan, *, now: datetime, again: bool) -> Counts:
    """Import a table that was checked; rows that are not understood are passed over.

    It goes on where a run with the same plan was stopped. PlanError for a file that is
    in already, unless it is to be imported `again`.
    """
    before = _begin(file, plan, again=again)
    site, line, counts = plan.here.site, before.line, Counts()

    def passed_over(_one: Bad) -> None:
        counts.bad += 1

    left = (g for g in file.groups(now=now, on_bad=passed_over) if g.last > before.line)
    for groups in batched(left, _AT_ONCE):
        counts.answers += len(groups)
        file.require_unchanged()
        with transaction.atomic():
            _claim(site, file, before.run, line)
            made, last = _import(file, plan, groups, before.run, line)
        counts.records += made
        line = last if made else line
    _end(file, plan, before.run, counts)
    return counts


def _begin(file: TableFile, plan: Plan, *, again: bool) -> Progress:
    """Take the file up: a new run, or the one that was stopped."""
    site, document = plan.here.site, plan.document(file)
    with transaction.atomic():
        _lock(site)
        found = progress(site, file.digest)
        if found.run and not found.ended:
            if found.plan != document:
                raise PlanError(
                    "The import of this file was begun with other options; go on with "
                    "the same ones, and then import it --again."
                )
            return found
        if found.ended and not again:
            raise PlanError(
                "This file is in already, and adds nothing; --again imports it anew."
            )
        begun: dict[str, Json] = {"run": found.run + 1, "plan": document}
        tell(site, file.digest, BEGUN, begun, at=timezone.now())
    return Progress(run=found.run + 1, plan=document)


def _end(file: TableFile, plan: Plan, run: int, counts: Counts) -> None:
    detail: dict[str, Json] = {"run": run, "bad": counts.bad}
    tell(plan.here.site, file.digest, ENDED, detail, at=timezone.now())


def _lock(site: Site) -> None:
    """Let one import at a time write to a site; choices go on meanwhile."""
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)


def _claim(site: Site, file: TableFile, run: int, line: int) -> None:
    _lock(site)
    if newest_line(site, file.digest, run) != line:
        raise PlanError("Another process imports this file at the moment.")


def _import(
    file: TableFile, plan: Plan, groups: Sequence[Group], run: int, after: int
) -> tuple[int, int]:
    """Import some answers; how many records it made, and the last line."""
    consent = _consent(plan)
    hashes: list[bytes] = []
    times: list[datetime] = []
    for taken in _whose(plan, groups, lambda _bad: None):
        records = _take_over(consent, plan, file, taken)
        hashes += [record.receipt.leaf_hash for record in records]
        time = taken.group.rows[0].time
        times += [time] if records and time else []
    last = groups[-1].last
    if hashes:
        detail: dict[str, Json] = {
            "run": run,
            "lines": [after + 1, last],
            "records": len(hashes),
            "root": root(sorted(hashes)).hex(),
            "earliest": timestamp(min(times)) if times else None,
            "latest": timestamp(max(times)) if times else None,
        }
        at = consent.server_time
        tell(plan.here.site, file.digest, IMPORTED, detail, at=at)
    return len(hashes), last


def _take_over(
    consent: Consent, plan: Plan, file: TableFile, taken: _Taken
) -> list[Recorded]:
    choice = _counts(consent, plan, file, taken.group)
    if not choice.answers:
        return []
    granted = any(answer.granted for answer in choice.answers.values())
    who = account_word(taken.group.rows[0])
    visitor = (
        visitor_of(site=plan.here.site.slug, source=plan.source, who=who)
        if who and granted and taken.account is None
        else None
    )
    return choices.take_over(consent, choice, account=taken.account, visitor_id=visitor)


def _counts(consent: Consent, plan: Plan, file: TableFile, group: Group) -> Choice:
    """What of an answer counts, at a place that nobody knows: the strictest."""
    rows = [row for row in group.rows if row.counts]
    if not rows:
        return Choice()
    return counted(
        said=said(rows, of=file.table),
        earlier=together(rows),
        policy=plan.here.policy,
        same_as=plan.same_as,
        rule=consent.rule,
        now=consent.server_time,
    )


def _consent(plan: Plan) -> Consent:
    """What an operator asks in people's stead, at this moment."""
    return unattended(plan.here)


def _whose(plan: Plan, groups: Sequence[Group], on_bad: OnBad) -> Iterator[_Taken]:
    """The account of each answer, if it has one; who may be two people is told."""
    words = {account_word(group.rows[0]) or "" for group in groups}
    named = plan.people.named(words - {""}) if plan.people else {}
    for group in groups:
        keys = named.get(account_word(group.rows[0]) or "", [])
        if len(keys) > 1:
            on_bad(Bad(group.last, "it names more than one account", ()))
            continue
        yield _Taken(group, Account(user=keys[0]) if keys else None)
