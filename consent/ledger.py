"""The only writer of entries: append now, seal later.

`append` writes an entry, its content, its link and its place in the queue in the
caller's transaction; nothing is answered before that transaction has committed. It
takes no lock that other writers wait for. Giving entries their place in the tree is the
work of sealing.
"""

import base64
import json
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from consent.core.merkle import leaf_hash
from consent.core.record import Act, ConsentRecord, canonical_bytes
from consent.keys import signing_key
from consent.models import Content, Entry, Link, Site, Waiting


@dataclass(frozen=True, slots=True)
class Receipt:
    """The visitor's signed copy of one record.

    `salt` and `visitor` open the pseudonym and belong to the person alone.
    """

    id: str
    site: str
    canonical: str
    leaf_hash: bytes
    key_id: str
    signature: bytes
    salt: bytes | None = None
    visitor: str | None = None

    def document(self, *, own: bool) -> dict[str, Any]:
        """The receipt as JSON values; the person's own copy has the opening too."""
        document: dict[str, Any] = {
            "id": self.id,
            "site": self.site,
            "record": json.loads(self.canonical),
            "canonical": self.canonical,
            "leaf_hash": self.leaf_hash.hex(),
            "key_id": self.key_id,
            "signature": base64.b64encode(self.signature).decode(),
            "log": None,
        }
        if own and self.salt and self.visitor:
            salt = base64.b64encode(self.salt).decode()
            document["opening"] = {"salt": salt, "visitor": self.visitor}
        return document


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a record belongs to; none of it enters the record itself."""

    visitor: str | None = None
    user: str | None = None
    salt: bytes | None = None
    sources: Sequence[str] = ()


def new_id() -> str:
    """A record number: 128 random bits in hexadecimal."""
    return uuid.UUID(bytes=secrets.token_bytes(16)).hex


def new_salt() -> bytes:
    """32 random bytes for the pseudonym of one record."""
    return secrets.token_bytes(32)


def append(*, site: Site, entry: ConsentRecord | Act, owner: Owner | None) -> Receipt:
    """Write an entry in the caller's transaction, and return its signed receipt.

    Raises DatabaseError where it cannot be kept; then nothing of it is kept.
    """
    canonical = canonical_bytes(entry)
    key = signing_key()
    receipt = Receipt(
        id=entry.id,
        site=site.slug,
        canonical=canonical.decode(),
        leaf_hash=leaf_hash(canonical),
        key_id=key.id,
        signature=key.sign_receipt(canonical),
        salt=owner.salt if owner else None,
        visitor=owner.visitor if owner else None,
    )
    with transaction.atomic():
        row = Entry(
            id=uuid.UUID(entry.id),
            site=site,
            leaf_hash=receipt.leaf_hash,
            signature=receipt.signature,
            key_id=key.id,
            time=entry.time,
        )
        row.save(force_insert=True)
        _content(row, site, entry, receipt.canonical).save(force_insert=True)
        if owner is not None:
            _link(row, site, owner, entry.time).save(force_insert=True)
        Waiting(entry=row, site=site).save(force_insert=True)
    return receipt


def _content(
    row: Entry, site: Site, entry: ConsentRecord | Act, canonical: str
) -> Content:
    if isinstance(entry, Act):
        return Content(
            entry=row,
            site=site,
            canonical=canonical,
            time=entry.time,
            kind="act",
            event=entry.act,
        )
    return Content(
        entry=row,
        site=site,
        canonical=canonical,
        time=entry.time,
        kind="consent",
        event=str(entry.event),
        country=entry.location.country or "",
        rule=entry.rule[:255],
        model=entry.model.label,
        surface=str(entry.surface),
        policy_version=entry.policy_version,
        gpc=entry.signals.gpc,
    )


def _link(row: Entry, site: Site, owner: Owner, time: datetime) -> Link:
    return Link(
        entry=row,
        site=site,
        salt=owner.salt or b"",
        visitor=owner.visitor or "",
        user=owner.user or "",
        time=time,
        sources=list(owner.sources),
    )


def receipt_of(content: Content, link: Link | None) -> Receipt:
    """The receipt of a record that is kept."""
    entry = content.entry
    return Receipt(
        id=entry.id.hex,
        site=content.site.slug,
        canonical=content.canonical,
        leaf_hash=bytes(entry.leaf_hash),
        key_id=entry.key_id,
        signature=bytes(entry.signature),
        salt=bytes(link.salt) if link else None,
        visitor=link.visitor if link else None,
    )
