"""Appending: one statement writes an entry whole, in a transaction or without."""

import re
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from consent import ledger
from consent.core.record import Act
from consent.models import Entry, Leaf, Site, Waiting
from tests.conftest import NOON
from tests.logs import write
from tests.visits import ALL, NONE, choose, rows

OWNER = ledger.Owner(visitor="a" * 32, salt=b"s" * 32)


@pytest.fixture(autouse=True)
def _seal_later(settings: Settings) -> None:
    settings.CONSENT_SEAL = "worker"


def an_act(site: Site) -> Act:
    number = ledger.new_id()
    return Act(
        id=number, site=site.slug, time=NOON, act="test", subject=None, detail={}
    )


def appended(site: Site, act: Act) -> ledger.Receipt:
    return ledger.append(site=site, entry=act, owner=OWNER)


def waits_already(site: Site) -> Act:
    """An act of which only the last row to be written is there before."""
    act = an_act(site)
    Waiting.objects.create(entry_id=act.id, site=site)
    return act


@pytest.mark.django_db(transaction=True)
def test_without_a_transaction_an_entry_is_written_whole_or_not_at_all(
    site: Site,
) -> None:
    act = waits_already(site)
    before = rows()
    with pytest.raises(IntegrityError):
        appended(site, act)
    assert rows() == before
    receipt = appended(site, replace(act, id=ledger.new_id()))
    gained = {name for name, count in rows().items() if count > before.get(name, 0)}
    assert gained == {"Entry", "Content", "Link", "Waiting"}
    assert Entry.objects.filter(pk=receipt.id).exists()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_appended_after_a_transaction_broke(site: Site) -> None:
    act, before = waits_already(site), rows()

    @transaction.atomic
    def work() -> None:
        with suppress(IntegrityError):
            appended(site, act)
        appended(site, an_act(site))

    with pytest.raises(TransactionManagementError):
        work()
    assert rows() == before


@pytest.mark.django_db(transaction=True)
def test_an_entry_goes_with_the_transaction_that_it_was_part_of(site: Site) -> None:
    before = rows()
    with transaction.atomic():
        appended(site, an_act(site))
        transaction.set_rollback(True)
    assert rows() == before


def written(browser: Client, answers: dict[str, bool]) -> list[str]:
    """The statements of a choice but for what it reads: shortened, in order."""
    with CaptureQueriesContext(connection) as queries:
        choose(browser, answers)
    said = [query["sql"] for query in queries.captured_queries]
    return [
        "append" if "consent_append" in sql else sql.split()[0]
        for sql in said
        if not sql.startswith('SELECT "')
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("answers", [ALL, NONE])
def test_an_anonymous_choice_is_one_statement_and_no_transaction_around_it(
    parisian: Client, answers: dict[str, bool]
) -> None:
    choose(parisian, ALL)  # what choices point at is kept by the first of them
    assert written(parisian, answers) == ["append"]


@pytest.mark.django_db(transaction=True)
def test_an_accounts_choice_is_one_transaction_with_its_row(parisian: Client) -> None:
    parisian.force_login(get_user_model().objects.create_user("ada"))
    choose(parisian, ALL)
    said = written(parisian, NONE)
    assert said[0] == "BEGIN"
    assert said[-1] == "COMMIT"
    assert said.count("BEGIN") == 1
    assert said.index("append") < said.index("UPDATE")


@pytest.mark.django_db(transaction=True)
def test_an_anonymous_choice_is_sealed_before_it_is_answered_where_that_is_wished(
    parisian: Client, settings: Any
) -> None:
    settings.CONSENT_SEAL = "inline"
    receipt = choose(parisian, ALL)["receipt"]
    assert Leaf.objects.filter(entry=receipt["id"]).exists()
    assert not Waiting.objects.exists()


def test_what_waits_is_found_without_going_through_what_is_sealed(site: Site) -> None:
    write(site, 500)
    ledger.seal(site=site)
    appended(site, an_act(site))
    with CaptureQueriesContext(connection) as queries:
        ledger.seal(site=site)
    [taking] = [q["sql"] for q in queries.captured_queries if "leaf_hash" in q["sql"]]
    explain = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # which counts its tables in its own time
            cursor.execute("ANALYZE")
        cursor.execute(f"{explain[connection.vendor]} {taking}")
        told = "\n".join(str(row[-1]) for row in cursor.fetchall())
    assert re.search(r"\bid ?= ?(\?|w\.entry_id)", told), told
