"""`request.consent`, and in the response what follows from it.

The middleware is thin: it hangs a lazy value on the request, says in the response what
it varied on when anything was asked, and lets the signal reach the account of somebody
signed in.
"""

import logging
from collections.abc import Callable
from http import HTTPStatus

from django.db import Error as AnyDatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.cache import (
    add_never_cache_headers,
    patch_cache_control,
    patch_vary_headers,
)

from consent import choices, counts, problems
from consent.core.origin import Trust
from consent.decision import Consent
from consent.forms import trust_of
from consent.middleware.ours import asks_us
from consent.models import Count
from consent.sites import UnknownSiteError

log = logging.getLogger(__name__)


class ConsentMiddleware:
    """Give the request its lazy `consent`, and the response what follows from it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.consent = Consent(request)  # type: ignore[attr-defined]
        response = self.get_response(request)
        if request.method == "POST" and response.status_code < HTTPStatus.BAD_REQUEST:
            _bring_earlier(request)
            _note_signal(request)
        consent: Consent = request.consent  # type: ignore[attr-defined]
        for change in consent.pending:
            change(response)
        if consent.pending:
            add_never_cache_headers(response)
        if consent.asked:
            _vary(response)
        if consent.decided and consent.decision.applied:
            counts.note(consent, Count.What.GPC)
        return response

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        if isinstance(exception, UnknownSiteError):
            return problems.unknown_site(request)
        # What fails in a project's own view is the project's to tell of.
        if isinstance(exception, AnyDatabaseError) and asks_us(request):
            return problems.unavailable(request)
        return None


def _bring_earlier(request: HttpRequest) -> None:
    """Record, at the first POST, what the cookie of an earlier tool says.

    Never at a GET, and only where a grant may come from. Should it fail, the cookie
    goes on counting from each request alone, and the next POST tries again.
    """
    consent: Consent = request.consent  # type: ignore[attr-defined]
    try:
        if consent.earlier is None or consent.own_choice is not None:
            return
        if trust_of(request, consent) is not Trust.FULL:
            return
        taken = choices.bring(
            consent, account=consent.account, visitor_id=consent.visitor_id
        )
    except UnknownSiteError:
        return
    except AnyDatabaseError:
        log.warning("An earlier tool's answers could not be kept.", exc_info=True)
        return
    if taken is not None:
        choices.carry(consent, taken)


def _note_signal(request: HttpRequest) -> None:
    """Let the signal of a known person's browser reach the account at a POST.

    Never at a GET (rule 6). Should it fail, the header goes on being applied from each
    request alone, and the next POST tries again.
    """
    consent = Consent(request)
    if not consent.signals.gpc:
        return
    try:
        account = consent.account
        if account is None:
            return
        noted = choices.note_signal(
            consent, account=account, visitor_id=consent.visitor_id
        )
    except UnknownSiteError:
        return
    except AnyDatabaseError:
        log.warning("A signal could not be kept on an account.", exc_info=True)
        return
    if noted is not None:
        pending = request.consent.pending  # type: ignore[attr-defined]
        choices.carry(consent, noted)
        pending.extend(consent.pending)


def _vary(response: HttpResponse) -> None:
    """Say that the bytes depend on the visitor; a stricter header of a view stays.

    What a view said of its own bytes is taken back: it does not know of this visitor's
    banner, and a page that seems unchanged would keep it.
    """
    for name in ("ETag", "Last-Modified"):
        del response[name]
    patch_vary_headers(response, ("Cookie", "Accept-Language", "Sec-GPC"))
    if "no-store" not in response.get("Cache-Control", ""):
        patch_cache_control(response, private=True, no_cache=True)
