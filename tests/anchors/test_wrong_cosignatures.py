"""What a witness can get wrong: it is told of, and nothing of it is ever served."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aics_tlog import cosignature_vkey, format_vkey, parse_vkey
from aics_witness import Witness
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pytest_django import Settings

from consent import anchors, ledger
from consent.core.signed_note import signature_line
from consent.models import Checkpoint, Site
from tests.anchors.asking import KEY, NAME, VKEY, asked, believed, cosigned


def smuggled(checkpoint: Checkpoint) -> bytes:
    """A line over another text, which it brings along."""
    return b"\n" + cosigned(checkpoint)


LINES: dict[str, tuple[Callable[[Checkpoint], bytes], str]] = {
    "nothing": (lambda _c: b"", "did not sign"),
    "a page": (lambda _c: b"<html>", "signature lines"),
    "no text": (lambda _c: b"\xff\xfe\n", "signature lines"),
    "half a line": (lambda c: cosigned(c)[:-9], "signature lines"),
    "text of its own": (smuggled, "did not sign"),
    "another name": (lambda c: cosigned(c, name="w.example/2"), "did not sign"),
    "another key": (
        lambda c: cosigned(c, key=Ed25519PrivateKey.generate()),
        "did not sign",
    ),
    "another size": (lambda c: cosigned(c, size=9), "no good"),
    "a time out of reach": (lambda c: cosigned(c, at=2**64 - 1), "no good"),
    "a time after all calendars": (lambda c: cosigned(c, at=2**50), "no good"),
    "a time that has not come": (lambda c: cosigned(c, at=4_000_000_000), "clocks"),
    "no signature": (
        lambda _c: signature_line(
            name=NAME, hash=parse_vkey(VKEY).key_id, signature=b"short"
        ).encode(),
        "no good",
    ),
}


@pytest.mark.parametrize("what", LINES)
def test_a_bad_signature_is_told_of_and_never_served(
    site: Site, checkpoint: Checkpoint, witnessing: Any, what: str
) -> None:
    made, says = LINES[what]
    witnessing(lambda _question: (200, {}, made(checkpoint)))
    outcome = asked(site)
    assert says in outcome.problem
    assert not outcome.alarm
    assert ledger.with_cosignatures(checkpoint) == checkpoint.note


@pytest.mark.parametrize(
    ("status", "content", "says"),
    [
        (404, b"unknown log origin\n", "origin and the key"),
        (403, b"no signature\n", "no key that signed"),
        (503, b"later\n", "503: later"),
        (409, b"some\n", "without the size"),
        (409, b"9" * 30, "without the size"),
        (409, b"1\n", "409"),
    ],
)
def test_a_refusal_is_told_of_with_what_to_do(
    site: Site,
    checkpoint: Checkpoint,
    witnessing: Any,
    status: int,
    content: bytes,
    says: str,
) -> None:
    questions: list[bytes] = []

    def refuse(question: bytes) -> tuple[int, dict[str, str], bytes]:
        questions.append(question)
        return status, {}, content

    witnessing(refuse)
    outcome = asked(site)
    assert says in outcome.problem
    assert not outcome.alarm
    # A witness that names a size is asked once more, from there.
    starts = [question.partition(b"\n")[0] for question in questions]
    assert starts == [b"old 0", b"old 1"][: len(starts)]
    assert len(starts) == 1 + (content == b"1\n")


def test_a_witness_that_was_not_told_of_the_log_refuses(
    site: Site, witness: Witness
) -> None:
    witness.set_logs([])
    assert "404" in asked(site).problem


def test_one_that_fails_does_not_keep_the_other_from_signing(
    site: Site, checkpoint: Checkpoint, witness: Witness, settings: Settings
) -> None:
    nobody = format_vkey(cosignature_vkey("w.example/2", KEY.public_key()))
    dead = {"url": "http://127.0.0.1:1/", "key": nobody}
    settings.CONSENT_WITNESSES = [dead, *settings.CONSENT_WITNESSES]
    first, second = anchors.anchor(site, datetime.now(UTC))
    assert "cannot be reached" in first.problem
    assert second.problem == ""
    assert believed(site, ledger.with_cosignatures(checkpoint))
