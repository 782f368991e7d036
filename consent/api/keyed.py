"""Endpoints for a site's other programs, which show a key (RFC 6750)."""

from collections.abc import Callable
from functools import wraps
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from consent import api_keys, problems, publication
from consent.forms import UnreadableError
from consent.identities import NoIdentityKeyError
from consent.languages import wordless
from consent.models import ApiKey
from consent.publication import Published

type View = Callable[[HttpRequest, Published], HttpResponse]
_BEARER: Final = "Bearer "


def keyed(scope: ApiKey.Scope, *methods: str) -> Callable[[View], View]:
    """An endpoint for a key with a scope; the key says which site is asked."""

    def decorate(view: View) -> Callable[[HttpRequest], HttpResponse]:
        @csrf_exempt
        @wordless
        @wraps(view)
        def answer(request: HttpRequest) -> HttpResponse:
            if request.method not in methods:
                response = problems.wrong_method(request, methods)
            else:
                response = _answered(request, scope, view)
            response["Cache-Control"] = "no-store"
            return response

        return answer

    return decorate  # type: ignore[return-value] # the view's own site is found here


def _answered(request: HttpRequest, scope: ApiKey.Scope, view: View) -> HttpResponse:
    key = _key(request)
    here = _site_of(key) if key else None
    if key is None or here is None:
        response = problems.problem(401, "invalid_key", "Send a key that counts.")
        response["WWW-Authenticate"] = 'Bearer realm="consent"'
        return response
    if scope not in key.scopes:
        return problems.problem(
            403, "missing_scope", f"This key is not for: {scope.value}."
        )
    try:
        return view(request, here)
    except UnreadableError as error:
        return problems.problem(error.status, error.kind, error.detail)
    except NoIdentityKeyError:
        return problems.no_identity_key()


def _key(request: HttpRequest) -> ApiKey | None:
    given = request.headers.get("Authorization", "")
    if not given.startswith(_BEARER):
        return None
    return api_keys.known(given.removeprefix(_BEARER), at=timezone.now())


def _site_of(key: ApiKey) -> Published | None:
    known = publication.published()
    return next((here for here in known if here.site.pk == key.site_id), None)
