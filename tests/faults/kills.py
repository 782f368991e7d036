"""Processes that are killed while they answer and seal, and what is left of it all.

Run as a program, on a database of its own, because it forks:

    python -m tests.faults.kills --kills 300

First a process is killed before and after every single statement and commit of one
choice and its seal; then at random moments under load, several processes at once. At
the end everything that was answered must be in the log exactly once, the log whole, and
every checkpoint that was ever kept a head of it.
"""

import argparse
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.db.backends.base.base import BaseDatabaseWrapper  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from consent import ledger, publication  # noqa: E402
from consent.core.merkle import root  # noqa: E402
from consent.core.signed_note import parse_checkpoint, parse_note  # noqa: E402
from consent.ledger import kept  # noqa: E402
from consent.management.demo_site import POLICY, SITE  # noqa: E402
from consent.models import (  # noqa: E402
    Checkpoint,
    Content,
    Entry,
    Leaf,
    Site,
    Waiting,
)

ANSWER = json.dumps(
    {
        "purposes": {"analytics": True},
        "policy_version": 1,
        "surface": "banner",
        "language": "en",
    }
)


@dataclass
class Child:
    """A process that answers, and the end of the pipe on which it says what."""

    pid: int
    pipe: int


@dataclass
class Report:
    """What happened; `answered` are the receipts of every 201 that was given."""

    kills: int = 0
    points: int = 0
    answered: list[str] = field(default_factory=list)


def fork(work: Callable[[int], None]) -> Child:
    """Start a process; `work` gets the pipe to say on what was answered."""
    connections.close_all()  # no two processes may share a connection
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return Child(pid, ours)
    os.close(ours)
    try:
        work(theirs)
    except BaseException as error:  # noqa: BLE001 - told of, and the process ends
        sys.stderr.write(f"{error!r}\n")
        os._exit(1)
    os._exit(0)


def end(child: Child, report: Report, *, kill: bool) -> int:
    """Kill a process, or wait for it; then take down all that it had answered."""
    if kill:
        os.kill(child.pid, signal.SIGKILL)
    said = b""
    while part := os.read(child.pipe, 65536):
        said += part
    os.close(child.pipe)
    _pid, status = os.waitpid(child.pid, 0)
    report.answered += said.decode().split()
    report.kills += os.WIFSIGNALED(status)
    return status


def answer(pipe: int, client: Client) -> None:
    """One choice over HTTP, and once it is answered, its receipt's number."""
    response = client.post(
        "/api/v1/choices",
        ANSWER,
        content_type="application/json",
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    if response.status_code == 201:
        os.write(pipe, (response.json()["receipt"]["id"] + "\n").encode())


def answering(pipe: int) -> None:
    client = Client()
    while True:
        answer(pipe, client)


def sealing(_pipe: int) -> None:
    site = Site.objects.get()
    while True:
        ledger.seal(site=site)


# --- at every point of one choice and its seal ----------------------------------------


class Points:
    """Counts statements and commits, and ends the process at one of them."""

    def __init__(self, at: int = 0, *, before: bool = True) -> None:
        self.at, self.before, self.passed = at, before, 0

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any):
        with self:
            return execute(sql, params, many, context)

    def __enter__(self) -> None:
        self.passed += 1
        if self.before and self.passed == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def __exit__(self, *_: object) -> None:
        if not self.before and self.passed == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        commit = BaseDatabaseWrapper._commit

        def counted(wrapper: Any) -> None:
            with self:
                commit(wrapper)

        BaseDatabaseWrapper._commit = counted
        connection.execute_wrappers.append(self)


def once(points: Points) -> Callable[[int], None]:
    def work(pipe: int) -> None:
        client = Client()
        client.get("/api/v1/decision")  # what a process reads once
        points.watch()
        answer(pipe, client)
        os.write(pipe, f"points={points.passed}\n".encode())

    return work


