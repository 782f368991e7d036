"""The product as it is served: a real process, to be asked and to be killed."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


class Server:
    """The product in a process and a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "db.sqlite3"
        self.environment = {
            **os.environ,
            "CONSENT_DATA_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{self.database}?conn_max_age=0",
            "DEBUG": "1",
            "DJANGO_SETTINGS_MODULE": "settings",
        }
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def prepare(self) -> None:
        self.manage("prepare_demo")

    def manage(self, *command: str, given: str | None = None) -> str:
        """What a command of the product's prints; it must go well."""
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
        address = ["--host", "127.0.0.1", "--port", str(self.port)]
        process = subprocess.Popen(
            [*granian, *address, "--log-level", "error", "settings.wsgi:application"],
            cwd=ROOT,
            env=self.environment,
            start_new_session=True,
        )
        try:
            self._wait()
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)

    def _wait(self) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                if self.ask("GET", "/healthz")[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)
        pytest.fail("the server did not start")

    def ask(
        self, method: str, path: str, content: Any = None, **more: str
    ) -> tuple[int, Any]:
        """Status and JSON of an answer, asked on a connection of its own."""
        there = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
        headers |= more
        data = None if content is None else json.dumps(content)
        try:
            there.request(method, path, data, headers)
            response = there.getresponse()
            text = response.read().decode()
        finally:
            there.close()
        is_json = "json" in (response.getheader("Content-Type") or "")
        return response.status, json.loads(text) if is_json else text
