"""Checkpoints, and everybody who could vouch for one."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from aics_tlog import parse_vkey
from aics_witness import LogConfig, Witness, WitnessStore, make_server
from django.test import Client
from pytest_django import Settings

from consent.models import Checkpoint, Site
from tests.anchors.asking import KEY, NAME, VKEY, keys, sealed
from tests.anchors.authority import Authority
from tests.anchors.servers import Answer, served
from tests.visits import ALL, choose

type Serve = Callable[[AbstractContextManager[Any]], Any]


@pytest.fixture(autouse=True)
def _this_machine_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of whoever runs the tests does not stand in between."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Run servers until the test is over."""
    with ExitStack() as servers:
        yield servers.enter_context


@pytest.fixture
def believe(settings: Settings, tmp_path: Path) -> Callable[[bytes, str], None]:
    """Ask an authority under an address, and believe a root certificate."""

    def set_both(pem: bytes, url: str) -> None:
        (tmp_path / "root.pem").write_bytes(pem)
        settings.CONSENT_TIMESTAMP_URL = url
        settings.CONSENT_TIMESTAMP_CA = str(tmp_path / "root.pem")

    return set_both


@pytest.fixture
def authority(serve: Serve, believe: Any) -> Callable[..., Authority]:
    """Start an authority that the settings name: `authority(status=2)`."""

    def start(**wrong: Any) -> Authority:
        made = Authority(**wrong)
        believe(made.pem, serve(served(made.over_http)))
        return made

    return start


@pytest.fixture
def stamping(serve: Serve, believe: Any) -> Callable[[Answer], None]:
    """Set an authority that answers in any other way."""
    return lambda answer: believe(Authority().pem, serve(served(answer)))


@pytest.fixture
def checkpoint(site: Site, parisian: Client) -> Checkpoint:
    """The log has begun: a witness can be told its origin and key."""
    choose(parisian, ALL)
    return sealed(site)


@contextmanager
def _running(witness: Witness) -> Iterator[str]:
    server = make_server(witness)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def witness(
    site: Site, checkpoint: Checkpoint, settings: Settings, tmp_path: Path
) -> Iterator[Witness]:
    """A witness that knows the log, and that the settings name."""
    (log_key,) = keys(site)
    known = LogConfig.from_strings(parse_vkey(log_key).name, [log_key])
    with WitnessStore(tmp_path / "witness.db", create=True) as store:
        made = Witness(NAME, KEY, store, [known])
        with _running(made) as url:
            settings.CONSENT_WITNESSES = [{"url": url, "key": VKEY}]
            yield made


@pytest.fixture
def witnessing(serve: Serve, settings: Settings) -> Callable[[Answer], None]:
    """Set a witness that answers in any other way."""

    def start(answer: Answer) -> None:
        settings.CONSENT_WITNESSES = [{"url": serve(served(answer)), "key": VKEY}]

    return start
