"""Whatever the other side does, the answer is a no, in time, and the key stays here."""

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from consent_client import (
    AnswerError,
    Consent,
    ConsentError,
    KeyRefusedError,
    QuestionError,
    RefusedError,
    UnavailableError,
)

from tests.anchors.servers import served, silent
from tests.client.peers import KEY, answer, answers, asking

ADA = "ada@harbour.example"
type Content = Callable[[bytes], bytes]


def allowed(consent: Consent, **names: Any) -> bool:
    return consent.allows(user=ADA, purpose="analytics", **names)


@contextmanager
def answering(
    content: Content | bytes, status: int = 200, **headers: str
) -> Iterator[str]:
    """A backend that answers every question so."""

    def answered(body: bytes) -> tuple[int, dict[str, str], bytes]:
        made = content if isinstance(content, bytes) else content(body)
        return status, headers, made

    with served(answered) as address:
        yield address


def test_a_backend_that_says_yes_is_believed() -> None:
    with answering(answers) as address:
        permission = asking(address).permission(user=ADA, purpose="analytics")
        assert (permission.allowed, permission.reason) == (True, "granted")
        assert permission.expires_at is not None
        assert allowed(asking(address))


@pytest.mark.parametrize(
    "changes",
    [
        {"allowed": 1},
        {"allowed": "true"},
        {"allowed": None},
        {"user": "bob@harbour.example"},
        {"user": None, "account": ADA},
        {"purpose": "functional"},
        {"service": "counter"},
        {"known": "yes"},
        {"policy_version": True},
        {"expires_at": "next year"},
        {"expires_at": "2099-01-01T00:00:00"},
        {"expires_at": 4070908800},
        {"expires_at": "2020-01-01T00:00:00Z"},
    ],
)
def test_an_answer_that_is_not_exactly_a_yes_to_the_question_is_a_no(
    changes: dict[str, Any],
) -> None:
    with answering(lambda body: answers(body, **changes)) as address:
        assert allowed(asking(address)) is False


YES = answer({"user": ADA, "purpose": "analytics"})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!doctype html><title>Sign in to the network</title>",
        b"true",
        b'{"allowed": true}',
        b'{"answers": true}',
        b'{"answers": []}',
        b'{"answers": [true]}',
        b'{"answers": [{"allowed": true}]}',
        json.dumps({"answers": [YES, YES]}).encode(),
        json.dumps({"answers": [YES]}).encode()[:-1],
        json.dumps({"answers": [YES]}).encode("utf-16")[:-1],
        b"[" * 200_000,
    ],
)
def test_a_200_that_is_no_answer_is_a_no(content: bytes) -> None:
    with answering(content) as address:
        assert allowed(asking(address)) is False
        with pytest.raises(AnswerError):
            asking(address).permission(user=ADA, purpose="analytics")


def test_every_member_of_an_answer_is_needed() -> None:
    for name in YES:
        lacking = {key: text for key, text in YES.items() if key != name}
        content = json.dumps({"answers": [lacking]}).encode()
        with answering(content) as address:
            assert allowed(asking(address)) is False, name


@pytest.mark.parametrize("status", [201, 204, 206, 400, 404, 418, 429, 500, 502, 503])
def test_a_yes_under_another_status_is_a_no(status: int) -> None:
    with answering(answers, status) as address:
        assert allowed(asking(address, retries=0)) is False
        with pytest.raises(RefusedError) as refused:
            asking(address, retries=0).permission(user=ADA, purpose="analytics")
        assert refused.value.status == status


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_does_not_count_is_said_to_be_that(status: int) -> None:
    problem = json.dumps({"title": "invalid_key", "detail": ADA}).encode()
    with answering(problem, status) as address:
        with pytest.raises(KeyRefusedError, match=f"^[^@]*{status} invalid_key$"):
            asking(address).permission(user=ADA, purpose="analytics")
        assert not allowed(asking(address))


