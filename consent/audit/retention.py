"""Retention: what is over for long enough is dropped, and only its hash stays.

A record is kept for `CONSENT_RETENTION_DAYS` from the day it ended
(`consent.core.retention`). Then its content goes, and what still tied it to a person;
its entry, its place in the log and its proof stay for ever, and so do the operator's
acts. An act in the log says how many records were dropped, and commits to their hashes.

0 days keep records for ever, but not what somebody had erased: the tie that an erasure
locked away, and the record, go `ERASED_DAYS` after it all the same.

A run reads the records that are old enough in the order of time, some thousand at a
time, so that memory does not grow with the ledger, but only with the longest history of
one person. Running again goes on where a run was stopped.
"""

import json
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import batched, chain, groupby
from operator import itemgetter
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from consent.audit import removal
from consent.core.jurisdictions import Rules
from consent.core.retention import answered, ended_of_nobody, endings, is_due
from consent.models import Content, Link, Preference, Removal, Restricted, Site
from consent.publication import Published
from consent.visitor.cookies import LONGEST

# The month in which a person must be answered (GDPR art. 12(3)): who complains about a
# record today must find it.
SHORTEST: Final = 30
# Where records are kept for ever: how long one is whose tie was locked away.
ERASED_DAYS: Final = 1095
_CHUNK: Final = 4096
# The clocks of two servers, and how long a choice may wait for an account's lock.
_APART: Final = timedelta(minutes=1)

_OF: Final = ("pk", "user", "visitor")
_CONTENT: Final = ("entry__content__time", "entry__content__canonical")

type _Row = tuple[uuid.UUID, datetime]
type _Told = tuple[str, datetime, str]


class TooShortError(ValueError):
    """So short a retention is refused; the text says what is not."""


def prune(*, here: Published, days: int, at: datetime, dry_run: bool = False) -> int:
    """Drop what ended over `days` days before `at` on a site; how many records it was.

    0 days means that records are kept for ever, but for those whose tie an erasure
    locked away: they go `ERASED_DAYS` after it. TooShortError below `SHORTEST`. Each
    4,096 records are one transaction and one act. A dry run only counts.
    """
    if 0 != days < SHORTEST:
        raise TooShortError(
            f"Records must be kept for {SHORTEST} days or more after they ended, or "
            f"for ever (0); {days} is too short."
        )
    due = _due(here, days, at)
    if days == 0:
        days = ERASED_DAYS
        due = _locked_away(here.site, at - timedelta(days=days))
    if dry_run:
        return sum(1 for _ in due)
    return sum(
        _drop(here.site, some, days, at) for some in batched(due, removal.LARGEST)
    )


def _drop(site: Site, entries: Sequence[uuid.UUID], days: int, at: datetime) -> int:
    """Drop some records in one transaction; another run may have been first."""
    links = Link.objects.filter(site=site, pk__in=entries).order_by("pk")
    contents = Content.objects.filter(site=site, pk__in=entries).order_by("pk")
    with transaction.atomic():
        # The links, then the contents, in the order in which an erasure locks them.
        list(links.select_for_update().values_list("pk"))
        left = list(contents.select_for_update().values_list("pk", flat=True))
        if left:
            removal.remove(
                site=site,
                entries=left,
                reason=Removal.Reason.RETENTION,
                # What an erasure moves from the first to the second is met there.
                tables=(Link, Restricted, Content),
                at=at,
                detail={"days": days},
            )
    return len(left)


def _due(here: Published, days: int, at: datetime) -> Iterator[uuid.UUID]:
    """The records that may be dropped, oldest first."""
    for rows in _old(here.site, at - timedelta(days=days)):
        ended = _ended(here, rows)
        for entry, _time in rows:
            if is_due(ended=ended[entry], at=at, days=days):
                yield entry


def _old(site: Site, before: datetime) -> Iterator[list[_Row]]:
    """Records given before a time, some at a time; none can have ended earlier."""
    records = Content.objects.filter(site=site, kind="consent", time__lt=before)
    # As the index has it, read backwards.
    rows = records.order_by("time", "-entry_id").values_list("entry_id", "time")
    found = list(rows[:_CHUNK])
    while found:
        yield found
        entry, time = found[-1]
        later = Q(time__gt=time) | Q(time=time, entry_id__lt=entry)
        found = list(rows.filter(later, time__gte=time)[:_CHUNK])


