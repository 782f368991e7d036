"""What every endpoint of the API does: knows its site, is stored nowhere, is shared."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from consent import problems
from consent.api.documents import decision_document
from consent.api.origins import is_listed, preflight, shared
from consent.choices import RecordGoneError, ReusedKeyError
from consent.decision import Consent
from consent.forms import PolicyChangedError, UnreadableError
from consent.sites import UnknownSiteError

type View = Callable[..., HttpResponse]


def endpoint(*methods: str) -> Callable[[View], View]:
    """An endpoint for some methods that is stored nowhere and knows its site.

    The API has no cookie of Django's to protect it: where a write may come from is
    decided by `forms.trust_of`.
    """

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def answer(request: HttpRequest, **kwargs: Any) -> HttpResponse:  # noqa: ANN401
            consent: Consent = request.consent  # type: ignore[attr-defined]
            try:
                consent.published  # noqa: B018 - an unknown site ends here
                if request.method == "OPTIONS" and is_listed(request, consent):
                    return preflight(request, consent, methods)
                if request.method not in methods:
                    return shared(
                        request, consent, problems.wrong_method(request, methods)
                    )
                response = view(request, consent, **kwargs)
            except UnknownSiteError:
                return problems.unknown_site(request)
            except UnreadableError as error:
                response = _unreadable(request, error)
            except (ReusedKeyError, RecordGoneError) as error:
                response = _not_again(error)
            response["Cache-Control"] = "no-store"
            return shared(request, consent, response)

        return answer

    return decorate


def _not_again(error: ReusedKeyError | RecordGoneError) -> HttpResponse:
    if isinstance(error, RecordGoneError):
        detail = "The record of this request was erased; a new choice needs a new key."
        return problems.problem(409, "record_gone", detail)
    detail = "This key came with another request; a new choice needs a new key."
    return problems.problem(422, "idempotency_key_reused", detail)


def _unreadable(request: HttpRequest, error: UnreadableError) -> HttpResponse:
    extra: dict[str, Any] = {}
    if isinstance(error, PolicyChangedError):
        extra["decision"] = decision_document(request.consent)  # type: ignore[attr-defined]
    return problems.problem(error.status, error.kind, error.detail, **extra)
