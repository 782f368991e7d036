"""A request that is sent again, because its answer was lost, makes no second record.

Who sends it gives it a key (`Idempotency-Key`). The key is kept beside the record, in
its transaction and as a hash, so that of two requests at once one makes the record and
the other is told of it: the unique constraint decides, whatever was seen before.

A key proves nothing about who sends it, so it opens nothing: a repetition is told what
the receipt's number tells, and the signed choice, which names nobody. The visitor id,
and what opens the record's pseudonym, are for who holds that id already or is signed in
to the account. What else was sent must be the same, to the byte.
"""

import hashlib
import hmac
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction

from consent import ledger, visitor
from consent.choices.keeping import Recorded
from consent.core.cookie import decode, encode
from consent.decision import Consent, decision_for
from consent.models import Content, Link, Removal, Repeat, Site

KEPT: Final = timedelta(hours=24)
_SOME: Final = 1000


class ReusedKeyError(Exception):
    """The key came before, with another request or from somewhere else."""


class RecordGoneError(Exception):
    """The record that the key made was erased; sending it again brings nothing back."""


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A request that may come twice: its key and the bytes of its body."""

    key: str
    body: bytes


def once(consent: Consent, sent: Repeatable, make: Callable[[], Recorded]) -> Recorded:
    """The record that `make` writes, or the one that the same request made meanwhile.

    Whoever asks has looked for an earlier one; a database error is the only other end.
    """
    try:
        with transaction.atomic():
            recorded = make()
            _keep(consent, sent, recorded)
    except IntegrityError:
        first = repeated(consent.again(), sent)
        if first is None:
            raise
        return first
    return recorded


def repeated(consent: Consent, sent: Repeatable) -> Recorded | None:
    """What the same request made before; None where its key is new here.

    ReusedKeyError where it was another request, RecordGoneError where what it made is
    gone.
    """
    site = consent.published.site
    row = Repeat.objects.filter(site=site, key=_name(site, sent.key)).first()
    if row is None:
        return None
    if not hmac.compare_digest(bytes(row.asked), _asked(consent, sent)):
        raise ReusedKeyError
    content = Content.objects.filter(site=site, entry__site=site, pk=row.entry)
    found = content.select_related("entry", "site").first()
    link = Link.objects.filter(site=site, pk=row.entry).first()
    if found is None or Removal.objects.filter(site=site, entry=row.entry).exists():
        raise RecordGoneError
    if not _same_browser(consent, sent, row, link):
        raise ReusedKeyError
    return _again(consent, row, found, link)


def _again(
    consent: Consent, row: Repeat, content: Content, link: Link | None
) -> Recorded:
    """The first answer once more, with what is in force now."""
    own, now = link if _is_own(consent, link) else None, consent.again()
    receipt = ledger.receipt_of(content, own)
    if row.state:
        now.choice = replace(decode(row.state), receipt=receipt.id)
    if now.choice is None:
        raise RecordGoneError
    same = own is not None and consent.visitor_id in {None, own.visitor}
    given = receipt.visitor or None if same else None
    return Recorded(receipt, now.choice, given, decision_for(now))


def _is_own(consent: Consent, link: Link | None) -> bool:
    """Whether the caller is who the record is linked to."""
    if link is None:
        return False
    if consent.user is not None:
        return link.user == str(consent.user)
    return link.user == "" and link.visitor == (consent.visitor_id or "nobody")


def _same_browser(
    consent: Consent, sent: Repeatable, row: Repeat, link: Link | None
) -> bool:
    """Whether the caller holds what it held at first, or what the first answer gave.

    One that holds another choice has answered since, or is somebody else: the cookie of
    the first answer would undo that.
    """
    if hmac.compare_digest(bytes(row.held), _held(consent, sent)):
        return True
    if not row.state:
        return False
    given = visitor.cookie_value(decode(row.state), cookies=consent.cookies)
    others = consent.visitor_id not in {None, link.visitor if link else None}
    return _cookie(consent) == given and not others


def _keep(consent: Consent, sent: Repeatable, recorded: Recorded) -> None:
    site = consent.published.site
    choice = "" if consent.account else encode(replace(recorded.choice, receipt=None))
    Repeat.objects.create(
        site=site,
        key=_name(site, sent.key),
        asked=_asked(consent, sent),
        held=_held(consent, sent),
        state=choice,
        entry=uuid.UUID(recorded.receipt.id),
        time=consent.server_time,
    )


def forget_keys(*, site: Site, at: datetime) -> int:
    """Forget the keys of a day ago and before; how many it was."""
    old = Repeat.objects.filter(site=site, time__lt=at - KEPT)
    dropped = 0
    while some := list(old.order_by("time").values_list("pk", flat=True)[:_SOME]):
        dropped += Repeat.objects.filter(site=site, pk__in=some).delete()[0]
    return dropped


def _name(site: Site, key: str) -> bytes:
    """What a key is kept as: a hash, another one on every site."""
    return hashlib.sha256(f"consent-repeat/v1\n{site.slug}\n{key}".encode()).digest()


def _asked(consent: Consent, sent: Repeatable) -> bytes:
    """Everything of a request that decides what its record says, but the place.

    A telephone that goes from one network to another asks the same thing.
    """
    signals = consent.signals
    body = hashlib.sha256(sent.body).hexdigest()
    whose = consent.account
    account = [whose.user, whose.identity] if whose else None
    said = [body, account, consent.picked_place, signals.gpc, signals.dnt]
    return _keyed(sent, "asked", *said)


def _held(consent: Consent, sent: Repeatable) -> bytes:
    """What the caller's browser holds; nothing where the account is asked instead."""
    if consent.account is not None:
        return _keyed(sent, "held")
    return _keyed(sent, "held", _cookie(consent), consent.visitor_id)


def _keyed(sent: Repeatable, *parts: object) -> bytes:
    """A hash that nobody can test guesses against who has not the key itself."""
    return hmac.digest(sent.key.encode(), json.dumps(parts).encode(), "sha256")


def _cookie(consent: Consent) -> str | None:
    """The signed choice as the caller sent it, read or not."""
    request = consent.request
    if consent.elsewhere:
        return request.headers.get(visitor.cookies.HEADER)
    return request.COOKIES.get(settings.CONSENT_COOKIE_NAME)
