"""Linking a browser to a person whom the site's backend vouches for, and unlinking it.

A link carries preferences, merged as at sign-in (rule 8), and never a history: records
stay those of the browser that gave them.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import IntegrityError, transaction

from consent import visitor
from consent.accounts import Account
from consent.browser import keep_in_browser
from consent.choices.keeping import Recorded, locked
from consent.choices.signing_in import arrive
from consent.decision import Consent
from consent.identities import Vouched, identity_of
from consent.models import Linked, UsedToken
from consent.visitor.cookies import new_visitor_id


class UsedAlreadyError(ValueError):
    """The token was used before."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A browser that was linked: asked afresh, and the record of what that changed.

    `recorded` is None where browser and person agreed already.
    """

    consent: Consent
    identity: str
    recorded: Recorded | None
    visitor: str


def link(consent: Consent, vouched: Vouched, *, visitor_id: str) -> Joined:
    """Link this browser to a person, in one transaction; UsedAlreadyError for a replay.

    NoIdentityKeyError where the installation knows nobody.

    A browser that was somebody else's is a new one for this person: it gets another
    visitor id, and what it holds counts only as refusals. One that is linked to them
    already only mirrors their choice, so that nothing is merged again.
    """
    site = consent.published.site
    identity = identity_of(site, vouched.subject)
    with transaction.atomic():
        _use(consent, vouched)
        account = Account(identity=identity)
        row = locked(consent, account)
        if row.minor != vouched.minor:
            row.minor = vouched.minor
            row.save(update_fields=["minor"])
        before = Linked.objects.filter(site=site, visitor=visitor_id).first()
        again = before is not None and before.identity == identity
        known = visitor_id if again or _is_own(consent, before) else new_visitor_id()
        if not again:
            Linked.objects.create(
                site=site,
                visitor=known,
                identity=identity,
                since=consent.server_time,
            )
        joined = consent.again(linked=row)
        brought = None if again else consent.browser_choice
        recorded = arrive(joined, account=account, browser=brought, visitor_id=known)
        row.refresh_from_db()
    after = consent.again(linked=row)
    _tell_browser(consent, after, known)
    return Joined(after, identity, recorded, known)


def _is_own(consent: Consent, before: Linked | None) -> bool:
    """Whether the visitor id is this person's, for all that is known."""
    left = consent.browser_choice is not None and consent.browser_choice.left
    return before is None and not left


def _use(consent: Consent, vouched: Vouched) -> None:
    site = consent.published.site
    try:
        with transaction.atomic():
            UsedToken.objects.create(
                site=site, digest=vouched.digest, until=vouched.until
            )
    except IntegrityError:
        raise UsedAlreadyError from None


def _tell_browser(asked: Consent, after: Consent, known: str) -> None:
    """Have the response carry the person's choice, and say that there is a person."""
    if after.choice is not None:
        keep_in_browser(after, after.choice)
    elif asked.browser_choice is not None:
        after.pending.append(
            lambda response: visitor.clear_choice(response, cookies=after.cookies)
        )
    after.pending.append(
        lambda response: visitor.issue_visitor_id(
            response, known, cookies=after.cookies, linked=True
        )
    )
    asked.pending.extend(after.pending)


def unlink(consent: Consent, *, visitor_id: str | None) -> Consent:
    """Leave the browser without person and visitor id, as signing out does (rule 8).

    What it holds stays, and merges into the next person's choice only as refusals.
    """
    if visitor_id is not None:
        here = Linked.objects.filter(site=consent.published.site, visitor=visitor_id)
        here.delete()
    choice, after = consent.choice, consent.again()
    after.linked = None
    if choice is not None and consent.linked is not None:
        after.choice = replace(choice, left=True, receipt=None)
        keep_in_browser(after, after.choice)
    after.pending.append(
        lambda response: visitor.clear_visitor_id(response, cookies=after.cookies)
    )
    consent.pending.extend(after.pending)
    return after


def forget_used(now: datetime) -> int:
    """Forget the numbers of tokens that are over: none of them counts any more."""
    return UsedToken.objects.filter(until__lt=now).delete()[0]
