"""What the operator did to a site, as entries in its ledger: acts beside the choices.

An act names no visitor. Publishing a policy is one, and so is every change of the rule
book that a site decides by, whether new data, settings or the site's overrides made it.
"""

import json
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from consent import ledger
from consent.core.record import Act
from consent.models import Content, RuleBookVersion, Site
from consent.rulebook import RuleBook

RULE_BOOK_CHANGED: Final = "rule_book_changed"

# The rule book that a site's last act is known to name, so that a choice need not ask.
_noted: dict[int, str] = {}


def record(
    *, site: Site, at: datetime, act: str, subject: str | None, detail: dict[str, Any]
) -> None:
    """Write something the operator did to the site's ledger."""
    entry = Act(
        id=ledger.new_id(),
        site=site.slug,
        time=at,
        act=act,
        subject=subject,
        detail=detail,
    )
    ledger.append(site=site, entry=entry, owner=None)


def note_rule_book(*, site: Site, book: RuleBook, at: datetime) -> None:
    """Keep the rule book a site decides by; record it where the last one was another.

    Called in the transaction of whatever uses the book: a record must never name a rule
    book that cannot be shown. Going back to an earlier book is a change as well.
    """
    if _noted.get(site.pk) == book.version:
        return
    RuleBookVersion.objects.get_or_create(
        hash=book.version, defaults={"document": book.document()}
    )
    if _last_rule_book(site) != book.version:
        record(
            site=site,
            at=at,
            act=RULE_BOOK_CHANGED,
            subject=book.version,
            detail={"lowered_unknown": book.lowered_unknown},
        )
    transaction.on_commit(lambda: _noted.update({site.pk: book.version}))


def _last_rule_book(site: Site) -> str | None:
    """The rule book that the site's newest act of the kind names."""
    acts = Content.objects.filter(site=site, kind="act", event=RULE_BOOK_CHANGED)
    last = acts.order_by("-time").values_list("canonical", flat=True).first()
    return None if last is None else json.loads(last)["subject"]


def forget() -> None:
    """Forget what is known to be noted."""
    _noted.clear()
