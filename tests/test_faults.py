"""What breaks is answered by the strictest behaviour or a clear 503, never by a yes."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection
from django.test import Client
from pytest_django import Settings

from consent import publication
from consent.middleware import asking
from tests.served import Server
from tests.test_api_decision import NOTHING_OPTIONAL, assert_problem
from tests.visits import ALL, NONE, OWN_PAGE, body, choose, cookie, decision, rows, send

GEOIP = Path(__file__).parent / "data" / "geoip"
POSTGRES = connection.vendor == "postgresql"
ANYBODYS = ("/", "/cookie-preferences/", "/privacy-choices/")

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def database_down() -> Iterator[None]:
    """The connection leads where no database is: a closed port, a missing folder."""
    kept, connection.connection = connection.connection, None
    where = dict(connection.settings_dict)
    nowhere = {"HOST": "127.0.0.1", "PORT": "1"} if POSTGRES else {"NAME": "/no/where"}
    connection.settings_dict.update(nowhere)
    try:
        yield
    finally:
        connection.settings_dict.clear()
        connection.settings_dict.update(where)
        connection.connection = kept


@contextmanager
def read_only_disk() -> Iterator[None]:
    """The database refuses to write, as on a disk that was mounted read-only."""
    on = "SET SESSION CHARACTERISTICS AS TRANSACTION READ {}"
    words = ("ONLY", "WRITE") if POSTGRES else ("ON", "OFF")
    statement = on if POSTGRES else "PRAGMA query_only = {}"
    with connection.cursor() as cursor:
        cursor.execute(statement.format(words[0]))
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(statement.format(words[1]))


@contextmanager
def full_disk() -> Iterator[None]:
    """The database may not grow by a single page."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        (pages,) = cursor.fetchone()
        cursor.execute("PRAGMA max_page_count")
        (most,) = cursor.fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA max_page_count = {most}")


