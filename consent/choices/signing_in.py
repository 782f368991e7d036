"""What signing in does to an account: the merge, and a signal that is sent along."""

from dataclasses import replace

from django.db import transaction

from consent.accounts import Account
from consent.choices.choosing import note_signal
from consent.choices.importing import bring
from consent.choices.keeping import Happening, Recorded, locked, record
from consent.core.policy import Policy
from consent.core.preferences import Choice, differs, merge, refusals_kept
from consent.core.record import Event, Surface
from consent.decision import Consent, stored_choice


def sign_in(
    consent: Consent,
    *,
    account: Account,
    browser: Choice | None,
    visitor_id: str | None,
) -> Recorded | None:
    """Merge what the browser holds into the account that signs in (rule 8).

    Where they differ the refusal holds. The account gets one `merged` record, or none
    where nothing changed; the histories of browser and account stay apart.
    """
    with transaction.atomic():
        row = locked(consent, account)
        before = stored_choice(row) if row.receipt else None
        left = browser is not None and browser.left
        after = merge(account=before, browser=browser, left=left)
        if not differs(before=before, after=after):
            return None
        return record(
            consent,
            Happening(
                event=Event.MERGED,
                surface=Surface.SIGN_IN,
                newer=_as_asked(after, consent.published.policy),
                standing=after,
                account=account,
                visitor=visitor_id,
                policy=consent.published.policy,
                # A vouched person's is none of this browser's history.
                sources=(before.receipt,) if before and before.receipt else (),
                kept_refused=refusals_kept(before=before, after=after)
                if before
                else (),
            ),
        )


def _as_asked(choice: Choice, policy: Policy) -> Choice:
    """The answers that a record under this policy version can name.

    A grant of what has changed materially since was given to other words, and counts
    for nothing until it is given again; the account keeps it as it was given.
    """
    return replace(
        choice,
        answers={
            p: a
            for p, a in choice.answers.items()
            if not a.granted or p not in policy.changed_since(a.policy)
        },
    )


def arrive(
    consent: Consent,
    *,
    account: Account,
    browser: Choice | None,
    visitor_id: str | None,
) -> Recorded | None:
    """Everything that signing in does to an account, in one transaction.

    First the merge, with what an earlier tool's cookie refuses; then, where the browser
    sends a signal, one opt-out on the account. The newest record, if there is one.
    """
    if browser is None and consent.earlier is None and not consent.signals.gpc:
        return None
    # What another person left brings their visitor id along, which is not this one's.
    own_id = None if browser is not None and browser.left else visitor_id
    with transaction.atomic():
        merged = bring(consent, account=account, visitor_id=own_id) or sign_in(
            consent, account=account, browser=browser, visitor_id=own_id
        )
        if consent.linked is not None:
            consent.linked.refresh_from_db()
        after = consent.again(linked=consent.linked)
        noted = note_signal(after, account=account, visitor_id=own_id)
    return noted or merged
