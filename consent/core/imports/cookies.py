"""The cookies in which other tools keep what a visitor answered.

Each is read strictly and raises ValueError for anything that the tool does not write
(`tests/vectors/earlier_cookies.json` has what they do write). Nobody signed them: what
they say is what the browser says.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final
from urllib.parse import unquote

from consent.core.imports.answers import Earlier, moment
from consent.core.strict_json import strictly

LARGEST: Final = 4096
# django-cookie-consent's names of groups.
_GROUP: Final = re.compile(r"[-_a-zA-Z0-9]+")


class Tool(StrEnum):
    """The tools whose cookies can be read; the value is the name of their package."""

    DJANGO_COOKIE_CONSENT = "django-cookie-consent"
    VANILLA_COOKIECONSENT = "vanilla-cookieconsent"
    KLARO = "klaro"


COOKIE_NAMES: Final[Mapping[Tool, str]] = {
    Tool.DJANGO_COOKIE_CONSENT: "cookie_consent",
    Tool.VANILLA_COOKIECONSENT: "cc_cookie",
    Tool.KLARO: "klaro",
}


def read(tool: Tool, text: str) -> Earlier:
    """The answers in a tool's cookie; ValueError for what the tool does not write."""
    if not 0 < len(text) <= LARGEST:
        raise ValueError("empty, or larger than any cookie")
    try:
        return _READERS[tool](text)
    except (RecursionError, OverflowError) as error:
        raise ValueError("not a cookie of this tool") from error


def _vanilla_cookieconsent(text: str) -> Earlier:
    """`cc_cookie` of versions 2 and 3: what was accepted, and when.

    A category of which services are listed may have been accepted in part: the cookie
    does not say how many there were. Its services are named `category/service`.
    The first consent's time counts for grants, since a later one may have been about
    something else; the last one's for refusals.
    """
    body = _object(_decoded(text))
    categories = frozenset(_words(body.get("categories", body.get("level"))))
    listed = _lists(body.get("services", {}))
    in_part = {name for name, services in listed.items() if services}
    one_by_one = {f"{c}/{s}" for c in in_part & categories for s in listed[c]}
    first = body.get("consentTimestamp", body.get("consent_date"))
    last = body.get("lastConsentTimestamp", body.get("last_consent_update", first))
    given = sorted(moment(time) for time in (first, last) if time is not None)
    return Earlier(
        granted=frozenset((categories - in_part) | one_by_one),
        unclear=frozenset(categories & in_part),
        rest_refused=True,
        first=given[0] if first is not None else None,
        last=given[-1] if given else None,
    )


def _klaro(text: str) -> Earlier:
    """Klaro's cookie: services, each true or false, and no time."""
    said = _object(_decoded(text))
    if not all(type(on) is bool for on in said.values()):
        raise ValueError("a service that is neither true nor false")
    return Earlier(
        granted=frozenset(name for name, on in said.items() if on),
        refused=frozenset(name for name, on in said.items() if not on),
    )


def _django_cookie_consent(text: str) -> Earlier:
    """`group=version|group=-1`, where a version is when the group last got a cookie.

    That is no time of consent, and the cookie has none. An empty version is that of a
    group without cookies, which says nothing.
    """
    pairs = [part.split("=") for part in text.split("|")]
    if not all(len(pair) == 2 and _GROUP.fullmatch(pair[0]) for pair in pairs):  # noqa: PLR2004 - a name and a value
        raise ValueError("not groups with their versions")
    said: dict[str, str] = {name: version for name, version in pairs}  # noqa: C416 - of two
    if len(said) < len(pairs):
        raise ValueError("a group is there twice")
    for version in said.values():
        if version not in {"-1", ""}:
            moment(version, assume_utc=True)
    return Earlier(
        granted=frozenset(name for name, v in said.items() if v not in {"-1", ""}),
        refused=frozenset(name for name, v in said.items() if v == "-1"),
    )


_READERS: Final[Mapping[Tool, Callable[[str], Earlier]]] = {
    Tool.DJANGO_COOKIE_CONSENT: _django_cookie_consent,
    Tool.VANILLA_COOKIECONSENT: _vanilla_cookieconsent,
    Tool.KLARO: _klaro,
}


def _decoded(text: str) -> str:
    """The text without `encodeURIComponent`, which version 2 may leave out."""
    return unquote(text, errors="strict") if text.startswith("%") else text


def _object(text: str) -> dict[str, Any]:
    body = strictly(text)
    if not isinstance(body, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one error for callers
    return body


def _words(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError("not a list of names")
    return value


def _lists(value: object) -> dict[str, list[str]]:
    if not isinstance(value, dict):
        raise ValueError("not services by their category")  # noqa: TRY004 - as above
    return {name: _words(services) for name, services in value.items()}
