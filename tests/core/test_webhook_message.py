"""Messages to webhooks: who learns what, signed for others to verify, sent again."""

import json
import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from consent.core import retries, webhook_message
from consent.core.purposes import Purpose
from consent.core.webhook_message import Person, Position, Scope

OLD, NEW = (webhook_message.new_secret(bytes([n]) * 32) for n in (1, 2))
RECORD = {
    "id": "0123456789abcdef0123456789abcdef",
    "site": "default",
    "time": "2026-11-23T12:00:00.000Z",
    "event": "partial",
    "purposes": {"functional": True, "analytics": True, "marketing": False},
    "services": {"video": False, "chat": True},
    "policy": {"version": 3, "hash": "sha256:x"},
}
ADVERTS = Scope("adverts", Purpose.MARKETING)


def told(scope: Scope | None) -> dict:
    return webhook_message.changed(
        id="msg_1",
        record=RECORD,
        person=Person(account="7"),
        leaf_hash="ab" * 32,
        position=Position(1, 42),
        scope=scope,
    )


def test_a_message_says_what_was_answered_and_never_the_number_of_the_receipt() -> None:
    assert told(None) == {
        "id": "msg_1",
        "type": "choice.changed",
        "site": "default",
        "time": "2026-11-23T12:00:00.000Z",
        "event": "partial",
        "purposes": RECORD["purposes"],
        "services": RECORD["services"],
        "policy_version": 3,
        "identity": None,
        "account": "7",
        "browser": None,
        "leaf_hash": "ab" * 32,
        "position": {"log": 1, "index": 42},
    }
    assert RECORD["id"] not in json.dumps(told(None))


def test_whoever_serves_one_service_learns_of_no_other() -> None:
    message = told(ADVERTS)
    assert message["purposes"] == {"marketing": False}
    assert message["services"] == {}
    assert told(Scope("video", Purpose.MARKETING))["services"] == {"video": False}


@pytest.mark.parametrize(
    ("scope", "concerned"),
    [
        (None, True),
        (ADVERTS, True),
        (Scope("chat", None), True),
        (Scope("gone", None), False),
    ],
)
def test_a_record_concerns_a_service_by_its_own_answer_or_its_purpose(
    scope: Scope | None, concerned: bool
) -> None:
    assert webhook_message.concerns(record=RECORD, scope=scope) is concerned


def test_an_answer_that_is_about_another_purpose_concerns_nobody_else() -> None:
    record = {**RECORD, "purposes": {"analytics": False}, "services": {}}
    assert not webhook_message.concerns(record=record, scope=ADVERTS)


def test_a_message_about_erased_records_names_nobody() -> None:
    message = webhook_message.erased(
        id="msg_2", site="default", leaf_hashes={"b", "a"}, position=Position(2, 0)
    )
    assert message["leaf_hashes"] == ["a", "b"]
    assert message.keys() == {"id", "type", "site", "leaf_hashes", "position"}


@pytest.mark.parametrize("known", [OLD, NEW])
def test_another_implementation_verifies_by_either_secret(known: str) -> None:
    body = json.dumps(told(None), ensure_ascii=False).encode()
    headers = webhook_message.signed_headers(
        id="msg_1", at=int(time.time()), body=body, secrets=[NEW, OLD]
    )
    assert Webhook(known).verify(body, headers) == told(None)
    for wrong in (body + b" ", body.replace(b"false", b"true")):
        with pytest.raises(WebhookVerificationError):
            Webhook(known).verify(wrong, headers)
    other = webhook_message.new_secret(b"3" * 32)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(body, headers)


@given(st.floats(0, 1), st.integers(1, retries.ATTEMPTS - 2))
def test_each_pause_is_no_shorter_than_the_one_before_and_all_end_in_days(
    chance: float, attempts: int
) -> None:
    def pause(number: int, luck: float) -> timedelta:
        found = retries.pause(attempts=number, chance=luck)
        assert found is not None
        return found

    assert pause(attempts, chance) <= pause(attempts + 1, chance)
    whole = [pause(number, chance) for number in range(1, retries.ATTEMPTS)]
    assert timedelta(days=2) < sum(whole, timedelta()) < timedelta(days=4)
    assert retries.pause(attempts=retries.ATTEMPTS, chance=chance) is None
