"""Erasing one's own records, from the preference centre and from the settings."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from consent import problems, visitor
from consent.audit.erasure import Erased, erase_own
from consent.browser import as_kept
from consent.core.origin import Trust
from consent.core.record import Surface
from consent.decision import Consent, signed_in
from consent.forms import RECEIPT, trust_of
from consent.keys import envelope
from consent.views.visitors import consent_of
from consent.views.writes import HttpResponseSeeOther, safe_return, with_query

# The query's word after an erasure; the page then says what was done.
ERASED = "erased"


@csrf_exempt
@never_cache
def erase(request: HttpRequest) -> HttpResponse:
    """POST /cookie-preferences/erase/: the form of the preference centre.

    What is erased cannot be had back, so that the form must show where it comes from.
    """
    if request.method != "POST":
        return problems.wrong_method(request, ("POST",))
    if trust_of(request, consent_of(request)) is not Trust.FULL:
        return problems.forbidden_origin(request)
    return _erase(request)


@never_cache
@login_required
def erase_account(request: HttpRequest) -> HttpResponse:
    """POST /settings/user/cookie-preferences/erase/: the form of the settings page.

    Django has checked the page's own token.
    """
    if request.method != "POST":
        return problems.wrong_method(request, ("POST",))
    return _erase(request)


def _erase(request: HttpRequest) -> HttpResponse:
    consent = consent_of(request)
    if not consent.published.policy.version:
        return problems.nothing_to_refuse(request)
    if request.POST.get("sure") != "yes":
        return problems.wrong(
            request,
            400,
            "not_confirmed",
            _("Tick the box beside the button to erase your records; none was erased."),
        )
    here, surface = "cookie-preferences", Surface.PREFERENCES
    if signed_in(request) is not None:
        here, surface = "cookie-preferences-settings", Surface.SETTINGS
    back = safe_return(request, consent, reverse(f"consent:{here}"))
    erased = erase_own(consent, surface)
    page = with_query(back, **_told(consent, erased))
    return HttpResponseSeeOther(f"{page}#records")


def _told(consent: Consent, erased: Erased) -> dict[str, str | None]:
    """The query that has the page say what was done.

    The receipt's number travels in an envelope that opens only with the cookie that
    this browser will hold: it holds no visitor id any more.
    """
    told: dict[str, str | None] = {ERASED: str(erased.records), RECEIPT: None}
    if erased.kept is None:
        return told
    kept = as_kept(consent, erased.kept.choice)
    held = visitor.cookie_value(kept, cookies=consent.cookies)
    return {**told, RECEIPT: envelope(erased.kept.receipt.id, browser=held)}
