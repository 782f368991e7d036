"""What the ledger costs: appending, sealing, proving, verifying, exporting.

    python -m benchmarks.ledger --entries 1000000 [--database sqlite|postgres]

On a scratch database that is removed afterwards. Each figure is printed with what it is
held against; times do not travel between machines, ratios and growth do. Nothing is
vacuumed or analyzed in between, but for what sealing clears away itself, and what the
server's autovacuum does in its own time.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
# How often each way to insert is measured, and how many rows each time.
_ROUNDS = 15
_TIMES = 100
# Runs a command from a small process: what begins another counts for that one's memory.
_WATCHED = (
    "import resource, subprocess, sys; "
    "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)
GOALS = {
    "append, of a bare insert": 0.5,
    "append, of a bare insert in a transaction": 0.5,
    "append without Python, of a bare insert": 0.5,
    "sealed per second": 20_000,
    "verified per second": 100_000,
    "verified with signatures per second": 15_000,
}


@contextmanager
def database(kind: str, folder: str) -> Iterator[str]:
    """The address of an empty database of a kind."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/db.sqlite3"
        return
    sys.path.insert(0, str(ROOT))
    import bootstrap  # noqa: PLC0415 - only this one needs it

    with bootstrap.postgres() as url:
        if url is None:
            raise SystemExit("No PostgreSQL server was found.")
        yield url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--database", choices=("sqlite", "postgres"), action="append")
    parser.add_argument("--unsigned", action="store_true", help="fill quicker")
    parser.add_argument("--inner", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inner:
        sys.stdout.write(json.dumps(_measured(options.entries, not options.unsigned)))
        return
    for kind in options.database or ["sqlite", "postgres"]:
        with (
            tempfile.TemporaryDirectory(prefix="consent-bench-") as folder,
            database(kind, folder) as url,
        ):
            _show(kind, _run(folder, url, options))


def _run(folder: str, url: str, options: argparse.Namespace) -> dict[str, Any]:
    environment = {
        **os.environ,
        "CONSENT_DATA_DIR": folder,
        "CONSENT_SEAL": "worker",
        "CONSENT_SIGNING_KEY": "YmVuY2htYXJrcyBvZiB0aGUgbGVkZ2VyLCAzMiBiLi4=",
        "DATABASE_URL": url,
        "DEBUG": "0",
        "DJANGO_SETTINGS_MODULE": "settings",
    }
    command = [sys.executable, "-m", "benchmarks.ledger", "--inner"]
    command += ["--entries", str(options.entries)]
    command += ["--unsigned"] if options.unsigned else []
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE
    )
    return json.loads(done.stdout)


def _show(kind: str, figures: dict[str, Any]) -> None:
    sys.stdout.write(f"\n{kind}, {figures['entries']:,} entries\n")
    for name, value in figures.items():
        goal = f"   goal {GOALS[name]:,}" if name in GOALS else ""
        sys.stdout.write(f"  {name:44}{value:>14,}{goal}\n")


# --- in a process with that database --------------------------------------------------


def _measured(entries: int, signed: bool) -> dict[str, Any]:
    import django  # noqa: PLC0415 - after the settings are known

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from benchmarks.filling import fill  # noqa: PLC0415
    from consent import publication  # noqa: PLC0415
    from consent.management.demo_site import POLICY, SITE  # noqa: PLC0415
    from consent.models import Site  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    site = Site.objects.create(**SITE)
    publication.publish(site=site, document=POLICY, at=timezone.now(), by=None)
    here = publication.by_slug(site.slug)
    assert here is not None
    figures: dict[str, Any] = {"entries": entries}

    def found(more: dict[str, Any]) -> None:
        # A long run that is stopped has not been for nothing.
        figures.update(more)
        sys.stderr.write("".join(f"  {name}: {more[name]:,}\n" for name in more))

    found(_appending(here))
    begin = time.perf_counter()
    fill(here, entries, signed=signed)
    found({"seconds to fill": round(time.perf_counter() - begin, 1)})
    found(_sealing(site))
    found(_sealing_at_once(here))
    found(_proving(site))
    found(_command("verified", entries, "verify_ledger"))
    if signed:
        name = "verified with signatures"
        found(_command(name, entries, "verify_ledger", "--signatures"))
    with tempfile.TemporaryDirectory() as folder:
        out = ("--site", site.slug, "--out", f"{folder}/out")
        found(_command("exported", entries, "export_ledger", *out))
    return figures


