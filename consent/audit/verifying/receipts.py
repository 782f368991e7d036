"""A receipt that somebody holds: that its record stands in the log, where it says."""

import base64
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consent.audit.verifying.findings import Finding
from consent.audit.verifying.outside import Held, held
from consent.core.merkle import verify_inclusion
from consent.keys import verify_receipt
from consent.models import Entry, Leaf, Site, Waiting


class NoReceiptError(ValueError):
    """A document is no receipt."""


@dataclass(frozen=True, slots=True)
class HeldReceipt:
    """A receipt as its holder has it (docs/api.md); `name` says who that is.

    `log` is its place in the log with the checkpoint that its proof leads to, None
    where it was handed out before it was sealed.
    """

    name: str
    number: uuid.UUID
    site: str
    leaf: bytes
    canonical: bytes | None
    key: str
    signature: bytes
    log: Mapping[str, Any] | None
    checkpoint: Held | None

    @classmethod
    def of(cls, name: str, document: Any) -> Self:  # noqa: ANN401 - JSON of anybody
        """Read a receipt; NoReceiptError where the document is none."""
        try:
            canonical, log = document["canonical"], document.get("log")
            its = f"the checkpoint in {name}"
            return cls(
                name=name,
                number=uuid.UUID(hex=document["id"]),
                site=str(document["site"]),
                leaf=bytes.fromhex(document["leaf_hash"]),
                canonical=None if canonical is None else canonical.encode(),
                key=str(document["key_id"]),
                signature=base64.b64decode(document["signature"], validate=True),
                log=log,
                checkpoint=None if log is None else held(its, log["checkpoint"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise NoReceiptError(repr(error)) from error


def check_receipt(
    receipt: HeldReceipt, *, site: Site, keys: Mapping[str, bytes]
) -> Iterator[Finding]:
    """What is wrong with a receipt of a site, or with the ledger that it came from."""
    number = receipt.number.hex
    for says in _wrong_in_itself(receipt, keys):
        yield Finding(f"{receipt.name} {says}", receipt=number)
        return
    entry = Entry.objects.filter(site=site, pk=receipt.number).first()
    if entry is None:
        yield Finding("its entry is gone from the ledger", receipt=number)
        return
    leaf = Leaf.objects.filter(site=site, entry=entry).first()
    log, index = (leaf.log, leaf.index) if leaf else (None, None)
    if bytes(entry.leaf_hash) != receipt.leaf:
        says = f"its leaf hash is not the one in {receipt.name}"
        yield Finding(says, log, index, number)
    elif receipt.log is not None and index != receipt.log.get("index"):
        says = f"it is not in the place that {receipt.name} tells"
        yield Finding(says, log, index, number)
    elif leaf is None and not Waiting.objects.filter(site=site, entry=entry).exists():
        yield Finding("it is in no log and does not wait for one", receipt=number)


def _wrong_in_itself(receipt: HeldReceipt, keys: Mapping[str, bytes]) -> Iterator[str]:
    """What shows without the ledger that this is no receipt of it."""
    data, public = receipt.canonical, keys.get(receipt.key)
    if data is not None and sha256(b"\x00" + data).digest() != receipt.leaf:
        yield "has another leaf hash than its contents"
    elif public is None:
        yield "is signed by a key that is not known here"
    elif data is not None and not verify_receipt(
        public=Ed25519PublicKey.from_public_bytes(public),
        canonical=data,
        signature=receipt.signature,
    ):
        yield "has no good signature"
    elif not _is_included(receipt):
        yield "has a proof that does not lead to its checkpoint"


def _is_included(receipt: HeldReceipt) -> bool:
    log, checkpoint = receipt.log, receipt.checkpoint
    if log is None or checkpoint is None:
        return True
    try:
        return verify_inclusion(
            index=log["index"],
            size=checkpoint.said.size,
            leaf=receipt.leaf,
            proof=[bytes.fromhex(digest) for digest in log["inclusion_proof"]],
            root=checkpoint.said.root,
        )
    except (KeyError, TypeError, ValueError):
        return False
