"""What the client script is told, what it may send, and pages of a shared cache."""

import html
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import Client
from django.urls import include, path
from pytest_django import DjangoAssertNumQueries, Settings

from consent import publication
from consent.management.demo_site import POLICY
from consent.models import Notice, Site
from tests.conftest import NewVisitor
from tests.test_api_decision import assert_problem
from tests.visits import (
    ALL,
    NONE,
    OWN_PAGE,
    body,
    choose,
    cookie,
    decision,
    records,
    rows,
    send,
    sign_in,
)

SCRIPT = "?script=1"
TOLD = {"notice", "held", "forget", "partly", "post_signal"}
PARTS = TOLD | {"html", "footer"}
STATE = {
    *("banner", "signals", "purposes", "services", "choice", "policy", "language"),
    "consent_mode",
}


def tags_page(request: HttpRequest, mode: str, tags: str = "hbf") -> HttpResponse:
    """A page of a project, with some of the tags: h(ead), b(anner), f(ooter)."""
    printed = {
        name: f'{{% {tag} mode="{mode}" %}}' if name in tags else ""
        for name, tag in (
            ("h", "consent_script"),
            ("b", "consent_banner"),
            ("f", "consent_footer"),
        )
    }
    source = (
        "{{% load consent_tags %}}<!doctype html><html><head>{h}</head>"
        "<body>{b}<p>bread</p>{f}</body></html>"
    ).format(**printed)
    template = engines["django"].from_string(source)
    return HttpResponse(template.render({}, request))


urlpatterns = [
    path("tags/<str:mode>/", tags_page),
    path("tags/<str:mode>/<str:tags>/", tags_page),
    path("", include("consent.urls")),
]


@pytest.fixture
def project(site: Site, settings: Settings) -> Site:
    """The app in a project that has pages of its own."""
    settings.ROOT_URLCONF = __name__
    return site


def publish(site: Site, **changes: Any) -> Any:
    return publication.publish(
        site=site, document={**POLICY, **changes}, at=datetime.now(UTC), by=None
    )


def told(browser: Client, query: str = "", **headers: str) -> dict[str, Any]:
    """What the script is told when it asks."""
    return decision(browser, f"{SCRIPT}{query}", **headers)


def addresses(markup: str) -> list[str]:
    found = re.findall(r' (?:href|action|src)="([^"]*)"', markup)
    return [html.unescape(address) for address in found]


def refused(response: Any, detail: str) -> None:
    assert_problem(response, 422, "invalid")
    assert detail in response.json()["detail"]


# --- what the script is told ----------------------------------------------------------


def test_only_the_script_is_told_more(parisian: Client) -> None:
    plain, more = decision(parisian), told(parisian)
    assert set(more) - set(plain) == PARTS
    assert {name: more[name] for name in plain} == plain
    for query in ("?script=0", "?script=", "?script=true"):
        assert not PARTS & set(decision(parisian, query))


def test_only_the_script_is_told_more_after_a_choice(parisian: Client) -> None:
    plain = choose(parisian, NONE)
    assert set(plain) == {"receipt", "decision"}
    assert not PARTS & set(plain["decision"])
    answer = send(parisian, body(NONE), query=SCRIPT)
    assert answer.status_code == 201
    assert set(answer.json()) == {"receipt", "decision", "saved"}
    assert set(answer.json()["decision"]) >= PARTS


def test_the_notice_is_the_banner_that_is_due(parisian: Client) -> None:
    found = told(parisian)
    assert set(found["notice"]) == {"hash", "asks"}
    assert found["notice"]["asks"] == list(NONE)
    choose(parisian, NONE, surface="banner", notice=found["notice"]["hash"])
    assert told(parisian)["notice"] is None
    assert told(parisian)["html"] == ""


def test_where_nothing_is_asked_there_is_no_notice_and_no_markup(
    alaskan: Client,
) -> None:
    found = told(alaskan)
    assert (found["banner"], found["notice"], found["html"]) == ("none", None, "")
    assert found["forget"] == []


