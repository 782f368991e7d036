"""What goes on beside the requests: sweeping, in a server and in a worker."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError

from consent import background, keys, ledger
from consent.background import Chore
from consent.models import Checkpoint, Site, Waiting
from tests.logs import another_site, write

ROOT = Path(__file__).parent.parent


def test_the_sweep_seals_every_site(site: Site) -> None:
    write(site, 2)
    write(another_site(), 3)
    background.sweep()
    assert not Waiting.objects.exists()
    assert {c.site.slug for c in Checkpoint.objects.all()} == {"default", "shop"}


def test_a_site_that_cannot_be_sealed_keeps_no_other_waiting(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.seal(site=site)
    for path in ledger.kept.folder(site, 1).iterdir():
        path.write_text("damaged", encoding="utf-8")
    write(site, 1)
    shop = another_site()
    write(shop, 1)
    with caplog.at_level(logging.ERROR):
        background.sweep()
        background.sweep()
    assert {row.site for row in Waiting.objects.all()} == {site}
    assert caplog.text.count("The log of default could not be sealed.") == 1


@pytest.mark.parametrize("host", ["shop+1.example.org", "a shop.example.org"])
def test_a_log_that_cannot_be_named_keeps_no_other_waiting(
    site: Site, host: str
) -> None:
    write(another_site(hosts=[host]), 1)
    write(site, 1)
    background.sweep()
    assert {row.site.slug for row in Waiting.objects.all()} == {"shop"}


def test_a_chore_that_fails_is_told_of_once_and_tried_until_it_is_done(
    caplog: pytest.LogCaptureFixture, transactional_db: None
) -> None:
    stop, turns = Event(), []

    def work() -> None:
        turns.append("turn")
        if len(turns) < 4:
            raise OperationalError("down")
        stop.set()

    other: list[str] = []
    with caplog.at_level(logging.WARNING):
        background.run(
            (
                Chore("one", 0.001, work),
                Chore("other", 0.001, lambda: other.append("turn")),
            ),
            stop,
        )
    assert len(turns) == 4
    assert len(other) >= 3
    assert caplog.text.count("Not done: one.") == 1
    assert caplog.text.count("Done again: one.") == 1


def test_a_worker_does_everything_once_when_asked_to(site: Site) -> None:
    write(site, 2)
    call_command("run_worker", "--once")
    assert not Waiting.objects.exists()


# --- in processes of their own --------------------------------------------------------


@pytest.fixture
def installation(tmp_path: Path) -> dict[str, str]:
    """The settings of an installation with a site on which three entries wait."""
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "CONSENT_DATA_DIR": str(tmp_path / "data"),
        "CONSENT_SIGNING_KEY": keys.new_key(),
        "DEBUG": "1",
        "DJANGO_SETTINGS_MODULE": "settings",
    }
    prepared = python(
        environment,
        "from django.core.management import call_command as call;"
        "call('migrate', verbosity=0);"
        "from tests.logs import another_site, write;"
        "write(another_site(), 3)",
        CONSENT_SEAL="worker",
    )
    assert prepared.wait(60) == 0
    return environment


def python(environment: dict[str, str], code: str, **more: str) -> Any:
    setup = "import django; django.setup();"
    return subprocess.Popen(
        [sys.executable, "-c", setup + code], cwd=ROOT, env={**environment, **more}
    )


def waiting(environment: dict[str, str]) -> int:
    """How many entries wait in an installation's database, read from outside."""
    code = (
        "from consent.models import Waiting; raise SystemExit(Waiting.objects.count())"
    )
    return python(environment, code).wait(60)


def swept(environment: dict[str, str]) -> bool:
    patience = time.monotonic() + 30
    while time.monotonic() < patience:
        if waiting(environment) == 0:
            return True
    return False


@pytest.fixture
def worker(installation: dict[str, str]) -> Iterator[Any]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run_worker"],
        cwd=ROOT,
        env={**installation, "CONSENT_SEAL": "worker"},
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def test_a_worker_seals_what_others_wrote_and_stops_when_told(
    installation: dict[str, str], worker: Any
) -> None:
    assert waiting(installation) in {0, 3}
    assert swept(installation)
    worker.send_signal(signal.SIGTERM)
    said, _nothing = worker.communicate(timeout=30)
    assert worker.returncode == 0
    assert said.splitlines()[-1] == "Stopped."


@pytest.mark.parametrize(("how", "left"), [("inline", 0), ("worker", 3)])
def test_a_server_sweeps_up_what_a_killed_one_left_where_it_seals_inline(
    installation: dict[str, str], how: str, left: int
) -> None:
    server = python(
        installation, "import settings.wsgi, time; time.sleep(4)", CONSENT_SEAL=how
    )
    assert server.wait(60) == 0
    assert waiting(installation) == left


def test_a_demo_whose_database_was_removed_begins_another_log(
    tmp_path: Path,
) -> None:
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "CONSENT_DATA_DIR": str(tmp_path / "data"),
        "DEBUG": "1",
    }

    def prepare() -> None:
        subprocess.run(
            [sys.executable, "manage.py", "prepare_demo"],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
            timeout=120,
        )

    prepare()
    for path in (tmp_path / "data").glob("db.sqlite3*"):
        path.unlink()
    prepare()
    assert waiting({**environment, "DJANGO_SETTINGS_MODULE": "settings"}) == 0
    folder = tmp_path / "data" / "checkpoints" / "default"
    assert sorted(path.name for path in folder.iterdir()) == ["1", "2"]
