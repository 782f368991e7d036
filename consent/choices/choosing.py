"""Answers that people give themselves: to every purpose, or to marketing alone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from consent import notices
from consent.accounts import Account
from consent.choices.importing import brought
from consent.choices.keeping import Happening, Recorded, locked, record, together
from consent.core.decide import Decision
from consent.core.policy import Policy
from consent.core.preferences import Answer, Choice, add
from consent.core.purposes import Purpose
from consent.core.record import Event, Surface, event_of
from consent.core.signals import NO_SIGNAL, Signal
from consent.core.wanted import grant_ends, model_for, signals_seen
from consent.decision import Consent, stored_choice
from consent.visitor.cookies import new_visitor_id


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person answered, to which policy version.

    `own` says that every purpose got an answer of its own; *Accept all* does not, and
    leaves out what a browser's signal turned off. `whole` says that everything on offer
    was answered, so that what is left out is refused; a banner that asks again about
    some purposes leaves the other answers as they are. Refusals may answer an older
    version.
    """

    purposes: Mapping[Purpose, bool]
    services: Mapping[str, bool]
    own: bool
    policy: Policy
    whole: bool = True


def choose(
    consent: Consent,
    *,
    answers: Answers,
    surface: Surface,
    account: Account | None,
    visitor_id: str | None,
    language: str | None = None,
    notice: notices.Named | None = None,
    known: bool = True,
) -> Recorded:
    """Record an explicit answer, laid over what was answered before.

    `notice` is what was on the screen where it was named; not `known` says that it was
    named, and that nobody knows it any more. Else it is what the surface shows now. An
    answer given by somebody with an account is the account's. A visitor id is made only
    where something is granted, and a plain refusal is linked to none.
    """
    visitor_id = brought(consent, account=account, visitor_id=visitor_id)
    purposes = _purposes(consent, consent.decision, answers)
    said_in = language or consent.language
    with together(account):
        before = _standing(consent, account)
        newer = _answered(consent, purposes, answers, before)
        said = {p: a.granted for p, a in before.answers.items()} if before else None
        event = event_of(purposes=purposes, before=said)
        happening = Happening(
            event=event,
            surface=surface,
            newer=newer,
            standing=_without_followers(
                add(choice=before, newer=newer), consent.published.policy
            ),
            account=account,
            visitor=_visitor(event, visitor_id),
            policy=answers.policy,
            notice=notice
            or (_notice(consent, surface, answers, said_in) if known else None),
        )
        return record(consent, happening, language=language)


def _visitor(event: Event, visitor_id: str | None) -> str | None:
    if event is Event.REFUSED:
        return None
    return visitor_id or (new_visitor_id() if event is not Event.WITHDRAWN else None)


def _notice(
    consent: Consent, surface: Surface, answers: Answers, language: str
) -> notices.Named | None:
    """What was on the screen; None where that is not known.

    That is so for a caller of the API, which shows its own words, and for an answer to
    an older version's words.
    """
    here, decision = consent.published, consent.decision
    if answers.policy.version != here.policy.version:
        return None
    if surface is Surface.BANNER:
        return notices.banner_notice(
            here, decision, language=language, whole=answers.whole
        )
    if surface in {Surface.PREFERENCES, Surface.SETTINGS}:
        return notices.centre_notice(here, decision, language=language, surface=surface)
    return None


def opt_out(
    consent: Consent,
    *,
    surface: Surface,
    account: Account | None,
    visitor_id: str | None,
) -> Recorded:
    """Record an opt-out of sale, sharing and targeted advertising, and nothing else.

    Everything else that was answered keeps its answer (11 CCR 7026). A signal opts out
    without anything being shown.
    """
    visitor_id = brought(consent, account=account, visitor_id=visitor_id)
    here = consent.published
    policy = here.policy
    shown = surface is Surface.OPT_OUT
    refused = _answer(consent, Purpose.MARKETING, policy, granted=False)
    newer = Choice(
        answers={Purpose.MARKETING: refused},
        rule=consent.rule.name,
        region=consent.region,
    )
    with together(account):
        happening = Happening(
            event=Event.OPTED_OUT,
            surface=surface,
            newer=newer,
            standing=add(choice=_standing(consent, account), newer=newer),
            account=account,
            visitor=visitor_id,
            policy=policy,
            notice=notices.opt_out_notice(
                here, consent.decision, language=consent.language
            )
            if shown
            else None,
        )
        return record(consent, happening)


