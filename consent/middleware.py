"""What surrounds every request: whom to believe, `request.consent`, and clear failures.

The consent middleware is thin: it hangs a lazy value on the request, says in the
response what it varied on when anything was asked, and lets sign-in and sign-out reach
the choice.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import Error as AnyDatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.cache import (
    add_never_cache_headers,
    patch_cache_control,
    patch_vary_headers,
)

from consent import choices, counts, problems, visitor
from consent.browser import keep_in_browser
from consent.decision import Consent, UnknownSiteError
from consent.models import Count

log = logging.getLogger(__name__)

type Handler = Callable[[HttpRequest], HttpResponse]

# Headers that only a proxy may say.
_FORWARDING = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
)


class TrustedProxyMiddleware:
    """Drop forwarding headers of requests that no trusted proxy handed on."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not visitor.from_trusted_proxy(request):
            for name in _FORWARDING:
                request.META.pop(name, None)
        return self.get_response(request)


class ConsentMiddleware:
    """Give the request its lazy `consent`, and the response what follows from it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.consent = Consent(request)  # type: ignore[attr-defined]
        response = self.get_response(request)
        if request.method == "POST" and response.status_code < HTTPStatus.BAD_REQUEST:
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
        if isinstance(exception, AnyDatabaseError):
            return problems.unavailable(request)
        return None


def _note_signal(request: HttpRequest) -> None:
    """Let the signal of a signed-in person's browser reach the account at a POST.

    Never at a GET (rule 6). Should it fail, the header goes on being applied from each
    request alone, and the next POST tries again.
    """
    consent = Consent(request)
    if not consent.signals.gpc:
        return
    try:
        user = consent.user
        if user is None:
            return
        visitor_id = visitor.read_visitor_id(request, site=consent.published.site.slug)
        noted = choices.note_signal(consent, user=user, visitor_id=visitor_id)
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
    """Say that the bytes depend on the visitor; a stricter header of a view stays."""
    patch_vary_headers(response, ("Cookie", "Accept-Language", "Sec-GPC"))
    if "no-store" not in response.get("Cache-Control", ""):
        patch_cache_control(response, private=True, no_cache=True)


def follow_sign_in() -> None:
    """Let people who sign in and out bring and leave their choice."""
    user_logged_in.connect(_signed_in, dispatch_uid="consent.sign_in")
    user_logged_out.connect(_signed_out, dispatch_uid="consent.sign_out")


def _signed_in(sender: object, request: HttpRequest, user: Any, **_: object) -> None:  # noqa: ANN401, ARG001
    """Merge what the browser holds into the account, in one transaction (rule 8)."""
    if not hasattr(request, "consent"):
        return  # signed in without a request of a visitor: a command, a test client
    browser = Consent(request)
    try:
        here = browser.published
    except UnknownSiteError:
        return
    visitor_id = visitor.read_visitor_id(request, site=here.site.slug)
    choices.arrive(
        browser, user=user.pk, browser=browser.browser_choice, visitor_id=visitor_id
    )
    account = Consent(request)
    request.consent = account
    if browser.browser_choice is not None and browser.browser_choice.left:
        account.pending.append(
            lambda response: visitor.clear_visitor_id(response, cookies=account.cookies)
        )
    if account.choice is not None:
        keep_in_browser(account, account.choice)
    elif browser.browser_choice is not None:
        # What is left are another person's grants, which are not this account's.
        account.pending.append(
            lambda response: visitor.clear_choice(response, cookies=account.cookies)
        )


def _signed_out(sender: object, request: HttpRequest, user: Any, **_: object) -> None:  # noqa: ANN401, ARG001
    """Leave the browser the choice, without user and visitor id (rule 8)."""
    if user is None or not hasattr(request, "consent"):
        return
    consent: Consent = request.consent
    try:
        choice = consent.choice
    except UnknownSiteError:
        return
    if choice is not None:
        keep_in_browser(consent, replace(choice, left=True, receipt=None))
    consent.pending.append(
        lambda response: visitor.clear_visitor_id(response, cookies=consent.cookies)
    )
