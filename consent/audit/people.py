"""Whose records are asked for: of which site, and of which visitor or account."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import batched

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Q

from consent.audit.receipts import GONE, Kept, find_all, removed
from consent.models import Entry, Link, Removal, Restricted, Site
from consent.models.site import Erasure

_AT_ONCE = 500


class NobodyError(LookupError):
    """It is not clear who is meant; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Person:
    """What records are looked for by: exactly one of the three is set.

    A visitor id stands for the browser's own records: what somebody recorded while
    signed in at the same browser is their account's, as everywhere else.

    NobodyError for an empty word: it would mean everybody who has none.
    """

    visitor: str | None = None
    user: str | None = None
    receipt: str | None = None

    def __post_init__(self) -> None:
        named = [w for w in (self.visitor, self.user, self.receipt) if w is not None]
        if len(named) != 1 or not named[0].strip():
            raise NobodyError("Say one visitor, one account or one receipt.")


@dataclass(frozen=True, slots=True)
class Found:
    """A record with what ties it to its person, while anything does."""

    kept: Kept
    link: Link | Restricted | None

    @property
    def entry(self) -> Entry:
        return self.kept.entry


def the_site(slug: str | None) -> Site:
    """The site of that short name; without one, the only site there is.

    NobodyError where there is none, or more than one to choose from.
    """
    sites = {site.slug: site for site in Site.objects.order_by("slug")}
    if slug is None and len(sites) == 1:
        return next(iter(sites.values()))
    if slug is None or slug not in sites:
        said = f"There is no site {slug}." if slug else "Say which site: --site."
        raise NobodyError(f"{said} Sites: {', '.join(sites) or 'none yet'}.")
    return sites[slug]


def account(named: str) -> str:
    """The key of an account, told by its key or its username.

    The key of an account that was deleted is one too: the ledger still has it. `key:7`
    is never read as a name. The key is as links have it, however it was typed: `07` is
    `7`. NobodyError where the word fits two accounts.
    """
    if named.startswith("key:"):
        return _key(named.removeprefix("key:")) or named.removeprefix("key:")
    users = get_user_model()
    by_name = users.objects.filter(**{users.USERNAME_FIELD: named}).first()
    key = _key(named)
    if by_name is None:
        return named if key is None else key
    if key is not None and key != str(by_name.pk) and _is_known(key):
        raise NobodyError(
            f"{named} is the name of one account and the key of another; say "
            f"key:{by_name.pk} or key:{key}."
        )
    return str(by_name.pk)


def _key(typed: str) -> str | None:
    """A word as the key that it is read as; None where no account can have it."""
    try:
        return str(get_user_model()._meta.pk.to_python(typed))  # noqa: SLF001 - Django's public way to a model's fields
    except (ValueError, ValidationError):
        return None


def _is_known(key: str) -> bool:
    """Whether an account has the key, or one had it that the ledger still names."""
    return (
        get_user_model().objects.filter(pk=key).exists()
        or Link.objects.filter(user=key).exists()
        or Restricted.objects.filter(user=key).exists()
    )


def records_of(
    *, site: Site, person: Person, restricted: bool = False
) -> Iterator[Found]:
    """A person's records in the order of time.

    `restricted` adds those that an erasure took out of every view and that are kept
    until retention ends. NobodyError for such a record of a site that forgets at once:
    it promised to keep none for any claim.
    """
    tied: dict[uuid.UUID, Link | Restricted | None] = {}
    if person.receipt is not None:
        tied.update(_by_number(person.receipt))
    links = sorted(_links(site, person, restricted), key=lambda link: link.time)
    tied.update({link.pk: link for link in links})
    for keys in batched(tied, _AT_ONCE):
        if restricted and site.erasure == Erasure.AT_ONCE:
            _require_none_erased(site, keys)
        found = find_all(site=site, keys=keys, restricted=restricted)
        yield from (Found(found[key], tied[key]) for key in keys if key in found)


def _require_none_erased(site: Site, keys: Sequence[uuid.UUID]) -> None:
    if GONE[Removal.Reason.ERASURE] in removed(site, keys).values():
        raise NobodyError(
            f"Some of these records were erased, and {site.slug} forgets at once: what "
            "they said is shown to nobody. Leave out --restricted."
        )


def restricted_exist(*, site: Site, person: Person) -> bool:
    """Whether an erasure has taken records of this person out of view."""
    return Restricted.objects.filter(_of(person), site=site).exists()


def accounts_of(*, site: Site, visitor: str) -> bool:
    """Whether somebody signed in at this browser recorded something."""
    links = Link.objects.filter(site=site, visitor=visitor)
    return links.exclude(user="").exists()


def _links(site: Site, person: Person, restricted: bool) -> Iterator[Link | Restricted]:
    yield from Link.objects.filter(_of(person), site=site)
    if restricted:
        yield from Restricted.objects.filter(_of(person), site=site)


def _of(person: Person) -> Q:
    if person.visitor is not None:
        return Q(visitor=person.visitor, user="")
    if person.user is not None:
        return Q(user=account(person.user))
    return Q(pk__in=list(_by_number(person.receipt or "")))


def _by_number(number: str) -> dict[uuid.UUID, None]:
    try:
        return {uuid.UUID(hex=number): None}
    except ValueError:
        raise NobodyError(f"{number} is no receipt number.") from None
