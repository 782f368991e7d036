"""Nothing that was answered is lost, whichever process is killed at whatever moment."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

ROOT = Path(__file__).parent.parent.parent
KILLS = 240


@pytest.fixture
def database(tmp_path: Path, transactional_db: None) -> Iterator[str]:
    """The address of an empty database of its own, of the kind in use."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path}/db.sqlite3"
        return
    name = f"kills_{os.getpid()}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_hundreds_of_kills_lose_nothing_and_leave_no_gap(database: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.kills", "--kills", str(KILLS)],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["wrong"] == []
    assert report["database"] == connection.vendor
    assert report["points"] >= 15  # statements and commits of a choice and its seal
    assert report["kills"] >= KILLS + 2 * report["points"] - 10
    assert report["answered"] >= KILLS / 8  # few on a slow machine, never none
    assert report["entries"] >= report["answered"]
