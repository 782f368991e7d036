"""The pages: what they cost, what they vary on, and what their forms keep."""

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from consent.models import Site
from tests.conftest import NewVisitor
from tests.visits import (
    ALL,
    NONE,
    OWN_PAGE,
    choose,
    cookie,
    decision,
    post_form,
    records,
    rows,
)

WITHOUT_MARKETING = {"necessary": True, **ALL, "marketing": False}
SETTINGS = "/settings/user/cookie-preferences/"
OPEN_PAGES = ("/", "/cookie-preferences/", "/privacy-choices/", "/sign-in/")


@pytest.fixture
def signed_in(site: Site) -> Client:
    """Somebody with an account, and no choice yet."""
    browser = Client(headers={"x-forwarded-for": "2a02:cfc0::1"})
    browser.force_login(get_user_model().objects.create_user("ada"))
    return browser


def without_secrets(page: bytes) -> str:
    """The page without the values that are made anew for every answer."""
    text = page.decode()
    text = re.sub(r'(name="(csrfmiddleware)?token" value=")[^"]+', r"\1", text)
    return re.sub(r'(nonce=")[^"]+', r"\1", text)


def touched(queries: CaptureQueriesContext) -> list[str]:
    """The product's tables that statements read or wrote, once for each statement."""
    return [
        table
        for query in queries.captured_queries
        for table in sorted(set(re.findall(r'"(consent_\w+)"', query["sql"])))
    ]


