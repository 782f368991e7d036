"""Persons whom the site's backend vouches for, and the browsers that they use."""

import hashlib
import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent import choices
from consent.identities import InvalidTokenError, identity_of, read_token
from consent.models import Link, Linked, Preference, Site, UsedToken
from tests.conftest import NewVisitor
from tests.visits import ALL, NONE, OWN_PAGE, choose, decision, records

PARIS, CALIFORNIA = "2a02:cfc0::1", "214.78.120.1"
KEY = "a key of the installation, 32 or more"
ADDRESS = "/api/v1/identities"


@pytest.fixture(autouse=True)
def _identity_key(settings: LazySettings) -> None:
    settings.CONSENT_IDENTITY_KEY = KEY


class Backend:
    """The site's own backend, which signs who somebody is."""

    def __init__(self, site: Site, folder: Path, algorithm: str = "EdDSA") -> None:
        self.site, self.algorithm, self.count = site, algorithm, 0
        given = ["--site", site.slug, "--kid", algorithm, "--algorithm", algorithm]
        given += ["--issuer", "https://shop.example", "--audience", "consent"]
        if algorithm != "HS256":
            self.key: Any = (
                Ed25519PrivateKey.generate()
                if algorithm == "EdDSA"
                else ec.generate_private_key(ec.SECP256R1())
            )
            public = self.key.public_key()
            pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            (folder / "key.pem").write_bytes(pem)
            given += ["--public-key", str(folder / "key.pem")]
        shown = StringIO()
        call_command("make_identity_key", *given, stdout=shown)
        if algorithm == "HS256":
            self.key = b64decode(shown.getvalue())

    def claims(self, subject: str, used: str, **others: Any) -> dict[str, Any]:
        self.count += 1
        return {
            "iss": "https://shop.example",
            "aud": "consent",
            "sub": subject,
            "exp": int((datetime.now(UTC) + timedelta(minutes=4)).timestamp()),
            "jti": f"token-number-{self.count}",
            "browser": used,
        } | others

    def token(self, subject: str, used: str, **others: Any) -> str:
        claims = self.claims(subject, used, **others)
        return self.signed({k: v for k, v in claims.items() if v is not None})

    def signed(self, claims: dict[str, Any], **headers: Any) -> str:
        headers = {"kid": self.algorithm, **headers}
        return jwt.encode(claims, self.key, self.algorithm, headers=headers)


@pytest.fixture
def backend(site: Site, tmp_path: Path) -> Backend:
    return Backend(site, tmp_path)


def post(browser: Client, body: dict[str, Any], **headers: str) -> Any:
    return browser.post(
        ADDRESS,
        json.dumps(body),
        content_type="application/json",
        headers=headers or OWN_PAGE,
    )


def name_of(browser: Client) -> str:
    return post(browser, {}).json()["browser"]


def link(browser: Client, backend: Backend, subject: str, **others: Any) -> Any:
    token = backend.token(subject, name_of(browser), **others)
    response = post(browser, {"token": token})
    assert response.status_code == 200, response.content
    return response.json()


# --- preferences are shared, histories are not ---------------------------------------


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "HS256"])
def test_a_vouched_person_has_one_choice_in_all_their_browsers(
    visitor: NewVisitor, site: Site, tmp_path: Path, algorithm: str
) -> None:
    backend = Backend(site, tmp_path, algorithm)
    phone, desk = visitor(PARIS), visitor(PARIS)
    choose(phone, {**ALL, "marketing": False})
    link(phone, backend, "ada@shop.example")
    told = link(desk, backend, "ada@shop.example")
    wanted = {"necessary": True, **ALL, "marketing": False}
    assert told["decision"]["purposes"] == wanted
    choose(desk, NONE)
    assert decision(phone)["purposes"] == {"necessary": True, **NONE}


def test_the_backend_can_make_the_name_of_a_browser(visitor: NewVisitor) -> None:
    browser = visitor(PARIS)
    told = name_of(browser)
    value = browser.cookies["consent_id"].value
    assert told == hashlib.sha256(value.partition(".")[0].encode()).hexdigest()


def test_the_name_stays_the_same_once_the_browser_is_linked(
    visitor: NewVisitor, backend: Backend
) -> None:
    browser = visitor(PARIS)
    before = name_of(browser)
    link(browser, backend, "ada")
    assert post(browser, {}).json() == {"browser": before, "linked": True}


def test_a_link_opens_no_history_and_no_receipt_of_another_browser(
    visitor: NewVisitor, backend: Backend
) -> None:
    phone, desk = visitor(PARIS), visitor(PARIS)
    kept = choose(phone, ALL)["receipt"]["id"]
    link(phone, backend, "ada")
    told = link(desk, backend, "ada")
    seen = json.dumps([told, decision(desk), desk.get("/api/v1/history").json()])
    assert kept not in seen
    assert decision(desk)["choice"]["receipt"] is None


