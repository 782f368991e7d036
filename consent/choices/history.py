"""A person's own records: those that a link ties to them, so none that is erased."""

from collections.abc import Sequence
from typing import Any, Final

from consent import ledger
from consent.decision import Consent
from consent.models import Content, Link

PAGE: Final = 100


def history(
    consent: Consent,
    *,
    user: int | None,
    visitor_id: str | None,
    limit: int | None = PAGE,
) -> list[tuple[Content, Link]]:
    """The records of a signed-in user, else of this browser; newest first.

    `limit` is how many at most; a person's own download has them all.
    """
    site = consent.published.site
    links = Link.objects.filter(site=site)
    if user is not None:
        links = links.filter(user=str(user))
    elif visitor_id is not None:
        links = links.filter(visitor=visitor_id, user="")
    else:
        return []
    found = list(links.order_by("-time")[:limit])
    # The site of either table, because every index begins with it.
    records = Content.objects.filter(site=site, entry__site=site)
    keys = [link.pk for link in found]
    contents = records.select_related("entry", "site").in_bulk(keys)
    return [(contents[link.pk], link) for link in found if link.pk in contents]


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
