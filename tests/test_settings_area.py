"""The settings area: profile and password beside the cookie preferences."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from consent.models import Site
from tests.visits import ALL, choose, records, rows

PROFILE, SECURITY = "/settings/user/profile/", "/settings/user/security/"
PREFERENCES = "/settings/user/cookie-preferences/"


@pytest.fixture
def ada(site: Site) -> Any:
    return get_user_model().objects.create_user("ada", password="the old long word")


@pytest.fixture
def at_home(ada: Any) -> Client:
    browser = Client(headers={"x-forwarded-for": "2a02:cfc0::1"})
    browser.force_login(ada)
    return browser


@pytest.mark.parametrize("page", ["/settings/", PROFILE, SECURITY, PREFERENCES])
def test_the_settings_are_behind_sign_in(site: Site, page: str) -> None:
    response = Client().get(page, follow=True)
    assert response.redirect_chain[-1][0].startswith("/sign-in/?next=/settings/user/")
    assert response.status_code == 200


def test_the_settings_begin_with_the_cookie_preferences(at_home: Client) -> None:
    assert at_home.get("/settings/")["Location"] == PREFERENCES


def test_the_profile_is_saved(at_home: Client, ada: Any) -> None:
    fields = {"first_name": "Ada", "last_name": "Löve", "email": "ada@example.org"}
    assert at_home.post(PROFILE, fields).status_code == 302
    ada.refresh_from_db()
    assert (ada.first_name, ada.last_name, ada.email) == tuple(fields.values())
    assert at_home.get(PROFILE).status_code == 200


def test_a_profile_that_is_wrong_is_shown_again(at_home: Client, ada: Any) -> None:
    fields = {"first_name": "x" * 200, "email": "no address", "is_staff": "1"}
    response = at_home.post(PROFILE, fields)
    assert response.status_code == 200
    assert set(response.context["form"].errors) == {"first_name", "email"}
    ada.refresh_from_db()
    assert (ada.first_name, ada.is_staff) == ("", False)


def test_nobody_makes_themselves_staff_through_the_profile(
    at_home: Client, ada: Any
) -> None:
    at_home.post(PROFILE, {"is_staff": "1", "is_superuser": "1", "username": "root"})
    ada.refresh_from_db()
    assert (ada.username, ada.is_staff, ada.is_superuser) == ("ada", False, False)


def test_the_password_is_changed_and_the_person_stays_signed_in(
    at_home: Client, ada: Any
) -> None:
    fields = {
        "old_password": "the old long word",
        "new_password1": "another longer word",
        "new_password2": "another longer word",
    }
    before = rows()
    assert at_home.post(SECURITY, fields).status_code == 302
    ada.refresh_from_db()
    assert ada.check_password("another longer word")
    assert at_home.get(PREFERENCES).status_code == 200
    assert rows() == before


def test_a_wrong_old_password_changes_nothing(at_home: Client, ada: Any) -> None:
    fields = {"old_password": "guessed", "new_password1": "x", "new_password2": "x"}
    assert at_home.post(SECURITY, fields).status_code == 200
    ada.refresh_from_db()
    assert ada.check_password("the old long word")


def test_any_post_of_somebody_signed_in_brings_their_signal_once(
    at_home: Client,
) -> None:
    choose(at_home, ALL)
    signal = {"sec-gpc": "1"}
    for _ in range(2):
        at_home.post(PROFILE, {"first_name": "Ada"}, headers=signal)
    assert [record["event"] for record in records()] == ["granted", "opted_out"]
    assert records()[-1]["surface"] == "signal"
    before = rows()
    at_home.get(PROFILE, headers=signal)
    assert rows() == before


def test_a_choice_on_the_settings_page_is_the_accounts(at_home: Client) -> None:
    fields = {"answer": "save", "purpose-analytics": "yes", "policy_version": "1"}
    response = at_home.post(PREFERENCES, fields)
    assert response.status_code == 303
    (record,) = records()
    assert (record["surface"], record["event"]) == ("settings", "partial")
    elsewhere = Client()
    elsewhere.cookies["consent_session"] = at_home.cookies["consent_session"].value
    shown = elsewhere.get(PREFERENCES).context["purposes"]
    assert {row["purpose"]: row["answer"] for row in shown} == {
        "functional": False,
        "analytics": True,
        "marketing": False,
    }
