"""Secrets in the database: sealed, each for one purpose, under the key in force."""

import base64

import pytest
from pytest_django import Settings

from consent.secret_boxes import (
    SecretBoxError,
    is_sealed_anew,
    open_secret,
    seal_secret,
)

SECRET = "whsec_kept away from whoever copies the database é"


def test_a_secret_comes_out_as_it_went_in_and_its_box_tells_nothing() -> None:
    for secret in (SECRET, "", "x" * 5000):
        box = seal_secret(secret, purpose="webhook")
        assert open_secret(box, purpose="webhook") == secret
        assert box.isascii()
        assert not secret or secret not in box
    held = base64.urlsafe_b64decode(seal_secret(SECRET, purpose="webhook")[3:])
    assert SECRET.encode() not in held


def test_the_same_secret_is_never_sealed_the_same_way_twice() -> None:
    boxes = {seal_secret(SECRET, purpose="webhook") for _ in range(50)}
    assert len(boxes) == 50


def test_a_box_opens_for_its_purpose_alone() -> None:
    box = seal_secret(SECRET, purpose="webhook")
    for other in ("identity key", "webhook ", ""):
        with pytest.raises(SecretBoxError):
            open_secret(box, purpose=other)


def test_another_key_opens_nothing_and_the_one_before_it_does(
    settings: Settings,
) -> None:
    before = settings.SECRET_KEY
    box = seal_secret(SECRET, purpose="webhook")
    assert is_sealed_anew(box, purpose="webhook")
    settings.SECRET_KEY = "another key, which is long enough to be one"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(SecretBoxError, match="SECRET_KEY_FALLBACKS"):
        open_secret(box, purpose="webhook")
    settings.SECRET_KEY_FALLBACKS = ["a key of long ago", before]
    assert open_secret(box, purpose="webhook") == SECRET
    assert not is_sealed_anew(box, purpose="webhook")


def test_a_box_that_somebody_changed_is_refused() -> None:
    box = seal_secret(SECRET, purpose="webhook")
    held = bytearray(base64.urlsafe_b64decode(box[3:]))
    for place in range(len(held)):
        changed = bytearray(held)
        changed[place] ^= 1
        other = "v1." + base64.urlsafe_b64encode(changed).decode()
        with pytest.raises(SecretBoxError):
            open_secret(other, purpose="webhook")
    for broken in ("", "v1.", box[:-4], box[3:], "v2." + box[3:], "v1.é", SECRET):
        with pytest.raises(SecretBoxError):
            open_secret(broken, purpose="webhook")
