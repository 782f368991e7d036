"""Keeping a record: what it points at, the entry, and the account's row, or nothing."""

from dataclasses import dataclass, replace

from django.db import transaction

from consent import ledger, notices, publication, visitor
from consent.core.cookie import encode
from consent.core.decide import Decision, decide
from consent.core.policy import Policy
from consent.core.preferences import Choice
from consent.core.purposes import Purpose
from consent.core.record import ConsentRecord, Event, Surface, pseudonym
from consent.decision import Consent, keep_in_browser
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
    user: int | None
    visitor: str | None
    policy: Policy
    sources: tuple[str, ...] = ()
    kept_refused: tuple[Purpose, ...] = ()


def record(
    consent: Consent, event: Happening, *, language: str | None = None
) -> Recorded:
    """Keep the record and all that it points at, in one transaction."""
    decided = _decided(consent, event.standing)
    language = language or consent.language
    notice = _notice(consent, event, decided, language)
    salt = ledger.new_salt()
    digest = notice[0] if notice else None
    record = _consent_record(consent, event, decided, digest, language, salt)
    with transaction.atomic():
        publication.keep_rule_book(consent.published, at=consent.server_time)
        if notice:
            notices.keep(*notice)
        owner = _owner(event, salt)
        site = consent.published.site
        receipt = ledger.append(site=site, entry=record, owner=owner)
        standing = replace(event.standing, receipt=receipt.id)
        if event.user is not None:
            _keep_preference(consent, event, standing, user=event.user)
    return Recorded(receipt, standing, event.visitor, decided)


def _notice(
    consent: Consent, event: Happening, decided: Decision, language: str
) -> tuple[str, notices.Document] | None:
    """What was on the screen; None where the answer was to an older version's words."""
    if event.policy.version != consent.published.policy.version:
        return None
    return notices.notice_for(
        consent.published,
        language=language,
        purposes=decided.offered,
        signal=bool(conflicts(consent)),
    )


def _decided(consent: Consent, standing: Choice) -> Decision:
    return decide(
        policy=consent.published.policy,
        rule=consent.rule,
        choice=standing,
        signals=consent.signals,
        now=consent.now,
    )


def _owner(event: Happening, salt: bytes) -> Owner | None:
    """Whom the record is linked to; a refusal without visitor id belongs to nobody."""
    if event.user is None and event.visitor is None:
        return None
    return Owner(
        visitor=event.visitor,
        user=None if event.user is None else str(event.user),
        salt=salt,
        sources=event.sources,
    )


def _consent_record(
    consent: Consent,
    event: Happening,
    decided: Decision,
    notice: str | None,
    language: str,
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
        notice_hash=notice,
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


def conflicts(consent: Consent) -> tuple[str, ...]:
    """The signals that a grant of marketing would override, given before or not."""
    plain = decide(
        policy=consent.published.policy,
        rule=consent.rule,
        choice=None,
        signals=consent.signals,
        now=consent.now,
    )
    return plain.applied


def locked(consent: Consent, user: int) -> Preference | None:
    rows = Preference.objects.select_for_update()
    return rows.filter(site=consent.published.site, user=user).first()


def _keep_preference(
    consent: Consent, event: Happening, standing: Choice, *, user: int
) -> None:
    Preference.objects.update_or_create(
        site=consent.published.site,
        user_id=user,
        defaults={
            "state": encode(replace(standing, receipt=None)),
            "receipt": standing.receipt or "",
            "kept_refused": [str(p) for p in event.kept_refused],
        },
    )


def carry(consent: Consent, recorded: Recorded) -> None:
    """Have the response carry the cookies of a choice that was kept."""
    keep_in_browser(consent, recorded.choice)
    if recorded.visitor is not None:
        identity = recorded.visitor
        consent.pending.append(
            lambda response: visitor.issue_visitor_id(
                response, identity, cookies=consent.cookies
            )
        )
