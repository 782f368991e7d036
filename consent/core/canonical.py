"""Canonical JSON bytes (RFC 8785) for everything that is hashed or signed.

Only what records need: objects with string keys, arrays, strings in NFC, integers that
every JSON reader keeps exact, booleans and null. Floats are refused, because their text
is the one part of the RFC on which implementations disagree in practice.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence

type Json = bool | int | str | Sequence["Json"] | Mapping[str, "Json"] | None

_EXACT = 2**53
_HASH = re.compile("sha256:[0-9a-f]{64}")
_ATOMS = frozenset({str, bool, type(None)})


def canonical(value: Json) -> bytes:
    """The one byte string of a JSON value; TypeError or ValueError for any other.

    A value that is ASCII throughout is written by the standard library's encoder, which
    sorts such keys as the RFC does; nearly every record is one.
    """
    if _is_plain(value):
        text = _quickly(value)
        if text.isascii():
            return text.encode()
    return _text(value).encode()


_quickly = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":"), sort_keys=True
).encode


def _is_plain(value: Json) -> bool:
    """Whether a value holds nothing but what has one text: no float, no other key.

    Written for speed: every choice waits for it.
    """
    if type(value) in _ATOMS:
        return True
    if isinstance(value, dict):
        for key, item in value.items():
            if type(key) is not str or not (type(item) in _ATOMS or _is_plain(item)):
                return False
        return True
    if isinstance(value, list):
        return all(type(item) in _ATOMS or _is_plain(item) for item in value)
    return isinstance(value, int) and abs(value) < _EXACT


def canonical_hash(value: Json) -> str:
    """Name a JSON value by the SHA-256 of its canonical bytes: `sha256:<hex>`."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()


def _text(value: Json) -> str:
    if isinstance(value, str):
        return _string(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, list | tuple):
        return "[" + ",".join(_text(item) for item in value) + "]"
    raise TypeError(f"{type(value).__name__} has no canonical JSON here")


def _string(value: str) -> str:
    if not unicodedata.is_normalized("NFC", value):
        raise ValueError("a string is not in Unicode normal form C")
    value.encode()  # a lone surrogate is not text: UnicodeEncodeError is a ValueError
    return json.dumps(value, ensure_ascii=False)


def _integer(value: int) -> str:
    if abs(value) >= _EXACT:
        raise ValueError("an integer is too large to be exact in every JSON reader")
    return int.__repr__(value)


def _object(value: Mapping[str, Json]) -> str:
    if not all(isinstance(key, str) for key in value):
        raise TypeError("a key that is no text has no canonical JSON")
    # RFC 8785 section 3.2.3: keys are sorted by their UTF-16 code units.
    keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
    return "{" + ",".join(f"{_string(k)}:{_text(value[k])}" for k in keys) + "}"


def is_hash(value: object) -> bool:
    """Whether it has the shape of what `canonical_hash` gives."""
    return isinstance(value, str) and bool(_HASH.fullmatch(value))
