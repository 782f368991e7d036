"""Which language our pages speak."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from consent import languages, problems
from consent.middleware.ours import asks_us, is_ours
from consent.sites import UnknownSiteError

_LOCALE: Final = "django.middleware.locale.LocaleMiddleware"
_PICKED: Final = "consent_language"


class LanguageMiddleware:
    """Speak our visitors' language on our own pages; leave others' pages as they are.

    What the visitor picked in the menu (`?language=`), what somebody signed in picked
    before, and then the browser's list (`Accept-Language`), among the languages that
    the site publishes. The script names the language of its page in the same way.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        before = translation.get_language()
        try:
            response = self.get_response(request)
            return self._labelled(request, response)
        finally:
            if before:
                translation.activate(before)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponse],
        _args: object,
        _kwargs: object,
    ) -> None:
        if languages.is_wordless(view):
            return
        if not is_ours(view):
            if _LOCALE not in settings.MIDDLEWARE:
                # Nobody chose a language for this page: our part of it may still.
                request.consent.wanted_languages = _accepted(request)  # type: ignore[attr-defined]
            return
        language = _language(request)
        if language is not None:
            translation.activate(language)

    def _labelled(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Say which language a page of ours speaks; what has no words, speaks none.

        A page that tells of an error has words whatever was asked for.
        """
        match = request.resolver_match
        if match is None or not asks_us(request):
            return response
        has_words = response.status_code >= HTTPStatus.BAD_REQUEST
        if languages.is_wordless(match.func) and not has_words:
            _without_language(response)
        else:
            response["Content-Language"] = translation.get_language() or ""
        return response


def _without_language(response: HttpResponse) -> None:
    """Take back what was said of a language where every language gets these bytes."""
    if "Content-Language" in response:
        del response["Content-Language"]
    varied = [name.strip() for name in response.get("Vary", "").split(",")]
    kept = [name for name in varied if name and name.lower() != "accept-language"]
    if kept:
        response["Vary"] = ", ".join(kept)
    elif "Vary" in response:
        del response["Vary"]


def _language(request: HttpRequest) -> str | None:
    """The language to speak; None where it is not known what the site speaks."""
    try:
        published = request.consent.published.languages  # type: ignore[attr-defined]
        named = request.GET.get("language", "")
        wanted = [_picked(request, named, published), named]
    except (UnknownSiteError, AnyDatabaseError):
        return None  # the view tells of it
    wanted = [*filter(None, wanted), *_accepted(request)]
    return languages.match(wanted, published) or published[0]


def _accepted(request: HttpRequest) -> list[str]:
    return languages.accepted(request.headers.get("Accept-Language", ""))


def _picked(request: HttpRequest, named: str, published: Sequence[str]) -> str:
    """What somebody signed in picked in the menu, now or before.

    It is kept with the session. In the API the script names its page's language, which
    is nobody's pick.
    """
    session = getattr(request, "session", None)
    if session is None or session.is_empty():
        return ""
    ours = named in published and not problems.of_api(request)
    if ours and session.get(_PICKED) != named:
        session[_PICKED] = named
    return str(session.get(_PICKED, ""))
