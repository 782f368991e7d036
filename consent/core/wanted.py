"""What a law and a site together want: model, signals that count, and the clocks.

A site may be stricter than the law and never laxer, so that each of these is the law's
answer raised, or shortened, by the site's.
"""

from datetime import datetime, timedelta

from consent.core.jurisdictions import Rule
from consent.core.policy import Audience, Policy
from consent.core.preferences import Answer
from consent.core.purposes import Purpose
from consent.core.scales import Model
from consent.core.signals import NO_SIGNAL, Signal, Signals


def model_for(*, policy: Policy, rule: Rule, purpose: Purpose) -> Model:
    """The model for a purpose: the law's, or a stricter one that the site chose."""
    floor = Model.OPT_IN if policy.audience is Audience.CHILDREN else policy.minimum
    return max(rule.model_for(purpose), floor)


def signals_seen(*, policy: Policy, rule: Rule, signals: Signals) -> Signal:
    """The signals that count here: what a grant of marketing conflicts with."""
    marketing = model_for(policy=policy, rule=rule, purpose=Purpose.MARKETING)
    seen = Signal.GPC if signals.gpc else NO_SIGNAL
    return seen | Signal.DNT if signals.dnt and marketing is Model.OPT_IN else seen


def grant_ends(*, policy: Policy, rule: Rule, at: datetime) -> datetime:
    """When a grant given now ends: the site's life within the rule's limit (rule 5)."""
    return at + timedelta(days=_grant_days(policy, rule))


def ends_here(*, rule: Rule, answer: Answer) -> datetime:
    """When a grant ends at a place: by its own life, or by the limit of that place."""
    limit = answer.at + timedelta(days=rule.grant_limit)
    return min(answer.expires or limit, limit)


def _grant_days(policy: Policy, rule: Rule) -> int:
    days = rule.grant_days if policy.grant_days is None else policy.grant_days
    return min(days, rule.grant_limit)


def gap_days(*, policy: Policy, rule: Rule) -> int:
    """How long nobody is asked again after a refusal (rule 5).

    The longest of the rule's gap, the site's, and the life a grant would have had.
    """
    return max(rule.gap_days, policy.gap_days or 0, _grant_days(policy, rule))
