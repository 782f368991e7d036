"""The words of a notice, in one language: the part that people can read."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consent.core.decide import Decision
from consent.core.purposes import Purpose
from consent.core.record import Surface
from consent.core.scales import OptOutLink
from consent.publication import Published
from consent.visitor.cookies import LONGEST

type Document = dict[str, Any]

FORMAT: Final = 2
_COMMAS: Final = {"ja": "、", "zh": "、", "ar": "، "}
CENTRES: Final = (Surface.PREFERENCES, Surface.SETTINGS)


class Kind(StrEnum):
    """Whether a notice asks for a yes, or tells what goes on until a no."""

    ASK = "ask"
    TELL = "tell"


@dataclass(frozen=True, slots=True)
class Asked:
    """All that a site's notice depends on, beside what the site published.

    `signal` says that the browser sent a signal that was applied, which the words then
    say too. `running` are the purposes that run until somebody answers, and `exempt`
    the services that run before their purpose may; a banner speaks of neither.
    """

    surface: Surface
    kind: Kind
    language: str
    purposes: tuple[Purpose, ...]
    signal: bool
    running: tuple[Purpose, ...] = ()
    exempt: tuple[str, ...] = ()


def words(here: Published, asked: Asked) -> Document:
    """The notice's words, in the active language, which is the one asked for."""
    language = asked.language
    controller = here.document.get("controller", {}).get("name", "")
    site = unicodedata.normalize("NFC", here.site.name)
    said = {"controller": controller, "uses": _uses(here, language, asked.purposes)}
    return {
        "format": FORMAT,
        "site": site,
        "controller": controller,
        "privacy_policy_url": here.document.get("privacy_policy_url", ""),
        "policy": {"version": here.policy.version, "hash": here.policy.hash},
        "language": language,
        "surface": str(asked.surface),
        "kind": str(asked.kind),
        "heading": _("Cookies on %(site)s") % {"site": site},
        "essential": _("Essential cookies make this site work."),
        "wish": _("%(controller)s would like to add others: %(uses)s.") % said,
        "tell": _(
            "%(controller)s uses cookies for: %(uses)s. You can refuse them any time."
        )
        % said,
        "accept": _("Accept additional cookies"),
        "reject": _("Reject additional cookies"),
        "choose": _("Choose which cookies"),
        "signal": _("Your browser’s signal is honored: marketing stays off.")
        if asked.signal
        else None,
        "purposes": [_purpose(here, language, purpose) for purpose in asked.purposes],
        "essential_cookies": list(_essential()) if asked.surface in CENTRES else [],
        "running": [str(purpose) for purpose in asked.running],
        "exempt": list(asked.exempt),
    }


def _uses(here: Published, language: str, purposes: tuple[Purpose, ...]) -> str:
    titles = [title(here, language, purpose) for purpose in purposes]
    base = language.partition("-")[0]
    return _COMMAS.get(base, ", ").join(_within(text, base) for text in titles)


def _within(text: str, base: str) -> str:
    """A title as it stands within a sentence of a language."""
    if base == "de":
        return text  # nouns keep their capitals
    if base == "tr":
        text = text.translate({ord("İ"): "i", ord("I"): "ı"})
    return text.lower()


def title(here: Published, language: str, purpose: Purpose) -> str:
    """What a purpose is called in a language: the site's own word, else ours."""
    own = here.document["purposes"].get(str(purpose), {}).get("title", {})
    return (
        _spoken(own, language)
        or {
            Purpose.NECESSARY: _("Essential"),
            Purpose.FUNCTIONAL: _("Functional"),
            Purpose.ANALYTICS: _("Analytics"),
            Purpose.MARKETING: _("Marketing"),
        }[purpose]
    )


def _description(here: Published, language: str, purpose: Purpose) -> str:
    own = here.document["purposes"].get(str(purpose), {}).get("description", {})
    return (
        _spoken(own, language)
        or {
            Purpose.NECESSARY: _(
                "Needed for the site to work; they cannot be switched off."
            ),
            Purpose.FUNCTIONAL: _(
                "Remember what you set, and show extras such as a chat."
            ),
            Purpose.ANALYTICS: _(
                "Tell us how the site is used, so that we can improve it."
            ),
            Purpose.MARKETING: _(
                "Show you advertising that follows what you looked at."
            ),
        }[purpose]
    )


def _question(purpose: Purpose) -> str:
    return {
        Purpose.FUNCTIONAL: _("Do you want to allow functional cookies?"),
        Purpose.ANALYTICS: _("Do you want to allow analytics cookies?"),
        Purpose.MARKETING: _("Do you want to allow marketing cookies?"),
    }[purpose]


def _purpose(here: Published, language: str, purpose: Purpose) -> Document:
    return {
        "purpose": str(purpose),
        "each": purpose in here.policy.by_service,
        "title": title(here, language, purpose),
        "description": _description(here, language, purpose),
        "question": _question(purpose),
        "services": [
            _service(service, language)
            for service in here.document["services"]
            if service["purpose"] == purpose
        ],
    }


def _service(service: Mapping[str, Any], language: str) -> Document:
    return {
        "service": service["slug"],
        "name": service["name"],
        "provider": service["provider"],
        "description": _spoken(service.get("description", {}), language),
        "exemption": service.get("exemption"),
        "cookies": [
            {
                "name": cookie["name"],
                "lifetime": _lifetime(cookie.get("days")),
                "description": _spoken(cookie.get("description", {}), language),
            }
            for cookie in service.get("cookies", ())
        ],
    }


def _lifetime(days: int | None) -> str:
    if days is None:
        return _("until the browser is closed")
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


def _spoken(texts: Mapping[str, str], language: str) -> str:
    """A policy's own text in a language; where it is missing, English, else empty."""
    return texts.get(language) or texts.get("en") or ""


def _essential() -> Iterator[dict[str, str]]:
    """The cookies that are never asked about: name, what for, how long."""
    name = settings.CONSENT_COOKIE_NAME
    answer, account = LONGEST.days, settings.SESSION_COOKIE_AGE // 86_400
    yield _cookie(name, _("Remembers your answer about cookies."), answer)
    yield _cookie(
        f"{name}_id",
        _("Leads you to your own records; set only once you allow something."),
        answer,
    )
    yield _cookie(
        settings.SESSION_COOKIE_NAME, _("Keeps you signed in; set at sign-in."), account
    )
    yield _cookie(
        settings.CSRF_COOKIE_NAME,
        _("Protects forms against other sites; set at sign-in."),
        settings.CSRF_COOKIE_AGE // 86_400,
    )


def _cookie(name: str, description: str, days: int) -> dict[str, str]:
    return {"name": name, "description": description, "lifetime": _lifetime(days)}


def opt_out_link(decision: Decision, language: str) -> dict[str, str] | None:
    """The link that the rule wants, with the words that California prescribes."""
    if decision.rule.opt_out_link is OptOutLink.NONE:
        return None
    with translation.override(language):
        label = _("Your Privacy Choices")
    return {"label": label, "href": reverse("consent:privacy-choices")}
