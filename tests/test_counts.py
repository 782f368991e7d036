"""What is only counted: by notice, place and day, beside the requests."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client, RequestFactory

from consent import counts
from consent.decision import Consent
from consent.models import Content, Count, Entry, Site
from tests.conftest import NewVisitor
from tests.test_faults import Fault, database_down, read_only_disk
from tests.visits import OWN_PAGE, SETTINGS, choose, post_form, records, sign_in

PARIS, CALIFORNIA = "2a02:cfc0::1", "214.78.120.1"
ROOT = Path(__file__).parent.parent
TODAY = date(2026, 11, 23)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_was_counted(noon: object) -> Iterator[None]:
    counts.forget()
    yield
    counts.forget()


def counted(what: str, *values: str) -> list[tuple[Any, ...]]:
    """The rows of one kind after what is in memory was written."""
    assert counts.flush()
    found = Count.objects.filter(what=what).values_list(*values, "times")
    return sorted(found)


def shown() -> list[tuple[Any, ...]]:
    return counted("shown", "country", "subdivision", "rule")


# --- what is counted -----------------------------------------------------------------


def test_a_banner_is_counted_by_notice_day_place_and_rule(
    site: Site, parisian: Client, quebecoise: Client
) -> None:
    for _ in range(3):
        parisian.get("/")
    quebecoise.get("/")
    assert shown() == [("CA", "CA-QC", "CA-QC", 1), ("FR", "", "FR", 3)]
    assert set(Count.objects.values_list("site", "day")) == {(site.pk, TODAY)}
    assert all(n.startswith("sha256:") for n in notices_shown())


def notices_shown() -> set[str]:
    rows = Count.objects.filter(what="shown")
    return set(rows.values_list("notice", flat=True))


@pytest.mark.parametrize(
    ("path", "surface"),
    [("/", "banner"), ("/cookie-preferences/", "preferences"), (SETTINGS, "settings")],
)
def test_what_was_shown_is_the_denominator_of_what_was_answered(
    parisian: Client, ada: Any, path: str, surface: str
) -> None:
    if surface == "settings":
        sign_in(parisian, ada)
    counts.forget()
    parisian.get(path)
    if surface == "settings":
        post_form(parisian, "reject", path=SETTINGS, surface="preferences")
    else:
        post_form(parisian, "reject", surface=surface)
    assert counts.flush()
    assert notices_shown() == {records()[-1]["notice"]["hash"]}


def test_the_opt_out_page_is_counted_as_what_an_opt_out_points_at(
    visitor: NewVisitor,
) -> None:
    browser = visitor(CALIFORNIA)
    browser.get("/privacy-choices/")
    browser.post("/privacy-choices/", headers=OWN_PAGE)
    assert counts.flush()
    assert notices_shown() == {records()[-1]["notice"]["hash"]}


def test_a_bar_that_only_tells_is_counted_apart(visitor: NewVisitor) -> None:
    mexican = visitor(CALIFORNIA, **{"CF-IPCountry": "MX"})
    mexican.get("/")
    assert shown() == [("MX", "", "MX", 1)]
    post_form(mexican, "reject")
    assert records()[-1]["notice"]["hash"] not in notices_shown()


def test_where_nothing_is_shown_nothing_is_counted_as_shown(
    parisian: Client, alaskan: Client
) -> None:
    alaskan.get("/")
    post_form(parisian, "reject")
    for path in ("/", "/?cookies=saved", "/no/such/page", "/api/v1/decision"):
        parisian.get(path)
    parisian.head("/cookie-preferences/")
    assert shown() == []


def test_gates_are_counted_by_purpose_and_answer(parisian: Client) -> None:
    parisian.get("/")
    choose(parisian, {"analytics": True})
    parisian.get("/")
    assert counted("gate", "detail") == [
        ("analytics:0", 1),
        ("analytics:1", 1),
        ("functional:0", 2),
        ("marketing:0", 2),
    ]


def test_a_signal_of_somebody_anonymous_is_counted_and_nothing_else_is_kept(
    californian: Client, visitor: NewVisitor
) -> None:
    before = Entry.objects.count(), Content.objects.count()
    for path in ("/", "/cookie-preferences/", "/privacy-choices/"):
        assert not californian.get(path).cookies
    assert californian.get("/api/v1/decision").status_code == 200
    visitor(CALIFORNIA).get("/")
    assert counted("gpc", "country", "subdivision", "rule", "notice", "detail") == [
        ("US", "US-CA", "US-CA", "", "", 4)
    ]
    assert (Entry.objects.count(), Content.objects.count()) == before


def test_a_row_has_no_room_for_a_person() -> None:
    fields = {field.name for field in Count._meta.get_fields()}
    assert fields == {
        *("id", "site", "day", "what", "notice", "country", "subdivision"),
        *("rule", "detail", "times"),
    }


def test_sites_and_days_are_counted_apart(
    site: Site, parisian: Client, noon: Any
) -> None:
    parisian.get("/")
    noon.shift(86_400)
    parisian.get("/")
    assert counts.flush()
    days = Count.objects.filter(what="shown").values_list("day", "times")
    assert sorted(days) == [(TODAY, 1), (date(2026, 11, 24), 1)]


# --- how it is written ---------------------------------------------------------------


def test_a_page_writes_nothing_and_flushing_twice_adds_once(
    parisian: Client, django_assert_num_queries: Any
) -> None:
    parisian.get("/")
    with django_assert_num_queries(0):
        parisian.get("/")
    assert Count.objects.count() == 0
    assert shown() == [("FR", "", "FR", 2)]
    with django_assert_num_queries(0):
        assert counts.flush()
    assert shown() == [("FR", "", "FR", 2)]
    parisian.get("/")
    assert shown() == [("FR", "", "FR", 3)]


def a_visit(address: str = PARIS) -> Consent:
    request = RequestFactory().get("/", headers={"x-forwarded-for": address})
    consent = Consent(request)
    assert consent.decision.rule is not None
    return consent


def test_no_count_is_lost_between_threads_while_they_are_written(site: Site) -> None:
    consent = a_visit()

    def count() -> None:
        for _ in range(2_000):
            counts.note(consent, Count.What.GATE, detail="analytics:0")

    threads = [threading.Thread(target=count) for _ in range(6)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert counts.flush()
    assert counted("gate", "detail") == [("analytics:0", 12_000)]


@pytest.mark.parametrize("fault", [database_down, read_only_disk])
def test_a_database_that_takes_nothing_costs_neither_counts_nor_pages(
    parisian: Client, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    parisian.get("/")
    down: AbstractContextManager[None] = fault()
    with down:
        assert counts.flush() is False
        assert parisian.get("/").status_code == 200
        assert counts.flush() is False
    assert "Counts could not be written now." in caplog.text
    assert shown() == [("FR", "", "FR", 2)]


def test_what_fits_no_row_does_not_stop_what_comes_later(
    site: Site, parisian: Client, caplog: pytest.LogCaptureFixture
) -> None:
    consent = a_visit()
    consent.published.site.pk = 10**9
    counts.note(consent, Count.What.GATE)
    consent.published.site.pk = site.pk
    assert counts.flush() is False
    assert "were dropped" in caplog.text
    parisian.get("/")
    assert shown() == [("FR", "", "FR", 1)]


def test_memory_is_bounded_and_keeps_what_happened_most(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    consent = a_visit()
    for _ in range(3):
        counts.note(consent, Count.What.GATE, detail="often")
    for number in range(counts.MOST):
        counts.note(consent, Count.What.GATE, detail=str(number))
    assert "counts were dropped" in caplog.text
    assert counts.flush()
    assert Count.objects.count() <= counts.MOST // 2 + 1
    assert Count.objects.get(detail="often").times == 3


SERVED = """
import os, sys
from settings.starting import start
start()
from django.test import RequestFactory
from consent import counts
from consent.decision import Consent
from consent.models import Count
counts.SECONDS = 0.05
counts.serve()