def _standing(consent: Consent, account: Account | None) -> Choice | None:
    """The choice that stands, of an account under a lock.

    An opt-out is laid over it; what another device refused meanwhile must stay.
    """
    if account is None:
        return consent.choice
    row = locked(consent, account)
    return stored_choice(row) if row.receipt else consent.choice


def note_signal(
    consent: Consent, *, account: Account, visitor_id: str | None
) -> Recorded | None:
    """Let a known person's signal reach their account, once (rule 6).

    None where no record is needed: an account that is opted out already, or that
    granted marketing over the signal.
    """
    offered = consent.published.policy.purposes
    if not consent.signals.gpc or Purpose.MARKETING not in offered:
        return None
    if not consent.trusted:
        return None  # nothing runs until the person answers, and a signal is no answer
    answer = consent.choice.answers.get(Purpose.MARKETING) if consent.choice else None
    if answer is not None and (not answer.granted or Signal.GPC in answer.over_signal):
        return None
    return opt_out(
        consent, surface=Surface.SIGNAL, account=account, visitor_id=visitor_id
    )


def _purposes(
    consent: Consent, decision: Decision, answers: Answers
) -> dict[Purpose, bool]:
    """The answers as they count: complete, and under the browser's signal (rule 6)."""
    purposes = {
        p: answers.purposes.get(p, False)
        for p in decision.offered
        if p in answers.policy.purposes and (answers.whole or p in answers.purposes)
    }
    if decision.applied and purposes.get(Purpose.MARKETING):
        allowed = answers.own and _may_override(consent)
        purposes[Purpose.MARKETING] = allowed
    return purposes


def _may_override(consent: Consent) -> bool:
    return consent.rule.gpc_override or not consent.signals.gpc


def _answered(
    consent: Consent,
    purposes: Mapping[Purpose, bool],
    answers: Answers,
    before: Choice | None,
) -> Choice:
    policy = answers.policy
    of_service = {service.slug: service.purpose for service in policy.services}
    named = {**_accepted_again(answers, before, of_service), **answers.services}
    return Choice(
        answers={
            p: _answer(consent, p, policy, granted=on) for p, on in purposes.items()
        },
        services={
            name: _answer(
                consent,
                of_service[name],
                policy,
                # A signal may have turned off the purpose that it belongs to.
                granted=on and purposes.get(of_service[name], False),
            )
            for name, on in named.items()
        },
        rule=consent.rule.name,
        region=consent.region,
    )


def _accepted_again(
    answers: Answers, before: Choice | None, of_service: Mapping[str, Purpose]
) -> dict[str, bool]:
    """Services that were refused alone and that *Accept all* takes in again.

    Only that button speaks about all of them; a form that does not name a service
    leaves its refusal standing.
    """
    if answers.own or before is None:
        return {}
    return {
        name: True
        for name, answer in before.services.items()
        if not answer.granted
        and answers.purposes.get(of_service.get(name) or Purpose.NECESSARY)
    }


def _without_followers(choice: Choice, policy: Policy) -> Choice:
    """The choice without services that do what their purpose does anyway.

    The record names them all; a cookie has no room for what goes without saying.
    """
    of_service = {service.slug: service.purpose for service in policy.services}
    purposes = {p for p, answer in choice.answers.items() if answer.granted}
    alone = {
        name: answer
        for name, answer in choice.services.items()
        if answer.granted != (of_service.get(name) in purposes)
    }
    return replace(choice, services=alone)


def _answer(
    consent: Consent,
    purpose: Purpose,
    policy: Policy,
    *,
    granted: bool,
) -> Answer:
    over = NO_SIGNAL
    if granted and purpose is Purpose.MARKETING:
        rule, signals = consent.rule, consent.signals
        over = signals_seen(policy=policy, rule=rule, signals=signals)
    ends = grant_ends(policy=policy, rule=consent.rule, at=consent.now)
    return Answer(
        granted=granted,
        at=consent.now,
        expires=ends if granted else None,
        policy=policy.version,
        model=model_for(policy=policy, rule=consent.rule, purpose=purpose),
        over_signal=over,
    )