@pytest.mark.parametrize("title", [ADA, "x" * 41, 7, None, ["a"]])
def test_a_title_that_may_name_somebody_is_not_repeated(title: object) -> None:
    with answering(json.dumps({"title": title}).encode(), 422) as address:
        with pytest.raises(RefusedError) as refused:
            asking(address).permission(user=ADA, purpose="analytics")
        assert str(refused.value) == "The consent backend answered 422"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else(status: int) -> None:
    asked: list[bytes] = []

    def thief(body: bytes) -> bytes:
        asked.append(body)
        return answers(body)

    with answering(thief) as there, answering(b"", status, Location=there) as here:
        assert allowed(asking(here)) is False
        with pytest.raises(RefusedError, match=str(status)):
            asking(here).permission(user=ADA, purpose="analytics")
    assert asked == []


@contextmanager
def in_turn(*turns: tuple[int, dict[str, str], Content]) -> Iterator[str]:
    """A backend that answers so, then so, and at last always like that."""
    left = list(turns)

    def answered(body: bytes) -> tuple[int, dict[str, str], bytes]:
        status, headers, content = left.pop(0) if len(left) > 1 else left[0]
        return status, headers, content(body)

    with served(answered) as address:
        yield address


def nothing(_body: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_passes_is_asked_again(status: int) -> None:
    with in_turn((status, {}, nothing), (200, {}, answers)) as address:
        assert allowed(asking(address)) is True
    with in_turn((status, {}, nothing), (200, {}, answers)) as address:
        assert allowed(asking(address, retries=0)) is False


def test_a_wait_that_was_asked_for_is_kept() -> None:
    late = {"Retry-After": "1"}
    with in_turn((429, late, nothing), (200, {}, answers)) as address:
        began = time.monotonic()
        assert allowed(asking(address)) is True
        assert time.monotonic() - began >= 1


@pytest.mark.parametrize("header", ["3600", "Fri, 31 Dec 2099 23:59:59 GMT"])
def test_a_wait_that_is_too_long_is_not_begun(header: str) -> None:
    late = {"Retry-After": header}
    with in_turn((429, late, nothing), (200, {}, answers)) as address:
        began = time.monotonic()
        with pytest.raises(RefusedError) as refused:
            asking(address, timeout=30).permission(user=ADA, purpose="analytics")
        assert time.monotonic() - began < 10
    assert refused.value.retry_after is not None
    assert refused.value.retry_after >= 3600


def test_a_wait_that_nobody_understands_is_a_no() -> None:
    with answering(answers, 503, **{"Retry-After": "soon"}) as address:
        assert allowed(asking(address)) is False


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("said", "trickling"),
    [
        (b"", b""),
        (b"HTTP/1.1 2", b""),
        (b"", b"H"),
        (HEAD, b"X-More: 1\r\n"),
        (HEAD + b"X-Long: ", b"x"),
        (HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (HEAD + b"\r\n", b" "),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 100000\r\n\r\n", b"x"),
    ],
)
def test_a_backend_that_is_silent_or_drips_is_a_no_in_time(
    said: bytes, trickling: bytes
) -> None:
    with silent(said, trickling=trickling) as (address, asked):
        began = time.monotonic()
        assert allowed(asking(address, timeout=0.4)) is False
        with pytest.raises(ConsentError):
            asking(address, timeout=0.4).permission(user=ADA, purpose="analytics")
        assert time.monotonic() - began < 3
        assert asked.is_set()
        for thread in _asking():
            thread.join(5)
            assert not thread.is_alive(), "somebody still listens to it"


def _asking() -> list[threading.Thread]:
    """Threads of the client's that are not done: named after what they run."""
    return [t for t in threading.enumerate() if t.name.endswith("(run)")]


@pytest.mark.parametrize(
    "said",
    [
        HEAD + b"Content-Length: 1000\r\n\r\n" + json.dumps(YES).encode(),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{",
        HEAD + b"Content-Length: 99999999999999\r\n\r\n{",
        HEAD + b"Content-Length: few\r\n\r\n{",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"\x16\x03\x01\x00\xff",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\r\n\r\n",
        b"",
    ],
)
def test_half_an_answer_is_a_no(said: bytes) -> None:
    with _breaking_off(said) as address:
        assert allowed(asking(address)) is False
        with pytest.raises(ConsentError):
            asking(address).permission(user=ADA, purpose="analytics")


@contextmanager
def _breaking_off(said: bytes) -> Iterator[str]:
    """A server that takes a question, says this much and closes the connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    taken, _address = server.accept()
                except OSError:
                    return
                with taken:
                    taken.recv(65536)
                    taken.sendall(said)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_an_answer_without_an_end_is_given_up() -> None:
    flood = b" " * 60_000
    with silent(HEAD + b"\r\n", trickling=flood) as (address, _asked):
        consent = asking(address, timeout=20, retries=0)
        with pytest.raises(UnavailableError, match="far too long"):
            consent.permission(user=ADA, purpose="analytics")


def test_a_name_that_takes_long_to_look_up_is_a_no_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = threading.Event()

    def slow(*_: object) -> None:
        found.wait(30)
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    began = time.monotonic()
    assert allowed(asking("https://consent.example.org", timeout=0.2)) is False
    assert time.monotonic() - began < 3
    found.set()


def test_nobody_at_the_address_is_a_no() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert allowed(asking(f"http://127.0.0.1:{port}")) is False
    with pytest.raises(UnavailableError, match="refused"):
        asking(f"http://127.0.0.1:{port}").permission(user=ADA, purpose="analytics")


@pytest.mark.parametrize(
    "names",
    [
        {},
        {"user": None},
        {"user": ""},
        {"user": "17", "account": 17},
        {"user": 17},
        {"user": "17", "place": ""},
        {"user": ["17"]},
        {"user": "17", "purpose": None},
    ],
)
def test_a_question_about_nobody_is_a_no_and_is_not_asked(
    names: dict[str, Any],
) -> None:
    with silent() as (address, asked):
        whole = {"purpose": "analytics", **names}
        assert asking(address).allows(**whole) is False
        with pytest.raises(QuestionError):
            asking(address).permission(**whole)
        assert not asked.is_set()


def test_a_mistake_of_our_own_is_a_no() -> None:
    class Account(int):
        def __str__(self) -> str:
            raise RuntimeError(ADA)

    assert asking("http://127.0.0.1:1").allows(account=Account(), purpose="x") is False


def test_the_log_says_what_went_wrong_and_names_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    other = answers(json.dumps({"questions": [{**YES, "user": "bob"}]}).encode())
    for content, status in ((b"", 200), (other, 200), (other, 422), (other, 503)):
        with answering(content, status) as address:
            assert allowed(asking(address)) is False
    with silent() as (address, _asked):
        assert allowed(asking(address, timeout=0.2)) is False
    assert allowed(asking("http://127.0.0.1:1")) is False
    told = [r for r in caplog.records if r.name == "consent_client"]
    assert len(told) == 6
    assert {r.levelname for r in told} == {"WARNING"}
    for private in (ADA, "bob", KEY):
        assert private not in caplog.text
        assert private not in repr(asking("http://127.0.0.1:1"))


@pytest.mark.parametrize(
    "address",
    [
        "consent.example.org",
        "http://consent.example.org",
        "ftp://consent.example.org",
        "https://user:word@consent.example.org",
        "https://consent.example.org/?site=1",
        "https://consent.example.org/#1",
        "https:///",
        "",
    ],
)
def test_a_key_is_not_carried_to_a_doubtful_address(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Consent(address, KEY)


def test_plain_http_must_be_wished_for_elsewhere_than_here() -> None:
    assert Consent("http://consent.internal:8000", KEY, plain_http=True)


@pytest.mark.parametrize("key", ["", "a b", f"{KEY}\n", "schlüssel", "a\r\nHost: b"])
def test_a_key_that_can_be_none_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(ValueError, match="key") as refused:
        Consent("https://consent.example.org", key)
    assert not key or key not in str(refused.value)


@pytest.mark.parametrize(
    "options", [{"timeout": 0}, {"retries": -1}, {"cache_seconds": -1}]
)
def test_times_and_numbers_that_mean_nothing_are_refused(
    options: dict[str, Any],
) -> None:
    with pytest.raises(ValueError, match="positive"):
        Consent("https://consent.example.org", KEY, **options)


def test_a_closed_client_asks_again_when_it_is_asked() -> None:
    with answering(answers) as address, closing(asking(address)) as consent:
        assert allowed(consent)
        consent.close()
        assert allowed(consent)
