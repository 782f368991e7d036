"""Keeping a record: what it points at, the entry, and the account's row, or nothing."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from django.db import transaction

from consent import ledger, notices, publication, visitor
from consent.accounts import Account
from consent.browser import keep_in_browser
from consent.core.cookie import decode, encode
from consent.core.decide import Decision, decide
from consent.core.policy import Policy
from consent.core.preferences import Choice
from consent.core.purposes import Purpose
from consent.core.record import ConsentRecord, Event, Surface, pseudonym
from consent.decision import Consent
from consent.ledger import Owner, Receipt
from consent.models import Preference


@dataclass(frozen=True, slots=True)
class Recorded:
    """A kept choice: its receipt, the choice as it now stands, the visitor id."""

    receipt: Receipt
    choice: Choice
    visitor: str | None
    decision: Decision


@dataclass(frozen=True, slots=True)
class Happening:
    """What is about to be recorded."""

    event: Event
    surface: Surface
    newer: Choice
    standing: Choice
    account: Account | None
    visitor: str | None
    policy: Policy
    notice: tuple[str, notices.Document] | None = None
    sources: tuple[str, ...] = ()
    kept_refused: tuple[Purpose, ...] = ()


def record(
    consent: Consent, event: Happening, *, language: str | None = None
) -> Recorded:
    """Keep the record after all that it points at, and with it the account's row.

    Nothing else has to change with an anonymous record: it is written by one statement.
    """
    # What was kept is what the cookie can say: whole hours.
    standing = decode(encode(event.standing))
    decided = _decided(consent, standing)
    salt = ledger.new_salt()
    # Nobody was shown anything here where an answer is imported.
    shown = event.event is not Event.IMPORTED
    said_in = (language or consent.language) if shown else None
    made = _consent_record(consent, event, decided, said_in, salt)
    with together(event.account):
        publication.keep_what_is_pointed_at(consent.published, at=consent.server_time)
        if event.notice:
            notices.keep(*event.notice)
        owner = _owner(event, salt)
        site = consent.published.site
        receipt = ledger.append(site=site, entry=made, owner=owner)
        standing = replace(standing, receipt=receipt.id)
        if event.account is not None:
            _keep_preference(consent, event, standing, event.account)
    return Recorded(receipt, standing, event.visitor, decided)


def together(account: Account | None) -> AbstractContextManager[None]:
    """One transaction, where an account's row is read and written with the record."""
    return transaction.atomic() if account is not None else nullcontext()


def _decided(consent: Consent, standing: Choice) -> Decision:
    return decide(
        policy=consent.published.policy,
        rule=consent.rule,
        choice=standing,
        signals=consent.signals,
        now=consent.now,
        minor=consent.minor,
    )


def _owner(event: Happening, salt: bytes) -> Owner | None:
    """Whom the record is linked to; a refusal without visitor id belongs to nobody.

    A vouched person's record belongs to the browser alone.
    """
    user = event.account.user if event.account else None
    if user is None and event.visitor is None:
        return None
    return Owner(
        visitor=event.visitor,
        user=None if user is None else str(user),
        salt=salt,
        sources=event.sources,
    )


def _consent_record(
    consent: Consent,
    event: Happening,
    decided: Decision,
    language: str | None,
    salt: bytes,
) -> ConsentRecord:
    here = consent.published
    return ConsentRecord(
        id=ledger.new_id(),
        site=here.site.slug,
        time=consent.server_time,
        event=event.event,
        purposes={p: a.granted for p, a in event.newer.answers.items()},
        services={name: a.granted for name, a in event.newer.services.items()},
        visitor=pseudonym(salt=salt, visitor=event.visitor) if event.visitor else None,
        policy_version=event.policy.version,
        policy_hash=event.policy.hash,
        notice_hash=event.notice[0] if event.notice else None,
        language=language,
        rule=consent.rule.name,
        rulebook=here.book.version,
        location=consent.location,
        signals=consent.signals,
        applied=decided.applied,
        audience=str(here.policy.audience),
        model=decided.model,
        surface=event.surface,
        valid_until=event.newer.expires,
    )


def locked(consent: Consent, account: Account) -> Preference:
    """The account's row under a lock, made where there is none.

    A row that does not exist cannot be locked, and two first answers at once would
    overwrite each other. A row without receipt is no choice yet.
    """
    rows = Preference.objects
    site = consent.published.site
    empty = {"state": encode(Choice())}
    made, _new = rows.get_or_create(
        site=site,
        user_id=account.user,  # type: ignore[misc] # or none
        identity=account.identity,
        defaults=empty,
    )
    return rows.select_for_update().get(pk=made.pk, site=site)


def _keep_preference(
    consent: Consent, event: Happening, standing: Choice, account: Account
) -> None:
    row = locked(consent, account)
    row.state = encode(replace(standing, receipt=None, left=False))
    row.receipt = standing.receipt or ""
    row.kept_refused = _still_to_tell(event, row)
    row.save(force_update=True)


def _still_to_tell(event: Happening, row: Preference) -> list[str]:
    """The refusals kept at sign-in that the person has not answered yet."""
    if event.event is Event.MERGED:
        return [str(p) for p in event.kept_refused]
    if event.event is Event.IMPORTED:
        return sorted({*row.kept_refused, *map(str, event.kept_refused)})
    return [p for p in row.kept_refused if Purpose(p) not in event.newer.answers]


def carry(consent: Consent, recorded: Recorded) -> None:
    """Have the response carry the cookies of a choice that was kept."""
    keep_in_browser(consent, recorded.choice)
    if recorded.visitor is not None and not consent.elsewhere:
        known = recorded.visitor
        consent.pending.append(
            lambda response: visitor.issue_visitor_id(
                response, known, cookies=consent.cookies, linked=bool(consent.linked)
            )
        )
