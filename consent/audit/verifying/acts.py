"""Acts that excuse something: only what our key signed is believed to be one."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consent.audit.reopening import LOG_OPENED
from consent.audit.verifying.contents import Reading
from consent.keys import verify_receipt
from consent.models import Content


@dataclass(frozen=True, slots=True)
class Act:
    """An act's entry and contents, as they stand in the ledger."""

    number: str
    leaf: bytes
    signature: bytes
    key: str
    text: str | None

    def is_genuine(self, keys: Mapping[str, bytes]) -> bool:
        """Whether these contents were recorded, and signed by a key that is known."""
        public = keys.get(self.key)
        if public is None or self.text is None:
            return False
        data = self.text.encode()
        return sha256(b"\x00" + data).digest() == self.leaf and verify_receipt(
            public=Ed25519PublicKey.from_public_bytes(public),
            canonical=data,
            signature=self.signature,
        )


def reopenings(whose: Reading) -> Iterator[dict[str, Any]]:
    """What the operator said each time that a log had to be closed."""
    rows = Content.objects.select_related("entry").filter(
        site=whose.site, entry__site=whose.site, kind="act", event=LOG_OPENED
    )
    for row in rows:
        entry = row.entry
        act = Act(
            number=entry.pk.hex,
            leaf=bytes(entry.leaf_hash),
            signature=bytes(entry.signature),
            key=entry.key_id,
            text=row.canonical,
        )
        if act.is_genuine(whose.keys):
            yield json.loads(row.canonical)["detail"]
