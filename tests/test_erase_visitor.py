"""`manage.py erase_visitor`: what an operator erases for somebody who asked for it."""

import json
import uuid
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from consent.models import Content, Link, Preference, Removal, Restricted, Site
from tests.conftest import NewVisitor
from tests.visits import (
    ALL,
    NONE,
    SETTINGS,
    choose,
    decision,
    post_form,
    records,
    rows,
    sign_in,
)

PARIS = "2a02:cfc0::1"


def command(*words: str) -> str:
    told = StringIO()
    call_command("erase_visitor", *words, "--yes", stdout=told)
    return told.getvalue()


def history(browser: Client) -> list[dict[str, Any]]:
    return browser.get("/api/v1/history").json()["records"]


def test_an_operator_erases_an_account_by_name_or_key(
    visitor: NewVisitor, ada: Any
) -> None:
    browser = visitor(PARIS)
    sign_in(browser, ada)
    for named in ("ada", str(ada.pk)):
        choose(browser, ALL)
        assert "1 erased" in command("--user", named)
        assert decision(browser)["choice"]["purposes"] == NONE
    record = records()[-1]
    assert (record["event"], record["surface"]) == ("erased", "api")
    assert record["notice"] == {"hash": None, "language": None}
    assert record["location"]["country"] is None
    assert record["jurisdiction"]["rule"] == "*"


def test_an_operator_erases_what_an_accounts_browser_gave_before_it_signed_in(
    visitor: NewVisitor, ada: Any
) -> None:
    browser, nobodys = visitor(PARIS), visitor(PARIS)
    number = choose(browser, ALL)["receipt"]["id"]
    theirs = choose(nobodys, ALL)["receipt"]["id"]
    sign_in(browser, ada)
    assert "2 records to erase" in command("--user", "ada")
    assert Removal.objects.filter(entry=number).exists()
    assert Link.objects.get().pk.hex == theirs


def test_an_account_is_erased_by_whatever_finds_it(
    visitor: NewVisitor, ada: Any
) -> None:
    browser = visitor(PARIS)
    sign_in(browser, ada)
    choose(browser, ALL)
    assert "1 erased" in command("--user", f"0{ada.pk}")
    assert not Link.objects.exists()


def test_an_operator_erases_what_a_deleted_account_left(
    visitor: NewVisitor, ada: Any
) -> None:
    browser = visitor(PARIS)
    sign_in(browser, ada)
    choose(browser, ALL)
    key = str(ada.pk)
    ada.delete()
    assert "1 erased" in command("--user", key)
    assert not Link.objects.exists()


def test_an_operator_erases_a_browsers_records_and_leaves_an_accounts(
    visitor: NewVisitor, ada: Any
) -> None:
    browser = visitor(PARIS)
    identity = choose(browser, ALL)["receipt"]["opening"]["visitor"]
    sign_in(browser, ada)
    assert Link.objects.filter(visitor=identity).count() == 2
    told = command("--visitor", identity)
    assert "1 erased" in told
    assert "1 more" in told
    assert Link.objects.get().user == str(ada.pk)


