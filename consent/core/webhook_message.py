"""What a webhook is told, and how it is signed (Standard Webhooks 1.0).

A message names its record by the leaf hash alone, never by the receipt's number, which
is a key to the receipt. Whoever is told about one service learns the answers to that
service and its purpose, and no others. `position` orders all changes of a site, for
messages that come late or twice: the answer from the greatest position counts.
"""

import base64
import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from consent.core.purposes import Purpose

PREFIX: Final = "whsec_"
CHANGED: Final = "choice.changed"
ERASED: Final = "choice.erased"


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a record is about, as far as a receiver may match it."""

    identity: str | None = None
    account: str | None = None
    browser: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """The place of an entry in its site's logs: later logs come after earlier ones."""

    log: int
    index: int


@dataclass(frozen=True, slots=True)
class Scope:
    """The one service that a receiver is told about, and its purpose where known."""

    service: str
    purpose: Purpose | None


def concerns(*, record: Mapping[str, Any], scope: Scope | None) -> bool:
    """Whether a record answers what a receiver is told about; all is without scope."""
    if scope is None:
        return True
    return scope.service in record["services"] or scope.purpose in record["purposes"]


def changed(
    *,
    id: str,  # noqa: A002 - as the message calls it
    record: Mapping[str, Any],
    person: Person,
    leaf_hash: str,
    position: Position,
    scope: Scope | None,
) -> dict[str, Any]:
    """The message that somebody answered, of a record's members (format 1)."""
    purposes, services = record["purposes"], record["services"]
    if scope is not None:
        purposes = {p: on for p, on in purposes.items() if p == scope.purpose}
        services = {s: on for s, on in services.items() if s == scope.service}
    return {
        "id": id,
        "type": CHANGED,
        "site": record["site"],
        "time": record["time"],
        "event": record["event"],
        "purposes": purposes,
        "services": services,
        "policy_version": record["policy"]["version"],
        "identity": person.identity,
        "account": person.account,
        "browser": person.browser,
        "leaf_hash": leaf_hash,
        "position": {"log": position.log, "index": position.index},
    }


def erased(
    *,
    id: str,  # noqa: A002 - as the message calls it
    site: str,
    leaf_hashes: Collection[str],
    position: Position,
) -> dict[str, Any]:
    """The message that records were erased, which names nobody (GDPR art. 19).

    The receiver knows whose records these were from what it was told before; they
    count as withdrawn.
    """
    return {
        "id": id,
        "type": ERASED,
        "site": site,
        "leaf_hashes": sorted(leaf_hashes),
        "position": {"log": position.log, "index": position.index},
    }


def new_secret(random: bytes) -> str:
    """A secret as receivers are given it, of 24 to 64 random bytes."""
    return PREFIX + base64.b64encode(random).decode()


def signed_headers(
    *,
    id: str,  # noqa: A002 - as the message calls it
    at: int,
    body: bytes,
    secrets: Sequence[str],
) -> dict[str, str]:
    """The headers of one attempt, `at` seconds after 1970.

    Signed with every secret, so that a receiver may know the old or the new one.
    """
    signed = f"{id}.{at}.".encode() + body
    made = (hmac.digest(_key(secret), signed, "sha256") for secret in secrets)
    return {
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(
            f"v1,{base64.b64encode(digest).decode()}" for digest in made
        ),
    }


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
