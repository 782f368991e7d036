"""What a policy document must be before it is published: closed lists, right types.

Every page of a site is made from its document, so one that says something else than
pages expect would break all of them, and one that claims an exemption without grounds
would run services that nobody agreed to. What is wrong is told in sentences, one each.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from consent.core.policy import Ask
from consent.core.purposes import OPTIONAL, Purpose
from consent.core.scales import Banner, Exemption, Model

# What a law that lets a service run before a choice has in view (rule 3): audience
# measurement for the site itself, and how the site looks to the visitor.
EXEMPTED_PURPOSE: Final[Mapping[Exemption, Purpose]] = {
    Exemption.OWN_STATISTICS: Purpose.ANALYTICS,
    Exemption.APPEARANCE: Purpose.FUNCTIONAL,
}
LONGEST_RULE: Final = 3650
LONGEST_COOKIE: Final = 1_000_000

_SLUG: Final = re.compile(r"[a-z0-9-]{1,40}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_WORDS: Final = {
    "minimum_model": tuple(model.label for model in Model),
    "minimum_banner": tuple(banner.label for banner in Banner),
}
_DAYS: Final = ("grant_days", "gap_days")

type Problems = Iterator[str]


def problems(document: object) -> list[str]:
    """Everything that keeps a document from being published, a sentence each."""
    if not isinstance(document, Mapping):
        return ["The policy must be an object."]
    found = [
        *_purposes(document.get("purposes")),
        *_services(document.get("services"), document.get("purposes")),
        *_rules(document.get("rules", {})),
    ]
    return found or list(_without_a_question(document))


def _without_a_question(document: Mapping[str, Any]) -> Problems:
    """Purposes that are asked service by service and have none to ask about."""
    served = {service["purpose"] for service in document["services"]}
    for name, about in document["purposes"].items():
        if about.get("ask") == Ask.SERVICE and name not in served:
            yield f"purposes: {name}: it is asked by service, and has no service."


def lacking(document: Mapping[str, Any], languages: Iterable[str]) -> Iterator[str]:
    """The texts of a sound document that some languages lack, a sentence each.

    A language is shown whole or not at all. A text that is left empty is none.
    """
    wanted = list(languages)
    for where, texts in _each_text(document):
        missing = [code for code in wanted if texts and not texts.get(code)]
        if missing:
            yield f"{where} is missing in: {', '.join(missing)}."


def _each_text(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, str]]]:
    for name, about in document.get("purposes", {}).items():
        for text in ("title", "description"):
            yield f"purposes: {name}: {text}", about.get(text, {})
    for service in document.get("services", ()):
        where = f"services: {service['slug']}"
        yield f"{where}: description", service.get("description", {})
        for cookie in service.get("cookies", ()):
            about = cookie.get("description", {})
            yield f"{where}: {cookie['name']}: description", about


def _purposes(purposes: object) -> Problems:
    if not isinstance(purposes, Mapping):
        yield "purposes must be an object: each purpose with its own texts."
        return
    for name, about in purposes.items():
        if name not in OPTIONAL:
            yield f"purposes: {_said(name)} is none of {', '.join(OPTIONAL)}."
        elif not isinstance(about, Mapping):
            yield f"purposes: {name} must be an object."
        else:
            for text in ("title", "description"):
                yield from _texts(f"purposes: {name}", text, about.get(text, {}))
            if not _is_number(about.get("material", 1)):
                yield f"purposes: {name}: material must be a whole number from 1."
            if about.get("ask", Ask.PURPOSE) not in tuple(Ask):
                yield f"purposes: {name}: ask must be one of {', '.join(Ask)}."


def _services(services: object, purposes: object) -> Problems:
    if not isinstance(services, list | tuple):
        yield "services must be a list."
        return
    known = purposes if isinstance(purposes, Mapping) else {}
    seen: set[object] = set()
    for number, service in enumerate(services, start=1):
        where = f"service {number}"
        if not isinstance(service, Mapping):
            yield f"{where} must be an object."
            continue
        slug = service.get("slug")
        if not isinstance(slug, str) or not _SLUG.fullmatch(slug):
            yield f"{where}: slug must be 1 to 40 of a-z, 0-9 and the dash."
        else:
            where = f"{where} ({slug})"
            if slug in seen:
                yield f"{where}: another service has this slug."
            seen.add(slug)
        yield from _service(where, service, known)


def _service(
    where: str, service: Mapping[str, object], purposes: Mapping[str, object]
) -> Problems:
    for field in ("name", "provider"):
        if not _is_text(service.get(field)):
            yield f"{where}: {field} must be a text."
    purpose = service.get("purpose")
    if not isinstance(purpose, str) or purpose not in purposes:
        yield f"{where}: purpose must be one of the document's purposes."
    yield from _texts(where, "description", service.get("description", {}))
    yield from _exemption(where, service)
    cookies = service.get("cookies")
    if not isinstance(cookies, list | tuple):
        yield f"{where}: cookies must be a list; it is empty where none is set."
        return
    for number, cookie in enumerate(cookies, start=1):
        yield from _cookie(f"{where}: cookie {number}", cookie)


def _exemption(where: str, service: Mapping[str, object]) -> Problems:
    """A claim needs its kind's purpose, and the editor's answer to its conditions."""
    claim = service.get("exemption")
    if claim is None:
        return
    if not isinstance(claim, str) or claim not in tuple(Exemption):
        yield f"{where}: exemption must be one of {', '.join(Exemption)}."
        return
    purpose = EXEMPTED_PURPOSE[Exemption(claim)]
    if service.get("purpose") != purpose:
        yield f"{where}: the exemption {claim} is for services of {purpose} alone."
    if not _is_text(service.get("exemption_conditions")):
        yield (
            f"{where}: exemption_conditions must say how the service meets the"
            f" conditions of the exemption {claim}."
        )


def _cookie(where: str, cookie: object) -> Problems:
    if not isinstance(cookie, Mapping):
        yield f"{where} must be an object."
        return
    if not _is_text(cookie.get("name")):
        yield f"{where}: name must be a text."
    days = cookie.get("days", 0)
    if days is not None and not _is_number(days, most=LONGEST_COOKIE):
        yield (
            f"{where}: days must be a whole number from 1, or null where the cookie"
            " lives until the browser is closed."
        )
    yield from _texts(where, "description", cookie.get("description", {}))


def _rules(rules: object) -> Problems:
    if not isinstance(rules, Mapping):
        yield "rules must be an object."
        return
    for name, value in rules.items():
        if name in _WORDS:
            if not isinstance(value, str) or value not in _WORDS[name]:
                yield f"rules: {name} must be one of {', '.join(_WORDS[name])}."
        elif name in _DAYS:
            if not _is_number(value, most=LONGEST_RULE):
                yield f"rules: {name} must be a whole number from 1 to {LONGEST_RULE}."
        else:
            yield f"rules: {_said(name)} is none of {', '.join((*_WORDS, *_DAYS))}."


def _texts(where: str, name: str, texts: object) -> Problems:
    """A text in each of some languages."""
    right = isinstance(texts, Mapping) and all(
        isinstance(language, str)
        and _LANGUAGE.fullmatch(language)
        and isinstance(text, str)
        and "\0" not in text
        for language, text in texts.items()
    )
    if not right:
        yield f'{where}: {name} must be texts by language, as in {{"en": "…"}}.'


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value


def _is_number(value: object, *, most: int = LONGEST_COOKIE) -> bool:
    # True and False are numbers to Python, and no days to anybody.
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _said(name: object) -> str:
    return f"“{str(name)[:40]}”"
