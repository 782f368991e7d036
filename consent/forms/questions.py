"""Questions of a site's other programs: from an address, or many from a body."""

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest

from consent.core.purposes import Purpose
from consent.forms.body import json_object
from consent.forms.sent import UnreadableError
from consent.permissions import Question
from consent.publication import Published
from consent.visitor import region_named

MOST: Final = 100
_LONGEST: Final = 255
_MEMBERS: Final = {"user", "account", "purpose", "service", "place"}


def read_question(request: HttpRequest, here: Published) -> Question:
    """The question in an address; each word once, and none that is not known."""
    for name, values in request.GET.lists():
        if len(values) > 1:
            raise UnreadableError(f"{name} is there twice.")
    return _question(request.GET.dict(), here)


def read_questions(request: HttpRequest, here: Published) -> list[Question]:
    """The questions in a body; UnreadableError names the first that is none."""
    body = json_object(request)
    listed = body.get("questions")
    if set(body) != {"questions"} or not isinstance(listed, list):
        raise UnreadableError("Send an object with a list of questions.")
    if not 1 <= len(listed) <= MOST:
        raise UnreadableError(f"Send 1 to {MOST} questions.")
    return [_at(number, one, here) for number, one in enumerate(listed)]


def _at(number: int, one: object, here: Published) -> Question:
    try:
        return _question(one if isinstance(one, dict) else {"": one}, here)
    except UnreadableError as error:
        raise UnreadableError(f"questions[{number}]: {error.detail}") from None


def _question(given: Mapping[str, Any], here: Published) -> Question:
    unknown = sorted(set(given) - _MEMBERS)
    if unknown:
        raise UnreadableError(f"Unknown member: {unknown[0]}.")
    words = {name: _text(given, name) for name in _MEMBERS}
    if (words["user"] is None) == (words["account"] is None):
        raise UnreadableError("Say either user or account.")
    purpose = words["purpose"]
    if purpose not in {str(p) for p in Purpose}:
        raise UnreadableError("purpose is none that there is.")
    service = words["service"]
    if service is not None:
        of = {s.slug: s.purpose for s in here.policy.services}
        if of.get(service) != purpose:
            raise UnreadableError("service is none of that purpose.")
    place = words["place"]
    named = region_named(place)
    if place is not None and named is None:
        raise UnreadableError("place is none that there is.")
    return Question(words["user"], words["account"], Purpose(purpose), service, named)


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST or "\0" in value:
        raise UnreadableError(f"{name} must be a text of 1 to {_LONGEST} characters.")
    return value
