"""One's own records as files: whose they are, and who else gets none of them."""

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from consent import publication
from consent.models import Site
from tests.conftest import NewVisitor
from tests.logs import another_site
from tests.visits import (
    ALL,
    NONE,
    SETTINGS,
    choose,
    cookie,
    records,
    sign_in,
    sign_out,
)

OWN = "/cookie-preferences/history"
ACCOUNT = f"{SETTINGS}history"
PARIS = "2a02:cfc0::1"
COLUMNS = [
    *("time", "event", "surface", "functional", "analytics", "marketing"),
    *("rule", "policy_version", "receipt"),
]


def file(browser: Client, address: str) -> Any:
    response = browser.get(address)
    assert response.status_code == 200
    return response


def as_json(browser: Client, address: str = OWN) -> list[dict[str, Any]]:
    found = json.loads(file(browser, f"{address}.json").content)
    assert set(found) == {"records"}
    return found["records"]  # type: ignore[no-any-return]


def as_csv(browser: Client, address: str = OWN) -> list[dict[str, str]]:
    text = file(browser, f"{address}.csv").content.decode()
    reader = csv.DictReader(io.StringIO(text))
    assert reader.fieldnames == COLUMNS
    return list(reader)


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [receipt["id"] for receipt in found]


def test_a_browser_gets_its_own_records_newest_first(parisian: Client) -> None:
    made = [choose(parisian, said)["receipt"] for said in (ALL, {"analytics": True})]
    found = as_json(parisian)
    assert ids(found) == [receipt["id"] for receipt in reversed(made)]
    assert found[0]["record"]["purposes"] == {**NONE, "analytics": True}
    assert found[0]["canonical"] == made[1]["canonical"]
    assert found[0]["opening"] == made[1]["opening"]


def test_a_table_says_the_same_in_rows(parisian: Client) -> None:
    receipt = choose(parisian, {"analytics": True}, surface="banner")["receipt"]
    (row,) = as_csv(parisian)
    assert row == {
        "time": receipt["record"]["time"],
        "event": "partial",
        "surface": "banner",
        "functional": "False",
        "analytics": "True",
        "marketing": "False",
        "rule": "FR",
        "policy_version": "1",
        "receipt": receipt["id"],
    }


def test_what_was_not_answered_is_an_empty_cell(parisian: Client) -> None:
    choose(parisian, {"functional": True}, partial=True)
    (row,) = as_csv(parisian)
    assert (row["functional"], row["analytics"], row["marketing"]) == ("True", "", "")


def test_nobody_gets_the_records_of_somebody_else(visitor: NewVisitor) -> None:
    first, second = visitor(PARIS), visitor(PARIS)
    mine, theirs = choose(first, ALL)["receipt"], choose(second, ALL)["receipt"]
    assert ids(as_json(first)) == [mine["id"]]
    assert ids(as_json(second)) == [theirs["id"]]
    assert [row["receipt"] for row in as_csv(first)] == [mine["id"]]
    assert theirs["id"] not in file(first, f"{OWN}.json").content.decode()


@pytest.mark.parametrize("value", ["", "x", "0" * 32, "0" * 32 + ":signed"])
def test_without_its_cookie_a_browser_gets_an_empty_list(
    parisian: Client, visitor: NewVisitor, value: str
) -> None:
    choose(parisian, ALL)
    stranger = visitor(PARIS)
    if value:
        stranger.cookies["consent_id"] = value
    assert as_json(stranger) == []
    assert as_csv(stranger) == []


def test_the_choice_itself_is_no_key_to_records(
    parisian: Client, visitor: NewVisitor
) -> None:
    choose(parisian, ALL)
    thief = visitor(PARIS)
    thief.cookies["consent"] = cookie(parisian) or ""
    assert as_json(thief) == []


