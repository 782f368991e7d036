"""What the canonical bytes of an entry say, to be held against the columns beside them.

Nearly all entries are consent records of format 1, in the one form that canonical JSON
has for them. `record_pattern` reads those three times as fast as a JSON reader does;
what it does not match is read as JSON. Both come to the same values.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from consent.core.canonical import canonical
from consent.core.record import FORMAT

type Values = tuple[str | None, ...]

# What the columns of a content repeat, in the order in which they are compared.
COLUMNS: Final = (
    *("event", "rule", "kind", "country", "model"),
    *("policy_version", "gpc", "surface"),
)
# What names the documents that a record points at.
DOCUMENTS: Final = ("policy", "policy_version", "notice", "rulebook")
_RULE_LENGTH: Final = 255

_TEXT: Final = r'"[^"\\]*+"'
_OPTIONAL: Final = rf"(?:null|{_TEXT})"
_FLAT: Final = r"\{[^{}\\]*+\}"
_BOOLEAN: Final = "true|false"


def record_pattern(site: str) -> re.Pattern[str]:
    """The consent records of a site, with what is compared in named groups."""
    location = (
        rf'"country":(?:null|{_kept("country")}),"database":{_OPTIONAL},'
        rf'"source":{_TEXT},"subdivision":{_OPTIONAL}'
    )
    signals = rf'"applied":\[[^\]\\]*+\],"dnt":(?:{_BOOLEAN}),"gpc":(?P<gpc>{_BOOLEAN})'
    members = (
        rf'"audience":{_TEXT}',
        rf'"event":{_kept("event")}',
        rf'"format":{FORMAT}',
        rf'"id":{_kept("id")}',
        rf'"jurisdiction":\{{"rule":{_kept("rule")},"rulebook":{_kept("rulebook")}\}}',
        r'"kind":"(?P<kind>consent)"',
        rf'"location":\{{{location}\}}',
        rf'"model":{_kept("model")}',
        rf'"notice":\{{"hash":(?:null|{_kept("notice")}),"language":{_OPTIONAL}\}}',
        rf'"policy":\{{"hash":{_kept("policy")},"version":(?P<policy_version>[0-9]+)\}}',
        rf'"purposes":{_FLAT}',
        rf'"services":{_FLAT}',
        rf'"signals":\{{{signals}\}}',
        rf'"site":"{re.escape(site)}"',
        rf'"surface":{_kept("surface")}',
        rf'"time":{_kept("time")}',
        rf'"valid_until":{_OPTIONAL}',
        rf'"visitor":(?:null|{_kept("visitor")})',
    )
    return re.compile(rf"\{{{','.join(members)}\}}")


def _kept(name: str) -> str:
    return rf'"(?P<{name}>[^"\\]*+)"'


class NoRecordError(ValueError):
    """The bytes are not those of an entry; the text says how."""


def members(text: str, *, site: str) -> dict[str, Any]:
    """The members of an entry of format 1; NoRecordError where it is none of the site.

    A record's columns are cut where the database cuts them.
    """
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

    NoRecordError where a member of format 1 is missing.
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


def _of_record(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "event": found["event"],
        "rule": found["jurisdiction"]["rule"][:_RULE_LENGTH],
        "country": found["location"]["country"],
        "model": found["model"],
        "policy_version": str(found["policy"]["version"]),
        "gpc": "true" if found["signals"]["gpc"] else "false",
        "surface": found["surface"],
        "visitor": found["visitor"],
        "policy": found["policy"]["hash"],
        "notice": found["notice"]["hash"],
        "rulebook": found["jurisdiction"]["rulebook"],
    }


def _of_act(found: Mapping[str, Any]) -> dict[str, Any]:
    """An act's columns are nearly all empty; two acts name a document."""
    empty = dict.fromkeys(("rule", "model", "surface"), "")
    none = dict.fromkeys(("country", "policy_version", "visitor", *DOCUMENTS))
    named = {"policy_published": "policy", "rule_book_changed": "rulebook"}
    values = {**none, **empty, "event": found["act"], "gpc": "false"}
    if found["act"] in named:
        values[named[found["act"]]] = found["subject"]
    return values
