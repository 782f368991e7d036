"""Strings of the IAB Global Privacy Platform: bits, ranges, header (version 1).

After the IAB Tech Lab's "Global Privacy Platform String" specification. Its text pads
each part with zeros to a multiple of six bits; IAB's own library, and every string in
use, pads to whole bytes first, which adds at most one `A`. This does as they do.

>>> header([2, 6])
'DBACNYA'
>>> gpp_string({})
'DBAA'
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final

_HEADER_TYPE: Final = 3
_VERSION: Final = 1
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_LETTER_BITS: Final = 6
_BYTE_BITS: Final = 8
_AMOUNT_BITS: Final = 12


def integer(number: int, *, bits: int) -> str:
    """A whole number in so many bits; ValueError where it does not fit."""
    if not 0 <= number < 1 << bits:
        raise ValueError(f"{number} does not fit into {bits} bits")
    return f"{number:0{bits}b}"


def fibonacci(number: int) -> str:
    """A number from 1 on in Fibonacci coding; the code always ends in `11`.

    >>> [fibonacci(number) for number in (1, 2, 3, 4, 7)]
    ['11', '011', '0011', '1011', '01011']
    """
    if number < 1:
        raise ValueError("Fibonacci coding begins at 1")
    numbers = [1, 2]
    while numbers[-1] <= number:
        numbers.append(numbers[-1] + numbers[-2])
    bits = ""
    for part in reversed([n for n in numbers if n <= number]):
        taken = part <= number
        number -= part * taken
        bits = f"{taken:d}{bits}"
    return f"{bits}1"


def fibonacci_range(numbers: Iterable[int]) -> str:
    """Different numbers as Range (Fibonacci): how many items, then each by its offset.

    An item is one number, or a run of numbers that follow each other.

    >>> fibonacci_range([3, 5, 6, 7, 8])
    '0000000000100001110110011'
    """
    runs = _runs(sorted(set(numbers)))
    bits = integer(len(runs), bits=_AMOUNT_BITS)
    last = 0
    for first, end in runs:
        bits += f"{end > first:d}{fibonacci(first - last)}"
        bits += fibonacci(end - first) if end > first else ""
        last = end
    return bits


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """First and last number of each run."""
    if not numbers:
        return []
    gaps = [(a, b) for a, b in pairwise(numbers) if b != a + 1]
    starts = [numbers[0], *(b for _, b in gaps)]
    ends = [*(a for a, _ in gaps), numbers[-1]]
    return list(zip(starts, ends, strict=True))


def base64(bits: str) -> str:
    """Bits as base64url without padding signs, filled up with zeros to whole bytes."""
    whole = bits + "0" * (-len(bits) % _BYTE_BITS)
    whole += "0" * (-len(whole) % _LETTER_BITS)
    letters = range(0, len(whole), _LETTER_BITS)
    return "".join(_ALPHABET[int(whole[at : at + _LETTER_BITS], 2)] for at in letters)


def header(sections: Iterable[int]) -> str:
    """The first part of a string: which sections follow, in their order."""
    kind = integer(_HEADER_TYPE, bits=6) + integer(_VERSION, bits=6)
    return base64(kind + fibonacci_range(sections))


def gpp_string(sections: Mapping[int, str]) -> str:
    """A whole string of encoded sections by their ids."""
    ids = sorted(sections)
    return "~".join([header(ids), *(sections[number] for number in ids)])
