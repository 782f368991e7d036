"""A person's own records."""

from consent.decision import Consent
from consent.models import Content, Link


def history(
    consent: Consent, *, user: int | None, visitor_id: str | None
) -> list[tuple[Content, Link]]:
    """The records of a signed-in user, else of this browser; newest first."""
    site = consent.published.site
    links = Link.objects.filter(site=site)
    if user is not None:
        links = links.filter(user=str(user))
    elif visitor_id is not None:
        links = links.filter(visitor=visitor_id, user="")
    else:
        return []
    found = list(links.order_by("-time")[:100])
    # The site of either table, because every index begins with it.
    records = Content.objects.filter(site=site, entry__site=site)
    keys = [link.pk for link in found]
    contents = records.select_related("entry", "site").in_bulk(keys)
    return [(contents[link.pk], link) for link in found if link.pk in contents]
