"""Retention: what is over long enough is dropped; its hash, proof and act stay."""

import gc
import json
import tracemalloc
import uuid
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from consent import ledger, publication
from consent.audit import removal, retention
from consent.core.merkle import leaf_hash, root
from consent.models import (
    Content,
    Entry,
    Leaf,
    Link,
    Preference,
    Removal,
    Restricted,
    Site,
    Waiting,
)
from tests.conftest import NOON, NewVisitor
from tests.visits import (
    ALL,
    NONE,
    OWN_PAGE,
    choose,
    cookie,
    decision,
    records,
    rows,
    sign_in,
)

PARIS, CALIFORNIA = "2a02:cfc0::1", "214.78.120.1"
DAYS = 1095
DAY = 86_400

pytestmark = pytest.mark.usefixtures("noon")


def prune(*words: str) -> str:
    told = StringIO()
    call_command("prune_ledger", *words, stdout=told)
    return told.getvalue()


def kept() -> list[str]:
    """The events of the records whose contents are kept, oldest first."""
    return [record["event"] for record in records()]


def runs() -> list[dict[str, Any]]:
    found = Content.objects.filter(kind="act", event="retention_run").order_by("time")
    return [json.loads(content.canonical)["detail"] for content in found]


# --- when --------------------------------------------------------------------------


def test_a_refusal_of_nobody_is_kept_from_when_browsers_forget_it(
    parisian: Client, noon: Any
) -> None:
    choose(parisian, NONE)
    noon.shift((400 + DAYS) * DAY)
    prune()
    assert kept() == ["refused"]
    noon.shift(1)
    assert "1 records dropped" in prune()
    assert kept() == []


def test_a_grant_is_kept_from_when_it_was_answered_again(
    parisian: Client, noon: Any
) -> None:
    choose(parisian, ALL)
    noon.shift(10 * DAY)
    choose(parisian, NONE)
    noon.shift(DAYS * DAY)
    prune()
    assert kept() == ["granted", "withdrawn"]
    noon.shift(1)
    prune()
    assert kept() == ["withdrawn"]


def test_a_grant_that_nobody_answered_since_is_kept_from_its_end(
    parisian: Client, noon: Any
) -> None:
    choose(parisian, ALL)
    noon.shift((180 + DAYS) * DAY)
    prune()
    assert kept() == ["granted"]
    noon.shift(1)
    prune()
    assert kept() == []
    assert not Link.objects.exists()


def test_a_refusal_of_somebody_who_can_be_found_is_kept_for_ever(
    visitor: NewVisitor, ada: Any, noon: Any
) -> None:
    browser = visitor(CALIFORNIA)
    sign_in(browser, ada)
    choose(browser, {"functional": True, "analytics": True, "marketing": False})
    noon.shift(20 * 365 * DAY)
    prune()
    assert kept() == ["partial"]
    assert Link.objects.get().user == str(ada.pk)


def test_what_a_deleted_account_answered_is_kept_as_if_it_were_nobodys(
    visitor: NewVisitor, ada: Any, bob: Any, noon: Any
) -> None:
    for user in (ada, bob):
        browser = visitor(CALIFORNIA)
        sign_in(browser, user)
        choose(browser, {**ALL, "marketing": False})
        noon.shift(DAY)
    ada.delete()
    noon.shift((399 + DAYS) * DAY - DAY)
    prune()
    assert kept() == ["partial", "partial"]
    noon.shift(DAY + 1)
    prune()
    assert Link.objects.get().user == str(bob.pk)
    assert kept() == ["partial"]


def test_an_erased_record_is_kept_from_its_erasure(parisian: Client, noon: Any) -> None:
    choose(parisian, ALL)
    noon.shift(900 * DAY)
    parisian.post("/cookie-preferences/erase/", {"sure": "yes"}, headers=OWN_PAGE)
    noon.shift(DAYS * DAY)
    prune()
    assert sorted(kept()) == ["erased", "granted"]
    assert Restricted.objects.count() == 1
    noon.shift(1)
    prune()
    assert kept() == ["erased"]
    assert not Restricted.objects.exists()
    noon.shift(400 * DAY)
    prune()
    assert kept() == []


def test_a_browsers_records_and_an_accounts_are_two_histories(
    visitor: NewVisitor, ada: Any, noon: Any
) -> None:
    browser = visitor(CALIFORNIA)
    choose(browser, {**ALL, "marketing": False})
    noon.shift(DAY)
    sign_in(browser, ada)
    noon.shift(DAY)
    choose(browser, ALL)
    identities = set(Link.objects.values_list("visitor", flat=True))
    assert identities == {link.visitor for link in Link.objects.filter(user="")}
    noon.shift(10 * 365 * DAY)
    prune()
    # Nobody answered again what the browser refused before anybody signed in.
    assert kept() == ["partial"]
    assert Link.objects.get().user == ""


