"""`make run` on machines that have little, in throw-away folders.

Each machine is made of a PATH with a handful of programs, a home folder with nothing in
it, and a Python that is a copy of the one running here, with or without pip.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import bootstrap

pytestmark = [pytest.mark.toolchain, pytest.mark.xdist_group("toolchain")]

PROGRAMS = ("sh", "make", "git", "echo")
ONE_START = 300


@dataclass
class Machine:
    """A checkout, and what there is around it."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def checkout(self) -> Path:
        return self.home / "checkout"

    def make(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", *words],
            cwd=self.checkout,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=ONE_START,
            check=False,
        )

    @contextmanager
    def serving(self) -> Iterator["Served"]:
        """`make run` on a free port, until the end of the block."""
        port = bootstrap.unused_port()
        printed = self.home / f"printed-{port}"
        with printed.open("wb") as output:
            process = subprocess.Popen(
                ["make", "run", f"PORT={port}"],
                cwd=self.checkout,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield Served(f"http://127.0.0.1:{port}/", printed, process)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            process.wait(30)


@dataclass
class Served:
    """A demo that is starting or has started."""

    address: str
    printed: Path
    process: subprocess.Popen[bytes]

    def says(self) -> str:
        return self.printed.read_text()

    def status(self) -> int:
        """The status of the home page, asked for until there is a server."""
        until = time.monotonic() + ONE_START
        while self.process.poll() is None and time.monotonic() < until:
            try:
                with urllib.request.urlopen(self.address, timeout=10) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                return error.code
            except OSError:
                time.sleep(0.1)
        return 0


def put_checkout(folder: Path) -> None:
    """A copy of the project as git would hand it on, without what was built here."""
    for name in bootstrap.sources("*"):
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(bootstrap.ROOT / name, copy, follow_symlinks=False)


def copy_python(prefix: Path) -> Path:
    """A Python with its standard library and nothing else: no pip, no packages."""
    base, version = Path(sys.base_prefix), f"python{sys.version_info[0]}"
    library = f"{version}.{sys.version_info[1]}"
    unwanted = shutil.ignore_patterns(
        "site-packages", "test", "config-*", "__pycache__"
    )
    shutil.copytree(
        base / "lib" / library, prefix / "lib" / library, ignore=unwanted, symlinks=True
    )
    for shared in (base / "lib").glob("libpython*"):
        shutil.copy2(shared, prefix / "lib", follow_symlinks=False)
    (prefix / "bin").mkdir()
    shutil.copy2(base / "bin" / library, prefix / "bin" / library)
    (prefix / "bin" / "python3").symlink_to(library)
    (prefix / "lib" / library / "site-packages").mkdir()
    return prefix / "bin" / "python3"


def told_by(python: Path, *words: str) -> str:
    """What pip under that Python has to object."""
    command = [python, "-m", "pip", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def standard_library(python: Path) -> Path:
    return next(python.parent.parent.glob("lib/python3.*"))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with `make` and git, and neither Python nor uv."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in PROGRAMS:
        found = shutil.which(name)
        assert found
        (programs / name).symlink_to(found)
    made = Machine(tmp_path)
    put_checkout(made.checkout)
    kept = ("LANG", "SSL_CERT_FILE", "http_proxy", "https_proxy", "no_proxy")
    made.environment = {
        **{name: os.environ[name] for name in kept if name in os.environ},
        **{name: os.environ[name] for name in os.environ if name.startswith("PIP_")},
        "HOME": str(tmp_path),
        "PATH": str(programs),
        # What was downloaded before is not downloaded again.
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
    }
    return made


def put_stand_ins(machine: Machine) -> None:
    """Programs that come first on PATH and answer 127, as a version manager's do."""
    folder = machine.home / "shims"
    folder.mkdir()
    for name in ("python3", "python3.13", "python", "uv"):
        stand_in = folder / name
        stand_in.write_text("#!/bin/sh\nexit 127\n")
        stand_in.chmod(0o755)
    machine.environment["PATH"] = f"{folder}:{machine.environment['PATH']}"


@pytest.fixture
def bare_python(machine: Machine) -> Path:
    """A Python without pip, put on the machine."""
    if not (Path(sys.base_prefix) / "lib").is_dir():
        pytest.skip("this Python is not laid out as one that can be copied")
    python = copy_python(machine.home / "python")
    (machine.home / "bin" / "python3").symlink_to(python)
    return python


def serves_and_keeps_what_it_has(machine: Machine) -> None:
    """Start twice: the second time nothing is installed, and nothing is lost."""
    with machine.serving() as first:
        assert first.status() == 200, first.says()
    assert "Installing requirements" in first.says()
    kept = [machine.checkout / "var/db.sqlite3", machine.checkout / ".venv/pyvenv.cfg"]
    identities = [path.stat().st_ino for path in kept]

    with machine.serving() as second:
        assert second.status() == 200, second.says()
    assert "Installing" not in second.says()
    assert "Building" not in second.says()
    assert [path.stat().st_ino for path in kept] == identities


def test_make_run_with_uv_present(machine: Machine, bare_python: Path) -> None:
    uv = bootstrap.find_uv()
    if uv is None:
        pytest.skip("no uv on this machine")
    (machine.home / "bin" / "uv").symlink_to(uv)
    serves_and_keeps_what_it_has(machine)
    assert not (machine.checkout / ".tools").exists()


def test_make_run_with_an_externally_managed_python(
    machine: Machine, bare_python: Path
) -> None:
    subprocess.run([bare_python, "-m", "ensurepip"], check=True, capture_output=True)
    marker = standard_library(bare_python) / "EXTERNALLY-MANAGED"
    marker.write_text("[externally-managed]\nError=Leave this Python alone.\n")
    assert "externally-managed" in told_by(bare_python, "install", "polib")
    packages = standard_library(bare_python) / "site-packages"
    before = sorted(path.name for path in packages.iterdir())

    serves_and_keeps_what_it_has(machine)

    assert sorted(path.name for path in packages.iterdir()) == before


def test_make_run_without_any_pip_behind_stand_ins_that_do_not_start(
    machine: Machine, bare_python: Path
) -> None:
    assert "No module named pip" in told_by(bare_python)
    put_stand_ins(machine)

    serves_and_keeps_what_it_has(machine)


def test_a_python_that_cannot_build_an_environment_is_said_in_one_sentence(
    machine: Machine, bare_python: Path
) -> None:
    shutil.rmtree(standard_library(bare_python) / "ensurepip")

    ended = machine.make("run")

    assert ended.returncode != 0
    (sentence,) = [line for line in ended.stderr.splitlines() if "install uv" in line]
    assert "cannot build a virtual environment" in sentence
    assert "Traceback" not in ended.stderr
    assert not (machine.checkout / ".venv").exists()


def test_no_python_at_all_is_said_in_one_sentence(machine: Machine) -> None:
    ended = machine.make("run")

    assert ended.returncode != 0
    assert "No Python found: install Python 3.13" in ended.stderr


def test_a_taken_port_is_said_in_one_sentence_before_anything_is_built(
    machine: Machine, bare_python: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        ended = machine.make("run", f"PORT={port}")

    assert ended.returncode != 0
    assert f"Port {port} is taken" in ended.stderr
    assert "make run PORT=" in ended.stderr
    assert not (machine.checkout / ".venv").exists()
    assert not (machine.checkout / "var").exists()


@pytest.mark.parametrize("port", ["eighty", "0", "65536", "-1"])
def test_a_port_that_is_none_is_said_in_one_sentence(
    machine: Machine, bare_python: Path, port: str
) -> None:
    ended = machine.make("run", f"PORT={port}")

    assert ended.returncode != 0
    assert f"PORT={port} is no port" in ended.stderr


def test_a_wish_for_an_unsupported_python_is_refused(
    machine: Machine, bare_python: Path
) -> None:
    ended = machine.make("run", "UV_PYTHON=3.9")

    assert ended.returncode != 0
    assert "UV_PYTHON=3.9 is no Python 3.12" in ended.stderr


def test_help_names_every_command(machine: Machine) -> None:
    printed = machine.make("help").stdout

    for command in bootstrap.COMMANDS:
        assert f"make {command} " in printed
