"""The client script and its style sheet at addresses that stay: for pages of any stack.

Our own pages name the hashed files, which never change; these are asked for again after
five minutes, and answered with 304 while they are the same.
"""

import gzip
import re
from functools import lru_cache
from typing import Final

from django.http import HttpRequest, HttpResponseBase
from django.http.response import HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.http import require_safe

from consent.languages import wordless
from consent.notices import served

_BEST: Final = 9
# Named, and not refused (RFC 9110 section 12.4.2).
_GZIP: Final = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")


@wordless
@require_safe
def file(request: HttpRequest, name: str) -> HttpResponseBase:
    """GET /consent.js, GET /consent.css: the file itself, for pages of any origin."""
    found, digest = served(f"consent/{name}")
    zipped = bool(_GZIP.search(request.headers.get("Accept-Encoding", "")))
    response = HttpResponse(
        _zipped(found.body) if zipped else found.body,
        content_type=f"{found.media_type}; charset=utf-8",
    )
    if zipped:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ("Accept-Encoding",))
    ending = "-gzip" if zipped else ""
    response["ETag"] = f'"{digest.removeprefix("sha256:")}{ending}"'
    response["Cache-Control"] = "public, max-age=300"
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    etag = response["ETag"]
    return get_conditional_response(request, etag=etag, response=response) or response


@lru_cache(maxsize=8)
def _zipped(body: bytes) -> bytes:
    return gzip.compress(body, _BEST, mtime=0)