def test_the_words_for_what_is_held_back_are_in_the_pages_language(
    parisian: Client,
) -> None:
    english, german = told(parisian)["held"], told(parisian, "&language=de")["held"]
    assert english["text"] == "{name} is held back until you allow it."
    assert english["allow"] == "Allow {name}"
    assert german["text"] != english["text"]
    for words in (english, german):
        assert "{name}" in words["text"]
        assert "{name}" in words["allow"]
        assert set(words["purposes"]) == set(NONE)
        assert set(words["services"]) == {"chat", "statistics", "video", "adverts"}
    assert english["purposes"]["marketing"] == "Marketing"
    assert english["services"]["video"] == {
        "purpose": "marketing",
        "name": "Video player",
        "each": False,
    }


def test_the_markup_has_absolute_addresses_and_no_token(parisian: Client) -> None:
    found = told(parisian)["html"]
    assert found.startswith('<section class="consent"')
    assert 'name="answer" value="reject"' in found
    assert "token" not in found
    assert "action=" not in found
    assert addresses(found)
    for address in addresses(found):
        assert address.startswith(("http://testserver/", "https://bakery.example/"))
    preferences = "http://testserver/cookie-preferences/?return_to=%7Bhere%7D"
    assert preferences in addresses(found)


def test_the_footer_has_absolute_addresses_and_what_is_the_visitors(
    californian: Client, visitor: NewVisitor
) -> None:
    found = told(californian)["footer"]
    assert "Opt-out request honored" in found
    links = addresses(found)
    assert "http://testserver/privacy-choices/?return_to=%7Bhere%7D" in links
    assert all(link.startswith(("http://", "https://")) for link in links)
    assert "Opt-out request honored" not in told(visitor("2a02:cfc0::1"))["footer"]


@pytest.mark.parametrize("edge", ["top", "bottom"])
def test_the_markup_is_pinned_to_the_edge_that_is_wanted(
    parisian: Client, edge: str
) -> None:
    found = told(parisian, f"&edge={edge}")["html"]
    assert found.startswith(f'<section class="consent pinned {edge}"')
    assert found.count("pinned") == 1


@pytest.mark.parametrize("edge", ["", "left", "top bottom", '"><script>', "Bottom"])
def test_any_other_edge_is_none(parisian: Client, edge: str) -> None:
    response = parisian.get("/api/v1/decision", {"script": "1", "edge": edge})
    assert response.json()["html"].startswith('<section class="consent"')


def test_a_place_that_forbids_a_banner_at_the_bottom_has_it_on_top(
    site: Site, hidden: Client, parisian: Client
) -> None:
    assert '"consent pinned bottom"' in told(hidden, "&edge=bottom")["html"]
    rule = {"place": "*", "placement": "no_bottom", "by": "x", "reason": "a test"}
    Site.objects.filter(pk=site.pk).update(rule_overrides=[rule])
    publication.forget()
    assert '"consent pinned top"' in told(hidden, "&edge=bottom")["html"]
    assert '"consent pinned top"' in told(hidden, "&edge=top")["html"]
    assert "pinned" not in told(hidden)["html"]
    assert '"consent pinned bottom"' in told(parisian, "&edge=bottom")["html"]


def test_the_confirmation_names_the_receipt_and_stands_where_the_banner_stood(
    parisian: Client,
) -> None:
    answer = send(parisian, body(ALL), query=f"{SCRIPT}&edge=top").json()
    saved = answer["saved"]
    assert saved.startswith('<section class="consent pinned top saved"')
    assert answer["receipt"]["id"] in saved
    assert "You’ve accepted additional cookies." in saved
    assert all(a.startswith(("http://testserver/", "#")) for a in addresses(saved))
    again = send(parisian, body(NONE), query=f"{SCRIPT}&language=fr").json()
    assert 'lang="fr"' in again["saved"]
    assert again["receipt"]["id"] in again["saved"]
    assert "You’ve" not in again["saved"]


