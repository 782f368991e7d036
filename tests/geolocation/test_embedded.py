"""The geo database that comes with the product."""

from pathlib import Path

import geoip2.database
import pytest
from django.core.management import CommandError, call_command

from consent.core.jurisdictions import Source
from consent.geolocation import locate, status
from consent.geolocation.build import SAMPLES
from consent.geolocation.lookup import EMBEDDED


@pytest.mark.parametrize(("address", "country"), SAMPLES.items())
def test_well_known_addresses_are_found(address: str, country: str) -> None:
    found = locate(address)
    assert (found.country, found.source) == (country, Source.GEOIP)
    assert (found.subdivision, found.anonymous) == (None, False)


def test_where_the_sources_disagree_both_countries_are_named() -> None:
    found = locate("2001:4860:4860::8888")
    assert (found.country, found.also) == ("US", ("CA",))


def test_mapped_addresses_and_6to4_are_found_by_any_reader(own_folder: Path) -> None:
    locate("82.64.0.1")
    [copy] = own_folder.glob("place-*")
    with geoip2.database.Reader(copy) as reader:
        for address in ("82.64.0.1", "::ffff:82.64.0.1", "2002:5240:1::1"):
            assert reader.country(address).country.iso_code == "FR"


def test_it_is_used_when_nothing_is_configured() -> None:
    state = status()
    assert state.embedded
    assert state.edition == "Consent-Country"
    assert state.problem is None
    assert locate("82.64.0.1").database == f"Consent-Country {state.built}"


def test_its_attribution_links_to_its_sources() -> None:
    state = status()
    assert "IP Geolocation by DB-IP" in state.attribution
    assert "nro.net" in state.attribution
    assert state.attribution_url == "https://db-ip.com"


def test_it_is_small_enough_to_be_committed() -> None:
    assert EMBEDDED.stat().st_size < 3_000_000


def test_it_is_unpacked_once(own_folder: Path) -> None:
    locate("82.64.0.1")
    assert [path.suffix for path in own_folder.iterdir()] == [".mmdb"]


def test_its_check_command_passes(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("build_geoip", check=True)
    assert "knows the well-known addresses" in capsys.readouterr().out


def test_its_check_command_fails_on_another_file(tmp_path: Path) -> None:
    other = tmp_path / "other.mmdb.xz"
    other.write_bytes(b"something else")
    with pytest.raises(CommandError, match="is not right"):
        call_command("build_geoip", check=True, output=other)
