"""The notice: the words a visitor is shown, as one document, kept once per hash.

Banner, preference centre and settings page print this document and nothing else about
consent, so that what a record points at is what was on the screen.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from consent.core.canonical import canonical_hash
from consent.core.decide import Decision
from consent.core.purposes import Purpose
from consent.core.scales import OptOutLink
from consent.models import Notice
from consent.publication import Published

type Document = dict[str, Any]

# Hashes of notices that are known to be kept.
_kept: set[str] = set()


def notice_for(
    here: Published, *, language: str, purposes: tuple[Purpose, ...], signal: bool
) -> tuple[str, Document]:
    """The notice for a language and the purposes on offer, with its hash.

    `signal` says that the browser sent a signal that was applied, which the words then
    say too.
    """
    return _made(_Key(here), language, purposes, signal)


class _Key:
    """A published policy, remembered by the hash that names it."""

    __slots__ = ("here",)

    def __init__(self, here: Published) -> None:
        self.here = here

    def _name(self) -> tuple[str, str]:
        return self.here.policy.hash, self.here.site.name

    def __hash__(self) -> int:
        return hash(self._name())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other._name() == self._name()


@lru_cache(maxsize=512)
def _made(
    key: _Key, language: str, purposes: tuple[Purpose, ...], signal: bool
) -> tuple[str, Document]:
    with translation.override(language):
        document = _document(key.here, language, purposes, signal)
    return canonical_hash(document), document


def _document(
    here: Published, language: str, purposes: tuple[Purpose, ...], signal: bool
) -> Document:
    site = here.site.name
    controller = here.document.get("controller", {}).get("name", "")
    return {
        "format": 1,
        "site": site,
        "controller": controller,
        "privacy_policy_url": here.document.get("privacy_policy_url", ""),
        "policy": {"version": here.policy.version, "hash": here.policy.hash},
        "language": language,
        "heading": _("Cookies on %(site)s") % {"site": site},
        "essential": _("Essential cookies make this site work."),
        "wish": _("%(controller)s would like to add others: %(uses)s.")
        % {"controller": controller, "uses": _uses(here, language, purposes)},
        "tell": _(
            "%(controller)s uses cookies for: %(uses)s. You can refuse them any time."
        )
        % {"controller": controller, "uses": _uses(here, language, purposes)},
        "accept": _("Accept additional cookies"),
        "reject": _("Reject additional cookies"),
        "choose": _("Choose which cookies"),
        "signal": _("Your browser’s signal is honored: marketing stays off.")
        if signal
        else None,
        "purposes": [_purpose(here, language, purpose) for purpose in purposes],
    }


def _uses(here: Published, language: str, purposes: tuple[Purpose, ...]) -> str:
    titles = [_title(here, language, purpose) for purpose in purposes]
    # German keeps the capitals of nouns within a sentence.
    return ", ".join(t if language.startswith("de") else t.lower() for t in titles)


def _title(here: Published, language: str, purpose: Purpose) -> str:
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
        "title": _title(here, language, purpose),
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
    return translation.ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


def _spoken(texts: Mapping[str, str], language: str) -> str:
    """A policy's own text in a language; where it is missing, English, else empty."""
    return texts.get(language) or texts.get("en") or ""


def opt_out_link(decision: Decision, language: str) -> dict[str, str] | None:
    """The link that the rule wants, with the words that California prescribes."""
    if decision.rule.opt_out_link is OptOutLink.NONE:
        return None
    with translation.override(language):
        label = _("Your Privacy Choices")
    return {"label": label, "href": reverse("privacy-choices")}


def keep(digest: str, document: Document) -> None:
    """Keep a notice in the caller's transaction, once per hash."""
    if digest in _kept:
        return
    Notice.objects.get_or_create(hash=digest, defaults={"document": document})
    transaction.on_commit(lambda: _kept.add(digest))


def forget() -> None:
    """Forget which notices are known to be kept."""
    _kept.clear()