def test_the_preference_form_comes_in_place_of_the_banner(parisian: Client) -> None:
    choose(parisian, {"analytics": True})
    found = told(parisian, "&choose=1")["html"]
    assert found.startswith('<section class="consent choose"')
    ticked = re.findall(r'name="(purpose-\w+)" value="(\w+)" checked', found)
    assert ticked == [
        ("purpose-functional", "no"),
        ("purpose-analytics", "yes"),
        ("purpose-marketing", "no"),
    ]
    assert re.findall(r'name="answer" value="(\w+)"', found) == [
        "accept",
        "reject",
        "save",
    ]
    assert 'name="token"' not in found
    assert "Example Video Inc." in found  # provider, cookies, lifetimes: all of it
    assert "vid_*" in found
    assert '<section class="consent choose"' not in told(parisian)["html"]


def test_the_preference_form_ticks_nothing_before_an_answer(
    parisian: Client, alaskan: Client
) -> None:
    for browser in (parisian, alaskan):
        found = told(browser, "&choose=1")["html"]
        assert 'type="radio"' in found
        assert "checked" not in found


def test_what_the_script_is_told_is_stored_nowhere(parisian: Client) -> None:
    response = parisian.get(f"/api/v1/decision{SCRIPT}&choose=1")
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies
    assert records() == []


# --- partial answers, and the banner that was on the screen ---------------------------


def test_a_partial_answer_keeps_what_it_leaves_out(parisian: Client) -> None:
    choose(parisian, {"functional": True, "analytics": True})
    choose(parisian, {"marketing": True}, partial=True)
    assert decision(parisian)["choice"]["purposes"] == ALL
    record = records()[-1]
    assert record["purposes"] == {"marketing": True}
    choose(parisian, {"functional": False}, partial=True)
    kept = decision(parisian)["choice"]["purposes"]
    assert kept == {**ALL, "functional": False}
    choose(parisian, {"functional": True}, partial=False)
    assert decision(parisian)["choice"]["purposes"] == {**NONE, "functional": True}


def test_a_partial_answer_about_one_service_leaves_its_purpose_alone(
    parisian: Client,
) -> None:
    choose(parisian, ALL)
    choose(parisian, {}, services={"video": False}, partial=True)
    found = decision(parisian)
    assert found["services"] == {"video": False}
    assert found["choice"]["purposes"] == ALL


def test_a_partial_answer_before_any_other_leaves_the_rest_unanswered(
    parisian: Client,
) -> None:
    choose(parisian, {"functional": True}, partial=True)
    found = decision(parisian)
    assert found["choice"]["purposes"] == {"functional": True}
    assert found["purposes"]["marketing"] is False
    assert found["banner"] == "opt_in"
    assert told(parisian)["notice"]["asks"] == ["analytics", "marketing"]


@pytest.mark.parametrize("partial", [1, 0, "true", None, [], {}])
def test_partial_is_true_or_false_and_nothing_else(
    parisian: Client, partial: object
) -> None:
    before = rows()
    refused(send(parisian, body(ALL, partial=partial)), "partial must be")
    assert rows() == before


def test_the_banner_that_was_named_is_the_one_of_the_record(parisian: Client) -> None:
    named = told(parisian, "&language=fr")["notice"]
    answer = choose(
        parisian, NONE, surface="banner", language="fr", notice=named["hash"]
    )
    record = answer["receipt"]["record"]
    assert record["notice"] == {"hash": named["hash"], "language": "fr"}
    assert Notice.objects.get(hash=named["hash"]).document["language"] == "fr"


def test_the_banner_is_known_by_what_was_asked_even_when_less_is_due_now(
    parisian: Client,
) -> None:
    whole = told(parisian)["notice"]
    choose(parisian, {"functional": True}, partial=True)
    assert told(parisian)["notice"]["hash"] != whole["hash"]
    answer = choose(parisian, ALL, surface="banner", notice=whole["hash"])
    assert answer["receipt"]["record"]["notice"]["hash"] == whole["hash"]


def test_the_banner_with_and_without_the_signal_are_told_apart(
    visitor: NewVisitor,
) -> None:
    quiet = told(visitor("2a02:cfc0::1"))["notice"]["hash"]
    loud = told(visitor("2a02:cfc0::1", gpc=True))["notice"]["hash"]
    assert quiet != loud
    for gpc, named in ((True, quiet), (False, loud)):
        # The signal came or went between the page and the answer.
        late = visitor("2a02:cfc0::1", gpc=gpc)
        answer = choose(late, NONE, surface="banner", notice=named)
        assert answer["receipt"]["record"]["notice"]["hash"] == named


