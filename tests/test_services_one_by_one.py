"""Purposes whose services are asked about one by one, where a policy wants that."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from consent import publication
from consent.management.demo_site import POLICY
from consent.models import Notice, Site
from tests.visits import (
    ALL,
    NONE,
    SETTINGS,
    choose,
    decision,
    post_form,
    records,
    rows,
    sign_in,
)

CENTRE = "/cookie-preferences/"
EACH = {**POLICY["purposes"], "marketing": {"ask": "service"}}


def publish(site: Site, **changes: Any) -> Any:
    return publication.publish(
        site=site, document={**POLICY, **changes}, at=datetime.now(UTC), by=None
    )


@pytest.fixture
def one_by_one(site: Site) -> Site:
    """Version 2 asks about each marketing service."""
    publish(site, purposes=EACH)
    return site


def page(browser: Client, address: str = CENTRE) -> str:
    response = browser.get(address)
    assert response.status_code == 200
    return response.content.decode()


def radios(text: str) -> dict[str, dict[str, bool]]:
    """The questions of a page: for each its answers, and whether one is ticked."""
    found: dict[str, dict[str, bool]] = {}
    for name, value, checked in re.findall(
        r'<input type="radio" name="([^"]+)" value="([^"]+)"( checked)?', text
    ):
        found.setdefault(name, {})[value] = bool(checked)
    return found


def answers(text: str) -> dict[str, str | None]:
    """What is ticked in a page, question by question; None where nothing is."""
    return {
        name: next((value for value, on in said.items() if on), None)
        for name, said in radios(text).items()
    }


def save(browser: Client, answer: str = "save", **said: str) -> Any:
    fields = {name.replace("_", "-"): word for name, word in said.items()}
    return post_form(browser, answer, surface="preferences", **fields)


def test_each_service_has_a_question_and_its_purpose_has_none(
    one_by_one: Site, parisian: Client
) -> None:
    found = radios(page(parisian))
    assert set(found) == {
        "purpose-functional",
        "purpose-analytics",
        "service-video",
        "service-adverts",
    }
    for said in found.values():
        assert said == {"yes": False, "no": False}


def test_without_that_policy_only_purposes_are_asked(parisian: Client) -> None:
    assert set(radios(page(parisian))) == {f"purpose-{name}" for name in NONE}


def test_one_yes_and_one_no_allow_the_purpose_and_refuse_one_service_alone(
    one_by_one: Site, parisian: Client
) -> None:
    assert save(parisian, service_video="yes", service_adverts="no").status_code == 303
    (record,) = records()
    assert record["purposes"] == {**NONE, "marketing": True}
    assert record["services"] == {"adverts": False, "video": True}
    assert record["event"] == "partial"
    found = decision(parisian)
    assert found["purposes"]["marketing"] is True
    assert found["services"] == {"adverts": False}
    assert answers(page(parisian)) == {
        "purpose-functional": "no",
        "purpose-analytics": "no",
        "service-video": "yes",
        "service-adverts": "no",
    }


def test_a_service_that_is_left_open_is_refused(
    one_by_one: Site, parisian: Client
) -> None:
    save(parisian, service_video="yes")
    assert decision(parisian)["services"] == {"adverts": False}
    assert answers(page(parisian))["service-adverts"] == "no"


def test_nothing_answered_is_refused(one_by_one: Site, parisian: Client) -> None:
    assert save(parisian).status_code == 303
    (record,) = records()
    assert (record["event"], record["purposes"]) == ("refused", NONE)
    assert record["services"] == {"adverts": False, "video": False}
    found = decision(parisian)
    assert found["services"] == {}
    assert not any(on for p, on in found["purposes"].items() if p != "necessary")
    assert set(answers(page(parisian)).values()) == {"no"}


def test_a_yes_to_each_is_a_yes_to_the_purpose(
    one_by_one: Site, parisian: Client
) -> None:
    save(parisian, service_video="yes", service_adverts="yes")
    found = decision(parisian)
    assert found["purposes"]["marketing"] is True
    assert found["services"] == {}
    assert answers(page(parisian))["service-adverts"] == "yes"


@pytest.mark.parametrize(
    ("said", "marketing", "alone"),
    [
        ("all", True, {}),
        ("some", True, {"adverts": False}),
        ("no", False, {}),
    ],
)
def test_a_word_about_the_purpose_goes_for_its_services(
    one_by_one: Site,
    parisian: Client,
    said: str,
    marketing: bool,
    alone: dict[str, bool],
) -> None:
    save(parisian, purpose_marketing=said, service_video="yes", service_adverts="no")
    found = decision(parisian)
    assert found["purposes"]["marketing"] is marketing
    assert found["services"] == alone


@pytest.mark.parametrize("said", ["all", "some"])
def test_where_only_purposes_are_asked_there_is_no_all_and_no_some(
    one_by_one: Site, parisian: Client, said: str
) -> None:
    before = rows()
    assert save(parisian, purpose_analytics=said).status_code == 400
    assert save(parisian, purpose_marketing="perhaps").status_code == 400
    assert save(parisian, service_video="all").status_code == 400
    assert rows() == before


def test_answers_to_other_services_stay_when_one_is_changed(
    one_by_one: Site, parisian: Client
) -> None:
    save(parisian, service_video="yes", service_adverts="no")
    save(parisian, service_video="no", service_adverts="yes")
    found = decision(parisian)
    assert found["services"] == {"video": False}
    assert found["purposes"]["marketing"] is True
    save(parisian, service_video="no", service_adverts="no")
    found = decision(parisian)
    assert found["purposes"]["marketing"] is False
    assert found["services"] == {}


def test_the_buttons_for_all_still_answer_all(
    one_by_one: Site, parisian: Client
) -> None:
    save(parisian, service_video="yes", service_adverts="no")
    save(parisian, "accept")
    found = decision(parisian)
    assert {p: found["purposes"][p] for p in ALL} == ALL
    assert found["services"] == {}
    save(parisian, "reject")
    found = decision(parisian)
    assert {p: found["purposes"][p] for p in NONE} == NONE


def test_the_settings_page_asks_and_answers_alike(
    one_by_one: Site, parisian: Client, ada: Any
) -> None:
    sign_in(parisian, ada)
    assert "service-video" in radios(page(parisian, SETTINGS))
    said = {"answer": "save", "service-video": "no", "service-adverts": "yes"}
    assert parisian.post(SETTINGS, said).status_code == 303
    assert records()[-1]["surface"] == "settings"
    assert decision(parisian)["services"] == {"video": False}
    found = answers(page(parisian, SETTINGS))
    assert (found["service-video"], found["service-adverts"]) == ("no", "yes")


def test_the_api_refuses_one_service_as_ever(
    one_by_one: Site, parisian: Client
) -> None:
    choose(parisian, ALL, services={"video": False}, policy_version=2)
    assert decision(parisian)["services"] == {"video": False}
    assert answers(page(parisian))["service-video"] == "no"


def test_the_notice_of_the_record_says_that_each_was_asked(
    one_by_one: Site, parisian: Client
) -> None:
    save(parisian, service_video="yes", service_adverts="no")
    (record,) = records()
    notice = Notice.objects.get(hash=record["notice"]["hash"]).document
    each = {about["purpose"]: about["each"] for about in notice["purposes"]}
    assert each == {"functional": False, "analytics": False, "marketing": True}
    assert 'name="service-video"' in notice["html"]
    assert 'name="purpose-marketing"' not in notice["html"]
    assert " checked" not in notice["html"]


def test_asking_each_service_is_no_new_use_that_would_be_asked_again(
    site: Site, parisian: Client
) -> None:
    choose(parisian, ALL)
    publish(site, purposes=EACH)
    found = decision(parisian)
    assert found["reason"] == "choice_valid"
    assert found["purposes"]["marketing"] is True
    assert answers(page(parisian))["service-video"] == "yes"


def test_a_signal_holds_services_back_until_they_are_allowed_over_it(
    one_by_one: Site, californian: Client
) -> None:
    found = answers(page(californian))
    assert found["service-video"] is None
    save(californian, service_video="yes", service_adverts="no")
    (record,) = records()
    assert record["signals"]["gpc"] is True
    assert decision(californian)["services"].get("adverts", False) is False


@pytest.mark.parametrize("ask", ["", "services", "each", None, 1, True, ["service"]])
def test_another_word_for_what_is_asked_is_refused_at_publication(
    site: Site, ask: object
) -> None:
    purposes = {**POLICY["purposes"], "marketing": {"ask": ask}}
    with pytest.raises(ValidationError, match="ask must be one of purpose, service"):
        publish(site, purposes=purposes)
    assert site.policies.count() == 1


def test_asking_about_purposes_can_be_said_too(site: Site, parisian: Client) -> None:
    publish(site, purposes={**POLICY["purposes"], "marketing": {"ask": "purpose"}})
    assert "purpose-marketing" in radios(page(parisian))
