"""A person's own records: those that a link ties to them, so none that is erased.

Newest first, and by number where two are of the same moment: a page that begins after
a record's place goes on where the last one ended, whatever came or went meanwhile.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db.models import Q, QuerySet

from consent import ledger
from consent.decision import Consent
from consent.models import Content, Link

LONGEST_PAGE: Final = 100

type Records = list[tuple[Content, Link]]


class Place(NamedTuple):
    """A record's place in the order of a history."""

    time: datetime
    entry: uuid.UUID


class Page(NamedTuple):
    """Some records, and the place after which the others come; None where none do."""

    records: Records
    end: Place | None


def history(
    consent: Consent,
    *,
    user: int | None,
    visitor_id: str | None,
    limit: int | None = LONGEST_PAGE,
) -> Records:
    """The records of a signed-in user, else of this browser; newest first.

    `limit` is how many at most; a person's own download has them all.
    """
    links = _links(consent, user=user, visitor_id=visitor_id)
    return _with_contents(consent, list(links[:limit]))


def history_page(
    consent: Consent,
    *,
    user: int | None,
    visitor_id: str | None,
    limit: int = LONGEST_PAGE,
    after: Place | None = None,
) -> Page:
    """One page of the same records, from the newest on or after a place."""
    links = _links(consent, user=user, visitor_id=visitor_id)
    if after is not None:
        # An index answers the last condition; the first tells one moment's apart.
        links = links.filter(
            Q(time__lt=after.time) | Q(pk__lt=after.entry), time__lte=after.time
        )
    found = list(links[: limit + 1])
    page = found[:limit]
    end = Place(page[-1].time, page[-1].pk) if len(found) > limit else None
    return Page(_with_contents(consent, page), end)


def _links(
    consent: Consent, *, user: int | None, visitor_id: str | None
) -> QuerySet[Link]:
    links = Link.objects.filter(site=consent.published.site)
    if user is not None:
        links = links.filter(user=str(user))
    elif visitor_id is not None:
        # Not `user=""`: a database without statistics could take the index of users,
        # and go through the records of everybody who has no account.
        links = links.filter(visitor=visitor_id).exclude(user__gt="")
    else:
        return links.none()
    return links.order_by("-time", "-pk")


def _with_contents(consent: Consent, links: Sequence[Link]) -> Records:
    site = consent.published.site
    # The site of either table, because every index begins with it.
    records = Content.objects.filter(site=site, entry__site=site)
    keys = [link.pk for link in links]
    contents = records.select_related("entry", "site").in_bulk(keys)
    return [(contents[link.pk], link) for link in links if link.pk in contents]


def own_receipts(
    consent: Consent, records: Sequence[tuple[Content, Link]]
) -> list[dict[str, Any]]:
    """The person's own copies of some records' receipts, with their proofs."""
    site = consent.published.site
    logs = ledger.log_parts(site=site, entries=[link.pk for _content, link in records])
    return [
        ledger.receipt_of(content, link).document(own=True, log=logs.get(link.pk))
        for content, link in records
    ]
