"""Permissions for a site's other programs (docs/api.md)."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from consent.api.keyed import keyed
from consent.forms import read_question, read_questions, require_json
from consent.models import ApiKey
from consent.permissions import Permission, answers
from consent.publication import Published


@keyed(ApiKey.Scope.PERMISSIONS, "GET", "HEAD", "POST")
def permissions(request: HttpRequest, here: Published) -> HttpResponse:
    """GET one permission, or POST up to a hundred questions, answered in order."""
    if request.method == "POST":
        require_json(request)
        asked = read_questions(request, here)
        found = answers(here, asked, timezone.now())
        return JsonResponse({"answers": [_document(one) for one in found]})
    question = read_question(request, here)
    (found_one,) = answers(here, [question], timezone.now())
    return JsonResponse(_document(found_one))


def _document(found: Permission) -> dict[str, Any]:
    question = found.question
    return {
        "user": question.user,
        "account": question.account,
        "identity": found.identity,
        "purpose": str(question.purpose),
        "service": question.service,
        "allowed": found.allowed,
        "reason": str(found.why),
        "known": found.known,
        "place": question.place,
        "policy_version": found.policy_version,
        "answered_at": _time(found.answered_at),
        "expires_at": _time(found.expires_at),
    }


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None
