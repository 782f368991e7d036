"""The API's endpoints: the decision, a choice, its receipt, and one's own history."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from consent import choices, ledger, problems, visitor
from consent.api.documents import decision_document
from consent.api.origins import is_listed, preflight, shared
from consent.browser import renew
from consent.core.origin import Trust
from consent.decision import Consent, UnknownSiteError
from consent.forms import (
    PolicyChangedError,
    UnreadableError,
    read_body,
    require_json,
    trust_of,
)
from consent.models import Content, Link

type View = Callable[..., HttpResponse]


def _endpoint(*methods: str) -> Callable[[View], View]:
    """An endpoint for some methods that is stored nowhere and knows its site.

    The API has no cookie of Django's to protect it: where a write may come from is
    decided by `forms.trust_of`.
    """

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def answer(request: HttpRequest, **kwargs: Any) -> HttpResponse:  # noqa: ANN401
            consent: Consent = request.consent  # type: ignore[attr-defined]
            try:
                consent.published  # noqa: B018 - an unknown site ends here
                if request.method == "OPTIONS" and is_listed(request, consent):
                    return preflight(request, consent, methods)
                if request.method not in methods:
                    return shared(
                        request, consent, problems.wrong_method(request, methods)
                    )
                response = view(request, consent, **kwargs)
            except UnknownSiteError:
                return problems.unknown_site(request)
            except UnreadableError as error:
                response = _unreadable(request, error)
            response["Cache-Control"] = "no-store"
            return shared(request, consent, response)

        return answer

    return decorate


def _unreadable(request: HttpRequest, error: UnreadableError) -> HttpResponse:
    extra: dict[str, Any] = {}
    if isinstance(error, PolicyChangedError):
        extra["decision"] = decision_document(request.consent)  # type: ignore[attr-defined]
    return problems.problem(error.status, error.kind, error.detail, **extra)


@_endpoint("GET", "HEAD")
def decision(_request: HttpRequest, consent: Consent) -> HttpResponse:
    """GET /api/v1/decision: what to show this visitor, and what may run, right now."""
    document = decision_document(consent)
    renew(consent)
    return JsonResponse(document)


@_endpoint("POST")
def choose(request: HttpRequest, consent: Consent) -> HttpResponse:
    """POST /api/v1/choices: record an explicit answer; 201 with the signed receipt."""
    require_json(request)
    trusted = trust_of(request, consent)
    if trusted is Trust.NONE:
        return problems.forbidden_origin(request)
    sent = read_body(request, consent)
    grants = any(sent.answers.purposes.values()) or any(sent.answers.services.values())
    if grants and trusted is Trust.REFUSE_ONLY:
        return problems.forbidden_origin(request)
    recorded = choices.choose(
        consent,
        answers=sent.answers,
        surface=sent.surface,
        user=consent.user,
        visitor_id=_visitor_id(request, consent),
        language=sent.language,
    )
    choices.carry(consent, recorded)
    body: dict[str, Any] = {
        "receipt": recorded.receipt.document(own=True),
        "decision": decision_document(consent, recorded),
    }
    if consent.elsewhere:
        body["cookie"] = visitor.cookie_value(recorded.choice, cookies=consent.cookies)
    return JsonResponse(body, status=201)


def _visitor_id(request: HttpRequest, consent: Consent) -> str | None:
    if consent.elsewhere:
        return None
    return visitor.read_visitor_id(request, site=consent.published.site.slug)


@_endpoint("GET", "HEAD")
def receipt(_request: HttpRequest, consent: Consent, number: str) -> HttpResponse:
    """GET /api/v1/receipts/{id}: a receipt; the number is the only key to it."""
    try:
        key = uuid.UUID(hex=number)
    except ValueError:
        return _no_receipt()
    site = consent.published.site
    found = Content.objects.select_related("entry", "site").filter(
        pk=key, site=site, entry__site=site, kind="consent"
    )
    content = found.first()
    if content is None:
        return _no_receipt()
    response = JsonResponse(ledger.receipt_of(content, None).document(own=False))
    response["X-Robots-Tag"] = "noindex"
    return response


def _no_receipt() -> HttpResponse:
    return problems.problem(404, "unknown_receipt", "There is no such receipt here.")


@_endpoint("GET", "HEAD")
def history(request: HttpRequest, consent: Consent) -> HttpResponse:
    """GET /api/v1/history: the caller's own records, newest first."""
    records = choices.history(
        consent, user=consent.user, visitor_id=_visitor_id(request, consent)
    )
    return JsonResponse({"records": [_own(content, link) for content, link in records]})


def _own(content: Content, link: Link) -> dict[str, Any]:
    return ledger.receipt_of(content, link).document(own=True)
