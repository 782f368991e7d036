"""Where a write may come from (docs/api.md): the first line that applies decides."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from consent import publication
from consent.core.purposes import Purpose
from consent.decision import Consent
from consent.forms import form_token
from consent.models import Site
from tests.conftest import NOON
from tests.test_api_decision import assert_problem
from tests.visits import ALL, NONE, body, cookie, records, rows, send

YES, ONLY_REFUSING, NO = "yes", "only refusing", "no"

OWN = "http://testserver"
LISTED = "https://app.example.org"
FOREIGN = "https://evil.example"

# Sec-Fetch-Site, Origin, Referer; what may be written then.
TABLE = [
    ("same-origin", None, None, YES),
    ("same-origin", FOREIGN, FOREIGN, YES),
    ("same-origin", "null", None, YES),
    # Origin decides, whatever else is said.
    (None, OWN, None, YES),
    (None, LISTED, None, YES),
    ("cross-site", LISTED, None, YES),
    ("same-site", LISTED, None, YES),
    ("none", OWN, None, YES),
    (None, FOREIGN, None, NO),
    (None, FOREIGN, OWN + "/", NO),
    ("none", FOREIGN, OWN + "/", NO),
    (None, "https://testserver", None, NO),
    (None, OWN + ":8080", None, NO),
    (None, "http://testserver.evil.example", None, NO),
    (None, "http://evil.example/testserver", None, NO),
    (None, "http://app.example.org", None, NO),
    (None, LISTED + ":8443", None, NO),
    (None, "", None, NO),
    (None, "garbage", None, NO),
    (None, "http://[", None, NO),
    (None, f"{OWN}, {FOREIGN}", None, NO),
    # Without an Origin, what the browser says of the page decides.
    ("same-site", None, OWN + "/", NO),
    ("cross-site", None, OWN + "/", NO),
    ("none", None, OWN + "/", NO),
    ("cross-site", "null", OWN + "/", NO),
    # Without either, a Referer of the site's own.
    (None, None, OWN + "/", YES),
    (None, "null", OWN + "/any/page?x=1", YES),
    (None, None, "https://testserver/", ONLY_REFUSING),
    (None, None, FOREIGN + "/testserver", ONLY_REFUSING),
    (None, None, "garbage", ONLY_REFUSING),
    (None, None, None, ONLY_REFUSING),
    (None, "null", None, ONLY_REFUSING),
    ("nonsense", None, None, ONLY_REFUSING),
]


@pytest.fixture
def listed(site: Site) -> Site:
    site.allowed_origins = [LISTED]
    site.save()
    publication.forget()
    return site


def headers(
    fetch_site: str | None, origin: str | None, referer: str | None
) -> dict[str, str]:
    said = {"sec-fetch-site": fetch_site, "origin": origin, "referer": referer}
    return {name: value for name, value in said.items() if value is not None}


def assert_forbidden(browser: Client, response: object, before: dict[str, int]) -> None:
    assert response.status_code == 403
    assert rows() == before
    assert cookie(browser) is None
    assert cookie(browser, "consent_id") is None


@pytest.mark.parametrize(("fetch_site", "origin", "referer", "may"), TABLE)
def test_the_api_takes_a_grant_only_from_the_sites_own_pages(
    parisian: Client,
    listed: Site,
    fetch_site: str | None,
    origin: str | None,
    referer: str | None,
    may: str,
) -> None:
    before = rows()
    response = send(parisian, body(ALL), headers=headers(fetch_site, origin, referer))
    if may == YES:
        assert response.status_code == 201
        assert records()[-1]["purposes"] == ALL
    else:
        assert_problem(response, 403, "forbidden_origin")
        assert_forbidden(parisian, response, before)


@pytest.mark.parametrize(("fetch_site", "origin", "referer", "may"), TABLE)
def test_the_api_believes_a_refusal_more_easily(
    parisian: Client,
    listed: Site,
    fetch_site: str | None,
    origin: str | None,
    referer: str | None,
    may: str,
) -> None:
    before = rows()
    response = send(parisian, body(NONE), headers=headers(fetch_site, origin, referer))
    if may == NO:
        assert_problem(response, 403, "forbidden_origin")
        assert_forbidden(parisian, response, before)
    else:
        assert response.status_code == 201
        assert records()[-1]["purposes"] == NONE


@pytest.mark.parametrize("answer", ["accept", "reject"])
@pytest.mark.parametrize(("fetch_site", "origin", "referer", "may"), TABLE)
def test_the_form_follows_the_same_table(
    parisian: Client,
    listed: Site,
    fetch_site: str | None,
    origin: str | None,
    referer: str | None,
    may: str,
    answer: str,
) -> None:
    before = rows()
    response = parisian.post(
        "/consent/choice/",
        {"answer": answer},
        headers=headers(fetch_site, origin, referer),
    )
    if may == YES or (may == ONLY_REFUSING and answer == "reject"):
        assert response.status_code == 303
        assert set(records()[-1]["purposes"].values()) == {answer == "accept"}
    else:
        assert_forbidden(parisian, response, before)


def test_one_granted_purpose_is_a_grant(parisian: Client) -> None:
    before = rows()
    response = send(parisian, body({"functional": True}), headers={})
    assert_forbidden(parisian, response, before)


@pytest.mark.parametrize(("fetch_site", "origin", "referer", "may"), TABLE)
def test_an_opt_out_needs_no_proof_but_no_other_site_may_make_it(
    californian: Client,
    listed: Site,
    fetch_site: str | None,
    origin: str | None,
    referer: str | None,
    may: str,
) -> None:
    before = rows()
    response = californian.post(
        "/privacy-choices/", headers=headers(fetch_site, origin, referer)
    )
    if may == NO:
        assert_forbidden(californian, response, before)
    else:
        assert response.status_code == 303
        assert records()[-1]["event"] == "opted_out"


def token(client: Client) -> str:
    """The form token of a page that the browser was shown."""
    request = client.get("/").wsgi_request
    return form_token(Consent(request))


def test_a_token_of_the_page_lets_a_browser_without_headers_grant(
    parisian: Client,
) -> None:
    fields = {"answer": "accept", "token": token(parisian)}
    assert parisian.post("/consent/choice/", fields).status_code == 303
    assert records()[-1]["event"] == "granted"


def test_the_token_stands_in_the_banners_form(parisian: Client) -> None:
    page = parisian.get("/").content.decode()
    assert 'action="/consent/choice/"' in page
    assert 'name="token"' in page


def test_a_token_does_not_excuse_a_foreign_origin(parisian: Client) -> None:
    fields = {"answer": "accept", "token": token(parisian)}
    before = rows()
    for said in ({"origin": FOREIGN}, {"sec-fetch-site": "cross-site"}):
        response = parisian.post("/consent/choice/", fields, headers=said)
        assert_forbidden(parisian, response, before)


def test_a_token_that_is_old_damaged_or_of_another_site_lets_nobody_grant(
    parisian: Client, listed: Site
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        good = token(parisian)
        request = parisian.get("/").wsgi_request
        other = Consent(request)
        other.published.site.slug = "other"
        tokens = ["", "x", good[:-1], good + "x", form_token(other), "\0", "ü" * 3000]
        publication.forget()
        before = rows()
        for bad in tokens:
            fields = {"answer": "accept", "token": bad}
            response = parisian.post("/consent/choice/", fields)
            assert_forbidden(parisian, response, before)
        clock.move_to(NOON + timedelta(hours=13))
        fields = {"answer": "accept", "token": good}
        assert_forbidden(parisian, parisian.post("/consent/choice/", fields), before)


def test_the_api_has_no_form_token(parisian: Client) -> None:
    before = rows()
    response = send(parisian, body(ALL, token=token(parisian)), headers={})
    assert response.status_code in {403, 422}
    assert rows() == before


def test_pages_behind_sign_in_keep_djangos_own_tokens(
    site: Site, django_user_model: type
) -> None:
    user = django_user_model.objects.create_user("ada")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    before = rows()
    page = "/settings/user/cookie-preferences/"
    fields = {"answer": "save", f"purpose-{Purpose.ANALYTICS}": "yes"}
    own = {"sec-fetch-site": "same-origin", "origin": OWN}
    assert browser.post(page, fields, headers=own).status_code == 403
    assert rows() == before
    browser.get(page)
    fields["csrfmiddlewaretoken"] = browser.cookies["consent_csrf"].value
    assert browser.post(page, fields, headers=own).status_code == 303
    assert records()[-1]["purposes"]["analytics"] is True
    assert records()[-1]["surface"] == "settings"


def test_pages_tell_browsers_to_keep_addresses_to_themselves(parisian: Client) -> None:
    assert parisian.get("/")["Referrer-Policy"] == "same-origin"


def test_a_request_over_https_has_an_https_origin(site: Site) -> None:
    browser = Client(headers={"host": "testserver", "x-forwarded-proto": "https"})
    said = {"origin": "https://testserver"}
    assert send(browser, body(ALL), headers=said).status_code == 201
    said = {"origin": "http://testserver"}
    assert send(browser, body(ALL), headers=said).status_code == 403


def test_nobody_but_a_trusted_proxy_says_that_a_request_came_over_https(
    site: Site,
) -> None:
    said = {"host": "testserver", "x-forwarded-proto": "https"}
    browser = Client(headers=said, REMOTE_ADDR="192.0.2.1")
    said = {"origin": "https://testserver"}
    assert send(browser, body(ALL), headers=said).status_code == 403
