"""What an authority can get wrong: it is told of, and nothing of it is kept."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from consent.anchors import posting
from consent.models import Anchor, Checkpoint, Site
from tests.anchors.asking import asked
from tests.anchors.authority import Authority, ahead
from tests.anchors.servers import served, silent

type Start = Callable[..., Authority]

WRONG = {
    "a nonce of its own": ({"nonce": 7}, "Nonce mismatch"),
    "a stamp of something else": ({"imprint": bytes(32)}, "Mismatch between messages"),
    "no stamp at all": ({"status": 2}, "status 2"),
    "something else signed": ({"content_type": "1.2.840.113549.1.7.1"}, "no good"),
    "a certificate for other uses": ({"may_stamp": False}, "no good"),
    "a time that has not come": ({"clock": ahead(2)}, "clocks"),
    "a time before the checkpoint": ({"clock": ahead(-2)}, "clocks"),
    "a time before its certificate": (
        {"clock": lambda: datetime(2019, 1, 1, tzinfo=UTC)},
        "no good",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_time_stamp_is_told_of_and_not_kept(
    site: Site,
    checkpoint: Checkpoint,
    authority: Start,
    caplog: pytest.LogCaptureFixture,
    what: str,
) -> None:
    wrong, says = WRONG[what]
    authority(**wrong)
    outcome = asked(site)
    assert says in outcome.problem
    assert (outcome.time, outcome.alarm) == (None, False)
    assert not Anchor.objects.exists()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert outcome.problem in caplog.text


def test_the_token_of_an_authority_that_is_not_believed_is_refused(
    site: Site, checkpoint: Checkpoint, serve: Any, believe: Any
) -> None:
    # Its root has the same name, so that only the signature tells them apart.
    believe(Authority().pem, serve(served(Authority().over_http)))
    assert "no good" in asked(site).problem
    assert not Anchor.objects.exists()


def test_an_older_token_of_the_same_checkpoint_is_no_answer(
    site: Site, checkpoint: Checkpoint, serve: Any, believe: Any
) -> None:
    stamps = Authority()
    first: list[tuple[int, dict[str, str], bytes]] = []

    def again(query: bytes) -> tuple[int, dict[str, str], bytes]:
        first.append(stamps.over_http(query))
        return 503 if len(first) == 1 else 200, {}, first[0][2]

    believe(stamps.pem, serve(served(again)))
    assert "503" in asked(site).problem
    assert "Nonce mismatch" in asked(site).problem


BAD = {
    "nothing": (200, {}, b"", "no good"),
    "a page": (200, {"Content-Type": "text/html"}, b"<html>Hello!", "no good"),
    "far too much": (200, {}, b"0" * 65_537, "too long"),
    "no room": (500, {}, b"Out\x1b[31m of order\nTrace", "500: Out�[31m of order"),
    "another place": (302, {"Location": "file:///etc/passwd"}, b"", "answered 302"),
    "yet another": (307, {"Location": "http://127.0.0.1:1/"}, b"", "answered 307"),
    "half of it": (200, {"Content-Length": "99"}, b"\x30\x60", "no good"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_answer_is_told_of(
    site: Site, checkpoint: Checkpoint, stamping: Any, what: str
) -> None:
    status, headers, content, says = BAD[what]
    stamping(lambda _query: (status, headers, content))
    outcome = asked(site)
    assert says in outcome.problem
    assert outcome.sentence == f"{site.slug}, 127.0.0.1: {outcome.problem}"
    assert not Anchor.objects.exists()


SILENCES = {
    "before a word": (b"", "in time"),
    "within a header": (b"HTTP/1.1 200 OK\r\nContent-", "in time"),
    "within the answer": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n0", "in time"),
    "after no HTTP": (b"220 mail.example ESMTP\r\n", "broke off"),
}


@pytest.mark.parametrize("what", SILENCES)
def test_an_authority_that_falls_silent_is_left(
    site: Site,
    checkpoint: Checkpoint,
    serve: Any,
    believe: Any,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    said, says = SILENCES[what]
    monkeypatch.setattr(posting, "TIMEOUT_SECONDS", 0.2)
    url, _ = serve(silent(said))
    believe(Authority().pem, url)
    assert says in asked(site).problem


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1",
    ],
)
def test_an_answer_that_trickles_for_ever_is_left(
    site: Site,
    checkpoint: Checkpoint,
    serve: Any,
    believe: Any,
    monkeypatch: pytest.MonkeyPatch,
    head: bytes,
) -> None:
    monkeypatch.setattr(posting, "TIMEOUT_SECONDS", 0.2)
    url, _ = serve(silent(head, trickling=b"0"))
    believe(Authority().pem, url)
    assert "in time" in asked(site).problem


def test_an_authority_that_is_not_there_is_told_of(
    site: Site, checkpoint: Checkpoint, believe: Any
) -> None:
    with served(lambda _query: (200, {}, b"")) as url:
        believe(Authority().pem, url)
    assert "cannot be reached" in asked(site).problem
