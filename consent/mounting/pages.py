"""Banner, script and footer in pages whose templates have no tags of ours.

For projects that add no tag to their templates. `CONSENT_INSERT` says how: `server`
prints the banner itself, which works without JavaScript and makes a page one visitor's
own; `client` prints the same bytes for everybody, so that a shared cache may keep the
page, and leaves the rest to the script.
"""

import logging
import re
from collections.abc import Callable
from importlib import import_module
from typing import Final

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, clear_url_caches, include, path, reverse

from consent.decision import Consent
from consent.sites import UnknownSiteError

log = logging.getLogger(__name__)

_LANG: Final = re.compile(rb"<html\s[^>]*?\blang=[\"']?([A-Za-z0-9-]+)", re.IGNORECASE)
# The tags that matter, and what may only look as if it held some. An attribute may hold
# the sign that ends a tag: `data-action="click->menu#open"`.
_TAGS: Final = re.compile(
    rb"""<!--.*?-->|<(?P<raw>script|style|template|textarea)\b.*?</(?P=raw)\s*>
    |(?P<head></head\s*>)|(?P<body><body(?:\s(?:[^>"']|"[^"]*"|'[^']*')*)?>)
    |(?P<end></body\s*>)""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
# Stands in everything that is inserted, and in what the template tags print.
_OURS: Final = b" data-consent-script"


class InsertionMiddleware:
    """Insert what the tags would print, after `ConsentMiddleware` in the list."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        mount()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if _is_page(request, response):
            try:
                _insert(request, response)
            except (AnyDatabaseError, NoReverseMatch):
                # Nothing optional runs on a page without the script.
                log.warning("A page was left without banner and script.", exc_info=True)
        return response


def mount() -> None:
    """Add the product's addresses to the project's, where it did not itself.

    They come last, so that none of the project's own is hidden. The home page is the
    project's, or nobody's.
    """
    try:
        reverse("consent:consent-choice")
    except NoReverseMatch:
        ours = import_module("consent.urls")
        own = [one for one in ours.urlpatterns if one.name != "home"]
        urls = import_module(settings.ROOT_URLCONF)
        mounted = path("", include(([*own, _NO_HOME], ours.app_name)))
        urls.urlpatterns = [*urls.urlpatterns, mounted]  # type: ignore[attr-defined]
        clear_url_caches()


def _nobody(_request: HttpRequest) -> HttpResponse:
    raise Http404


_NO_HOME: Final = path("", _nobody, name="home")


def _is_page(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether a response is a whole page of the project's own visitors."""
    match = request.resolver_match
    return (
        not response.streaming
        and response.get("Content-Type", "").startswith("text/html")
        and not response.has_header("Content-Encoding")
        and (match is None or match.app_name != "admin")
        and _OURS not in response.content
    )


def _insert(request: HttpRequest, response: HttpResponse) -> None:
    consent: Consent = request.consent  # type: ignore[attr-defined]
    page = response.content
    places = _places(page)
    if places is None:
        return  # no place that is surely right
    head, body, last = places
    try:
        consent.published  # noqa: B018 - an unknown site gets nothing of another's
    except UnknownSiteError:
        return
    lang = _LANG.search(page, 0, head)
    if lang:
        consent.wanted_languages.insert(0, lang[1].decode())
    head_part, banner, foot = (
        # What the page's charset lacks is written as a reference.
        _printed(part, request).encode(response.charset, "xmlcharrefreplace")
        for part in ("head", "banner", "foot")
    )
    parts = (page[:head], head_part, page[head:body], banner, page[body:last], foot)
    response.content = b"".join([*parts, page[last:]])
    if response.has_header("Content-Length"):
        response["Content-Length"] = str(len(response.content))


def _places(page: bytes) -> tuple[int, int, int] | None:
    """Where the head ends, the body begins and ends; None where that is not sure."""
    head = body = end = None
    for tag in _TAGS.finditer(page):
        if tag["head"] and body is None:
            head = tag.start()
        elif tag["body"] and head is not None and body is None:
            body = tag.end()
        elif tag["end"] and body is not None:
            end = tag.start()
    if head is None or body is None:
        return None
    return head, body, len(page) if end is None else end


def _printed(part: str, request: HttpRequest) -> str:
    context = {"mode": settings.CONSENT_INSERT}
    return render_to_string(f"consent/inserted/{part}.html", context, request).strip()