def test_a_dry_run_and_an_unconfirmed_run_erase_nothing(
    parisian: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = choose(parisian, ALL)["receipt"]["opening"]["visitor"]
    before = rows()
    told = StringIO()
    call_command("erase_visitor", visitor=identity, dry_run=True, stdout=told)
    assert "1 record to erase" in told.getvalue()
    monkeypatch.setattr("builtins.input", lambda _: "no")
    call_command("erase_visitor", visitor=identity, stdout=told)
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    assert rows() == before
    call_command("erase_visitor", visitor=identity, stdout=told)
    assert not Link.objects.exists()


def test_where_nobody_can_be_asked_the_command_wants_to_be_told(
    parisian: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = choose(parisian, ALL)["receipt"]["opening"]["visitor"]

    def nobody(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    with pytest.raises(CommandError, match="--yes"):
        call_command("erase_visitor", visitor=identity, stdout=StringIO())
    assert Link.objects.count() == 1


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--receipt", "no number"], "no receipt number"),
        (["--user", "ada", "--site", "nowhere"], "no site nowhere"),
    ],
)
def test_the_command_says_what_is_wrong(words: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        command(*words)


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    "words", [["--visitor", "0" * 32], ["--user", "ada"], ["--receipt", "0" * 32]]
)
def test_the_command_leaves_nothing_where_there_is_nothing(words: list[str]) -> None:
    before = rows()
    assert "nothing to erase" in command(*words)
    assert rows() == before


def test_one_record_is_erased_by_its_number_alone(parisian: Client) -> None:
    first, second = (choose(parisian, ALL)["receipt"]["id"] for _ in range(2))
    assert "1 erased" in command("--receipt", first)
    assert [r["id"] for r in history(parisian)] == [second]
    assert parisian.get(f"/api/v1/receipts/{first}").json()["gone"] == "erased"
    assert "nothing to erase" in command("--receipt", first)
    assert [r["event"] for r in records()] == ["granted", "granted"]


def test_with_a_record_go_those_that_a_sign_in_made_from_it(
    visitor: NewVisitor, ada: Any, bob: Any
) -> None:
    browser, other, bobs = visitor(PARIS), visitor(PARIS), visitor(PARIS)
    sign_in(bobs, bob)
    theirs = choose(bobs, ALL)["receipt"]["id"]
    sign_in(browser, ada)
    number = choose(browser, ALL)["receipt"]["id"]
    choose(other, {"analytics": True})
    sign_in(other, ada)
    merged = Link.objects.get(sources=[number]).pk
    told = command("--receipt", number)
    assert "2 records to erase" in told
    assert "2 erased" in told
    assert set(Removal.objects.values_list("entry", flat=True)) == {
        uuid.UUID(number),
        merged,
    }
    assert not Link.objects.exclude(sources=[]).exists()
    assert Link.objects.filter(pk=theirs).exists()
    assert decision(browser)["choice"]["purposes"] == NONE


def test_a_refusal_of_nobody_is_erased_by_its_number(parisian: Client) -> None:
    number = choose(parisian, NONE)["receipt"]["id"]
    assert "1 erased" in command("--receipt", number)
    assert parisian.get(f"/api/v1/receipts/{number}").json()["gone"] == "erased"
    act = Content.objects.get(kind="act", event="erased")
    assert json.loads(act.canonical)["detail"]["entries"] == 1
    assert not Restricted.objects.exists()


def test_an_act_is_not_erased_by_its_number(site: Site) -> None:
    number = Content.objects.filter(kind="act").latest("time").pk.hex
    assert "nothing to erase" in command("--receipt", number)
    assert not Removal.objects.exists()


def test_a_grant_of_an_account_ends_with_its_record(
    visitor: NewVisitor, ada: Any
) -> None:
    browser = visitor(PARIS)
    sign_in(browser, ada)
    choose(browser, {"functional": True, "analytics": True})
    with_marketing = {"surface": "preferences", "purpose-marketing": "yes"}
    post_form(browser, "allow", path=SETTINGS, **with_marketing)
    older = records()[0]["id"]
    told = command("--receipt", older)
    running = decision(browser)["purposes"]
    assert records()[-1]["id"] in told
    assert running["functional"] is running["analytics"] is False
    assert len(history(browser)) == 1


def test_an_account_never_names_an_erased_record_as_its_receipt(
    visitor: NewVisitor, ada: Any
) -> None:
    browser = visitor(PARIS)
    sign_in(browser, ada)
    number = choose(browser, NONE)["receipt"]["id"]
    command("--receipt", number)
    row = Preference.objects.get(user=ada)
    assert row.receipt not in {"", number}
    assert decision(browser)["choice"]["purposes"] == NONE
