"""Questions about a person, and how an answer is read: strictly, or not at all."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, TypeVar

from consent_client.errors import AnswerError, QuestionError

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """Whether a person may be tracked for a purpose, or by one service of it.

    The person is a `user`, as this service names them in its tokens, or an `account`:
    the number of a user of the consent backend's own Django project. `place` is where
    they are, as in US-CA, if that is known for certain.
    """

    purpose: str
    user: str | None = None
    account: str | None = None
    service: str | None = None
    place: str | None = None

    def __post_init__(self) -> None:
        """Refuse what the backend could only refuse."""
        if (self.user is None) == (self.account is None):
            raise QuestionError("A question is about one user or one account.")
        members: list[object] = [self.purpose, *self.document.values()]
        if not all(isinstance(text, str) and text for text in members):
            raise QuestionError("A question is made of texts that are not empty.")

    @property
    def document(self) -> dict[str, str]:
        """The question as it is sent."""
        members = {
            "user": self.user,
            "account": self.account,
            "purpose": self.purpose,
            "service": self.service,
            "place": self.place,
        }
        return {name: text for name, text in members.items() if text is not None}


@dataclass(frozen=True, kw_only=True, slots=True)
class Permission:
    """An answer. `identity` is how webhooks name the person."""

    user: str | None
    account: str | None
    identity: str | None
    purpose: str
    service: str | None
    allowed: bool
    reason: str
    known: bool
    place: str | None
    policy_version: int
    answered_at: datetime | None
    expires_at: datetime | None

    def holds(self, at: datetime | None = None) -> bool:
        """Whether it is allowed at this time (now): a grant ends by itself."""
        now = at or datetime.now(timezone.utc)
        return self.allowed and (self.expires_at is None or now < self.expires_at)


def read_answers(body: bytes, questions: Sequence[Question]) -> list[Permission]:
    """The answers to these questions, in their order; AnswerError for anything else."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise AnswerError("The answer is not JSON.") from None
    answers = member(whole(document), "answers", list)
    if len(answers) != len(questions):
        raise AnswerError("There are not as many answers as questions.")
    return [_read(*pair) for pair in zip(answers, questions, strict=True)]


def _read(answer: object, question: Question) -> Permission:
    found = whole(answer)
    permission = Permission(
        user=optional(found, "user"),
        account=optional(found, "account"),
        identity=optional(found, "identity"),
        purpose=member(found, "purpose", str),
        service=optional(found, "service"),
        allowed=member(found, "allowed", bool),
        reason=member(found, "reason", str),
        known=member(found, "known", bool),
        place=optional(found, "place"),
        policy_version=member(found, "policy_version", int),
        answered_at=_moment(found, "answered_at"),
        expires_at=_moment(found, "expires_at"),
    )
    for name in ("user", "account", "purpose", "service"):
        if getattr(permission, name) != question.document.get(name):
            raise AnswerError(f"The answer is about another {name}.")
    return permission


def whole(document: object) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise AnswerError("An answer is not a JSON object.")
    return document


def member(document: dict[str, Any], name: str, kind: type[T]) -> T:
    """A member of exactly this type: `1` is not true."""
    value = document.get(name)
    if type(value) is kind:
        return value
    raise AnswerError(f"{name} is missing or not what it should be.")


def optional(document: dict[str, Any], name: str) -> str | None:
    """A text or null; to leave it out is a mistake."""
    if name in document and document[name] is None:
        return None
    return member(document, name, str)


def _moment(document: dict[str, Any], name: str) -> datetime | None:
    text = optional(document, name)
    return None if text is None else moment(text)


def moment(text: str) -> datetime:
    """A time with its zone (RFC 3339), whichever Python reads it."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise AnswerError("A time is not written as RFC 3339 has it.") from None
    if found.tzinfo is None:
        raise AnswerError("A time has no zone.")
    return found
