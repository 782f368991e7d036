"""Publishing: what a site needs for it, and what a new version asks again."""

import copy
import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from consent import publication
from consent.management.demo_site import POLICY, SITE
from consent.models import Content, PolicyVersion, Site
from consent.publication import publish
from tests.test_faults import database_down
from tests.visits import (
    ALL,
    NONE,
    OWN_PAGE,
    body,
    choose,
    decision,
    records,
    rows,
    send,
)


def document(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(POLICY) | changes


def publish_now(site: Site, **changes: Any) -> PolicyVersion:
    return publish(
        site=site, document=document(**changes), at=datetime.now(UTC), by=None
    )


def with_service(**service: Any) -> list[dict[str, Any]]:
    new = {"slug": "new", "purpose": "marketing", "name": "New", "provider": "New Inc."}
    return [*copy.deepcopy(POLICY["services"]), {**new, "cookies": [], **service}]


@pytest.mark.parametrize(
    "field",
    [
        "controller_name",
        "controller_address",
        "controller_contact",
        "privacy_policy_url",
        "hosts",
        "languages",
    ],
)
def test_a_site_publishes_nothing_before_it_says_who_is_responsible(
    db: None, field: str
) -> None:
    empty = [] if field in {"hosts", "languages"} else ""
    site = Site.objects.create(**{**SITE, field: empty})
    before = rows()
    with pytest.raises(ValidationError, match=field):
        publish_now(site)
    assert rows() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"purposes": {"spying": {}}},
        {"purposes": ["analytics"]},
        {"purposes": None},
        {"services": None},
        {"services": ["video"]},
        {"services": [{"slug": "x", "purpose": "spying", "provider": "x"}]},
        {"services": [{"slug": "x", "provider": "x"}]},
        {"services": [{"slug": "x", "purpose": "marketing"}]},
        {"services": with_service(exemption="because")},
        {"services": with_service(exemption="own_statistics")},
        {
            "services": with_service(
                exemption="own_statistics", exemption_conditions="We only count."
            )
        },
        {"services": with_service(purpose="analytics", exemption="own_statistics")},
        {"services": [*POLICY["services"], POLICY["services"][0]]},
        {"rules": {"gap_days": 10**9}},
        {"purposes": {"functional": {}}},
        {"rules": {"minimum_model": "strict"}},
        {"rules": {"minimum_banner": 3}},
        {"rules": {"grant_days": 1.5}},
        {"rules": None},
        {"extra": {1: "a key that is no text"}},
        {"extra": "e\u0301"},
        {"extra": object()},
    ],
)
def test_a_document_that_cannot_be_read_is_not_published(
    site: Site, changes: dict[str, Any]
) -> None:
    before = rows()
    with pytest.raises(ValidationError):
        publish_now(site, **changes)
    assert rows() == before


def test_an_exemption_whose_conditions_were_answered_is_published(
    site: Site, visitor: Any
) -> None:
    answered = {"exemption": "own_statistics", "exemption_conditions": "For us alone."}
    services = with_service(purpose="analytics", **answered)
    publish_now(site, services=services)
    assert decision(visitor("2a02:cfc0::1"))["services"] == {"new": True}


def test_versions_are_counted_and_each_is_an_act(site: Site) -> None:
    second, third = publish_now(site), publish_now(site)
    assert (second.version, third.version) == (2, 3)
    published = Content.objects.filter(event="policy_published")
    assert published.count() == 3
    assert len({second.hash, third.hash}) == 2


def test_every_site_counts_its_own_versions(site: Site) -> None:
    other = Site.objects.create(**{**SITE, "slug": "shop", "hosts": ["shop.example"]})
    publish_now(site)
    assert publish_now(other).version == 1


def test_the_published_document_names_who_is_responsible(site: Site) -> None:
    row = publish_now(site, controller={"name": "Somebody else"}, version=77)
    assert row.document["controller"] == {
        "name": "Harbour Bakery Ltd",
        "address": "1 Quay Street, Exampletown",
        "contact": "privacy@bakery.example",
    }
    assert row.document["version"] == row.version == 2
    assert row.document["privacy_policy_url"] == "https://bakery.example/privacy"


def test_a_published_policy_is_in_force_at_once(site: Site, parisian: Client) -> None:
    assert decision(parisian)["policy"]["version"] == 1
    row = publish_now(site)
    assert decision(parisian)["policy"] == {"version": 2, "hash": row.hash}


def test_words_alone_are_not_asked_again(site: Site, parisian: Client) -> None:
    choose(parisian, ALL)
    services = copy.deepcopy(POLICY["services"])
    services[0]["description"] = dict.fromkeys(site.languages, "Other words.")
    services[0]["name"] = "Another name"
    publish_now(site, services=services)
    found = decision(parisian)
    assert (found["banner"], found["reason"]) == ("none", "choice_valid")
    assert found["purposes"] == {"necessary": True, **ALL}


