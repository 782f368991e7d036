"""What a site asks its visitors: the published policy, immutable once published.

A policy version is a document (plain JSON values); `Policy` is what deciding needs of
it. A change is *material* for a purpose when the person would be agreeing to something
else: a new service, another provider, a wider use. Wording alone is not material. Only
what changed materially is asked again (rule 12).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from consent.core.canonical import canonical_hash
from consent.core.purposes import OPTIONAL, Purpose
from consent.core.scales import Banner, Exemption, Model


class Audience(StrEnum):
    """Who the site speaks to, declared by the site and never guessed (rule 11)."""

    GENERAL = "general"
    MIXED = "mixed"
    CHILDREN = "children"


class Ask(StrEnum):
    """What the preference pages ask about: a purpose, or each of its services."""

    PURPOSE = "purpose"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Service:
    """One tool inside a purpose.

    `exemption` is what the policy's editor claims for it after answering the
    conditions; by default nothing is claimed (rule 3).
    """

    slug: str
    purpose: Purpose
    exemption: Exemption | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A published policy version as far as deciding needs it.

    `minimum` and `banner` raise what the law wants and never lower it. `grant_days` may
    shorten the life of a grant, or lengthen it up to the rule's limit; `gap_days` may
    only lengthen the time before asking again. `by_service` are the purposes whose
    services are asked about one by one. `changed` says, for every older version
    still in use, which purposes have changed materially since.
    """

    version: int
    hash: str
    purposes: tuple[Purpose, ...] = OPTIONAL
    services: tuple[Service, ...] = ()
    audience: Audience = Audience.GENERAL
    minimum: Model = Model.NONE
    banner: Banner = Banner.NONE
    grant_days: int | None = None
    gap_days: int | None = None
    by_service: tuple[Purpose, ...] = ()
    changed: Mapping[int, frozenset[Purpose]] = field(default_factory=dict)

    def changed_since(self, version: int) -> frozenset[Purpose]:
        """Purposes that changed materially since a version; all for an unknown one."""
        if version == self.version:
            return frozenset()
        return self.changed.get(version, frozenset(self.purposes))


type Document = Mapping[str, Any]


def from_document(document: Document, *, older: Iterable[Document] = ()) -> Policy:
    """Read a published document, and compare it with the versions before it.

    Raises KeyError or ValueError on a document that publishing would have refused.
    """
    mine = _material(document)
    rules = document.get("rules", {})
    return Policy(
        version=document["version"],
        hash=canonical_hash(document),
        purposes=tuple(p for p in OPTIONAL if p in document["purposes"]),
        services=tuple(_service(service) for service in document["services"]),
        audience=Audience(document["audience"]),
        minimum=Model[rules.get("minimum_model", "none").upper()],
        banner=Banner[rules.get("minimum_banner", "none").upper()],
        grant_days=rules.get("grant_days"),
        gap_days=rules.get("gap_days"),
        by_service=tuple(p for p in OPTIONAL if _asks_each(document, p)),
        changed={old["version"]: _changed(_material(old), mine) for old in older},
    )


def _asks_each(document: Document, purpose: Purpose) -> bool:
    """Whether each service of a purpose gets a question of its own."""
    about: Document = document["purposes"].get(purpose, {})
    return about.get("ask") == Ask.SERVICE


def _service(service: Document) -> Service:
    claim = service.get("exemption")
    return Service(
        slug=service["slug"],
        purpose=Purpose(service["purpose"]),
        exemption=Exemption(claim) if claim else None,
    )


type _Material = dict[Purpose, frozenset[str]]


def _material(document: Document) -> _Material:
    """What a person agrees to, per purpose: who receives it, and what for."""
    items: dict[Purpose, set[str]] = {Purpose(p): set() for p in document["purposes"]}
    for service in document["services"]:
        items[Purpose(service["purpose"])].add(
            f"{service['slug']} {service['provider']}"
        )
    for purpose, text in document["purposes"].items():
        items[Purpose(purpose)].add(f"use {text.get('material', 1)}")
    return {purpose: frozenset(found) for purpose, found in items.items()}


def _changed(old: _Material, new: _Material) -> frozenset[Purpose]:
    """Purposes for which the new version wants more than, or other than, the old."""
    return frozenset(p for p, wants in new.items() if wants - old.get(p, frozenset()))