def at_every_point(report: Report) -> None:
    end(fork(once(Points())), report, kill=False)
    report.points = int(report.answered.pop().removeprefix("points="))
    for point in range(1, report.points + 1):
        for before in (True, False):
            status = end(fork(once(Points(point, before=before))), report, kill=False)
            last = report.answered[-1:] and report.answered[-1].startswith("points=")
            if last:  # there were fewer points this time, and nothing was killed
                report.answered.pop()
            elif not os.WIFSIGNALED(status):
                raise AssertionError(f"point {point} was passed, and nothing answered")


# --- at random moments, under load ----------------------------------------------------


def under_load(report: Report, kills: int, dice: random.Random) -> None:
    """Several processes at once; half of the time one of them does nothing but seal."""
    for inline in (True, False):
        settings.CONSENT_SEAL = "inline" if inline else "worker"
        works = [answering] * 3 + [answering if inline else sealing]
        running = [(work, fork(work)) for work in works]
        for _ in range(kills // 2):
            time.sleep(dice.uniform(0.01, 0.12))
            place = dice.randrange(len(running))
            work, child = running[place]
            end(child, report, kill=True)
            running[place] = (work, fork(work))
        for _work, child in running:
            end(child, report, kill=True)


# --- what is left ---------------------------------------------------------------------


def left(report: Report) -> list[str]:
    """Everything that is wrong; nothing where all promises were kept."""
    site = Site.objects.get()
    wrong = []
    _sweep(site)
    leaves = list(Leaf.objects.order_by("index").values_list("index", "entry_id"))
    entries = set(Entry.objects.values_list("pk", flat=True))
    if [index for index, _entry in leaves] != list(range(len(leaves))):
        wrong.append("the indexes are not consecutive")
    if {entry for _index, entry in leaves} != entries or len(leaves) != len(entries):
        wrong.append("the log does not hold every entry exactly once")
    if Waiting.objects.exists():
        wrong.append("something still waits")
    if set(Content.objects.values_list("pk", flat=True)) != entries:
        wrong.append("an entry and its content were torn apart")
    known = {entry.hex for entry in entries}
    lost = [number for number in report.answered if number not in known]
    if lost or len(set(report.answered)) != len(report.answered):
        wrong.append(f"{len(lost)} answered choices are lost")
    return wrong + list(_heads(site))


def _sweep(site: Site) -> None:
    """Seal what is left, as the next process would.

    PostgreSQL may need a moment to learn that a client is gone that held the lock.
    """
    patience = time.monotonic() + 20
    while Waiting.objects.exists() and time.monotonic() < patience:
        ledger.seal(site=site)
        time.sleep(0.05)


def _heads(site: Site) -> Any:
    """Every head, in the database and outside of it, is one of this tree."""
    by_index = Leaf.objects.order_by("index")
    hashes = [bytes(h) for h in by_index.values_list("entry__leaf_hash", flat=True)]
    heads = {c.tree_size: bytes(c.root) for c in Checkpoint.objects.all()}
    if max(heads) != len(hashes):
        yield "the newest head does not cover the log"
    outside = [parse_checkpoint(parse_note(note).text) for note in kept.notes(site, 1)]
    for head in outside:
        if heads.get(head.size) != head.root:
            yield f"the kept head of {head.size} is not in the database"
    sizes = sorted(heads)
    for size in {*sizes[:: max(1, len(sizes) // 200)], sizes[-1]}:
        if root(hashes[:size]) != heads[size]:
            yield f"the head of {size} is not the tree's"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    site = Site.objects.create(**{**SITE, "hosts": [*SITE["hosts"], "testserver"]})
    publication.publish(site=site, document=POLICY, at=timezone.now(), by=None)
    settings.ALLOWED_HOSTS = ["*"]
    Client().get("/api/v1/decision")  # so that each process finds much of it read
    report = Report()
    at_every_point(report)
    under_load(report, options.kills, random.Random(options.seed))
    wrong = left(report)
    told = {
        "database": connection.vendor,
        "kills": report.kills,
        "points": report.points,
        "answered": len(report.answered),
        "entries": Entry.objects.count(),
        "checkpoints": Checkpoint.objects.count(),
        "wrong": wrong,
    }
    sys.stdout.write(json.dumps(told) + "\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
