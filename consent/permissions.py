"""What a site's other programs ask: whether a person may be served something.

Nobody is there to ask, so that the place is what the caller says, and the strictest
where it says nothing. Who is not known may be served nothing that needs a consent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from consent.core.decide import Decision, decide
from consent.core.jurisdictions import Location, Source
from consent.core.permission import Why, answer_of, why
from consent.core.purposes import Purpose
from consent.core.signals import Signals
from consent.core.wanted import ends_here
from consent.decision import stored_choice
from consent.identities import identity_of
from consent.models import Preference
from consent.publication import Published
from consent.ruling import rule_at


@dataclass(frozen=True, slots=True)
class Question:
    """A purpose, or one of its services, for a person.

    The person is a vouched one (`user`, as the site's backend calls them) or a user of
    ours (`account`, by their key). `place` is the code of a place, as the caller knows
    it.
    """

    user: str | None
    account: str | None
    purpose: Purpose
    service: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Permission:
    """The answer to a question, and since when and until when it is one."""

    question: Question
    identity: str | None
    known: bool
    allowed: bool
    why: Why
    policy_version: int
    answered_at: datetime | None
    expires_at: datetime | None


def answers(
    here: Published, questions: Sequence[Question], now: datetime
) -> list[Permission]:
    """The answers, in the order of the questions, by two queries at most.

    Raises NoIdentityKeyError where a vouched person is asked about and none is known.
    """
    names = {q.user: identity_of(here.site, q.user) for q in questions if q.user}
    rows = _rows(here, names.values(), questions)
    return [
        _permission(here, question, names.get(question.user or ""), rows, now)
        for question in questions
    ]


type _Rows = dict[str, Preference]


def _rows(
    here: Published, identities: Iterable[str], questions: Iterable[Question]
) -> _Rows:
    """What persons chose, by identity or by the key of an account."""
    rows = Preference.objects.filter(site=here.site)
    wanted = list(identities)
    found = {
        row.identity: row for row in rows.filter(identity__in=wanted) if row.identity
    }
    keys = {_key(q.account) for q in questions if q.account} - {None}
    if keys:
        users = rows.filter(user__in=keys)
        found |= {f"user {row.user_id}": row for row in users}
    return found


def _key(text: str) -> Any:  # noqa: ANN401 - whatever the user model has
    """An account's key as the account has it; None for what can be none."""
    try:
        return get_user_model()._meta.pk.to_python(text)  # noqa: SLF001 - documented
    except ValidationError:
        return None


def _permission(
    here: Published,
    question: Question,
    identity: str | None,
    rows: _Rows,
    now: datetime,
) -> Permission:
    key = identity or f"user {_key(question.account or '')}"
    row = rows.get(key)
    if row is None:
        return Permission(
            question,
            identity,
            known=False,
            allowed=question.purpose is Purpose.NECESSARY,
            why=Why.UNKNOWN_PERSON,
            policy_version=here.policy.version,
            answered_at=None,
            expires_at=None,
        )
    return _known(here, question, row, now)


def _known(
    here: Published, question: Question, row: Preference, now: datetime
) -> Permission:
    decision = _decision(here, question, row, now)
    reason = why(
        decision=decision,
        policy=here.policy,
        purpose=question.purpose,
        service=question.service,
        minor=row.minor,
        now=now,
    )
    answer = answer_of(decision=decision, purpose=question.purpose)
    granted = answer is not None and answer.granted
    return Permission(
        question,
        row.identity or None,
        known=True,
        allowed=decision.allows(question.purpose, question.service),
        why=reason,
        policy_version=here.policy.version,
        answered_at=answer.at if answer else None,
        expires_at=ends_here(rule=decision.rule, answer=answer)
        if answer and granted
        else None,
    )


def _decision(
    here: Published, question: Question, row: Preference, now: datetime
) -> Decision:
    country, _dash, rest = (question.place or "").partition("-")
    location = Location(
        country=country or None,
        subdivision=question.place if rest else None,
        source=Source.DECLARED if country else Source.UNKNOWN,
    )
    return decide(
        policy=here.policy,
        rule=rule_at(here, location, now),
        choice=stored_choice(row) if row.receipt else None,
        signals=Signals(),
        now=now,
        minor=row.minor,
    )
