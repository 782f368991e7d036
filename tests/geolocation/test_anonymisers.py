"""The optional database of Tor exits, VPNs and proxies."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django import Settings

from consent.geolocation import anonymous_status, locate
from tests.geolocation.databases import TEST_DATA, MakeDatabase, in_country


@pytest.fixture
def anonymisers(geo: Settings, make_database: MakeDatabase) -> Settings:
    """Everywhere is Brazil; MaxMind's test database knows the anonymisers."""
    geo.GEOIP_PATH = make_database({"::/0": in_country("BR")})
    geo.GEOIP_ANONYMOUS_PATH = str(TEST_DATA / "GeoIP2-Anonymous-IP-Test.mmdb")
    return geo


@pytest.mark.usefixtures("anonymisers")
@pytest.mark.parametrize(
    "address",
    [
        "1.2.0.1",  # VPN
        "1.124.213.1",  # VPN and Tor
        "6.1.0.2",  # hosting
        "6.1.0.3",  # public proxy
        "6.1.0.4",  # residential proxy
        "65.0.0.1",  # Tor exit
        "65.7.255.254",
        "71.160.223.1",  # hosting
        "81.2.69.1",  # all of them
        "186.30.236.1",  # public proxy
        "::ffff:65.0.0.1",
    ],
)
def test_an_anonymiser_keeps_its_country_and_is_anonymous(address: str) -> None:
    found = locate(address)
    assert (found.country, found.anonymous) == ("BR", True)


@pytest.mark.usefixtures("anonymisers")
@pytest.mark.parametrize("address", ["82.64.0.1", "64.255.255.255", "2003::1"])
def test_other_addresses_are_not_anonymous(address: str) -> None:
    assert locate(address).anonymous is False


def test_without_the_database_nobody_is_anonymous(geo: Settings) -> None:
    assert locate("65.0.0.1").anonymous is False
    assert anonymous_status() is None


def test_while_the_configured_database_is_missing_everybody_is_anonymous(
    anonymisers: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    anonymisers.GEOIP_ANONYMOUS_PATH = str(tmp_path / "missing.mmdb")
    assert locate("82.64.0.1").anonymous is True
    state = anonymous_status()
    assert state is not None
    assert "missing.mmdb cannot be read" in str(state.problem)


def test_a_place_database_cannot_stand_in_for_the_anonymisers(
    anonymisers: Settings,
) -> None:
    anonymisers.GEOIP_ANONYMOUS_PATH = str(TEST_DATA / "GeoIP2-City-Test.mmdb")
    assert locate("82.64.0.1").anonymous is True


def test_a_too_old_anonymiser_database_makes_everybody_anonymous(
    anonymisers: Settings, make_database: MakeDatabase
) -> None:
    anonymisers.GEOIP_MAX_AGE_DAYS = 400
    anonymisers.GEOIP_PATH = make_database(
        {"::/0": in_country("BR")}, name="new.mmdb", built=datetime.now(UTC)
    )
    anonymisers.GEOIP_ANONYMOUS_PATH = make_database(
        {"::/0": {"is_anonymous": False}},
        name="old.mmdb",
        database_type="Made-Anonymous",
        built=datetime(2020, 1, 1, tzinfo=UTC),
    )
    assert locate("82.64.0.1").anonymous is True
    state = anonymous_status()
    assert state is not None
    assert state.too_old


def test_a_flag_that_is_no_clear_yes_is_no_anonymiser(
    anonymisers: Settings, make_database: MakeDatabase
) -> None:
    anonymisers.GEOIP_ANONYMOUS_PATH = make_database(
        {"::/0": {"is_anonymous": False, "is_legitimate_proxy": True}},
        name="anonymous.mmdb",
        database_type="Made-Anonymous",
    )
    assert locate("82.64.0.1").anonymous is False


def test_the_status_names_the_edition_in_use(anonymisers: Settings) -> None:
    state = anonymous_status()
    assert state is not None
    assert state.edition == "GeoIP2-Anonymous-IP"
    assert (state.problem, state.embedded) == (None, False)


def test_a_damaged_record_of_the_anonymiser_database_counts_as_anonymous(
    anonymisers: Settings, make_database: MakeDatabase
) -> None:
    path = make_database(
        {"::/0": {"is_anonymous": False}},
        name="damaged.mmdb",
        database_type="Made-Anonymous",
    )
    # The value becomes a pointer to nowhere.
    path.write_bytes(
        path.read_bytes().replace(b"is_anonymous\x00\x07", b"is_anonymous\x3f\xff")
    )
    anonymisers.GEOIP_ANONYMOUS_PATH = str(path)
    assert locate("82.64.0.1").anonymous is True
    state = anonymous_status()
    assert state is not None
    assert "some of its records cannot be read" in str(state.problem)
