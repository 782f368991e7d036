"""Missing, damaged, foreign and too old databases: unknown places, never an error."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st
from pytest_django import Settings

from consent.core.jurisdictions import Source
from consent.geolocation import locate, status
from consent.geolocation.address import visitor_address
from consent.geolocation.database import (
    Kind,
    UnreadableRecordError,
    UnusableDatabaseError,
    open_database,
)
from consent.geolocation.lookup import EMBEDDED
from consent.geolocation.record import Place, place_in
from tests.geolocation.databases import TEST_DATA, MakeDatabase, in_country

BROKEN = [
    "GeoIP2-City-Test-Broken-Double-Format.mmdb",
    "MaxMind-DB-test-broken-pointers-24.mmdb",
    "MaxMind-DB-test-broken-search-tree-24.mmdb",
]
ADDRESSES = ["81.2.69.160", "202.196.224.1", "1.1.1.1", "1.1.1.16", "2a02:d500::1"]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_database_damaged_on_purpose_gives_unknown_places(
    geo: Settings, name: str, address: str
) -> None:
    geo.GEOIP_PATH = str(TEST_DATA / name)
    found = locate(address)
    assert (found.country, found.source) == (None, Source.UNKNOWN)
    assert status().problem is None or name in str(status().problem)


def test_a_damaged_record_is_reported_to_operators(
    geo: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    geo.GEOIP_PATH = str(TEST_DATA / BROKEN[0])
    for _ in range(3):
        locate("81.2.69.160")
    assert "some of its records cannot be read" in str(status().problem)
    assert len(caplog.records) == 1


def test_a_missing_database_is_reported_once(
    geo: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    geo.GEOIP_PATH = str(tmp_path / "nowhere.mmdb")
    assert [locate("82.64.0.1").country for _ in range(3)] == [None] * 3
    state = status()
    assert "nowhere.mmdb cannot be read (No such file or directory)" in str(
        state.problem
    )
    assert (state.edition, state.built, state.age_days) == (None, None, None)
    assert len(caplog.records) == 1


@pytest.mark.parametrize("content", [b"", b"no database", b"\x00" * 4096])
def test_a_file_that_is_no_database_is_reported(
    geo: Settings, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "what.mmdb"
    path.write_bytes(content)
    geo.GEOIP_PATH = str(path)
    assert locate("82.64.0.1").country is None
    assert "damaged or no MaxMind DB file" in str(status().problem)


def test_half_a_database_is_reported(geo: Settings, tmp_path: Path) -> None:
    whole = (TEST_DATA / "GeoIP2-City-Test.mmdb").read_bytes()
    path = tmp_path / "half.mmdb"
    path.write_bytes(whole[: len(whole) // 2])
    geo.GEOIP_PATH = str(path)
    assert locate("214.78.120.1").country is None
    assert "damaged" in str(status().problem)


def test_a_folder_is_no_database(geo: Settings, tmp_path: Path) -> None:
    geo.GEOIP_PATH = str(tmp_path)
    assert locate("82.64.0.1").country is None
    assert status().problem is not None


@pytest.mark.parametrize(
    "database_type", ["GeoLite2-ASN", "GeoIP2-ISP", "country ipvAll", "Test", ""]
)
def test_a_database_of_an_unknown_type_is_reported(
    geo: Settings, make_database: MakeDatabase, database_type: str
) -> None:
    geo.GEOIP_PATH = make_database(
        {"82.0.0.0/8": in_country("FR")}, database_type=database_type
    )
    assert locate("82.64.0.1").country is None
    assert "not a Country or City or Enterprise database" in str(status().problem)


def test_a_database_over_its_age_gives_unknown_places(
    geo: Settings, make_database: MakeDatabase
) -> None:
    geo.GEOIP_MAX_AGE_DAYS = 30
    geo.GEOIP_PATH = make_database(
        {"82.0.0.0/8": in_country("FR")}, built=now() - timedelta(days=31, hours=1)
    )
    assert locate("82.64.0.1").country is None
    state = status()
    assert (state.age_days, state.too_old) == (31, True)
    assert "31 days old, and GEOIP_MAX_AGE_DAYS allows 30" in str(state.problem)


def test_a_database_at_its_age_limit_is_still_asked(
    geo: Settings, make_database: MakeDatabase
) -> None:
    geo.GEOIP_MAX_AGE_DAYS = 30
    geo.GEOIP_PATH = make_database(
        {"82.0.0.0/8": in_country("FR")}, built=now() - timedelta(days=30, hours=1)
    )
    assert locate("82.64.0.1").country == "FR"
    assert (status().too_old, status().problem) == (False, None)


def test_without_an_age_limit_old_databases_are_asked_but_stale(
    geo: Settings, make_database: MakeDatabase
) -> None:
    geo.GEOIP_PATH = make_database(
        {"82.0.0.0/8": in_country("FR")}, built=datetime(2012, 1, 1, tzinfo=UTC)
    )
    assert locate("82.64.0.1").country == "FR"
    assert (status().too_old, status().stale) == (False, True)


def test_two_months_make_a_database_stale(
    geo: Settings, make_database: MakeDatabase
) -> None:
    fresh = now() - timedelta(days=60, hours=1)
    geo.GEOIP_PATH = make_database({"82.0.0.0/8": in_country("FR")}, built=fresh)
    assert not status().stale
    geo.GEOIP_PATH = make_database(
        {"82.0.0.0/8": in_country("FR")}, built=fresh - timedelta(days=1), name="b.mmdb"
    )
    assert status().stale


def test_a_database_from_the_future_is_not_trusted(
    geo: Settings, make_database: MakeDatabase
) -> None:
    geo.GEOIP_PATH = make_database(
        {"82.0.0.0/8": in_country("FR")}, built=now() + timedelta(days=10)
    )
    assert locate("82.64.0.1").country is None
    assert "in the future" in str(status().problem)


def test_an_ipv4_database_knows_nothing_of_ipv6(geo: Settings) -> None:
    geo.GEOIP_PATH = str(TEST_DATA / BROKEN[1])
    assert locate("2003::1").country is None


def test_warnings_about_databases_name_no_address(
    geo: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    geo.GEOIP_PATH = str(TEST_DATA / BROKEN[0])
    locate("81.2.69.160")
    assert caplog.records
    assert "81.2.69.160" not in caplog.text


@given(st.data())
@how(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=300,
)
def test_no_damage_at_all_is_an_error(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray((TEST_DATA / "GeoIP2-City-Test.mmdb").read_bytes())
    position = st.integers(0, len(content) - 1)
    changes = data.draw(st.lists(st.tuples(position, st.integers(0, 255)), max_size=20))
    for index, byte in changes:
        content[index] = byte
    path = tmp_path / "changed.mmdb"
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    try:
        database = open_database(path, kind=Kind.PLACE, proof=tmp_path / "none")
    except UnusableDatabaseError:
        return
    for text in [*ADDRESSES, "214.78.120.1", "2a02:d180::1"]:
        address = visitor_address(text)
        assert address is not None
        try:
            assert isinstance(place_in(database.find(address)), Place)
        except UnreadableRecordError:
            continue


def test_a_damaged_packed_database_gives_unknown_places(
    geo: Settings, tmp_path: Path
) -> None:
    packed = tmp_path / "packed.mmdb.xz"
    packed.write_bytes(b"not packed at all")
    geo.GEOIP_PATH = str(packed)
    assert locate("82.64.0.1").country is None
    assert "cannot be unpacked" in str(status().problem)


def test_half_a_packed_database_gives_unknown_places(
    geo: Settings, tmp_path: Path
) -> None:
    packed = tmp_path / "packed.mmdb.xz"
    packed.write_bytes(EMBEDDED.read_bytes()[:100_000])
    geo.GEOIP_PATH = str(packed)
    assert locate("82.64.0.1").country is None
    assert "cannot be unpacked" in str(status().problem)