def test_an_ordinary_page_with_banner_and_gate_costs_no_query_and_sets_no_cookie(
    parisian: Client,
    californian: Client,
    hidden: Client,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    parisian.get("/")
    for browser in (parisian, californian, hidden):
        with django_assert_num_queries(0):
            response = browser.get("/")
        assert response.status_code == 200
        assert not response.cookies
    assert 'name="answer" value="reject"' in parisian.get("/").content.decode()


def test_a_page_for_somebody_who_chose_costs_no_query_either(
    parisian: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    choose(parisian, ALL)
    with django_assert_num_queries(0):
        page = parisian.get("/")
    assert not page.cookies
    with django_assert_num_queries(0):
        decision(parisian)


@pytest.mark.parametrize("page", OPEN_PAGES)
def test_pages_say_that_they_are_private_and_what_they_vary_on(
    parisian: Client, page: str
) -> None:
    response = parisian.get(page)
    varies = {name.strip() for name in response["Vary"].split(",")}
    assert varies >= {"Cookie", "Accept-Language", "Sec-GPC"}
    cached = {word.strip() for word in response["Cache-Control"].split(",")}
    assert "private" in cached or "no-store" in cached
    assert "no-cache" in cached or "no-store" in cached
    assert "public" not in cached


def test_the_home_page_may_be_kept_by_the_browser_alone(parisian: Client) -> None:
    assert parisian.get("/")["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("page", OPEN_PAGES)
def test_two_fresh_visitors_get_the_same_bytes_but_for_the_token(
    visitor: NewVisitor, noon: object, page: str
) -> None:
    first, second = (visitor("2a02:cfc0::1").get(page).content for _ in range(2))
    assert without_secrets(first) == without_secrets(second)


@pytest.mark.parametrize("page", [*OPEN_PAGES, "/healthz", "/readyz"])
def test_a_head_request_is_answered(parisian: Client, page: str) -> None:
    response = parisian.head(page)
    assert response.status_code == 200
    assert response.content == b""


@pytest.mark.parametrize("page", OPEN_PAGES)
@pytest.mark.parametrize("language", ["en", "fr", "de", "es", "ja", "*", "xx-\0"])
def test_every_page_is_there_in_every_language(
    parisian: Client, page: str, language: str
) -> None:
    response = parisian.get(page, headers={"accept-language": language})
    assert response.status_code == 200


def test_a_signed_in_page_costs_at_most_one_query_of_ours(signed_in: Client) -> None:
    choose(signed_in, ALL)
    signed_in.get("/")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = signed_in.get("/")
    assert response.status_code == 200
    assert touched(queries) == ["consent_preference"]


def test_a_page_for_a_host_of_no_site_is_a_404_that_says_so(
    site: Site, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    stranger = Client(headers={"host": "other.example.org"})
    for page in ("/", "/cookie-preferences/", "/privacy-choices/"):
        response = stranger.get(page)
        assert response.status_code == 404
        assert "unknown_site" in response.content.decode()
        assert site.name not in response.content.decode()


def test_a_host_that_the_server_does_not_allow_gets_a_clear_400(site: Site) -> None:
    response = Client().get("/", headers={"host": "evil.example.net"})
    assert response.status_code == 400
    assert "bad_request" in response.content.decode()


def test_an_address_that_does_not_exist_is_a_clear_404(parisian: Client) -> None:
    response = parisian.get("/no/such/page")
    assert response.status_code == 404
    assert "not_found" in response.content.decode()


def test_pages_carry_a_policy_for_scripts_and_may_not_be_framed(
    parisian: Client,
) -> None:
    response = parisian.get("/")
    policy = response["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response["X-Frame-Options"] == "DENY"


# --- the banner's form --------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "purposes", "event"),
    [("accept", ALL, "granted"), ("reject", NONE, "refused")],
)
def test_the_banners_form_keeps_the_choice_and_goes_back(
    parisian: Client, answer: str, purposes: dict[str, bool], event: str
) -> None:
    response = post_form(parisian, answer, return_to="/somewhere?x=1&y=")
    assert response.status_code == 303
    assert response["Location"].startswith("/somewhere?x=1&y=")
    (record,) = records()
    assert (record["event"], record["surface"]) == (event, "banner")
    assert record["purposes"] == purposes
    assert decision(parisian)["reason"] == "choice_valid"
    home = response["Location"].replace("somewhere", "")
    assert parisian.get(home).status_code == 200


def test_the_preference_centre_keeps_one_answer_for_each_purpose(
    parisian: Client,
) -> None:
    fields = {
        "surface": "preferences",
        "policy_version": "1",
        "purpose-functional": "yes",
        "purpose-marketing": "yes",
        "service-video": "no",
    }
    assert post_form(parisian, "save", **fields).status_code == 303
    (record,) = records()
    assert record["purposes"] == {**ALL, "analytics": False}
    assert record["services"] == {"video": False}
    assert record["surface"] == "preferences"
    assert decision(parisian)["services"] == {"video": False}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 400),
        ({"answer": ""}, 400),
        ({"answer": "yes"}, 400),
        ({"answer": "accept", "policy_version": "2"}, 400),
        ({"answer": "accept", "policy_version": "0"}, 400),
        ({"answer": "accept", "policy_version": "-1"}, 400),
        ({"answer": "accept", "policy_version": "١"}, 400),
        ({"answer": "accept", "policy_version": "9" * 5000}, 400),
        ({"answer": "save", "purpose-analytics": "on"}, 400),
        ({"answer": "save", "service-video": "maybe"}, 400),
        ({"answer": "save", "service-video": "yes"}, 422),
        ({"answer": "accept\0"}, 400),
    ],
)
def test_a_form_that_is_no_choice_stores_nothing(
    parisian: Client, fields: dict[str, str], status: int
) -> None:
    before = rows()
    response = parisian.post("/consent/choice/", fields, headers=OWN_PAGE)
    assert response.status_code == status
    assert rows() == before
    assert not response.cookies


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"answer=accept", "text/plain"),
        (b'{"answer": "accept"}', "application/json"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"--x\r\n", "multipart/form-data; boundary=y"),
        (b"", "multipart/form-data"),
        (b"a=1&" * 2000, "application/x-www-form-urlencoded"),
        (b"a" * 3_000_000, "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_is_no_form_is_a_clear_4xx(
    parisian: Client, content: bytes, content_type: str
) -> None:
    before = rows()
    response = parisian.generic(
        "POST", "/consent/choice/", content, content_type=content_type, headers=OWN_PAGE
    )
    assert 400 <= response.status_code < 500
    assert rows() == before