def count():
    consent = Consent(RequestFactory().get("/", headers={"host": "127.0.0.1"}))
    counts.note(consent, Count.What.SHOWN, notice=sys.argv[1])

count()
child = os.fork()
count()
if child:
    os.waitpid(child, 0)
"""


def test_what_is_served_is_written_by_each_process_once_and_at_its_end(
    tmp_path: Path,
) -> None:
    environment = {
        **os.environ,
        "CONSENT_DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "DEBUG": "1",
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONWARNINGS": "ignore",  # Python warns of forking beside a thread
    }

    def run(*command: str) -> str:
        line = [sys.executable, *command]
        done = subprocess.run(
            line, cwd=ROOT, env=environment, check=True, timeout=60, capture_output=True
        )
        return done.stdout.decode().strip()

    run("manage.py", "prepare_demo")
    run("-c", SERVED, "sha256:first")
    run("-c", SERVED, "sha256:first")
    asked = (
        "from consent.models import Count; print(*Count.objects.values_list('times'))"
    )
    assert run("manage.py", "shell", "--no-imports", "-c", asked) == "(6,)"


def test_tests_start_no_thread_that_writes(parisian: Client) -> None:
    parisian.get("/")
    assert not [t for t in threading.enumerate() if t.name == "counts"]
    assert connection.in_atomic_block is False
