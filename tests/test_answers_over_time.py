"""What was refused stays refused: through new policies, other people, other devices."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from consent import publication
from consent.management.demo_site import POLICY
from consent.models import Notice, Preference, Site
from tests.visits import (
    ALL,
    NONE,
    OWN_PAGE,
    SETTINGS,
    body,
    choose,
    decision,
    post_form,
    records,
    send,
    sign_in,
)

PARIS = "2a02:cfc0::1"
CALIFORNIA = "214.78.120.1"
TOKYO = "2001:218::1"
MADRID = "2a02:d5c0::1"
FEW = {"functional": {}, "analytics": {}}
FEW_SERVICES = [s for s in POLICY["services"] if s["purpose"] in FEW]
MORE = {
    "slug": "more",
    "purpose": "analytics",
    "name": "More",
    "provider": "More Inc.",
    "cookies": [],
}


def publish(site: Site, **members: Any) -> None:
    document = {**POLICY, **members}
    publication.publish(site=site, document=document, at=datetime.now(UTC), by=None)


def banner_of(browser: Any) -> str:
    """The banner's words about purposes, as the page shows them."""
    page = browser.get("/").content.decode()
    start = page.index("<section")
    return page[start : page.index("</section>", start)].lower()


# --- policies ------------------------------------------------------------------------


def test_a_refusal_outlives_a_tab_that_answers_an_older_policy(site, visitor):
    publish(site, purposes=FEW, services=FEW_SERVICES)
    publish(site)
    browser = visitor(CALIFORNIA)
    choose(browser, {**ALL, "marketing": False}, policy_version=3)
    choose(browser, {}, policy_version=2)
    assert decision(browser)["purposes"]["marketing"] is False


def test_a_refusal_outlives_a_policy_without_its_purpose(site, visitor):
    browser = visitor(CALIFORNIA)
    choose(browser, {"functional": True, "analytics": True})
    publish(site, purposes=FEW, services=FEW_SERVICES)
    choose(browser, {"functional": True, "analytics": True}, policy_version=2)
    publish(site)
    assert decision(browser)["purposes"]["marketing"] is False


def test_a_form_that_does_not_name_a_service_leaves_its_refusal(visitor):
    browser = visitor(PARIS)
    choose(browser, ALL, services={"video": False})
    yes = {f"purpose-{purpose}": "yes" for purpose in ALL}
    post_form(browser, "save", surface="preferences", **yes)
    assert decision(browser)["services"] == {"video": False}


def test_accepting_everything_takes_a_refused_service_in_again(visitor):
    browser = visitor(PARIS)
    choose(browser, ALL, services={"video": False})
    post_form(browser, "accept", surface="preferences")
    assert decision(browser)["services"] == {}
    assert records()[-1]["services"] == {"video": True}


def test_a_banner_after_a_change_asks_and_answers_only_what_changed(site, visitor):
    browser = visitor(PARIS)
    choose(browser, {"functional": True, "analytics": True, "marketing": False})
    publish(site, services=[*POLICY["services"], MORE])
    words = banner_of(browser)
    assert "analytics" in words
    assert "marketing" not in words
    post_form(browser, "accept")
    assert records()[-1]["purposes"] == {"analytics": True}
    assert decision(browser)["purposes"] == {
        "necessary": True,
        "functional": True,
        "analytics": True,
        "marketing": False,
    }


def test_rejecting_what_changed_withdraws_nothing_else(site, visitor):
    browser = visitor(PARIS)
    choose(browser, ALL)
    publish(site, services=[*POLICY["services"], MORE])
    post_form(browser, "reject")
    running = decision(browser)["purposes"]
    assert running["analytics"] is False
    assert running["functional"] is running["marketing"] is True


def test_after_an_opt_out_accepting_the_rest_leaves_marketing_off(visitor):
    browser = visitor(PARIS)
    browser.post("/privacy-choices/", headers=OWN_PAGE)
    assert "marketing" not in banner_of(browser)
    post_form(browser, "accept")
    assert decision(browser)["purposes"]["marketing"] is False


def test_a_longer_grant_makes_a_longer_peace_after_a_refusal(site, visitor):
    publish(site, rules={"grant_days": 700})
    with time_machine.travel(datetime(2026, 11, 23, 12, tzinfo=UTC), tick=False) as now:
        browser = visitor(MADRID)
        choose(browser, NONE, policy_version=2)
        now.shift(200 * 86_400)
        assert decision(browser)["banner"] == "none"


# --- signals and places --------------------------------------------------------------


def test_a_grant_over_do_not_track_is_suspended_by_the_other_signal(visitor):
    browser = visitor(PARIS, dnt="1")
    choose(browser, {"marketing": True})
    assert decision(browser)["signals"]["status"] == "overridden"
    with_signal = decision(browser, **{"sec-gpc": "1"})
    assert with_signal["purposes"]["marketing"] is False


def test_a_region_asked_about_does_not_replace_the_one_declared(visitor):
    browser = visitor(TOKYO)
    send(browser, body({"functional": True}), query="?place=FR")
    assert decision(browser, "?place=JP")["jurisdiction"]["rule"] == "FR+JP"


