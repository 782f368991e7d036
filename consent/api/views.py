"""The API's endpoints: the decision, a choice, and one's own history."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from consent import choices, problems, visitor
from consent.api import fragments, paging
from consent.api.documents import decision_document
from consent.api.endpoints import endpoint
from consent.browser import renew
from consent.core.origin import Trust
from consent.decision import Consent
from consent.forms import (
    Sent,
    any_grant,
    on_screen,
    read_body,
    repeatable,
    require_json,
    trust_of,
)


@endpoint("GET", "HEAD")
def decision(request: HttpRequest, consent: Consent) -> HttpResponse:
    """GET /api/v1/decision: what to show this visitor, and what may run, right now."""
    document = decision_document(consent)
    if _by_script(request):
        document |= fragments.part(request, consent, consent.decision)
    renew(consent)
    return JsonResponse(document)


@endpoint("POST")
def choose(request: HttpRequest, consent: Consent) -> HttpResponse:
    """POST /api/v1/choices: record an explicit answer; 201 with the signed receipt."""
    require_json(request)
    trusted = trust_of(request, consent)
    if trusted is Trust.NONE:
        return problems.forbidden_origin(request)
    again = repeatable(request)
    recorded = None
    if again is not None and trusted is Trust.FULL:
        # What was kept stays kept, whatever was published since.
        recorded = choices.repeated(consent, again)
    if recorded is None:
        sent = read_body(request, consent)
        grants = any_grant(sent.answers.purposes, sent.answers.services)
        if grants and trusted is Trust.REFUSE_ONLY:
            return problems.forbidden_origin(request)
        recorded = _kept(consent, sent, again)
    choices.carry(consent, recorded)
    body: dict[str, Any] = {
        "receipt": recorded.receipt.document(own=True),
        "decision": decision_document(consent, recorded),
    }
    if _by_script(request):
        body["decision"] |= fragments.part(request, consent, recorded.decision)
        body["saved"] = fragments.saved(request, consent, recorded)
    if consent.elsewhere:
        body["cookie"] = visitor.cookie_value(recorded.choice, cookies=consent.cookies)
    return JsonResponse(body, status=201)


def _kept(
    consent: Consent, sent: Sent, again: choices.Repeatable | None
) -> choices.Recorded:
    """The record of a choice; with a key, the one that the same request made before."""
    make = partial(
        choices.choose,
        consent,
        answers=sent.answers,
        surface=sent.surface,
        account=consent.account,
        visitor_id=consent.visitor_id,
        language=sent.language,
        **on_screen(sent),
    )
    return choices.once(consent, again, make) if again else make()


def _by_script(request: HttpRequest) -> bool:
    """Whether our client script asks, which is told more (docs/client.md)."""
    return request.GET.get("script") == "1"


@endpoint("GET", "HEAD")
def history(request: HttpRequest, consent: Consent) -> HttpResponse:
    """GET /api/v1/history: the caller's own records, newest first, page by page."""
    mine = consent.visitor_id
    page = choices.history_page(
        consent,
        user=consent.user,
        visitor_id=mine,
        limit=paging.limit_of(request),
        after=paging.place_of(request, consent, visitor_id=mine),
    )
    following = paging.cursor(page.end, consent, visitor_id=mine)
    records = choices.own_receipts(consent, page.records)
    return JsonResponse({"records": records, "next": following})
