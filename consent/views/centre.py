"""What the preference centre shows, in the settings area and outside of it."""

from typing import Any

from django.http import HttpRequest

from consent import choices, counts, languages, places
from consent.core.record import Event, Surface
from consent.decision import Consent, signed_in
from consent.forms import SAVED, form_token, receipt_named
from consent.models import Content, Count
from consent.notices import answered, centre_notice
from consent.views.demo import explained
from consent.views.reasons import why
from consent.views.words import EVENTS, SURFACES
from consent.views.writes import visitor_id


def centre(request: HttpRequest, consent: Consent, back: str) -> dict[str, Any]:
    """Every purpose with its answer, what is essential, why, and the own history."""
    decision = consent.decision
    digest, notice = centre_notice(
        consent.published,
        decision,
        language=consent.language,
        # Somebody signed in is led to the settings page.
        surface=Surface.PREFERENCES if consent.user is None else Surface.SETTINGS,
    )
    counts.note(consent, Count.What.SHOWN, notice=digest)
    rows = answered(notice, decision)
    history = _history(request, consent)
    spoken = consent.published.languages
    others = len(spoken) > 1
    named = receipt_named(request, consent)
    return {
        "notice": notice,
        "notice_hash": digest,
        "purposes": rows,
        "granted": any(purpose["answer"] for purpose in rows),
        "decision": decision,
        "location": consent.location,
        "why": why(consent),
        "policy_version": consent.published.policy.version,
        "token": form_token(consent),
        "return_to": back,
        # Whoever writes such an address has not saved anything by it.
        "saved": SAVED in request.GET and bool(named),
        "receipt": named or (history[0]["receipt"] if history else ""),
        "history": history,
        "languages": [languages.language(code) for code in spoken] if others else [],
        "language": consent.language,
        "places": places.choices(consent.published.book, consent.language),
        "region": consent.region or "",
        "kept_query": kept_query(request, back),
        **explained(consent),
    }


def kept_query(request: HttpRequest, back: str) -> dict[str, str]:
    """What the menus of a page hand on beside what is picked in them."""
    names = ("as", "language", "place")
    given = {name: request.GET[name] for name in names if name in request.GET}
    return given | ({"return_to": back} if back else {})


def _history(request: HttpRequest, consent: Consent) -> list[dict[str, Any]]:
    """The person's own records, newest first, in words."""
    found = choices.history(
        consent, user=signed_in(request), visitor_id=visitor_id(request, consent)
    )
    return [_told(content) for content, _link in found]


def _told(content: Content) -> dict[str, Any]:
    return {
        "time": content.time,
        "event": EVENTS[Event(content.event)],
        "surface": SURFACES[Surface(content.surface)],
        "receipt": content.entry_id.hex,
    }
