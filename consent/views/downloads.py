"""One's own records as files: the account's, and those that this browser leads to."""

import csv
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from consent import choices
from consent.core.purposes import OPTIONAL
from consent.decision import signed_in
from consent.views.visitors import consent_of
from consent.views.writes import visitor_id

_COLUMNS: Final = (
    *("time", "event", "surface", *map(str, OPTIONAL)),
    *("rule", "policy_version", "receipt"),
)


@never_cache
@login_required
@require_GET
def account(request: HttpRequest, form: str) -> HttpResponse:
    """GET /settings/user/cookie-preferences/history.{json,csv}: the account's records.

    JSON with receipts, or CSV to read.
    """
    return _file(request, form)


@never_cache
@require_GET
def visitor(request: HttpRequest, form: str) -> HttpResponse:
    """GET /cookie-preferences/history.{json,csv}: the records of this browser.

    Its `consent_id` cookie is the only key to them; without one the file has none.
    """
    return _file(request, form)


def _file(request: HttpRequest, form: str) -> HttpResponse:
    consent = consent_of(request)
    records = choices.history(
        consent,
        user=signed_in(request),
        visitor_id=visitor_id(request, consent),
        limit=None,
    )
    receipts = choices.own_receipts(consent, records)
    if form == "json":
        response: HttpResponse = JsonResponse({"records": receipts})
    else:
        response = _csv(receipts)
    name = f"cookie-preferences.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _csv(receipts: list[dict[str, Any]]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    writer = csv.writer(response)
    writer.writerow(_COLUMNS)
    writer.writerows(map(_row, receipts))
    return response


def _row(receipt: dict[str, Any]) -> list[Any]:
    record = receipt["record"]
    return [
        *(record["time"], record["event"], record["surface"]),
        *(record["purposes"].get(str(purpose)) for purpose in OPTIONAL),
        *(record["jurisdiction"]["rule"], record["policy"]["version"], receipt["id"]),
    ]
