"""Strings of the Global Privacy Platform, bit for bit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.core.gpp import base64, fibonacci, fibonacci_range, gpp_string, header
from consent.core.gpp_sections import NATIONAL, SECTIONS

IDS = st.sets(st.integers(1, 400), max_size=30)


def numbers(bits: str) -> list[int]:
    """Read a Range (Fibonacci) by the specification's own words."""
    found, at, last = [], 12, 0

    def number() -> int:
        nonlocal at
        end = bits.index("11", at) + 1
        parts, a, b = 0, 1, 2
        for bit in bits[at:end]:
            parts += a * int(bit)
            a, b = b, a + b
        at = end + 1
        return parts

    for _ in range(int(bits[:12], 2)):
        group = bits[at] == "1"
        at += 1
        first = last + number()
        last = first + number() if group else first
        found += range(first, last + 1)
    assert at == len(bits)
    return found


@given(IDS)
def test_what_a_range_says_can_be_read_again(ids: set[int]) -> None:
    assert numbers(fibonacci_range(ids)) == sorted(ids)


@pytest.mark.parametrize(
    ("number", "bits"),
    [(1, "11"), (2, "011"), (3, "0011"), (4, "1011"), (5, "00011"), (6, "10011")],
)
def test_numbers_are_coded_as_the_specification_shows(number: int, bits: str) -> None:
    assert fibonacci(number) == bits


@pytest.mark.parametrize(
    ("sections", "letters"), [([2], "DBABM"), ([2, 6], "DBACNY"), ([5, 6], "DBABjw")]
)
def test_headers_are_those_of_the_specification_filled_up_to_whole_bytes(
    sections: list[int], letters: str
) -> None:
    assert header(sections) in {letters, f"{letters}A"}


@given(st.text("01", max_size=200))
def test_letters_hold_the_bits_and_nothing_but_zeros_behind_them(bits: str) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    again = "".join(f"{alphabet.index(letter):06b}" for letter in base64(bits))
    assert again.startswith(bits)
    assert "1" not in again[len(bits) :]


@pytest.mark.parametrize("number", [0, -1])
def test_nothing_below_one_is_coded(number: int) -> None:
    with pytest.raises(ValueError, match="begins at 1"):
        fibonacci(number)


def plain(name: str, **changed: object) -> dict[str, object]:
    """Values of a section that claim nothing."""
    lengths = SECTIONS[name].fields.items()
    values = {field: 0 if n is None else (0,) * n for field, n in lengths}
    return {**values, "MspaCoveredTransaction": 1, **changed}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("usca", "DBABBg~BAAAAABA.QA"), ("usnat", "DBABLA~CAAAAAAAAABA.QA")],
)
def test_sections_without_a_claim_are_as_other_implementations_write_them(
    name: str, expected: str
) -> None:
    section = SECTIONS[name]
    encoded = section.encoded(plain(name), gpc=False)
    assert gpp_string({section.id: encoded}) == expected


def test_the_browsers_signal_stands_in_a_part_of_its_own() -> None:
    assert NATIONAL.encoded(plain("usnat"), gpc=True).endswith(".YA")
    assert "." not in SECTIONS["usva"].encoded(plain("usva"), gpc=True)


@pytest.mark.parametrize("wrong", [{"SaleOptOut": 4}, {"SaleOptOut": (1,)}])
def test_values_that_do_not_fit_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"fit|list"):
        NATIONAL.encoded(plain("usnat", **wrong), gpc=False)
