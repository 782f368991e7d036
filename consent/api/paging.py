"""Pages of a person's history: how long they are, and where the next one begins.

A cursor names a record's place, and a record's number is a key: an address stands in
logs, so the cursor is sealed. It is good for the site and the person that it was made
for and opens nothing for anybody else.
"""

import uuid
from datetime import datetime
from typing import Final

from django.http import HttpRequest

from consent.choices import LONGEST_PAGE, Place
from consent.decision import Consent
from consent.forms import UnreadableError
from consent.secret_boxes import SecretBoxError, open_secret, seal_secret

_PURPOSE: Final = "history cursor"
_DIGITS: Final = 3


def limit_of(request: HttpRequest) -> int:
    """`?limit=`: how many records a page may have."""
    text = request.GET.get("limit")
    if text is None:
        return LONGEST_PAGE
    plain = text.isascii() and text.isdigit() and len(text) <= _DIGITS
    if not plain or not 1 <= int(text) <= LONGEST_PAGE:
        raise UnreadableError(f"limit must be a whole number from 1 to {LONGEST_PAGE}.")
    return int(text)


def place_of(
    request: HttpRequest, consent: Consent, *, visitor_id: str | None
) -> Place | None:
    """`?cursor=`: after which record the page begins; None for the first page."""
    text = request.GET.get("cursor")
    if text is None:
        return None
    try:
        held = open_secret(text, purpose=_PURPOSE)
    except SecretBoxError:
        raise _unknown_cursor() from None
    owner, _line, place = held.rpartition("\n")
    if owner != _owner(consent, visitor_id):
        raise _unknown_cursor()
    time, _space, entry = place.partition(" ")
    return Place(datetime.fromisoformat(time), uuid.UUID(entry))


def cursor(
    place: Place | None, consent: Consent, *, visitor_id: str | None
) -> str | None:
    """The cursor of the page after a place; None where nothing follows."""
    if place is None:
        return None
    owner = _owner(consent, visitor_id)
    text = f"{owner}\n{place.time.isoformat()} {place.entry.hex}"
    return seal_secret(text, purpose=_PURPOSE)


def _owner(consent: Consent, visitor_id: str | None) -> str:
    """Whose history it is, on which site."""
    who = f"browser {visitor_id}" if consent.user is None else f"user {consent.user}"
    return f"{consent.published.site.slug}\n{who}"


def _unknown_cursor() -> UnreadableError:
    return UnreadableError("That cursor leads nowhere: begin again without one.")
