"""Consent records of format 1, read as fast as they come.

Nearly all entries are such records, in the one form that canonical JSON has for them.
Here they are read several times as fast as by a JSON reader; what is not known here is
read as JSON (`members`), and comes to the same values.
"""

import re
from typing import Any, Final

from consent.audit.verifying.members import Document, Values, columns, documents
from consent.core.record import FORMAT


def _kept(name: str) -> str:
    return rf'"(?P<{name}>[^"\\]*+)"'


_TEXT: Final = r'"[^"\\]*+"'
_OPTIONAL: Final = rf"(?:null|{_TEXT})"
_FLAT: Final = r"\{[^{}\\]*+\}"
_BOOLEAN: Final = "true|false"
# No more digits than canonical JSON can keep apart.
_VERSION: Final = "(?P<policy_version>0|[1-9][0-9]{0,14})"
# What stands before a record's number, what before its time, and what comes then.
_ID: Final = '"id":"'
_TIME: Final = '"time":'
_END: Final = re.compile(
    rf'{_kept("time")},"valid_until":{_OPTIONAL},"visitor":(?:null|{_kept("visitor")})'
    r"\}"
).fullmatch
_ID_LENGTH: Final = len(_ID)
_TIME_LENGTH: Final = len(_TIME)
_KINDS: Final = 4096


type _Kept = tuple[Values, Document]
# The columns and the documents, the time and the pseudonym of a record.
type Read = tuple[_Kept, str, str | None]


class Records:
    """Reads the consent records of a site, and remembers what it read of each kind.

    Many records say the same, but for their number, times and pseudonym. What stands
    between those is read once, and from then on only compared.
    """

    def __init__(self, site: str) -> None:
        self._whole = _pattern(site).fullmatch
        self._kinds: dict[tuple[str, str], _Kept] = {}

    def read(self, text: str, number: str) -> Read | None:
        """What the record with a number says; None where the text may say it not."""
        first = text.find(_ID) + _ID_LENGTH
        upto = first + len(number)
        last = text.rfind(_TIME) + _TIME_LENGTH
        end = _END(text, last)
        if end is None or text[first:upto] != number:
            return None
        kind = text[:first], text[upto:last]
        values = self._kinds.get(kind) or self._learn(kind, text)
        return (values, end[1], end[2]) if values else None

    def _learn(self, kind: tuple[str, str], text: str) -> _Kept | None:
        found = self._whole(text)
        if found is None:
            return None
        if len(self._kinds) >= _KINDS:
            self._kinds.clear()
        said: dict[str, Any] = found.groupdict()
        said["country"] = said["country"] or ""
        said["policy_version"] = int(said["policy_version"])
        said["gpc"] = said["gpc"] == "true"
        values = columns(said), documents(said)
        self._kinds[kind] = values
        return values


def _pattern(site: str) -> re.Pattern[str]:
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
        rf'"id":{_TEXT}',
        rf'"jurisdiction":\{{"rule":{_kept("rule")},"rulebook":{_kept("rulebook")}\}}',
        r'"kind":"(?P<kind>consent)"',
        rf'"location":\{{{location}\}}',
        rf'"model":{_kept("model")}',
        rf'"notice":\{{"hash":(?:null|{_kept("notice")}),"language":{_OPTIONAL}\}}',
        rf'"policy":\{{"hash":{_kept("policy")},"version":{_VERSION}\}}',
        rf'"purposes":{_FLAT}',
        rf'"services":{_FLAT}',
        rf'"signals":\{{{signals}\}}',
        rf'"site":"{re.escape(site)}"',
        rf'"surface":{_kept("surface")}',
        rf'"time":{_TEXT}',
        rf'"valid_until":{_OPTIONAL}',
        rf'"visitor":{_OPTIONAL}',
    )
    return re.compile(rf"\{{{','.join(members)}\}}")
