"""What each site has published, held in the process, and the act of publishing.

A decision must cost no query, so sites, policies and rule books stand in a snapshot
that is read again when it is older than five seconds. While the database is down the
last snapshot goes on serving.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import Error as AnyDatabaseError
from django.db import transaction
from django.utils.translation import gettext as _

from consent import acts, languages, rulebook
from consent.core.canonical import canonical_hash
from consent.core.policy import Policy, from_document
from consent.core.policy_document import lacking, problems
from consent.models import PolicyVersion, Site

FRESH_SECONDS = 5.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Published:
    """A site with the policy it has published and the rule book that it uses.

    `languages` are those that visitors can read; the first is the default.
    """

    site: Site
    policy: Policy
    document: Mapping[str, Any]
    book: rulebook.RuleBook
    older: Mapping[int, Policy]
    languages: tuple[str, ...]

    def version(self, number: int | None) -> Policy | None:
        """A version that was ever published, or None."""
        if not number:
            return None
        return self.policy if number == self.policy.version else self.older.get(number)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    sites: tuple[Published, ...]
    read_at: float


_current: _Snapshot | None = None
_reading = Lock()


def published() -> tuple[Published, ...]:
    """All sites as published, at most five seconds old while the database answers.

    Raises a database error only where nothing has ever been read.
    """
    global _current  # noqa: PLW0603 - one snapshot a process is the point
    known = _current
    if known is not None and time.monotonic() - known.read_at < FRESH_SECONDS:
        return known.sites
    # One thread reads; the others go on with what is known.
    if not _reading.acquire(blocking=known is None):
        return known.sites if known else ()
    try:
        _current = _Snapshot(sites=_read(), read_at=time.monotonic())
    except AnyDatabaseError:
        if known is None:
            raise
        log.warning("What sites have published could not be read again.")
        _current = _Snapshot(sites=known.sites, read_at=time.monotonic())
    finally:
        _reading.release()
    return _current.sites


def forget() -> None:
    """Read everything again at the next question."""
    global _current  # noqa: PLW0603 - see published()
    _current = None
    _books.clear()
    acts.forget()


def by_host(host: str) -> Published | None:
    """The site that a host (without port) belongs to."""
    host = host.lower().removesuffix(".")
    return next((p for p in published() if has_host(p.site, host)), None)


def by_slug(slug: str) -> Published | None:
    return next((p for p in published() if p.site.slug == slug), None)


def has_host(site: Site, host: str) -> bool:
    """Whether a host is a site's: one of its names, or below one with a star."""
    return any(
        host == name or (name.startswith("*.") and host[1:].endswith(name[1:]))
        for name in site.hosts
    )


def overlap(one: str, other: str) -> bool:
    """Whether some name belongs to both hosts; `*.` stands for all subdomains."""
    return (
        one == other
        or (one.startswith("*.") and other.endswith(one[1:]))
        or (other.startswith("*.") and one.endswith(other[1:]))
    )


def _read() -> tuple[Published, ...]:
    versions: dict[int, list[PolicyVersion]] = {}
    for version in PolicyVersion.objects.order_by("site_id", "-version"):
        versions.setdefault(version.site_id, []).append(version)
    sites = Site.objects.order_by("pk")
    return tuple(_published(site, versions.get(site.pk, [])) for site in sites)


def _published(site: Site, versions: list[PolicyVersion]) -> Published:
    book = _book_of(site)
    documents = [version.document for version in versions]
    if not documents:
        # Nothing was published, so nothing may be asked and nothing may run.
        nothing = Policy(version=0, hash="", purposes=())
        return Published(site, nothing, {}, book, {}, _spoken(site, {}))
    policy = from_document(documents[0], older=documents[1:])
    older = {old["version"]: from_document(old) for old in documents[1:]}
    spoken = _spoken(site, documents[0])
    return Published(site, policy, documents[0], book, older, spoken)


def _spoken(site: Site, document: Mapping[str, Any]) -> tuple[str, ...]:
    """A site's languages as far as they can be shown whole; English where none can.

    The product's texts and the policy's own are there, and where nobody has reviewed
    the translation, an editor has confirmed that it is shown all the same.
    """
    unread = set(languages.unreviewed(site.languages)) - set(site.unreviewed_languages)
    wanted = languages.spoken(code for code in site.languages if code not in unread)
    whole = tuple(code for code in wanted if not any(lacking(document, [code])))
    return whole or (languages.SOURCE,)


_books: dict[str, rulebook.RuleBook] = {}


