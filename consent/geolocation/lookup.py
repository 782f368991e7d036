"""`locate`: from an address to a `Location`, with the databases the settings name."""

from functools import lru_cache
from pathlib import Path
from typing import Final, TypeGuard

from django.conf import settings

from consent.core.jurisdictions import Location, Source
from consent.geolocation.address import Address, visitor_address
from consent.geolocation.database import Database, Kind, UnreadableRecordError
from consent.geolocation.proof import prove
from consent.geolocation.record import Place, hides_place, place_in
from consent.geolocation.status import DatabaseStatus, status_of
from consent.geolocation.storage import Origin
from consent.geolocation.watch import WatchedDatabase

EMBEDDED: Final = Path(__file__).parent / "data" / "consent-country.mmdb.xz"
FETCHED_NAME: Final = "fetched.mmdb"
"""Where `update_geoip` puts a database when GEOIP_PATH names no other place."""

_NOWHERE: Final = Location()


def locate(address: str | Address | None) -> Location:
    """Return where an address is; whatever goes wrong, the place is unknown.

    Nothing is raised: no database, a damaged, foreign or too old one, an address that
    is garbage or not public, all mean an unknown location, which is asked as strictly
    as the strictest place. With an anonymiser database configured, an address it names
    (and every address while it cannot be asked) is `anonymous`.
    """
    client = visitor_address(address)
    if client is None:
        return _NOWHERE
    watched = _places()
    database = watched.current()
    place = _place(watched, database, client)
    return Location(
        country=place.country,
        subdivision=place.subdivision,
        source=Source.GEOIP if place.country else Source.UNKNOWN,
        also=place.also,
        anonymous=place.anonymous or _is_anonymous(client),
        database=database.label if database else None,
    )


def status() -> DatabaseStatus:
    """Return the state of the database that locations come from."""
    watched = _places()
    database = watched.current()
    path = watched.origin.path if watched.origin else EMBEDDED
    return status_of(
        database,
        path=path,
        embedded=path == EMBEDDED,
        problem=watched.problem,
        max_age_days=settings.GEOIP_MAX_AGE_DAYS,
    )


def anonymous_status() -> DatabaseStatus | None:
    """Return the state of the anonymiser database, or None when none is configured."""
    if not settings.GEOIP_ANONYMOUS_PATH:
        return None
    watched = _anonymisers()
    database = watched.current()
    return status_of(
        database,
        path=Path(settings.GEOIP_ANONYMOUS_PATH),
        embedded=False,
        problem=watched.problem,
        max_age_days=settings.GEOIP_MAX_AGE_DAYS,
    )


def fetched_path() -> Path:
    """Return where a fetched database belongs: GEOIP_PATH, or the data folder."""
    if settings.GEOIP_PATH:
        return Path(settings.GEOIP_PATH)
    return Path(settings.CONSENT_DATA_DIR) / "geoip" / FETCHED_NAME


def prove_in_use() -> None:
    """Read every record of the configured databases once, for the fast reader.

    Raises `UnusableDatabaseError` or `OSError` for a database that is no good.
    """
    watches = [(_places(), Kind.PLACE)]
    if settings.GEOIP_ANONYMOUS_PATH:
        watches.append((_anonymisers(), Kind.ANONYMOUS))
    for watched, kind in watches:
        database = watched.current()
        if watched.origin and database and database.awaited_proof:
            prove(watched.origin, kind=kind, folder=watched.folder)


def _place(
    watched: WatchedDatabase, database: Database | None, client: Address
) -> Place:
    if not _answers(database, client):
        return Place()
    try:
        return place_in(database.find(client))
    except UnreadableRecordError:
        watched.report_damage(database)
        return Place()


def _answers(database: Database | None, client: Address) -> TypeGuard[Database]:
    """Tell whether there is a database young enough that knows this kind of address."""
    return (
        database is not None
        and not database.older_than(days=settings.GEOIP_MAX_AGE_DAYS)
        and database.covers(client)
    )


def _is_anonymous(client: Address) -> bool:
    if not settings.GEOIP_ANONYMOUS_PATH:
        return False
    watched = _anonymisers()
    database = watched.current()
    if not _answers(database, client):
        return True
    try:
        return hides_place(database.find(client))
    except UnreadableRecordError:
        watched.report_damage(database)
        return True


def _places() -> WatchedDatabase:
    path = str(settings.GEOIP_PATH or "")
    return _watch(Kind.PLACE, path, str(settings.CONSENT_DATA_DIR))


def _anonymisers() -> WatchedDatabase:
    path = str(settings.GEOIP_ANONYMOUS_PATH)
    return _watch(Kind.ANONYMOUS, path, str(settings.CONSENT_DATA_DIR))


@lru_cache(maxsize=16)
def _watch(kind: Kind, path: str, data_folder: str) -> WatchedDatabase:
    """Return the one watch of this process on a configured path."""
    folder = Path(data_folder) / "geoip"

    def find() -> Origin:
        if path:
            return Origin(Path(path))
        fetched = folder / FETCHED_NAME
        return Origin(fetched if fetched.is_file() else EMBEDDED)

    return WatchedDatabase(find=find, kind=kind, folder=folder)