def test_where_browser_and_person_differ_the_refusal_holds(
    visitor: NewVisitor, backend: Backend
) -> None:
    phone, desk = visitor(PARIS), visitor(PARIS)
    choose(phone, ALL)
    link(phone, backend, "ada")
    choose(desk, {**ALL, "analytics": False})
    link(desk, backend, "ada")
    for browser in (phone, desk):
        assert decision(browser)["purposes"]["analytics"] is False
        assert decision(browser)["purposes"]["marketing"] is True


def test_the_name_of_a_person_is_kept_nowhere(
    visitor: NewVisitor, backend: Backend, site: Site
) -> None:
    browser = visitor(PARIS)
    choose(browser, ALL)
    told = link(browser, backend, "ada@shop.example")
    assert told["identity"] == identity_of(site, "ada@shop.example")
    held = [*Preference.objects.values(), *Linked.objects.values()]
    held += [*Link.objects.values(), *UsedToken.objects.values(), *records()]
    assert "ada@" not in repr(held)


def test_linking_again_does_not_bring_back_what_was_refused_before(
    visitor: NewVisitor, backend: Backend
) -> None:
    phone, desk = visitor(PARIS), visitor(PARIS)
    choose(phone, NONE)
    link(phone, backend, "ada")
    link(desk, backend, "ada")
    choose(desk, ALL)
    again = link(phone, backend, "ada")
    assert again["decision"]["purposes"] == {"necessary": True, **ALL}


def test_a_browser_that_was_another_persons_brings_only_refusals_and_a_new_name(
    visitor: NewVisitor, backend: Backend
) -> None:
    browser = visitor(PARIS)
    choose(browser, {**ALL, "analytics": False})
    link(browser, backend, "ada")
    before = name_of(browser)
    told = link(browser, backend, "bob")
    assert told["browser"] != before
    assert told["decision"]["purposes"] == {"necessary": True, **NONE}
    assert browser.get("/api/v1/history").json()["records"] == [
        one
        for one in browser.get("/api/v1/history").json()["records"]
        if one["record"]["event"] == "merged"
    ]


def test_unlinking_leaves_the_choice_and_no_person(
    visitor: NewVisitor, backend: Backend
) -> None:
    phone, desk = visitor(PARIS), visitor(PARIS)
    choose(phone, ALL)
    link(phone, backend, "ada")
    link(desk, backend, "ada")
    response = phone.delete(ADDRESS, headers=OWN_PAGE)
    assert response.json()["linked"] is False
    choose(desk, NONE)
    assert decision(phone)["purposes"] == {"necessary": True, **ALL}
    assert Linked.objects.count() == 1


def test_a_signal_reaches_every_browser_of_the_person(
    visitor: NewVisitor, backend: Backend
) -> None:
    phone, desk = visitor(CALIFORNIA), visitor(CALIFORNIA, gpc=True)
    link(phone, backend, "ada")
    assert decision(phone)["purposes"]["marketing"] is True
    link(desk, backend, "ada")
    assert decision(phone)["purposes"]["marketing"] is False
    assert records()[-1]["event"] == "opted_out"


def test_a_child_is_offered_no_marketing_and_asked_for_the_rest(
    visitor: NewVisitor, backend: Backend
) -> None:
    browser = visitor(CALIFORNIA)
    told = link(browser, backend, "kid", minor=True)["decision"]
    assert told["model"] == "opt_in"
    assert told["purposes"] == {"necessary": True, **NONE}
    refused = browser.post(
        "/api/v1/choices",
        json.dumps(
            {
                "purposes": ALL,
                "policy_version": 1,
                "surface": "api",
                "language": "en",
            }
        ),
        content_type="application/json",
        headers=OWN_PAGE,
    )
    assert refused.status_code == 422


def test_erasing_ends_the_link_and_what_it_granted(
    visitor: NewVisitor, backend: Backend
) -> None:
    phone, desk = visitor(PARIS), visitor(PARIS)
    choose(phone, ALL)
    link(phone, backend, "ada")
    link(desk, backend, "ada")
    assert phone.delete("/api/v1/visitor", headers=OWN_PAGE).status_code == 200
    assert decision(desk)["purposes"] == {"necessary": True, **NONE}
    assert Linked.objects.count() == 1


def test_a_visitor_without_a_link_costs_no_query(
    visitor: NewVisitor, django_assert_num_queries: Any
) -> None:
    browser = visitor(PARIS)
    choose(browser, ALL)
    decision(browser)
    with django_assert_num_queries(0):
        decision(browser)


def test_a_linked_browser_costs_one_query(
    visitor: NewVisitor, backend: Backend, django_assert_num_queries: Any
) -> None:
    browser = visitor(PARIS)
    choose(browser, ALL)
    link(browser, backend, "ada")
    with django_assert_num_queries(1):
        decision(browser)


# --- nobody else gets in --------------------------------------------------------------


