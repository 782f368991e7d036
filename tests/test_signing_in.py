"""Signing in and out: what meets in an account, and what is left in a browser."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consent.models import Content, Link, Preference
from tests.conftest import NewVisitor
from tests.visits import (
    ALL,
    NONE,
    OWN_PAGE,
    SETTINGS,
    body,
    choose,
    cookie,
    decision,
    post_form,
    records,
    rows,
    send,
    sign_in,
    sign_out,
)

PARIS, CALIFORNIA = "2a02:cfc0::1", "214.78.120.1"


def of_user(user: Any) -> list[dict[str, Any]]:
    """The records of an account, oldest first."""
    links = Link.objects.filter(user=str(user.pk)).order_by("time")
    return [json.loads(Content.objects.get(pk=link.pk).canonical) for link in links]


def events(user: Any) -> list[str]:
    return [record["event"] for record in of_user(user)]


# --- the refusal holds --------------------------------------------------------------


def test_the_browsers_refusal_holds_over_the_accounts_grant(
    visitor: NewVisitor, ada: Any
) -> None:
    first, second = visitor(PARIS), visitor(PARIS)
    sign_in(first, ada)
    choose(first, ALL)
    choose(second, {**ALL, "analytics": False})
    sign_in(second, ada)
    for browser in (first, second):
        found = decision(browser)["purposes"]
        assert found == {"necessary": True, **ALL, "analytics": False}
    merged = of_user(ada)[-1]
    assert (merged["event"], merged["surface"]) == ("merged", "sign_in")
    assert merged["purposes"] == {**ALL, "analytics": False}
    assert Preference.objects.get(user=ada).kept_refused == ["analytics"]


def test_the_accounts_refusal_holds_over_the_browsers_grant(
    visitor: NewVisitor, ada: Any
) -> None:
    first, second = visitor(PARIS), visitor(PARIS)
    sign_in(first, ada)
    choose(first, {**ALL, "marketing": False})
    choose(second, ALL)
    before = rows()
    sign_in(second, ada)
    assert decision(second)["purposes"]["marketing"] is False
    assert decision(first)["purposes"]["marketing"] is False
    assert rows() == before
    assert Preference.objects.get(user=ada).kept_refused == []


def test_an_account_without_a_choice_takes_over_the_browsers(
    parisian: Client, ada: Any
) -> None:
    choose(parisian, {"functional": True})
    sign_in(parisian, ada)
    assert events(ada) == ["merged"]
    (record,) = of_user(ada)
    assert record["purposes"] == {**NONE, "functional": True}
    assert Preference.objects.get(user=ada).kept_refused == []
    assert decision(parisian)["purposes"]["functional"] is True


def test_a_merge_is_one_record_and_signing_in_again_none(
    visitor: NewVisitor, ada: Any
) -> None:
    browser = visitor(PARIS)
    choose(browser, ALL)
    sign_in(browser, ada)
    after_first = rows()
    sign_in(browser, ada)
    sign_in(visitor(PARIS), ada)
    assert rows() == after_first
    assert events(ada) == ["merged"]


def test_a_merge_never_lengthens_the_life_of_a_grant(
    visitor: NewVisitor, ada: Any, noon: Any
) -> None:
    first, second = visitor(PARIS), visitor(PARIS)
    sign_in(first, ada)
    choose(first, {"functional": True})
    ends = decision(first)["choice"]["expires_at"]
    noon.shift(86400 * 10)
    choose(second, {"functional": True})
    sign_in(second, ada)
    assert decision(second)["choice"]["expires_at"] == ends


def test_the_histories_of_browser_and_account_stay_apart(
    parisian: Client, ada: Any
) -> None:
    before_sign_in = choose(parisian, ALL)["receipt"]["id"]
    sign_in(parisian, ada)
    mine = parisian.get("/api/v1/history").json()["records"]
    assert before_sign_in not in {receipt["id"] for receipt in mine}
    assert [receipt["record"]["event"] for receipt in mine] == ["merged"]
    link = Link.objects.get(pk=before_sign_in)
    assert link.user == ""


def test_a_merged_record_names_what_it_came_from_outside_of_the_record(
    visitor: NewVisitor, ada: Any
) -> None:
    first, second = visitor(PARIS), visitor(PARIS)
    sign_in(first, ada)
    mine = choose(first, ALL)["receipt"]["id"]
    choose(second, NONE)
    sign_in(second, ada)
    merged = of_user(ada)[-1]
    assert Link.objects.get(pk=merged["id"]).sources == [mine]
    assert mine not in json.dumps(merged)


def test_an_answer_given_while_signed_in_simply_wins_on_every_device(
    visitor: NewVisitor, ada: Any
) -> None:
    first, second = visitor(PARIS), visitor(PARIS)
    for browser in (first, second):
        sign_in(browser, ada)
    choose(first, NONE)
    assert decision(second)["purposes"] == {"necessary": True, **NONE}
    choose(second, ALL)
    assert decision(first)["purposes"] == {"necessary": True, **ALL}
    assert events(ada) == ["refused", "granted"]
    assert decision(first)["choice"]["receipt"] == of_user(ada)[-1]["id"]


def test_a_kept_refusal_is_told_until_the_person_answers(
    visitor: NewVisitor, ada: Any
) -> None:
    first, second = visitor(PARIS), visitor(PARIS)
    sign_in(first, ada)
    choose(first, ALL)
    choose(second, NONE)
    sign_in(second, ada)
    told = second.get(SETTINGS).context["kept_refused"]
    assert told == ["functional", "analytics", "marketing"]
    choose(second, ALL)
    assert second.get(SETTINGS).context["kept_refused"] == []


def test_for_a_signed_in_person_the_cookie_does_not_count(
    visitor: NewVisitor, ada: Any
) -> None:
    browser, other = visitor(PARIS), visitor(PARIS)
    sign_in(browser, ada)
    choose(browser, NONE)
    choose(other, ALL)
    browser.cookies["consent"] = cookie(other)
    assert decision(browser)["purposes"] == {"necessary": True, **NONE}
    browser.cookies["consent"] = "forged"
    assert decision(browser)["choice"]["purposes"] == NONE


def test_a_cookie_that_cannot_be_believed_brings_nothing_to_the_account(
    parisian: Client, ada: Any
) -> None:
    parisian.cookies["consent"] = "forged"
    sign_in(parisian, ada)
    assert events(ada) == []
    assert decision(parisian)["purposes"] == {"necessary": True, **NONE}


# --- signing out --------------------------------------------------------------------


def test_signing_out_leaves_neither_user_nor_visitor_id(
    parisian: Client, ada: Any
) -> None:
    choose(parisian, ALL)
    sign_in(parisian, ada)
    assert cookie(parisian, "consent_id") is not None
    sign_out(parisian)
    assert cookie(parisian, "consent_id") is None
    assert cookie(parisian, "session") is None
    assert parisian.get("/api/v1/history").json() == {"records": [], "next": None}
    assert decision(parisian)["purposes"] == {"necessary": True, **ALL}


def test_what_one_person_left_comes_to_the_next_only_as_refusals(
    parisian: Client, ada: Any, bob: Any
) -> None:
    sign_in(parisian, ada)
    choose(parisian, {**ALL, "marketing": False})
    sign_out(parisian)
    sign_in(parisian, bob)
    found = decision(parisian)
    assert found["purposes"] == {"necessary": True, **NONE}
    assert found["choice"]["purposes"] == {"marketing": False}
    (record,) = of_user(bob)
    assert (record["event"], record["purposes"]) == ("merged", {"marketing": False})


def test_the_grants_that_one_person_left_give_the_next_nothing(
    parisian: Client, ada: Any, bob: Any
) -> None:
    sign_in(parisian, ada)
    choose(parisian, ALL)
    sign_out(parisian)
    response = sign_in(parisian, bob)
    assert response.cookies["consent"].value == ""
    assert events(bob) == []
    found = decision(parisian)
    assert found["choice"] is None
    assert found["purposes"] == {"necessary": True, **NONE}
    sign_out(parisian)
    assert decision(parisian)["choice"] is None


def test_an_opt_out_does_not_turn_what_was_left_into_the_next_persons_grants(
    parisian: Client, ada: Any, bob: Any
) -> None:
    sign_in(parisian, ada)
    choose(parisian, ALL)
    sign_out(parisian)
    parisian.post("/privacy-choices/", headers=OWN_PAGE)
    sign_in(parisian, bob)
    assert decision(parisian)["purposes"] == {"necessary": True, **NONE}
    assert decision(parisian)["choice"]["purposes"] == {"marketing": False}


def test_an_answer_after_signing_out_is_ones_own_again(
    parisian: Client, ada: Any, bob: Any
) -> None:
    sign_in(parisian, ada)
    choose(parisian, NONE)
    sign_out(parisian)
    choose(parisian, ALL)
    sign_in(parisian, bob)
    assert decision(parisian)["purposes"] == {"necessary": True, **ALL}


def test_the_same_person_comes_back_to_what_they_chose(
    parisian: Client, ada: Any
) -> None:
    sign_in(parisian, ada)
    choose(parisian, ALL)
    sign_out(parisian)
    before = rows()
    sign_in(parisian, ada)
    assert decision(parisian)["purposes"] == {"necessary": True, **ALL}
    assert rows() == before


def test_a_wrong_password_changes_nothing(parisian: Client, ada: Any) -> None:
    choose(parisian, ALL)
    held, before = cookie(parisian), rows()
    fields = {"username": "ada", "password": "guessed"}
    assert parisian.post(reverse("consent:sign-in"), fields).status_code == 200
    assert rows() == before
    assert cookie(parisian) == held


def test_a_person_who_is_removed_leaves_the_ledger_as_it_was(
    parisian: Client, ada: Any
) -> None:
    sign_in(parisian, ada)
    choose(parisian, ALL)
    before = rows()
    ada.delete()
    assert rows() == {**before, "Preference": 0}
    assert decision(parisian)["choice"] is not None


# --- the signal ---------------------------------------------------------------------


def test_the_signal_at_sign_in_opts_the_account_out_on_every_device(
    visitor: NewVisitor, ada: Any
) -> None:
    silent, signalling = visitor(CALIFORNIA), visitor(CALIFORNIA, gpc=True)
    sign_in(silent, ada)
    assert decision(silent)["purposes"]["marketing"] is True
    sign_in(signalling, ada)
    (record,) = of_user(ada)
    assert (record["event"], record["surface"]) == ("opted_out", "signal")
    assert record["purposes"] == {"marketing": False}
    assert record["signals"] == {"gpc": True, "dnt": False, "applied": ["gpc"]}
    found = decision(silent)
    assert found["signals"]["gpc"] is False
    assert found["purposes"] == {"necessary": True, **ALL, "marketing": False}


def test_the_signal_makes_no_second_record(visitor: NewVisitor, ada: Any) -> None:
    signalling = visitor(CALIFORNIA, gpc=True)
    sign_in(signalling, ada)
    before = rows()
    sign_out(signalling)
    sign_in(signalling, ada)
    sign_in(visitor(CALIFORNIA, gpc=True), ada)
    post_form(signalling, "signal")
    assert rows() == before


def test_the_merge_comes_before_the_signal(visitor: NewVisitor, ada: Any) -> None:
    browser = visitor(CALIFORNIA)
    choose(browser, ALL)
    sign_in(browser, ada, **{"Sec-GPC": "1"})
    assert events(ada) == ["merged", "opted_out"]
    assert decision(browser)["purposes"]["marketing"] is False
    assert decision(browser)["purposes"]["analytics"] is True


def test_the_signal_of_somebody_signed_in_is_posted_once_and_never_on_a_get(
    visitor: NewVisitor, ada: Any
) -> None:
    browser = visitor(CALIFORNIA)
    sign_in(browser, ada)
    before = rows()
    for page in ("/", "/api/v1/decision", SETTINGS, "/privacy-choices/"):
        browser.get(page, headers={"sec-gpc": "1"})
    assert rows() == before
    fields = {"answer": "signal"}
    headers = {**OWN_PAGE, "sec-gpc": "1"}
    for _ in range(2):
        response = browser.post("/consent/choice/", fields, headers=headers)
        assert response.status_code == 303
    assert events(ada) == ["opted_out"]
    assert decision(browser)["purposes"]["marketing"] is False


def test_another_site_cannot_post_the_signal_in_somebodys_name(
    visitor: NewVisitor, ada: Any
) -> None:
    browser = visitor(CALIFORNIA, gpc=True)
    browser.force_login(ada)
    before = rows()
    headers = {"origin": "https://evil.example"}
    fields = {"answer": "signal"}
    response = browser.post("/consent/choice/", fields, headers=headers)
    assert response.status_code == 403
    assert rows() == before


def test_a_later_explicit_grant_overrides_the_signal_and_is_recorded_so(
    visitor: NewVisitor, ada: Any
) -> None:
    signalling, silent = visitor(CALIFORNIA, gpc=True), visitor(CALIFORNIA)
    sign_in(signalling, ada)
    sign_in(silent, ada)
    answer = choose(signalling, ALL, surface="settings")
    record = answer["receipt"]["record"]
    assert record["event"] == "granted"
    assert record["purposes"] == ALL
    assert record["signals"] == {"gpc": True, "dnt": False, "applied": []}
    assert answer["decision"]["signals"]["status"] == "overridden"
    for browser in (signalling, silent):
        assert decision(browser)["purposes"]["marketing"] is True
    before = rows()
    sign_out(signalling)
    sign_in(signalling, ada)
    assert rows() == before


def test_a_grant_given_without_the_signal_does_not_override_it(
    visitor: NewVisitor, ada: Any
) -> None:
    silent = visitor(CALIFORNIA)
    sign_in(silent, ada)
    choose(silent, ALL)
    sign_in(visitor(CALIFORNIA, gpc=True), ada)
    assert events(ada) == ["granted", "opted_out"]
    assert decision(silent)["purposes"]["marketing"] is False


def test_a_thousand_anonymous_page_views_with_the_signal_write_no_row(
    californian: Client,
) -> None:
    before = rows()
    for page in [*["/"] * 200, *["/api/v1/decision"] * 800]:
        assert not californian.get(page).cookies
    assert rows() == before
    assert decision(californian)["signals"]["applied"] == ["gpc"]


def test_the_signal_of_somebody_anonymous_is_not_recorded_when_posted(
    californian: Client,
) -> None:
    before = rows()
    response = post_form(californian, "signal")
    assert response.status_code == 303
    assert not response.cookies
    assert rows() == before


def test_the_signal_alone_does_not_answer_the_banner(visitor: NewVisitor) -> None:
    found = decision(visitor(PARIS, gpc=True))
    assert (found["banner"], found["reason"]) == ("opt_in", "no_choice")
    assert found["signals"]["status"] == "honored"


def test_do_not_track_is_a_voluntary_signal_where_the_law_is_opt_in(
    parisian: Client, visitor: NewVisitor
) -> None:
    dnt = {"DNT": "1"}
    choose(parisian, ALL)
    found = decision(parisian, **dnt)
    assert found["signals"]["applied"] == ["dnt"]
    assert found["purposes"]["marketing"] is False
    found = decision(visitor(CALIFORNIA), **dnt)
    assert found["signals"] == {
        "gpc": False,
        "dnt": True,
        "applied": [],
        "status": None,
    }
    assert found["purposes"]["marketing"] is True


@pytest.mark.parametrize("value", ["0", "", "true", "11", " 1 ", "yes"])
def test_only_the_value_1_is_a_signal(visitor: NewVisitor, value: str) -> None:
    found = decision(visitor(CALIFORNIA), **{"Sec-GPC": value, "DNT": value})
    assert (found["signals"]["gpc"], found["signals"]["dnt"]) == (False, False)


def test_a_signal_of_somebody_signed_in_is_applied_before_it_is_recorded(
    visitor: NewVisitor, ada: Any
) -> None:
    browser = visitor(CALIFORNIA)
    sign_in(browser, ada)
    choose(browser, ALL)
    assert decision(browser, **{"Sec-GPC": "1"})["purposes"]["marketing"] is False


def test_the_account_is_on_every_record_that_was_made_signed_in(
    visitor: NewVisitor, ada: Any
) -> None:
    browser = visitor(CALIFORNIA)
    sign_in(browser, ada)
    send(browser, body(ALL))
    post_form(browser, "reject")
    browser.post("/privacy-choices/", headers=OWN_PAGE)
    assert events(ada) == ["granted", "withdrawn", "opted_out"]
    assert len(records()) == 3
    kept = " ".join(Content.objects.values_list("canonical", flat=True))
    assert '"ada"' not in kept
