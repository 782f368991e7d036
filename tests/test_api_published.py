"""GET /api/v1/policy and /api/v1/rules: public, by version, for every cache."""

from typing import Any

import pytest
from django.test import Client

from consent.core.canonical import canonical_hash
from consent.models import PolicyVersion, RuleBookVersion, Site
from tests.test_api_decision import assert_problem
from tests.visits import ALL, choose, decision

PATHS = pytest.mark.parametrize("path", ["/api/v1/policy", "/api/v1/rules"])


def fetched(browser: Client, path: str, **headers: str) -> Any:
    response = browser.get(path, headers=headers)
    assert response.status_code == 200, response.content
    return response


def test_the_policy_in_force_costs_no_query(
    parisian: Client, django_assert_num_queries: Any
) -> None:
    told = decision(parisian)["policy"]
    with django_assert_num_queries(0):
        found = fetched(parisian, "/api/v1/policy").json()
    assert {"version": found["version"], "hash": found["hash"]} == told
    assert canonical_hash(found["policy"]) == told["hash"]


def test_an_older_version_is_there_for_ever(
    second_policy: Site, parisian: Client
) -> None:
    first = PolicyVersion.objects.get(site=second_policy, version=1)
    response = fetched(parisian, "/api/v1/policy?version=1")
    assert response.json()["policy"] == first.document
    assert "immutable" in response["Cache-Control"]
    assert fetched(parisian, "/api/v1/policy").json()["version"] == 2


def test_the_rule_book_of_a_record_is_there_by_its_hash(parisian: Client) -> None:
    record = choose(parisian, ALL)["receipt"]["record"]
    named = record["jurisdiction"]["rulebook"]
    found = fetched(parisian, f"/api/v1/rules?version={named}").json()
    assert found["version"] == named
    assert found["rules"] == RuleBookVersion.objects.get(hash=named).document
    assert canonical_hash(found["rules"]) == named
    assert fetched(parisian, "/api/v1/rules").json() == found


@PATHS
def test_every_cache_and_origin_may_have_it(parisian: Client, path: str) -> None:
    response = fetched(parisian, path, origin="https://anybody.example")
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cache-Control"] == "public, max-age=60"
    assert "Cookie" not in response.get("Vary", "")
    assert not response.cookies
    again = parisian.get(path, headers={"if-none-match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["Cache-Control"] == response["Cache-Control"]


@pytest.mark.parametrize(
    "query",
    [
        *(
            "policy?version=9",
            "policy?version=0",
            "policy?version=",
            "policy?version=x",
        ),
        *("policy?version=-1", "policy?version=" + "9" * 40, "policy?version=\u0661"),
        *("rules?version=", "rules?version=sha256:0", "rules?version=" + "x" * 500),
        "rules?version=%00",
    ],
)
def test_what_was_never_published_is_not_there(parisian: Client, query: str) -> None:
    response = parisian.get(f"/api/v1/{query}")
    assert_problem(response, 404, "unknown_version")


@PATHS
def test_a_host_of_no_site_gets_nothing(parisian: Client, path: str) -> None:
    response = parisian.get(path, headers={"host": "localhost.example"})
    assert response.status_code in {400, 404}
    assert b"Harbour" not in response.content


@PATHS
def test_nothing_is_written_there(parisian: Client, path: str) -> None:
    assert parisian.post(path).status_code == 405
