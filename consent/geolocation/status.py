"""What operators see about a geo database: edition, age, problems, attribution."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from consent.geolocation.database import Database

STALE_AFTER_DAYS: Final = 60
"""Address blocks move: after two months a database deserves a newer one."""


class Attribution(NamedTuple):
    """The words a licence asks for where results are shown, and where they link to."""

    text: str
    url: str


_EMBEDDED: Final = Attribution(
    "IP Geolocation by DB-IP, joined with RIR data by the NRO (nro.net), CC BY 4.0",
    "https://db-ip.com",
)
_BY_EDITION: Final = (
    ("Consent-", _EMBEDDED),
    ("DBIP-", Attribution("IP Geolocation by DB-IP", "https://db-ip.com")),
    (
        "GeoLite2-",
        Attribution(
            "This product includes GeoLite2 Data created by MaxMind, available from "
            "https://www.maxmind.com.",
            "https://www.maxmind.com",
        ),
    ),
    ("GeoIP", Attribution("IP geolocation by MaxMind", "https://www.maxmind.com")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseStatus:
    """The state of one database, for checks, admin, health and explanations."""

    path: Path
    embedded: bool
    """Whether it is the one that comes with the product."""
    edition: str | None
    built: date | None
    age_days: int | None
    too_old: bool
    """Older than GEOIP_MAX_AGE_DAYS: every location is unknown."""
    stale: bool
    """Older than two months: still used, worth a warning."""
    proved: bool
    """Whether every record was read once, so that the fast reader is used."""
    problem: str | None
    """What is wrong and what to do, as a sentence; None when the database is used."""
    attribution: str
    attribution_url: str


def attribution_of(edition: str | None) -> Attribution:
    """Return the attribution that an edition's licence asks for."""
    if edition is None:
        return Attribution("", "")
    for prefix, attribution in _BY_EDITION:
        if edition.startswith(prefix):
            return attribution
    return Attribution(f"IP geolocation data: {edition}", "")


def status_of(
    database: Database | None,
    *,
    path: Path,
    embedded: bool,
    problem: str | None,
    max_age_days: int,
) -> DatabaseStatus:
    """Return the state of a database, or of the lack of one."""
    age = database.age_days if database else None
    too_old = database is not None and database.older_than(days=max_age_days)
    if too_old and problem is None:
        problem = (
            f"The geo database {path} is {age} days old, and GEOIP_MAX_AGE_DAYS allows "
            f"{max_age_days}: run manage.py update_geoip. Until then its answer to "
            "every address is unknown."
        )
    attribution = attribution_of(database.edition if database else None)
    return DatabaseStatus(
        path=path,
        embedded=embedded,
        edition=database.edition if database else None,
        built=database.built if database else None,
        age_days=age,
        too_old=too_old,
        stale=age is not None and age > STALE_AFTER_DAYS,
        proved=database is not None and database.awaited_proof is None,
        problem=problem,
        attribution=attribution.text,
        attribution_url=attribution.url,
    )
