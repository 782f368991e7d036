"""What is said when something is wrong: problem documents (RFC 9457), or a page.

A client that speaks JSON gets a problem document, a person a page with the same
sentence. Nothing is stored when one of these is answered, but for `failed`, which
does not know; and nothing optional runs because of one.
"""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

API: Final = "/api/"


def problem(
    status: int,
    kind: str,
    detail: str,
    **extra: Any,  # noqa: ANN401 - JSON values
) -> JsonResponse:
    """A problem document; `kind` is the stable word that clients act on."""
    body = {"type": f"urn:consent:problem:{kind}", "title": kind, "status": status}
    response = JsonResponse(
        {**body, "detail": detail, **extra},
        status=status,
        content_type="application/problem+json",
    )
    response["Cache-Control"] = "no-store"
    return response


def wrong(request: HttpRequest, status: int, kind: str, detail: str) -> HttpResponse:
    """The problem as the caller can read it: a document for the API, else a page."""
    if of_api(request):
        return problem(status, kind, detail)
    page = {"status": status, "kind": kind, "detail": detail}
    response = render(request, "consent/problem.html", page, status=status)
    response["Cache-Control"] = "no-store"
    return response


def of_api(request: HttpRequest) -> bool:
    """Whether a request is for the API, under whatever path the product is served."""
    match = request.resolver_match
    if match is not None:
        return match.func.__module__.startswith("consent.api.")
    return request.path_info.startswith(API)


def unknown_site(request: HttpRequest) -> HttpResponse:
    """404: the host belongs to no site; nothing of another site is shown."""
    return wrong(
        request, 404, "unknown_site", _("This address belongs to no site we serve.")
    )


def unavailable(request: HttpRequest) -> HttpResponse:
    """503: the database cannot be reached."""
    sentence = _(
        "We cannot keep anything right now, so nothing was changed and nothing "
        "optional runs. Please try again in a moment."
    )
    response = wrong(request, 503, "unavailable", sentence)
    response["Retry-After"] = "5"
    return response


def failed(request: HttpRequest) -> HttpResponse:
    """500: an error of ours. It may have come after a choice was kept."""
    sentence = _(
        "Something went wrong on our side. We cannot say whether what you just did "
        "was kept: please look at your cookie preferences again."
    )
    return wrong(request, 500, "failed", sentence)


def forbidden_origin(request: HttpRequest) -> HttpResponse:
    """403: the write does not come from where it may come from."""
    return wrong(
        request,
        403,
        "forbidden_origin",
        _("This choice did not come from a page of this site, so it was not stored."),
    )


def nothing_to_refuse(request: HttpRequest) -> HttpResponse:
    """409: the site's policy has no marketing, so that none runs for anybody."""
    return wrong(
        request,
        409,
        "nothing_to_refuse",
        _("This site has no marketing in its policy, so none runs for anybody."),
    )


def no_identity_key() -> HttpResponse:
    """503: the installation has no key to know vouched persons by."""
    return problem(
        503,
        "identities_not_configured",
        "Set CONSENT_IDENTITY_KEY: at least 32 random characters.",
    )


def wrong_method(request: HttpRequest, allowed: tuple[str, ...]) -> HttpResponse:
    """405, naming the methods that exist."""
    sentence = _("This address answers only: %(methods)s.") % {
        "methods": ", ".join(allowed)
    }
    response = wrong(request, 405, "method_not_allowed", sentence)
    response["Allow"] = ", ".join(allowed)
    return response
