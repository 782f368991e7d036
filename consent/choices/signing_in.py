"""What signing in does to an account: the merge, and a signal that is sent along."""

from django.db import transaction

from consent.choices.choosing import note_signal
from consent.choices.keeping import Happening, Recorded, locked, record
from consent.core.preferences import Choice, differs, merge, refusals_kept
from consent.core.record import Event, Surface
from consent.decision import Consent, stored_choice


def sign_in(
    consent: Consent, *, user: int, browser: Choice | None, visitor_id: str | None
) -> Recorded | None:
    """Merge what the browser holds into the account that signs in (rule 8).

    Where they differ the refusal holds. The account gets one `merged` record, or none
    where nothing changed; the histories of browser and account stay apart.
    """
    with transaction.atomic():
        row = locked(consent, user)
        before = stored_choice(row) if row else None
        left = browser is not None and browser.left
        after = merge(account=before, browser=browser, left=left)
        if not differs(before=before, after=after):
            return None
        return record(
            consent,
            Happening(
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
