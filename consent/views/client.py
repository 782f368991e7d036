"""The client script and its style sheet at addresses that stay: for pages of any stack.

Our own pages name the hashed files, which never change; these are asked for again after
five minutes, and answered with 304 while they are the same.
"""

from django.http import HttpRequest, HttpResponseBase
from django.http.response import HttpResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from consent.languages import wordless
from consent.notices import served


@wordless
@require_safe
def file(request: HttpRequest, name: str) -> HttpResponseBase:
    """GET /consent.js, GET /consent.css: the file itself, for pages of any origin."""
    found, digest = served(f"consent/{name}")
    response = HttpResponse(
        found.body, content_type=f"{found.media_type}; charset=utf-8"
    )
    response["ETag"] = f'"{digest.removeprefix("sha256:")}"'
    response["Cache-Control"] = "public, max-age=300"
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    etag = response["ETag"]
    return get_conditional_response(request, etag=etag, response=response) or response
