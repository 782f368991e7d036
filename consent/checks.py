"""Numbered system checks: each says in one sentence what is wrong and what to do.

Errors (`consent.E…`) keep the server from starting; warnings (`consent.W…`) do not.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, connection

from consent import geolocation, keys, rulebook
from consent.models import Site
from consent.visitor.address import networks

type Messages = Iterator[CheckMessage]


@register("consent")
def check_settings(app_configs: object, **_: object) -> Sequence[CheckMessage]:
    """Everything that the settings alone can get wrong."""
    found: list[CheckMessage] = []
    for check in (_understood, _proxies, _headers, _demo, _key, _overrides, _segment):
        found.extend(check())
    return found


def _understood() -> Messages:
    for name, sentence in settings.CONSENT_SETTING_PROBLEMS:
        yield Error(sentence, hint=f"Correct {name} or remove it.", id="consent.E001")


def _proxies() -> Messages:
    try:
        networks(tuple(settings.TRUSTED_PROXIES))
    except ValueError as error:
        yield Error(
            f"TRUSTED_PROXIES: {error}.",
            hint="Give addresses and CIDR blocks: 10.0.0.0/8,192.0.2.7",
            id="consent.E002",
        )


def _headers() -> Messages:
    for name in ("GEO_COUNTRY_HEADER", "GEO_SUBDIVISION_HEADER"):
        header = getattr(settings, name)
        if "_" in header or " " in header:
            # Another header folds into a name with an underscore, and stands for it.
            yield Error(
                f"{name} is {header!r}; a header name has dashes, never underscores.",
                hint="For example CF-IPCountry.",
                id="consent.E003",
            )
    named = settings.GEO_COUNTRY_HEADER or settings.GEO_SUBDIVISION_HEADER
    if named and not settings.TRUSTED_PROXIES:
        yield checks.Warning(
            "A geo header is set but never believed: TRUSTED_PROXIES is empty.",
            hint="Name the addresses that your proxies connect from.",
            id="consent.W001",
        )


def _demo() -> Messages:
    if settings.DEMO and not settings.DEBUG:
        yield Error(
            "DEMO lets anybody play anybody, and runs only with DEBUG.",
            hint="Remove DEMO from the environment.",
            id="consent.E004",
        )


def _key() -> Messages:
    try:
        keys.signing_key()
    except keys.KeyProblemError as error:
        yield Error(str(error), id="consent.E005")


def _overrides() -> Messages:
    try:
        book = rulebook.apply(rulebook.load(), list(settings.CONSENT_RULE_OVERRIDES))
    except rulebook.OverrideError as error:
        yield Error(f"CONSENT_RULE_OVERRIDES: {error}", id="consent.E006")
        return
    if book.lowered_unknown:
        yield checks.Warning(
            "CONSENT_RULE_OVERRIDES gives unknown places less than the strictest rule.",
            hint="This is recorded in the ledger. Remove the override to be strict.",
            id="consent.W002",
        )


def _segment() -> Messages:
    if settings.TRACKING_STRATEGY == "segment" and not settings.SEGMENT_WRITE_KEY:
        yield Error(
            "TRACKING_STRATEGY is segment, but SEGMENT_WRITE_KEY is not set.",
            hint="Set the key, or TRACKING_STRATEGY=logging.",
            id="consent.E007",
        )


@register("consent")
def check_geoip(app_configs: object, **_: object) -> Sequence[CheckMessage]:
    """A geo database that cannot be used is a warning: every place is then unknown."""
    found: list[CheckMessage] = []
    status = geolocation.status()
    if status.problem:
        found.append(
            checks.Warning(
                status.problem,
                hint="See docs/geolocation.md; manage.py update_geoip gets one.",
                id="consent.W010",
            )
        )
    elif status.stale:
        found.append(
            checks.Warning(
                f"The geo database is {status.age_days} days old.",
                hint="manage.py update_geoip fetches a newer one.",
                id="consent.W011",
            )
        )
    anonymous = geolocation.anonymous_status()
    if anonymous is not None and anonymous.problem:
        found.append(checks.Warning(anonymous.problem, id="consent.W012"))
    return found


@register(Tags.database)
def check_database(
    app_configs: object,
    databases: Sequence[str] | None = None,
    **_: object,
) -> Sequence[CheckMessage]:
    """What only the database can tell: durability, and sites that are not ready."""
    if not databases:
        return []
    try:
        return [*_durable(), *_sites()]
    except DatabaseError:
        return []  # not migrated yet, or down: other messages say so


def _durable() -> Messages:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            (value,) = cursor.fetchone()
        if value == "off":
            yield Error(
                "PostgreSQL's synchronous_commit is off: a power cut loses "
                "choices that were answered.",
                hint="Set synchronous_commit to on for this database.",
                id="consent.E020",
            )


def _sites() -> Messages:
    sites: list[Any] = list(Site.objects.prefetch_related("policies"))
    if not sites:
        yield checks.Warning(
            "There is no site yet, so every page answers 404.",
            hint="Add a site in the administration, or run manage.py prepare_demo.",
            id="consent.W020",
        )
    for site in sites:
        if not site.policies.all():
            yield checks.Warning(
                f"The site {site.slug} has published no policy: nothing optional runs.",
                hint="Publish a policy for it.",
                id="consent.W021",
            )
        try:
            rulebook.apply(rulebook.load(), list(site.rule_overrides))
        except rulebook.OverrideError as error:
            yield Error(f"Rule overrides of {site.slug}: {error}", id="consent.E021")
