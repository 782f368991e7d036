"""The two cookies: `consent`, a signed and readable choice, and the private visitor id.

`consent` holds no identifier and is readable by scripts, so that gates need no request;
its signature covers the site, and keys that were retired still verify. `consent_id` is
HttpOnly, made only after an answer that grants something, and is the only key to a
history; it is never needed to decide.

A cookie of one host and a cookie of its domain may have the same name; a browser that
holds both sends both, and neither is believed. That happens when CONSENT_COOKIE_DOMAIN
changes. Whatever then sets or clears our cookies expires the others (`strays`).
"""

import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from consent.core.cookie import decode, encode
from consent.core.fitting import fitted
from consent.core.preferences import Choice
from consent.core.purposes import Purpose

LARGEST: Final = 2048
LONGEST: Final = timedelta(days=400)
AHEAD: Final = timedelta(minutes=5)
HEADER: Final = "Consent-Cookie"
_LINKED: Final = ".linked"


@dataclass(frozen=True, slots=True)
class Cookies:
    """How the cookies of a site are set: signature, domain, and `Secure` on HTTPS.

    `strays` are the domains under which this browser may hold older ones, to be
    expired; an empty one is the host alone. `services` names the purpose of every
    service that the site ever published.
    """

    site: str
    domain: str
    secure: bool
    strays: tuple[str, ...] = ()
    services: Mapping[str, Purpose] = field(default_factory=dict)


def read_choice(
    request: HttpRequest, *, site: str, now: datetime
) -> tuple[Choice | None, bool]:
    """The choice that the browser sent, and whether what it sent can be trusted.

    No cookie is (None, True). A cookie that is truncated, forged, oversized, of another
    site, from the future or sent twice is (None, False): nothing optional may then run
    in any place.
    """
    if len(_sent(request)) > 1:
        return None, False
    value = request.COOKIES.get(settings.CONSENT_COOKIE_NAME)
    return believed(value, site=site, now=now)


def believed(
    value: str | None, *, site: str, now: datetime
) -> tuple[Choice | None, bool]:
    """The choice in a value that was sent, and whether the value can be trusted."""
    if value is None:
        return None, True
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


def cookie_value(choice: Choice, *, cookies: Cookies) -> str:
    """The value that a browser gets: of the choice, or of a stricter one that fits."""
    kept = fitted(
        choice,
        of_service=cookies.services,
        largest=LARGEST,
        size=lambda choice: len(choice_value(choice, site=cookies.site)),
    )
    return choice_value(kept, site=cookies.site)


def issue_choice(
    response: HttpResponseBase, choice: Choice, *, cookies: Cookies, days: int
) -> None:
    """Set `consent` for as long as any of the rule's clocks runs, at most 400 days."""
    _expire_strays(response, settings.CONSENT_COOKIE_NAME, cookies)
    response.set_cookie(
        settings.CONSENT_COOKIE_NAME,
        cookie_value(choice, cookies=cookies),
        max_age=min(timedelta(days=days), LONGEST),
        domain=cookies.domain or None,
        secure=cookies.secure,
        httponly=False,
        samesite="Lax",
    )


def clear_choice(response: HttpResponseBase, *, cookies: Cookies) -> None:
    """Forget the choice in this browser."""
    _expire_strays(response, settings.CONSENT_COOKIE_NAME, cookies)
    response.delete_cookie(settings.CONSENT_COOKIE_NAME, domain=cookies.domain or None)


def issue_visitor_id(
    response: HttpResponseBase, visitor: str, *, cookies: Cookies, linked: bool = False
) -> None:
    """Set the private visitor id, for the longest time a browser keeps a cookie.

    `linked` says in it that a person is known by it; else nobody is asked for.
    """
    name = f"{settings.CONSENT_COOKIE_NAME}_id"
    _expire_strays(response, name, cookies)
    response.set_cookie(
        name,
        _id_signer(cookies.site).sign(visitor + (_LINKED if linked else "")),
        max_age=LONGEST,
        domain=cookies.domain or None,
        secure=cookies.secure,
        httponly=True,
        samesite="Lax",
    )


