"""What each site has published, held in the process, and the act of publishing.

A decision must cost no query, so sites, policies and rule books stand in a snapshot
that is read again when it is older than five seconds. While the database is down the
last snapshot goes on serving.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import Error as AnyDatabaseError
from django.db import transaction
from django.utils.translation import gettext as _

from consent import ledger, rulebook
from consent.core.canonical import canonical_hash
from consent.core.policy import Policy, from_document
from consent.core.record import Act
from consent.models import PolicyVersion, RuleBookVersion, Site

FRESH_SECONDS = 5.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Published:
    """A site with the policy it has published and the rule book that it uses."""

    site: Site
    policy: Policy
    document: Mapping[str, Any]
    book: rulebook.RuleBook
    older: Mapping[int, Policy]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that visitors can read; the first is the default."""
        return tuple(self.site.languages) or (settings.LANGUAGE_CODE,)

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
    _kept.clear()
    _books.clear()


def by_host(host: str) -> Published | None:
    """The site that a host (without port) belongs to."""
    host = host.lower().rstrip(".")
    return next((p for p in published() if _has_host(p.site, host)), None)


def by_slug(slug: str) -> Published | None:
    return next((p for p in published() if p.site.slug == slug), None)


def _has_host(site: Site, host: str) -> bool:
    return any(
        host == name or (name.startswith("*.") and host.endswith(name[1:]))
        for name in site.hosts
    )


def _read() -> tuple[Published, ...]:
    versions: dict[int, list[PolicyVersion]] = {}
    for version in PolicyVersion.objects.order_by("site_id", "-version"):
        versions.setdefault(version.site_id, []).append(version)
    sites = Site.objects.order_by("pk")
    return tuple(_published(site, versions.get(site.pk, [])) for site in sites)


def _published(site: Site, versions: list[PolicyVersion]) -> Published:
    book = _book(canonical_hash(site.rule_overrides), tuple(site.rule_overrides))
    documents = [version.document for version in versions]
    if not documents:
        # Nothing was published, so nothing may be asked and nothing may run.
        nothing = Policy(version=0, hash="", purposes=())
        return Published(site, nothing, {}, book, {})
    policy = from_document(documents[0], older=documents[1:])
    older = {old["version"]: from_document(old) for old in documents[1:]}
    return Published(site, policy, documents[0], book, older)


_books: dict[str, rulebook.RuleBook] = {}
# Rule books that are known to be kept, so that a choice need not ask again.
_kept: set[str] = set()


def _book(key: str, overrides: tuple[Mapping[str, Any], ...]) -> rulebook.RuleBook:
    """The rule book with the operator's overrides, then the site's.

    Overrides that cannot be applied are refused by a system check and when a site is
    saved; should they be met here all the same, the book stands without them, because
    what they would have changed is not known.
    """
    if key not in _books:
        book = rulebook.load()
        for part in (list(settings.CONSENT_RULE_OVERRIDES), list(overrides)):
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
    its privacy policy stands, or where the document cannot be read.
    """
    missing = [
        field
        for field in (
            "controller_name",
            "controller_address",
            "controller_contact",
            "privacy_policy_url",
            "hosts",
            "languages",
        )
        if not getattr(site, field)
    ]
    if missing:
        raise ValidationError(
            _("Before a policy can be published the site needs: %(fields)s")
            % {"fields": ", ".join(missing)}
        )
    with transaction.atomic():
        # The site's row is locked, so that two editors cannot publish one number.
        Site.objects.select_for_update().get(pk=site.pk)
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
        record_act(
            site=site,
            at=at,
            act="policy_published",
            subject=row.hash,
            detail={"version": row.version},
        )
    forget()
    return row


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


def record_act(
    *, site: Site, at: datetime, act: str, subject: str | None, detail: dict[str, Any]
) -> None:
    """Write something the operator did to the site's ledger."""
    entry = Act(
        id=ledger.new_id(),
        site=site.slug,
        time=at,
        act=act,
        subject=subject,
        detail=detail,
    )
    ledger.append(site=site, entry=entry, owner=None)


def keep_rule_book(here: Published, *, at: datetime) -> None:
    """Keep the rule book that records point at, and record when it changed.

    Called in the transaction of a choice: a record must never name a rule book that
    cannot be shown.
    """
    book = here.book
    if book.version in _kept:
        return
    _row, new = RuleBookVersion.objects.get_or_create(
        hash=book.version, defaults={"document": book.document()}
    )
    if new:
        record_act(
            site=here.site,
            at=at,
            act="rule_book_changed",
            subject=book.version,
            detail={"lowered_unknown": book.lowered_unknown},
        )
    transaction.on_commit(lambda: _kept.add(book.version))
