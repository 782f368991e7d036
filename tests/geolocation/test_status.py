"""What operators are told, and the words that licences ask for."""

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from consent.geolocation import status
from consent.geolocation.status import attribution_of
from tests.geolocation.databases import TEST_DATA


@pytest.mark.parametrize(
    ("edition", "text", "url"),
    [
        ("Consent-Country", "IP Geolocation by DB-IP", "https://db-ip.com"),
        ("DBIP-City-Lite", "IP Geolocation by DB-IP", "https://db-ip.com"),
        (
            "GeoLite2-City",
            "GeoLite2 Data created by MaxMind",
            "https://www.maxmind.com",
        ),
        ("GeoIP2-City", "MaxMind", "https://www.maxmind.com"),
        ("Acme-City", "Acme-City", ""),
    ],
)
def test_each_edition_is_attributed_as_its_licence_asks(
    edition: str, text: str, url: str
) -> None:
    attribution = attribution_of(edition)
    assert text in attribution.text
    assert attribution.url == url


def test_without_a_database_nothing_is_attributed(geo: Settings) -> None:
    geo.GEOIP_PATH = "/nowhere.mmdb"
    assert (status().attribution, status().attribution_url) == ("", "")


@pytest.mark.usefixtures("city_database")
def test_the_status_names_file_edition_and_date() -> None:
    state = status()
    assert state.path == TEST_DATA / "GeoIP2-City-Test.mmdb"
    assert (state.edition, str(state.built)) == ("GeoIP2-City", "2026-02-04")
    assert (state.embedded, state.problem) == (False, None)


@pytest.mark.usefixtures("city_database")
def test_the_check_command_prints_the_databases_in_use(
    geo: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    geo.GEOIP_ANONYMOUS_PATH = str(TEST_DATA / "GeoIP2-Anonymous-IP-Test.mmdb")
    call_command("update_geoip", check=True)
    lines = capsys.readouterr().out.splitlines()
    assert "GeoIP2-City, built 2026-02-04" in lines[0]
    assert "GeoIP2-Anonymous-IP, built 2026-02-04" in lines[1]


def test_the_check_command_fails_without_a_usable_database(
    geo: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    geo.GEOIP_PATH = "/nowhere.mmdb"
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("update_geoip", check=True)
    assert "no database" in capsys.readouterr().out
