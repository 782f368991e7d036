"""The decision: what to show a visitor, and what may run right now.

`decide` is the heart of the product. It takes what is known (policy, rule, choice,
signals, the time) and answers with a `Decision`; when anything is unsure, the answer is
the strict one. Nothing here is stored.

>>> from datetime import UTC, datetime
>>> from consent.core.jurisdictions import Regime, uniform
>>> from consent.core.scales import Confidence
>>> law = Rule(regimes=frozenset({Regime("FR", "EU_GDPR_EPD", "Loi 78-17 art. 82")}),
...     confidence=Confidence.HIGH, models=uniform(Model.OPT_IN),
...     banner=Banner.OPT_IN, grant_days=180, grant_limit=180, gap_days=180)
>>> decision = decide(policy=Policy(version=1, hash="sha256:"), rule=law, choice=None,
...     signals=Signals(), now=datetime(2026, 11, 23, tzinfo=UTC))
>>> str(decision.reason), decision.banner.label, decision.allows(Purpose.ANALYTICS)
('no_choice', 'opt_in', False)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from consent.core.jurisdictions import Rule
from consent.core.policy import Audience, Policy, Service
from consent.core.preferences import Answer, Choice
from consent.core.purposes import Purpose
from consent.core.scales import Banner, Model
from consent.core.signals import Signal, Signals
from consent.core.wanted import ends_here, gap_days, model_for, signals_seen


class Reason(StrEnum):
    """Why the banner is, or is not, shown; the first that applies."""

    NOT_REQUIRED = "not_required"
    STRICTER_PLACE = "stricter_place"
    POLICY_CHANGED = "policy_changed"
    REASK_TOO_SOON = "reask_too_soon"
    CHOICE_EXPIRED = "choice_expired"
    NO_CHOICE = "no_choice"
    CHOICE_VALID = "choice_valid"


class Status(StrEnum):
    """What became of the browser's signal."""

    HONORED = "honored"
    OVERRIDDEN = "overridden"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to show now and what may run now, with the reason.

    `purposes` names every purpose, `necessary` too. `services` holds only the services
    that do not simply follow their purpose. `offered` are the purposes a person may
    grant, and `asked` those that the banner asks about now: what was refused lately is
    not among them. `applied` are the signals that turned something off. `partly` are
    purposes that are asked service by service and of which one was refused: they may
    run for the services that were allowed, and not as a whole.
    """

    rule: Rule
    model: Model
    banner: Banner
    reason: Reason
    purposes: Mapping[Purpose, bool]
    services: Mapping[str, bool]
    offered: tuple[Purpose, ...]
    asked: tuple[Purpose, ...]
    applied: tuple[str, ...]
    status: Status | None
    choice: Choice | None
    partly: frozenset[Purpose] = frozenset()

    def allows(self, purpose: Purpose, service: str | None = None) -> bool:
        """Whether a purpose as a whole, or one of its services, may run right now."""
        if service is None:
            return self.whole.get(purpose, False)
        return self.services.get(service, self.purposes.get(purpose, False))

    @property
    def whole(self) -> Mapping[Purpose, bool]:
        """What may run of each purpose as a whole, as tools without a name ask."""
        return {p: on and p not in self.partly for p, on in self.purposes.items()}


@dataclass(frozen=True, slots=True)
class _Facts:
    """What `decide` was given, kept together while it works."""

    policy: Policy
    rule: Rule
    choice: Choice | None
    signals: Signals
    now: datetime
    trusted: bool
    minor: bool

    def model(self, purpose: Purpose) -> Model:
        found = model_for(policy=self.policy, rule=self.rule, purpose=purpose)
        return Model.OPT_IN if self.minor else found

    def answer(self, purpose: Purpose) -> Answer | None:
        return self.choice.answers.get(purpose) if self.choice else None

    def ended(self, answer: Answer) -> bool:
        return self.now >= ends_here(rule=self.rule, answer=answer)

    def changed(self, purpose: Purpose, answer: Answer) -> bool:
        return purpose in self.policy.changed_since(answer.policy)


def decide(
    *,
    policy: Policy,
    rule: Rule,
    choice: Choice | None,
    signals: Signals,
    now: datetime,
    trusted: bool = True,
    minor: bool = False,
) -> Decision:
    """Decide what to show and what may run (docs/rules.md).

    `choice` is the newest believed choice. `trusted` is false when the browser sent a
    choice that cannot be believed: nothing optional then runs in any place. `minor` is
    a vouched statement that the person is a child; a site for children says it for
    every visitor (rule 11).
    """
    facts = _Facts(
        policy=policy,
        rule=rule,
        choice=choice if trusted else None,
        signals=signals,
        now=now,
        trusted=trusted,
        minor=minor or policy.audience is Audience.CHILDREN,
    )
    offered = tuple(
        p for p in policy.purposes if not (facts.minor and p is Purpose.MARKETING)
    )
    applied, status = _signals(facts)
    purposes = {p: p in offered and _runs(facts, p, applied) for p in Purpose}
    purposes[Purpose.NECESSARY] = True
    banner, reason, asked = _banner(facts, offered)
    services = _services(facts, purposes)
    return Decision(
        rule=rule,
        model=max((facts.model(p) for p in offered), default=Model.NONE),
        banner=banner,
        reason=reason,
        purposes=purposes,
        services=services,
        partly=_partly(policy, services),
        offered=offered,
        asked=asked,
        applied=applied,
        status=status,
        choice=facts.choice,
    )


def _signals(facts: _Facts) -> tuple[tuple[str, ...], Status | None]:
    """Which signals turn marketing off, and what a site must say about it (rule 6).

    DNT counts like a voluntary GPC where marketing is opt-in, and nowhere else. A grant
    given on a page that showed the conflict overrides both where the rule allows it.
    """
    seen = signals_seen(policy=facts.policy, rule=facts.rule, signals=facts.signals)
    if not seen:
        return (), None
    answer = facts.answer(Purpose.MARKETING)
    overridden = (
        answer is not None
        and seen in answer.over_signal
        and _holds(facts, Purpose.MARKETING, answer)
        and (facts.rule.gpc_override or Signal.GPC not in seen)
    )
    return ((), Status.OVERRIDDEN) if overridden else (_names(seen), Status.HONORED)


def _names(seen: Signal) -> tuple[str, ...]:
    return tuple(str(signal.name).lower() for signal in Signal if signal in seen)


def _runs(facts: _Facts, purpose: Purpose, applied: tuple[str, ...]) -> bool:
    if not facts.trusted or (purpose is Purpose.MARKETING and applied):
        return False
    answer = facts.answer(purpose)
    if answer is not None and (not answer.granted or _holds(facts, purpose, answer)):
        return answer.granted
    return facts.model(purpose) < Model.OPT_IN


def _holds(facts: _Facts, purpose: Purpose, answer: Answer) -> bool:
    """Whether a grant still counts: not over, asked for the same, and strictly enough.

    A grant counts in another place only if the place it was made in was at least as
    strict for that purpose (rule 7).
    """
    return (
        answer.granted
        and not facts.ended(answer)
        and not facts.changed(purpose, answer)
        and answer.model >= facts.model(purpose)
    )


def _partly(policy: Policy, services: Mapping[str, bool]) -> frozenset[Purpose]:
    refused = {s.purpose for s in policy.services if services.get(s.slug) is False}
    return frozenset(refused & set(policy.by_service))


def _services(facts: _Facts, purposes: Mapping[Purpose, bool]) -> dict[str, bool]:
    """Services that do not follow their purpose: refused alone, or exempt (rule 3)."""
    found: dict[str, bool] = {}
    for service in facts.policy.services:
        running = purposes.get(service.purpose, False)
        alone = facts.choice.services.get(service.slug) if facts.choice else None
        if running and alone is not None and not alone.granted:
            found[service.slug] = False
        elif not running and _exempt(facts, service, alone):
            found[service.slug] = True
    return found


def _exempt(facts: _Facts, service: Service, alone: Answer | None) -> bool:
    """Whether a service may run before a choice by an exemption that it claims.

    An objection to the service, or a refusal of its purpose, ends the exemption.
    """
    if service.exemption is None or service.purpose is Purpose.MARKETING:
        return False
    if not facts.trusted or facts.minor:
        return False
    answer = facts.answer(service.purpose)
    objected = (answer is not None and not answer.granted) or (
        alone is not None and not alone.granted
    )
    return service.exemption in facts.rule.exemptions and not objected


def _banner(
    facts: _Facts, offered: tuple[Purpose, ...]
) -> tuple[Banner, Reason, tuple[Purpose, ...]]:
    """What to show, why, and about which purposes.

    A bar that only tells is not shown again for a purpose that was never answered:
    whoever answered anything has seen it.
    """
    wanted = _wanted(facts, offered)
    if not facts.trusted:
        return wanted, Reason.NO_CHOICE, offered
    if wanted is Banner.NONE:
        return Banner.NONE, Reason.NOT_REQUIRED, ()
    if facts.choice is None or not facts.choice.answers:
        return wanted, Reason.NO_CHOICE, offered
    reasons = {p: reason for p in offered if (reason := _asks(facts, p))}
    if wanted is Banner.NOTICE:
        reasons = {p: r for p, r in reasons.items() if r is not Reason.NO_CHOICE}
    reason = next((r for r in Reason if r in reasons.values()), Reason.CHOICE_VALID)
    if reason in {Reason.CHOICE_VALID, Reason.REASK_TOO_SOON}:
        return Banner.NONE, reason, ()
    return wanted, reason, tuple(reasons)


def _wanted(facts: _Facts, offered: tuple[Purpose, ...]) -> Banner:
    """What the law, or a stricter site, wants shown to somebody who has not chosen."""
    if not offered:
        return Banner.NONE
    raised = max(facts.model(p) for p in offered)
    asks = raised is Model.OPT_IN and facts.rule.model < Model.OPT_IN
    return Banner.OPT_IN if asks else max(facts.rule.banner, facts.policy.banner)


def _asks(facts: _Facts, purpose: Purpose) -> Reason | None:
    """Why a purpose would have to be asked again; None where its answer stands.

    A refusal is asked again only after its gap, and never where the law is opt-out: an
    opt-out has no end (Cal. Civ. Code 1798.135(c)(4) forbids asking for 12 months).
    """
    answer = facts.answer(purpose)
    if answer is None:
        known = facts.choice.policy if facts.choice else None
        older = known is not None and purpose in facts.policy.changed_since(known)
        return Reason.POLICY_CHANGED if older else Reason.NO_CHOICE
    if not answer.granted:
        over = facts.model(purpose) is Model.OPT_IN and _gap_over(facts, answer)
        return Reason.CHOICE_EXPIRED if over else None
    if answer.model < facts.model(purpose):
        return Reason.STRICTER_PLACE
    if facts.changed(purpose, answer):
        return Reason.POLICY_CHANGED
    if not facts.ended(answer):
        return None
    return Reason.REASK_TOO_SOON if _refused_lately(facts) else Reason.CHOICE_EXPIRED


def _gap_over(facts: _Facts, answer: Answer) -> bool:
    days = gap_days(policy=facts.policy, rule=facts.rule)
    return facts.now >= answer.at + timedelta(days=days)


def _refused_lately(facts: _Facts) -> bool:
    """Whether any refusal is younger than its gap, so that asking would be nagging."""
    answers = facts.choice.answers.values() if facts.choice else ()
    return any(not a.granted and not _gap_over(facts, a) for a in answers)
