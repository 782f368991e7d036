"""Reading what people send: the banner's and preference pages' forms, the API's body.

Everything comes from a closed list. What is not on it is refused with the sentence of
`UnreadableError` and stored nowhere.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from django.conf import settings
from django.core import signing
from django.http import HttpRequest

from consent.choices import Answers
from consent.core.origin import Trust, trust
from consent.core.policy import Policy
from consent.core.purposes import OPTIONAL, Purpose
from consent.core.record import Surface
from consent.decision import Consent
from consent.keys import opened
from consent.visitor import read_visitor_id

LARGEST_BODY: Final = 16 * 1024
# Characters of services refused alone, so that the cookie stays within 2,048 bytes.
LARGEST_ALONE: Final = 900
# The query's words after a choice was kept; the page then confirms it.
SAVED: Final = "cookies"
RECEIPT: Final = "receipt"
TOKEN_SECONDS: Final = 12 * 60 * 60
API_SURFACES: Final = ("banner", "preferences", "settings", "api")
_MEMBERS: Final = {"purposes", "services", "policy_version", "surface", "language"}


class UnreadableError(ValueError):
    """What was sent is not a choice; `status` and `kind` say how that is answered."""

    def __init__(
        self, detail: str, *, status: int = 422, kind: str = "invalid"
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.kind = kind


class PolicyChangedError(UnreadableError):
    """A grant that answers an older policy version than the one in force."""

    def __init__(self) -> None:
        super().__init__(
            "The policy has changed since this was asked; ask again.",
            status=409,
            kind="policy_changed",
        )


@dataclass(frozen=True, slots=True)
class Sent:
    """A choice that was read: the answers, where they were given, in which language."""

    answers: Answers
    surface: Surface
    language: str


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


def read_form(data: Mapping[str, str], consent: Consent) -> Sent:
    """A choice from a form: one button for all, or an answer per purpose.

    `answer` is `accept`, `reject`, `save` or `allow`. With `save`, `purpose-<name>` and
    `service-<name>` are `yes` or `no`, and what is missing is refused; with `allow`
    only the purposes that say `yes` are answered. The banner's buttons answer what the
    banner asks now, the preference centre's everything on offer.
    """
    answer = data.get("answer", "")
    if answer not in {"accept", "reject", "save", "allow"}:
        raise UnreadableError("answer is accept, reject, save or allow.", status=400)
    policy = _answered_policy(data.get("policy_version", ""), consent)
    offered = [p for p in consent.decision.offered if p in policy.purposes]
    surface = Surface.BANNER
    if data.get("surface") == "preferences":
        surface = Surface.PREFERENCES
    if answer in {"save", "allow"}:
        answers = _each(data, offered, policy, consent, whole=answer == "save")
    else:
        asked = _due(consent, policy) if surface is Surface.BANNER else ()
        purposes = {p: answer == "accept" for p in offered if not asked or p in asked}
        answers = _checked(purposes, {}, policy, consent, own=False, whole=not asked)
    return Sent(answers, surface, consent.language)


def _due(consent: Consent, policy: Policy) -> tuple[Purpose, ...]:
    """What the banner asks now; nothing where the form answers an older version."""
    current = policy.version == consent.published.policy.version
    return consent.decision.asked if current else ()


def _each(
    data: Mapping[str, str],
    offered: Sequence[Purpose],
    policy: Policy,
    consent: Consent,
    *,
    whole: bool,
) -> Answers:
    """An answer of its own to each purpose; where not `whole`, only the yeses."""
    purposes = {p: _yes(data, f"purpose-{p}") for p in offered}
    if not whole:
        purposes = {p: on for p, on in purposes.items() if on}
    named = [s.slug for s in policy.services if f"service-{s.slug}" in data]
    services = {name: _yes(data, f"service-{name}") for name in named}
    return _checked(purposes, services, policy, consent, own=True, whole=whole)


def _answered_policy(text: str, consent: Consent) -> Policy:
    """The version that a form answers; a form without one answers the current."""
    current = consent.published.policy.version
    number = int(text) if re.fullmatch("[0-9]{1,9}", text) else None
    found = consent.published.version(number if text else current)
    if found is None:
        raise UnreadableError("That policy version was never published.", status=400)
    return found


def _yes(data: Mapping[str, str], name: str) -> bool:
    value = data.get(name, "no")
    if value not in {"yes", "no"}:
        raise UnreadableError(f"{name} is neither yes nor no.", status=400)
    return value == "yes"


def read_body(request: HttpRequest, consent: Consent) -> Sent:
    """A choice from a JSON body, every member from a closed list."""
    body = _json_object(request)
    unknown = sorted(set(body) - _MEMBERS)
    if unknown:
        raise UnreadableError(f"Unknown member: {unknown[0]}.")
    surface = body.get("surface")
    if surface not in API_SURFACES:
        raise UnreadableError(f"surface must be one of: {', '.join(API_SURFACES)}.")
    language = body.get("language")
    if language not in consent.published.languages:
        raise UnreadableError("language must be one that the site publishes.")
    policy = _version(body.get("policy_version"), consent)
    purposes = _flags(body.get("purposes"), "purposes")
    services = _flags(body.get("services", {}), "services")
    answers = _checked(
        _purposes(purposes), services, policy, consent, own=surface != "banner"
    )
    return Sent(answers, Surface(surface), language)


def require_json(request: HttpRequest) -> None:
    """Refuse a body that does not call itself JSON, before any of it is read."""
    if request.content_type != "application/json":
        raise UnreadableError(
            "Send application/json.", status=415, kind="unsupported_media_type"
        )


def _json_object(request: HttpRequest) -> dict[str, Any]:
    if _too_long(request):
        raise UnreadableError(
            "The body is over 16 KiB.", status=413, kind="content_too_large"
        )
    try:
        body = json.loads(
            request.body, object_pairs_hook=_object, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        raise UnreadableError(
            "The body is not JSON.", status=400, kind="malformed"
        ) from None
    if not isinstance(body, dict):
        raise UnreadableError("The body is no object.", status=400, kind="malformed")
    return body


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; one that says a member twice could be read as a yes or a no."""
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("a member is there twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _too_long(request: HttpRequest) -> bool:
    declared = request.headers.get("Content-Length") or "0"
    # Django reads no further than the declared length, so that the order matters:
    # a body that says it is too long is never read.
    long = not declared.isdecimal() or int(declared) > LARGEST_BODY
    return long or len(request.body) > LARGEST_BODY


def _flags(value: object, name: str) -> dict[str, bool]:
    if not isinstance(value, dict) or not all(
        type(on) is bool for on in value.values()
    ):
        raise UnreadableError(f"{name} must be an object of true and false.")
    return value


def _purposes(flags: Mapping[str, bool]) -> dict[Purpose, bool]:
    if not flags.get("necessary", True):
        raise UnreadableError("necessary cannot be refused.")
    known = {str(p) for p in Purpose}
    unknown = sorted(set(flags) - known)
    if unknown:
        raise UnreadableError(f"Unknown purpose: {unknown[0]}.")
    return {p: flags[p] for p in OPTIONAL if p in flags}


def _version(value: object, consent: Consent) -> Policy:
    if type(value) is not int:
        raise UnreadableError("policy_version must be a whole number.")
    found = consent.published.version(value)
    if found is None:
        raise UnreadableError("That policy version was never published.")
    return found


def _checked(
    purposes: Mapping[Purpose, bool],
    services: Mapping[str, bool],
    policy: Policy,
    consent: Consent,
    *,
    own: bool,
    whole: bool = True,
) -> Answers:
    """Refuse what this policy version never offered, and grants to an older one."""
    _check_services(purposes, services, policy)
    offered = consent.decision.offered
    for purpose, on in purposes.items():
        if purpose not in policy.purposes or (on and purpose not in offered):
            raise UnreadableError(f"{purpose} is not offered.")
    grants = any(purposes.values()) or any(services.values())
    if grants and policy.version != consent.published.policy.version:
        raise PolicyChangedError
    return Answers(
        purposes=purposes, services=services, own=own, policy=policy, whole=whole
    )


def _check_services(
    purposes: Mapping[Purpose, bool], services: Mapping[str, bool], policy: Policy
) -> None:
    """Refuse services that the policy has not, and more of them than a cookie holds."""
    of_service = {service.slug: service.purpose for service in policy.services}
    refused_alone = []
    for name, on in services.items():
        if name not in of_service:
            raise UnreadableError(f"Unknown service: {name}.")
        allowed = purposes.get(of_service[name], False)
        if on and not allowed:
            raise UnreadableError(f"{name} is allowed only together with its purpose.")
        if allowed and not on:
            refused_alone.append(name)
    if len(json.dumps(refused_alone)) > LARGEST_ALONE:
        raise UnreadableError("Too many services are refused alone: refuse a purpose.")
