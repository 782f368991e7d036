"""A receipt by its number, for programs."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from consent import problems
from consent.api.endpoints import endpoint
from consent.audit import receipts
from consent.decision import Consent


@endpoint("GET", "HEAD")
def receipt(_request: HttpRequest, consent: Consent, number: str) -> HttpResponse:
    """GET /api/v1/receipts/{id}: a receipt; the number is the only key to it."""
    found = receipts.find(site=consent.published.site, number=number)
    if found is None:
        response: HttpResponse = problems.problem(
            404, "unknown_receipt", "There is no such receipt here."
        )
    else:
        response = JsonResponse(receipts.document(found))
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response
