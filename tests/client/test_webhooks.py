"""Webhooks: what the product signs is believed, and nothing else is."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from consent_client import (
    Change,
    ConsentError,
    Erased,
    UnknownWebhookError,
    WebhookError,
    verify_webhook,
)
from consent_client.webhooks import Position
from standardwebhooks import Webhook

from consent.core import webhook_message
from tests.conftest import NOON

SECRET = webhook_message.new_secret(b"a secret of the tests, 32 bytes.")
NEWER = webhook_message.new_secret(b"another of the tests, 24")
CHANGED = webhook_message.changed(
    id="msg_1",
    record={
        "site": "default",
        "time": "2026-11-23T11:59:58.000Z",
        "event": "partial",
        "purposes": {"analytics": True, "marketing": False},
        "services": {"counter": True},
        "policy": {"version": 3},
    },
    person=webhook_message.Person(identity="1d" * 32),
    leaf_hash="af" * 32,
    position=webhook_message.Position(log=1, index=17),
    scope=None,
)


@pytest.fixture(autouse=True)
def _noon(noon: time_machine.Traveller) -> None:
    """It is noon in this file."""


def posted(
    content: dict[str, Any] = CHANGED,
    *secrets: str,
    late: timedelta = timedelta(),
) -> tuple[dict[str, str], bytes]:
    """Headers and body as the product sends them."""
    body = json.dumps(content).encode()
    at = int((NOON - late).timestamp())
    signed = webhook_message.signed_headers(
        id="msg_1", at=at, body=body, secrets=secrets or (SECRET,)
    )
    return signed, body


def test_a_change_is_told_in_types() -> None:
    change = verify_webhook(*posted(), SECRET)
    assert change == Change(
        id="msg_1",
        site="default",
        time=datetime(2026, 11, 23, 11, 59, 58, tzinfo=UTC),
        event="partial",
        purposes={"analytics": True, "marketing": False},
        services={"counter": True},
        policy_version=3,
        identity="1d" * 32,
        account=None,
        browser=None,
        leaf_hash="af" * 32,
        position=Position(log=1, index=17),
    )
    with pytest.raises(TypeError):
        change.purposes["marketing"] = True


def test_an_erasure_is_told_in_types() -> None:
    content = webhook_message.erased(
        id="msg_1",
        site="default",
        leaf_hashes=["bb", "aa"],
        position=webhook_message.Position(log=2, index=0),
    )
    erased = verify_webhook(*posted(content), SECRET)
    assert erased == Erased(
        id="msg_1", site="default", leaf_hashes=("aa", "bb"), position=Position(2, 0)
    )
    assert erased.position > Position(1, 17)


def test_what_another_program_signs_is_believed() -> None:
    """As the reference implementation of Standard Webhooks signs."""
    body = json.dumps(CHANGED)
    headers = {
        "Webhook-Id": "msg_1",
        "WEBHOOK-TIMESTAMP": str(int(NOON.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_1", NOON, body),
    }
    assert verify_webhook(headers, body.encode(), SECRET).id == "msg_1"
    headers["webhook-signature"] = Webhook(NEWER).sign("msg_1", NOON, body)
    with pytest.raises(WebhookError, match="secret"):
        verify_webhook(headers, body.encode(), SECRET)


@pytest.mark.parametrize("signed", [(SECRET,), (NEWER,), (SECRET, NEWER)])
@pytest.mark.parametrize("known", [SECRET, NEWER, [SECRET, NEWER]])
def test_a_secret_may_change_on_one_side_before_the_other(
    signed: tuple[str, ...], known: str | list[str]
) -> None:
    headers, body = posted(CHANGED, *signed)
    if set(signed) & ({known} if isinstance(known, str) else set(known)):
        assert verify_webhook(headers, body, known)
    else:
        with pytest.raises(WebhookError):
            verify_webhook(headers, body, known)


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-id": None},
        {"webhook-id": "\ud800"},
        {"webhook-timestamp": str(int(NOON.timestamp()) + 1)},
        {"webhook-timestamp": None},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "١٢٣"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-signature": None},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,ünï"},
        {"webhook-signature": "v1,\ud800"},
    ],
)
def test_headers_that_were_changed_or_lack_are_refused(
    changes: dict[str, str | None],
) -> None:
    headers, body = posted()
    changed: dict[str, Any] = {**headers, **changes}
    left = {name: text for name, text in changed.items() if text is not None}
    with pytest.raises(WebhookError):
        verify_webhook(left, body, SECRET)


def test_another_version_of_the_signature_does_not_count() -> None:
    headers, body = posted()
    headers["webhook-signature"] = headers["webhook-signature"].replace("v1,", "v1a,")
    with pytest.raises(WebhookError):
        verify_webhook(headers, body, SECRET)


def test_every_byte_of_the_body_is_signed() -> None:
    headers, body = posted()
    for number in range(0, len(body), 7):
        changed = body[:number] + bytes([body[number] ^ 1]) + body[number + 1 :]
        with pytest.raises(WebhookError):
            verify_webhook(headers, changed, SECRET)


@pytest.mark.parametrize(
    ("late", "tolerance", "believed"),
    [(300, 300, True), (301, 300, False), (-301, 300, False), (301, 600, True)],
)
def test_what_was_sent_long_ago_or_will_be_is_refused(
    late: int, tolerance: int, believed: bool
) -> None:
    headers, body = posted(late=timedelta(seconds=late))
    assert abs(time.time() - int(headers["webhook-timestamp"])) == abs(late)
    if believed:
        assert verify_webhook(headers, body, SECRET, tolerance=tolerance)
    else:
        with pytest.raises(WebhookError, match="lately"):
            verify_webhook(headers, body, SECRET, tolerance=tolerance)


def test_news_of_a_kind_that_is_not_known_can_be_told_apart() -> None:
    with pytest.raises(UnknownWebhookError):
        verify_webhook(*posted({**CHANGED, "type": "policy.published"}), SECRET)


def test_every_member_is_needed_and_is_of_its_kind() -> None:
    told = set(CHANGED) - {"id"}
    for name in told:
        for wrong in (..., 1.5, [], {"a": 1}):
            content = {**CHANGED, name: wrong}
            if wrong is ...:
                del content[name]
            with pytest.raises(ConsentError):
                verify_webhook(*posted(content), SECRET)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_signed_but_is_no_webhook_is_refused(body: bytes) -> None:
    at = int(NOON.timestamp())
    headers = webhook_message.signed_headers(
        id="msg_1", at=at, body=body, secrets=[SECRET]
    )
    with pytest.raises(WebhookError):
        verify_webhook(headers, body, SECRET)


@pytest.mark.parametrize("secrets", ["", "whsec_", "whsec_!", [], ["", SECRET]])
def test_without_a_secret_nothing_is_verified(secrets: str | list[str]) -> None:
    with pytest.raises(ValueError, match="secret"):
        verify_webhook(*posted(), secrets)
