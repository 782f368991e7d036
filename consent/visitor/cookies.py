"""The two cookies: `consent`, a signed and readable choice, and the private visitor id.

`consent` holds no identifier and is readable by scripts, so that gates need no request;
its signature covers the site, and keys that were retired still verify. `consent_id` is
HttpOnly, made only after an answer that grants something, and is the only key to a
history; it is never needed to decide.
"""

import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponseBase

from consent.core.cookie import decode, encode
from consent.core.preferences import Choice

LARGEST: Final = 2048
LONGEST: Final = timedelta(days=400)
AHEAD: Final = timedelta(minutes=5)
HEADER: Final = "Consent-Cookie"


@dataclass(frozen=True, slots=True)
class Cookies:
    """How the cookies of a site are set: signature, domain, and `Secure` on HTTPS."""

    site: str
    domain: str
    secure: bool


def read_choice(
    request: HttpRequest, *, site: str, now: datetime
) -> tuple[Choice | None, bool]:
    """The choice that the browser sent, and whether what it sent can be trusted.

    No cookie is (None, True). A cookie that is truncated, forged, oversized, of another
    site, from the future or sent twice is (None, False): nothing optional may then run
    in any place.
    """
    value = request.COOKIES.get(settings.CONSENT_COOKIE_NAME)
    if value is None:
        return None, True
    if _sent_times(request) > 1:
        return None, False
    try:
        choice = parse_choice(value, site=site)
    except ValueError:
        return None, False
    ahead = choice.at is not None and choice.at > now + AHEAD
    return (None, False) if ahead else (choice, True)


def parse_choice(value: str, *, site: str) -> Choice:
    """The choice in a cookie's value; ValueError for what this site did not sign."""
    if len(value) > LARGEST:
        raise ValueError("larger than any cookie of ours")
    try:
        body = _signer(site).unsign(value)
        return decode(urlsafe_b64decode(_padded(body)).decode("ascii"))
    except (BadSignature, Base64Error, UnicodeError) as error:
        raise ValueError("not signed by this site") from error


def choice_value(choice: Choice, *, site: str) -> str:
    """The signed value of the `consent` cookie."""
    body = urlsafe_b64encode(encode(choice).encode("ascii")).decode().rstrip("=")
    return _signer(site).sign(body)


def issue_choice(
    response: HttpResponseBase, choice: Choice, *, cookies: Cookies, days: int
) -> None:
    """Set `consent` for as long as any of the rule's clocks runs, at most 400 days."""
    response.set_cookie(
        settings.CONSENT_COOKIE_NAME,
        choice_value(choice, site=cookies.site),
        max_age=min(timedelta(days=days), LONGEST),
        domain=cookies.domain or None,
        secure=cookies.secure,
        httponly=False,
        samesite="Lax",
    )


def clear_choice(response: HttpResponseBase, *, cookies: Cookies) -> None:
    """Forget the choice in this browser."""
    response.delete_cookie(settings.CONSENT_COOKIE_NAME, domain=cookies.domain or None)


def issue_visitor_id(
    response: HttpResponseBase, visitor: str, *, cookies: Cookies
) -> None:
    """Set the private visitor id, for the longest time a browser keeps a cookie."""
    response.set_cookie(
        f"{settings.CONSENT_COOKIE_NAME}_id",
        _id_signer(cookies.site).sign(visitor),
        max_age=LONGEST,
        domain=cookies.domain or None,
        secure=cookies.secure,
        httponly=True,
        samesite="Lax",
    )


def clear_visitor_id(response: HttpResponseBase, *, cookies: Cookies) -> None:
    """Forget the visitor id in this browser."""
    response.delete_cookie(
        f"{settings.CONSENT_COOKIE_NAME}_id", domain=cookies.domain or None
    )


def read_visitor_id(request: HttpRequest, *, site: str) -> str | None:
    """The visitor id of this browser on this site, or None."""
    value = request.COOKIES.get(f"{settings.CONSENT_COOKIE_NAME}_id", "")
    try:
        visitor = _id_signer(site).unsign(value)
    except BadSignature:
        return None
    return visitor if re.fullmatch("[0-9a-f]{32}", visitor) else None


def new_visitor_id() -> str:
    """A fresh visitor id: 128 random bits in hexadecimal."""
    return secrets.token_hex(16)


def _signer(site: str) -> Signer:
    return Signer(salt=f"consent.cookie.{site}", sep=".")


def _id_signer(site: str) -> Signer:
    return Signer(salt=f"consent.visitor.{site}", sep=".")


def _padded(body: str) -> str:
    return body + "=" * (-len(body) % 4)


def _sent_times(request: HttpRequest) -> int:
    """How often the browser sent the cookie; Django's parser keeps only the last."""
    header = request.headers.get("Cookie", "")
    names = (pair.partition("=")[0].strip() for pair in header.split(";"))
    return sum(name == settings.CONSENT_COOKIE_NAME for name in names)
