"""What the rows of a table say: answers with their time, of one person.

Values come from closed lists; one that is not understood is an error, never a guess.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from consent.core.imports.answers import Earlier, by_purpose, moment
from consent.core.imports.tables import Role, Source, Table, plain
from consent.core.purposes import Purpose

# How far another clock may be ahead.
_AHEAD: Final = timedelta(minutes=5)
LONGEST_NAME: Final = 254
# OneTrust's transaction types. What runs by default, and what only changes how long or
# in what detail something was allowed, is no answer.
_ONETRUST: Final[Mapping[str, bool | None]] = {
    **dict.fromkeys(("confirmed", "optin"), True),
    **dict.fromkeys(("notgiven", "withdrawn", "optout", "hardoptout"), False),
    **dict.fromkeys(("pending", "expired", "nochoice", "nooptout", "implicit"), None),
    **dict.fromkeys(("extend", "changepreferences", "cancel"), None),
}
_WORDS: Final[Mapping[Source, Mapping[str, bool | None]]] = {
    Source.ONETRUST: _ONETRUST,
    Source.OSANO: {"accept": True, "deny": False, "": None},
    Source.CSV: {
        **dict.fromkeys(("yes", "true", "1", "granted"), True),
        **dict.fromkeys(("no", "false", "0", "refused"), False),
        "": None,
    },
}
_FLAGS: Final = {"true": True, "false": False, "yes": True, "no": False, "": False}


@dataclass(frozen=True, slots=True)
class Row:
    """What one row says; `answers` are by the source's names.

    `counts` is false for a row that its source calls a test. Who opted out of sale
    (Osano) said no to marketing, whatever else the row has.
    """

    who: str | None
    account: str | None
    time: datetime | None
    answers: Mapping[str, bool]
    receipt: str | None = None
    counts: bool = True
    opted_out: bool = False

    @property
    def of(self) -> tuple[str | None, str | None, datetime | None, str | None]:
        """Which rows, one after the other, belong to one answer."""
        return self.who, self.account, self.time, self.receipt


def together(rows: Sequence[Row]) -> Earlier:
    """The answers of rows that belong together; of two to one name the refusal holds.

    `rows` are not empty, and have the same time.
    """
    refused = {name for one in rows for name, on in one.answers.items() if not on}
    granted = {name for one in rows for name, on in one.answers.items() if on}
    time = rows[0].time
    return Earlier(
        granted=frozenset(granted - refused),
        refused=frozenset(refused),
        first=time,
        last=time,
    )


def said(rows: Sequence[Row], *, of: Table) -> dict[Purpose, bool]:
    """The answers of rows that belong together, by our purposes."""
    found = by_purpose(together(rows), names=of.names)
    if any(one.opted_out for one in rows):
        found[Purpose.MARKETING] = False
    return found


def row(of: Table, cells: Sequence[str], *, now: datetime) -> Row:
    """What a row says; ValueError with a sentence for one that is not understood."""
    if len(cells) != of.width:
        raise ValueError(f"{len(cells)} cells where the header has {of.width}")
    found = {role: cells[place].strip() for role, place in of.roles.items()}
    if not found.get(Role.WHO) and not found.get(Role.ACCOUNT):
        raise ValueError("it names nobody")
    answers = (
        _one(found[Role.PURPOSE], found[Role.ANSWER])
        if Role.PURPOSE in of.roles
        else _each(of, cells)
    )
    return Row(
        who=_name(found.get(Role.WHO, "")),
        account=_name(found.get(Role.ACCOUNT, "")),
        time=_time(found[Role.TIME], now),
        answers=answers,
        receipt=_name(found.get(Role.RECEIPT, "")),
        counts=not _flag(found.get(Role.TEST, "")),
        opted_out=_said(of.source, found.get(Role.OPT_OUT, "")) is True
        if of.source is Source.OSANO
        else False,
    )


def _one(purpose: str, word: str) -> dict[str, bool]:
    if not purpose:
        raise ValueError("no purpose")
    said = _said(Source.ONETRUST, word)
    return {} if said is None else {purpose: said}


def _each(of: Table, cells: Sequence[str]) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for name, place in of.answers.items():
        said = _said(of.source, cells[place])
        if said is not None:
            found[name] = said
    return found


def _said(source: Source, word: str) -> bool | None:
    known = _WORDS[source]
    if plain(word) not in known or (word.strip() and not plain(word)):
        raise ValueError(f"{_short(word)} is no answer; one is {', '.join(known)}")
    return known[plain(word)]


def _time(text: str, now: datetime) -> datetime | None:
    if not text:
        return None
    try:
        found = moment(text, assume_utc=True)
    except ValueError:
        raise ValueError(f"{_short(text)} is no time (ISO 8601)") from None
    if found > now + _AHEAD:
        raise ValueError(f"{_short(text)} has not come yet")
    return found


def _name(text: str) -> str | None:
    if len(text) > LONGEST_NAME:
        raise ValueError(f"{_short(text)} is too long to name anybody")
    return text or None


def _flag(text: str) -> bool:
    if text.casefold() not in _FLAGS:
        raise ValueError(f"{_short(text)} is neither true nor false")
    return _FLAGS[text.casefold()]


def _short(text: str) -> str:
    shown = text.strip()
    return repr(shown if len(shown) <= 40 else shown[:39] + "…")  # noqa: PLR2004 - room