def _appending(here: Any) -> dict[str, Any]:
    """An anonymous choice's entry, in turns with one bare row by the same driver."""
    from django.db import connection, transaction  # noqa: PLC0415

    from benchmarks.filling import one  # noqa: PLC0415
    from consent import ledger  # noqa: PLC0415
    from consent.core.record import canonical_bytes  # noqa: PLC0415

    kind = "uuid" if connection.vendor == "postgresql" else "char(32)"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bare (id {kind} PRIMARY KEY, body text)")
    connection.ensure_connection()
    driver = connection.connection
    mark = "%s" if connection.vendor == "postgresql" else "?"
    statement = f"INSERT INTO bare VALUES ({mark}, {mark})"
    records = [one(here) for _ in range(2 * _ROUNDS * _TIMES + 1)]
    body = canonical_bytes(records[0][0]).decode()

    def row() -> tuple[Any, str]:
        number = uuid.uuid4()
        return (number if kind == "uuid" else number.hex), body

    def bare() -> None:
        driver.execute(statement, row())

    def in_transaction() -> None:
        with transaction.atomic():
            driver.execute(statement, row())

    def append() -> None:
        record, owner = records.pop()
        ledger.append(site=here.site, entry=record, owner=owner)

    append()
    alone = _statements(append, len(records) // 2)

    def without_python() -> None:
        driver.execute(*alone.pop())

    times = _in_turns([bare, in_transaction, append, without_python])
    return {
        "append, microseconds": round(times[append] * 1e6),
        "append, of a bare insert": round(times[bare] / times[append], 2),
        "append, of a bare insert in a transaction": round(
            times[in_transaction] / times[append], 2
        ),
        "append without Python, of a bare insert": round(
            times[bare] / times[without_python], 2
        ),
    }


def _statements(append: Callable[[], None], count: int) -> list[tuple[str, Any]]:
    """What appending would have the driver execute: what it costs at the least."""
    from django.db import connection  # noqa: PLC0415

    found: list[tuple[str, Any]] = []

    def keep(_execute: Any, statement: str, values: Any, *_rest: Any) -> None:
        mark = "%s" if connection.vendor == "postgresql" else "?"
        found.append((statement.replace("%s", mark), values))

    with connection.execute_wrapper(keep):
        for _ in range(count):
            append()
    return found


def _in_turns(works: list[Callable[[], None]]) -> dict[Callable[[], None], float]:
    """The median seconds of each, measured in interleaved rounds."""
    found: dict[Callable[[], None], list[float]] = {work: [] for work in works}
    for _ in range(_ROUNDS):
        for work in works:
            begin = time.perf_counter()
            for _ in range(_TIMES):
                work()
            found[work].append((time.perf_counter() - begin) / _TIMES)
    return {work: statistics.median(seconds) for work, seconds in found.items()}


def _sealing(site: Any) -> dict[str, Any]:
    from consent import ledger  # noqa: PLC0415

    begin = time.perf_counter()
    sealed = ledger.seal(site=site)
    assert sealed is not None
    seconds = time.perf_counter() - begin
    return {"sealed per second": round(sealed.entries / seconds)}


def _sealing_at_once(here: Any) -> dict[str, Any]:
    """One entry at a time, sealed right after it, as a visitor waits for it."""
    from benchmarks.filling import one  # noqa: PLC0415
    from consent import ledger  # noqa: PLC0415

    seconds = []
    for _ in range(_TIMES):
        record, owner = one(here)
        ledger.append(site=here.site, entry=record, owner=owner)
        begin = time.perf_counter()
        assert ledger.seal(site=here.site, most=1) is not None
        seconds.append(time.perf_counter() - begin)
    milliseconds = round(statistics.median(seconds) * 1e3, 2)
    return {"seal of one entry, median milliseconds": milliseconds}


def _proving(site: Any) -> dict[str, Any]:
    """The log part of a receipt, whose tiles nothing has read before."""
    from consent import ledger  # noqa: PLC0415
    from consent.models import Leaf  # noqa: PLC0415

    dice = random.Random(1)
    size = Leaf.objects.filter(site=site, log=1).order_by("-index")[0].index
    picked = Leaf.objects.filter(
        site=site, log=1, index__in=[dice.randrange(size) for _ in range(300)]
    )
    entries = list(picked.values_list("entry_id", flat=True))
    seconds = []
    for entry in entries:
        begin = time.perf_counter()
        assert ledger.log_part(site=site, entry=entry) is not None
        seconds.append(time.perf_counter() - begin)
    seconds.sort()
    return {
        "proof, median milliseconds": round(statistics.median(seconds) * 1e3, 2),
        "proof, 99th percentile": round(seconds[len(seconds) * 99 // 100] * 1e3, 2),
    }


def _command(name: str, entries: int, *command: str) -> dict[str, Any]:
    """A command in a process of its own: entries per second, and its memory."""
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED, sys.executable, "manage.py", *command],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    )
    seconds = time.perf_counter() - begin
    return {
        f"{name} per second": round(entries / seconds),
        f"{name}: most memory of a process, MB": int(done.stdout) // 1024,
    }


if __name__ == "__main__":
    main()