def test_what_people_chose_is_not_touched(
    visitor: NewVisitor, ada: Any, noon: Any
) -> None:
    account, browser = visitor(CALIFORNIA), visitor(CALIFORNIA)
    for somebody in (account, browser):
        choose(somebody, ALL)
        noon.shift(DAY)
        choose(somebody, {"analytics": True})
    sign_in(account, ada)
    noon.shift(4 * 365 * DAY)
    sign_in(account, ada)
    rows_before = list(Preference.objects.values())
    before = [decision(somebody)["purposes"] for somebody in (account, browser)]
    assert "2 records dropped" in prune()
    assert [decision(s)["purposes"] for s in (account, browser)] == before
    assert list(Preference.objects.values()) == rows_before


# --- what stays ----------------------------------------------------------------------


def test_of_a_dropped_record_hash_proof_and_act_stay(
    parisian: Client, noon: Any
) -> None:
    receipt = choose(parisian, ALL)["receipt"]
    site = Site.objects.get()
    ledger.seal(site=site)
    proof = ledger.log_part(site=site, entry=uuid.UUID(receipt["id"]))
    noon.shift((181 + DAYS) * DAY)
    prune()
    after = parisian.get(f"/api/v1/receipts/{receipt['id']}").json()
    assert (after["record"], after["canonical"]) == (None, None)
    assert after["gone"] == "retention"
    assert after["leaf_hash"] == receipt["leaf_hash"]
    assert after["log"]["index"] == proof["index"]
    hashed = leaf_hash(receipt["canonical"].encode())
    assert runs() == [{"entries": 1, "days": DAYS, "root": root([hashed]).hex()}]
    assert Removal.objects.get().reason == "retention"


def test_acts_are_never_dropped(parisian: Client, noon: Any) -> None:
    before = set(Content.objects.filter(kind="act").values_list("pk", flat=True))
    choose(parisian, NONE)
    noon.shift(50 * 365 * DAY)
    prune()
    prune("--days", "30")
    acts = Content.objects.filter(kind="act")
    assert before < set(acts.values_list("pk", flat=True))
    assert Content.objects.exclude(kind="act").count() == 0


def test_what_waits_to_be_sealed_is_sealed_without_its_content(
    parisian: Client, noon: Any
) -> None:
    number = choose(parisian, NONE)["receipt"]["id"]
    noon.shift((401 + DAYS) * DAY)
    prune()
    assert Waiting.objects.filter(pk=number).exists()
    ledger.seal(site=Site.objects.get())
    assert Leaf.objects.filter(entry=number).exists()


def test_where_nothing_is_due_nothing_is_written(parisian: Client) -> None:
    choose(parisian, ALL)
    before = rows()
    assert "0 records dropped" in prune()
    assert rows() == before


def test_pruning_again_changes_nothing(parisian: Client, noon: Any) -> None:
    choose(parisian, ALL)
    choose(parisian, NONE)
    noon.shift(2000 * DAY)
    prune()
    before = rows()
    assert "0 records dropped" in prune()
    assert rows() == before


# --- the command ---------------------------------------------------------------------


def test_a_dry_run_only_counts(parisian: Client, noon: Any) -> None:
    choose(parisian, NONE)
    noon.shift(2000 * DAY)
    before = rows()
    assert "default: 1 records would be dropped" in prune("--dry-run")
    assert rows() == before


@pytest.mark.parametrize("words", [["--days", "0"], []])
def test_nought_days_are_for_ever(
    parisian: Client, noon: Any, settings: Any, words: list[str]
) -> None:
    settings.CONSENT_RETENTION_DAYS = 0
    choose(parisian, NONE)
    noon.shift(9000 * DAY)
    assert "kept for ever" in prune(*words)
    assert kept() == ["refused"]
    here = publication.by_slug("default")
    assert retention.prune(here=here, days=0, at=NOON + 9000 * timedelta(days=1)) == 0


