"""Every test of geolocation starts without configured databases."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from pytest_django import Settings

from consent.geolocation import lookup
from consent.geolocation.mmdb_writer import Value
from tests.geolocation.databases import JUNE, TEST_DATA, MakeDatabase, database


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder for all tests that do not care what lies in it."""
    return tmp_path_factory.mktemp("var")


@pytest.fixture(autouse=True)
def geo(settings: Settings, shared_folder: Path) -> Iterator[Settings]:
    """No databases configured and no age limit."""
    settings.CONSENT_DATA_DIR = shared_folder
    settings.GEOIP_PATH = ""
    settings.GEOIP_ANONYMOUS_PATH = ""
    settings.GEOIP_MAX_AGE_DAYS = 0
    settings.GEOIP_ACCOUNT_ID = ""
    settings.GEOIP_LICENSE_KEY = ""
    settings.GEOIP_EDITION = "GeoLite2-City"
    settings.GEOIP_DOWNLOAD_URL = ""
    yield settings
    lookup._watch.cache_clear()


@pytest.fixture
def own_folder(geo: Settings, tmp_path: Path) -> Path:
    """Return the folder of copies, which is the test's own."""
    geo.CONSENT_DATA_DIR = tmp_path / "var"
    return tmp_path / "var" / "geoip"


@pytest.fixture
def city_database(geo: Settings) -> Settings:
    geo.GEOIP_PATH = str(TEST_DATA / "GeoIP2-City-Test.mmdb")
    return geo


@pytest.fixture
def country_database(geo: Settings) -> Settings:
    geo.GEOIP_PATH = str(TEST_DATA / "GeoIP2-Country-Test.mmdb")
    return geo


@pytest.fixture
def make_database(tmp_path: Path) -> MakeDatabase:
    """Return a writer of small databases: networks as text, and their records."""

    def make(
        records: dict[str, Value],
        *,
        name: str = "made.mmdb",
        database_type: str = "Made-City",
        built: datetime = JUNE,
    ) -> Path:
        path = tmp_path / name
        path.write_bytes(database(records, database_type=database_type, built=built))
        return path

    return make