def _book_of(site: Site) -> rulebook.RuleBook:
    """The rule book with the operator's overrides, then the site's.

    Overrides that cannot be applied are refused by a system check and when a site is
    saved; should they be met here all the same, the book stands without them, because
    what they would have changed is not known.
    """
    overrides: list[Mapping[str, Any]] = list(site.rule_overrides)
    key = canonical_hash(overrides)
    if key not in _books:
        book = rulebook.load()
        for part in (list(settings.CONSENT_RULE_OVERRIDES), overrides):
            try:
                book = rulebook.apply(book, part) if part else book
            except rulebook.OverrideError:
                log.exception("Rule overrides that cannot be applied were left out.")
        if book.lowered_unknown:
            log.warning(
                "An override gives unknown places less than the strictest rule."
            )
        _books[key] = book
    return _books[key]


_NEEDED: Final = (
    "controller_name",
    "controller_address",
    "controller_contact",
    "privacy_policy_url",
    "hosts",
    "languages",
)


def publish(
    *,
    site: Site,
    document: Mapping[str, Any],
    at: datetime,
    by: AbstractBaseUser | None,
    note: str = "",
) -> PolicyVersion:
    """Publish a new policy version in one transaction, with its entry in the ledger.

    Raises ValidationError where the site does not say who its controller is and where
    its privacy policy stands, or with a sentence for each thing that is wrong in the
    document.
    """
    with transaction.atomic():
        # The site's row is locked, so that two editors cannot publish one number.
        site = Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        _refuse_unfit(site, document)
        last = PolicyVersion.objects.filter(site=site).order_by("-version").first()
        version = _version(site, document, (last.version if last else 0) + 1)
        row = PolicyVersion.objects.create(
            site=site,
            version=version["version"],
            document=version,
            hash=canonical_hash(version),
            published_at=at,
            published_by=by if by is not None and by.pk else None,  # type: ignore[misc]
            note=note,
        )
        acts.record(
            site=site,
            at=at,
            act="policy_published",
            subject=row.hash,
            detail={"version": row.version, **_confirmed(site)},
        )
        note_rule_book(site=site, at=at)
    forget()
    return row


def _refuse_unfit(site: Site, document: Mapping[str, Any]) -> None:
    """Refuse a site that does not say who is responsible, and an unfit document."""
    missing = [field for field in _NEEDED if not getattr(site, field)]
    if missing:
        raise ValidationError(
            _("Before a policy can be published the site needs: %(fields)s")
            % {"fields": ", ".join(missing)}
        )
    found = unfit(site, document)
    if found:
        raise ValidationError(found)


def unfit(site: Site, document: Mapping[str, Any]) -> list[str]:
    """What keeps a site from publishing a document in its languages, in sentences."""
    found = problems(document) or list(lacking(document, site.languages))
    return [*found, *_unfit_languages(site)]


def _unfit_languages(site: Site) -> Iterator[str]:
    """Languages that cannot be shown, or that nobody has reviewed or confirmed."""
    for code in site.languages:
        if not languages.offered(code):
            yield _("%(code)s is not translated whole.") % {"code": code}
    missing = languages.unreviewed(site.languages)
    for code in missing:
        if code not in site.unreviewed_languages:
            yield _(
                "Nobody has reviewed the translation %(code)s: confirm that it is "
                "published all the same."
            ) % {"code": code}


def _confirmed(site: Site) -> dict[str, list[str]]:
    """The languages that an editor publishes although nobody has reviewed them."""
    shown = set(site.unreviewed_languages) & set(site.languages)
    found = languages.unreviewed(shown)
    return {"unreviewed_languages": list(found)} if found else {}


def _version(site: Site, document: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The document as it is kept: numbered, and naming who is responsible."""
    whole = {
        **document,
        "version": number,
        "site": site.slug,
        "audience": site.audience,
        "sensitive": site.sensitive,
        "controller": {
            "name": site.controller_name,
            "address": site.controller_address,
            "contact": site.controller_contact,
        },
        "privacy_policy_url": site.privacy_policy_url,
    }
    try:
        from_document(whole)
    except (AttributeError, KeyError, ValueError, TypeError) as error:
        raise ValidationError(
            _("The policy cannot be read: %(error)s") % {"error": repr(error)}
        ) from error
    return whole


def note_rule_book(*, site: Site, at: datetime) -> None:
    """Record, in the caller's transaction, that a site decides by another rule book."""
    acts.note_rule_book(site=site, book=_book_of(site), at=at)
    acts.note_key(site=site, at=at)


def keep_what_is_pointed_at(here: Published, *, at: datetime) -> None:
    """Keep the rule book and the key of a record, and record when they changed.

    Called in the transaction of a choice: a record must never name a rule book that
    cannot be shown.
    """
    acts.note_rule_book(site=here.site, book=here.book, at=at)
    acts.note_key(site=here.site, at=at)
