"""What a person has chosen: answers per purpose, and how answers add up.

A `Choice` holds the newest explicit answer for each purpose, with what is needed to
know later whether it still counts: when it was given, until when, under which policy
version, and how strict the place was. Running by default in an opt-out place is never
an answer (rule 7). Time takes grants away, never refusals (rule 5).

>>> from datetime import UTC, datetime, timedelta
>>> at = datetime(2026, 11, 23, tzinfo=UTC)
>>> yes = Answer(granted=True, at=at, expires=at + timedelta(days=180), policy=1,
...              model=Model.OPT_IN)
>>> no = Answer(granted=False, at=at, expires=None, policy=1, model=Model.OPT_IN)
>>> account = Choice(answers={Purpose.ANALYTICS: yes, Purpose.MARKETING: yes})
>>> browser = Choice(answers={Purpose.ANALYTICS: no})
>>> merged = merge(account=account, browser=browser, left=False)
>>> {str(p): a.granted for p, a in merged.answers.items()}
{'analytics': False, 'marketing': True}
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from consent.core.purposes import OPTIONAL, Purpose
from consent.core.scales import Model
from consent.core.signals import NO_SIGNAL, Signal


@dataclass(frozen=True, slots=True)
class Answer:
    """One explicit answer, to a purpose or to a single service.

    `at` and `expires` are aware UTC times; a refusal has no end. `model` is how strict
    the place was where the answer was given. `over_signal` names the signals that the
    person gave this grant over, on a page that showed the conflict.
    """

    granted: bool
    at: datetime
    expires: datetime | None
    policy: int
    model: Model
    over_signal: Signal = NO_SIGNAL


@dataclass(frozen=True, slots=True)
class Choice:
    """The newest explicit answer per purpose, and per service answered on its own.

    `left` says that the state stayed in the browser when somebody signed out; it then
    counts for the next person's account only as refusals (rule 8). `region` is a place
    the visitor declared; it adds protection, removes none. `rule` names the rule under
    which the newest answer was given. `receipt` is the number of
    the newest record where it is known.
    """

    answers: Mapping[Purpose, Answer] = field(default_factory=dict)
    services: Mapping[str, Answer] = field(default_factory=dict)
    left: bool = False
    region: str | None = None
    rule: str | None = None
    receipt: str | None = None

    @property
    def at(self) -> datetime | None:
        """When the newest answer was given; None where there is none."""
        return max((a.at for a in self.answers.values()), default=None)

    @property
    def policy(self) -> int | None:
        """The newest policy version that was answered."""
        return max((a.policy for a in self.answers.values()), default=None)

    @property
    def expires(self) -> datetime | None:
        """When the first grant ends; None where nothing granted can end."""
        return min(
            (a.expires for a in self.answers.values() if a.expires), default=None
        )


def add(*, choice: Choice | None, newer: Choice) -> Choice:
    """Lay a newer choice over an older one, purpose by purpose.

    Purposes and services that the newer choice does not answer keep their older answer,
    and what somebody else left in the browser stays theirs.
    """
    if choice is None:
        return newer
    kept = choice.answers.keys() - newer.answers.keys()
    return replace(
        newer,
        left=newer.left or (choice.left and bool(kept)),
        answers={**choice.answers, **newer.answers},
        services={**choice.services, **newer.services},
        region=newer.region or choice.region,
        rule=newer.rule or choice.rule,
        receipt=newer.receipt or choice.receipt,
    )


def merge(*, account: Choice | None, browser: Choice | None, left: bool) -> Choice:
    """Join what an account and a browser hold when somebody signs in (rule 8).

    Where they differ the refusal holds. Where both granted, the grant that ends first
    stays, so that signing in never lengthens a life. `left` (state that another
    person left in the browser) brings only refusals along.
    """
    mine = account or Choice()
    theirs = browser or Choice()
    return Choice(
        answers=_merged(mine.answers, theirs.answers, left),
        services=_merged(mine.services, theirs.services, left),
        region=mine.region or theirs.region,
        rule=mine.rule or theirs.rule,
        receipt=mine.receipt,
    )


def _merged[K](
    mine: Mapping[K, Answer], theirs: Mapping[K, Answer], left: bool
) -> dict[K, Answer]:
    brought = {k: a for k, a in theirs.items() if not (left and a.granted)}
    merged = {**brought, **mine}
    for key in mine.keys() & brought.keys():
        merged[key] = _stricter(mine[key], brought[key])
    return merged


def _stricter(mine: Answer, theirs: Answer) -> Answer:
    """The refusal of the two; of two refusals the newer, of two grants the shorter."""
    if mine.granted != theirs.granted:
        return theirs if mine.granted else mine
    if not mine.granted:
        return max(mine, theirs, key=lambda answer: answer.at)
    return min(mine, theirs, key=lambda answer: answer.expires or answer.at)


def differs(*, before: Choice | None, after: Choice) -> bool:
    """Whether a merge changed any answer of an account, so that it needs a record."""
    if before is None:
        return bool(after.answers or after.services)
    return _said(before.answers) != _said(after.answers) or _said(
        before.services
    ) != _said(after.services)


def _said[K](answers: Mapping[K, Answer]) -> dict[K, bool]:
    return {key: answer.granted for key, answer in answers.items()}


def refusals_kept(*, before: Choice, after: Choice) -> tuple[Purpose, ...]:
    """Purposes that were granted before a merge and are refused after it."""
    return tuple(
        purpose
        for purpose in OPTIONAL
        if (was := before.answers.get(purpose))
        and was.granted
        and (now := after.answers.get(purpose))
        and not now.granted
    )
