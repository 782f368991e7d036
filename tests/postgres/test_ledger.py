"""What only PostgreSQL can do to a ledger, and what it has to promise."""

import re
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from consent.models import Content, Entry
from tests.test_ledger_append_only import FROZEN, model_named
from tests.visits import ALL, body, choose, rows, send

pytestmark = pytest.mark.postgres


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("how", ["TRUNCATE", "TRUNCATE ONLY"])
@pytest.mark.parametrize("name", FROZEN)
def test_a_table_of_the_ledger_cannot_be_truncated(
    parisian: Client, name: str, how: str
) -> None:
    choose(parisian, ALL)
    execute("SET CONSTRAINTS ALL IMMEDIATE")  # what is deferred forbids it as well
    before = rows()
    statement = f'{how} "{model_named(name)._meta.db_table}" CASCADE'
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        execute(statement)
    assert rows() == before


def test_truncating_a_site_does_not_take_the_ledger_along(parisian: Client) -> None:
    choose(parisian, ALL)
    execute("SET CONSTRAINTS ALL IMMEDIATE")  # what is deferred forbids it as well
    before = rows()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        execute("TRUNCATE consent_site CASCADE")
    assert rows() == before


@pytest.mark.parametrize(("value", "refused"), [("off", True), ("on", False)])
def test_a_database_that_answers_before_it_is_durable_is_refused(
    site: Any, value: str, refused: bool
) -> None:
    execute(f"SET LOCAL synchronous_commit = {value}")
    found = run_checks(tags=["database"], databases=["default"])
    assert ("consent.E020" in {message.id for message in found}) is refused


@pytest.mark.django_db(transaction=True)
def test_choices_made_at_the_same_moment_are_all_kept(site: Any) -> None:
    answers: list[int] = []
    together = Barrier(6)

    def one_of_many() -> None:
        try:
            together.wait(10)
            kept = [send(Client(), body(ALL)).status_code for _ in range(5)]
            answers.extend(kept)
        finally:
            connection.close()

    threads = [Thread(target=one_of_many) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [201] * 30
    kept = Content.objects.filter(kind="consent").values_list("pk", flat=True)
    assert len(set(kept)) == 30
    assert set(kept) <= set(Entry.objects.values_list("pk", flat=True))


GROWING = ("entry", "content", "link", "waiting", "preference")


@pytest.mark.parametrize(
    "page",
    [
        "/",
        "/api/v1/decision",
        "/api/v1/history",
        "/api/v1/receipts/{receipt}",
        "/settings/user/cookie-preferences/",
        "/settings/user/cookie-preferences/history.json",
    ],
)
@pytest.mark.parametrize("signed_in", [True, False])
def test_no_page_reads_through_a_table_that_grows(
    parisian: Client, django_user_model: Any, page: str, signed_in: bool
) -> None:
    """Every index begins with the site: without it, a look-up reads all of an index."""
    if signed_in:
        parisian.force_login(django_user_model.objects.create_user("ada"))
    receipt = choose(parisian, ALL)["receipt"]["id"]
    with CaptureQueriesContext(connection) as queries:
        assert parisian.get(page.format(receipt=receipt)).status_code in {200, 302}
    asked = [q["sql"] for q in queries.captured_queries if "consent_" in q["sql"]]
    execute("SET LOCAL enable_seqscan = off")
    for statement in asked:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {statement}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        for scan in re.split(r"->|InitPlan", plan):
            if re.search(rf" on consent_({'|'.join(GROWING)}) ", scan):
                assert re.search(r"(Index|Recheck) Cond: .*site_id = ", scan), plan
