"""Visitors who still hold the cookie of the tool that a site used before."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import Client

from consent import publication
from consent.models import Content, Link, Preference, Site
from tests.conftest import NOON, NewVisitor
from tests.logs import another_site
from tests.visits import (
    ALL,
    NONE,
    OWN_PAGE,
    SETTINGS,
    choose,
    cookie,
    decision,
    post_form,
    records,
    rows,
    sign_in,
    sign_out,
)

pytestmark = pytest.mark.usefixtures("noon")
PARIS = "2a02:cfc0::1"
MAP = {"functional": "comfort", "analytics": "stats", "marketing": "ads"}
VANILLA = {"tool": "vanilla-cookieconsent", "purposes": MAP}
KLARO = {"tool": "klaro", "purposes": MAP}


@pytest.fixture
def declare(settings: Any, site: Site) -> Any:
    """Declare earlier tools; version 1 asks the same as they did."""

    def declared(*entries: dict[str, Any]) -> None:
        settings.CONSENT_IMPORT_COOKIES = list(entries)

    declared({**VANILLA, "same_as": 1})
    return declared


def vanilla(*categories: str, days: float = 10, **members: Any) -> str:
    """What `cc_cookie` holds for somebody who answered some days ago."""
    given = (NOON - timedelta(days=days)).isoformat().replace("+00:00", "Z")
    body = {"categories": ["necessary", *categories], "consentTimestamp": given}
    return quote(json.dumps({**body, "lastConsentTimestamp": given, **members}))


def holding(browser: Client, value: str, name: str = "cc_cookie") -> Client:
    browser.cookies[name] = value
    return browser


def bring(browser: Client, **headers: str) -> Any:
    """What the client script posts once where something is to be brought."""
    return post_form(browser, "signal")


def imports() -> list[dict[str, Any]]:
    return [record for record in records() if record["event"] == "imported"]


def acts() -> list[dict[str, Any]]:
    found = Content.objects.filter(kind="act", event="imports_declared")
    return [json.loads(one.canonical) for one in found.order_by("time")]


def test_an_earlier_answer_counts_at_once_and_a_get_writes_nothing(
    parisian: Client, declare: Any
) -> None:
    before = rows()
    told = decision(holding(parisian, vanilla("stats")))
    assert told["purposes"] == {**NONE, "necessary": True, "analytics": True}
    assert (told["banner"], told["reason"]) == ("none", "choice_valid")
    assert cookie(parisian) is None
    assert rows() == before


def test_without_a_declaration_nobody_looks_at_it(parisian: Client, site: Site) -> None:
    told = decision(holding(parisian, vanilla("stats")))
    assert (told["banner"], told["choice"]) == ("opt_in", None)
    bring(parisian)
    assert records() == []


def test_the_first_post_records_it_as_imported_and_never_again(
    parisian: Client, declare: Any
) -> None:
    holding(parisian, vanilla("stats", "comfort"))
    bring(parisian)
    (record,) = imports()
    assert record["purposes"] == {**ALL, "marketing": False}
    assert record["surface"] == "api"
    assert record["notice"] == {"hash": None, "language": None}
    assert record["time"].startswith("2026-11-23T12:00:00")
    given = NOON - timedelta(days=10)
    assert record["valid_until"] == (given + timedelta(days=180)).strftime(
        "%Y-%m-%dT%H:%M:%S.000Z"
    )
    assert cookie(parisian) is not None
    assert decision(parisian)["purposes"]["analytics"] is True
    bring(parisian)
    assert len(records()) == 1


def test_an_act_before_the_record_says_where_it_came_from(
    parisian: Client, visitor: NewVisitor, declare: Any
) -> None:
    for browser in (parisian, visitor(PARIS)):
        bring(holding(browser, vanilla("stats")))
    (act,) = acts()
    (declared,) = act["detail"]["cookies"]
    assert (declared["tool"], declared["same_as"]) == ("vanilla-cookieconsent", 1)
    declare(KLARO)
    bring(holding(visitor(PARIS), quote('{"ads": false}'), "klaro"))
    assert [a["detail"]["cookies"][0]["tool"] for a in acts()][-1] == "klaro"
    assert len(acts()) == 2


def test_the_script_is_told_to_post_it_until_that_is_done(
    parisian: Client, declare: Any
) -> None:
    def due() -> bool:
        return decision(parisian, "?script=1")["post_signal"]

    assert due() is False
    holding(parisian, vanilla("stats"))
    assert due() is True
    bring(parisian)
    assert due() is False


def test_a_grant_ends_when_one_of_ours_given_then_would(
    parisian: Client, visitor: NewVisitor, declare: Any
) -> None:
    told = decision(holding(parisian, vanilla("stats", days=181)))
    assert told["purposes"]["analytics"] is False
    assert told["choice"]["purposes"] == {"functional": False, "marketing": False}
    holding(parisian, vanilla("stats", days=179))
    assert decision(parisian)["purposes"]["analytics"] is True
    bring(parisian)
    with time_machine.travel(NOON + timedelta(days=2), tick=False):
        assert decision(parisian)["purposes"]["analytics"] is False


def test_a_grant_needs_a_version_that_asks_the_same(
    parisian: Client, declare: Any
) -> None:
    holding(parisian, vanilla("stats"))
    for same_as in ({}, {"same_as": 7}):
        declare({**VANILLA, **same_as})
        told = decision(parisian)
        assert told["purposes"]["analytics"] is False
        assert told["choice"]["purposes"] == {"functional": False, "marketing": False}
        assert told["banner"] == "opt_in"


def test_what_has_changed_since_that_version_is_asked_again(
    parisian: Client, second_policy: Site, declare: Any
) -> None:
    holding(parisian, vanilla("stats", "ads"))
    told = decision(parisian)
    assert told["purposes"] == {**NONE, "necessary": True, "analytics": True}
    assert told["reason"] == "policy_changed"
    bring(parisian)
    old, new = sorted(imports(), key=lambda record: record["policy"]["version"])
    assert (old["policy"]["version"], new["policy"]["version"]) == (1, 2)
    assert old["purposes"] == {"analytics": True, "marketing": True}
    assert new["purposes"] == {"functional": False}
    assert decision(parisian)["purposes"] == told["purposes"]


def test_a_cookie_without_a_time_brings_refusals_alone(
    parisian: Client, declare: Any
) -> None:
    declare({**KLARO, "same_as": 1})
    said = quote('{"stats": true, "ads": false}')
    told = decision(holding(parisian, said, "klaro"))
    assert told["choice"]["purposes"] == {"marketing": False}
    assert told["purposes"]["analytics"] is False
    bring(parisian)
    (record,) = imports()
    assert record["purposes"] == {"marketing": False}
    assert record["valid_until"] is None
    assert not Link.objects.exists()


def test_a_signal_suspends_an_earlier_grant_of_marketing(
    visitor: NewVisitor, declare: Any
) -> None:
    browser = holding(visitor(PARIS, gpc=True), vanilla("stats", "ads"))
    told = decision(browser)
    assert told["purposes"]["marketing"] is False
    assert told["signals"]["status"] == "honored"


def test_what_was_refused_earlier_is_off_where_it_would_run_by_default(
    alaskan: Client, declare: Any
) -> None:
    assert decision(alaskan)["purposes"]["marketing"] is True
    assert decision(holding(alaskan, vanilla()))["purposes"] == {
        **NONE,
        "necessary": True,
    }


@pytest.mark.parametrize(
    "value", ["rubbish", quote('{"categories": "all"}'), vanilla("stats")[:40]]
)
def test_where_a_cookie_cannot_be_read_nothing_runs_until_somebody_answers(
    alaskan: Client, declare: Any, value: str
) -> None:
    told = decision(holding(alaskan, value))
    assert told["purposes"] == {**NONE, "necessary": True}
    assert told["reason"] == "no_choice"
    bring(alaskan)
    assert records() == []
    choose(alaskan, {"analytics": True})
    assert decision(alaskan)["purposes"]["analytics"] is True


def test_two_cookies_of_the_name_are_believed_as_little_as_none_that_is_read(
    alaskan: Client, declare: Any
) -> None:
    both = f"cc_cookie={vanilla('ads')}; cc_cookie={vanilla()}"
    told = decision(alaskan, Cookie=both)
    assert told["purposes"] == {**NONE, "necessary": True}


def test_of_two_tools_the_refusal_holds(parisian: Client, declare: Any) -> None:
    declare({**VANILLA, "same_as": 1}, KLARO)
    holding(parisian, vanilla("stats", "ads"))
    holding(parisian, quote('{"stats": false}'), "klaro")
    assert decision(parisian)["purposes"] == {
        **NONE,
        "necessary": True,
        "marketing": True,
    }


def test_another_sites_declaration_is_not_this_ones(
    parisian: Client, declare: Any
) -> None:
    declare({**VANILLA, "site": "shop", "same_as": 1})
    assert decision(holding(parisian, vanilla("stats")))["choice"] is None


def test_an_answer_to_our_banner_is_laid_over_the_recorded_import(
    parisian: Client, declare: Any
) -> None:
    holding(parisian, vanilla("stats"))
    choose(parisian, {"marketing": True}, partial=True)
    first, second = records()
    assert (first["event"], second["event"]) == ("imported", "granted")
    assert decision(parisian)["choice"]["purposes"] == {
        "functional": False,
        "analytics": True,
        "marketing": True,
    }
    assert Link.objects.values("visitor").distinct().count() == 1


def test_once_somebody_answered_here_the_earlier_cookie_says_nothing(
    parisian: Client, declare: Any
) -> None:
    choose(parisian, NONE)
    told = decision(holding(parisian, vanilla("stats", "ads", "comfort")))
    assert told["purposes"] == {**NONE, "necessary": True}
    bring(parisian)
    assert imports() == []


def test_an_opt_out_keeps_what_was_imported(parisian: Client, declare: Any) -> None:
    holding(parisian, vanilla("stats", "ads"))
    answer = parisian.post("/privacy-choices/", headers=OWN_PAGE)
    assert answer.status_code == 303
    assert [r["event"] for r in records()] == ["imported", "opted_out"]
    assert decision(parisian)["purposes"]["analytics"] is True
    assert decision(parisian)["purposes"]["marketing"] is False


def test_a_post_from_elsewhere_brings_nothing(parisian: Client, declare: Any) -> None:
    holding(parisian, vanilla("stats"))
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {}):
        parisian.post("/consent/choice/", {"answer": "signal"}, headers=headers)
    assert records() == []


def test_an_account_is_brought_refusals_alone(
    parisian: Client, ada: Any, declare: Any
) -> None:
    holding(parisian, vanilla("stats"))
    sign_in(parisian, ada)
    (record,) = records()
    assert record["event"] == "imported"
    assert record["purposes"] == {"functional": False, "marketing": False}
    assert decision(parisian)["purposes"] == {**NONE, "necessary": True}
    assert Link.objects.get().user == str(ada.pk)


def test_at_sign_in_an_earlier_refusal_holds_over_the_accounts_grant_and_is_told(
    parisian: Client, visitor: NewVisitor, ada: Any, declare: Any
) -> None:
    other = visitor(PARIS)
    sign_in(other, ada)
    choose(other, ALL)
    sign_in(holding(parisian, vanilla("stats")), ada)
    assert Preference.objects.get().kept_refused == ["functional", "marketing"]
    assert decision(other)["purposes"] == {
        **NONE,
        "necessary": True,
        "analytics": True,
    }
    choose(parisian, ALL)
    bring(parisian)
    assert decision(other)["purposes"] == {**ALL, "necessary": True}
    assert len(imports()) == 1


def test_somebody_signed_in_already_is_brought_them_at_the_next_post(
    parisian: Client, ada: Any, declare: Any
) -> None:
    sign_in(parisian, ada)
    holding(parisian, vanilla("stats"))
    bring(parisian)
    assert [r["purposes"] for r in imports()] == [
        {"functional": False, "marketing": False}
    ]
    assert Preference.objects.get().user == ada


def test_signing_out_writes_no_cookie_of_what_was_not_recorded(
    parisian: Client, ada: Any, declare: Any
) -> None:
    sign_in(parisian, ada)
    holding(parisian, vanilla())
    sign_out(parisian)
    assert [r["event"] for r in records()] in ([], ["imported"])
    assert (cookie(parisian) is not None) is bool(records())


def test_signing_in_after_an_import_brings_no_grant_along(
    parisian: Client, ada: Any, declare: Any
) -> None:
    """Nobody knows that the person who signs in is the one who answered."""
    bring(holding(parisian, vanilla("stats")))
    sign_in(parisian, ada)
    assert decision(parisian)["purposes"]["analytics"] is False
    assert [r["event"] for r in records()] == ["imported", "merged"]


def test_erasing_is_not_followed_by_an_import(parisian: Client, declare: Any) -> None:
    holding(parisian, vanilla("stats", "ads"))
    path = "/cookie-preferences/erase/"
    assert parisian.post(path, {"sure": "yes"}, headers=OWN_PAGE).status_code == 303
    assert imports() == []
    assert decision(parisian)["purposes"] == {**NONE, "necessary": True}


def test_an_old_refusal_is_not_renewed_into_a_cookie_by_a_get(
    parisian: Client, declare: Any
) -> None:
    decision(holding(parisian, vanilla(days=390)))
    assert cookie(parisian) is None


def test_the_preference_pages_show_an_earlier_answer(
    parisian: Client, ada: Any, declare: Any
) -> None:
    holding(parisian, vanilla("stats"))
    assert parisian.get("/cookie-preferences/").status_code == 200
    assert parisian.get("/").status_code == 200
    bring(parisian)
    page = parisian.get("/cookie-preferences/").content.decode()
    assert "Imported" in page
    sign_in(parisian, ada)
    assert parisian.get(SETTINGS).status_code == 200


def test_a_site_that_has_published_nothing_lets_nothing_in(
    parisian: Client, site: Site, declare: Any
) -> None:
    Site.objects.filter(pk=site.pk).update(hosts=["old.example.org"])
    another_site(hosts=["testserver"])
    publication.forget()
    declare({**VANILLA, "same_as": 1})
    told = decision(holding(parisian, vanilla("stats")))
    assert told["purposes"] == {**NONE, "necessary": True}
    bring(parisian)
    assert records() == []


def test_e017_a_declaration_can_be_understood(settings: Any) -> None:
    settings.CONSENT_IMPORT_COOKIES = [{"tool": "cookiebot"}, "klaro"]
    found = [m for m in run_checks(tags=["consent"]) if m.id == "consent.E017"]
    assert ["tool is one of" in found[0].msg, "object" in found[1].msg] == [True, True]


def test_w022_a_declaration_names_a_site_and_a_version_that_are_there(
    declare: Any,
) -> None:
    def told() -> list[str]:
        found = run_checks(tags=["database"], databases=["default"])
        return [message.msg for message in found if message.id == "consent.W022"]

    assert told() == []
    declare({**VANILLA, "same_as": 9}, {**KLARO, "site": "nowhere"})
    assert ["version 9" in told()[0], "nowhere" in told()[1]] == [True, True]


@pytest.mark.django_db(transaction=True)
def test_a_log_with_imports_verifies(
    visitor: NewVisitor, second_policy: Site, declare: Any, capsys: Any
) -> None:
    for kept in (vanilla("stats", "ads"), vanilla(), vanilla("comfort")):
        bring(holding(visitor(PARIS), kept))
    call_command("seal_ledger")
    call_command("verify_ledger")
    assert len(imports()) > 3