def test_the_choice_form_answers_only_to_post(parisian: Client) -> None:
    before = rows()
    response = parisian.get("/consent/choice/?answer=accept")
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert rows() == before


def test_a_grant_to_a_policy_that_changed_meanwhile_is_a_409_page(
    parisian: Client, second_policy: Site
) -> None:
    before = rows()
    response = post_form(parisian, "accept", policy_version="1")
    assert response.status_code == 409
    assert "policy_changed" in response.content.decode()
    assert rows() == before
    assert post_form(parisian, "reject", policy_version="1").status_code == 303
    assert records()[-1]["policy"]["version"] == 1


HERE = ["/", "/a/page", "/?q=", "http://testserver/x", "http://localhost/x", "?x=1"]
ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "http:evil.example",
    "http://testserver@evil.example/",
    "http://testserver.evil.example/",
    "javascript:alert(1)",
    "data:text/html,x",
    "\x00//evil.example",
    " //evil.example",
    "\thttps://evil.example",
    "/" + "a" * 3000,
    "/" + "ü" * 900,
]


@pytest.mark.parametrize("address", HERE)
def test_a_choice_leads_back_to_the_sites_own_hosts(
    parisian: Client, address: str
) -> None:
    response = post_form(parisian, "reject", return_to=address)
    assert response.status_code == 303
    assert response["Location"].startswith(address)


@pytest.mark.parametrize("address", ELSEWHERE)
def test_a_choice_never_leads_to_another_host(parisian: Client, address: str) -> None:
    response = post_form(parisian, "reject", return_to=address)
    assert response.status_code == 303
    assert response["Location"].startswith("/?")
    assert len(records()) == 1
    assert cookie(parisian) is not None


@pytest.mark.parametrize("address", ELSEWHERE)
def test_no_page_links_to_another_host_that_a_query_names(
    parisian: Client, address: str
) -> None:
    for page in OPEN_PAGES[1:]:
        response = parisian.get(page, {"return_to": address})
        assert response.status_code == 200
        assert 'href="' + address not in response.content.decode()
        assert "evil.example" not in hrefs(response)


def hrefs(response: Any) -> str:
    """Where the page's links and forms lead, without their own queries."""
    text = response.content.decode()
    found = re.findall(r'(?:href|action)="([^"?]*)', text)
    return " ".join(found)


def test_a_line_break_in_the_way_back_does_not_break_the_answer(
    parisian: Client,
) -> None:
    response = post_form(parisian, "reject", return_to="/x\r\nSet-Cookie: a=b")
    assert response.status_code == 303
    assert "\n" not in response["Location"]
    assert "a" not in response.cookies


# --- cookie preferences -------------------------------------------------------------


def test_somebody_signed_in_goes_on_to_their_settings(signed_in: Client) -> None:
    response = signed_in.get("/cookie-preferences/")
    assert response.status_code == 303
    assert response["Location"] == SETTINGS


def test_the_way_back_is_kept_on_the_way_to_the_settings(signed_in: Client) -> None:
    response = signed_in.get("/cookie-preferences/", {"return_to": "/a?b=1"})
    assert response["Location"] == f"{SETTINGS}?return_to=%2Fa%3Fb%3D1"
    response = signed_in.get("/cookie-preferences/", {"return_to": "//evil.example"})
    assert response["Location"] == SETTINGS


def test_the_settings_page_is_behind_sign_in_and_leads_back_to_itself(
    parisian: Client,
) -> None:
    response = parisian.get(SETTINGS)
    assert response.status_code == 302
    assert response["Location"] == f"/sign-in/?next={SETTINGS}"


def test_the_settings_page_shows_the_own_history_and_its_downloads(
    signed_in: Client, parisian: Client
) -> None:
    other = choose(parisian, ALL)["receipt"]["id"]
    mine = choose(signed_in, ALL)["receipt"]["id"]
    page = signed_in.get(SETTINGS)
    assert "no-store" in page["Cache-Control"]
    text = page.content.decode()
    assert mine in text
    assert other not in text
    for form in ("json", "csv"):
        address = reverse("consent:cookie-preferences-history", kwargs={"form": form})
        assert address in text
        download = signed_in.get(address)
        assert "attachment" in download["Content-Disposition"]
        assert "no-store" in download["Cache-Control"]
        assert mine in download.content.decode()
        assert other not in download.content.decode()
        assert parisian.get(address).status_code == 302


