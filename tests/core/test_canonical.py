"""Canonical JSON: the cases of RFC 8785 that records can meet, and what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.core.canonical import canonical, canonical_hash

TEXT = st.text(alphabet=st.characters(codec="utf-8")).map(
    lambda text: __import__("unicodedata").normalize("NFC", text)
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


def test_keys_are_sorted_by_their_utf_16_code_units():
    """The example of RFC 8785 section 3.2.3."""
    given_keys = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    del given_keys["\ufb33"]  # not in normal form C, so no record can hold it
    text = canonical(given_keys).decode()
    assert list(json.loads(text)) == [
        "\r",
        "1",
        "\u0080",
        "\u00f6",
        "\u20ac",
        "\U0001f600",
    ]


def test_control_characters_are_escaped_as_the_standard_says():
    written = canonical('\u20ac$\u000f\nA\'B"\\\\"/').decode()
    assert written == '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'


@given(VALUES)
def test_canonical_bytes_say_the_same_value_again(value):
    assert json.loads(canonical(value)) == value


@given(VALUES)
def test_the_quick_way_writes_what_the_careful_way_writes(value):
    """A tuple is never written the quick way, nor is what stands in it."""
    assert canonical((value,)) == b"[" + canonical(value) + b"]"


@given(VALUES)
def test_canonical_bytes_are_a_fixed_point(value):
    once = canonical(value)
    assert canonical(json.loads(once)) == once


@pytest.mark.parametrize(
    "value",
    [1.5, float("nan"), 2**53, "e\u0301", "\ud800", b"bytes", {1: "key"}, object()],
)
def test_what_has_no_single_form_is_refused(value):
    with pytest.raises((TypeError, ValueError, AttributeError)):
        canonical(value)


def test_a_hash_names_its_algorithm():
    assert canonical_hash({}) == (
        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    )
