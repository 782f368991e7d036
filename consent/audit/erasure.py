"""Erasing a person's records: everything is withdrawn, and nothing names them any more.

What ties the records to the person goes: at once, or out of every list and view until
retention ends, as the site wants it (GDPR art. 17 and 18). The records themselves name
nobody then, and stay as long as retention keeps them; whoever holds the number of one
is only told that it was erased.

It ends with a refusal of everything that is optional, so that nothing runs again
because its refusal was erased: one `erased` record, linked to nobody, of which the
person gets the receipt. An account keeps that refusal; a browser gets it without an
identifier.
"""

import json
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from consent import choices, visitor
from consent.accounts import Account, linked
from consent.audit import removal
from consent.audit.withdrawing import (
    Said,
    Standing,
    refuse,
    refuses_everything,
    standing,
)
from consent.choices.keeping import Recorded
from consent.core.jurisdictions import Location
from consent.core.purposes import OPTIONAL, Purpose
from consent.core.record import Surface
from consent.core.signals import Signals
from consent.decision import Consent
from consent.models import Content, Link, Linked, Removal, Restricted, Site
from consent.models.site import Erasure
from consent.publication import Published


@dataclass(frozen=True, slots=True)
class Person:
    """Whose records are erased: an account's, a browser's, or both.

    `user` is the account's key as links have it, `account` the same where the account
    still exists. `visitor` stands for the browser's own records: what was recorded for
    an account with the same browser is the account's. An account's are also what the
    browsers gave that its own records name, before somebody signed in there.
    """

    user: str | None = None
    account: Account | None = None
    visitor: str | None = None


@dataclass(frozen=True, slots=True)
class Erased:
    """How many records were erased, and the refusal that it ended with.

    `kept` is None where there was nothing to erase and everything was refused before.
    """

    records: int
    kept: Recorded | None


def unattended(here: Published) -> Consent:
    """What an operator's command asks in a visitor's stead: no browser, no place."""
    consent = Consent(HttpRequest())
    consent.published = here
    consent.disguise = consent.linked = None
    consent.choice = consent.own_choice = consent.earlier = None
    consent.signals = Signals()
    consent.location = Location()
    return consent


def erase_own(consent: Consent, surface: Surface) -> Erased:
    """Erase what the person who asks has recorded here, and have the browser know.

    That is their account's records, where they are signed in, and this browser's; the
    browser then has the refusal, and no identifier.
    """
    user, known = consent.user, None
    if not consent.elsewhere:
        known = consent.visitor_id
        consent.pending.append(
            lambda response: visitor.clear_visitor_id(response, cookies=consent.cookies)
        )
    key = None if user is None else str(user)
    person = Person(user=key, account=consent.account, visitor=known)
    erased = erase(consent, person, Said(surface, consent.language))
    if erased.kept is not None:
        choices.carry(consent, erased.kept)
    return erased


def erase(consent: Consent, person: Person, said: Said) -> Erased:
    """Erase all records of a person on a site, and refuse everything optional.

    An account is locked first, so that a choice made at the same moment is either
    erased or comes after. Nobody can lock a browser: what it recorded meanwhile is
    looked for until nothing is left. Erasing again changes nothing.
    """
    site, kept = consent.published.site, None
    with transaction.atomic():
        account = person.account or _vouched_for(site, person.visitor)
        before = standing(consent, account)
        browsers = _browsers(site, person)
        Linked.objects.filter(site=site, visitor__in=browsers).delete()
        records = _erase_all(consent, _links(site, person, browsers))
        if records or not refuses_everything(before.choice):
            kept = refuse(consent, frozenset(OPTIONAL), before, said)
    meanwhile = Link.objects.filter(_own(browsers), site=site)
    while meanwhile.exists():
        with transaction.atomic():
            records += _erase_all(consent, meanwhile)
    return Erased(records, kept)


def links_of(site: Site, person: Person) -> QuerySet[Link]:
    """What ties records to a person; nothing where nobody is named."""
    return _links(site, person, _browsers(site, person))


def _links(site: Site, person: Person, browsers: Collection[str]) -> QuerySet[Link]:
    whose = _own(browsers)
    if person.user:
        whose |= Q(user=person.user)
    return Link.objects.filter(whose, site=site)


def _browsers(site: Site, person: Person) -> frozenset[str]:
    """The visitor ids whose own records are the person's.

    They are read once, because what names them is erased. Histories stay apart where
    they are shown, but whoever asks for an erasure means both: the same person gave
    what a browser held when they signed in.
    """
    found = {person.visitor} if person.visitor else set()
    if person.user:
        named = Link.objects.filter(site=site, user=person.user).exclude(visitor="")
        found.update(named.order_by().values_list("visitor", flat=True).distinct())
    return frozenset(found)


