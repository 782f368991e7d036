"""Where open copies live, and that a server without any folder still locates."""

import os
import tempfile
import time
from pathlib import Path

import pytest
from pytest_django import Settings

from consent.geolocation import locate, status
from consent.geolocation.database import Kind
from consent.geolocation.storage import Origin, open_copy
from tests.geolocation.databases import MakeDatabase, database, in_country

FRANCE = {"82.0.0.0/8": in_country("FR")}


def copies(folder: Path) -> list[Path]:
    return sorted(folder.glob("place-*"))


def test_processes_share_one_copy_named_by_content(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    folder = tmp_path / "copies"
    for name in ("one.mmdb", "two.mmdb"):
        origin = Origin(make_database(FRANCE, name=name))
        open_copy(origin, kind=Kind.PLACE, folder=folder)
    assert len(copies(folder)) == 1


def test_former_copies_are_deleted_but_not_those_still_being_opened(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    folder = tmp_path / "copies"
    path = make_database(FRANCE)
    open_copy(Origin(path), kind=Kind.PLACE, folder=folder)
    [first] = copies(folder)
    path.write_bytes(database({"82.0.0.0/8": in_country("BR")}))
    open_copy(Origin(path), kind=Kind.PLACE, folder=folder)
    assert len(copies(folder)) == 2
    long_ago = time.time() - 7200
    os.utime(first, (long_ago, long_ago))
    open_copy(Origin(path), kind=Kind.PLACE, folder=folder)
    assert len(copies(folder)) == 1
    assert not first.exists()


def test_a_spoilt_copy_is_written_again(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    folder = tmp_path / "copies"
    origin = Origin(make_database(FRANCE))
    open_copy(origin, kind=Kind.PLACE, folder=folder)
    [copy] = copies(folder)
    copy.unlink()
    copy.write_bytes(b"spoilt")
    opened = open_copy(origin, kind=Kind.PLACE, folder=folder)
    assert opened.edition == "Made-City"


def test_a_data_folder_that_cannot_be_made_leaves_a_temporary_copy(
    geo: Settings, tmp_path: Path
) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("a file where the folder should be")
    geo.CONSENT_DATA_DIR = occupied
    assert locate("82.64.0.1").country == "FR"
    assert status().problem is None


def test_without_any_place_to_write_the_copy_lives_in_memory(
    geo: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("a file where the folder should be")
    geo.CONSENT_DATA_DIR = occupied
    monkeypatch.setattr(tempfile, "tempdir", str(occupied))
    assert locate("82.64.0.1").country == "FR"
    assert locate("2003::1").country == "DE"
    assert status().problem is None


def test_the_data_folder_is_private(own_folder: Path) -> None:
    locate("82.64.0.1")
    assert own_folder.stat().st_mode & 0o077 == 0
