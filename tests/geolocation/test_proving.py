"""The compiled reader only gets files whose every record has been read before."""

from datetime import UTC, datetime
from pathlib import Path

import maxminddb
import pytest
from django.core.management import CommandError, call_command
from maxminddb import MODE_MMAP
from maxminddb.reader import Reader as PythonReader
from pytest_django import Settings

from consent.geolocation import anonymous_status, locate, lookup, status
from consent.geolocation.database import Kind, UnusableDatabaseError, open_database
from consent.geolocation.proof import prove_readable
from consent.geolocation.storage import Origin, open_copy, proof_of
from consent.geolocation.watch import LOOK_EVERY_SECONDS, WatchedDatabase
from tests.geolocation.databases import TEST_DATA, MakeDatabase, database, in_country

CITY = TEST_DATA / "GeoIP2-City-Test.mmdb"
BROKEN = TEST_DATA / "GeoIP2-City-Test-Broken-Double-Format.mmdb"
KEY_COUNTRY = b"\x47country"
KEY_NUMBER = b"\xc7country"
"""The first byte says: a number of 7 bytes, where a text of 7 bytes was."""


def test_an_unproved_file_is_read_in_python(tmp_path: Path) -> None:
    opened = open_copy(Origin(CITY), kind=Kind.PLACE, folder=tmp_path / "copies")
    assert isinstance(opened.reader, PythonReader)
    assert opened.awaited_proof is not None


def test_a_proved_file_is_read_by_the_fast_reader(tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    opened = open_copy(Origin(CITY), kind=Kind.PLACE, folder=folder)
    assert opened.awaited_proof is not None
    opened.awaited_proof.touch()
    again = open_copy(Origin(CITY), kind=Kind.PLACE, folder=folder)
    assert not isinstance(again.reader, PythonReader)
    assert again.awaited_proof is None


def test_the_embedded_file_needs_no_proof_as_unpacking_is_one() -> None:
    assert status().proved


@pytest.mark.usefixtures("city_database", "own_folder")
def test_the_check_command_proves_and_running_servers_notice(geo: Settings) -> None:
    geo.GEOIP_ANONYMOUS_PATH = str(TEST_DATA / "GeoIP2-Anonymous-IP-Test.mmdb")
    before = locate("214.78.120.1")
    assert not status().proved
    call_command("update_geoip", check=True)
    for watched in (lookup._places(), lookup._anonymisers()):
        watched._next_look -= LOOK_EVERY_SECONDS
    after = anonymous_status()
    assert status().proved
    assert after is not None
    assert after.proved
    assert locate("214.78.120.1") == before


def test_the_check_command_fails_on_records_that_cannot_be_read(geo: Settings) -> None:
    geo.GEOIP_PATH = str(BROKEN)
    with pytest.raises(CommandError, match="has records that cannot be read"):
        call_command("update_geoip", check=True)
    assert not status().proved


@pytest.mark.usefixtures("city_database")
def test_without_a_folder_to_write_the_check_says_that_lookups_stay_slow(
    geo: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("a file where the folder should be")
    geo.CONSENT_DATA_DIR = occupied
    call_command("update_geoip", check=True)
    assert "Lookups stay slow" in capsys.readouterr().err
    assert locate("214.78.120.1").subdivision == "US-CA"


@pytest.mark.parametrize("name", ["GeoIP2-City", "GeoIP2-Country", "GeoLite2-City"])
def test_sound_databases_are_proved(name: str) -> None:
    prove_readable(TEST_DATA / f"{name}-Test.mmdb")


def test_an_anonymiser_database_is_proved() -> None:
    prove_readable(TEST_DATA / "GeoIP2-Anonymous-IP-Test.mmdb")


def test_a_map_whose_key_is_no_text_is_refused_before_the_fast_reader_sees_it(
    tmp_path: Path,
) -> None:
    content = database({"82.0.0.0/8": in_country("FR")})
    assert KEY_COUNTRY in content
    path = tmp_path / "number.mmdb"
    path.write_bytes(content.replace(KEY_COUNTRY, KEY_NUMBER))
    with pytest.raises(UnusableDatabaseError):
        prove_readable(path)
    opened = open_database(path, kind=Kind.PLACE, proof=tmp_path / "none")
    assert isinstance(opened.reader, PythonReader)


@pytest.mark.parametrize(
    "path", [BROKEN, TEST_DATA / "MaxMind-DB-test-broken-pointers-24.mmdb"]
)
def test_databases_damaged_on_purpose_are_refused(path: Path) -> None:
    with pytest.raises(UnusableDatabaseError):
        prove_readable(path)


def test_an_empty_database_is_refused(make_database: MakeDatabase) -> None:
    with pytest.raises(UnusableDatabaseError):
        prove_readable(make_database({}))


def test_both_readers_answer_alike() -> None:
    with (
        maxminddb.open_database(str(CITY)) as fast,
        PythonReader(str(CITY), MODE_MMAP) as slow,
    ):
        networks = [network for network, _ in fast]
        assert len(networks) > 200
        for network in networks:
            address = network.network_address
            assert fast.get(address) == slow.get(address)


def test_a_proof_goes_with_its_copy(tmp_path: Path) -> None:
    first = Path("place-1.mmdb")
    assert proof_of(first) == Path("place-1.proved")


def test_another_content_needs_another_proof(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    path = make_database({"82.0.0.0/8": in_country("FR")})
    now = [1000.0]
    watched = WatchedDatabase(
        find=lambda: Origin(path),
        kind=Kind.PLACE,
        folder=tmp_path / "copies",
        clock=lambda: now[0],
    )
    opened = watched.current()
    assert opened is not None
    assert opened.awaited_proof is not None
    opened.awaited_proof.touch()
    path.write_bytes(
        database(
            {"82.0.0.0/8": in_country("BR")}, built=datetime(2026, 7, 1, tzinfo=UTC)
        )
    )
    now[0] += LOOK_EVERY_SECONDS
    replaced = watched.current()
    assert replaced is not None
    assert replaced.awaited_proof not in {None, opened.awaited_proof}