@pytest.mark.parametrize(
    "changes",
    [
        {"services": with_service()},
        {
            "services": [
                {**s, "provider": "Bought Inc."} if s["slug"] == "adverts" else s
                for s in POLICY["services"]
            ]
        },
        {"purposes": {**POLICY["purposes"], "marketing": {"material": 2}}},
    ],
)
def test_a_material_change_asks_again_only_what_is_new(
    site: Site, parisian: Client, changes: dict[str, Any]
) -> None:
    choose(parisian, ALL)
    publish_now(site, **changes)
    found = decision(parisian)
    assert (found["banner"], found["reason"]) == ("opt_in", "policy_changed")
    assert found["purposes"] == {"necessary": True, **ALL, "marketing": False}
    choose(parisian, ALL, policy_version=2)
    assert decision(parisian)["reason"] == "choice_valid"
    assert records()[-1]["policy"]["version"] == 2


def test_somebody_who_refused_what_changed_is_not_asked_again(
    site: Site, parisian: Client
) -> None:
    choose(parisian, {**ALL, "marketing": False})
    publish_now(site, services=with_service())
    found = decision(parisian)
    assert (found["banner"], found["reason"]) == ("none", "choice_valid")
    assert found["purposes"]["marketing"] is False


def test_a_purpose_that_is_new_is_asked_and_off(site: Site, parisian: Client) -> None:
    fewer = {"functional": {}, "analytics": {}}
    services = [s for s in POLICY["services"] if s["purpose"] in fewer]
    publish_now(site, purposes=fewer, services=services)
    choose(parisian, {"functional": True, "analytics": True}, policy_version=2)
    assert set(records()[-1]["purposes"]) == {"functional", "analytics"}
    publish_now(site)
    found = decision(parisian)
    assert (found["banner"], found["reason"]) == ("opt_in", "policy_changed")
    assert found["purposes"] == {"necessary": True, **ALL, "marketing": False}


def test_a_purpose_that_is_gone_runs_no_more_and_cannot_be_granted(
    site: Site, visitor: Any
) -> None:
    browser = visitor("214.78.120.1")
    choose(browser, ALL)
    fewer = {"functional": {}, "analytics": {}}
    services = [s for s in POLICY["services"] if s["purpose"] in fewer]
    publish_now(site, purposes=fewer, services=services)
    found = decision(browser)
    assert found["purposes"]["marketing"] is False
    response = send(browser, body({"marketing": True}, policy_version=2))
    assert response.status_code == 422


def test_a_site_may_be_stricter_than_the_law_and_never_less(
    site: Site, visitor: Any
) -> None:
    tokyo, paris = visitor("2001:218::1"), visitor("2a02:cfc0::1")
    publish_now(site, rules={"minimum_model": "opt_in"})
    assert decision(tokyo)["banner"] == "opt_in"
    assert decision(tokyo)["purposes"] == {"necessary": True, **NONE}
    publish_now(site, rules={"minimum_model": "none", "minimum_banner": "none"})
    assert decision(tokyo)["banner"] == "none"
    assert decision(paris)["banner"] == "opt_in"
    publish_now(site, rules={"minimum_banner": "notice"})
    assert decision(tokyo)["banner"] == "notice"


def test_a_site_may_shorten_a_grant_and_lengthen_it_only_within_the_rule(
    site: Site, parisian: Client, visitor: Any, noon: Any
) -> None:
    publish_now(site, rules={"grant_days": 30})
    choose(parisian, ALL, policy_version=2)
    assert decision(parisian)["choice"]["expires_at"].startswith("2026-12-23")
    publish_now(site, rules={"grant_days": 700})
    choose(parisian, ALL, policy_version=3)
    assert decision(parisian)["choice"]["expires_at"].startswith("2027-05-22")
    madrid = visitor("2a02:d5c0::1")
    choose(madrid, ALL, policy_version=3)
    assert decision(madrid)["choice"]["expires_at"].startswith("2028-10-23")


def test_a_site_for_children_offers_no_marketing_anywhere(
    site: Site, visitor: Any
) -> None:
    site.audience = "children"
    site.save()
    publish_now(site)
    browser = visitor("214.78.120.1")
    found = decision(browser)
    assert (found["model"], found["banner"]) == ("opt_in", "opt_in")
    assert found["purposes"] == {"necessary": True, **NONE}
    response = send(browser, body({"marketing": True}, policy_version=2))
    assert response.status_code == 422
    choose(browser, {"functional": True}, policy_version=2)
    record = records()[-1]
    assert record["audience"] == "children"
    assert "marketing" not in record["purposes"]


