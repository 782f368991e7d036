"""Answers that people give themselves: to every purpose, or to marketing alone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.db import transaction

from consent.choices.keeping import Happening, Recorded, conflicts, locked, record
from consent.core.decide import Decision, grant_ends, model_for
from consent.core.policy import Policy
from consent.core.preferences import Answer, Choice, add
from consent.core.purposes import Purpose
from consent.core.record import Event, Surface, event_of
from consent.decision import Consent, stored_choice
from consent.visitor.cookies import new_visitor_id


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person answered, to which policy version.

    `own` says that every purpose got an answer of its own; *Accept all* does not, and
    leaves out what a browser's signal turned off. Refusals may answer an older version.
    """

    purposes: Mapping[Purpose, bool]
    services: Mapping[str, bool]
    own: bool
    policy: Policy


def choose(
    consent: Consent,
    *,
    answers: Answers,
    surface: Surface,
    user: int | None,
    visitor_id: str | None,
    language: str | None = None,
) -> Recorded:
    """Record an explicit answer to every purpose on offer.

    Purposes left out are refused, explicitly. An answer given while signed in is the
    account's. A visitor id is made only where something is granted.
    """
    decision = consent.decision
    purposes = _purposes(consent, decision, answers)
    before = consent.choice
    newer = _answered(consent, purposes, answers)
    granted = any(purposes.values())
    return record(
        consent,
        Happening(
            event=event_of(
                purposes=purposes,
                before={p: a.granted for p, a in before.answers.items()}
                if before
                else None,
            ),
            surface=surface,
            newer=newer,
            standing=_without_followers(newer, answers.policy),
            user=user,
            visitor=visitor_id or (new_visitor_id() if granted else None),
            policy=answers.policy,
        ),
        language=language,
    )


def opt_out(
    consent: Consent, *, surface: Surface, user: int | None, visitor_id: str | None
) -> Recorded:
    """Record an opt-out of sale, sharing and targeted advertising, and nothing else.

    Everything else that was answered keeps its answer (11 CCR 7026).
    """
    policy = consent.published.policy
    refused = _answer(consent, Purpose.MARKETING, policy, granted=False)
    newer = Choice(
        answers={Purpose.MARKETING: refused},
        rule=consent.rule.name,
        region=consent.region,
    )
    with transaction.atomic():
        happening = Happening(
            event=Event.OPTED_OUT,
            surface=surface,
            newer=newer,
            standing=add(choice=_standing(consent, user), newer=newer),
            user=user,
            visitor=visitor_id,
            policy=policy,
        )
        return record(consent, happening)


def _standing(consent: Consent, user: int | None) -> Choice | None:
    """The choice that stands, of an account under a lock.

    An opt-out is laid over it; what another device refused meanwhile must stay.
    """
    if user is None:
        return consent.choice
    row = locked(consent, user)
    return stored_choice(row) if row else None


def note_signal(
    consent: Consent, *, user: int, visitor_id: str | None
) -> Recorded | None:
    """Let a signed-in person's signal reach their account, once (rule 6).

    None where no record is needed: an account that is opted out already, or that
    granted marketing over the signal.
    """
    offered = consent.published.policy.purposes
    if not consent.signals.gpc or Purpose.MARKETING not in offered:
        return None
    answer = consent.choice.answers.get(Purpose.MARKETING) if consent.choice else None
    if answer is not None and (not answer.granted or answer.over_signal):
        return None
    return opt_out(consent, surface=Surface.SIGNAL, user=user, visitor_id=visitor_id)


def _purposes(
    consent: Consent, decision: Decision, answers: Answers
) -> dict[Purpose, bool]:
    """The answers as they count: complete, and under the browser's signal (rule 6)."""
    asked = [p for p in decision.offered if p in answers.policy.purposes]
    purposes = {p: answers.purposes.get(p, False) for p in asked}
    if decision.applied and purposes.get(Purpose.MARKETING):
        allowed = answers.own and _may_override(consent)
        purposes[Purpose.MARKETING] = allowed
    return purposes


def _may_override(consent: Consent) -> bool:
    return consent.rule.gpc_override or not consent.signals.gpc


def _answered(
    consent: Consent, purposes: Mapping[Purpose, bool], answers: Answers
) -> Choice:
    policy = answers.policy
    over = bool(conflicts(consent))
    of_service = {service.slug: service.purpose for service in policy.services}
    return Choice(
        answers={
            p: _answer(
                consent, p, policy, granted=on, over=over and p is Purpose.MARKETING
            )
            for p, on in purposes.items()
        },
        services={
            name: _answer(
                consent,
                of_service[name],
                policy,
                # A signal may have turned off the purpose that it belongs to.
                granted=on and purposes.get(of_service[name], False),
            )
            for name, on in answers.services.items()
        },
        rule=consent.rule.name,
        region=consent.region,
    )


def _without_followers(choice: Choice, policy: Policy) -> Choice:
    """The choice without services that do what their purpose does anyway.

    The record names them all; a cookie has no room for what goes without saying.
    """
    of_service = {service.slug: service.purpose for service in policy.services}
    purposes = {p for p, answer in choice.answers.items() if answer.granted}
    alone = {
        name: answer
        for name, answer in choice.services.items()
        if answer.granted != (of_service[name] in purposes)
    }
    return replace(choice, services=alone)


def _answer(
    consent: Consent,
    purpose: Purpose,
    policy: Policy,
    *,
    granted: bool,
    over: bool = False,
) -> Answer:
    ends = grant_ends(policy=policy, rule=consent.rule, at=consent.now)
    return Answer(
        granted=granted,
        at=consent.now,
        expires=ends if granted else None,
        policy=policy.version,
        model=model_for(policy=policy, rule=consent.rule, purpose=purpose),
        over_signal=over and granted,
    )
