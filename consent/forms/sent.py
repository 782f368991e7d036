"""A choice as it was sent, and what of it a policy version allows to be said."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consent.choices import Answers
from consent.core.policy import Policy
from consent.core.purposes import Purpose
from consent.core.record import Surface
from consent.decision import Consent

if TYPE_CHECKING:
    from consent.forms.shown import Shown

# Characters of services refused alone, so that the cookie stays within 2,048 bytes.
LARGEST_ALONE: Final = 900


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
    """A choice that was read: the answers, where they were given, in which language.

    `shown` is what was on the screen, where the sender named it.
    """

    answers: Answers
    surface: Surface
    language: str
    shown: "Shown | None" = None


def any_grant(*flags: Mapping[Purpose, bool] | Mapping[str, bool]) -> bool:
    """Whether anything is allowed."""
    return any(on for some in flags for on in some.values())


def checked(
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
    grants = any_grant(purposes, services)
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
