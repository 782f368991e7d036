"""A receipt as it can be handed out today: with its proof, or with its content gone.

The number is the only key: who has it is told what the record says. What ties the
record to a person is not in it.
"""

import base64
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from consent import ledger
from consent.core.signed_note import verifier_key
from consent.ledger.opening import origin
from consent.models import Content, Entry, Link, PublicKey, Removal, Restricted, Site

type Document = dict[str, Any]

# What a receipt calls the removal that took its content; an erasure says more.
GONE: Final = {
    Removal.Reason.ERASURE: "erased",
    Removal.Reason.RETENTION: "retention",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """A consent record's entry, and its content while that may be shown."""

    entry: Entry
    content: Content | None
    gone: str | None


def find(*, site: Site, number: str) -> Kept | None:
    """The record with a number; None where the site has none, and for acts."""
    try:
        key = uuid.UUID(hex=number)
    except ValueError:
        return None
    return find_all(site=site, keys=[key]).get(key)


def find_all(
    *, site: Site, keys: Sequence[uuid.UUID], restricted: bool = False
) -> dict[uuid.UUID, Kept]:
    """What may be shown of some entries, without those that are no consent records.

    Without those, too, whose content is missing while no removal says why: that is for
    `verify_ledger` to name, and no receipt. `restricted` shows what was erased and is
    still there, for a controller that has to defend a claim.
    """
    # The site of either table, because every index begins with it. Contents come
    # first: one that is missing here was removed before the removals are read.
    contents = (
        Content.objects.select_related("entry", "site")
        .filter(site=site, entry__site=site)
        .in_bulk(keys)
    )
    gone = removed(site, keys)
    entries = Entry.objects.select_related("site").filter(site=site)
    found = {}
    for key, entry in entries.in_bulk(keys).items():
        content = contents.get(key)
        if content is None and key in gone:
            found[key] = Kept(entry, None, gone[key])
        elif content is not None and content.kind == "consent":
            hidden = gone.get(key) if not restricted else None
            found[key] = Kept(entry, None if hidden else content, hidden)
    return found


def removed(site: Site, keys: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Those of some entries that a removal names, and what receipts call it."""
    removals = Removal.objects.filter(site=site, entry__in=keys)
    reasons: dict[uuid.UUID, set[str]] = {}
    for key, reason in removals.values_list("entry_id", "reason"):
        reasons.setdefault(key, set()).add(reason)
    return {
        key: next(word for reason, word in GONE.items() if reason in named)
        for key, named in reasons.items()
    }


def document(found: Kept, *, link: Link | Restricted | None = None) -> Document:
    """The receipt as the API gives it (docs/api.md), with its place in the log.

    With its link it is the person's own copy, which opens the record's pseudonym.
    """
    log = ledger.log_part(site=found.entry.site, entry=found.entry.pk)
    return {**without_log(found, link=link), "log": log}


def without_log(found: Kept, *, link: Link | Restricted | None) -> Document:
    """The receipt without its place in the log, which can be looked up for many."""
    if found.content is None:
        return {**_without_content(found.entry), "gone": found.gone}
    receipt = ledger.receipt_of(found.content, None).document(own=False)
    return {**receipt, **_opening(link)}


def _opening(link: Link | Restricted | None) -> Document:
    if link is None or not link.visitor:
        return {}
    salt = base64.b64encode(bytes(link.salt)).decode()
    return {"opening": {"salt": salt, "visitor": link.visitor}}


def _without_content(entry: Entry) -> Document:
    return {
        "id": entry.pk.hex,
        "site": entry.site.slug,
        "record": None,
        "canonical": None,
        "leaf_hash": bytes(entry.leaf_hash).hex(),
        "key_id": entry.key_id,
        "signature": base64.b64encode(bytes(entry.signature)).decode(),
    }


def public_keys(site: Site) -> list[str]:
    """Every key that ever signed, under the names of the site's logs, newest first.

    Before a site's first log has begun they have the name that it will have.
    """
    states = list(ledger.log_states(site))[::-1]
    found = [line for state in states for line in ledger.verifier_keys(state)]
    return found or [
        verifier_key(name=origin(site, 1), public=bytes(key.public))
        for key in PublicKey.objects.order_by("-first_used", "id")
    ]
