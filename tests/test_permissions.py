"""What a site's other programs may ask about a person, and by which key."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client

from consent import api_keys
from consent.accounts import Account
from consent.identities import identity_of
from consent.models import ApiKey, Preference, Site
from tests.conftest import NewVisitor
from tests.visits import ALL, NONE, choose, sign_in

ADDRESS = "/api/v1/permissions"
PARIS = "2a02:cfc0::1"


@pytest.fixture(autouse=True)
def _identity_key(settings: LazySettings) -> None:
    settings.CONSENT_IDENTITY_KEY = "a key of the installation, 32 or more"


@pytest.fixture
def key(site: Site) -> str:
    shown = StringIO()
    given = ("--site", site.slug, "--name", "mailer")
    call_command("make_api_key", *given, stdout=shown, stderr=StringIO())
    return shown.getvalue().strip()


def ask(key: str, **query: Any) -> Any:
    return Client().get(ADDRESS, query, headers={"authorization": f"Bearer {key}"})


def allowed(key: str, **query: Any) -> tuple[bool, str]:
    response = ask(key, **query)
    assert response.status_code == 200, response.content
    return response.json()["allowed"], response.json()["reason"]


def test_what_an_account_granted_may_run_and_what_it_refused_may_not(
    visitor: NewVisitor, ada: Any, key: str
) -> None:
    browser = visitor(PARIS)
    sign_in(browser, ada)
    choose(browser, {**ALL, "marketing": False})
    assert allowed(key, account=ada.pk, purpose="analytics") == (True, "granted")
    assert allowed(key, account=ada.pk, purpose="marketing") == (False, "refused")
    assert allowed(key, account=ada.pk, purpose="necessary") == (True, "default")
    told = ask(key, account=ada.pk, purpose="analytics").json()
    assert told["known"] is True
    assert told["answered_at"] < told["expires_at"]


def test_somebody_unknown_may_be_served_nothing(key: str) -> None:
    for who in ({"user": "nobody"}, {"account": "1"}, {"account": "no number"}):
        for place in ({}, {"place": "US-VA"}):
            found = allowed(key, purpose="analytics", **who, **place)
            assert found == (False, "unknown_person")


def test_running_by_default_counts_only_where_the_place_is_known(
    site: Site, key: str
) -> None:
    Preference.objects.create(site=site, identity=identity_of(site, "u"), state="")
    row = Account(identity=identity_of(site, "u")).row_of(site).get()
    assert row.receipt == ""
    assert allowed(key, user="u", purpose="analytics") == (False, "no_choice")
    found = allowed(key, user="u", purpose="analytics", place="US-VA")
    assert found == (True, "default")
    assert allowed(key, user="u", purpose="analytics", place="FR") == (
        False,
        "no_choice",
    )


def test_a_child_may_be_served_no_marketing_anywhere(site: Site, key: str) -> None:
    Preference.objects.create(
        site=site, identity=identity_of(site, "kid"), state="", minor=True
    )
    found = allowed(key, user="kid", purpose="marketing", place="US-VA")
    assert found == (False, "not_offered")


def test_a_grant_that_is_over_counts_no_more(
    visitor: NewVisitor, ada: Any, key: str
) -> None:
    browser = visitor(PARIS)
    sign_in(browser, ada)
    choose(browser, ALL)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=181)):
        found = allowed(key, account=ada.pk, purpose="analytics")
    assert found == (False, "choice_expired")


def test_a_grant_to_an_older_policy_counts_no_more(
    visitor: NewVisitor, ada: Any, key: str, request: pytest.FixtureRequest
) -> None:
    browser = visitor(PARIS)
    sign_in(browser, ada)
    choose(browser, ALL)
    request.getfixturevalue("second_policy")
    found = allowed(key, account=ada.pk, purpose="marketing")
    assert found == (False, "policy_changed")


def test_a_grant_of_a_laxer_place_does_not_count_in_a_stricter_one(
    visitor: NewVisitor, ada: Any, key: str
) -> None:
    browser = visitor("214.78.120.1")
    sign_in(browser, ada)
    choose(browser, ALL)
    found = allowed(key, account=ada.pk, purpose="analytics", place="FR")
    assert found == (False, "stricter_place")


def test_many_questions_are_answered_in_their_order_by_few_queries(
    visitor: NewVisitor, ada: Any, key: str, django_assert_max_num_queries: Any
) -> None:
    browser = visitor(PARIS)
    sign_in(browser, ada)
    choose(browser, NONE)
    asked = [
        {"account": str(ada.pk), "purpose": "analytics"},
        {"user": "nobody", "purpose": "marketing", "place": "US-CA"},
    ] * 50
    ask(key, user="x", purpose="analytics")
    with django_assert_max_num_queries(4):
        response = Client().post(
            ADDRESS,
            json.dumps({"questions": asked}),
            content_type="application/json",
            headers={"authorization": f"Bearer {key}"},
        )
    reasons = [one["reason"] for one in response.json()["answers"]]
    assert reasons == ["refused", "unknown_person"] * 50


@pytest.mark.parametrize(
    "query",
    [
        {"purpose": "analytics"},
        {"user": "u", "account": "1", "purpose": "analytics"},
        {"user": "", "purpose": "analytics"},
        {"user": "u" * 256, "purpose": "analytics"},
        {"user": "u"},
        {"user": "u", "purpose": "anything"},
        {"user": "u", "purpose": "analytics", "service": "none"},
        {"user": "u", "purpose": "analytics", "place": "EU"},
        {"user": "u", "purpose": "analytics", "more": "x"},
        {"user": ["u", "v"], "purpose": "analytics"},
    ],
)
def test_a_question_that_is_none_is_refused(key: str, query: dict[str, Any]) -> None:
    response = ask(key, **query)
    assert response.status_code == 422
    assert response.json()["type"] == "urn:consent:problem:invalid"


@pytest.mark.parametrize(
    "questions", [[], "x", [1], [{"user": "u", "purpose": "analytics"}] * 101, None]
)
def test_one_bad_question_and_none_is_answered(key: str, questions: Any) -> None:
    response = Client().post(
        ADDRESS,
        json.dumps({"questions": questions}),
        content_type="application/json",
        headers={"authorization": f"Bearer {key}"},
    )
    assert response.status_code == 422


def test_no_key_and_no_other_opens_anything(site: Site, key: str) -> None:
    for wrong in ("", "x", key[:-1], key[:-2] + "AA", key.replace("consent_", "")):
        response = ask(wrong, user="u", purpose="analytics")
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == 'Bearer realm="consent"'
    assert Client().get(ADDRESS).status_code == 401
    assert ApiKey.objects.get().last_used_at is None


def test_a_key_is_kept_as_a_hash_and_notes_when_it_was_used(key: str) -> None:
    row = ApiKey.objects.get()
    assert key.rpartition("_")[2] not in repr(ApiKey.objects.values())
    ask(key, user="u", purpose="analytics")
    row.refresh_from_db()
    assert row.last_used_at is not None


def test_a_key_for_something_else_is_refused(site: Site) -> None:
    scopes = [ApiKey.Scope.DELIVERIES]
    now = datetime.now(UTC)
    _row, text = api_keys.make(site=site, name="x", scopes=scopes, at=now)
    assert ask(text, user="u", purpose="analytics").status_code == 403


def test_a_replaced_key_counts_for_a_while_and_an_ended_one_no_more(key: str) -> None:
    number = key.split("_")[1]
    shown = StringIO()
    call_command("make_api_key", "--replace", number, stdout=shown, stderr=StringIO())
    newer = shown.getvalue().strip()
    assert ask(key, user="u", purpose="analytics").status_code == 200
    with time_machine.travel(datetime.now(UTC) + timedelta(days=8)):
        assert ask(key, user="u", purpose="analytics").status_code == 401
        assert ask(newer, user="u", purpose="analytics").status_code == 200
    call_command("make_api_key", "--end", number, stdout=StringIO())
    assert ask(key, user="u", purpose="analytics").status_code == 401
    with pytest.raises(CommandError):
        call_command("make_api_key", "--end", "nothing")


def test_a_key_asks_about_its_own_site_whatever_the_host(
    site: Site, key: str, settings: LazySettings
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    other = Site.objects.create(slug="other", hosts=["other.example"])
    for where in (site, other):
        Preference.objects.create(
            site=where, identity=identity_of(where, "u"), state=""
        )
    headers = {"authorization": f"Bearer {key}", "host": "other.example"}
    query = {"user": "u", "purpose": "analytics", "site": "other"}
    response = Client().get(ADDRESS, query, headers=headers)
    assert response.status_code == 422  # no such word
    del query["site"]
    told = Client().get(ADDRESS, query, headers=headers).json()
    assert told["identity"] == identity_of(site, "u")


def test_answers_are_kept_by_no_cache(key: str) -> None:
    assert ask(key, user="u", purpose="analytics")["Cache-Control"] == "no-store"
    assert Client().delete(ADDRESS).status_code == 405
