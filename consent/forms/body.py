"""The API's body: JSON, every member from a closed list."""

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest

from consent.core.canonical import is_hash
from consent.core.policy import Policy
from consent.core.purposes import OPTIONAL, Purpose
from consent.core.record import Surface
from consent.core.strict_json import strictly
from consent.decision import Consent
from consent.forms.sent import Sent, UnreadableError, any_grant, checked
from consent.forms.shown import shown
from consent.forms.size import bytes_of

API_SURFACES: Final = ("banner", "preferences", "settings", "api")
_MEMBERS: Final = {
    *("purposes", "services", "policy_version", "surface", "language"),
    *("notice", "partial"),
}


def read_body(request: HttpRequest, consent: Consent) -> Sent:
    """A choice from a JSON body, every member from a closed list.

    Purposes that are left out are refused, but for two cases: with `partial` they keep
    the answer that they have, and where `notice` names the banner that was on the
    screen, the answer is about what that banner asked and nothing else.
    """
    body = json_object(request)
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
    purposes = _purposes(_flags(body.get("purposes"), "purposes"))
    services = _flags(body.get("services", {}), "services")
    whole = not _partial(body.get("partial", False))
    on_screen = None
    if body.get("notice") is not None:
        grants = any_grant(purposes, services)
        digest = _digest(body["notice"], surface)
        on_screen = shown(consent, policy, digest, language=language, grants=grants)
    if on_screen is not None and on_screen.notice is not None:
        purposes = _about(purposes, on_screen.asked)
        whole = set(purposes) >= set(consent.decision.offered)
    own = surface != "banner"
    answers = checked(purposes, services, policy, consent, own=own, whole=whole)
    return Sent(answers, Surface(surface), language, on_screen)


def _partial(value: object) -> bool:
    if type(value) is not bool:
        raise UnreadableError("partial must be true or false.")
    return value


def _digest(value: object, surface: str) -> str:
    if surface != Surface.BANNER or not is_hash(value):
        raise UnreadableError("notice must be the hash of a banner.")
    return str(value)


def _about(
    purposes: Mapping[Purpose, bool], asked: tuple[Purpose, ...]
) -> dict[Purpose, bool]:
    """An answer to each purpose of the banner; what is left out of these is refused."""
    beside = sorted(set(purposes) - set(asked))
    if beside:
        raise UnreadableError(f"The banner did not ask about {beside[0]}.")
    return {purpose: purposes.get(purpose, False) for purpose in asked}


def require_json(request: HttpRequest) -> None:
    """Refuse a body that does not call itself JSON, before any of it is read."""
    if request.content_type != "application/json":
        raise UnreadableError(
            "Send application/json.", status=415, kind="unsupported_media_type"
        )


def json_object(request: HttpRequest) -> dict[str, Any]:
    sent = bytes_of(request)
    try:
        body = strictly(sent)
    except (ValueError, RecursionError):
        raise UnreadableError(
            "The body is not JSON.", status=400, kind="malformed"
        ) from None
    if not isinstance(body, dict):
        raise UnreadableError("The body is no object.", status=400, kind="malformed")
    return body


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
