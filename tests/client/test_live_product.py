"""The client against the product itself, also while it is killed and started again."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import consent_client
import pytest
from consent_client import (
    Consent,
    KeyRefusedError,
    Question,
    RefusedError,
    UnavailableError,
    browser_of,
)

from tests.client.conftest import Browser, Product
from tests.visits import ALL, NONE

pytestmark = [pytest.mark.toolchain, pytest.mark.xdist_group("client")]


def test_who_said_yes_may_be_tracked_and_nobody_else(live: Product) -> None:
    consent = live.asked()
    assert consent.allows(user="17", purpose="analytics")
    assert consent.allows(user="17", purpose="analytics", service="statistics")
    assert consent.allows(user="17", purpose="marketing", place="FR")
    assert not consent.allows(user="18", purpose="analytics")
    assert not consent.allows(user="19", purpose="analytics")
    assert not consent.allows(account="17", purpose="analytics")
    assert not consent.allows(account=17, purpose="analytics")
    assert not consent.allows(user="17", purpose="advertising")
    assert not consent.allows(user="17", purpose="analytics", service="video")
    assert not consent.allows(user="17", purpose="analytics", place="XX")


def test_the_whole_answer_is_read(live: Product) -> None:
    consent = live.asked()
    yes = consent.permission(user="17", purpose="analytics", place="FR")
    assert (yes.allowed, yes.reason, yes.known) == (True, "granted", True)
    assert (yes.place, yes.policy_version) == ("FR", 1)
    assert yes.answered_at is not None
    assert yes.expires_at is not None
    assert yes.answered_at < yes.expires_at
    assert len(yes.identity or "") == 64
    no = consent.permission(user="18", purpose="analytics")
    assert (no.allowed, no.reason, no.expires_at) == (False, "refused", None)
    nobody = consent.permission(user="19", purpose="analytics")
    assert (nobody.allowed, nobody.known) == (False, False)
    assert nobody.reason == "unknown_person"


def test_a_hundred_questions_and_more_are_answered_in_order(live: Product) -> None:
    long = "🦆" * 250  # as long as a name may be, in the longest of ways
    names = [name for n in range(60) for name in ("17", "18", f"{long} {n}")]
    found = live.asked().permissions(
        [Question(user=name, purpose="analytics") for name in names]
    )
    assert [one.user for one in found] == names
    assert [one.allowed for one in found] == [name == "17" for name in names]


def test_one_bad_question_leaves_all_without_an_answer(live: Product) -> None:
    good = Question(user="17", purpose="analytics")
    bad = Question(user="17", purpose="analytics", place="nowhere")
    with pytest.raises(RefusedError, match=r"422 invalid\Z"):
        live.asked().permissions([good, bad])


def test_a_key_that_is_not_the_sites_opens_nothing(live: Product) -> None:
    for wrong in (live.key[:-1] + "_", live.key.upper(), "x"):
        consent = Consent(live.address, wrong)
        assert not consent.allows(user="17", purpose="analytics")
        with pytest.raises(KeyRefusedError, match="401 invalid_key"):
            consent.permission(user="17", purpose="analytics")


def test_a_browser_is_called_what_the_product_calls_it(live: Product) -> None:
    browser = Browser(live.address)
    told = browser.post("/api/v1/identities", {})
    assert told == {"browser": browser_of(browser.cookie), "linked": False}


def test_what_somebody_answers_now_counts_for_the_person(live: Product) -> None:
    consent, browser = live.asked(), Browser(live.address)
    assert not consent.allows(user="20", purpose="analytics")
    told = browser.sign_in(live, "20")
    browser.choose(ALL)
    permission = consent.permission(user="20", purpose="analytics")
    assert permission.holds()
    assert permission.identity == told["identity"]
    browser.choose(NONE)
    assert not consent.allows(user="20", purpose="analytics")


@dataclass
class Asked:
    """What threads asked without a pause: about whom, when, and what they heard."""

    consent: Consent
    heard: list[tuple[str, float, Any]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def ask(self, user: str) -> None:
        while not self.over.is_set():
            began = time.monotonic()
            try:
                found: Any = self.consent.allows(user=user, purpose="analytics")
            except BaseException as error:  # noqa: BLE001 - none may come
                found = error
            self.heard.append((user, began, found))

    def since(self, moment: float, user: str) -> list[Any]:
        return [f for u, began, f in list(self.heard) if u == user and began >= moment]

    def wait_for(self, wanted: object, since: float, times: int = 20) -> None:
        until = time.monotonic() + 60
        while self.since(since, "17").count(wanted) < times:
            assert time.monotonic() < until, f"{wanted} was never heard"
            time.sleep(0.01)


@pytest.mark.parametrize("remembered", [0, 0.5])
def test_killed_in_the_middle_of_questions_every_answer_is_no_until_it_is_back(
    product: Product, remembered: float
) -> None:
    consent = product.asked(cache_seconds=remembered, timeout=1.0)
    asked = Asked(consent)
    people = [*["17"] * 3, "18", "19"]
    threads = [threading.Thread(target=asked.ask, args=(user,)) for user in people]
    try:
        with product.server.running() as process:
            for thread in threads:
                thread.start()
            asked.wait_for(True, since=0)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
            killed = time.monotonic() + remembered
        asked.wait_for(False, since=killed)
        assert not any(asked.since(killed, "17")), "a yes of a backend that is dead"
        with pytest.raises(UnavailableError):
            consent.permission(user="19", purpose="functional")
        began = time.monotonic()
        with product.server.running():
            asked.wait_for(True, since=began)
            asked.over.set()
            for thread in threads:
                thread.join()
            assert consent.allows(user="17", purpose="analytics")
            assert not consent.allows(user="18", purpose="analytics")
    finally:
        asked.over.set()
    assert {found for _user, _began, found in asked.heard} == {True, False}
    assert {found for user, _, found in asked.heard if user != "17"} == {False}


FORKING = """
import os, sys
from consent_client import Consent

consent = Consent(os.environ["ADDRESS"], os.environ["KEY"], cache_seconds=0)

def ask(name):
    for number in range(60):
        user = f"{name}-{number}"
        assert consent.permission(user=user, purpose="analytics").user == user
    assert consent.allows(user="17", purpose="analytics")

ask("before")
children = []
for child in range(3):
    number = os.fork()
    if number == 0:
        try:
            ask(f"child {child}")
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    children.append(number)
ask("parent")
sys.exit(any(os.waitpid(number, 0)[1] for number in children))
"""


def test_the_children_of_a_fork_do_not_hear_each_others_answers(
    live: Product,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKING],
        env={
            **os.environ,
            "ADDRESS": live.address,
            "KEY": live.key,
            "PYTHONPATH": str(Path(consent_client.__file__).parent.parent),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
