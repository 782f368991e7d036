"""A database that is replaced, damaged or mended while the server runs."""

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from consent.geolocation import locate, status
from consent.geolocation.address import visitor_address
from consent.geolocation.database import Kind
from consent.geolocation.record import place_in
from consent.geolocation.storage import Origin, Stamp
from consent.geolocation.watch import LOOK_EVERY_SECONDS, WatchedDatabase
from tests.geolocation.databases import TEST_DATA, MakeDatabase, database, in_country

ADDRESS = "82.64.0.1"


class HandClock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def wait(self) -> None:
        self.seconds += LOOK_EVERY_SECONDS


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def path(make_database: MakeDatabase) -> Path:
    return make_database({"82.0.0.0/8": in_country("FR")}, name="watched.mmdb")


@pytest.fixture
def watched(path: Path, tmp_path: Path, clock: HandClock) -> WatchedDatabase:
    return WatchedDatabase(
        find=lambda: Origin(path),
        kind=Kind.PLACE,
        folder=tmp_path / "copies",
        clock=clock,
    )


def country(watched: WatchedDatabase) -> str | None:
    database, address = watched.current(), visitor_address(ADDRESS)
    assert address is not None
    return place_in(database.find(address)).country if database else None


def rename_over(path: Path, content: bytes) -> None:
    aside = path.with_suffix(".new")
    aside.write_bytes(content)
    aside.replace(path)


def write_into(path: Path, content: bytes) -> None:
    path.write_bytes(content)


@pytest.mark.parametrize("replace", [rename_over, write_into])
def test_a_new_file_is_followed_within_a_second(
    watched: WatchedDatabase,
    path: Path,
    clock: HandClock,
    replace: Callable[[Path, bytes], None],
) -> None:
    assert country(watched) == "FR"
    replace(path, database({"82.0.0.0/8": in_country("BR")}))
    assert country(watched) == "FR"
    clock.wait()
    assert country(watched) == "BR"


def test_a_file_cut_short_under_a_running_server_does_not_end_it(
    watched: WatchedDatabase, path: Path, clock: HandClock
) -> None:
    shutil.copy(TEST_DATA / "GeoIP2-City-Test.mmdb", path)
    assert watched.current() is not None
    os.truncate(path, 0)
    assert country(watched) is None
    clock.wait()
    assert watched.current() is None


def test_a_bad_file_is_warned_of_once_and_good_again_when_mended(
    watched: WatchedDatabase,
    path: Path,
    clock: HandClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    good = path.read_bytes()
    assert country(watched) == "FR"
    rename_over(path, b"bad")
    for _ in range(3):
        clock.wait()
        assert country(watched) is None
    assert len(caplog.records) == 1
    assert "watched.mmdb is damaged" in str(watched.problem)
    rename_over(path, good)
    clock.wait()
    assert country(watched) == "FR"
    assert watched.problem is None


def test_a_file_taken_away_is_no_database_and_is_found_when_it_is_back(
    watched: WatchedDatabase, path: Path, clock: HandClock
) -> None:
    assert country(watched) == "FR"
    away = path.rename(path.with_suffix(".away"))
    clock.wait()
    assert country(watched) is None
    away.rename(path)
    clock.wait()
    assert country(watched) == "FR"


def test_a_changed_time_or_link_alone_changes_no_answer(
    watched: WatchedDatabase, path: Path, clock: HandClock
) -> None:
    assert country(watched) == "FR"
    os.utime(path)
    clock.wait()
    assert country(watched) == "FR"


def test_many_threads_see_one_database_or_the_next_and_never_an_error(
    watched: WatchedDatabase, path: Path, clock: HandClock
) -> None:
    contents = [database({"82.0.0.0/8": in_country(code)}) for code in ("FR", "BR")]
    seen: list[str | None] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            seen.append(country(watched))

    assert country(watched) == "FR"
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(20):
        rename_over(path, contents[turn % 2])
        clock.wait()
    stop.set()
    for thread in threads:
        thread.join()
    assert set(seen) <= {"FR", "BR"}
    assert len(seen) > 20


def test_a_file_that_never_stands_still_is_left_for_the_next_look(
    watched: WatchedDatabase,
    path: Path,
    clock: HandClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert country(watched) == "FR"
    rename_over(path, database({"82.0.0.0/8": in_country("BR")}))
    stamp = Origin.stamp

    def restless(origin: Origin) -> Stamp:
        os.utime(origin.path)
        return stamp(origin)

    with monkeypatch.context() as changing:
        changing.setattr(Origin, "stamp", restless)
        clock.wait()
        assert country(watched) == "FR"
    clock.wait()
    assert country(watched) == "BR"


def test_a_failing_reload_in_one_thread_leaves_no_lock_behind(
    watched: WatchedDatabase, path: Path, clock: HandClock
) -> None:
    path.unlink()
    assert country(watched) is None
    clock.wait()
    assert country(watched) is None


def test_locate_follows_the_real_clock(geo: Settings, path: Path) -> None:
    geo.GEOIP_PATH = str(path)
    assert locate(ADDRESS).country == "FR"
    rename_over(path, database({"82.0.0.0/8": in_country("BR")}))
    threading.Event().wait(LOOK_EVERY_SECONDS + 0.05)
    assert locate(ADDRESS).country == "BR"


def test_a_fetched_database_takes_over_from_the_embedded_one(own_folder: Path) -> None:
    assert status().embedded
    fetched = own_folder / "fetched.mmdb"
    fetched.write_bytes(database({"82.0.0.0/8": in_country("BR")}))
    threading.Event().wait(LOOK_EVERY_SECONDS + 0.05)
    assert not status().embedded
    assert locate(ADDRESS).country == "BR"
