"""The PostgreSQL that `make test` starts for itself."""

import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

import bootstrap

pytestmark = pytest.mark.toolchain

SERVERS = {
    "wheel" if bootstrap.ENVIRONMENT in programs.parents else "found": programs
    for programs in bootstrap.postgres_servers()
}


@pytest.mark.parametrize("origin", SERVERS)
def test_a_scratch_server_serves_and_leaves_nothing(
    origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.setattr(bootstrap, "postgres_servers", lambda: [SERVERS[origin]])

    with bootstrap.postgres() as url, psycopg.connect(url) as connection:
        version = connection.info.server_version // 10_000
        (folder,) = connection.execute("SHOW data_directory").fetchone()
        (durable,) = connection.execute("SHOW synchronous_commit").fetchone()
        assert Path(folder).parent.stat().st_mode & 0o077 == 0

    assert version >= bootstrap.OLDEST_POSTGRES
    assert durable == "on"
    assert not Path(folder).parent.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)


def test_a_server_that_does_not_start_makes_way_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    servers = [tmp_path / "broken", *SERVERS.values()]
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.setattr(bootstrap, "postgres_servers", lambda: servers)

    with bootstrap.postgres() as url:
        psycopg.connect(url).close()

    assert f"PostgreSQL in {servers[0]} did not start:" in capsys.readouterr().out


def test_a_machine_without_any_server_is_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.setattr(bootstrap, "postgres_servers", list)

    with bootstrap.postgres() as url:
        assert url is None


def test_the_server_stops_when_the_command_is_told_to_stop() -> None:
    script = (
        "import bootstrap, psycopg, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
        "with bootstrap.postgres() as url:\n"
        "    print(url, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=bootstrap.ROOT, stdout=subprocess.PIPE
    ) as command:
        url = command.stdout.readline().decode().strip()
        psycopg.connect(url).close()
        command.send_signal(signal.SIGTERM)
        assert command.wait(30) == 143
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)


def test_a_given_database_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", "postgres://somewhere/else")

    with bootstrap.postgres() as url:
        assert url == "postgres://somewhere/else"
