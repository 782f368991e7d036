"""What a site has published, the same for everybody: its policy and its rule book.

Any version that was ever published can be asked for, and is kept by every cache; the
current one is asked for again after a minute. Nothing here asks about the visitor.
"""

from typing import Any, Final

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from consent import problems
from consent.core.canonical import is_hash
from consent.languages import wordless
from consent.models import PolicyVersion, RuleBookVersion
from consent.publication import Published

_FOR_EVER: Final = "public, max-age=31536000, immutable"
_FOR_NOW: Final = "public, max-age=60"
_DIGITS: Final = 9


@wordless
@require_safe
def policy(request: HttpRequest) -> HttpResponseBase:
    """GET /api/v1/policy: the policy in force; with `?version=` that one, for ever."""
    here, wanted = _published(request), request.GET.get("version")
    if wanted is None and here.policy.version:
        return _answer(request, _policy(here, here.document, here.policy.hash))
    number = int(wanted) if wanted and _is_number(wanted) else 0
    row = PolicyVersion.objects.filter(site=here.site, version=number).first()
    if row is None:
        return problems.problem(
            404, "unknown_version", "No policy of that version was ever published."
        )
    return _answer(request, _policy(here, row.document, row.hash), age=_FOR_EVER)


@wordless
@require_safe
def rules(request: HttpRequest) -> HttpResponseBase:
    """GET /api/v1/rules: the rule book in use; with `?version=` that one, for ever."""
    here, wanted = _published(request), request.GET.get("version")
    if wanted is None:
        whole = {"version": here.book.version, "rules": here.book.document()}
        return _answer(request, whole)
    known = RuleBookVersion.objects.filter(hash=wanted) if is_hash(wanted) else None
    row = known.first() if known is not None else None
    if row is None:
        return problems.problem(
            404, "unknown_version", "No record points at a rule book of that version."
        )
    found = {"version": row.hash, "rules": row.document}
    return _answer(request, found, age=_FOR_EVER)


def _published(request: HttpRequest) -> Published:
    """The site of the request; raises UnknownSiteError, which is a 404."""
    return request.consent.published  # type: ignore[attr-defined, no-any-return]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


def _policy(here: Published, document: Any, digest: str) -> dict[str, Any]:  # noqa: ANN401
    return {
        "site": here.site.slug,
        "version": document["version"],
        "hash": digest,
        "policy": document,
    }


def _answer(
    request: HttpRequest, document: dict[str, Any], *, age: str = _FOR_NOW
) -> HttpResponseBase:
    """The document for every cache and origin; 304 for who has it already."""
    named = document.get("hash") or document["version"]
    response = JsonResponse(document)
    response["ETag"] = f'"{named.removeprefix("sha256:")}"'
    response["Cache-Control"] = age
    response["Access-Control-Allow-Origin"] = "*"
    etag = response["ETag"]
    return get_conditional_response(request, etag=etag, response=response) or response
