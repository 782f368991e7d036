"""The refusal that an erasure ends with: one record that is linked to nobody.

What is refused and what is erased are kept together or not at all, so that whoever
reads the choice meanwhile never finds something running whose record is gone.
"""

from dataclasses import dataclass, replace

from consent import ledger, publication
from consent.accounts import Account
from consent.choices.keeping import Recorded, locked
from consent.core.cookie import decode, encode
from consent.core.decide import Decision, decide
from consent.core.preferences import Answer, Choice, add
from consent.core.purposes import OPTIONAL, Purpose
from consent.core.record import ConsentRecord, Event, Surface
from consent.core.wanted import model_for
from consent.decision import Consent, stored_choice
from consent.models import Preference
from consent.models.preference import ERASED


@dataclass(frozen=True, slots=True)
class Standing:
    """The choice that stands before an erasure, with the row of an account, locked."""

    choice: Choice | None
    row: Preference | None


@dataclass(frozen=True, slots=True)
class Said:
    """Where somebody asked for the erasure, and in which language; None for nobody."""

    surface: Surface
    language: str | None


def standing(consent: Consent, account: Account | None) -> Standing:
    """The choice that stands, of an account under its lock (`choices.keeping`)."""
    if account is None:
        return Standing(consent.choice, None)
    row = locked(consent, account)
    return Standing(stored_choice(row) if row.receipt else consent.choice, row)


def refuses_everything(choice: Choice | None) -> bool:
    """Whether nothing optional could run by this choice, in any place."""
    if choice is None or any(a.granted for a in choice.services.values()):
        return False
    answers = [choice.answers.get(purpose) for purpose in OPTIONAL]
    return all(answer is not None and not answer.granted for answer in answers)


def refuse(
    consent: Consent, purposes: frozenset[Purpose], before: Standing, said: Said
) -> Recorded:
    """Record, in the caller's transaction, that these purposes are refused.

    They are refused whether the policy has them or not: should it have them again, they
    do not run. What was refused alone stays refused.
    """
    newer = _refusal(consent, purposes)
    # What is kept is what the cookie can say: whole hours.
    choice = decode(encode(add(choice=_without_grants(before.choice), newer=newer)))
    decided = decide(
        policy=consent.published.policy,
        rule=consent.rule,
        choice=choice,
        signals=consent.signals,
        now=consent.now,
        minor=consent.minor,
    )
    publication.keep_what_is_pointed_at(consent.published, at=consent.server_time)
    record = _record(consent, newer, decided, said)
    receipt = ledger.append(site=consent.published.site, entry=record, owner=None)
    choice = replace(choice, receipt=receipt.id)
    if before.row is not None:
        _keep(before.row, choice)
    return Recorded(receipt, choice, None, decided)


def _without_grants(choice: Choice | None) -> Choice | None:
    """The choice without services that were allowed alone."""
    if choice is None:
        return None
    refused = {name: a for name, a in choice.services.items() if not a.granted}
    return replace(choice, services=refused)


def _refusal(consent: Consent, purposes: frozenset[Purpose]) -> Choice:
    policy, rule = consent.published.policy, consent.rule
    answers = {
        purpose: Answer(
            granted=False,
            at=consent.now,
            expires=None,
            policy=policy.version,
            model=model_for(policy=policy, rule=rule, purpose=purpose),
        )
        for purpose in purposes
    }
    return Choice(answers=answers, rule=rule.name, region=consent.region)


def _keep(row: Preference, choice: Choice) -> None:
    """Let the account say what was refused, and keep nothing else of what was said.

    It does not name the record: that has the time of the removals, and would tell whose
    the erased records were.
    """
    row.state = encode(replace(choice, receipt=None, left=False))
    row.receipt = ERASED
    row.kept_refused = [p for p in row.kept_refused if Purpose(p) not in choice.answers]
    row.save(force_update=True)


def _record(
    consent: Consent, refused: Choice, decided: Decision, said: Said
) -> ConsentRecord:
    here = consent.published
    return ConsentRecord(
        id=ledger.new_id(),
        site=here.site.slug,
        time=consent.server_time,
        event=Event.ERASED,
        purposes={p: a.granted for p, a in refused.answers.items()},
        services={},
        visitor=None,
        policy_version=here.policy.version,
        policy_hash=here.policy.hash,
        notice_hash=None,
        language=said.language,
        rule=consent.rule.name,
        rulebook=here.book.version,
        location=consent.location,
        signals=consent.signals,
        applied=decided.applied,
        audience=str(here.policy.audience),
        model=decided.model,
        surface=said.surface,
        valid_until=None,
    )
