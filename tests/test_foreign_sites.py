"""Every address, asked with another site's host, origin or name: nothing of ours.

Alpha and Beta live in one installation. Whoever asks holds everything that Alpha's
browser holds, is signed in, and knows the numbers of Alpha's records.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from io import StringIO
from itertools import product
from typing import Any, Final, NamedTuple

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver

from consent import publication
from consent.management.demo_site import POLICY, SITE
from consent.models import Content, Entry, Link, Preference, Site
from tests.visits import ALL, OWN_PAGE, PASSWORD, body, choose, decision, sign_in

ALPHA, BETA = "alpha.example", "beta.example"
OURS, THEIRS = f"https://pages.{ALPHA}", f"https://pages.{BETA}"
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

# Every pattern of `consent/urls.py`, and addresses that lead to Alpha's data there.
ADDRESSES: Final = {
    "api/v1/identities": ["/api/v1/identities"],
    "api/v1/permissions": ["/api/v1/permissions"],
    "": ["/"],
    "cookie-preferences/": ["/cookie-preferences/"],
    "cookie-preferences/erase/": ["/cookie-preferences/erase/"],
    "privacy-choices/": ["/privacy-choices/"],
    "consent/choice/": ["/consent/choice/"],
    "sign-in/": ["/sign-in/"],
    "sign-out/": ["/sign-out/"],
    "settings/": ["/settings/"],
    "settings/user/profile/": ["/settings/user/profile/"],
    "settings/user/security/": ["/settings/user/security/"],
    "settings/user/cookie-preferences/": ["/settings/user/cookie-preferences/"],
    r"^cookie-preferences/history\.(?P<form>json|csv)$": [
        "/cookie-preferences/history.json",
        "/cookie-preferences/history.csv",
    ],
    r"^settings/user/cookie-preferences/history\.(?P<form>json|csv)$": [
        "/settings/user/cookie-preferences/history.json",
        "/settings/user/cookie-preferences/history.csv",
    ],
    "settings/user/cookie-preferences/erase/": [
        "/settings/user/cookie-preferences/erase/"
    ],
    "api/v1/decision": ["/api/v1/decision", "/api/v1/decision?script=1&choose=1"],
    "api/v1/choices": ["/api/v1/choices", "/api/v1/choices?script=1"],
    "api/v1/history": ["/api/v1/history"],
    "api/v1/policy": ["/api/v1/policy", "/api/v1/policy?version=1"],
    "api/v1/rules": ["/api/v1/rules"],
    "api/v1/visitor": ["/api/v1/visitor"],
    "api/v1/receipts/<str:number>": ["/api/v1/receipts/{receipt}"],
    "receipts/<str:number>/": ["/receipts/{receipt}/"],
    "receipts/<str:number>/notice/": ["/receipts/{receipt}/notice/"],
    "receipts/<str:number>/<str:form>": [
        "/receipts/{receipt}/receipt.json",
        "/receipts/{receipt}/iso-27560.json",
        "/receipts/{receipt}/receipt.jsonld",
    ],
    "log/<slug:slug>/checkpoint": ["/log/alpha-site/checkpoint"],
    "log/<slug:slug>/tile/<path:path>": ["/log/alpha-site/tile/0/000.p/1"],
    "log/<slug:slug>/key": ["/log/alpha-site/key"],
    "log/<slug:slug>/<int:number>/checkpoint": ["/log/alpha-site/1/checkpoint"],
    "log/<slug:slug>/<int:number>/tile/<path:path>": [
        "/log/alpha-site/1/tile/0/000.p/1"
    ],
    "log/<slug:slug>/<int:number>/key": ["/log/alpha-site/1/key"],
    "consent.js": ["/consent.js"],
    "consent.css": ["/consent.css"],
    "keys": ["/keys"],
    ".well-known/gpc.json": ["/.well-known/gpc.json"],
    "healthz": ["/healthz"],
    "readyz": ["/readyz"],
}

# What is sent, and whether `?site=alpha-site` is named too.
ATTEMPTS: Final = [
    ({"host": BETA}, False),
    ({"host": f"a.{BETA}"}, False),
    ({"host": "unknown.example"}, False),
    ({"host": f"{ALPHA}.evil.test"}, False),
    ({"host": f"not{ALPHA}"}, False),
    ({"host": f"www.{ALPHA}"}, False),
    ({"host": f"user@{ALPHA}"}, False),
    ({"host": f"{ALPHA}@evil.test"}, False),
    ({"host": f"https://{ALPHA}/"}, False),
    ({"host": BETA, "x-forwarded-host": ALPHA, "x-host": ALPHA}, False),
    ({"host": BETA, "forwarded": f"host={ALPHA}"}, False),
    ({"host": "unknown.example", "x-forwarded-host": ALPHA}, False),
    ({"host": BETA, "x-original-url": f"https://{ALPHA}/"}, False),
    ({"host": BETA}, True),
    ({"host": BETA, "origin": THEIRS}, True),
    ({"host": BETA, "origin": OURS}, True),
    ({"host": "unknown.example"}, True),
    ({"host": "unknown.example", "origin": THEIRS}, True),
    ({"host": "unknown.example", "origin": "null"}, True),
    ({"host": "unknown.example", "origin": f"{OURS}.evil.test"}, True),
    ({"host": "unknown.example", "origin": OURS.replace("https", "http")}, True),
    ({"host": "unknown.example", "referer": f"{OURS}/"}, True),
]


class World(NamedTuple):
    """Alpha and what is known of it; the cookies of its visitor."""

    alpha: Site
    receipt: str
    marks: tuple[bytes, ...]
    cookies: dict[str, str]


def made(slug: str, host: str, word: str) -> Site:
    """A site with a word of its own in everything that it says."""
    site = Site.objects.create(
        **{
            **SITE,
            "slug": slug,
            "name": f"{word} Name",
            "hosts": [host, f"*.{host}"] if host == BETA else [host],
            "languages": ["en"],
            "allowed_origins": [f"https://pages.{host}"],
            "controller_name": f"{word} Controller",
            "controller_address": f"{word} Address",
            "controller_contact": f"{word} Contact",
            "privacy_policy_url": f"https://{word.lower()}-policy.example/",
        }
    )
    services = [{**one, "provider": f"{word} Provider"} for one in POLICY["services"]]
    document = {**POLICY, "services": services}
    publication.publish(site=site, document=document, at=datetime.now(UTC), by=None)
    return site


@pytest.fixture
def world(db: None, settings: Any) -> World:
    settings.ALLOWED_HOSTS = ["*"]
    alpha = made("alpha-site", ALPHA, "Alphaword")
    made("beta-site", BETA, "Betaword")
    ada = get_user_model().objects.create_user("ada", password=PASSWORD)
    browser = Client(headers={"host": ALPHA})
    receipt = choose(browser, ALL)["receipt"]
    visitor = browser.cookies["consent_id"].value
    sign_in(browser, ada)
    choose(browser, ALL)
    call_command("seal_ledger", stdout=StringIO())
    cookies = {name: one.value for name, one in browser.cookies.items()}
    # Signing in may take the id away; whoever kept it has it still.
    cookies["consent_id"] = visitor
    words = ("Alphaword", "alphaword-policy", f"{ALPHA}/log", visitor.split(".")[0])
    leaf = receipt["leaf_hash"]
    marks = tuple(word.encode() for word in (*words, leaf, receipt["signature"]))
    return World(alpha, receipt["id"], marks, cookies)


def kept(world: World) -> list[Any]:
    """Everything of Alpha's that a request could change."""
    entries = Entry.objects.filter(site=world.alpha)
    return [
        sorted(entries.values_list("id", "leaf_hash")),
        sorted(Content.objects.filter(site=world.alpha).values_list("canonical")),
        sorted(
            Link.objects.filter(site=world.alpha).values_list("entry", "visitor"),
            key=str,
        ),
        list(
            Preference.objects.filter(site=world.alpha).values_list("state", "receipt")
        ),
        Site.objects.filter(pk=world.alpha.pk).values().get(),
    ]


