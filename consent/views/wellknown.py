"""Small documents for machines, and the last words where nothing else answered."""

import sys

from django.db import Error as AnyDatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from consent import problems
from consent.languages import wordless

# The day since which this version of the product honours the signal.
_LAST_UPDATE = "2026-11-23"


@wordless
@require_safe
def gpc(_request: HttpRequest) -> HttpResponse:
    """GET /.well-known/gpc.json: this site honours Global Privacy Control."""
    response = JsonResponse({"gpc": True, "lastUpdate": _LAST_UPDATE})
    response["Cache-Control"] = "public, max-age=86400"
    return response


@wordless
@never_cache
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """GET /healthz: the process answers."""
    return HttpResponse("ok", content_type="text/plain")


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """GET /readyz: the database answers too."""
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except AnyDatabaseError:
        return problems.problem(503, "unavailable", "The database does not answer.")
    return HttpResponse("ok", content_type="text/plain")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """400: a request that no page can make sense of, such as a foreign host name."""
    return problems.wrong(
        request, 400, "bad_request", _("This request makes no sense.")
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """404: there is nothing at this address."""
    return problems.wrong(request, 404, "not_found", _("There is nothing here."))


def failed(request: HttpRequest) -> HttpResponse:
    """Django's last resort, never a bare error page: 503 for the database, else 500.

    Django calls it while it handles the exception, and hands nothing over.
    """
    if isinstance(sys.exception(), AnyDatabaseError):
        return problems.unavailable(request)
    return problems.failed(request)
