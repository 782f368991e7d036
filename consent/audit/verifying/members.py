"""What an entry's canonical bytes say, to be held against the columns beside them."""

import json
from collections.abc import Mapping
from typing import Any, Final

from consent.core.canonical import canonical
from consent.core.record import FORMAT

type Values = tuple[str | int | None, ...]
# A policy and its version, a notice, a rule book: what names a record's documents.
type Document = tuple[str | None, int | None, str | None, str | None]

# What the columns of a content repeat, in the order in which they are compared.
COLUMNS: Final = (
    *("event", "rule", "kind", "country", "model"),
    *("policy_version", "gpc", "surface"),
)
_RULE_LENGTH: Final = 255


class NoRecordError(ValueError):
    """The bytes are not those of an entry; the text says how."""


def members(text: str, *, site: str) -> dict[str, Any]:
    """The members of an entry of format 1; NoRecordError where it is no entry of it."""
    try:
        found = json.loads(text)
        again = canonical(found).decode()
    except (ValueError, TypeError, RecursionError) as error:
        raise NoRecordError("its contents are not JSON") from error
    if again != text or not isinstance(found, dict):
        raise NoRecordError("its contents are not an object in canonical form")
    if found.get("format") != FORMAT:
        raise NoRecordError(f"its contents are not of format {FORMAT}")
    if found.get("site") != site:
        raise NoRecordError("its contents are those of another site")
    return found


def compared(found: Mapping[str, Any]) -> dict[str, Any]:
    """What columns, links and documents are held against, by the names used here.

    A rule's name is cut where the database cuts it. NoRecordError where a member of
    format 1 is missing.
    """
    try:
        values = _of_act(found) if found["kind"] == "act" else _of_record(found)
        return {
            "kind": found["kind"],
            "id": found["id"],
            "time": found["time"],
        } | values
    except (KeyError, TypeError) as error:
        raise NoRecordError("its contents lack a member of format 1") from error


def columns(found: Mapping[str, Any]) -> Values:
    """What the columns of a content must hold, by what was `compared`."""
    return tuple([found[name] for name in COLUMNS])


def documents(found: Mapping[str, Any]) -> Document:
    """What names the documents that a record points at."""
    return (
        *(found["policy"], found["policy_version"]),
        *(found["notice"], found["rulebook"]),
    )


def _of_record(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "event": found["event"],
        "rule": found["jurisdiction"]["rule"][:_RULE_LENGTH],
        "country": found["location"]["country"] or "",
        "model": found["model"],
        "policy_version": found["policy"]["version"],
        "gpc": found["signals"]["gpc"],
        "surface": found["surface"],
        "visitor": found["visitor"],
        "policy": found["policy"]["hash"],
        "notice": found["notice"]["hash"],
        "rulebook": found["jurisdiction"]["rulebook"],
    }


def _of_act(found: Mapping[str, Any]) -> dict[str, Any]:
    """An act's columns are nearly all empty; two acts name a document."""
    empty = dict.fromkeys(("rule", "model", "surface", "country"), "")
    documents = ("policy", "policy_version", "notice", "rulebook")
    none = dict.fromkeys(("visitor", *documents))
    named = {"policy_published": "policy", "rule_book_changed": "rulebook"}
    values = {**none, **empty, "event": found["act"], "gpc": False}
    if found["act"] in named:
        values[named[found["act"]]] = found["subject"]
    return values
