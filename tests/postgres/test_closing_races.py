"""Closing a log, publishing and answering at the same moment."""

from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from consent import ledger, publication
from consent.audit.reopening import NotRefusedError, begin_log
from consent.ledger import kept, standing
from consent.management.demo_site import POLICY
from consent.models import Checkpoint, Content, Leaf, Log, Site
from tests.logs import write
from tests.postgres.test_sealing_races import beside

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def refused(site: Site, settings: Any, tmp_path: Any) -> Site:
    """A site whose log may not be signed: checkpoints of another are kept."""
    settings.CONSENT_SEAL = "worker"
    write(site, 2)
    ledger.seal(site=site)
    newest = kept.folder(site, 1) / "newest"
    text = newest.read_text(encoding="utf-8")
    for path in kept.folder(site, 1).glob("*.jsonl"):
        path.unlink()
    lines = text.split("\n")
    lines[1] = "900"  # as if the log had been longer; what is kept is not verified here
    newest.write_text("\n".join(lines), encoding="utf-8")
    assert "older backup" in (ledger.refusal(site) or "")
    return site


def test_two_who_close_a_log_at_once_begin_one(refused: Site) -> None:
    ended: list[str] = []

    def close() -> None:
        try:
            begin_log(site=refused, at=timezone.now())
            ledger.seal(site=refused)
            ended.append("begun")
        except NotRefusedError:
            ended.append("in order")

    threads = [beside(close) for _ in range(2)]
    for thread in threads:
        thread.join(30)
    assert Log.objects.count() in {2, 3}
    acts = Content.objects.filter(event="log_opened").count()
    assert acts == Log.objects.count() - 1


def test_nobody_seals_into_a_log_that_is_being_closed(
    refused: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sealer that is inside goes first; one that comes later finds the new log."""
    inside, go_on = Event(), Event()
    monkeypatch.setattr(standing._Outside, "refuse", lambda *_: None)
    place = ledger.sealing._place

    def slowly(*args: Any) -> None:
        inside.set()
        go_on.wait(10)
        place(*args)

    monkeypatch.setattr(ledger.sealing, "_place", slowly)
    write(refused, 3, first=70)
    sealer = beside(lambda: ledger.seal(site=refused))
    assert inside.wait(10)
    monkeypatch.setattr(ledger, "refusal", lambda _site: "refused")
    closer = beside(lambda: begin_log(site=refused, at=timezone.now()))
    closer.join(0.5)
    assert closer.is_alive()  # it waits for whoever seals
    go_on.set()
    for thread in (sealer, closer):
        thread.join(30)
    ledger.seal(site=refused)
    act = Content.objects.get(event="log_opened")
    assert Leaf.objects.get(entry=act.pk).log == 2
    ended = Checkpoint.objects.filter(log=1).latest("tree_size")
    assert f'"size":{ended.tree_size}' in act.canonical


def test_a_choice_does_not_wait_for_a_publication(site: Site) -> None:
    held, let_go = Event(), Event()

    def publish() -> None:
        with transaction.atomic():
            publication.publish(site=site, document=POLICY, at=timezone.now(), by=None)
            held.set()
            let_go.wait(10)

    thread = beside(publish)
    assert held.wait(10)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")  # who waits would fail
    assert write(site, 1, first=40)
    let_go.set()
    thread.join(10)
