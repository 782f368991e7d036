"""Databases for the tests: MaxMind's public test data, and small ones of our own."""

from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Protocol

from consent.geolocation.mmdb_writer import Description, Value, database_bytes, tree_of

TEST_DATA = Path(__file__).parent.parent / "data" / "geoip"
JUNE = datetime(2026, 6, 1, tzinfo=UTC)


class MakeDatabase(Protocol):
    """A writer of small databases into the test's own folder."""

    def __call__(
        self,
        records: dict[str, Value],
        *,
        name: str = "made.mmdb",
        database_type: str = "Made-City",
        built: datetime = JUNE,
    ) -> Path: ...


def database(
    records: dict[str, Value],
    *,
    database_type: str = "Made-City",
    built: datetime = JUNE,
) -> bytes:
    """Return a database of networks, as text, and their records."""
    tree, root = tree_of(
        (ip_network(network), record) for network, record in records.items()
    )
    about = Description(database_type=database_type, text="Made", built=built)
    return database_bytes(tree, root, about)


def in_country(code: str) -> Value:
    """Return a record that says only the country."""
    return {"country": {"iso_code": code}}