def _locked_away(site: Site, before: datetime) -> Iterator[uuid.UUID]:
    """Records whose tie to a person was locked away before a time, oldest first."""
    ties = Restricted.objects.filter(site=site, restricted_at__lt=before)
    rows = ties.order_by("restricted_at", "pk").values_list("pk", "restricted_at")
    found = list(rows[:_CHUNK])
    while found:
        yield from (entry for entry, _time in found)
        entry, time = found[-1]
        later = Q(restricted_at__gt=time) | Q(restricted_at=time, pk__gt=entry)
        found = list(rows.filter(later)[:_CHUNK])


def _ended(here: Published, rows: Sequence[_Row]) -> dict[uuid.UUID, datetime | None]:
    """When some records ended; None for those that did not.

    Links are asked first: a record that is erased in between has its removal then.
    """
    site, entries = here.site, [entry for entry, _time in rows]
    links = Link.objects.filter(site=site, pk__in=entries)
    owners = {
        entry: (user, visitor) for entry, user, visitor in links.values_list(*_OF)
    }
    # Whoever deleted their account can be found by none of its records any more.
    gone = _deleted(site, {user for user, _ in owners.values() if user})
    owners = {entry: owner for entry, owner in owners.items() if owner[0] not in gone}
    found = {
        entry: ended_of_nobody(time=time, remembered=LONGEST) for entry, time in rows
    }
    ends: dict[uuid.UUID, datetime | None] = {**found, **dict.fromkeys(owners)}
    ends.update(
        (entry, ended)
        for entry, ended in _ended_of_people(here, set(owners.values()))
        if entry in owners
    )
    erased = Removal.objects.filter(reason=Removal.Reason.ERASURE)
    ends.update(
        erased.filter(site=site, entry__in=entries).values_list("entry_id", "time")
    )
    return ends


def _deleted(site: Site, users: Collection[str]) -> set[str]:
    """Which accounts, by their keys, exist no more and have no choice either."""
    if not users:
        return set()
    found = ((_key(user), user) for user in users)
    keys: dict[Any, str] = {key: user for key, user in found if key is not None}
    there = set(get_user_model().objects.filter(pk__in=list(keys)).values_list("pk"))
    chosen = Preference.objects.filter(site=site, user__in=list(keys))
    there.update(chosen.values_list("user_id"))
    return set(users) - {keys[key] for (key,) in there}


def _key(user: str) -> Any:  # noqa: ANN401 - whatever the user model has
    """An account's key as the account has it; None for what can be none."""
    try:
        return get_user_model()._meta.pk.to_python(user)  # noqa: SLF001 - documented
    except ValidationError:
        return None


def _ended_of_people(
    here: Published, owners: Collection[tuple[str, str]]
) -> Iterator[tuple[uuid.UUID, datetime | None]]:
    """When each record of some people ended; one history at a time is in memory."""
    longest = _longest_grant(here.book.rules)
    for history in _histories(here.site, owners):
        records = [
            answered(members=json.loads(canonical), time=time, longest=longest)
            for _owner, time, canonical in history
        ]
        found = endings(records=records, apart=_APART)
        yield from ((uuid.UUID(number), ended) for number, ended in found.items())


def _histories(
    site: Site, owners: Collection[tuple[str, str]]
) -> Iterator[Iterable[_Told]]:
    """All records of each account, and of each browser, as they add up to a choice."""
    # The site of every table, because every index begins with it.
    links = Link.objects.filter(site=site, entry__site=site, entry__content__site=site)
    accounts = links.filter(user__in={user for user, _ in owners if user})
    browsers = links.filter(
        user="", visitor__in={visitor for user, visitor in owners if not user}
    )
    for some, owner in ((accounts, "user"), (browsers, "visitor")):
        rows = some.order_by(owner).values_list(owner, *_CONTENT)
        for _name, history in groupby(rows.iterator(), key=itemgetter(0)):
            yield history


def _longest_grant(rules: Rules) -> timedelta:
    """The longest that a grant counts at any place today."""
    periods = chain.from_iterable(rules.periods.values())
    limits = [period.rule.grant_limit for period in periods]
    return timedelta(days=max(limits, default=rules.unknown.grant_limit))