def clear_visitor_id(response: HttpResponseBase, *, cookies: Cookies) -> None:
    """Forget the visitor id in this browser."""
    name = f"{settings.CONSENT_COOKIE_NAME}_id"
    _expire_strays(response, name, cookies)
    response.delete_cookie(name, domain=cookies.domain or None)


def read_visitor_id(request: HttpRequest, *, site: str) -> str | None:
    """The visitor id of this browser on this site, or None."""
    visitor = _read_id(request, site).removesuffix(_LINKED)
    return visitor if re.fullmatch("[0-9a-f]{32}", visitor) else None


def read_linked_id(request: HttpRequest, *, site: str) -> str | None:
    """The visitor id where it says that a person is known by it, or None."""
    linked = _read_id(request, site).endswith(_LINKED)
    return read_visitor_id(request, site=site) if linked else None


def _read_id(request: HttpRequest, site: str) -> str:
    value = request.COOKIES.get(f"{settings.CONSENT_COOKIE_NAME}_id", "")
    try:
        return _id_signer(site).unsign(value)
    except BadSignature:
        return ""


def new_visitor_id() -> str:
    """A fresh visitor id: 128 random bits in hexadecimal."""
    return secrets.token_hex(16)


def _signer(site: str) -> Signer:
    return Signer(salt=f"consent.cookie.{site}", sep=".")


def _id_signer(site: str) -> Signer:
    return Signer(salt=f"consent.visitor.{site}", sep=".")


def _padded(body: str) -> str:
    return body + "=" * (-len(body) % 4)


def strays(request: HttpRequest, *, site: str, domain: str) -> tuple[str, ...]:
    """The domains under which a browser may hold a second `consent` of this site.

    None where it sent only one. The host's own cookie is always this site's; one of a
    domain above it may be another site's, and is left alone unless every cookie that
    was sent carries this site's signature.
    """
    sent = _sent(request)
    if len(sent) < 2:  # noqa: PLR2004 - two are one too many
        return ()
    above = _domains(request) if all(_is_ours(value, site) for value in sent) else ()
    return tuple(name for name in ("", *above) if name != domain.lower().lstrip("."))


def values_sent(request: HttpRequest, name: str) -> list[str]:
    """The values the browser sent; Django's parser keeps only the last of a name."""
    pairs = request.headers.get("Cookie", "").split(";")
    named = (pair.partition("=") for pair in pairs)
    return [value.strip() for found, _, value in named if found.strip() == name]


def _sent(request: HttpRequest) -> list[str]:
    return values_sent(request, settings.CONSENT_COOKIE_NAME)


def _is_ours(value: str, site: str) -> bool:
    try:
        parse_choice(value, site=site)
    except ValueError:
        return False
    return True


def _domains(request: HttpRequest) -> tuple[str, ...]:
    """Every domain that a cookie of this host can have, the host's own first."""
    host = request.get_host().lower()
    host = host if host.endswith("]") else host.rpartition(":")[0] or host
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        labels = host.rstrip(".").split(".")
        return tuple(".".join(labels[n:]) for n in range(len(labels) - 1))
    return ()


def _expire_strays(response: HttpResponseBase, name: str, cookies: Cookies) -> None:
    """Expire the cookies of this name under other domains.

    They stand before the one that is set: an old browser that takes a host and its
    domain for the same keeps the last. Django holds one cookie of a name, so that these
    are put beside it as finished ones, under a key that only tells them apart.
    """
    for domain in cookies.strays:
        response.cookies.pop(name, None)
        aside = HttpResponse()
        aside.delete_cookie(name, domain=domain or None, samesite="Lax")
        response.cookies[f"{name} of {domain or 'the host'}"] = aside.cookies[name]