# --- one browser, several people -----------------------------------------------------


@pytest.mark.parametrize("expired", [True, False])
def test_what_one_person_granted_is_not_the_next_persons(visitor, ada, bob, expired):
    browser = visitor(PARIS)
    sign_in(browser, ada)
    choose(browser, ALL, surface="settings")
    if expired:
        del browser.cookies["consent_session"]
    sign_in(browser, bob)
    assert decision(browser)["purposes"]["marketing"] is False
    choose(browser, NONE)
    assert not Preference.objects.get(user=bob).state.count('"y"')


def test_the_next_persons_records_do_not_carry_the_firsts_visitor_id(
    visitor,
    ada,
    bob,
):
    browser = visitor(PARIS)
    sign_in(browser, ada)
    first = choose(browser, ALL, surface="settings")["receipt"]["opening"]["visitor"]
    sign_in(browser, bob)
    second = choose(browser, ALL, surface="settings")["receipt"]["opening"]["visitor"]
    assert first != second


def test_a_refusal_on_one_device_reaches_the_cookie_of_another(visitor, ada):
    one, two = visitor(PARIS), visitor(PARIS)
    sign_in(two, ada)
    choose(two, ALL)
    sign_in(one, ada)
    choose(one, NONE)
    two.get(SETTINGS)
    del two.cookies["consent_session"]
    assert decision(two)["purposes"]["marketing"] is False


def test_a_sign_in_past_the_merge_still_keeps_the_browsers_refusals(visitor, ada):
    browser = visitor(CALIFORNIA)
    choose(browser, NONE)
    browser.force_login(ada)
    assert decision(browser)["purposes"]["marketing"] is False


def test_a_signal_does_not_make_an_unbelieved_cookie_believed(visitor, ada):
    browser = visitor(CALIFORNIA)
    sign_in(browser, ada)
    browser.cookies["consent"] = "forged.value"
    assert decision(browser)["purposes"]["analytics"] is False
    signal = {**OWN_PAGE, "sec-gpc": "1"}
    browser.post("/consent/choice/", {"answer": "signal"}, headers=signal)
    assert decision(browser)["purposes"]["analytics"] is False


def test_the_notice_of_kept_refusals_outlives_a_signal(visitor, ada):
    first = visitor(PARIS)
    sign_in(first, ada)
    choose(first, ALL)
    second = visitor(PARIS)
    choose(second, {"functional": True, "analytics": False, "marketing": True})
    sign_in(second, ada, **{"sec-gpc": "1"})
    assert Preference.objects.get(user=ada).kept_refused == ["analytics"]


def test_allowing_a_kept_refusal_again_answers_nothing_else(visitor, ada):
    first = visitor(PARIS)
    sign_in(first, ada)
    choose(first, ALL)
    second = visitor(PARIS)
    choose(second, {"functional": True, "analytics": False, "marketing": True})
    sign_in(second, ada)
    post_form(second, "allow", path=SETTINGS, **{"purpose-analytics": "yes"})
    assert records()[-1]["purposes"] == {"analytics": True}
    assert decision(second)["purposes"]["analytics"] is True


# --- what records say ----------------------------------------------------------------


def test_a_record_points_at_the_notice_that_was_on_the_screen(visitor):
    browser = visitor(PARIS, gpc=True)
    choose(browser, {"marketing": True})
    shown = browser.get("/cookie-preferences/").context["notice_hash"]
    answer = {"surface": "preferences", "purpose-marketing": "yes"}
    post_form(browser, "save", **answer)
    assert records()[-1]["notice"]["hash"] == shown


def test_opting_out_names_the_page_it_was_done_on_and_signing_in_no_notice(
    visitor, ada
):
    browser = visitor(PARIS)
    choose(browser, ALL)
    sign_in(browser, ada)
    browser.post("/privacy-choices/", headers=OWN_PAGE)
    told = {r["event"]: r["notice"]["hash"] for r in records()}
    assert told["merged"] is None
    kept = Notice.objects.get(hash=told["opted_out"])
    assert kept.document["surface"] == "opt_out"


def test_a_merge_names_no_grant_to_words_that_have_changed(site, visitor, ada):
    browser = visitor(PARIS)
    choose(browser, ALL)
    elsewhere = [{**s, "provider": "Else"} for s in POLICY["services"]]
    publish(site, services=elsewhere)
    sign_in(browser, ada)
    merged = [r for r in records() if r["event"] == "merged"]
    assert all(not any(r["purposes"].values()) for r in merged)


def test_a_plain_refusal_is_linked_to_nobody_even_where_an_id_is_there(visitor):
    browser = visitor(PARIS)
    choose(browser, {"analytics": True})
    choose(browser, NONE)
    choose(browser, NONE)
    events = [(r["event"], r["visitor"] is None) for r in records()]
    assert events == [("partial", False), ("withdrawn", False), ("refused", True)]


def test_the_answer_to_a_choice_says_the_same_as_the_next_question(visitor):
    browser = visitor(PARIS)
    at_once = choose(browser, ALL)["decision"]
    later = decision(browser)
    at_once["choice"]["receipt"] = later["choice"]["receipt"] = None
    assert at_once == later
