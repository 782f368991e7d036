"""What of an earlier tool's answers counts here, and until when.

A refusal counts whoever asked (rule 7). A grant was given to other words: it counts
only where the operator declares that a published version asks the same, of everybody
and before anything runs, as the earlier tool did (`same_as`). And it counts for the
time that a grant lives here, from when it was given; whoever cannot say when, has none.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from consent.core.imports.answers import Earlier
from consent.core.jurisdictions import Rule
from consent.core.policy import Policy
from consent.core.preferences import Answer, Choice
from consent.core.purposes import Purpose
from consent.core.scales import Model
from consent.core.wanted import grant_ends, model_for

# How far another clock may be ahead.
_AHEAD: Final = timedelta(minutes=5)


def counted(
    *,
    said: Mapping[Purpose, bool],
    earlier: Earlier,
    policy: Policy,
    same_as: Policy | None,
    rule: Rule,
    now: datetime,
) -> Choice:
    """The answers that count, as a choice; empty where none does.

    `said` are the answers of `earlier` by our purposes. A grant is an answer to the
    version `same_as`: should a later one ask for something else, it is asked again
    (rule 12). A refusal whose time is not known is one of today, so that nobody is
    asked again too soon.
    """
    answers: dict[Purpose, Answer] = {}
    for purpose, granted in said.items():
        answer = (
            _grant(purpose, earlier.first, same_as, policy, rule, now)
            if granted
            else _refusal(purpose, earlier.last, policy, rule, now)
        )
        if answer is not None:
            answers[purpose] = answer
    return Choice(answers=answers, rule=rule.name if answers else None)


def _grant(
    purpose: Purpose,
    given: datetime | None,
    same_as: Policy | None,
    policy: Policy,
    rule: Rule,
    now: datetime,
) -> Answer | None:
    """A grant, where it counts at all.

    Of a purpose whose services are asked about one by one, a yes to a category does not
    say which of them it is about.
    """
    if same_as is None or given is None or given > now + _AHEAD:
        return None
    if purpose not in same_as.purposes or purpose in same_as.by_service:
        return None
    given = min(given, now)
    ends = grant_ends(policy=policy, rule=rule, at=given)
    if ends <= now:
        return None
    return Answer(
        granted=True,
        at=given,
        expires=ends,
        policy=same_as.version,
        model=Model.OPT_IN,
    )


def _refusal(
    purpose: Purpose, given: datetime | None, policy: Policy, rule: Rule, now: datetime
) -> Answer:
    return Answer(
        granted=False,
        at=min(given or now, now),
        expires=None,
        policy=policy.version,
        model=model_for(policy=policy, rule=rule, purpose=purpose),
    )
