"""What a browser does on the site, said shortly, and what the tables then hold."""

import json
from typing import Any

from django.apps import apps
from django.conf import settings
from django.test import Client
from django.urls import reverse

from consent.models import Content

SETTINGS = "/settings/user/cookie-preferences/"
PASSWORD = "a long enough word"
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
ALL = {"functional": True, "analytics": True, "marketing": True}
NONE = {"functional": False, "analytics": False, "marketing": False}


def decision(browser: Client, query: str = "", **headers: str) -> dict[str, Any]:
    """The decision document, from an answer that must be a 200."""
    response = browser.get(reverse("consent:api-decision") + query, headers=headers)
    assert response.status_code == 200, response.content
    return response.json()


def body(purposes: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    whole = {"purposes": purposes or {}, "policy_version": 1, "surface": "preferences"}
    return {**whole, "language": "en", **members}


def send(
    browser: Client,
    content: Any,
    *,
    headers: dict[str, str] | None = None,
    query: str = "",
    content_type: str = "application/json",
) -> Any:
    """POST to the API; text and bytes go as they are, other values as JSON."""
    data = content if isinstance(content, str | bytes) else json.dumps(content)
    return browser.post(
        reverse("consent:api-choices") + query,
        data,
        content_type=content_type,
        headers=OWN_PAGE if headers is None else headers,
    )


def choose(
    browser: Client, purposes: dict[str, Any] | None = None, **members: Any
) -> dict[str, Any]:
    """A choice that must be kept; returns the answer's document."""
    response = send(browser, body(purposes, **members))
    assert response.status_code == 201, response.content
    return response.json()


def post_form(browser: Client, answer: str, *, path: str = "", **fields: str) -> Any:
    """The banner's form, posted from a page of the site."""
    return browser.post(
        path or reverse("consent:consent-choice"),
        {"answer": answer, **fields},
        headers=OWN_PAGE,
    )


def cookie(browser: Client, name: str = "") -> str | None:
    """The value of a cookie that the browser holds; None where it holds none."""
    held = browser.cookies.get(name or settings.CONSENT_COOKIE_NAME)
    return held.value if held is not None and held.value else None


def rows() -> dict[str, int]:
    """How many rows every table of the product holds."""
    models = apps.get_app_config("consent").get_models()
    return {model.__name__: model.objects.count() for model in models}


def records() -> list[dict[str, Any]]:
    """All consent records that are kept, oldest first."""
    found = Content.objects.filter(kind="consent").order_by("time", "entry__time")
    return [json.loads(content.canonical) for content in found]


def sign_in(browser: Client, user: Any, **headers: str) -> Any:
    response = browser.post(
        reverse("consent:sign-in"),
        {"username": user.username, "password": PASSWORD},
        headers=headers,
    )
    assert response.status_code == 302, response.content
    return response


def sign_out(browser: Client) -> Any:
    response = browser.post(reverse("consent:sign-out"))
    assert response.status_code == 302
    return response
