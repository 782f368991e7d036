"""RECORD and REMEMBER: a choice becomes a record, and the account's current choice.

Each of these is one transaction: the record, what it points at, and the account's row
are kept together or not at all, and nothing is answered before the commit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.db import transaction

from consent import ledger, notices, publication, visitor
from consent.core.cookie import encode
from consent.core.decide import Decision, decide, grant_ends, model_for
from consent.core.policy import Policy
from consent.core.preferences import Answer, Choice, add, differs, merge, refusals_kept
from consent.core.purposes import Purpose
from consent.core.record import ConsentRecord, Event, Surface, event_of, pseudonym
from consent.decision import Consent, keep_in_browser, stored_choice
from consent.ledger import Owner, Receipt
from consent.models import Content, Link, Preference
from consent.visitor.cookies import new_visitor_id


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person answered, to which policy version.

    `own` says that every purpose got an answer of its own; *Accept all* does not, and
    leaves out what a browser's signal turned off. Refusals may answer an older version.
    """

    purposes: Mapping[Purpose, bool]
    services: Mapping[str, bool]
    own: bool
    policy: Policy


@dataclass(frozen=True, slots=True)
class Recorded:
    """A kept choice: its receipt, the choice as it now stands, the visitor id."""

    receipt: Receipt
    choice: Choice
    visitor: str | None
    decision: Decision


@dataclass(frozen=True, slots=True)
class _Event:
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


def choose(
    consent: Consent,
    *,
    answers: Answers,
    surface: Surface,
    user: int | None,
    visitor_id: str | None,
    language: str | None = None,
) -> Recorded:
    """Record an explicit answer to every purpose on offer.

    Purposes left out are refused, explicitly. An answer given while signed in is the
    account's. A visitor id is made only where something is granted.
    """
    decision = consent.decision
    purposes = _purposes(consent, decision, answers)
    before = consent.choice
    newer = _answered(consent, purposes, answers)
    granted = any(purposes.values())
    return _record(
        consent,
        _Event(
            event=event_of(
                purposes=purposes,
                before={p: a.granted for p, a in before.answers.items()}
                if before
                else None,
            ),
            surface=surface,
            newer=newer,
            standing=_without_followers(newer, answers.policy),
            user=user,
            visitor=visitor_id or (new_visitor_id() if granted else None),
            policy=answers.policy,
        ),
        language=language,
    )


def opt_out(
    consent: Consent, *, surface: Surface, user: int | None, visitor_id: str | None
) -> Recorded:
    """Record an opt-out of sale, sharing and targeted advertising, and nothing else.

    Everything else that was answered keeps its answer (11 CCR 7026).
    """
    newer = Choice(
        answers={
            Purpose.MARKETING: _answer(
                consent, Purpose.MARKETING, consent.published.policy, granted=False
            )
        },
        rule=consent.rule.name,
        region=consent.region,
    )
    return _record(
        consent,
        _Event(
            event=Event.OPTED_OUT,
            surface=surface,
            newer=newer,
            standing=add(choice=consent.choice, newer=newer),
            user=user,
            visitor=visitor_id,
            policy=consent.published.policy,
        ),
    )


def note_signal(
    consent: Consent, *, user: int, visitor_id: str | None
) -> Recorded | None:
    """Let a signed-in person's signal reach their account, once (rule 6).

    None where no record is needed: an account that is opted out already, or that
    granted marketing over the signal.
    """
    if not consent.signals.gpc:
        return None
    answer = consent.choice.answers.get(Purpose.MARKETING) if consent.choice else None
    if answer is not None and (not answer.granted or answer.over_signal):
        return None
    return opt_out(consent, surface=Surface.SIGNAL, user=user, visitor_id=visitor_id)


def sign_in(
    consent: Consent, *, user: int, browser: Choice | None, visitor_id: str | None
) -> Recorded | None:
    """Merge what the browser holds into the account that signs in (rule 8).

    Where they differ the refusal holds. The account gets one `merged` record, or none
    where nothing changed; the histories of browser and account stay apart.
    """
    with transaction.atomic():
        row = _locked(consent, user)
        before = stored_choice(row) if row else None
        left = browser is not None and browser.left
        after = merge(account=before, browser=browser, left=left)
        if not differs(before=before, after=after):
            return None
        return _record(
            consent,
            _Event(
                event=Event.MERGED,
                surface=Surface.SIGN_IN,
                newer=after,
                standing=after,
                user=user,
                visitor=visitor_id,
                policy=consent.published.policy,
                sources=(before.receipt,) if before and before.receipt else (),
                kept_refused=refusals_kept(before=before, after=after)
                if before
                else (),
            ),
        )


