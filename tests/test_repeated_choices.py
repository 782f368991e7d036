"""A choice that is sent again with its key: one record, and nothing of others."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.test import Client

from consent import background, choices, publication
from consent.choices import repeating
from consent.management.demo_site import POLICY, SITE
from consent.models import Repeat, Site
from tests.conftest import NOON, NewVisitor
from tests.logs import another_site
from tests.served import Server
from tests.test_api_decision import assert_problem
from tests.visits import (
    ALL,
    NONE,
    OWN_PAGE,
    body,
    choose,
    cookie,
    decision,
    records,
    rows,
    send,
)

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
OTHER = "0b8f1c7c-6c0a-4b3f-9f56-2d5f6f5e2f11"


def keyed(
    browser: Client, content: Any, key: str = KEY, query: str = "", **headers: str
) -> Any:
    sent = {**OWN_PAGE, "Idempotency-Key": key, **headers}
    return send(browser, content, headers=sent, query=query)


def kept(browser: Client, content: Any, key: str = KEY, **headers: str) -> Any:
    response = keyed(browser, content, key, **headers)
    assert response.status_code == 201, response.content
    return response


def without_answer(browser: Client, content: Any, key: str = KEY) -> dict[str, Any]:
    """A choice whose answer never reached the browser; what it said."""
    before = {name: held.value for name, held in browser.cookies.items()}
    answer: dict[str, Any] = kept(browser, content, key).json()
    browser.cookies.clear()
    for name, value in before.items():
        browser.cookies[name] = value
    return answer


def test_a_choice_that_is_sent_again_is_one_record(parisian: Client) -> None:
    first = kept(parisian, body(NONE)).json()
    before = rows()
    again = kept(parisian, body(NONE)).json()
    assert rows() == before
    assert again["receipt"] == first["receipt"]
    assert again["decision"] == first["decision"]
    assert len(records()) == 1


@pytest.mark.parametrize("answers", [ALL, NONE])
def test_an_answer_that_was_lost_is_given_again_with_the_choice(
    parisian: Client, answers: dict[str, bool]
) -> None:
    lost = without_answer(parisian, body(answers))
    assert cookie(parisian) is None
    again = kept(parisian, body(answers)).json()
    assert again["receipt"]["canonical"] == lost["receipt"]["canonical"]
    assert again["decision"] == lost["decision"]
    running = decision(parisian)
    assert running["purposes"] == lost["decision"]["purposes"]
    assert running["choice"]["purposes"] == answers
    assert len(records()) == 1


def test_who_held_a_visitor_id_gets_the_whole_answer_again(parisian: Client) -> None:
    choose(parisian, ALL)
    held = cookie(parisian, "consent_id")
    lost = without_answer(parisian, body({"analytics": True}))
    assert cookie(parisian, "consent_id") == held
    assert kept(parisian, body({"analytics": True})).json() == lost
    assert cookie(parisian, "consent_id") == held


def test_two_keys_are_two_records(parisian: Client) -> None:
    kept(parisian, body(NONE))
    kept(parisian, body(NONE), OTHER)
    assert len(records()) == 2


def test_a_key_in_quotation_marks_is_the_same_key(parisian: Client) -> None:
    first = kept(parisian, body(NONE)).json()
    assert kept(parisian, body(NONE), f'"{KEY}"').json() == first


@pytest.mark.parametrize(
    "changed",
    [
        body(ALL),
        body(NONE, surface="banner"),
        body(NONE, services={}),
        body(NONE, language="fr"),
    ],
)
def test_the_key_of_another_request_stores_nothing(
    parisian: Client, changed: dict[str, Any]
) -> None:
    kept(parisian, body(NONE))
    before = rows()
    assert_problem(keyed(parisian, changed), 422, "idempotency_key_reused")
    assert rows() == before
    assert decision(parisian)["choice"]["purposes"] == NONE


def test_a_signal_or_another_place_is_another_request(parisian: Client) -> None:
    kept(parisian, body(NONE))
    signal = keyed(parisian, body(NONE), **{"Sec-GPC": "1"})
    assert_problem(signal, 422, "idempotency_key_reused")
    elsewhere = keyed(parisian, body(NONE), query="?place=US-CA")
    assert_problem(elsewhere, 422, "idempotency_key_reused")


@pytest.mark.parametrize(
    "key",
    [
        *("", "a" * 15, "a" * 129, "key with blanks 123", "schlüssel-mit-umlaut"),
        *('"' + KEY, KEY + '"', f"{KEY}, {OTHER}", "a" * 15 + "'", "a" * 20 + "\x7f"),
    ],
)
def test_what_is_no_key_is_named_and_stores_nothing(parisian: Client, key: str) -> None:
    before = rows()
    response = keyed(parisian, body(ALL), key)
    assert_problem(response, 400, "invalid_idempotency_key")
    assert rows() == before
    assert cookie(parisian) is None


def test_a_request_that_was_refused_uses_up_no_key(parisian: Client) -> None:
    assert_problem(keyed(parisian, body({"telepathy": True})), 422, "invalid")
    kept(parisian, body(NONE))


def test_nothing_that_a_key_or_a_browser_says_is_kept_in_clear(
    parisian: Client,
) -> None:
    parisian.defaults["HTTP_USER_AGENT"] = "A-browser-like-no-other/1.0"
    choose(parisian, ALL)
    kept(parisian, body(NONE))
    row = Repeat.objects.get()
    told = " ".join(
        bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
        for value in vars(row).values()
    )
    secrets = [KEY, KEY.encode().hex(), "2a02:cfc0", "browser-like"]
    secrets += [cookie(parisian) or "?", (cookie(parisian, "consent_id") or "?")[:32]]
    assert not [secret for secret in secrets if secret in told]


# --- Somebody else's key --------------------------------------------------------------


def test_a_key_alone_opens_nothing_of_whoever_used_it(
    parisian: Client, visitor: NewVisitor
) -> None:
    first = kept(parisian, body(ALL)).json()
    assert "opening" in first["receipt"]
    thief = visitor("2a02:cfc0::1")
    told = kept(thief, body(ALL)).json()
    # As from the receipt's number: what the record says, and not whose it is.
    assert told["receipt"] == {
        name: value for name, value in first["receipt"].items() if name != "opening"
    }
    assert cookie(thief, "consent_id") is None
    assert first["receipt"]["opening"]["visitor"] not in str(told)
    assert thief.get("/api/v1/history").json()["records"] == []


def test_another_browsers_key_is_no_key_of_a_browser_that_has_chosen(
    parisian: Client, visitor: NewVisitor
) -> None:
    kept(parisian, body(ALL))
    thief = visitor("2a02:cfc0::1")
    choose(thief, NONE)
    assert_problem(keyed(thief, body(ALL)), 422, "idempotency_key_reused")
    assert decision(thief)["purposes"]["marketing"] is False


def test_a_browser_with_an_id_of_its_own_is_told_nothing_of_anothers(
    parisian: Client, visitor: NewVisitor, noon: object
) -> None:
    thief = visitor("2a02:cfc0::1")
    choose(thief, ALL)
    kept(parisian, body(ALL))
    assert cookie(thief) == cookie(parisian)  # which holds no identifier
    assert_problem(keyed(thief, body(ALL)), 422, "idempotency_key_reused")


def test_a_key_is_another_one_on_another_site(
    parisian: Client, site: Site, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "shop.example.org"]
    told = ("controller_name", "controller_address", "controller_contact")
    shop = another_site(**{k: SITE[k] for k in (*told, "privacy_policy_url")})
    publication.publish(site=shop, document=POLICY, at=datetime.now(UTC), by=None)
    first = kept(parisian, body(NONE)).json()
    there = keyed(Client(), body(NONE), host="shop.example.org")
    assert there.status_code == 201
    assert there.json()["receipt"]["site"] == "shop"
    assert there.json()["receipt"]["id"] != first["receipt"]["id"]
    assert len({bytes(row.key) for row in Repeat.objects.all()}) == 2


def test_a_page_of_another_site_gets_its_value_again_and_no_opening(
    site: Site, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "localhost.other"]
    Site.objects.filter(pk=site.pk).update(allowed_origins=["https://app.example"])
    page = {"origin": "https://app.example", "host": "localhost.other"}
    page["Idempotency-Key"] = KEY
    first, again = (
        send(Client(), body(ALL), headers=page, query="?site=default").json()
        for _ in range(2)
    )
    assert again["cookie"] == first["cookie"]
    assert again["receipt"]["id"] == first["receipt"]["id"]
    assert "opening" not in again["receipt"]
    holding = {**page, "Consent-Cookie": first["cookie"]}
    later = send(Client(), body(ALL), headers=holding, query="?site=default")
    assert later.json()["cookie"] == first["cookie"]


def test_a_page_of_another_origin_may_send_a_key(site: Site) -> None:
    Site.objects.filter(pk=site.pk).update(allowed_origins=["https://app.example"])
    asked = Client().options(
        "/api/v1/choices", headers={"origin": "https://app.example"}
    )
    assert "Idempotency-Key" in asked["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("origin", ["https://evil.example", None])
def test_a_key_helps_no_request_from_the_wrong_place(
    parisian: Client, origin: str | None
) -> None:
    kept(parisian, body(ALL))
    headers = {"Idempotency-Key": KEY} | ({"origin": origin} if origin else {})
    before = rows()
    assert_problem(send(Client(), body(ALL), headers=headers), 403, "forbidden_origin")
    assert rows() == before


def test_a_refusal_from_anywhere_is_one_record_too(parisian: Client) -> None:
    numbers = {
        send(parisian, body(NONE), headers={"Idempotency-Key": KEY}).json()["receipt"][
            "id"
        ]
        for _ in range(2)
    }
    assert len(numbers) == len(records()) == 1


# --- Time, publications, erasure ------------------------------------------------------


def test_a_repetition_undoes_nothing_that_was_answered_since(parisian: Client) -> None:
    kept(parisian, body(ALL))
    choose(parisian, NONE)
    assert_problem(keyed(parisian, body(ALL)), 422, "idempotency_key_reused")
    assert decision(parisian)["purposes"]["marketing"] is False


def test_a_grant_that_was_kept_is_told_of_after_a_publication(
    parisian: Client, request: pytest.FixtureRequest
) -> None:
    first = kept(parisian, body(ALL)).json()
    request.getfixturevalue("second_policy")
    publication.forget()
    again = kept(parisian, body(ALL)).json()
    assert again["receipt"] == first["receipt"]
    # What is in force now is said, not what was.
    assert again["decision"]["purposes"]["marketing"] is False
    assert_problem(keyed(parisian, body(ALL), OTHER), 409, "policy_changed")


def test_a_repetition_after_an_erasure_brings_nothing_back(
    parisian: Client, visitor: NewVisitor
) -> None:
    kept(parisian, body(ALL))
    assert parisian.delete("/api/v1/visitor", headers=OWN_PAGE).status_code == 200
    before = rows()
    for browser in (parisian, visitor("2a02:cfc0::1")):
        response = keyed(browser, body(ALL))
        assert_problem(response, 409, "record_gone")
        assert not response.cookies
    assert rows() == before
    assert decision(parisian)["purposes"]["marketing"] is False


def test_erasing_twice_is_erasing_once_without_a_key(parisian: Client) -> None:
    choose(parisian, ALL)
    first = parisian.delete("/api/v1/visitor", headers=OWN_PAGE).json()
    before = rows()
    again = parisian.delete("/api/v1/visitor", headers=OWN_PAGE).json()
    assert (first["erased"], again["erased"]) == (1, 0)
    assert again["receipt"] is None
    assert rows() == before


def test_a_key_is_forgotten_after_a_day(parisian: Client, site: Site) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        kept(parisian, body(NONE))
        clock.shift(choices.KEPT)
        background.forget_keys()
        assert Repeat.objects.count() == 1
        clock.shift(timedelta(seconds=1))
        background.forget_keys()
    assert not Repeat.objects.exists()
    assert len(records()) == 1


def test_forgetting_keys_is_a_chore_of_the_worker() -> None:
    todo = {chore.name: chore for some in background.chores() for chore in some}
    assert todo["keys"].work is background.forget_keys


# --- Accounts -------------------------------------------------------------------------


def test_an_accounts_choice_is_one_record_with_what_is_in_force_now(
    parisian: Client, visitor: NewVisitor
) -> None:
    ada = get_user_model().objects.create_user("ada")
    other = visitor("2a02:cfc0::1")
    parisian.force_login(ada)
    other.force_login(ada)
    first = kept(parisian, body(ALL)).json()
    choose(other, NONE)
    again = kept(parisian, body(ALL)).json()
    assert again["receipt"] == first["receipt"]
    assert again["decision"]["purposes"]["marketing"] is False
    assert len(records()) == 2


def test_another_accounts_key_is_another_request(
    parisian: Client, visitor: NewVisitor
) -> None:
    users = get_user_model().objects
    parisian.force_login(users.create_user("ada"))
    kept(parisian, body(ALL))
    thief = visitor("2a02:cfc0::1")
    assert_problem(keyed(thief, body(ALL)), 422, "idempotency_key_reused")
    thief.force_login(users.create_user("bob"))
    assert_problem(keyed(thief, body(ALL)), 422, "idempotency_key_reused")


def test_an_account_that_is_gone_brings_nothing_back(parisian: Client) -> None:
    ada = get_user_model().objects.create_user("ada")
    parisian.force_login(ada)
    kept(parisian, body(ALL))
    parisian.delete("/api/v1/visitor", headers=OWN_PAGE)
    assert_problem(keyed(parisian, body(ALL)), 409, "record_gone")


# --- At once --------------------------------------------------------------------------


def test_a_record_and_its_key_are_kept_together_or_not_at_all(
    parisian: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(parisian, body(NONE), OTHER)
    before = rows()

    def breaks(*_: object, **__: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(repeating, "_keep", breaks)
    assert_problem(keyed(parisian, body(ALL)), 503, "unavailable")
    assert rows() == before


def test_of_many_requests_at_once_one_makes_the_record(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.environment |= {"GRANIAN_WORKERS": "2", "GRANIAN_BLOCKING_THREADS": "4"}
    server.prepare()
    asked = body(NONE)
    with server.running():
        for number in range(6):
            key = f"{number}-{KEY}"
            answers = at_once(server, asked, {"Idempotency-Key": key}, times=8)
            assert [status for status, _ in answers] == [201] * 8
            assert len({answer["receipt"]["id"] for _, answer in answers}) == 1
    told = server.manage("shell", "-v", "0", "-c", COUNTING)
    assert told.split() == ["6", "6"]


COUNTING = (
    "from consent.models import Content, Repeat; "
    "print(Content.objects.filter(kind='consent').count(), Repeat.objects.count())"
)


def at_once(
    server: Server, content: Any, headers: dict[str, str], *, times: int
) -> list[tuple[int, Any]]:
    """The same request from several clients that wait for each other first."""
    start, answers = threading.Barrier(times), list[tuple[int, Any]]()

    def ask() -> None:
        start.wait(10)
        answers.append(server.ask("POST", "/api/v1/choices", content, **headers))

    threads = [threading.Thread(target=ask) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers
