"""Whom to believe: where a write comes from, and which receipt a browser may name."""

from typing import Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest

from consent.core.origin import Trust, trust
from consent.decision import Consent
from consent.keys import opened
from consent.visitor import read_visitor_id

# The query's words after a choice was kept; the page then confirms it.
SAVED: Final = "cookies"
RECEIPT: Final = "receipt"
TOKEN_SECONDS: Final = 12 * 60 * 60


def trust_of(request: HttpRequest, consent: Consent) -> Trust:
    """How far a write is believed, by where it comes from (docs/api.md)."""
    site = consent.published.site
    return trust(
        own=f"{request.scheme}://{request.get_host()}",
        allowed=frozenset(site.allowed_origins),
        fetch_site=request.headers.get("Sec-Fetch-Site"),
        origin=request.headers.get("Origin"),
        referer=request.headers.get("Referer"),
        token_valid=lambda: _token_valid(request, site.slug),
    )


def form_token(consent: Consent) -> str:
    """A token that shows that a form came from one of the site's own pages.

    It needs no cookie, and proves only that a page of ours was read lately.
    """
    return _signer(consent.published.site.slug).sign("choice")


def _token_valid(request: HttpRequest, site: str) -> bool:
    try:
        _signer(site).unsign(request.POST.get("token", ""), max_age=TOKEN_SECONDS)
    except signing.BadSignature:
        return False
    return True


def _signer(site: str) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"consent.form.{site}")


def receipt_named(request: HttpRequest, consent: Consent) -> str:
    """The receipt's number that a redirect carried here; empty for anything else."""
    choice = request.COOKIES.get(settings.CONSENT_COOKIE_NAME, "")
    visitor = read_visitor_id(request, site=consent.published.site.slug) or ""
    return opened(request.GET.get(RECEIPT, ""), browser=choice + visitor)