def arrive(
    consent: Consent, *, user: int, browser: Choice | None, visitor_id: str | None
) -> None:
    """Everything that signing in does to an account, in one transaction.

    First the merge; then, where the browser sends a signal, one opt-out on the account.
    """
    with transaction.atomic():
        sign_in(consent, user=user, browser=browser, visitor_id=visitor_id)
        note_signal(consent.again(), user=user, visitor_id=visitor_id)


def _purposes(
    consent: Consent, decision: Decision, answers: Answers
) -> dict[Purpose, bool]:
    """The answers as they count: complete, and under the browser's signal (rule 6)."""
    asked = [p for p in decision.offered if p in answers.policy.purposes]
    purposes = {p: answers.purposes.get(p, False) for p in asked}
    if decision.applied and purposes.get(Purpose.MARKETING):
        allowed = answers.own and _may_override(consent)
        purposes[Purpose.MARKETING] = allowed
    return purposes


def _may_override(consent: Consent) -> bool:
    return consent.rule.gpc_override or not consent.signals.gpc


def _answered(
    consent: Consent, purposes: Mapping[Purpose, bool], answers: Answers
) -> Choice:
    policy = answers.policy
    over = bool(_conflicts(consent))
    of_service = {service.slug: service.purpose for service in policy.services}
    return Choice(
        answers={
            p: _answer(
                consent, p, policy, granted=on, over=over and p is Purpose.MARKETING
            )
            for p, on in purposes.items()
        },
        services={
            name: _answer(
                consent,
                of_service[name],
                policy,
                # A signal may have turned off the purpose that it belongs to.
                granted=on and purposes.get(of_service[name], False),
            )
            for name, on in answers.services.items()
        },
        rule=consent.rule.name,
        region=consent.region,
    )


def _without_followers(choice: Choice, policy: Policy) -> Choice:
    """The choice without services that do what their purpose does anyway.

    The record names them all; a cookie has no room for what goes without saying.
    """
    of_service = {service.slug: service.purpose for service in policy.services}
    purposes = {p for p, answer in choice.answers.items() if answer.granted}
    alone = {
        name: answer
        for name, answer in choice.services.items()
        if answer.granted != (of_service[name] in purposes)
    }
    return replace(choice, services=alone)


def _conflicts(consent: Consent) -> tuple[str, ...]:
    """The signals that a grant of marketing would override, given before or not."""
    plain = decide(
        policy=consent.published.policy,
        rule=consent.rule,
        choice=None,
        signals=consent.signals,
        now=consent.now,
    )
    return plain.applied


def _answer(
    consent: Consent,
    purpose: Purpose,
    policy: Policy,
    *,
    granted: bool,
    over: bool = False,
) -> Answer:
    ends = grant_ends(policy=policy, rule=consent.rule, at=consent.now)
    return Answer(
        granted=granted,
        at=consent.now,
        expires=ends if granted else None,
        policy=policy.version,
        model=model_for(policy=policy, rule=consent.rule, purpose=purpose),
        over_signal=over and granted,
    )


def _record(
    consent: Consent, event: _Event, *, language: str | None = None
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
    consent: Consent, event: _Event, decided: Decision, language: str
) -> tuple[str, notices.Document] | None:
    """What was on the screen; None where the answer was to an older version's words."""
    if event.policy.version != consent.published.policy.version:
        return None
    return notices.notice_for(
        consent.published,
        language=language,
        purposes=decided.offered,
        signal=bool(_conflicts(consent)),
    )


def _decided(consent: Consent, standing: Choice) -> Decision:
    return decide(
        policy=consent.published.policy,
        rule=consent.rule,
        choice=standing,
        signals=consent.signals,
        now=consent.now,
    )


def _owner(event: _Event, salt: bytes) -> Owner | None:
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
    event: _Event,
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


def _locked(consent: Consent, user: int) -> Preference | None:
    rows = Preference.objects.select_for_update()
    return rows.filter(site=consent.published.site, user=user).first()


def _keep_preference(
    consent: Consent, event: _Event, standing: Choice, *, user: int
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


def history(
    consent: Consent, *, user: int | None, visitor_id: str | None
) -> list[tuple[Content, Link]]:
    """The records of a signed-in user, else of this browser; newest first."""
    links = Link.objects.filter(site=consent.published.site)
    if user is not None:
        links = links.filter(user=str(user))
    elif visitor_id is not None:
        links = links.filter(visitor=visitor_id, user="")
    else:
        return []
    found = list(links.order_by("-time")[:100])
    contents = Content.objects.select_related("entry", "site").in_bulk(
        [link.pk for link in found]
    )
    return [(contents[link.pk], link) for link in found if link.pk in contents]
