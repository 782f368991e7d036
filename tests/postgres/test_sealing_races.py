"""Sealing beside writing and beside sealing: nobody waits, nothing is left out."""

from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from consent import ledger
from consent.core.merkle import root
from consent.ledger import sealing
from consent.models import Checkpoint, Leaf, Log, Site, Waiting
from tests.logs import indexes, leaf_hashes, write

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _by_hand(settings: Any) -> None:
    settings.CONSENT_SEAL = "worker"


def beside(work: Callable[[], Any]) -> Thread:
    """Do something in a thread, on a connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    return thread


def test_an_entry_that_commits_late_is_sealed_late_and_not_left_out(site: Site) -> None:
    ledger.seal(site=site)
    written, go_on = Event(), Event()
    late: list[str] = []

    def slowly() -> None:
        with transaction.atomic():
            late.extend(write(site, 1))  # its time is before all others'
            written.set()
            go_on.wait(10)

    thread = beside(slowly)
    assert written.wait(10)
    write(site, 3, first=100)
    assert ledger.seal(site=site).entries == 3
    go_on.set()
    thread.join(10)
    assert ledger.seal(site=site).entries == 1
    last = Leaf.objects.latest("index")
    assert last.entry_id.hex == late[0]
    assert not Waiting.objects.exists()


def test_whoever_cannot_get_the_lock_leaves_and_nobody_who_writes_waits(
    site: Site,
) -> None:
    write(site, 1)
    ledger.seal(site=site)
    held, let_go = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            list(Log.objects.select_for_update())
            held.set()
            let_go.wait(10)

    thread = beside(hold)
    assert held.wait(10)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")  # who waits would fail
    write(site, 2, first=50)
    assert ledger.seal(site=site) is None
    assert Waiting.objects.count() == 2
    let_go.set()
    thread.join(10)
    assert ledger.seal(site=site).entries == 2


def test_many_that_write_and_many_that_seal_make_one_log(site: Site) -> None:
    def writes(first: int) -> Callable[[], None]:
        def run() -> None:
            for number in range(30):
                write(site, 1, first=first + number)

        return run

    def seals() -> None:
        for _ in range(40):
            ledger.seal(site=site)

    threads = [beside(writes(1000 * number)) for number in range(4)]
    threads += [beside(seals) for _ in range(3)]
    for thread in threads:
        thread.join(60)
    ledger.seal(site=site)
    hashes = leaf_hashes(site)
    assert indexes(site) == list(range(len(hashes)))
    assert len(set(hashes)) == len(hashes) >= 120
    assert not Waiting.objects.exists()
    for checkpoint in Checkpoint.objects.all():
        assert root(hashes[: checkpoint.tree_size]) == bytes(checkpoint.root)


def test_what_left_a_long_queue_is_cleared_away(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.seal(site=site)
    monkeypatch.setattr(sealing, "BATCH", 5)
    monkeypatch.setattr(sealing, "_CLEARED", 20)
    for waiting, times in ((45, 3), (40, 2), (4, 0)):
        write(site, waiting)
        with CaptureQueriesContext(connection) as asked:
            assert ledger.seal(site=site).entries == waiting
        told = [query for query in asked if query["sql"].startswith("VACUUM")]
        assert len(told) == times
