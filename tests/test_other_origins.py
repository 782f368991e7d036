"""Pages of other origins: who may read, and the choice of a page on another site."""

import json
from typing import Any

import pytest
from django.test import Client

from consent.models import Preference, Site
from tests.visits import ALL, NONE, body, sign_in

APP = "https://app.example"
STRANGER = "https://stranger.example"


@pytest.fixture
def listed(site: Site) -> Site:
    """The site lets pages of one other origin ask."""
    Site.objects.filter(pk=site.pk).update(allowed_origins=[APP])
    return site


def ask(browser: Client, *, origin: str = APP, kept: str = "", **more: str) -> Any:
    """GET the decision from a page on another site, which names its own by `?site=`."""
    headers = {"origin": origin, "host": "localhost.other", **more}
    if kept:
        headers["consent-cookie"] = kept
    return browser.get("/api/v1/decision?site=default", headers=headers)


def post(browser: Client, purposes: dict[str, bool], *, origin: str = APP) -> Any:
    return browser.post(
        "/api/v1/choices?site=default",
        json.dumps(body(purposes)),
        content_type="application/json",
        headers={"origin": origin, "host": "localhost.other"},
    )


@pytest.fixture
def elsewhere(listed: Site, settings: Any) -> Client:
    settings.ALLOWED_HOSTS = ["testserver", "localhost.other"]
    return Client()


def test_a_page_of_another_site_keeps_its_choice_itself(elsewhere: Client) -> None:
    answer = post(elsewhere, ALL)
    assert answer.status_code == 201
    assert not answer.cookies
    kept = answer.json()["cookie"]
    later = ask(Client(), kept=kept).json()
    assert later["reason"] == "choice_valid"
    assert later["purposes"]["marketing"] is True
    refused = post(elsewhere, NONE).json()["cookie"]
    assert ask(Client(), kept=refused).json()["purposes"]["marketing"] is False


def test_the_header_is_believed_no_more_than_the_cookie(elsewhere: Client) -> None:
    kept = post(elsewhere, ALL).json()["cookie"]
    forged = ask(Client(), kept=kept[:-2] + "xx").json()
    assert forged["choice"] is None
    assert not any(on for p, on in forged["purposes"].items() if p != "necessary")


def test_another_sites_page_speaks_for_nobody_who_is_signed_in(
    elsewhere: Client, ada: Any
) -> None:
    sign_in(elsewhere, ada)
    assert post(elsewhere, ALL).status_code == 201
    assert not Preference.objects.filter(user=ada).exclude(receipt="").exists()


def test_the_own_host_reads_the_cookie_and_not_the_header(
    listed: Site, parisian: Client
) -> None:
    sent = parisian.get("/api/v1/decision", headers={"consent-cookie": "forged"})
    assert sent.json()["reason"] == "no_choice"
    assert sent.json()["banner"] == "opt_in"


def test_a_listed_origin_may_read_and_a_stranger_may_not(elsewhere: Client) -> None:
    mine = ask(elsewhere)
    assert mine["Access-Control-Allow-Origin"] == APP
    assert "Access-Control-Allow-Credentials" not in mine
    assert "Origin" in mine["Vary"]
    theirs = ask(elsewhere, origin=STRANGER)
    assert theirs.status_code == 404
    assert "Access-Control-Allow-Origin" not in theirs


def test_a_listed_page_on_the_sites_own_host_may_send_cookies(
    listed: Site, parisian: Client
) -> None:
    answer = parisian.get("/api/v1/decision", headers={"origin": APP})
    assert answer["Access-Control-Allow-Origin"] == APP
    assert answer["Access-Control-Allow-Credentials"] == "true"
    stranger = parisian.get("/api/v1/decision", headers={"origin": STRANGER})
    assert "Access-Control-Allow-Origin" not in stranger


def test_a_preflight_is_answered_for_listed_origins_only(
    listed: Site, parisian: Client
) -> None:
    asked = parisian.options("/api/v1/choices", headers={"origin": APP})
    assert asked.status_code == 204
    assert asked["Access-Control-Allow-Methods"] == "POST"
    assert "Consent-Cookie" in asked["Access-Control-Allow-Headers"]
    refused = parisian.options("/api/v1/choices", headers={"origin": STRANGER})
    assert refused.status_code == 405
    assert "Access-Control-Allow-Origin" not in refused


def test_a_problem_can_be_read_by_whom_it_concerns(elsewhere: Client) -> None:
    wrong = post(elsewhere, {"spying": True})
    assert wrong.status_code == 422
    assert wrong["Access-Control-Allow-Origin"] == APP