FAULTS = [database_down, read_only_disk]
type Fault = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def stale(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was published has to be read again for every request."""
    monkeypatch.setattr(publication, "FRESH_SECONDS", -1.0)


@pytest.fixture
def ada(site: Any) -> Any:
    return get_user_model().objects.create_user("ada", password="a long enough word")


# --- the database -------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
def test_decisions_for_anonymous_visitors_go_on_from_the_snapshot(
    parisian: Client, alaskan: Client, stale: None, fault: Fault
) -> None:
    choose(parisian, {"functional": True})
    told = [decision(parisian), decision(alaskan)]
    pages = [len(parisian.get(page).content) for page in ANYBODYS[::2]]
    with fault():
        assert [decision(parisian), decision(alaskan)] == told
        for page, length in zip(ANYBODYS[::2], pages, strict=True):
            response = parisian.get(page)
            assert response.status_code == 200
            assert abs(len(response.content) - length) < 200


def test_with_nothing_ever_read_everything_is_a_503(parisian: Client) -> None:
    with database_down():
        publication.forget()
        response = parisian.get("/api/v1/decision")
        assert_problem(response, 503, "unavailable")
        assert response["Retry-After"] == "5"
        for page in ANYBODYS:
            response = parisian.get(page)
            assert response.status_code == 503
            assert "unavailable" in response.content.decode()
            assert response["Retry-After"] == "5"
            assert not response.cookies
    assert decision(parisian)["banner"] == "opt_in"


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("purposes", [ALL, NONE])
def test_a_choice_that_cannot_be_kept_is_a_503_and_no_cookie_is_set(
    parisian: Client, fault: Fault, purposes: dict[str, bool]
) -> None:
    decision(parisian)
    before = rows()
    with fault():
        response = send(parisian, body(purposes))
        assert_problem(response, 503, "unavailable")
        assert not response.cookies
    assert rows() == before
    assert decision(parisian)["reason"] == "no_choice"
    assert send(parisian, body(purposes)).status_code == 201


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/consent/choice/", {"answer": "accept"}),
        ("/consent/choice/", {"answer": "reject"}),
        ("/privacy-choices/", {}),
    ],
)
def test_a_form_that_cannot_be_kept_is_a_503_page_and_no_cookie_is_set(
    parisian: Client, fault: Fault, path: str, fields: dict[str, str]
) -> None:
    decision(parisian)
    before = rows()
    with fault():
        response = parisian.post(path, fields, headers=OWN_PAGE)
        assert response.status_code == 503
        assert "unavailable" in response.content.decode()
        assert not response.cookies
    assert rows() == before


@pytest.mark.parametrize("fault", FAULTS)
def test_nobody_is_half_signed_in(parisian: Client, ada: Any, fault: Fault) -> None:
    choose(parisian, NONE)
    held, before = cookie(parisian), rows()
    fields = {"username": "ada", "password": "a long enough word"}
    with fault():
        response = parisian.post("/sign-in/", fields)
        assert response.status_code == 503
        assert "session" not in response.cookies
    assert rows() == before
    assert cookie(parisian) == held
    assert parisian.get("/settings/user/cookie-preferences/").status_code == 302


def test_somebody_signed_in_is_told_that_their_choice_cannot_be_read(
    parisian: Client, ada: Any
) -> None:
    parisian.force_login(ada)
    choose(parisian, ALL)
    with database_down():
        assert_problem(parisian.get("/api/v1/decision"), 503, "unavailable")
        for page in (*ANYBODYS, "/settings/user/cookie-preferences/"):
            assert parisian.get(page).status_code == 503
    assert decision(parisian)["reason"] == "choice_valid"


def test_the_process_lives_but_is_not_ready(parisian: Client) -> None:
    with database_down():
        assert parisian.get("/healthz").status_code == 200
        assert_problem(parisian.get("/readyz"), 503, "unavailable")
    assert parisian.get("/readyz").status_code == 200


@pytest.mark.parametrize("address", ["/api/v1/history", "/api/v1/receipts/" + "0" * 32])
def test_what_is_kept_cannot_be_told_while_the_database_is_down(
    parisian: Client, address: str
) -> None:
    choose(parisian, ALL)
    with database_down():
        assert_problem(parisian.get(address), 503, "unavailable")


def test_on_a_full_disk_what_was_answered_is_kept_and_the_rest_is_refused(
    parisian: Client,
) -> None:
    if POSTGRES:  # only SQLite can be told to be full; the server shares its disk
        assert send(parisian, body(NONE)).status_code == 201
        return
    before = rows()["Content"]
    with full_disk():
        # Tables that were made anew by migrations left some pages to be used again.
        answers = [send(parisian, body(NONE)).status_code for _ in range(250)]
    assert set(answers) == {201, 503} or set(answers) == {503}
    assert rows()["Content"] - before - answers.count(201) in {0, 1}
    assert rows()["Entry"] == rows()["Content"]


@pytest.mark.parametrize("path", ["/", "/api/v1/decision"])
def test_an_error_of_ours_is_a_500_that_promises_nothing(
    parisian: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(publication, "by_host", broken)
    parisian.raise_request_exception = False
    response = parisian.get(path)
    assert response.status_code == 500
    assert "Retry-After" not in response
    text = response.content.decode()
    assert "Something went wrong on our side" in text
    assert "nothing was changed" not in text
    if path.startswith("/api/"):
        assert_problem(response, 500, "failed")


def test_a_database_that_fails_outside_of_views_is_a_503(
    parisian: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(asking, "_vary", broken)
    parisian.raise_request_exception = False
    assert_problem(parisian.get("/api/v1/decision"), 503, "unavailable")


# --- the geo database ---------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "GeoIP2-City-Test-Broken-Double-Format.mmdb",
        "MaxMind-DB-test-broken-pointers-24.mmdb",
        "MaxMind-DB-test-broken-search-tree-24.mmdb",
        "GeoIP2-Anonymous-IP-Test.mmdb",
        "README.md",
        "missing.mmdb",
        "",
    ],
)
def test_without_a_good_geo_database_every_place_is_unknown_and_pages_work(
    parisian: Client, settings: Settings, name: str
) -> None:
    settings.GEOIP_PATH = str(GEOIP / name)
    settings.GEOIP_ANONYMOUS_PATH = ""
    for address in ("2a02:cfc0::1", "214.78.120.1", "1.1.1.1", "garbage"):
        browser = Client(headers={"x-forwarded-for": address})
        found = decision(browser)
        if name != "GeoIP2-City-Test-Broken-Double-Format.mmdb":
            assert found["jurisdiction"]["rule"] == "*"
        if found["location"]["country"] is None:
            assert found["jurisdiction"]["rule"] == "*"
            assert found["banner"] == "opt_in"
            assert found["purposes"] == NOTHING_OPTIONAL
        for page in ANYBODYS:
            assert browser.get(page).status_code == 200


def test_a_geo_database_that_is_too_old_knows_no_place(
    parisian: Client, settings: Settings
) -> None:
    settings.GEOIP_MAX_AGE_DAYS = 1
    found = decision(parisian)
    assert found["location"]["source"] == "unknown"
    assert found["jurisdiction"]["rule"] == "*"


def test_without_the_anonymiser_database_everybody_may_be_anywhere(
    parisian: Client, alaskan: Client, settings: Settings
) -> None:
    settings.GEOIP_ANONYMOUS_PATH = str(GEOIP / "missing.mmdb")
    assert decision(parisian)["jurisdiction"]["rule"] == "*+FR"
    assert decision(alaskan)["jurisdiction"]["rule"] == "*+US-AK"
    assert decision(alaskan)["purposes"] == NOTHING_OPTIONAL


# --- a real server ------------------------------------------------------------------


def test_a_server_survives_its_database_and_a_crash_loses_nothing_answered(
    tmp_path: Path,
) -> None:
    server = Server(tmp_path / "data")
    server.prepare()
    with server.running() as process:
        status, told = server.ask("GET", "/api/v1/decision")
        assert (status, told["banner"]) == (200, "opt_in")
        status, first = server.ask("POST", "/api/v1/choices", body(ALL))
        assert status == 201

        away = server.database.with_name("away")
        server.database.rename(away)
        server.database.mkdir()  # nothing can be opened there, not even by root
        assert server.ask("GET", "/readyz")[0] == 503
        assert server.ask("GET", "/api/v1/decision") == (200, told)
        assert server.ask("GET", "/")[0] == 200
        status, problem = server.ask("POST", "/api/v1/choices", body(ALL))
        assert (status, problem["title"]) == (503, "unavailable")

        server.database.rmdir()
        away.rename(server.database)
        assert server.ask("GET", "/readyz")[0] == 200
        status, second = server.ask("POST", "/api/v1/choices", body(NONE))
        assert status == 201
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    with server.running():
        for kept in (first["receipt"], second["receipt"]):
            status, receipt = server.ask("GET", f"/api/v1/receipts/{kept['id']}")
            assert (status, receipt["canonical"]) == (200, kept["canonical"])