def test_what_the_named_banner_asked_and_was_left_out_is_refused(
    second_policy: Site, visitor: NewVisitor
) -> None:
    browser = visitor("2a02:cfc0::1")
    named = told(browser)["notice"]
    answer = choose(
        browser,
        {"analytics": True},
        surface="banner",
        notice=named["hash"],
        policy_version=2,
    )
    assert answer["receipt"]["record"]["purposes"] == {**NONE, "analytics": True}


def answered_and_asked_again(site: Site, browser: Client) -> dict[str, Any]:
    """Somebody allowed everything; then another company shows the advertising."""
    choose(browser, ALL)
    services = [
        {**s, "provider": "Other Ads Inc."} if s["slug"] == "adverts" else s
        for s in POLICY["services"]
    ]
    publish(site, services=services)
    notice: dict[str, Any] = told(browser)["notice"]
    assert notice["asks"] == ["marketing"]
    return notice


def test_a_banner_that_asks_again_about_one_purpose_leaves_the_others(
    site: Site, parisian: Client
) -> None:
    notice = answered_and_asked_again(site, parisian)
    answer = choose(
        parisian, {}, surface="banner", notice=notice["hash"], policy_version=2
    )
    assert answer["receipt"]["record"]["purposes"] == {"marketing": False}
    kept = decision(parisian)["choice"]["purposes"]
    assert kept == {**ALL, "marketing": False}


def test_purposes_that_the_banner_did_not_ask_about_cannot_be_answered(
    site: Site, parisian: Client
) -> None:
    notice = answered_and_asked_again(site, parisian)
    before = rows()
    for purposes in ({"analytics": True}, {"functional": False, "marketing": True}):
        sent = body(purposes, surface="banner", notice=notice["hash"], policy_version=2)
        refused(send(parisian, sent), "The banner did not ask about")
    assert rows() == before


@pytest.mark.parametrize("named", ["", "x", 1, True, ["x"], {}, "sha256:\0", "\ud800"])
def test_what_can_be_no_banners_name_is_refused(
    parisian: Client, named: object
) -> None:
    before = rows()
    sent = send(parisian, body(NONE, surface="banner", notice=named))
    refused(sent, "notice must be the hash of a banner")
    assert rows() == before


def test_a_grant_to_a_banner_that_nobody_knows_is_asked_again(parisian: Client) -> None:
    before = rows()
    unknown = "sha256:" + "0" * 64
    sent = send(parisian, body(ALL, surface="banner", notice=unknown))
    assert_problem(sent, 409, "policy_changed")
    assert rows() == before


def test_a_refusal_counts_whatever_was_on_the_screen(parisian: Client) -> None:
    unknown = "sha256:" + "0" * 64
    answer = choose(parisian, NONE, surface="banner", notice=unknown)
    record = answer["receipt"]["record"]
    assert record["event"] == "refused"
    assert record["notice"] == {"hash": None, "language": "en"}
    assert decision(parisian)["banner"] == "none"


def test_a_banner_that_nobody_answered_is_refused_after_a_publication(
    site: Site, parisian: Client
) -> None:
    old = told(parisian)["notice"]["hash"]
    publish(site)
    new = told(parisian)["notice"]["hash"]
    assert old != new
    sent = body(ALL, surface="banner", notice=old, policy_version=1)
    assert_problem(send(parisian, sent), 409, "policy_changed")
    answer = choose(parisian, NONE, surface="banner", notice=old, policy_version=1)
    assert answer["receipt"]["record"]["policy"]["version"] == 1
    assert answer["receipt"]["record"]["notice"]["hash"] is None


def test_a_kept_banner_of_an_older_version_may_still_be_refused(
    site: Site, visitor: NewVisitor
) -> None:
    first, second = visitor("2a02:cfc0::1"), visitor("2a02:cfc0::1")
    old = told(first)["notice"]["hash"]
    choose(first, NONE, surface="banner", notice=old)
    publish(site)
    answer = choose(second, NONE, surface="banner", notice=old)
    record = answer["receipt"]["record"]
    assert record["notice"]["hash"] == old
    assert record["policy"]["version"] == 1
    granted = send(second, body(ALL, surface="banner", notice=old))
    assert granted.status_code == 409


