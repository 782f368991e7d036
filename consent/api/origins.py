"""Sharing answers with pages of other origins, as far as the site lists them.

A page on another host of the site may send its cookies along; a page of another site
named its site by `?site=`, and may not. Who is not on the list gets no header at all.
"""

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from consent.decision import Consent
from consent.forms.repeatable import HEADER as KEY
from consent.visitor.cookies import HEADER


def is_listed(request: HttpRequest, consent: Consent) -> bool:
    """Whether the request comes from an origin on the site's list."""
    return request.headers.get("Origin") in consent.published.site.allowed_origins


def shared(
    request: HttpRequest, consent: Consent, response: HttpResponse
) -> HttpResponse:
    """Let a listed origin read the answer."""
    if not consent.published.site.allowed_origins:
        return response
    patch_vary_headers(response, ("Origin",))
    if is_listed(request, consent):
        response["Access-Control-Allow-Origin"] = request.headers["Origin"]
        if not consent.elsewhere:
            response["Access-Control-Allow-Credentials"] = "true"
    return response


def preflight(
    request: HttpRequest, consent: Consent, methods: tuple[str, ...]
) -> HttpResponse:
    """Answer the question that a browser asks before it sends JSON from elsewhere."""
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Methods"] = ", ".join(methods)
    response["Access-Control-Allow-Headers"] = f"Content-Type, {HEADER}, {KEY}"
    response["Access-Control-Max-Age"] = "600"
    return shared(request, consent, response)