def account_with(key: str) -> Account | None:
    """The account of that key; None where there is none."""
    try:
        user = get_user_model().objects.filter(pk=key).first()
    except (ValueError, ValidationError):
        return None
    return Account(user=user.pk) if user else None


def _vouched_for(site: Site, visitor: str | None) -> Account | None:
    """The person whom a browser is linked to: what it granted counts for them too."""
    row = linked(site, visitor) if visitor else None
    return Account(identity=row.identity) if row else None


def _own(browsers: Collection[str]) -> Q:
    return Q(visitor__in=browsers, user="")


def _erase_all(consent: Consent, links: QuerySet[Link]) -> int:
    """Erase what is linked, some at a time, in the caller's transaction."""
    records = 0
    # In the order in which retention locks them, so that neither waits for the other.
    some = links.order_by("entry_id").select_for_update()[: removal.LARGEST]
    while found := list(some.all()):
        _forget(consent, [link.pk for link in found], found)
        records += len(found)
    return records


def _forget(consent: Consent, entries: list[uuid.UUID], links: Iterable[Link]) -> None:
    """Take away what ties entries to a person, as the site wants it."""
    site, at = consent.published.site, consent.server_time
    if site.erasure == Erasure.RESTRICT:
        Restricted.objects.bulk_create(
            Restricted(
                entry_id=link.pk,
                site=site,
                salt=link.salt,
                visitor=link.visitor,
                user=link.user,
                time=link.time,
                sources=link.sources,
                restricted_at=at,
            )
            for link in links
        )
    removal.remove(
        site=site,
        entries=entries,
        reason=Removal.Reason.ERASURE,
        tables=(Link,),
        at=at,
        detail={"mode": str(site.erasure)},
    )


def erase_record(consent: Consent, number: uuid.UUID) -> Erased:
    """Erase one record by its number, and what of an account's choice rests upon it.

    With it go the records that came from it (`with_those_from`). A grant without a
    record can be shown to nobody, so that it ends; the other answers of the account
    stay. 0 records where there is none, or where it is erased already.
    """
    site = consent.published.site
    with transaction.atomic():
        link = Link.objects.filter(pk=number, site=site).first()
        before = _standing_of(consent, link)
        some = {"pk__in": with_those_from(site, number), "site": site}
        # The links, then the contents, as retention locks them.
        links = list(Link.objects.filter(**some).order_by("pk").select_for_update())
        known = Content.objects.filter(**some, kind="consent").order_by("pk")
        contents = {content.pk: content for content in known.select_for_update()}
        if number not in contents or _is_erased(site, number):
            return Erased(0, None)
        _forget(consent, list(contents), links)
        return Erased(len(contents), _withdraw(consent, contents.values(), before))


def with_those_from(site: Site, number: uuid.UUID) -> list[uuid.UUID]:
    """A record, and those of the same account that a sign-in made from it.

    Their links name the record that they came from, and would tell whose it was.
    """
    found = [number]
    link = Link.objects.filter(pk=number, site=site).first()
    if link is not None and link.user:
        merged = Link.objects.filter(site=site, user=link.user).exclude(sources=[])
        rows = merged.order_by("time").values_list("pk", "sources")
        for entry, sources in rows:
            if not {one.hex for one in found}.isdisjoint(sources):
                found.append(entry)
    return found


def _standing_of(consent: Consent, link: Link | None) -> Standing:
    """The choice of the account that a record is linked to, if that still exists."""
    if link is None:
        return Standing(None, None)
    if link.user:
        account = account_with(link.user)
    else:
        account = _vouched_for(consent.published.site, link.visitor)
    return Standing(None, None) if account is None else standing(consent, account)


def _is_erased(site: Site, number: uuid.UUID) -> bool:
    erased = Removal.objects.filter(reason=Removal.Reason.ERASURE)
    return erased.filter(site=site, entry=number).exists()


def _withdraw(
    consent: Consent, contents: Collection[Content], before: Standing
) -> Recorded | None:
    """Refuse what an account answered in records that are erased, and never again."""
    choice = before.choice
    if choice is None:
        return None
    resting = frozenset(
        purpose
        for content in contents
        for purpose in map(Purpose, json.loads(content.canonical)["purposes"])
        if (answer := choice.answers.get(purpose)) and answer.at <= content.time
    )
    named = {content.entry_id.hex for content in contents}
    newest = before.row.named if before.row else choice.receipt
    if not resting and newest not in named:
        return None
    return refuse(consent, resting, before, Said(Surface.API, None))