@pytest.mark.parametrize("batch", [1, 4096])
def test_what_was_erased_is_dropped_even_where_records_are_kept_for_ever(
    visitor: NewVisitor, noon: Any, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(retention, "_CHUNK", batch)
    erasing, other = visitor(PARIS), visitor(PARIS)
    for browser in (erasing, erasing, other):
        choose(browser, ALL)
    erasing.post("/cookie-preferences/erase/", {"sure": "yes"}, headers=OWN_PAGE)
    noon.shift(DAYS * DAY)
    assert "0 records dropped" in prune("--days", "0")
    noon.shift(1)
    assert "2 records would be dropped" in prune("--days", "0", "--dry-run")
    assert "2 records dropped" in prune("--days", "0")
    assert not Restricted.objects.exists()
    assert sorted(kept()) == ["erased", "granted"]
    assert [(run["entries"], run["days"]) for run in runs()] == [(2, DAYS)]
    assert "0 records dropped" in prune("--days", "0")


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("days", ["29", "1", "-1"])
def test_less_than_a_month_is_refused(days: str) -> None:
    with pytest.raises(CommandError, match="30 days or more"):
        prune("--days", days)


def test_the_days_are_the_settings(parisian: Client, noon: Any, settings: Any) -> None:
    settings.CONSENT_RETENTION_DAYS = 30
    choose(parisian, NONE)
    noon.shift(431 * DAY)
    prune("--days", "40")
    assert kept() == ["refused"]
    prune()
    assert kept() == []


def test_one_site_may_be_named(parisian: Client, noon: Any) -> None:
    choose(parisian, NONE)
    noon.shift(2000 * DAY)
    with pytest.raises(CommandError, match="no site elsewhere"):
        prune("--site", "elsewhere")
    assert kept() == ["refused"]
    assert "default: 1 records" in prune("--site", "default")


# --- many ----------------------------------------------------------------------------


@pytest.fixture
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_CHUNK", 3)
    monkeypatch.setattr(removal, "LARGEST", 2)


@pytest.mark.usefixtures("few_at_a_time")
def test_many_records_are_dropped_by_several_acts(
    parisian: Client, visitor: NewVisitor, noon: Any
) -> None:
    other = visitor(PARIS)
    for _ in range(4):  # all in one second, so that time alone does not order them
        choose(parisian, ALL)
        choose(other, NONE)
    noon.shift(2000 * DAY)
    assert "8 records would be dropped" in prune("--dry-run")
    assert "8 records dropped" in prune()
    assert [run["entries"] for run in runs()] == [2, 2, 2, 2]
    assert kept() == []


@pytest.mark.usefixtures("few_at_a_time")
def test_a_run_that_was_stopped_is_gone_on_with(
    parisian: Client, noon: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        choose(parisian, NONE)
    noon.shift(2000 * DAY)
    remove, removed = removal.remove, []

    def stopped(**said: Any) -> None:
        removed.append(said)
        if len(removed) == 2:
            raise IntegrityError("the disk is full")
        remove(**said)

    monkeypatch.setattr(removal, "remove", stopped)
    with pytest.raises(CommandError, match="did not answer"):
        prune()
    assert len(kept()) == 3
    assert "3 records dropped" in prune()
    assert sum(run["entries"] for run in runs()) == 5


def made(site: Site, number: int) -> None:
    """As many refusals of nobody as `number`, a second apart, in bulk."""
    entries = [
        Entry(
            id=uuid.uuid4(),
            site=site,
            leaf_hash=n.to_bytes(32),
            signature=b"x" * 64,
            key_id="x" * 16,
            time=NOON + timedelta(seconds=n),
        )
        for n in range(number)
    ]
    Entry.objects.bulk_create(entries)
    common = {"site": site, "canonical": "{}" * 200, "kind": "consent"}
    Content.objects.bulk_create(
        Content(entry=entry, time=entry.time, event="refused", **common)
        for entry in entries
    )


def test_memory_does_not_grow_with_the_ledger(
    site: Site, noon: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_CHUNK", 100)
    monkeypatch.setattr(removal, "LARGEST", 100)
    noon.shift(2000 * DAY)
    drop, peaks = retention._drop, []

    def dropped(*args: Any) -> int:
        """What waits for this test's commit, or to be collected, is nothing held."""
        connection.run_on_commit.clear()
        gc.collect()
        return drop(*args)

    monkeypatch.setattr(retention, "_drop", dropped)
    tracemalloc.start()
    for number in (1500, 300, 2400):  # the first fills what SQLite remembers
        with transaction.atomic():
            made(site, number)
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            assert f"{number} records dropped" in prune()
            peaks.append(tracemalloc.get_traced_memory()[1] - before)
            transaction.set_rollback(True)
    tracemalloc.stop()
    # Of eight times as many records; what Python keeps for itself is a tenth or two.
    assert peaks[2] < 1.3 * peaks[1]


# --- neither hides an edit -----------------------------------------------------------


def test_a_removal_for_retention_opens_only_its_own_entrys_door(
    parisian: Client, noon: Any
) -> None:
    choose(parisian, NONE)
    noon.shift(2000 * DAY)
    choose(parisian, ALL)
    prune()
    before = rows()
    for table in ("consent_content", "consent_link", "consent_entry"):
        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"DELETE FROM {table}")
    assert rows() == before
    assert cookie(parisian)
