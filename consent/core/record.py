"""The consent record, format 1: what was decided and answered, as canonical bytes.

The bytes are the leaf of the ledger and what a receipt signs; they are frozen. Format 1
has exactly the members named here, null where something is not known, no floats, and
text in NFC. Nothing in it names a person or ties a visitor's records to each other:
`visitor` is an HMAC under a salt made for this one record.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from consent.core.canonical import Json, canonical
from consent.core.jurisdictions import Location
from consent.core.merkle import leaf_hash
from consent.core.purposes import Purpose
from consent.core.scales import Model
from consent.core.signals import Signals

FORMAT: Final = 1
RECEIPT_CONTEXT: Final = b"consent-receipt/v1\n"


class Event(StrEnum):
    """What happened."""

    GRANTED = "granted"
    REFUSED = "refused"
    PARTIAL = "partial"
    WITHDRAWN = "withdrawn"
    OPTED_OUT = "opted_out"
    MERGED = "merged"
    IMPORTED = "imported"
    ERASED = "erased"


class Surface(StrEnum):
    """Where the answer was given."""

    BANNER = "banner"
    PREFERENCES = "preferences"
    SETTINGS = "settings"
    API = "api"
    SIGNAL = "signal"
    OPT_OUT = "opt_out"
    SIGN_IN = "sign_in"


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """A decision plus an answer. `visitor` comes from `pseudonym`, never from an id.

    `time` and `valid_until` are aware UTC times. `purposes` and `services` are explicit
    both ways; what is absent was not answered. `policy`, `notice` and `rulebook` point
    at documents that are kept by their hash.
    """

    id: str
    site: str
    time: datetime
    event: Event
    purposes: Mapping[Purpose, bool]
    services: Mapping[str, bool]
    visitor: str | None
    policy_version: int
    policy_hash: str
    notice_hash: str | None
    language: str | None
    rule: str
    rulebook: str
    location: Location
    signals: Signals
    applied: tuple[str, ...]
    audience: str
    model: Model
    surface: Surface
    valid_until: datetime | None

    def members(self) -> dict[str, Json]:
        """Format 1 as plain JSON values."""
        return {
            "format": FORMAT,
            "kind": "consent",
            "id": self.id,
            "site": self.site,
            "time": timestamp(self.time),
            "event": str(self.event),
            "purposes": {str(p): on for p, on in self.purposes.items()},
            "services": dict(self.services),
            "visitor": self.visitor,
            "policy": {"version": self.policy_version, "hash": self.policy_hash},
            "notice": {"hash": self.notice_hash, "language": self.language},
            "jurisdiction": {"rule": self.rule, "rulebook": self.rulebook},
            "location": _location(self.location),
            "signals": {
                "gpc": self.signals.gpc,
                "dnt": self.signals.dnt,
                "applied": list(self.applied),
            },
            "audience": self.audience,
            "model": self.model.label,
            "surface": str(self.surface),
            "valid_until": timestamp(self.valid_until) if self.valid_until else None,
        }


@dataclass(frozen=True, slots=True)
class Act:
    """Something the operator did (policy published, rule book changed, ...).

    `subject` is a hash or an index, never a name; `detail` holds plain JSON values.
    """

    id: str
    site: str
    time: datetime
    act: str
    subject: str | None
    detail: Mapping[str, Json]

    def members(self) -> dict[str, Json]:
        return {
            "format": FORMAT,
            "kind": "act",
            "id": self.id,
            "site": self.site,
            "time": timestamp(self.time),
            "act": self.act,
            "subject": self.subject,
            "detail": dict(self.detail),
        }


def canonical_bytes(entry: ConsentRecord | Act) -> bytes:
    """The exact bytes that are hashed, signed and kept (RFC 8785)."""
    return canonical(entry.members())


def leaf(entry: ConsentRecord | Act) -> bytes:
    """The entry's leaf hash: SHA-256(0x00 || canonical bytes)."""
    return leaf_hash(canonical_bytes(entry))


def browser_name(visitor: str) -> str:
    """What a site's own backend calls a browser: the hash of its visitor id.

    The backend sees the cookie and can make it; scripts can do neither.
    """
    return hashlib.sha256(visitor.encode()).hexdigest()


def pseudonym(*, salt: bytes, visitor: str) -> str:
    """hex(HMAC-SHA-256(salt, visitor id)); the salt is 32 bytes made for one record."""
    return hmac.new(salt, visitor.encode(), hashlib.sha256).hexdigest()


def timestamp(time: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and `Z`; ValueError for a time without zone."""
    if time.tzinfo is None:
        raise ValueError("a time without a zone cannot be recorded")
    return time.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _location(location: Location) -> dict[str, Json]:
    return {
        "country": location.country,
        "subdivision": location.subdivision,
        "source": str(location.source),
        "database": location.database,
    }


def event_of(
    *, purposes: Mapping[Purpose, bool], before: Mapping[Purpose, bool] | None
) -> Event:
    """Name an explicit answer: granted, refused, partial, or withdrawn.

    Refusing everything after something was granted is a withdrawal.
    """
    if purposes and all(purposes.values()):
        return Event.GRANTED
    if any(purposes.values()):
        return Event.PARTIAL
    granted_before = any((before or {}).values())
    return Event.WITHDRAWN if granted_before else Event.REFUSED
