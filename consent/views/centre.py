"""What the preference centre shows, in the settings area and outside of it."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consent import choices
from consent.core.purposes import Purpose
from consent.core.record import Event, Surface
from consent.core.scales import Model
from consent.decision import Consent, signed_in
from consent.forms import SAVED, form_token, receipt_named
from consent.models import Content
from consent.notices import notice_for
from consent.views.demo import explained
from consent.views.reasons import why
from consent.views.words import EVENTS, SURFACES
from consent.views.writes import visitor_id
from consent.visitor.cookies import LONGEST


def centre(request: HttpRequest, consent: Consent, back: str) -> dict[str, Any]:
    """Every purpose with its answer, what is essential, why, and the own history."""
    decision = consent.decision
    digest, notice = notice_for(
        consent.published,
        language=consent.language,
        purposes=decision.offered,
        signal=bool(decision.applied),
    )
    rows = [_row(consent, purpose) for purpose in notice["purposes"]]
    history = _history(request, consent)
    return {
        "notice": notice,
        "notice_hash": digest,
        # Where cookies run without a yes, the page must not speak of a wish.
        "lead": notice["wish" if decision.model is Model.OPT_IN else "tell"],
        "essential": list(_essential()),
        "purposes": rows,
        "granted": any(row["answer"] for row in rows),
        "decision": decision,
        "location": consent.location,
        "why": why(consent),
        "policy_version": consent.published.policy.version,
        "token": form_token(consent),
        "return_to": back,
        "saved": SAVED in request.GET,
        "receipt": receipt_named(request, consent)
        or (history[0]["receipt"] if history else ""),
        "history": history,
        **explained(consent),
    }


def _row(consent: Consent, purpose: dict[str, Any]) -> dict[str, Any]:
    """A purpose of the notice with the answer to it: True, False, or None for none."""
    decision, choice = consent.decision, consent.decision.choice
    answer = choice.answers.get(purpose["purpose"]) if choice else None
    running = decision.purposes.get(purpose["purpose"], False)
    services = [
        {**s, "running": decision.services.get(s["service"], running)}
        for s in purpose["services"]
    ]
    held_back = purpose["purpose"] == Purpose.MARKETING and bool(decision.applied)
    return {
        **purpose,
        "services": services,
        "answer": answer.granted if answer else None,
        "running": running,
        "held_back": held_back,
    }


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


def _essential() -> Iterator[dict[str, str]]:
    """The cookies that are never asked about: name, what for, how long."""
    name = settings.CONSENT_COOKIE_NAME
    answer, account = LONGEST.days, settings.SESSION_COOKIE_AGE // 86_400
    yield _cookie(name, _("Remembers your answer about cookies."), answer)
    yield _cookie(
        f"{name}_id",
        _("Leads you to your own records; set only once you allow something."),
        answer,
    )
    yield _cookie(
        settings.SESSION_COOKIE_NAME, _("Keeps you signed in; set at sign-in."), account
    )
    yield _cookie(
        settings.CSRF_COOKIE_NAME,
        _("Protects forms against other sites; set at sign-in."),
        settings.CSRF_COOKIE_AGE // 86_400,
    )


def _cookie(name: str, description: str, days: int) -> dict[str, str]:
    lifetime = ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    return {"name": name, "description": description, "lifetime": lifetime}
