"""Erasure and retention beside others: whatever the order, nothing is left running."""

import re
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from consent import publication
from consent.audit import erasure, removal, retention, withdrawing
from consent.choices import choosing
from consent.core.cookie import decode
from consent.models import Content, Link, Preference, Removal, Restricted, Site
from tests.conftest import NewVisitor
from tests.postgres.test_ledger import GROWING, execute
from tests.postgres.test_races import slowly, together
from tests.visits import ALL, NONE, OWN_PAGE, choose, decision, sign_in

PARIS = "2a02:cfc0::1"
LATER = datetime(2040, 1, 1, tzinfo=UTC)

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def erase(browser: Any) -> None:
    response = browser.delete("/api/v1/visitor", headers=OWN_PAGE)
    assert response.status_code == 200, response.content


def granted(user: Any) -> list[str]:
    answers = decode(Preference.objects.get(user=user).state).answers
    return [str(p) for p, answer in answers.items() if answer.granted]


def test_a_choice_that_comes_first_is_erased_and_refused(
    visitor: NewVisitor, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = visitor(PARIS), visitor(PARIS)
    sign_in(one, ada)
    sign_in(two, ada)
    choose(one, NONE)
    taken = slowly(monkeypatch, choosing)

    def erase_then() -> None:
        taken.wait(5)
        erase(one)

    together(lambda: choose(two, ALL), erase_then)
    assert not Link.objects.exists()
    assert granted(ada) == []
    assert Restricted.objects.count() == 2


def test_a_choice_that_comes_second_is_laid_over_the_refusal(
    visitor: NewVisitor, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = visitor(PARIS), visitor(PARIS)
    sign_in(one, ada)
    sign_in(two, ada)
    first = choose(one, ALL)["receipt"]["id"]
    taken = slowly(monkeypatch, withdrawing)

    def choose_then() -> None:
        taken.wait(5)
        choose(two, {"analytics": True})

    together(lambda: erase(one), choose_then)
    assert granted(ada) == ["analytics"]
    assert [entry.hex for entry in Removal.objects.values_list("entry", flat=True)] == [
        first
    ]
    assert Link.objects.count() == 1


def test_two_erasures_of_one_browser_at_once_erase_each_record_once(
    visitor: NewVisitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = visitor(PARIS), visitor(PARIS)
    for _ in range(3):
        choose(one, ALL)
    two.cookies["consent_id"] = one.cookies["consent_id"].value
    remove = removal.remove

    def slow(**said: Any) -> None:
        time.sleep(0.5)
        remove(**said)

    monkeypatch.setattr(removal, "remove", slow)
    together(lambda: erase(one), lambda: erase(two))
    assert Removal.objects.count() == Restricted.objects.count() == 3
    assert not Link.objects.exists()
    assert Content.objects.filter(kind="act", event="erased").count() == 1


def test_two_runs_of_retention_at_once_drop_each_record_once(
    visitor: NewVisitor,
) -> None:
    for _ in range(4):
        choose(visitor(PARIS), NONE)
    here = publication.by_slug("default")
    dropped: list[int] = []
    start = threading.Barrier(2)

    def run() -> None:
        start.wait(5)
        dropped.append(retention.prune(here=here, days=30, at=LATER))

    together(run, run)
    assert sum(dropped) == 4
    assert Removal.objects.count() == 4
    assert not Content.objects.filter(kind="consent").exists()


def test_retention_beside_an_erasure_leaves_no_restricted_link_behind(
    visitor: NewVisitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = visitor(PARIS)
    choose(browser, ALL)
    here = publication.by_slug("default")
    moving, remove = threading.Event(), removal.remove

    def slow(**said: Any) -> None:
        if said["reason"] == Removal.Reason.ERASURE:
            moving.set()
            time.sleep(0.7)
        remove(**said)

    monkeypatch.setattr(removal, "remove", slow)

    def prune() -> None:
        moving.wait(5)
        retention.prune(here=here, days=30, at=LATER)

    together(lambda: erase(browser), prune)
    assert not Restricted.objects.exists()
    assert not Link.objects.exists()


def test_an_operator_and_the_person_may_erase_at_once(
    visitor: NewVisitor, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = visitor(PARIS)
    sign_in(browser, ada)
    number = choose(browser, ALL)["receipt"]["id"]
    taken = slowly(monkeypatch, withdrawing)
    consent = erasure.unattended(publication.by_slug("default"))

    def by_number() -> None:
        taken.wait(5)
        assert erasure.erase_record(consent, uuid.UUID(number)).records == 0

    together(lambda: erase(browser), by_number)
    assert Removal.objects.count() == 1
    assert granted(ada) == []
    assert decision(browser)["purposes"]["analytics"] is False


@pytest.mark.django_db
def test_neither_reads_through_a_table_that_grows(
    visitor: NewVisitor, ada: Any, site: Site
) -> None:
    """Every statement finds its rows by an index that begins with the site."""
    browser, account = visitor(PARIS), visitor(PARIS)
    sign_in(account, ada)
    for somebody in (browser, account):
        choose(somebody, ALL)
    here = publication.by_slug("default")
    with CaptureQueriesContext(connection) as queries:
        erase(browser)
        retention.prune(here=here, days=30, at=LATER - timedelta(days=1))
        choose(browser, ALL)
        retention.prune(here=here, days=30, at=LATER, dry_run=True)
        retention.prune(here=here, days=30, at=LATER)
    asked = [q["sql"] for q in queries.captured_queries if "consent_" in q["sql"]]
    execute("SET LOCAL enable_seqscan = off")
    tables = "|".join((*GROWING, "removal", "restricted"))
    seen = set()
    for statement in asked:
        if not re.match("SELECT|DELETE", statement):
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {statement}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        for scan in re.split(r"->|InitPlan", plan):
            if found := re.search(rf"Scan.* on consent_({tables}) ", scan):
                assert re.search(r"(Index|Recheck) Cond: .*site_id = ", scan), plan
                seen.add(found[1])
    assert seen >= {"entry", "content", "link", "removal", "restricted"}
