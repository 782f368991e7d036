"""What a project has still to do before the product works in it."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.urls import (
    NoReverseMatch,
    Resolver404,
    get_script_prefix,
    resolve,
    reverse,
)

from consent.mounting.first_site import wrong_in
from consent.mounting.pages import mount

_CONSENT: Final = "consent.middleware.ConsentMiddleware"
_INSERTION: Final = "consent.mounting.pages.InsertionMiddleware"
_LOCALE: Final = "django.middleware.locale.LocaleMiddleware"
_USERS: Final = "django.contrib.auth.middleware.AuthenticationMiddleware"
_REQUEST: Final = "django.template.context_processors.request"
_FORM: Final = "consent-choice"
MODES: Final = ("server", "client")


@register("consent")
def check_mounting(app_configs: object, **_: object) -> Sequence[CheckMessage]:
    """What a project's settings lack for the product to work."""
    return [
        *(*_middleware(), *_templates(), *_first_site(), *_insertion()),
        *_addresses(),
    ]


def _middleware() -> Iterator[CheckMessage]:
    used = list(settings.MIDDLEWARE)
    if _CONSENT not in used:
        yield Error(
            "The product's middleware is missing, so that no page knows what may run.",
            hint=f'Add "{_CONSENT}" at the end of MIDDLEWARE.',
            id="consent.E023",
        )
        return
    for name in (_LOCALE, _USERS):
        if name in used and used.index(name) > used.index(_CONSENT):
            yield Error(
                f"{name} comes after the product's middleware, which needs it.",
                hint=f'Put "{_CONSENT}" after it.',
                id="consent.E024",
            )
    if _INSERTION in used and used.index(_INSERTION) < used.index(_CONSENT):
        yield Error(
            "InsertionMiddleware comes before ConsentMiddleware, which it asks.",
            hint=f'Put "{_INSERTION}" after "{_CONSENT}".',
            id="consent.E024",
        )


def _templates() -> Iterator[CheckMessage]:
    engines: list[dict[str, Any]] = list(settings.TEMPLATES)
    for engine in engines:
        if _REQUEST in engine.get("OPTIONS", {}).get("context_processors", ()):
            return
    yield Error(
        "No template engine hands the request on, which the template tags ask.",
        hint=f'Add "{_REQUEST}" to the context_processors of DjangoTemplates.',
        id="consent.E025",
    )


def _first_site() -> Iterator[CheckMessage]:
    wanted = settings.CONSENT_SITE
    for sentence in wrong_in(wanted) if wanted is not None else ():
        yield Error(
            f"CONSENT_SITE: {sentence}",
            hint="See the README, “In a Django project of your own”.",
            id="consent.E026",
        )


def _insertion() -> Iterator[CheckMessage]:
    if settings.CONSENT_INSERT not in MODES:
        yield Error(
            f"CONSENT_INSERT is {settings.CONSENT_INSERT!r}; it must be one of "
            f"{', '.join(MODES)}.",
            id="consent.E027",
        )


def _addresses() -> Iterator[CheckMessage]:
    """Whether the banner's form reaches us."""
    if _INSERTION in settings.MIDDLEWARE:
        mount()
    try:
        # An address begins with the path of the host; what is resolved does not.
        path = reverse(f"consent:{_FORM}").removeprefix(get_script_prefix().rstrip("/"))
        view = resolve(path).func
    except (NoReverseMatch, Resolver404):
        yield Error(
            "The product's addresses are missing, so that nobody can answer.",
            hint='Add path("", include("consent.urls")) to the addresses, or '
            f'"{_INSERTION}" to MIDDLEWARE.',
            id="consent.E028",
        )
        return
    if not view.__module__.startswith("consent."):
        yield Error(
            "An address of the project takes in those of the product, such as "
            f"{reverse(f'consent:{_FORM}')}, so that nobody can answer.",
            hint='Put path("", include("consent.urls")) before it.',
            id="consent.E028",
        )
