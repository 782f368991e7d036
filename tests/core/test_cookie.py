"""The readable part of the cookie: round trips, sameness, and strict reading."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.core.cookie import decode, encode
from consent.core.purposes import Purpose
from tests.core.made import CHOICES, NOW, everything

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_the_hour(answer):
    def whole(time):
        return None if time is None else EPOCH + (time - EPOCH) // HOUR * HOUR

    return replace(answer, at=whole(answer.at), expires=whole(answer.expires))


HOUR = timedelta(hours=1)


@given(CHOICES)
def test_a_choice_comes_back_as_it_went_to_the_hour(choice):
    again = decode(encode(choice))
    assert again.answers == {p: to_the_hour(a) for p, a in choice.answers.items()}
    assert again.services == {n: to_the_hour(a) for n, a in choice.services.items()}
    assert (again.left, again.region, again.rule) == (
        choice.left,
        choice.region,
        choice.rule,
    )


@given(CHOICES)
def test_a_grants_life_is_never_lengthened_by_the_cookie(choice):
    again = decode(encode(choice))
    for purpose, answer in choice.answers.items():
        if answer.granted:
            assert again.answers[purpose].expires <= answer.expires


def test_two_refusals_in_the_same_hour_are_byte_for_byte_the_same():
    early = everything(False, at=NOW)
    late = everything(False, at=NOW + timedelta(minutes=59))
    assert encode(early) == encode(late)


def test_there_is_no_receipt_and_no_identifier_in_it():
    assert encode(replace(everything(True), receipt="ab" * 16)) == encode(
        everything(True)
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "1",
        '"x"',
        "{}",
        '{"a":[],"f":2}',
        '{"a":{},"f":1}',
        '{"a":[1],"f":1}',
        '{"a":[{"h":1,"m":9,"p":1,"y":["analytics"]}],"f":1}',
        '{"a":[{"h":1,"m":3,"p":1,"y":["necessary"]}],"f":1}',
        '{"a":[{"h":1,"m":3,"p":1,"y":["spying"]}],"f":1}',
        '{"a":[{"h":1e999,"m":3,"p":1,"y":["analytics"]}],"f":1}',
        '{"a": [],"f":1}',
        '{"f":1,"a":[]}',
        '{"a":[],"f":1,"x":1}',
        '{"a":[{"h":99999999999999,"m":3,"p":1,"n":["analytics"]}],"f":1}',
        "[" * 100_000,
    ],
)
def test_anything_else_is_not_a_choice(text):
    with pytest.raises(ValueError, match=r"."):
        decode(text)


@given(st.text())
def test_no_text_is_worse_than_not_a_choice(text):
    try:
        decode(text)
    except ValueError:
        return
    assert encode(decode(text)) == text


def test_a_choice_of_many_services_stays_readable():
    many = everything(True, services={f"service-{n}": n % 2 == 0 for n in range(20)})
    assert json.loads(encode(many))["f"] == 1
    assert decode(encode(many)).answers[Purpose.ANALYTICS].granted
