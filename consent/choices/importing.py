"""Taking over what people answered to an earlier tool, as records that say `imported`.

The record names the answers that came to count, with the end of their lives reckoned
from when they were given; its time is the server's, and the surface another program's.
Format 1 has no room for the source: an act before it in the log names that
(docs/import.md).
"""

from dataclasses import replace

from consent import acts, visitor
from consent.accounts import Account
from consent.choices.keeping import Happening, Recorded, locked, record, together
from consent.core.preferences import Answer, Choice, merge, refusals_kept
from consent.core.purposes import Purpose
from consent.core.record import Event, Surface
from consent.decision import Consent, stored_choice
from consent.visitor.cookies import new_visitor_id


def bring(
    consent: Consent, *, account: Account | None, visitor_id: str | None
) -> Recorded | None:
    """Record what the cookie of an earlier tool says, where there is anything to.

    An account is brought only refusals (rule 8). A visitor id is made only where
    something was granted. From here on the request has this choice.
    """
    earlier, consent.earlier = consent.earlier, None
    if earlier is None:
        return None
    if account is not None:
        earlier = merge(account=None, browser=earlier, left=True)
    elif any(answer.granted for answer in earlier.answers.values()):
        visitor_id = visitor_id or new_visitor_id()
    else:
        visitor_id = None
    site = consent.published.site
    declared = [of.document() for of in visitor.declarations(site.slug)]
    with together(account):
        acts.note_imports(site=site, declared=declared, at=consent.server_time)
        taken = take_over(consent, earlier, account=account, visitor_id=visitor_id)
    if not taken:
        return None
    consent.choice = consent.own_choice = taken[-1].choice
    return taken[-1]


def brought(
    consent: Consent, *, account: Account | None, visitor_id: str | None
) -> str | None:
    """Record what is about to be laid over; the visitor id from here on."""
    if consent.own_choice is not None:
        return visitor_id
    taken = bring(consent, account=account, visitor_id=visitor_id)
    return visitor_id or (taken.visitor if taken else None)


def take_over(
    consent: Consent, choice: Choice, *, account: Account | None, visitor_id: str | None
) -> list[Recorded]:
    """Record the imported answers that come to count; no record where none does.

    Where an account answered otherwise the refusal holds (rule 8). There is one record
    for each policy version that was answered, because a record names one.
    """
    taken: list[Recorded] = []
    with together(account):
        before = _before(consent, account)
        won = _that_count(before, choice)
        for version in sorted({answer.policy for answer in won.values()}):
            newer = {p: a for p, a in won.items() if a.policy == version}
            taken.append(_record(consent, before, choice, newer, account, visitor_id))
            before = replace(taken[-1].choice, receipt=None)
    return taken


def _before(consent: Consent, account: Account | None) -> Choice | None:
    if account is None:
        return None
    row = locked(consent, account)
    return stored_choice(row) if row.receipt else None


def _that_count(before: Choice | None, choice: Choice) -> dict[Purpose, Answer]:
    """The imported answers that an account has once they are merged into it."""
    held = before.answers if before else {}
    merged = merge(account=before, browser=choice, left=False).answers
    return {p: merged[p] for p in choice.answers if merged[p] != held.get(p)}


def _record(
    consent: Consent,
    before: Choice | None,
    choice: Choice,
    newer: dict[Purpose, Answer],
    account: Account | None,
    visitor_id: str | None,
) -> Recorded:
    (version,) = {answer.policy for answer in newer.values()}
    policy = consent.published.version(version)
    if policy is None:
        raise LookupError(f"policy version {version} was never published")
    asked = replace(choice, answers=newer)
    after = replace(merge(account=before, browser=asked, left=False), left=choice.left)
    kept = refusals_kept(before=before, after=after) if before else ()
    happening = Happening(
        event=Event.IMPORTED,
        surface=Surface.API,
        newer=asked,
        standing=after,
        account=account,
        visitor=visitor_id,
        policy=policy,
        kept_refused=kept,
    )
    return record(consent, happening)