def test_a_host_may_stand_for_all_of_its_subdomains(site: Site, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    site.hosts = ["*.example.org", "example.org"]
    site.save()
    publication.forget()
    wanted = {
        "example.org": 200,
        "a.example.org": 200,
        "A.B.Example.ORG.": 200,
        "a.example.org:8443": 200,
        "badexample.org": 404,
        "example.org.evil.example": 404,
        ".example.org": 404,
    }
    for host, status in wanted.items():
        response = Client(headers={"host": host}).get("/api/v1/decision")
        assert response.status_code == status, host


@pytest.mark.django_db(transaction=True)
def test_the_snapshot_goes_on_when_it_cannot_be_read_again(
    site: Site,
    parisian: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = decision(parisian)
    monkeypatch.setattr(publication, "FRESH_SECONDS", -1.0)
    with database_down(), caplog.at_level(logging.WARNING):
        assert decision(parisian) == told
        assert "could not be read again" in caplog.text
        publication.forget()
        with pytest.raises(DatabaseError):
            publication.published()
    assert decision(parisian) == told


def test_what_another_process_published_is_read_within_five_seconds(
    site: Site, parisian: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert publication.FRESH_SECONDS <= 5
    decision(parisian)
    held = publication._current
    publish_now(site)
    monkeypatch.setattr(publication, "_current", held)
    assert decision(parisian)["policy"]["version"] == 1
    monkeypatch.setattr(publication, "FRESH_SECONDS", 0.0)
    assert decision(parisian)["policy"]["version"] == 2


def test_overrides_that_cannot_be_applied_leave_the_rule_book_as_it_is(
    site: Site, parisian: Client, caplog: pytest.LogCaptureFixture
) -> None:
    site.rule_overrides = [{"place": "FR", "model": "none"}]
    site.save()
    publication.forget()
    assert decision(parisian)["banner"] == "opt_in"
    assert "left out" in caplog.text


def test_without_marketing_in_the_policy_there_is_nothing_to_opt_out_of(
    site: Site, californian: Client
) -> None:
    services = [s for s in POLICY["services"] if s["purpose"] != "marketing"]
    publish_now(site, purposes={"analytics": {}, "functional": {}}, services=services)
    before = rows()
    response = californian.post("/privacy-choices/", headers=OWN_PAGE)
    assert response.status_code == 409
    assert rows() == before


def test_a_site_that_has_published_nothing_records_no_opt_out(db: None) -> None:
    Site.objects.create(**{**SITE, "hosts": ["testserver"]})
    response = Client().post("/privacy-choices/", headers=OWN_PAGE)
    assert response.status_code == 409
    assert records() == []


# --- the rule book ------------------------------------------------------------------


def rule_books(site: Site) -> list[str]:
    """The rule books that a site's acts name, oldest first."""
    found = Content.objects.filter(site=site, event="rule_book_changed")
    texts = found.order_by("time").values_list("canonical", flat=True)
    return [json.loads(text)["subject"] for text in texts]


def restart() -> None:
    """As after a restart of the process: nothing is remembered."""
    publication.forget()


def test_the_rule_book_is_an_act_of_every_site_that_publishes(site: Site) -> None:
    other = Site.objects.create(**{**SITE, "slug": "shop", "hosts": ["shop.example"]})
    publish_now(other)
    assert len(rule_books(site)) == 1
    assert rule_books(other) == rule_books(site)


def test_a_rule_book_that_stays_is_recorded_once(site: Site, parisian: Client) -> None:
    for _ in range(2):
        publish_now(site)
        choose(parisian, ALL, policy_version=PolicyVersion.objects.count())
        restart()
    assert len(rule_books(site)) == 1


def test_overrides_of_the_operator_are_an_act_with_the_next_choice_on_and_off(
    site: Site, parisian: Client, settings: Any
) -> None:
    override = {"place": "JP", "model": "opt_in", "by": "us", "reason": "we want to"}
    used = []
    for overrides in ([], [override], [], [override]):
        settings.CONSENT_RULE_OVERRIDES = overrides
        restart()
        record = choose(parisian, ALL)["receipt"]["record"]
        used.append(record["jurisdiction"]["rulebook"])
    assert rule_books(site) == used
    assert used[0] == used[2] != used[1] == used[3]


def test_overrides_of_the_operator_are_an_act_with_the_next_publication(
    site: Site, settings: Any
) -> None:
    override = {"place": "JP", "model": "opt_in", "by": "us", "reason": "we want to"}
    settings.CONSENT_RULE_OVERRIDES = [override]
    restart()
    publish_now(site)
    assert len(set(rule_books(site))) == 2


@pytest.mark.django_db(transaction=True)
def test_once_it_is_noted_a_rule_book_costs_a_choice_nothing(
    site: Site, parisian: Client
) -> None:
    choose(parisian, ALL)
    with CaptureQueriesContext(connection) as seen:
        choose(parisian, ALL)
    asked = [query["sql"] for query in seen if "rule_book_changed" in query["sql"]]
    kept = [query["sql"] for query in seen if "rulebookversion" in query["sql"]]
    assert asked == kept == []
