"""The only writer of entries.

`append` writes an entry, its content, its link and its place in the queue in one
statement: in the caller's transaction, or where there is none, committed on return.
Nothing is answered before. It takes no lock that other writers wait
for. Giving entries their place in the tree is the work of sealing.
"""

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from consent.core.merkle import leaf_hash
from consent.core.record import Act, ConsentRecord, canonical_bytes
from consent.keys import signing_key
from consent.ledger import keyring, rows
from consent.ledger.sealing import seal_soon
from consent.models import Content, Link, Site


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

    def document(
        self, *, own: bool, log: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """The receipt as JSON values; the person's own copy has the opening too.

        `log` is its place in the log, which it has once it is sealed.
        """
        document: dict[str, Any] = {
            "id": self.id,
            "site": self.site,
            "record": json.loads(self.canonical),
            "canonical": self.canonical,
            "leaf_hash": self.leaf_hash.hex(),
            "key_id": self.key_id,
            "signature": base64.b64encode(self.signature).decode(),
            "log": log,
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
    return secrets.token_hex(16)


def new_salt() -> bytes:
    """32 random bytes for the pseudonym of one record."""
    return secrets.token_bytes(32)


def append(*, site: Site, entry: ConsentRecord | Act, owner: Owner | None) -> Receipt:
    """Write an entry, and return its signed receipt.

    In the caller's transaction, or else durable on return: a transaction for this alone
    would cost another two round trips. Raises DatabaseError where it cannot be kept;
    then nothing of the transaction is. Where sealing is done inline, what waits is
    sealed once the entry is committed.
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
    with transaction.mark_for_rollback_on_error():
        keyring.remember(key)
        rows.insert(
            site=site.pk,
            number=entry.id,
            time=entry.time,
            signed=(receipt.leaf_hash, receipt.signature, key.id),
            canonical=receipt.canonical,
            columns=_columns(entry),
            ties=_ties(owner) if owner else None,
        )
    if settings.CONSENT_SEAL == "inline":
        _seal_after_commit(site)
    return receipt


def _columns(entry: ConsentRecord | Act) -> rows.Columns:
    if isinstance(entry, Act):
        return rows.Columns(kind="act", event=entry.act)
    return rows.Columns(
        kind="consent",
        event=str(entry.event),
        country=entry.location.country or "",
        rule=entry.rule[:255],
        model=entry.model.label,
        surface=str(entry.surface),
        policy_version=entry.policy_version,
        gpc=entry.signals.gpc,
    )


def _ties(owner: Owner) -> rows.Ties:
    return rows.Ties(
        salt=owner.salt or b"",
        visitor=owner.visitor or "",
        user=owner.user or "",
        sources=owner.sources,
    )


def _seal_after_commit(site: Site) -> None:
    """Have what waits sealed once the transaction has committed, and only once."""
    for registered in connection.run_on_commit:
        work = registered[1]
        if isinstance(work, partial) and work.func is seal_soon and site in work.args:
            return
    transaction.on_commit(partial(seal_soon, site), robust=True)


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
