"""GET /api/v1/history page by page: every record once, whatever happens meanwhile."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from consent import publication
from consent.models import Link, Site
from tests.conftest import NewVisitor
from tests.test_api_decision import assert_problem
from tests.visits import ALL, choose, sign_in, sign_out

URL = "/api/v1/history"
LINKS = Link._meta.db_table


def page(browser: Client, **query: object) -> dict[str, Any]:
    response = browser.get(URL, query)
    assert response.status_code == 200, response.content
    return response.json()


def ids(told: dict[str, Any]) -> list[str]:
    return [receipt["id"] for receipt in told["records"]]


def walked(browser: Client, limit: int) -> list[list[str]]:
    """All pages from the first to the last, as the numbers of their records."""
    told = page(browser, limit=limit)
    pages = [ids(told)]
    while told["next"] is not None:
        told = page(browser, limit=limit, cursor=told["next"])
        pages.append(ids(told))
    return pages


def answered(browser: Client, times: int) -> list[str]:
    """The numbers of that many records, oldest first."""
    return [choose(browser, ALL)["receipt"]["id"] for _ in range(times)]


def test_the_pages_hold_every_record_once_and_newest_first(
    parisian: Client, noon: time_machine.Traveller
) -> None:
    made = []
    for _ in range(5):
        noon.shift(timedelta(seconds=1))
        made += answered(parisian, 1)
    newest = made[::-1]
    assert walked(parisian, 2) == [newest[:2], newest[2:4], newest[4:]]
    assert walked(parisian, 5) == [newest]
    assert page(parisian) == {**page(parisian, limit=100), "next": None}


def test_records_of_one_moment_are_told_apart(
    parisian: Client, noon: time_machine.Traveller
) -> None:
    made = answered(parisian, 7)
    pages = walked(parisian, 3)
    assert [len(some) for some in pages] == [3, 3, 1]
    assert [n for some in pages for n in some] == sorted(made, reverse=True)


def test_a_record_that_comes_meanwhile_moves_no_page(
    parisian: Client, noon: time_machine.Traveller
) -> None:
    made = answered(parisian, 1)
    noon.shift(timedelta(seconds=1))
    made += answered(parisian, 1)
    first = page(parisian, limit=1)
    noon.shift(timedelta(seconds=1))
    answered(parisian, 3)
    assert ids(first) == made[1:]
    assert ids(page(parisian, limit=1, cursor=first["next"])) == made[:1]


def test_a_last_page_that_is_full_says_that_nothing_follows(parisian: Client) -> None:
    answered(parisian, 2)
    assert page(parisian, limit=2)["next"] is None
    assert page(parisian, limit=1)["next"] is not None


def test_nobody_else_can_use_a_cursor(
    parisian: Client, hidden: Client, visitor: NewVisitor
) -> None:
    answered(parisian, 2)
    answered(hidden, 2)
    cursor = page(parisian, limit=1)["next"]
    for other in (hidden, visitor()):
        assert_problem(other.get(URL, {"cursor": cursor}), 422, "invalid")
    assert len(ids(page(parisian, cursor=cursor))) == 1


def test_a_cursor_is_good_for_one_site_alone(
    parisian: Client, settings: Any, site: Site
) -> None:
    answered(parisian, 2)
    cursor = page(parisian, limit=1)["next"]
    # The same browser and its cookies on another site: its history is another one.
    Site.objects.create(slug="other", name="Other", hosts=["other.example"])
    settings.ALLOWED_HOSTS = ["*"]
    publication.forget()
    other = parisian.get(URL, {"cursor": cursor}, headers={"host": "other.example"})
    assert_problem(other, 422, "invalid")


def test_a_cursor_follows_neither_into_an_account_nor_out_of_it(
    parisian: Client, ada: Any
) -> None:
    answered(parisian, 2)
    outside = page(parisian, limit=1)["next"]
    sign_in(parisian, ada)
    answered(parisian, 2)
    inside = page(parisian, limit=1)["next"]
    assert_problem(parisian.get(URL, {"cursor": outside}), 422, "invalid")
    assert ids(page(parisian, cursor=inside))
    sign_out(parisian)
    assert_problem(parisian.get(URL, {"cursor": inside}), 422, "invalid")


def test_a_cursor_tells_no_receipts_number(parisian: Client) -> None:
    numbers = answered(parisian, 2)
    cursors = {page(parisian, limit=1)["next"] for _ in range(5)}
    assert len(cursors) == 5  # sealed, so that it is never the same twice
    for cursor in cursors:
        assert not [number for number in numbers if number[:8] in cursor]


@pytest.mark.parametrize(
    "query",
    [
        *({"limit": text} for text in ("0", "101", "-1", "1.0", "x", "", "1e1", " 1")),
        *({"limit": text} for text in ("\u0661", "1" * 5000, "\0")),
        *({"cursor": text} for text in ("", "v1.", "x", "\0", "é", "0" * 5000)),
    ],
)
def test_what_is_no_page_is_refused(parisian: Client, query: dict[str, str]) -> None:
    assert_problem(parisian.get(URL, query), 422, "invalid")


def test_a_cursor_that_somebody_changed_is_refused(parisian: Client) -> None:
    answered(parisian, 2)
    cursor = page(parisian, limit=1)["next"]
    for place in range(3, len(cursor) - 4):
        other = "A" if cursor[place] != "A" else "B"
        changed = cursor[:place] + other + cursor[place + 1 :]
        response = parisian.get(URL, {"cursor": changed})
        assert_problem(response, 422, "invalid")


@pytest.mark.parametrize("signed_in", [False, True])
def test_a_page_is_found_by_an_index(
    parisian: Client, ada: Any, *, signed_in: bool
) -> None:
    if signed_in:
        sign_in(parisian, ada)
    answered(parisian, 3)
    _of_others(500)
    cursor = page(parisian, limit=1)["next"]
    with CaptureQueriesContext(connection) as queries:
        page(parisian, limit=1, cursor=cursor)
    [asked] = [
        q["sql"] for q in queries.captured_queries if f'FROM "{LINKS}"' in q["sql"]
    ]
    index = "link_user" if signed_in else "link_visitor"
    assert index in _plan(asked), _plan(asked)


def _of_others(count: int) -> None:
    """Records of other browsers: where there are none, every index costs the same."""
    site, now = Site.objects.get(), timezone.now()
    Link.objects.bulk_create(
        Link(
            entry_id=uuid.uuid4(),
            site=site,
            salt=b"s" * 32,
            visitor=uuid.uuid4().hex,
            time=now,
        )
        for _ in range(count)
    )
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {LINKS}")


def _plan(asked: str) -> str:
    explain = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # few rows are read quicker without one
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"{explain[connection.vendor]} {asked}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())
