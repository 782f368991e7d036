"""GET /api/v1/decision: the document, word for word, and who may have it."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from consent import publication
from consent.management.demo_site import SITE
from consent.models import Site
from tests.conftest import NewVisitor
from tests.visits import choose, decision

URL = "/api/v1/decision"
CALIFORNIAN_WITH_GPC = {
    "model": "opt_out",
    "banner": "none",
    "reason": "not_required",
    "signals": {
        "gpc": True,
        "dnt": False,
        "applied": ["gpc"],
        "status": "honored",
    },
    "purposes": {
        "necessary": True,
        "functional": True,
        "analytics": True,
        "marketing": False,
    },
    "services": {},
    "choice": None,
    "opt_out_link": {"label": "Your Privacy Choices", "href": "/privacy-choices/"},
    "language": "en",
    "consent_mode": {
        "ad_storage": "denied",
        "ad_user_data": "denied",
        "ad_personalization": "denied",
        "analytics_storage": "granted",
        "functionality_storage": "granted",
        "personalization_storage": "granted",
        "security_storage": "granted",
    },
}
NOTHING_OPTIONAL = {
    "necessary": True,
    "functional": False,
    "analytics": False,
    "marketing": False,
}


@pytest.fixture
def elsewhere(site: Site, settings: Settings) -> Site:
    """A second site, whose pages at app.example.org may use the API."""
    settings.ALLOWED_HOSTS = ["*"]
    other = Site.objects.create(
        **{
            **SITE,
            "slug": "shop",
            "name": "Shop",
            "hosts": ["shop.example.org"],
            "allowed_origins": ["https://app.example.org"],
        }
    )
    publication.forget()
    return other


def assert_problem(response: Any, status: int, kind: str) -> None:
    """RFC 9457: a problem document whose members agree with the answer."""
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert "no-store" in response["Cache-Control"]
    problem = response.json()
    assert problem["status"] == status
    assert problem["type"] == f"urn:consent:problem:{kind}"
    assert problem["title"] == kind
    assert problem["detail"]


def test_the_californian_with_the_signal_gets_the_documents_example(
    californian: Client, noon: object
) -> None:
    found = decision(californian)
    assert {name: found[name] for name in CALIFORNIAN_WITH_GPC} == CALIFORNIAN_WITH_GPC
    assert found["jurisdiction"] == {
        "rule": "US-CA",
        "regime": "US_CA_CCPA",
        "law": found["jurisdiction"]["law"],
        "confidence": "high",
    }
    assert "1798.1" in found["jurisdiction"]["law"]
    assert found["location"] == {
        "country": "US",
        "subdivision": "US-CA",
        "source": "geoip",
        "attribution": found["location"]["attribution"],
    }
    assert "MaxMind" in found["location"]["attribution"]


def test_the_document_has_exactly_these_members_and_types(parisian: Client) -> None:
    found = decision(parisian)
    assert {name: type(value) for name, value in found.items()} == {
        "site": str,
        "location": dict,
        "jurisdiction": dict,
        "model": str,
        "banner": str,
        "reason": str,
        "signals": dict,
        "purposes": dict,
        "services": dict,
        "choice": type(None),
        "policy": dict,
        "opt_out_link": type(None),
        "language": str,
        "consent_mode": dict,
    }
    assert set(found["location"]) == {
        "country",
        "subdivision",
        "source",
        "attribution",
    }
    assert set(found["policy"]) == {"version", "hash"}
    assert found["policy"]["version"] == 1
    assert found["policy"]["hash"].startswith("sha256:")
    assert all(type(on) is bool for on in found["purposes"].values())


def test_a_parisian_is_asked_and_nothing_optional_runs_before(
    parisian: Client,
) -> None:
    found = decision(parisian)
    assert (found["model"], found["banner"], found["reason"]) == (
        "opt_in",
        "opt_in",
        "no_choice",
    )
    assert found["purposes"] == NOTHING_OPTIONAL
    assert found["site"] == "default"
    assert found["opt_out_link"] is None
    assert set(found["consent_mode"].values()) == {"denied", "granted"}
    granted = [k for k, v in found["consent_mode"].items() if v == "granted"]
    assert granted == ["security_storage"]


def test_an_unknown_location_is_asked_as_strictly_as_the_eea(hidden: Client) -> None:
    found = decision(hidden)
    assert found["location"] == {
        "country": None,
        "subdivision": None,
        "source": "unknown",
        "attribution": None,
    }
    assert (found["jurisdiction"]["rule"], found["model"], found["banner"]) == (
        "*",
        "opt_in",
        "opt_in",
    )
    assert found["purposes"] == NOTHING_OPTIONAL


def test_a_choice_is_told_with_its_times_and_its_policy_version(
    parisian: Client, noon: object
) -> None:
    choose(parisian, {"functional": True, "analytics": False})
    found = decision(parisian)
    assert (found["banner"], found["reason"]) == ("none", "choice_valid")
    assert found["choice"] == {
        "at": "2026-11-23T12:00:00.000Z",
        "expires_at": "2027-05-22T12:00:00.000Z",
        "purposes": {"functional": True, "analytics": False, "marketing": False},
        "services": {},
        "receipt": None,
        "policy_version": 1,
    }


def test_running_by_default_is_never_told_as_a_choice(visitor: NewVisitor) -> None:
    found = decision(visitor("214.78.120.1"))
    assert found["purposes"]["marketing"] is True
    assert found["choice"] is None


def test_the_answer_is_never_stored_and_says_what_it_varies_on(
    parisian: Client,
) -> None:
    response = parisian.get(URL)
    assert response["Cache-Control"] == "no-store"
    varies = {name.strip() for name in response["Vary"].split(",")}
    assert varies >= {"Cookie", "Accept-Language", "Sec-GPC"}
    assert response["Content-Type"] == "application/json"
    assert not response.cookies


@pytest.mark.parametrize(
    ("asked", "spoken"), [("de", "de"), ("fr-CA,en;q=0.5", "fr"), ("ja", "en")]
)
def test_the_language_is_one_that_the_site_publishes(
    parisian: Client, asked: str, spoken: str
) -> None:
    assert decision(parisian, **{"Accept-Language": asked})["language"] == spoken


def test_a_head_request_is_answered_like_a_get_without_its_body(
    parisian: Client,
) -> None:
    response = parisian.head(URL)
    assert response.status_code == 200
    assert response.content == b""


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_another_method_is_a_problem_that_names_the_methods(
    parisian: Client, method: str
) -> None:
    response = getattr(parisian, method)(URL)
    assert_problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD"


def test_a_host_of_no_site_is_an_unknown_site(elsewhere: Site) -> None:
    response = Client().get(URL, headers={"host": "other.example.org"})
    assert_problem(response, 404, "unknown_site")
    assert "default" not in response.content.decode()


def test_an_address_of_the_api_that_does_not_exist_is_a_problem(site: Site) -> None:
    assert_problem(Client().get("/api/v1/nothing"), 404, "not_found")


def test_a_host_that_the_server_does_not_allow_is_a_problem(site: Site) -> None:
    response = Client().get(URL, headers={"host": "evil.example.net"})
    assert response.status_code in {400, 404}
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://app.example.org", 200),
        ("https://evil.example.org", 404),
        ("http://app.example.org", 404),
        ("null", 404),
        (None, 404),
    ],
)
def test_a_named_site_is_shown_only_to_an_origin_on_its_list(
    elsewhere: Site, origin: str | None, status: int
) -> None:
    headers = {"host": "api.example.org"} | ({"origin": origin} if origin else {})
    response = Client().get(f"{URL}?site=shop", headers=headers)
    assert response.status_code == status
    if status == 200:
        assert response.json()["site"] == "shop"
    else:
        assert_problem(response, 404, "unknown_site")


def test_a_host_of_a_site_is_that_site_whatever_is_named(elsewhere: Site) -> None:
    response = Client().get(
        f"{URL}?site=shop", headers={"origin": "https://app.example.org"}
    )
    assert response.json()["site"] == "default"


@pytest.mark.parametrize("slug", ["", "none", "default", "%00", "shop%00"])
def test_a_site_that_does_not_list_the_origin_is_unknown(
    elsewhere: Site, slug: str
) -> None:
    headers = {"host": "api.example.org", "origin": "https://app.example.org"}
    assert_problem(
        Client().get(f"{URL}?site={slug}", headers=headers), 404, "unknown_site"
    )


def test_a_site_that_published_nothing_runs_nothing(elsewhere: Site) -> None:
    found = decision(Client(headers={"host": "shop.example.org"}))
    assert found["purposes"] == NOTHING_OPTIONAL


def test_a_declared_region_adds_its_protection(visitor: NewVisitor) -> None:
    californian = visitor("214.78.120.1")
    assert decision(californian)["banner"] == "none"
    found = decision(californian, "?place=FR")
    assert (found["model"], found["banner"]) == ("opt_in", "opt_in")
    assert found["jurisdiction"]["rule"] == "FR+US-CA"
    assert found["opt_out_link"]["label"] == "Your Privacy Choices"


@pytest.mark.parametrize("place", ["JP", "US-AK", "US", "NZ"])
def test_a_declared_region_takes_no_protection_away(
    parisian: Client, hidden: Client, place: str
) -> None:
    for browser in (parisian, hidden):
        found = decision(browser, f"?place={place}")
        assert (found["model"], found["banner"]) == ("opt_in", "opt_in")
        assert found["purposes"] == NOTHING_OPTIONAL


def test_a_declared_region_is_shown_where_nothing_was_known(hidden: Client) -> None:
    location = decision(hidden, "?place=CA-QC")["location"]
    assert (location["country"], location["subdivision"]) == ("CA", "CA-QC")
    assert location["source"] == "declared"


@pytest.mark.parametrize(
    "place", ["", "XX", "EU", "france", "F", "FR-", "FR,DE", "ß", "%00", "ﬁ", "9" * 500]
)
def test_a_region_that_is_none_changes_nothing(visitor: NewVisitor, place: str) -> None:
    californian = visitor("214.78.120.1")
    assert decision(californian, f"?place={place}") == decision(californian)


def test_nobody_plays_anybody_outside_the_demo(parisian: Client) -> None:
    assert decision(parisian, "?as=US-AK") == decision(parisian)