def asked(
    world: World, method: str, address: str, headers: dict[str, str], *, named: bool
) -> Any:
    """Ask with all that Alpha's visitor has."""
    browser = Client(raise_request_exception=True)
    browser.cookies = SimpleCookie(world.cookies)
    address = address.format(receipt=world.receipt)
    if named:
        address += ("&" if "?" in address else "?") + "site=alpha-site"
    sent = {**OWN_PAGE, "consent-cookie": world.cookies["consent"], **headers}
    form: dict[str, Any] = {"answer": "reject", "sure": "yes"}
    if method in {"GET", "HEAD"}:
        return getattr(browser, method.lower())(address, headers=sent)
    if address.startswith("/api/"):
        text = json.dumps(body(ALL))
        kind = "application/json"
        return browser.generic(method, address, text, kind, headers=sent)
    if method == "POST":
        return browser.post(address, form, headers=sent)
    return browser.generic(method, address, headers=sent)


def told(response: Any) -> bytes:
    """All that an answer tells: its headers, its cookies, its body."""
    body = b"" if response.streaming else response.content
    return repr(response.headers).encode() + str(response.cookies).encode() + body


def patterns() -> Iterator[str]:
    for one in get_resolver("consent.urls").url_patterns:
        yield str(one.pattern)


def test_every_address_has_its_row() -> None:
    assert set(ADDRESSES) == set(patterns())


