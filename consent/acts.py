"""What the operator did to a site, as entries in its ledger: acts beside the choices.

An act names no visitor. Publishing a policy is one, and so is every change of the rule
book that a site decides by, whether new data, settings or the site's overrides made it,
and every change of the key that signs.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from consent import ledger
from consent.core.canonical import Json, canonical_hash
from consent.core.record import Act
from consent.keys import signing_key
from consent.ledger.known import Known
from consent.models import Content, Leaf, RuleBookVersion, Site
from consent.rulebook import RuleBook

RULE_BOOK_CHANGED: Final = "rule_book_changed"
KEY_CHANGED: Final = "key_changed"
IMPORTS_DECLARED: Final = "imports_declared"
# Of acts of a kind, how many of the newest may have a clock's error between them.
_ENOUGH: Final = 100

# What a site's last acts are known to name, so that a choice need not ask.
_noted: Known[int, str] = Known()
_noted_keys: Known[int, str] = Known()
_noted_imports: Known[int, str] = Known()


def record(
    *, site: Site, at: datetime, act: str, subject: str | None, detail: dict[str, Any]
) -> ledger.Receipt:
    """Write something the operator did to the site's ledger."""
    entry = Act(
        id=ledger.new_id(),
        site=site.slug,
        time=at,
        act=act,
        subject=subject,
        detail=detail,
    )
    return ledger.append(site=site, entry=entry, owner=None)


def note_rule_book(*, site: Site, book: RuleBook, at: datetime) -> None:
    """Keep the rule book a site decides by; record it where the last one was another.

    Called before whatever uses the book: a record must never name a rule book that
    cannot be shown. Going back to an earlier book is a change as well.
    """
    if _noted.get(site.pk) == book.version:
        return
    RuleBookVersion.objects.get_or_create(
        hash=book.version, defaults={"document": book.document()}
    )
    if _last_subject(site, RULE_BOOK_CHANGED) != book.version:
        record(
            site=site,
            at=at,
            act=RULE_BOOK_CHANGED,
            subject=book.version,
            detail={"lowered_unknown": book.lowered_unknown},
        )
    transaction.on_commit(lambda: _noted.learn(site.pk, book.version))


def note_key(*, site: Site, at: datetime) -> None:
    """Record, before another key signs anything, that it does from here on.

    The log itself then says which key it was, under heads that the keys before it had
    signed; a key that is used again after another is a change as well.
    """
    key = signing_key()
    if _noted_keys.get(site.pk) == key.id:
        return
    subject = "sha256:" + hashlib.sha256(key.public_bytes).hexdigest()
    if _last_subject(site, KEY_CHANGED) != subject:
        public = base64.b64encode(key.public_bytes).decode()
        detail = {"key_id": key.id, "public": public}
        record(site=site, at=at, act=KEY_CHANGED, subject=subject, detail=detail)
    transaction.on_commit(lambda: _noted_keys.learn(site.pk, key.id))


def note_imports(*, site: Site, declared: Sequence[Json], at: datetime) -> None:
    """Record, before anything is imported by it, what is declared of earlier tools.

    A record has no room for where an imported answer came from: this act says it for
    all that come after it, until another does.
    """
    subject = canonical_hash(list(declared))
    if _noted_imports.get(site.pk) == subject:
        return
    if _last_subject(site, IMPORTS_DECLARED) != subject:
        detail = {"cookies": list(declared)}
        record(site=site, at=at, act=IMPORTS_DECLARED, subject=subject, detail=detail)
    transaction.on_commit(lambda: _noted_imports.learn(site.pk, subject))


def _last_subject(site: Site, act: str) -> str | None:
    """The subject of the site's newest act of a kind, by its place in the log.

    Not by its time, which an earlier clock may have set ahead; what waits for its place
    is newer than what has one.
    """
    acts = Content.objects.filter(site=site, kind="act", event=act).order_by("-time")
    found = list(acts.values_list("entry_id", "time", "canonical")[:_ENOUGH])
    numbers = [entry for entry, _time, _canonical in found]
    leaves = Leaf.objects.filter(site=site, entry__in=numbers)
    places = {leaf.entry_id: (leaf.log, leaf.index) for leaf in leaves}
    waits = (32_768, 0)  # after every place in every log
    found.sort(key=lambda row: (places.get(row[0], waits), row[1]))
    return json.loads(found[-1][2])["subject"] if found else None


def forget() -> None:
    """Forget what is known to be noted."""
    _noted.forget()
    _noted_keys.forget()
    _noted_imports.forget()
