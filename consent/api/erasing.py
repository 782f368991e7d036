"""The API's endpoint that erases the caller's own records."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from consent import problems, visitor
from consent.api.documents import decision_document
from consent.api.endpoints import endpoint
from consent.audit.erasure import erase_own
from consent.core.origin import Trust
from consent.core.record import Surface
from consent.decision import Consent
from consent.forms import trust_of


@endpoint("DELETE")
def erase(request: HttpRequest, consent: Consent) -> HttpResponse:
    """DELETE /api/v1/visitor: erase the caller's records, and refuse everything.

    `receipt` is that of the refusal, and null where there was nothing to erase and
    nothing left to refuse. What is erased cannot be had back, so that a request must
    show where it comes from, as for a grant.
    """
    if trust_of(request, consent) is not Trust.FULL:
        return problems.forbidden_origin(request)
    if not consent.published.policy.version:
        return problems.nothing_to_refuse(request)
    erased = erase_own(consent, Surface.API)
    kept = erased.kept
    body: dict[str, Any] = {
        "receipt": kept.receipt.document(own=True) if kept else None,
        "erased": erased.records,
        "decision": decision_document(consent, kept),
    }
    if consent.elsewhere and kept is not None:
        body["cookie"] = visitor.cookie_value(kept.choice, cookies=consent.cookies)
    return JsonResponse(body)
