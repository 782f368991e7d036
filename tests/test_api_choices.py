"""POST /api/v1/choices: what is kept, what is signed, and what is refused untouched."""

import base64
import hashlib
import hmac
import json
import re
import unicodedata
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client
from pytest_django import Settings

from consent import publication
from consent.models import Content, Entry, Link, Notice, RuleBookVersion, Site, Waiting
from tests.conftest import NewVisitor
from tests.test_api_decision import assert_problem
from tests.visits import ALL, NONE, body, choose, cookie, decision, records, rows, send

MEMBERS = {
    "format",
    "kind",
    "id",
    "site",
    "time",
    "event",
    "purposes",
    "services",
    "visitor",
    "policy",
    "notice",
    "jurisdiction",
    "location",
    "signals",
    "audience",
    "model",
    "surface",
    "valid_until",
}


def rfc8785(value: Any) -> str:
    """Another way to the same bytes: Python's own writer, keys sorted as UTF-16."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        inside = ",".join(f"{json.dumps(k)}:{rfc8785(value[k])}" for k in keys)
        return "{" + inside + "}"
    if isinstance(value, list):
        return "[" + ",".join(rfc8785(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def public_key(settings: Settings) -> Any:
    seed = base64.b64decode(settings.CONSENT_SIGNING_KEY)
    return Ed25519PrivateKey.from_private_bytes(seed).public_key()


def test_a_choice_is_created_with_its_receipt_and_the_decision(
    parisian: Client, noon: object
) -> None:
    response = send(parisian, body({"functional": True, "analytics": True}))
    assert response.status_code == 201
    assert "no-store" in response["Cache-Control"]
    answer = response.json()
    assert set(answer) == {"receipt", "decision"}
    assert answer["decision"]["reason"] == "choice_valid"
    assert answer["decision"]["choice"] == {
        "at": "2026-11-23T12:00:00.000Z",
        "expires_at": "2027-05-22T12:00:00.000Z",
        "purposes": {"functional": True, "analytics": True, "marketing": False},
        "services": {},
        "receipt": answer["receipt"]["id"],
        "policy_version": 1,
    }


def test_the_decision_of_the_answer_is_the_one_that_follows(parisian: Client) -> None:
    told = choose(parisian, {"analytics": True})["decision"]
    found = decision(parisian)
    assert told.pop("choice")["purposes"] == found.pop("choice")["purposes"]
    assert told == found


def test_a_receipt_has_the_members_of_the_contract(parisian: Client) -> None:
    receipt = choose(parisian, ALL)["receipt"]
    assert set(receipt) == {
        "id",
        "site",
        "record",
        "canonical",
        "leaf_hash",
        "key_id",
        "signature",
        "log",
        "opening",
    }
    assert re.fullmatch("[0-9a-f]{32}", receipt["id"])
    assert receipt["site"] == "default"
    assert receipt["log"] is None
    assert receipt["record"]["id"] == receipt["id"]


def test_a_receipt_verifies_with_hashes_and_the_public_key_alone(
    parisian: Client, settings: Settings
) -> None:
    receipt = choose(parisian, ALL)["receipt"]
    canonical = receipt["canonical"].encode()
    assert rfc8785(receipt["record"]).encode() == canonical
    assert unicodedata.is_normalized("NFC", receipt["canonical"])
    assert hashlib.sha256(b"\x00" + canonical).hexdigest() == receipt["leaf_hash"]
    public = public_key(settings)
    signature = base64.b64decode(receipt["signature"], validate=True)
    public.verify(signature, b"consent-receipt/v1\n" + canonical)
    raw = public.public_bytes_raw()
    assert receipt["key_id"] == hashlib.sha256(raw).hexdigest()[:16]


def test_the_opening_ties_the_record_to_the_visitor_and_nothing_else_does(
    parisian: Client,
) -> None:
    receipt = choose(parisian, ALL)["receipt"]
    opening = receipt["opening"]
    salt = base64.b64decode(opening["salt"], validate=True)
    assert len(salt) == 32
    expected = hmac.new(salt, opening["visitor"].encode(), hashlib.sha256).hexdigest()
    assert receipt["record"]["visitor"] == expected
    assert opening["visitor"] not in receipt["canonical"]
    again = choose(parisian, ALL)["receipt"]
    assert again["opening"]["visitor"] == opening["visitor"]
    assert again["record"]["visitor"] != receipt["record"]["visitor"]


def test_the_record_has_exactly_the_members_of_format_1(
    quebecoise: Client, noon: object
) -> None:
    record = choose(quebecoise, {"functional": True}, surface="banner", language="fr")[
        "receipt"
    ]["record"]
    assert set(record) == MEMBERS
    assert record["format"] == 1
    assert (record["kind"], record["event"]) == ("consent", "partial")
    assert record["time"] == "2026-11-23T12:00:00.000Z"
    assert record["purposes"] == {
        "functional": True,
        "analytics": False,
        "marketing": False,
    }
    assert record["location"] == {
        "country": "CA",
        "subdivision": "CA-QC",
        "source": "header",
        "database": None,
    }
    assert record["jurisdiction"]["rule"] == "CA-QC"
    assert record["signals"] == {"gpc": False, "dnt": False, "applied": []}
    assert (record["surface"], record["model"]) == ("banner", "opt_in")
    assert record["audience"] == "general"
    assert record["notice"]["language"] == "fr"
    assert record["valid_until"] == "2027-05-22T12:00:00.000Z"


def test_no_address_and_no_user_agent_enters_any_table(parisian: Client) -> None:
    parisian.defaults["HTTP_USER_AGENT"] = "A-browser-like-no-other/1.0"
    receipt = choose(parisian, ALL)["receipt"]
    kept = " ".join(
        str(vars(row)) for row in [*Content.objects.all(), *Link.objects.all()]
    )
    for text in (kept, receipt["canonical"]):
        assert "2a02:cfc0" not in text
        assert "browser-like" not in text


def test_what_a_record_points_at_is_kept_with_it(parisian: Client, site: Site) -> None:
    record = choose(parisian, ALL)["receipt"]["record"]
    notice = Notice.objects.get(hash=record["notice"]["hash"])
    assert notice.document["language"] == "en"
    assert RuleBookVersion.objects.filter(hash=record["jurisdiction"]["rulebook"])
    policy = site.policies.get(version=record["policy"]["version"])
    assert policy.hash == record["policy"]["hash"]
    named = hashlib.sha256(rfc8785(policy.document).encode()).hexdigest()
    assert policy.hash == f"sha256:{named}"
    assert notice.hash == (
        "sha256:" + hashlib.sha256(rfc8785(notice.document).encode()).hexdigest()
    )


def test_the_entry_waits_for_its_place_in_the_tree(parisian: Client) -> None:
    receipt = choose(parisian, ALL)["receipt"]
    entry = Entry.objects.get(pk=receipt["id"])
    assert bytes(entry.leaf_hash).hex() == receipt["leaf_hash"]
    assert Waiting.objects.filter(entry=entry).exists()
    assert Content.objects.get(entry=entry).canonical == receipt["canonical"]


def test_purposes_left_out_are_refused_explicitly(parisian: Client) -> None:
    record = choose(parisian, {})["receipt"]["record"]
    assert record["purposes"] == NONE
    assert record["event"] == "refused"
    assert record["valid_until"] is None


def test_necessary_may_be_named_as_allowed(parisian: Client) -> None:
    record = choose(parisian, {"necessary": True})["receipt"]["record"]
    assert record["purposes"] == NONE


def test_all_that_is_granted_is_a_grant_and_taking_it_back_a_withdrawal(
    parisian: Client,
) -> None:
    assert choose(parisian, ALL)["receipt"]["record"]["event"] == "granted"
    assert choose(parisian, NONE)["receipt"]["record"]["event"] == "withdrawn"


def test_a_service_refused_alone_does_not_run_and_the_others_do(
    parisian: Client,
) -> None:
    answer = choose(parisian, ALL, services={"video": False, "adverts": True})
    assert answer["receipt"]["record"]["services"] == {"video": False, "adverts": True}
    found = decision(parisian)
    assert found["services"] == {"video": False}
    assert found["purposes"]["marketing"] is True


def test_an_empty_refusal_makes_no_visitor(parisian: Client) -> None:
    receipt = choose(parisian, NONE)["receipt"]
    assert receipt["record"]["visitor"] is None
    assert "opening" not in receipt
    assert not Link.objects.exists()
    assert cookie(parisian, "consent_id") is None
    assert cookie(parisian) is not None


def test_under_the_signal_accepting_all_leaves_marketing_out(
    californian: Client,
) -> None:
    answer = choose(californian, ALL, surface="banner", services={"video": True})
    record = answer["receipt"]["record"]
    assert record["purposes"] == {**ALL, "marketing": False}
    assert record["services"] == {"video": False}
    assert record["signals"] == {"gpc": True, "dnt": False, "applied": ["gpc"]}
    assert answer["decision"]["purposes"]["marketing"] is False


def test_under_the_signal_marketing_is_granted_by_its_own_answer(
    californian: Client,
) -> None:
    answer = choose(californian, ALL, surface="preferences")
    assert answer["receipt"]["record"]["signals"]["applied"] == []
    found = decision(californian)
    assert found["purposes"]["marketing"] is True
    assert found["signals"]["status"] == "overridden"


def test_a_grant_from_before_the_signal_is_suspended(visitor: NewVisitor) -> None:
    browser = visitor("214.78.120.1")
    choose(browser, ALL)
    assert decision(browser)["purposes"]["marketing"] is True
    found = decision(browser, **{"Sec-GPC": "1"})
    assert found["purposes"]["marketing"] is False
    assert found["signals"] == {
        "gpc": True,
        "dnt": False,
        "applied": ["gpc"],
        "status": "honored",
    }


def test_the_record_is_told_again_by_its_number_without_the_opening(
    parisian: Client, hidden: Client
) -> None:
    receipt = choose(parisian, ALL)["receipt"]
    response = hidden.get(f"/api/v1/receipts/{receipt['id']}")
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert response["X-Robots-Tag"] == "noindex"
    del receipt["opening"]
    assert response.json() == receipt


@pytest.mark.parametrize(
    "number", ["0" * 32, "x", "%00", "..", "1" * 500, "%F0%9F%8D%AA", "' OR 1=1"]
)
def test_a_number_of_no_receipt_is_unknown(parisian: Client, number: str) -> None:
    choose(parisian, ALL)
    assert_problem(parisian.get(f"/api/v1/receipts/{number}"), 404, "unknown_receipt")


def test_an_act_of_the_operator_is_no_receipt(parisian: Client) -> None:
    act = Content.objects.filter(kind="act").first()
    response = parisian.get(f"/api/v1/receipts/{act.pk.hex}")
    assert_problem(response, 404, "unknown_receipt")


def test_a_history_holds_the_browsers_own_records_newest_first(
    parisian: Client, hidden: Client
) -> None:
    choose(hidden, ALL)
    first = choose(parisian, ALL)["receipt"]
    second = choose(parisian, NONE)["receipt"]
    found = parisian.get("/api/v1/history").json()["records"]
    assert [receipt["id"] for receipt in found] == [second["id"], first["id"]]
    assert found[1] == first


def test_nobody_without_the_private_cookie_has_a_history(
    parisian: Client, hidden: Client
) -> None:
    choose(parisian, ALL)
    assert hidden.get("/api/v1/history").json() == {"records": [], "next": None}
    parisian.cookies["consent_id"] = parisian.cookies["consent_id"].value[:-1]
    assert parisian.get("/api/v1/history").json() == {"records": [], "next": None}


# What is refused, and how: (id, body or bytes, status, kind).
DEEP = "[" * 8000 + "]" * 8000
REFUSED = [
    ("no JSON", "purposes=all", 400, "malformed"),
    ("nothing", " ", 400, "malformed"),
    ("an array", [], 400, "malformed"),
    ("a number", 1, 400, "malformed"),
    ("null", None, 400, "malformed"),
    ("a text", '"yes"', 400, "malformed"),
    ("not UTF-8", b'{"purposes": "\xff\xfe"}', 400, "malformed"),
    ("UTF-16 without its mark", "{}".encode("utf-16-le"), 422, "invalid"),
    ("deep arrays", DEEP, 400, "malformed"),
    ("a deep object", '{"a":' * 2000 + "1" + "}" * 2000, 422, "invalid"),
    ("no number", '{"policy_version": NaN}', 400, "malformed"),
    ("no end", '{"policy_version": Infinity}', 400, "malformed"),
    ("an integer too long", '{"policy_version": ' + "9" * 5000 + "}", 400, "malformed"),
    (
        "a member twice",
        json.dumps(body(NONE)).replace('"marketing"', '"marketing": true, "marketing"'),
        400,
        "malformed",
    ),
    ("an empty object", {}, 422, "invalid"),
    ("an unknown member", body(ALL, country="US"), 422, "invalid"),
    ("a lone surrogate as a member", '{"\\ud800": 1}', 422, "invalid"),
    ("a purpose nobody knows", body({"profiling": False}), 422, "invalid"),
    ("a lone surrogate as a purpose", body({"\ud800": False}), 422, "invalid"),
    ("necessary refused", body({"necessary": False}), 422, "invalid"),
    ("a purpose that says 1", body({"analytics": 1}), 422, "invalid"),
    ("a purpose that says yes", body({"analytics": "true"}), 422, "invalid"),
    ("a purpose that says null", body({"analytics": None}), 422, "invalid"),
    ("purposes as an array", body() | {"purposes": ["analytics"]}, 422, "invalid"),
    ("purposes as null", body() | {"purposes": None}, 422, "invalid"),
    (
        "no purposes",
        {k: v for k, v in body().items() if k != "purposes"},
        422,
        "invalid",
    ),
    ("a service nobody knows", body(ALL, services={"spy": True}), 422, "invalid"),
    ("a service with NUL", body(ALL, services={"a\0": False}), 422, "invalid"),
    ("services as an array", body(ALL, services=["video"]), 422, "invalid"),
    ("services as null", body(ALL, services=None), 422, "invalid"),
    (
        "a service without its purpose",
        body({"marketing": False}, services={"video": True}),
        422,
        "invalid",
    ),
    ("a language that is not published", body(ALL, language="it"), 422, "invalid"),
    ("a language that is a list", body(ALL, language=["en"]), 422, "invalid"),
    ("a surface nobody knows", body(ALL, surface="popup"), 422, "invalid"),
    ("a surface of ours alone", body(ALL, surface="signal"), 422, "invalid"),
    ("a version never published", body(NONE, policy_version=2), 422, "invalid"),
    ("version 0", body(NONE, policy_version=0), 422, "invalid"),
    ("a version below", body(NONE, policy_version=-1), 422, "invalid"),
    ("a version far above", body(NONE, policy_version=2**64), 422, "invalid"),
    ("a version that is true", body(NONE, policy_version=True), 422, "invalid"),
    ("a version with a point", body(NONE, policy_version=1.0), 422, "invalid"),
    ("a version as text", body(NONE, policy_version="1"), 422, "invalid"),
    ("a body over 16 KiB", " " * 16385, 413, "content_too_large"),
    ("a body far over", "x" * 3_000_000, 413, "content_too_large"),
]


@pytest.mark.parametrize(
    ("content", "status", "kind"),
    [pytest.param(*row, id=name) for name, *row in REFUSED],
)
def test_what_is_no_choice_is_refused_and_nothing_is_stored(
    parisian: Client, content: Any, status: int, kind: str
) -> None:
    before = rows()
    response = send(parisian, content)
    assert_problem(response, status, kind)
    assert rows() == before
    assert not response.cookies


def test_exactly_16_kib_is_still_read(parisian: Client) -> None:
    text = json.dumps(body(NONE))
    assert send(parisian, text + " " * (16384 - len(text))).status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json-patch+json",
        "",
    ],
)
@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {}])
def test_only_json_is_taken(
    parisian: Client, content_type: str, headers: dict[str, str]
) -> None:
    before = rows()
    response = send(parisian, body(ALL), content_type=content_type, headers=headers)
    assert_problem(response, 415, "unsupported_media_type")
    assert rows() == before


def test_a_charset_behind_the_type_does_not_matter(parisian: Client) -> None:
    content_type = "application/json; charset=utf-8"
    assert send(parisian, body(NONE), content_type=content_type).status_code == 201


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_another_method_stores_nothing(parisian: Client, method: str) -> None:
    before = rows()
    response = getattr(parisian, method)("/api/v1/choices")
    assert response.status_code == 405
    assert response["Allow"] == "POST"
    assert rows() == before


def test_a_choice_on_a_host_of_no_site_stores_nothing(
    site: Site, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    before = rows()
    stranger = Client(headers={"host": "other.example.org"})
    assert_problem(send(stranger, body(NONE)), 404, "unknown_site")
    assert rows() == before


def test_a_refusal_of_an_older_version_is_recorded_against_it(
    parisian: Client, second_policy: Site
) -> None:
    record = choose(parisian, NONE, policy_version=1)["receipt"]["record"]
    first = second_policy.policies.get(version=1)
    assert record["policy"] == {"version": 1, "hash": first.hash}
    assert record["notice"]["hash"] is None
    assert decision(parisian)["choice"]["policy_version"] == 1


@pytest.mark.parametrize("purposes", [ALL, {"functional": True}])
def test_a_grant_to_an_older_version_is_a_conflict_with_the_current_decision(
    parisian: Client, second_policy: Site, purposes: dict[str, bool]
) -> None:
    before = rows()
    response = send(parisian, body(purposes, policy_version=1))
    assert_problem(response, 409, "policy_changed")
    assert response.json()["decision"] == decision(parisian)
    assert response.json()["decision"]["policy"]["version"] == 2
    assert rows() == before
    assert not response.cookies


def test_a_choice_before_anything_was_published_is_refused(site: Site) -> None:
    Site.objects.create(slug="new", name="New", hosts=["localhost"], languages=["en"])
    site.hosts = ["testserver"]
    site.save()
    publication.forget()
    before = rows()
    new = Client(headers={"host": "localhost"})
    assert_problem(send(new, body({}, policy_version=0)), 422, "invalid")
    assert rows() == before


def test_the_clients_clock_country_and_identity_are_not_believed(
    parisian: Client, noon: object
) -> None:
    before = rows()
    for member in ("time", "country", "visitor", "user", "log", "id", "signals"):
        response = send(parisian, body(NONE, **{member: "1999-01-01"}))
        assert_problem(response, 422, "invalid")
    assert rows() == before
    choose(parisian, NONE)
    (record,) = records()
    assert record["time"] == "2026-11-23T12:00:00.000Z"


def test_a_declared_region_is_kept_with_the_choice(visitor: NewVisitor) -> None:
    browser = visitor("214.78.120.1")
    assert send(browser, body(NONE), query="?place=FR").status_code == 201
    found = decision(browser)
    assert found["jurisdiction"]["rule"] == "FR+US-CA"
    assert found["purposes"]["analytics"] is False


def test_a_region_that_is_none_does_not_reach_the_cookie(parisian: Client) -> None:
    response = send(parisian, body(NONE), query="?place=" + "x" * 2000)
    assert response.status_code == 201
    assert len(cookie(parisian) or "") < 400
    assert decision(parisian)["reason"] == "choice_valid"
