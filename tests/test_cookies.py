"""The two cookies: when they are set, what is in them, and what is not believed."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.signing import Signer
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, example, given
from hypothesis import settings as budget
from hypothesis import strategies as st
from pytest_django import Settings

from consent import publication
from consent.core.preferences import Answer, Choice
from consent.core.purposes import OPTIONAL
from consent.core.scales import Model
from consent.management.demo_site import POLICY, SITE
from consent.models import Site
from consent.visitor.cookies import choice_value, parse_choice
from tests.conftest import NOON, NewVisitor
from tests.visits import (
    ALL,
    NONE,
    OWN_PAGE,
    body,
    choose,
    cookie,
    decision,
    post_form,
    send,
    sign_in,
    sign_out,
)

PAGES = ("/", "/cookie-preferences/", "/privacy-choices/", "/sign-in/")
NOTHING = {"necessary": True, **NONE}


def signed(text: str, *, site: str = "default") -> str:
    """What the site would sign; the text need not be a choice."""
    body = urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return Signer(salt=f"consent.cookie.{site}", sep=".").sign(body)


def granted(at: datetime, *, site: str = "default") -> str:
    """A good cookie that grants everything, made in a strict place."""
    answer = Answer(
        granted=True,
        at=at,
        expires=at + timedelta(days=180),
        policy=1,
        model=Model.OPT_IN,
    )
    return choice_value(Choice(answers=dict.fromkeys(OPTIONAL, answer)), site=site)


def assert_not_believed(browser: Client, header: str) -> None:
    found = decision(browser, cookie=header)
    assert found["choice"] is None
    assert found["reason"] == "no_choice"
    assert found["purposes"] == NOTHING
    assert not any(found["services"].values())


# --- when they are set --------------------------------------------------------------


@pytest.mark.parametrize("page", [*PAGES, "/api/v1/decision", "/.well-known/gpc.json"])
def test_nothing_is_set_before_a_choice(
    parisian: Client, californian: Client, hidden: Client, page: str
) -> None:
    for browser in (parisian, californian, hidden):
        response = browser.get(page)
        assert response.status_code == 200
        assert not {"consent", "consent_id"} & set(response.cookies)


def test_refusing_everything_sets_no_visitor_id(parisian: Client) -> None:
    response = send(parisian, body(NONE))
    assert set(response.cookies) == {"consent"}


def test_granting_anything_sets_a_visitor_id_that_scripts_cannot_read(
    parisian: Client,
) -> None:
    response = send(parisian, body({"functional": True}))
    assert set(response.cookies) == {"consent", "consent_id"}
    private, readable = response.cookies["consent_id"], response.cookies["consent"]
    assert private["httponly"] is True
    assert not readable["httponly"]
    for held in (private, readable):
        assert held["samesite"] == "Lax"
        assert held["path"] == "/"
        assert held["domain"] == ""
        assert not held["secure"]
        assert 0 < held["max-age"] <= 400 * 86400


def test_over_https_both_cookies_are_secure(visitor: NewVisitor) -> None:
    secure = {"x-forwarded-proto": "https", "host": "testserver"}
    response = send(visitor("2a02:cfc0::1", **secure), body(ALL))
    assert response.cookies["consent"]["secure"] is True
    assert response.cookies["consent_id"]["secure"] is True


def test_name_and_domain_are_configurable(
    parisian: Client, site: Site, settings: Settings
) -> None:
    settings.CONSENT_COOKIE_NAME = "choice"
    settings.CONSENT_COOKIE_DOMAIN = "example.org"
    response = send(parisian, body(ALL))
    assert set(response.cookies) == {"choice", "choice_id"}
    assert response.cookies["choice"]["domain"] == "example.org"
    assert decision(parisian)["reason"] == "choice_valid"


def test_a_sites_own_domain_stands_over_the_settings(
    parisian: Client, site: Site, settings: Settings
) -> None:
    settings.CONSENT_COOKIE_DOMAIN = "example.org"
    site.cookie_domain = "shop.example.org"
    site.save()
    publication.forget()
    response = send(parisian, body(ALL))
    assert response.cookies["consent"]["domain"] == "shop.example.org"


def test_a_page_that_sets_a_cookie_is_stored_nowhere(parisian: Client) -> None:
    response = post_form(parisian, "reject")
    assert set(response.cookies) == {"consent"}
    assert "no-store" in response["Cache-Control"]


# --- what is in them ----------------------------------------------------------------


def test_two_refusals_in_the_same_hour_are_byte_for_byte_the_same(
    visitor: NewVisitor,
) -> None:
    browsers = [visitor("2a02:cfc0::1") for _ in range(2)]
    with time_machine.travel(NOON, tick=False) as clock:
        choose(browsers[0], NONE)
        clock.move_to(NOON + timedelta(minutes=59))
        post_form(browsers[1], "reject")
    first, second = (cookie(browser) for browser in browsers)
    assert first == second


def test_the_readable_cookie_holds_no_number_of_record_or_visitor(
    parisian: Client,
) -> None:
    receipt = choose(parisian, ALL)["receipt"]
    choice = parse_choice(cookie(parisian) or "", site="default")
    assert choice.receipt is None
    held = repr(choice)
    assert receipt["id"] not in held
    assert receipt["opening"]["visitor"] not in held


def test_the_cookie_is_within_2048_bytes_with_many_services(site: Site) -> None:
    services = [
        {**POLICY["services"][n % 4], "slug": f"service-number-{n:03}"}
        for n in range(200)
    ]
    document = {**POLICY, "services": services}
    publication.publish(site=site, document=document, at=datetime.now(UTC), by=None)
    browser = Client()
    slugs = [service["slug"] for service in services]
    choose(browser, ALL, policy_version=2, services=dict.fromkeys(slugs, True))
    assert len(cookie(browser) or "") <= 2048
    few = dict.fromkeys(slugs[:40], False)
    choose(browser, ALL, policy_version=2, services=few)
    assert len(cookie(browser) or "") <= 2048
    assert decision(browser)["services"] == few
    held = cookie(browser)
    many = dict.fromkeys(slugs, False)
    response = send(browser, body(ALL, policy_version=2, services=many))
    assert response.status_code == 422
    assert cookie(browser) == held
    choose(browser, NONE, policy_version=2, services=many)
    assert len(cookie(browser) or "") <= 2048
    assert decision(browser)["purposes"] == NOTHING


# --- how long they live -------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "purposes", "days"),
    [
        ("2a02:cfc0::1", ALL, 180),
        ("2a02:cfc0::1", NONE, 400),
        ("214.78.120.1", ALL, 365),
        ("214.78.120.1", NONE, 400),
        ("", ALL, 180),
    ],
)
def test_the_cookie_lives_as_long_as_the_longest_clock(
    visitor: NewVisitor, address: str, purposes: dict[str, bool], days: int
) -> None:
    response = send(visitor(address), body(purposes))
    assert response.cookies["consent"]["max-age"] == days * 86400


@pytest.mark.parametrize("page", ["/api/v1/decision", "/cookie-preferences/"])
def test_a_refusal_is_renewed_by_answers_that_are_not_stored_after_half_its_life(
    visitor: NewVisitor, page: str
) -> None:
    browser = visitor("214.78.120.1")
    with time_machine.travel(NOON, tick=False) as clock:
        choose(browser, NONE)
        held = cookie(browser)
        clock.move_to(NOON + timedelta(days=199))
        assert not browser.get(page).cookies
        clock.move_to(NOON + timedelta(days=201))
        assert not browser.get("/").cookies
        response = browser.get(page)
        assert "no-store" in response["Cache-Control"]
        assert response.cookies["consent"].value == held
        assert response.cookies["consent"]["max-age"] == 400 * 86400


def test_a_grant_is_never_renewed_by_looking_at_a_page(parisian: Client) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        choose(parisian, ALL)
        clock.move_to(NOON + timedelta(days=179))
        assert not parisian.get("/api/v1/decision").cookies


def test_time_takes_a_grant_away_and_never_a_refusal(
    parisian: Client, visitor: NewVisitor
) -> None:
    californian = visitor("214.78.120.1")
    with time_machine.travel(NOON, tick=False) as clock:
        choose(parisian, {"analytics": True})
        choose(californian, NONE)
        clock.move_to(NOON + timedelta(days=181))
        found = decision(parisian)
        assert found["reason"] == "choice_expired"
        assert found["banner"] == "opt_in"
        assert found["choice"]["purposes"]["analytics"] is True
        assert found["purposes"] == NOTHING
        for days in (400, 4000):
            clock.move_to(NOON + timedelta(days=days))
            assert decision(californian)["purposes"] == NOTHING


# --- what is not believed -----------------------------------------------------------

BAD: list[tuple[str, Callable[[str], str]]] = [
    ("empty", lambda good: ""),
    ("truncated", lambda good: good[:-1]),
    ("cut in half", lambda good: good[: len(good) // 2]),
    ("without signature", lambda good: good.partition(".")[0]),
    ("another signature", lambda good: good[:-4] + "AAAA"),
    ("another body", lambda good: ("A" if good[0] != "A" else "B") + good[1:]),
    ("padded", lambda good: good.replace(".", "=.")),
    ("in quotes inside", lambda good: f'x"{good}"'),
    ("twice in one", lambda good: good + good),
    ("8 KB", lambda good: "A" * 8192),
    ("8 KB behind it", lambda good: good + "A" * 8192),
    ("NUL", lambda good: "\0"),
    ("NUL behind it", lambda good: good + "\0"),
    ("an array", lambda good: "[]"),
    ("a number", lambda good: "1"),
    ("signed array", lambda good: signed("[]")),
    ("signed number", lambda good: signed("1")),
    ("signed null", lambda good: signed("null")),
    ("signed text", lambda good: signed('"yes"')),
    ("signed empty object", lambda good: signed("{}")),
    ("signed format 2", lambda good: signed('{"a":[],"f":2}')),
    ("signed deep", lambda good: signed("[" * 700)),
    ("signed NaN", lambda good: signed('{"a":[],"f":NaN}')),
    ("signed no JSON", lambda good: signed("yes")),
    ("signed with spaces", lambda good: signed('{"a": [], "f": 1}')),
    (
        "signed for necessary",
        lambda good: signed('{"a":[{"h":1,"m":3,"p":1,"n":["necessary"]}],"f":1}'),
    ),
    (
        "signed for no purpose",
        lambda good: signed('{"a":[{"h":1,"m":3,"p":1,"y":["spying"]}],"f":1}'),
    ),
    (
        "signed for year 300,000",
        lambda good: signed(
            '{"a":[{"h":2600000000,"m":3,"p":1,"y":["analytics"]}],"f":1}'
        ),
    ),
    ("another site's", lambda good: granted(datetime.now(UTC), site="other")),
    ("from the future", lambda good: granted(datetime.now(UTC) + timedelta(hours=3))),
]


@pytest.mark.parametrize("make", [pytest.param(m, id=name) for name, m in BAD])
def test_what_is_not_believed_runs_nothing_in_any_place(
    parisian: Client,
    alaskan: Client,
    visitor: NewVisitor,
    make: Callable[[str], str],
) -> None:
    virginian = visitor("", **{"CF-IPCountry": "US", "CF-Region-Code": "VA"})
    value = make(granted(datetime.now(UTC)))
    for browser in (parisian, alaskan, virginian, visitor("2001:218::1")):
        assert_not_believed(browser, f"consent={value}")


def test_what_is_not_believed_never_breaks_a_page(
    parisian: Client, alaskan: Client
) -> None:
    for _, make in BAD:
        for browser in (parisian, alaskan):
            for page in PAGES:
                value = make(granted(datetime.now(UTC)))
                header = {"cookie": f"consent={value}; consent_id={value}"}
                assert browser.get(page, headers=header).status_code == 200


def test_a_good_cookie_is_believed(alaskan: Client, parisian: Client) -> None:
    value = granted(datetime.now(UTC) - timedelta(days=1))
    for browser in (alaskan, parisian):
        found = decision(browser, cookie=f"consent={value}")
        assert found["purposes"] == {"necessary": True, **ALL}


def test_five_minutes_of_a_clock_ahead_are_forgiven(alaskan: Client) -> None:
    whole_hour = datetime(2026, 11, 23, 13, tzinfo=UTC)
    header = {"cookie": f"consent={granted(whole_hour)}"}
    with time_machine.travel(whole_hour - timedelta(minutes=4), tick=False) as clock:
        assert decision(alaskan, **header)["purposes"]["marketing"] is True
        clock.move_to(whole_hour - timedelta(minutes=6))
        assert_not_believed(alaskan, header["cookie"])


@pytest.mark.parametrize("other", ["", "x", "same", "refused"])
def test_a_cookie_that_is_sent_twice_is_not_believed(
    alaskan: Client, parisian: Client, other: str
) -> None:
    value = granted(datetime.now(UTC))
    choose(parisian, NONE)
    second = {"same": value, "refused": cookie(parisian)}.get(other, other)
    for pair in (
        f"consent={value}; consent={second}",
        f"consent={second};consent={value}",
    ):
        assert_not_believed(alaskan, pair)


def test_an_answer_puts_an_unbelieved_cookie_right(alaskan: Client) -> None:
    alaskan.cookies["consent"] = "forged"
    assert decision(alaskan)["purposes"] == NOTHING
    choose(alaskan, ALL)
    assert decision(alaskan)["purposes"] == {"necessary": True, **ALL}


def test_a_cookie_that_is_gone_is_like_none(alaskan: Client) -> None:
    alaskan.cookies["consent"] = "forged"
    assert decision(alaskan)["purposes"] == NOTHING
    del alaskan.cookies["consent"]
    assert decision(alaskan)["purposes"] == {"necessary": True, **ALL}


_ODD = st.text(st.characters(codec="latin-1", exclude_characters=";"), max_size=300)


@budget(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(value=_ODD, tail=_ODD, what=st.sampled_from(["raw", "signed", "behind", "json"]))
@example(value="1", tail="", what="signed")
@example(value='{"a":[{"h":"1"}],"f":1}', tail="", what="signed")
@example(
    value='{"a":[{"h":1e400,"m":3,"p":1,"y":["analytics"]}],"f":1}',
    tail="",
    what="signed",
)
@example(
    value='{"a":[{"h":1,"m":3,"p":1,"s":{"video":true}}],"f":1}', tail="", what="signed"
)
def test_whatever_is_in_the_cookie_nothing_optional_runs(
    alaskan: Client, value: str, tail: str, what: str
) -> None:
    made = {
        "raw": value,
        "signed": signed(value),
        "behind": granted(NOON) + "x" + tail,
        "json": signed(json.dumps({"a": [{"h": value, "y": [tail]}], "f": 1})),
    }[what]
    assert_not_believed(alaskan, f"consent={made}")


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("afhmpeynsodlr"), inner, max_size=6)
    ),
    max_leaves=12,
)


@budget(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(value=_JSON)
def test_even_signed_nonsense_is_read_strictly(parisian: Client, value: Any) -> None:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    found = decision(parisian, cookie=f"consent={signed(text)}")
    assert found["purposes"] == NOTHING
    assert found["reason"] == "no_choice"


# --- keys ---------------------------------------------------------------------------


def test_a_retired_key_still_verifies(parisian: Client, settings: Settings) -> None:
    choose(parisian, ALL)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new key that is long enough for nobody to guess it"
    assert decision(parisian)["reason"] == "choice_valid"
    assert len(parisian.get("/api/v1/history").json()["records"]) == 1
    settings.SECRET_KEY_FALLBACKS = []
    assert decision(parisian)["reason"] == "no_choice"
    assert parisian.get("/api/v1/history").json()["records"] == []


def test_the_signature_covers_the_site(
    parisian: Client, site: Site, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    hosts = ["shop.example.org"]
    other = Site.objects.create(**{**SITE, "slug": "shop", "hosts": hosts})
    publication.publish(site=other, document=POLICY, at=datetime.now(UTC), by=None)
    choose(parisian, ALL)
    both = f"consent={cookie(parisian)}; consent_id={cookie(parisian, 'consent_id')}"
    shop = Client(
        headers={"host": "shop.example.org", "x-forwarded-for": "2a02:cfc0::1"}
    )
    assert_not_believed(shop, both)
    history = shop.get("/api/v1/history", headers={"cookie": both})
    assert history.json() == {"records": [], "next": None}


@pytest.mark.parametrize(
    "value", ["", "x", "0" * 32, f"{'0' * 32}.x", "\0", "é" * 500, "[]", "a" * 8192]
)
def test_a_forged_visitor_id_is_nobodys(
    parisian: Client, hidden: Client, value: str
) -> None:
    choose(parisian, ALL)
    header = {"cookie": f"consent_id={value}"}
    history = hidden.get("/api/v1/history", headers=header)
    assert history.json() == {"records": [], "next": None}
    response = hidden.post(
        "/consent/choice/", {"answer": "accept"}, headers={**OWN_PAGE, **header}
    )
    assert response.status_code == 303
    assert cookie(hidden, "consent_id") not in {None, value}


# --- two cookies of one name --------------------------------------------------------


@pytest.fixture
def shop(site: Site, settings: Settings) -> Client:
    """A Parisian on `shop.example.org`, a host of the site."""
    settings.ALLOWED_HOSTS = ["*"]
    site.hosts = ["shop.example.org", "localhost", "192.0.2.7"]
    site.save()
    publication.forget()
    return Client(headers={"host": "shop.example.org", "x-forwarded-for": "2.2.3.1"})


def lines(response: Any, name: str = "consent") -> list[tuple[str, bool]]:
    """What the answer does to cookies of a name, in order: domain, and whether set."""
    found = [m for m in response.cookies.values() if m.key == name]
    return [(m["domain"], bool(m.value and m["max-age"])) for m in found]


def twice(*values: str) -> dict[str, str]:
    return {**OWN_PAGE, "cookie": "; ".join(f"consent={value}" for value in values)}


def test_an_answer_expires_the_second_cookie_after_a_change_to_a_domain(
    shop: Client, settings: Settings
) -> None:
    settings.CONSENT_COOKIE_DOMAIN = "example.org"
    value = granted(datetime.now(UTC))
    response = send(shop, body(ALL), headers=twice(value, value))
    above = [("", False), ("shop.example.org", False), ("example.org", True)]
    assert lines(response) == above
    assert lines(response, "consent_id") == above


def test_an_answer_expires_the_second_cookie_after_a_change_to_the_host(
    shop: Client,
) -> None:
    value = granted(datetime.now(UTC))
    response = send(shop, body(NONE), headers=twice(value, value))
    above = [("shop.example.org", False), ("example.org", False), ("", True)]
    assert lines(response) == above


def test_a_cookie_that_another_site_may_need_is_left_alone(
    shop: Client, settings: Settings
) -> None:
    value = granted(datetime.now(UTC))
    for other in (granted(datetime.now(UTC), site="other"), "x", ""):
        assert lines(send(shop, body(ALL), headers=twice(value, other))) == [("", True)]
    settings.CONSENT_COOKIE_DOMAIN = "example.org"
    response = send(shop, body(ALL), headers=twice(value, "x"))
    assert lines(response) == [("", False), ("example.org", True)]


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "192.0.2.7:8000"])
def test_a_host_without_a_domain_above_it_has_one_cookie_only(
    shop: Client, host: str
) -> None:
    value = granted(datetime.now(UTC))
    headers = {**twice(value, value), "host": host}
    assert lines(send(shop, body(ALL), headers=headers)) == [("", True)]


def test_one_cookie_is_answered_with_one(shop: Client, settings: Settings) -> None:
    settings.CONSENT_COOKIE_DOMAIN = "example.org"
    value = granted(datetime.now(UTC))
    for headers in (OWN_PAGE, twice(value)):
        response = send(shop, body(ALL), headers=headers)
        assert lines(response) == [("example.org", True)]


def test_signing_out_takes_every_visitor_id_away(
    shop: Client, settings: Settings, ada: Any
) -> None:
    settings.CONSENT_COOKIE_DOMAIN = "example.org"
    shop.force_login(ada)
    value, session = (
        granted(datetime.now(UTC)),
        cookie(shop, settings.SESSION_COOKIE_NAME),
    )
    cookies = (
        twice(value, value)["cookie"] + f"; {settings.SESSION_COOKIE_NAME}={session}"
    )
    response = shop.post(
        reverse("consent:sign-out"), headers={**OWN_PAGE, "cookie": cookies}
    )
    domains = ["", "shop.example.org", "example.org"]
    assert lines(response, "consent_id") == [(domain, False) for domain in domains]


def test_both_lines_reach_the_browser(shop: Client, settings: Settings) -> None:
    settings.CONSENT_COOKIE_DOMAIN = "example.org"
    value = granted(datetime.now(UTC))
    response = shop.post(
        reverse("consent:api-choices"),
        json.dumps(body(NONE)),
        content_type="application/json",
        headers={**twice(value, value), "host": "shop.example.org"},
    )
    # One line for each, as Django's WSGI handler writes them.
    sent = [morsel.OutputString() for morsel in response.cookies.values()]
    assert len(sent) == 3
    assert all(line.startswith("consent=") for line in sent)
    assert ["Domain" in line for line in sent] == [False, True, True]
    assert ["Max-Age=0" in line for line in sent] == [True, True, False]


# --- what does not fit --------------------------------------------------------------


def test_a_merge_that_would_not_fit_refuses_whole_purposes_instead(
    visitor: NewVisitor, site: Site, ada: Any
) -> None:
    services = [
        {**POLICY["services"][n % 4], "slug": f"service-with-a-long-name-number-{n:03}"}
        for n in range(80)
    ]
    document = {**POLICY, "services": services}
    publication.publish(site=site, document=document, at=datetime.now(UTC), by=None)
    slugs = [service["slug"] for service in services]
    browsers = [visitor("2a02:cfc0::1") for _ in range(4)]
    for n, browser in enumerate(browsers):
        alone = dict.fromkeys(slugs[n * 20 : n * 20 + 20], False)
        if n == 0:
            sign_in(browser, ada)
        choose(browser, ALL, policy_version=2, services=alone)
        sign_in(browser, ada)
        assert len(cookie(browser) or "") <= 2048
    last = browsers[-1]
    account = decision(last)
    assert not any(account["services"].get(slug, False) for slug in slugs)
    response = sign_out(last)
    assert response.status_code < 400
    left = decision(last)
    assert left["choice"] is not None
    of_service = {service["slug"]: service["purpose"] for service in services}
    for slug in slugs:
        assert not left["services"].get(slug, left["purposes"][of_service[slug]])