@pytest.mark.parametrize(
    "page",
    [SETTINGS, "/settings/user/profile/", "/settings/user/security/"],
)
def test_cookie_preferences_stand_in_the_settings_navigation(
    signed_in: Client, page: str
) -> None:
    response = signed_in.get(page)
    assert response.status_code == 200
    assert f'href="{SETTINGS}' in response.content.decode()


def test_every_page_has_the_way_to_the_preferences_in_its_footer(
    parisian: Client, californian: Client
) -> None:
    for browser in (parisian, californian):
        for page in OPEN_PAGES:
            assert 'href="/cookie-preferences/' in browser.get(page).content.decode()
    assert 'href="/privacy-choices/' in californian.get("/").content.decode()
    assert 'href="/privacy-choices/' not in parisian.get("/").content.decode()


def test_data_of_the_geo_database_is_credited_where_it_was_used(
    parisian: Client, hidden: Client
) -> None:
    assert "maxmind.com" in parisian.get("/").content.decode()
    assert "maxmind.com" not in hidden.get("/").content.decode()


# --- your privacy choices -----------------------------------------------------------


def test_an_opt_out_is_recorded_as_such_and_says_nothing_else(
    visitor: NewVisitor,
) -> None:
    browser = visitor("214.78.120.1")
    response = browser.post("/privacy-choices/", headers=OWN_PAGE)
    assert response.status_code == 303
    assert response["Location"].startswith("/privacy-choices/?")
    (record,) = records()
    assert (record["event"], record["surface"]) == ("opted_out", "opt_out")
    assert record["purposes"] == {"marketing": False}
    assert record["visitor"] is None
    assert decision(browser)["purposes"] == WITHOUT_MARKETING
    assert cookie(browser, "consent_id") is None


def test_an_opt_out_keeps_the_other_answers(parisian: Client) -> None:
    choose(parisian, ALL)
    parisian.post("/privacy-choices/", headers=OWN_PAGE)
    assert decision(parisian)["purposes"] == WITHOUT_MARKETING
    assert records()[-1]["purposes"] == {"marketing": False}


def test_an_opt_out_does_not_answer_the_banner_for_the_rest(parisian: Client) -> None:
    parisian.post("/privacy-choices/", headers=OWN_PAGE)
    found = decision(parisian)
    assert found["banner"] == "opt_in"
    assert found["purposes"] == {"necessary": True, **NONE}


def test_the_opt_out_page_needs_neither_sign_in_nor_script(californian: Client) -> None:
    response = californian.get("/privacy-choices/")
    text = response.content.decode()
    assert response.status_code == 200
    assert '<form method="post" action="/privacy-choices/' in text
    assert response["Cache-Control"].find("no-store") >= 0


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_the_opt_out_page_answers_only_to_get_and_post(
    californian: Client, method: str
) -> None:
    response = getattr(californian, method)("/privacy-choices/")
    assert response.status_code == 405
    assert set(response["Allow"].split(", ")) >= {"GET", "POST"}


# --- documents for machines ---------------------------------------------------------


def test_the_site_declares_that_it_honours_the_signal(site: Site) -> None:
    response = Client().get("/.well-known/gpc.json")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    found = response.json()
    assert found["gpc"] is True
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found["lastUpdate"])
    assert not response.cookies


@pytest.mark.parametrize("page", ["/healthz", "/readyz"])
def test_the_process_says_that_it_lives_and_is_ready(site: Site, page: str) -> None:
    response = Client().get(page)
    assert (response.status_code, response.content) == (200, b"ok")
    assert "no-store" in response["Cache-Control"]
    assert Client().post(page).status_code == 405
