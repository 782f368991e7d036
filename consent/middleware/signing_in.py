"""Sign-in and sign-out reach the choice (rule 8)."""

from dataclasses import replace
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpRequest

from consent import choices, visitor
from consent.accounts import Account
from consent.browser import keep_in_browser
from consent.decision import Consent
from consent.sites import UnknownSiteError


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
        browser,
        account=Account(user=user.pk),
        browser=browser.browser_choice,
        visitor_id=visitor_id,
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
        choice = consent.own_choice
    except UnknownSiteError:
        return
    if choice is not None:
        keep_in_browser(consent, replace(choice, left=True, receipt=None))
    consent.pending.append(
        lambda response: visitor.clear_visitor_id(response, cookies=consent.cookies)
    )