@pytest.mark.parametrize("pattern", ADDRESSES)
def test_nothing_of_a_site_is_told_or_changed_where_another_is_asked(
    world: World, pattern: str
) -> None:
    before = kept(world)
    for address, (headers, named), method in product(
        ADDRESSES[pattern], ATTEMPTS, METHODS
    ):
        about = (method, address, headers, named)
        response = asked(world, method, address, headers, named=named)
        assert response.status_code < 500, about
        found = told(response)
        assert not [mark for mark in world.marks if mark in found], about
        allowed = response.headers.get("Access-Control-Allow-Origin", "*")
        assert allowed in {"*", THEIRS}, about
    assert kept(world) == before


def test_the_addresses_do_lead_to_what_is_searched_for(world: World) -> None:
    seen = b""
    for addresses in ADDRESSES.values():
        for address in addresses:
            seen += told(asked(world, "GET", address, {"host": ALPHA}, named=False))
    assert [mark for mark in world.marks if mark not in seen] == []
    for name in ("checkpoint", "key", "tile/0/000.p/1"):
        log = Client().get(f"/log/alpha-site/{name}", headers={"host": ALPHA})
        assert log.status_code == 200


@pytest.mark.parametrize("host", [f"{ALPHA}:8443", "ALPHA.Example", f"{ALPHA}."])
def test_a_host_is_the_same_with_a_port_a_dot_or_in_capitals(
    world: World, host: str
) -> None:
    assert decision(Client(headers={"host": host}))["site"] == "alpha-site"


def test_a_choice_of_one_site_is_believed_by_no_other(world: World) -> None:
    there = Client(headers={"host": BETA})
    there.cookies = SimpleCookie({"consent": world.cookies["consent"]})
    found = decision(there)
    assert (found["choice"], found["reason"]) == (None, "no_choice")
    assert not any(on for name, on in found["purposes"].items() if name in ALL)
    assert there.get("/cookie-preferences/history.json").json()["records"] == []


WILD = {
    "a.beta.example": "beta-site",
    "a.b.beta.example": "beta-site",
    "beta.example.evil.test": None,
    "a.beta.example.evil.test": None,
    "notbeta.example": None,
    ".beta.example": None,
    "example": None,
}


@pytest.mark.parametrize("host", WILD)
def test_a_star_stands_for_names_below_and_for_nothing_else(
    world: World, host: str
) -> None:
    response = Client().get("/api/v1/policy", headers={"host": host})
    found = response.json().get("site") if response.status_code == 200 else None
    assert found == WILD[host]


def test_a_star_does_not_stand_for_the_name_itself(world: World) -> None:
    Site.objects.filter(slug="beta-site").update(hosts=["*.beta.example"])
    publication.forget()
    assert Client().get("/api/v1/policy", headers={"host": BETA}).status_code == 404


def test_a_visitor_without_a_wish_is_spoken_to_in_the_sites_first_language(
    world: World,
) -> None:
    both = {"languages": ["fr", "en"], "unreviewed_languages": ["fr"]}
    Site.objects.filter(slug="beta-site").update(**both)
    publication.forget()
    page = Client().get("/cookie-preferences/", headers={"host": BETA})
    assert page["Content-Language"] == "fr"
    assert decision(Client(headers={"host": ALPHA}))["language"] == "en"
