"""Prove that a database file can be read before anyone relies on it."""

from itertools import islice
from pathlib import Path
from typing import Final

import geoip2.database
import maxminddb
from maxminddb import InvalidDatabaseError

from consent.geolocation.database import UnusableDatabaseError

_RECORDS_READ: Final = 10_000
_METHODS: Final = ("city", "country", "enterprise")


def prove_readable(path: Path) -> None:
    """Read many records, and one through geoip2's own models.

    Raises `UnusableDatabaseError` when one cannot be read or there are none.
    """
    try:
        address = _address_read(path)
        with geoip2.database.Reader(path) as reader:
            edition = reader.metadata().database_type.lower()
            method = next(name for name in _METHODS if name in edition)
            getattr(reader, method)(address)
    except (InvalidDatabaseError, ValueError, TypeError, StopIteration) as error:
        raise UnusableDatabaseError("cannot be read with geoip2") from error


def _address_read(path: Path) -> str:
    """Return an address that has a record; raises `StopIteration` without any."""
    with maxminddb.open_database(str(path)) as reader:
        records = islice(reader, _RECORDS_READ)
        network, _record = next(records)
        for _ in records:
            pass
    return str(network.network_address)
