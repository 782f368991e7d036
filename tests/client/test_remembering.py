"""What is remembered of an answer, how long, and when it is not believed any more."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from consent_client import Consent, ConsentError, Question, RefusedError

from tests.anchors.servers import served
from tests.client.peers import answer, asking
from tests.conftest import NOON


class Backend:
    """A backend that counts what it was asked, and answers as it is told to."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.bodies = 0
        self.changes: dict[str, Any] = {}
        self.down = False

    def answered(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if self.down:
            return 503, {}, b""
        questions = json.loads(body)["questions"]
        self.bodies += 1
        self.asked += questions
        found = [answer(one, **self.changes) for one in questions]
        return 200, {}, json.dumps({"answers": found}).encode()


@contextmanager
def asked(**options: Any) -> Iterator[tuple[Backend, Consent]]:
    backend = Backend()
    with served(backend.answered) as address:
        yield backend, asking(address, **{"cache_seconds": 10, "retries": 0, **options})


def ada(consent: Consent, purpose: str = "analytics", **names: Any) -> bool:
    return consent.allows(user="ada", purpose=purpose, **names)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock for days and one for seconds, which stand still until they are moved."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def test_a_question_is_asked_once_while_its_answer_is_fresh() -> None:
    with asked() as (backend, consent):
        assert [ada(consent) for _ in range(5)] == [True] * 5
        assert len(backend.asked) == 1


def test_every_part_of_a_question_makes_another_one() -> None:
    with asked() as (backend, consent):
        questions = [
            {"user": "17"},
            {"account": "17"},
            {"user": "17", "service": "counter"},
            {"user": "17", "place": "US-CA"},
            {"user": "18"},
        ]
        for question in questions * 2:
            assert consent.allows(purpose="analytics", **question)
        assert consent.allows(purpose="functional", user="17")
        assert consent.allows(purpose="functional", account=17)
        assert consent.allows(purpose="functional", account="17")
        assert len(backend.asked) == 7


def test_a_yes_is_over_after_its_seconds_whatever_has_become_of_the_backend() -> None:
    with asked(cache_seconds=0.2) as (backend, consent):
        assert ada(consent)
        backend.down = True
        until_no = threading.Event()
        while ada(consent):
            until_no.wait(0.01)
        assert [ada(consent) for _ in range(3)] == [False] * 3
        backend.down = False
        assert ada(consent)


def test_a_yes_is_not_served_after_its_own_end(
    clock: time_machine.Traveller,
) -> None:
    with asked(cache_seconds=3600) as (backend, consent):
        backend.changes = {"expires_at": "2026-11-23T12:00:05Z"}
        assert ada(consent)
        backend.down = True
        clock.shift(timedelta(seconds=4.9))
        assert ada(consent)
        clock.shift(timedelta(seconds=0.2))
        assert not ada(consent)
        with pytest.raises(RefusedError, match="503"):
            consent.permission(user="ada", purpose="analytics")


def test_a_permission_that_is_held_ends_by_itself(
    clock: time_machine.Traveller,
) -> None:
    with asked() as (backend, consent):
        backend.changes = {"expires_at": "2026-11-23T12:00:05Z"}
        permission = consent.permission(user="ada", purpose="analytics")
        assert permission.holds()
        assert not permission.holds(NOON + timedelta(seconds=5))
        clock.shift(5)
        assert not permission.holds()
        assert permission.allowed, "it was, when it was asked"


@pytest.mark.parametrize(
    ("allowed", "kept", "gone"), [(True, 59.9, 60), (False, 4.9, 5)]
)
def test_a_no_is_remembered_more_briefly_than_a_yes(
    monkeypatch: pytest.MonkeyPatch, allowed: bool, kept: float, gone: float
) -> None:
    now = 1000.0
    monkeypatch.setattr("consent_client.remembered.time.monotonic", lambda: now)
    with asked(cache_seconds=60) as (backend, consent):
        backend.changes = {"allowed": allowed, "reason": "whatever"}
        assert ada(consent) is allowed
        now = 1000.0 + kept
        assert ada(consent) is allowed
        assert len(backend.asked) == 1
        now = 1000.0 + gone
        assert ada(consent) is allowed
        assert len(backend.asked) == 2


def test_an_error_is_not_remembered() -> None:
    with asked() as (backend, consent):
        backend.down = True
        assert not ada(consent)
        backend.down = False
        assert ada(consent)


def test_nothing_is_remembered_where_that_is_wished() -> None:
    with asked(cache_seconds=0) as (backend, consent):
        assert ada(consent)
        assert ada(consent)
        assert len(backend.asked) == 2


def test_what_was_used_longest_ago_is_dropped_first() -> None:
    with asked(cache_size=2) as (backend, consent):
        for purpose in ("analytics", "functional", "analytics", "marketing"):
            assert ada(consent, purpose)
        assert len(backend.asked) == 3
        assert ada(consent, "analytics")
        assert len(backend.asked) == 3
        assert ada(consent, "functional")
        assert len(backend.asked) == 4


@pytest.mark.parametrize(
    ("names", "again"),
    [
        ({"user": "ada"}, 1),
        ({"account": 17}, 1),
        ({"identity": "1d" * 32}, 2),
        ({"identity": "1d" * 32, "account": None}, 2),
        ({"user": "bob", "account": "18", "identity": "2e" * 32}, 0),
        ({}, 0),
    ],
)
def test_whoever_a_webhook_names_is_asked_about_anew(
    names: dict[str, Any], again: int
) -> None:
    with asked() as (backend, consent):
        assert ada(consent)
        assert consent.allows(account="17", purpose="analytics")
        consent.forget(**names)
        assert ada(consent)
        assert consent.allows(account="17", purpose="analytics")
        assert len(backend.asked) == 2 + again


def test_an_answer_from_before_a_change_is_not_kept_after_it() -> None:
    """The webhook overtakes the answer to a question that was on its way."""
    backend, on_its_way, told = Backend(), threading.Event(), threading.Event()

    def slow(body: bytes) -> tuple[int, dict[str, str], bytes]:
        made = backend.answered(body)
        on_its_way.set()
        told.wait(10)
        return made

    with served(slow) as address:
        consent = asking(address, cache_seconds=60)
        question = threading.Thread(target=ada, args=(consent,))
        question.start()
        assert on_its_way.wait(10)
        backend.changes = {"allowed": False, "reason": "refused"}
        consent.forget(user="ada")
        told.set()
        question.join()
        assert not ada(consent)


def test_many_questions_are_asked_a_hundred_at_a_time_and_answered_in_order() -> None:
    with asked() as (backend, consent):
        questions = [Question(user=str(n), purpose="analytics") for n in range(250)]
        found = consent.permissions([*questions, questions[0]])
        assert [one.user for one in found] == [*(q.user for q in questions), "0"]
        assert (len(backend.asked), backend.bodies) == (250, 3)
        assert consent.permissions(questions[:120]) == found[:120]
        assert consent.permissions([]) == []
        assert backend.bodies == 3


def test_many_threads_get_the_answers_to_their_own_questions() -> None:
    wrong: list[str] = []
    with asked(cache_size=50) as (_backend, consent):

        def ask(name: str) -> None:
            for number in range(40):
                user = f"{name}-{number % 20}"
                try:
                    found = consent.permission(user=user, purpose="analytics")
                except ConsentError as error:
                    wrong.append(repr(error))
                else:
                    wrong.extend([user] if found.user != user else [])
                if number % 10 == 0:
                    consent.forget(user=user)

        threads = [threading.Thread(target=ask, args=(str(n),)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []
