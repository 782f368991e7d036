"""What the geo database and the database say: their age, durability, sites, logs."""

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import Error as AnyDatabaseError
from django.db import connection

from consent import geolocation, ledger, rulebook
from consent.models import Site
from consent.models.site import COOKIE_DOMAIN
from consent.publication import overlap

type Messages = Iterator[CheckMessage]


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
        return [*_durable(), *_sites(), *_logs()]
    except AnyDatabaseError:
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


def _logs() -> Messages:
    """Logs that may not be signed: a backup was put back, or the log was rewritten."""
    for site in Site.objects.all():
        reason = ledger.refusal(site)
        if reason:
            yield checks.Warning(
                reason,
                hint="Choices are still kept; they wait to be sealed.",
                id="consent.W030",
            )


def _sites() -> Messages:
    sites: list[Any] = list(Site.objects.prefetch_related("policies"))
    if not sites:
        yield checks.Warning(
            "There is no site yet, so every page answers 404.",
            hint="Add a site in the administration, then run manage.py "
            "publish_policy SITE FILE.json for it.",
            id="consent.W020",
        )
    for site in sites:
        if not site.policies.all():
            yield checks.Warning(
                f"The site {site.slug} has published no policy: nothing optional runs.",
                hint=f"Run manage.py publish_policy {site.slug} FILE.json.",
                id="consent.W021",
            )
        yield from _site_settings(site)
    for one, other in combinations(sites, 2):
        yield from _shared_hosts(one, other)


def _shared_hosts(one: Site, other: Site) -> Messages:
    """Hosts that two sites claim: the form refuses it, and other programs may not."""
    for host, its in product(one.hosts, other.hosts):
        if overlap(host, its):
            yield Error(
                f"{host} of {one.slug} and {its} of {other.slug} take in the same "
                "names, so that a visitor of one would be asked by the other.",
                hint="Correct the hosts of one of them in the administration.",
                id="consent.E029",
            )


def _site_settings(site: Site) -> Messages:
    """What a site says of itself; forms refuse it, and other programs may not."""
    try:
        rulebook.apply(rulebook.load(), list(site.rule_overrides))
    except (rulebook.OverrideError, TypeError, AttributeError) as error:
        yield Error(
            f"Rule overrides of {site.slug}: {error}",
            hint="Correct them in the administration.",
            id="consent.E021",
        )
    if site.cookie_domain and not COOKIE_DOMAIN.fullmatch(site.cookie_domain):
        yield Error(
            f"The cookie domain of {site.slug} is {site.cookie_domain!r}, which is no "
            "domain of a cookie.",
            hint="Correct it in the administration; leave it empty for each host's.",
            id="consent.E022",
        )
