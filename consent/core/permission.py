"""Why a person may be served something, or may not: one purpose, or one service of it.

What a site's other programs ask before they act for somebody who is not there. Running
by default counts only where the place is known; whatever is unknown is a no.
"""

from datetime import datetime
from enum import StrEnum

from consent.core.decide import Decision
from consent.core.policy import Policy
from consent.core.preferences import Answer
from consent.core.purposes import Purpose
from consent.core.scales import Model
from consent.core.wanted import ends_here, model_for


class Why(StrEnum):
    """The reason of a permission, or of its refusal."""

    UNKNOWN_PERSON = "unknown_person"
    NOT_OFFERED = "not_offered"
    NO_CHOICE = "no_choice"
    REFUSED = "refused"
    STRICTER_PLACE = "stricter_place"
    POLICY_CHANGED = "policy_changed"
    CHOICE_EXPIRED = "choice_expired"
    DEFAULT = "default"
    GRANTED = "granted"


def answer_of(*, decision: Decision, purpose: Purpose) -> Answer | None:
    """The latest answer to a purpose that the decision rests on, if there is one."""
    return decision.choice.answers.get(purpose) if decision.choice else None


def why(
    *,
    decision: Decision,
    policy: Policy,
    purpose: Purpose,
    service: str | None,
    minor: bool,
    now: datetime,
) -> Why:
    """Say why a purpose, or a service of it, may run by a decision, or may not.

    `DEFAULT` is whatever runs without an answer that counts: where the law of the place
    asks for none, what is necessary, and services with an exemption (rule 3).
    """
    if purpose is Purpose.NECESSARY:
        return Why.DEFAULT
    if purpose not in decision.offered:
        return Why.NOT_OFFERED
    allowed = decision.allows(purpose, service)
    answer = answer_of(decision=decision, purpose=purpose)
    if answer is None:
        return Why.DEFAULT if allowed else _unanswered(decision, service)
    if not answer.granted:
        return Why.REFUSED
    model = model_for(policy=policy, rule=decision.rule, purpose=purpose)
    lapsed = _lapsed(
        decision, policy, purpose, answer, Model.OPT_IN if minor else model, now
    )
    if allowed:
        return Why.DEFAULT if lapsed else Why.GRANTED
    return lapsed or Why.REFUSED


def _unanswered(decision: Decision, service: str | None) -> Why:
    """A service may have been refused alone, where its purpose was never answered."""
    alone = decision.choice.services if decision.choice and service else {}
    return Why.REFUSED if service in alone else Why.NO_CHOICE


def _lapsed(
    decision: Decision,
    policy: Policy,
    purpose: Purpose,
    answer: Answer,
    model: Model,
    now: datetime,
) -> Why | None:
    """Why a grant does not count here and now; None where it does (rule 7)."""
    if answer.model < model:
        return Why.STRICTER_PLACE
    if purpose in policy.changed_since(answer.policy):
        return Why.POLICY_CHANGED
    ended = now >= ends_here(rule=decision.rule, answer=answer)
    return Why.CHOICE_EXPIRED if ended else None
