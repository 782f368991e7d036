"""Tables of answers: which columns of an export say what.

Headers are compared by their letters and digits alone, in any case; other columns are
left alone. OneTrust's transactions have a row for each purpose, Osano's records and our
own tables a column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from consent.core.purposes import OPTIONAL, Purpose


class Source(StrEnum):
    """Whose table it is."""

    ONETRUST = "onetrust"
    OSANO = "osano"
    CSV = "csv"


class Role(StrEnum):
    """What a column is for, beside the answers."""

    WHO = "who"
    ACCOUNT = "account"
    TIME = "time"
    PURPOSE = "purpose"
    ANSWER = "answer"
    RECEIPT = "receipt"
    TEST = "test"
    OPT_OUT = "opt_out"


# What each column may be called; the members of OneTrust's transactions, and what its
# and Osano's exports may have of them. The first that is there is taken.
_CALLED: Final[Mapping[Source, Mapping[Role, Sequence[str]]]] = {
    Source.ONETRUST: {
        Role.WHO: ("identifier", "datasubjectidentifier"),
        Role.TIME: ("interactiondate", "consentdate", "consentcreationdate"),
        Role.PURPOSE: ("purposename", "purpose", "purposeguid"),
        Role.ANSWER: ("transactiontype",),
        Role.RECEIPT: ("receiptid", "receiptguid"),
        Role.TEST: ("test",),
    },
    Source.OSANO: {
        Role.WHO: ("consentid", "uuid", "id"),
        Role.TIME: ("timestamp", "consentdate", "createdat", "date", "time"),
        Role.OPT_OUT: ("optout",),
    },
    Source.CSV: {
        Role.WHO: ("visitor",),
        Role.ACCOUNT: ("account",),
        Role.TIME: ("time",),
    },
}
_NEEDED: Final[Mapping[Source, Sequence[Role]]] = {
    Source.ONETRUST: (Role.WHO, Role.TIME, Role.PURPOSE, Role.ANSWER),
    Source.OSANO: (Role.WHO, Role.TIME),
    Source.CSV: (Role.TIME,),
}
_OSANO: Final[Mapping[Purpose, Sequence[str]]] = {
    Purpose.FUNCTIONAL: ("PERSONALIZATION",),
    Purpose.ANALYTICS: ("ANALYTICS",),
    Purpose.MARKETING: ("MARKETING",),
}


@dataclass(frozen=True, slots=True)
class Table:
    """How to read a table: where each column stands, and what its names mean here.

    `answers` are the columns that hold answers, by their names as the operator or the
    source has them; none where each row names its purpose.
    """

    source: Source
    width: int
    roles: Mapping[Role, int]
    answers: Mapping[str, int]
    names: Mapping[Purpose, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator says of a table: its columns, and what its names mean."""

    names: Mapping[Purpose, Sequence[str]] = field(default_factory=dict)
    columns: Mapping[Role, str] = field(default_factory=dict)


def table(*, source: Source, header: Sequence[str], wishes: Wishes) -> Table:
    """How to read a table with this header; ValueError names what is missing."""
    places: dict[str, int] = {}
    for place, cell in enumerate(header):
        if plain(cell) in places and plain(cell):
            raise ValueError(f"the column {cell.strip()!r} is there twice")
        places[plain(cell)] = place
    roles = _roles(source, places, wishes.columns)
    if not {Role.WHO, Role.ACCOUNT} & roles.keys():
        raise ValueError("it has no column visitor or account")
    names = wishes.names or _default_names(source, places)
    if not names:
        raise ValueError(
            "say what its names mean: --map analytics=NAME"
            if source is Source.ONETRUST
            else "it has no column with answers"
        )
    answers = {} if Role.PURPOSE in roles else _answers(places, names)
    return Table(source, len(header), roles, answers, names)


def plain(name: str) -> str:
    """A name by its letters and digits alone, in lower case."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _roles(
    source: Source, places: Mapping[str, int], columns: Mapping[Role, str]
) -> dict[Role, int]:
    found: dict[Role, int] = {}
    for role, usual in _CALLED[source].items():
        called = (plain(columns[role]),) if role in columns else usual
        place = next((places[name] for name in called if name in places), None)
        if place is not None:
            found[role] = place
        elif role in columns or role in _NEEDED[source]:
            wanted = columns.get(role) or " or ".join(called)
            raise ValueError(f"it has no column {wanted} ({role})")
    strange = columns.keys() - _CALLED[source].keys()
    if strange:
        raise ValueError(f"a table of {source} has no {min(strange)}")
    return found


def _default_names(
    source: Source, places: Mapping[str, int]
) -> dict[Purpose, Sequence[str]]:
    """The purposes that the columns speak of by names that we know."""
    if source is Source.ONETRUST:
        return {}
    known = _OSANO if source is Source.OSANO else {p: (str(p),) for p in OPTIONAL}
    there = {
        purpose: tuple(name for name in names if plain(name) in places)
        for purpose, names in known.items()
    }
    return {purpose: names for purpose, names in there.items() if names}


def _answers(
    places: Mapping[str, int], names: Mapping[Purpose, Sequence[str]]
) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in {name for theirs in names.values() for name in theirs}:
        if plain(name) not in places:
            raise ValueError(f"it has no column {name} with answers")
        found[name] = places[plain(name)]
    return found