def test_a_token_counts_once(visitor: NewVisitor, backend: Backend) -> None:
    browser = visitor(PARIS)
    token = backend.token("ada", name_of(browser))
    assert post(browser, {"token": token}).status_code == 200
    assert post(browser, {"token": token}).status_code == 401


def test_a_stolen_token_links_no_other_browser(
    visitor: NewVisitor, backend: Backend
) -> None:
    victim, thief = visitor(PARIS), visitor(PARIS)
    token = backend.token("ada", name_of(victim))
    name_of(thief)
    assert post(thief, {"token": token}).status_code == 409
    assert post(visitor(PARIS), {"token": token}).status_code == 409
    assert Linked.objects.count() == 0
    assert post(victim, {"token": token}).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": ["consent", "another"]},
        {"exp": 1},
        {"exp": 4_000_000_000},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 10**30},
        {"jti": None},
        {"jti": "short"},
        {"sub": None},
        {"sub": ""},
        {"sub": "a" * 256},
        {"browser": None},
        {"browser": "x"},
        {"minor": "yes"},
    ],
)
def test_a_token_with_a_wrong_claim_vouches_for_nobody(
    visitor: NewVisitor, backend: Backend, wrong: dict[str, Any]
) -> None:
    browser = visitor(PARIS)
    token = backend.token("ada", name_of(browser), **wrong)
    response = post(browser, {"token": token})
    assert response.status_code == 401
    assert response.json()["type"] == "urn:consent:problem:invalid_token"
    assert Linked.objects.count() == Preference.objects.count() == 0


def test_only_the_algorithm_of_the_keys_row_is_taken(
    visitor: NewVisitor, backend: Backend
) -> None:
    browser = visitor(PARIS)
    claims = backend.claims("ada", name_of(browser))
    public = backend.key.public_key().public_bytes_raw()
    head = {"kid": "EdDSA"}
    for token in (
        jwt.encode(claims, "", "none", headers=head),
        jwt.encode(claims, public, "HS256", headers=head),
        backend.signed(claims, kid="another"),
        backend.signed(claims, crit=["exp"]),
        backend.signed(claims, jku="https://evil.example"),
        backend.signed(claims)[:-4] + "AAAA",
    ):
        assert post(browser, {"token": token}).status_code == 401


def test_a_retired_key_and_another_sites_key_vouch_for_nobody(
    visitor: NewVisitor, backend: Backend, site: Site
) -> None:
    browser = visitor(PARIS)
    token = backend.token("ada", name_of(browser))
    other = Site.objects.create(slug="other", hosts=["other.example"])
    with pytest.raises(InvalidTokenError):
        read_token(token, site=other, now=datetime.now(UTC))
    retire = ("--site", site.slug, "--kid", "EdDSA", "--retire")
    call_command("make_identity_key", *retire, stdout=StringIO())
    assert post(browser, {"token": token}).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
        {"Accept": "*/*"},
    ],
)
def test_another_origin_cannot_link(
    visitor: NewVisitor, backend: Backend, headers: dict[str, str]
) -> None:
    browser = visitor(PARIS)
    token = backend.token("ada", name_of(browser))
    assert post(browser, {"token": token}, **headers).status_code == 403
    assert Linked.objects.count() == 0


@pytest.mark.parametrize("body", [{"token": 1}, {"token": "x", "more": 1}, {"a": 1}])
def test_a_body_that_is_no_token_is_refused(
    visitor: NewVisitor, backend: Backend, body: dict[str, Any]
) -> None:
    assert post(visitor(PARIS), body).status_code == 422


def test_without_a_key_of_the_installation_nobody_is_known(
    visitor: NewVisitor, backend: Backend, settings: LazySettings
) -> None:
    settings.CONSENT_IDENTITY_KEY = "too short"
    browser = visitor(PARIS)
    response = post(browser, {"token": backend.token("ada", name_of(browser))})
    assert response.status_code == 503
    assert Linked.objects.count() == UsedToken.objects.count() == 0


@given(text=st.one_of(st.text(), st.from_regex(r"[\w-]+\.[\w-]+\.[\w-]*")))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_made_up_token_is_believed(site: Site, text: str) -> None:
    with pytest.raises(InvalidTokenError):
        read_token(text, site=site, now=datetime.now(UTC))


def test_used_tokens_are_forgotten_when_they_are_over(
    visitor: NewVisitor, backend: Backend
) -> None:
    link(visitor(PARIS), backend, "ada")
    assert choices.forget_used(datetime.now(UTC)) == 0
    assert choices.forget_used(datetime.now(UTC) + timedelta(minutes=6)) == 1


def test_a_key_that_fits_no_algorithm_is_not_added(site: Site, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("no key")
    given = ("--site", site.slug, "--kid", "k", "--issuer", "i", "--audience", "a")
    for algorithm in ("EdDSA", "ES256", "HS256"):
        pem = ("--public-key", str(tmp_path / "key.pem"))
        with pytest.raises(CommandError):
            call_command("make_identity_key", *given, "--algorithm", algorithm, *pem)