def test_a_banner_of_another_site_is_refused(site: Site, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    about = {"slug": "shop", "name": "Shop", "hosts": ["shop.example"]}
    kept = (
        "languages",
        "unreviewed_languages",
        "controller_name",
        "privacy_policy_url",
    )
    more = ("controller_address", "controller_contact")
    shop = Site.objects.create(
        **about, **{name: getattr(site, name) for name in (*kept, *more)}
    )
    publish(shop)
    theirs = Client(headers={"host": "shop.example", "x-forwarded-for": "2a02:cfc0::1"})
    named = told(theirs)["notice"]["hash"]
    choose(theirs, NONE, surface="banner", notice=named)
    mine = Client(headers={"x-forwarded-for": "2a02:cfc0::1"})
    sent = send(mine, body(ALL, surface="banner", notice=named))
    assert_problem(sent, 409, "policy_changed")


@pytest.mark.parametrize("surface", ["preferences", "settings", "api"])
def test_only_an_answer_to_the_banner_names_one(parisian: Client, surface: str) -> None:
    named = told(parisian)["notice"]["hash"]
    sent = send(parisian, body(NONE, surface=surface, notice=named))
    refused(sent, "notice must be the hash of a banner")


def test_a_preference_page_is_no_banner(parisian: Client) -> None:
    choose(parisian, NONE)
    (record,) = records()
    named = record["notice"]["hash"]
    assert Notice.objects.get(hash=named).document["surface"] == "preferences"
    sent = send(parisian, body(ALL, surface="banner", notice=named))
    assert_problem(sent, 409, "policy_changed")


# --- cookies that are to go -----------------------------------------------------------


def service(slug: str, purpose: str, *cookies: str) -> dict[str, Any]:
    return {
        "slug": slug,
        "purpose": purpose,
        "name": slug,
        "provider": f"{slug} Inc.",
        "cookies": [{"name": name, "days": 1} for name in cookies],
    }


def test_cookies_of_what_was_refused_are_to_go(parisian: Client) -> None:
    assert told(parisian)["forget"] == []
    choose(parisian, {"functional": True})
    assert told(parisian)["forget"] == ["crumbs", "vid_*", "_ads"]
    choose(parisian, ALL, services={"video": False})
    assert told(parisian)["forget"] == ["vid_*"]
    choose(parisian, ALL, services={"video": True})
    assert told(parisian)["forget"] == []


def test_the_answer_to_a_refusal_says_what_is_to_go(parisian: Client) -> None:
    choose(parisian, ALL)
    answer = send(parisian, body(NONE), query=SCRIPT).json()
    assert answer["decision"]["forget"] == ["ovenchat", "crumbs", "vid_*", "_ads"]


def test_what_a_signal_turned_off_is_to_go_without_any_answer(
    californian: Client,
) -> None:
    assert told(californian)["forget"] == ["vid_*", "_ads"]


SHARED = [
    ("ab_test", "ab_test"),
    ("ab_test", "ab_*"),
    ("ab_*", "ab_test"),
    ("ab_*", "a*"),
    ("*", "ab_test"),
]


@pytest.mark.parametrize(("runs", "off"), SHARED)
def test_a_cookie_that_a_running_service_has_too_stays(
    site: Site, parisian: Client, runs: str, off: str
) -> None:
    services = [
        service("shown", "functional", runs),
        service("hidden", "marketing", off, "_gone" if runs != "*" else "x"),
    ]
    publish(site, services=services)
    choose(parisian, {"functional": True}, policy_version=2)
    kept = [] if runs == "*" else ["_gone"]
    assert told(parisian)["forget"] == kept


@pytest.mark.parametrize(
    "declared",
    [
        *("consent_session", "*_session", "consent_csrf", "*_csrf"),
        *("consent", "consent_id", "consent*", "*", "c*"),
    ],
)
def test_no_cookie_that_the_site_needs_ever_goes(
    site: Site, parisian: Client, declared: str
) -> None:
    services = [service("greedy", "marketing", declared, "greedy")]
    publish(site, services=services)
    choose(parisian, NONE, policy_version=2)
    assert told(parisian)["forget"] == ["greedy"]


def test_only_a_star_stands_for_other_letters(site: Site, parisian: Client) -> None:
    services = [
        service("runs", "functional", "a?", "b[cd]"),
        service("off", "marketing", "ax", "bc", "b[cd]", "a?"),
    ]
    publish(site, services=services)
    choose(parisian, {"functional": True}, policy_version=2)
    assert told(parisian)["forget"] == ["ax", "bc"]


# --- the signal -----------------------------------------------------------------------


def test_the_script_may_tell_of_a_signal_that_no_header_brought(
    parisian: Client, visitor: NewVisitor
) -> None:
    surfer = visitor("214.78.120.1", **{"CF-IPCountry": "US", "CF-Region-Code": "CA"})
    assert decision(surfer)["purposes"]["marketing"] is True
    found = decision(surfer, "?gpc=1")
    assert found["signals"]["gpc"] is True
    assert found["signals"]["status"] == "honored"
    assert found["purposes"]["marketing"] is False
    assert decision(parisian, "?gpc=1")["signals"]["applied"] == ["gpc"]


@pytest.mark.parametrize("said", ["0", "", "false", "-1", "no"])
def test_no_word_of_the_script_takes_the_header_away(
    californian: Client, said: str
) -> None:
    found = decision(californian, f"?gpc={said}")
    assert found["signals"]["gpc"] is True
    assert found["purposes"]["marketing"] is False


@pytest.mark.parametrize("said", ["0", "", "true", "11", "yes"])
def test_only_one_is_a_signal(parisian: Client, said: str) -> None:
    assert decision(parisian, f"?gpc={said}")["signals"]["gpc"] is False


def test_a_choice_with_a_told_signal_is_recorded_with_it(parisian: Client) -> None:
    answer = send(parisian, body(ALL, surface="banner"), query="?gpc=1").json()
    assert answer["receipt"]["record"]["signals"]["gpc"] is True


def test_the_signal_of_somebody_signed_in_is_to_be_posted_once(
    californian: Client, parisian: Client, ada: Any
) -> None:
    assert told(californian)["post_signal"] is False
    californian.force_login(ada)
    parisian.force_login(ada)
    assert told(parisian)["post_signal"] is False
    assert told(californian)["post_signal"] is True
    assert records() == []
    posted = californian.post(
        "/consent/choice/", {"answer": "signal"}, headers=OWN_PAGE
    )
    assert posted.status_code == 303
    (record,) = records()
    assert (record["event"], record["surface"]) == ("opted_out", "signal")
    assert told(californian)["post_signal"] is False
    again = californian.post("/consent/choice/", {"answer": "signal"}, headers=OWN_PAGE)
    assert again.status_code == 303
    assert len(records()) == 1


def test_a_signal_that_an_account_was_allowed_over_is_not_posted(
    visitor: NewVisitor, ada: Any
) -> None:
    browser = visitor("2a02:cfc0::1", gpc=True)
    sign_in(browser, ada)
    choose(browser, ALL, surface="preferences")
    assert decision(browser)["purposes"]["marketing"] is True
    assert told(browser)["post_signal"] is False


def test_a_signal_cannot_be_posted_from_another_site(
    californian: Client, ada: Any
) -> None:
    californian.force_login(ada)
    answer = californian.post(
        "/consent/choice/",
        {"answer": "signal"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403
    assert records() == []


# --- tags in pages of a project -------------------------------------------------------


def fetched(browser: Client, address: str, **headers: str) -> Any:
    response = browser.get(address, headers=headers)
    assert response.status_code == 200
    return response


def test_client_tags_ask_nothing_about_the_visitor(
    project: Site,
    parisian: Client,
    californian: Client,
    hidden: Client,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    choose(parisian, ALL)
    assert cookie(parisian)
    fetched(parisian, "/tags/client/")
    pages = set()
    for browser in (parisian, californian, hidden):
        with django_assert_num_queries(0):
            response = fetched(browser, "/tags/client/")
        pages.add(response.content)
        varies = response.get("Vary", "").lower()
        assert "cookie" not in varies
        assert "sec-gpc" not in varies
        assert "private" not in response.get("Cache-Control", "")
        assert "no-cache" not in response.get("Cache-Control", "")
        assert not response.cookies
    assert len(pages) == 1
    (text,) = pages
    assert b"data-state" not in text
    assert b'<section class="consent' not in text
    assert b"data-consent-open" in text
    assert b"data-consent-own" in text


def test_client_tags_are_the_same_for_an_account(
    project: Site, californian: Client, ada: Any
) -> None:
    fresh = fetched(californian, "/tags/client/").content
    californian.force_login(ada)
    response = fetched(californian, "/tags/client/")
    assert response.content == fresh
    assert "cookie" not in response.get("Vary", "").lower()


def test_server_tags_say_that_the_page_is_one_visitors_own(
    project: Site, parisian: Client
) -> None:
    response = fetched(parisian, "/tags/server/")
    varies = {name.strip() for name in response["Vary"].split(",")}
    assert varies >= {"Cookie", "Sec-GPC", "Accept-Language"}
    assert "private" in response["Cache-Control"]


@pytest.mark.parametrize("mode", ["server", "client"])
@pytest.mark.parametrize("tags", ["hbf", "hb", "b", "h", "bf"])
def test_the_script_is_printed_once(
    project: Site, parisian: Client, mode: str, tags: str
) -> None:
    text = fetched(parisian, f"/tags/{mode}/{tags}/").content.decode()
    assert len(re.findall(r"<script [^>]* data-consent-script", text)) == 1
    shown = mode == "server" and "b" in tags
    assert text.count('<section class="consent') == int(shown)


def test_a_footer_alone_brings_no_script(project: Site, parisian: Client) -> None:
    text = fetched(parisian, "/tags/server/f/").content.decode()
    assert "data-consent-script" not in text


def test_the_page_of_the_product_has_one_script_too(parisian: Client) -> None:
    text = fetched(parisian, "/").content.decode()
    assert len(re.findall(r"<script [^>]* data-consent-script", text)) == 1


def state_of(text: str) -> dict[str, Any]:
    found = re.search(r'data-state="([^"]*)"', text)
    assert found
    return json.loads(html.unescape(found[1]))  # type: ignore[no-any-return]


def people(visitor: NewVisitor) -> dict[str, Client]:
    chosen, alone = visitor("2a02:cfc0::1"), visitor("2a02:cfc0::1")
    choose(chosen, ALL)
    choose(alone, ALL, services={"video": False})
    return {
        "a Parisian": visitor("2a02:cfc0::1"),
        "a Parisian who chose": chosen,
        "a Parisian who refused a service": alone,
        "a Californian with the signal": visitor("214.78.120.1", gpc=True),
        "somebody behind Tor": visitor("65.0.0.1"),
    }


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_state_on_a_page_is_what_the_api_says(
    project: Site, visitor: NewVisitor, noon: object, language: str
) -> None:
    for who, browser in people(visitor).items():
        page = fetched(browser, f"/?language={language}").content.decode()
        state, asked = state_of(page), told(browser, f"&language={language}")
        assert set(state) == STATE | TOLD, who
        assert state.pop("policy") == {"version": asked["policy"]["version"]}
        if asked["choice"]:
            # Its number is a key, and other scripts run on the page.
            assert state["choice"]["receipt"] is None
            asked["choice"]["receipt"] = None
        assert state == {name: asked[name] for name in state}, who


def test_a_name_with_markup_stays_within_the_attribute(
    project: Site, parisian: Client
) -> None:
    name = """</script><b a="1" b='2'>&quot;"""
    services = [{**service("nasty", "marketing", "x"), "name": name}]
    publish(project, services=services)
    text = fetched(parisian, "/tags/server/h/").content.decode()
    assert "<b " not in text
    assert state_of(text)["held"]["services"]["nasty"]["name"] == name


def test_the_texts_of_a_project_page_are_those_of_the_active_language(
    project: Site, parisian: Client
) -> None:
    response = fetched(parisian, "/tags/server/", **{"accept-language": "de"})
    assert "Alle ablehnen" in response.content.decode()
    assert state_of(response.content.decode())["language"] == "de"