def test_a_refusal_leaves_no_record_in_anybodys_file(parisian: Client) -> None:
    choose(parisian, NONE)
    assert len(records()) == 1
    assert as_json(parisian) == []


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_file_is_kept_nowhere_and_has_a_name(parisian: Client, form: str) -> None:
    choose(parisian, ALL)
    response = file(parisian, f"{OWN}.{form}")
    assert "no-store" in response["Cache-Control"]
    name = f'attachment; filename="cookie-preferences.{form}"'
    assert response["Content-Disposition"] == name
    types = {"json": "application/json", "csv": "text/csv; charset=utf-8"}
    assert response["Content-Type"] == types[form]
    assert not response.cookies


@pytest.mark.parametrize("form", ["json", "csv"])
def test_the_accounts_file_is_behind_sign_in(parisian: Client, form: str) -> None:
    choose(parisian, ALL)
    response = parisian.get(f"{ACCOUNT}.{form}")
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/?next=")
    assert "no-store" in response["Cache-Control"]


def test_an_account_gets_its_records_from_every_device(
    visitor: NewVisitor, ada: Any
) -> None:
    phone, laptop = visitor(PARIS), visitor(PARIS)
    for browser in (phone, laptop):
        sign_in(browser, ada)
    first = choose(phone, ALL)["receipt"]
    second = choose(laptop, NONE)["receipt"]
    for browser in (phone, laptop):
        assert set(ids(as_json(browser, ACCOUNT))) == {first["id"], second["id"]}
        assert len(as_csv(browser, ACCOUNT)) == 2
        response = file(browser, f"{ACCOUNT}.json")
        assert "no-store" in response["Cache-Control"]


def test_an_account_gets_nothing_of_another_account(
    visitor: NewVisitor, ada: Any, bob: Any
) -> None:
    hers, his = visitor(PARIS), visitor(PARIS)
    sign_in(hers, ada)
    sign_in(his, bob)
    choose(hers, ALL)
    assert as_json(his, ACCOUNT) == []
    assert as_json(his) == []


def test_after_signing_out_a_browser_holds_no_key_to_the_accounts_records(
    parisian: Client, ada: Any
) -> None:
    sign_in(parisian, ada)
    choose(parisian, ALL)
    sign_out(parisian)
    assert as_json(parisian) == []
    assert parisian.get(f"{ACCOUNT}.json").status_code == 302


def test_a_cookie_of_one_site_is_no_key_on_another(
    site: Site, parisian: Client, settings: Settings
) -> None:
    choose(parisian, ALL)
    settings.ALLOWED_HOSTS = ["*"]
    another_site()
    publication.forget()
    there = Client(headers={"host": "shop.example.org"})
    there.cookies["consent_id"] = cookie(parisian, "consent_id") or ""
    assert as_json(there) == []
    assert len(as_json(parisian)) == 1


@pytest.mark.parametrize("form", ["xml", "JSON", "json/", "jsonx", ""])
def test_there_is_no_other_form(parisian: Client, form: str) -> None:
    for address in (OWN, ACCOUNT):
        assert parisian.get(f"{address}.{form}").status_code == 404


def test_files_are_only_read(parisian: Client) -> None:
    for form in ("json", "csv"):
        assert parisian.post(f"{OWN}.{form}").status_code == 405


def test_the_page_links_to_the_files_where_there_are_records(
    parisian: Client,
) -> None:
    assert f"{OWN}.json" not in parisian.get("/cookie-preferences/").content.decode()
    choose(parisian, ALL)
    text = parisian.get("/cookie-preferences/").content.decode()
    assert f'href="{OWN}.json"' in text
    assert f'href="{OWN}.csv"' in text


def test_the_settings_page_links_to_the_accounts_files(
    parisian: Client, ada: Any
) -> None:
    sign_in(parisian, ada)
    choose(parisian, ALL)
    text = parisian.get(SETTINGS).content.decode()
    assert f'href="{ACCOUNT}.json"' in text
    assert f'href="{ACCOUNT}.csv"' in text
