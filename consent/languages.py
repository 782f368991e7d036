"""The languages that pages speak: their names and directions, who reviewed them.

A language is offered whole or not at all: only where its catalogue has every message
that visitors read. The catalogue of the source language, which `make translations`
writes, is the list of these messages.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.utils.translation import to_locale
from django.utils.translation.trans_real import parse_accept_lang_header

# The language that messages are written in, as LANGUAGE_CODE is by default.
SOURCE: Final = "en"
# Languages in which the administration's own texts are complete too.
STAFF: Final = ("en", "fr", "de", "es")
# Tags that browsers send for a language that goes by another code here.
ALIASES: Final = {
    **dict.fromkeys(("zh", "zh-cn", "zh-sg", "zh-my"), "zh-hans"),
    **dict.fromkeys(("zh-tw", "zh-hk", "zh-mo"), "zh-hant"),
    **dict.fromkeys(("no", "nn"), "nb"),
    "iw": "he",
    "in": "id",
    "mo": "ro",
    "pt-pt": "pt",
}
_LOCALE: Final = Path(__file__).parent / "locale"
_MO_MAGIC: Final = 0x950412DE
_WORDLESS: Final = "wordless"


class Reviewed(StrEnum):
    """Who has read a catalogue besides its translator; `source` needs no translator."""

    NONE = "none"
    NATIVE = "native"
    LAWYER = "lawyer"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Language:
    """A language: its code, its own name for itself, its direction, its review."""

    code: str
    name: str
    direction: str
    reviewed: Reviewed


def language(code: str) -> Language:
    """A language of LANGUAGES; KeyError for any other."""
    base = code.partition("-")[0]
    return Language(
        code=code,
        name=dict(settings.LANGUAGES)[code],
        direction="rtl" if base in settings.LANGUAGES_BIDI else "ltr",
        reviewed=_reviewed(code),
    )


def _reviewed(code: str) -> Reviewed:
    """What the catalogue says of itself; what it does not say well is no review."""
    if code == SOURCE:
        return Reviewed.SOURCE
    said = _header(_catalogue(code)).get("X-Reviewed")
    return Reviewed(said) if said in {"native", "lawyer"} else Reviewed.NONE


def missing(code: str) -> frozenset[str]:
    """The messages for visitors that a catalogue lacks; all of them without one."""
    return _missing(_file(SOURCE), _file(code))


@cache
def _missing(source: Path, file: Path) -> frozenset[str]:
    return frozenset(_read(source)) - frozenset(_read(file))


def offered(code: str) -> bool:
    """Whether a language is known, and its catalogue complete."""
    if code == SOURCE:
        return True
    known = any(code == its for its, _name in settings.LANGUAGES)
    return known and bool(_catalogue(SOURCE)) and not missing(code)


def fallback(code: str) -> str | None:
    """The language that stands for this one: itself, its base, or none."""
    return next((its for its in (code, code.partition("-")[0]) if offered(its)), None)


def spoken(codes: Iterable[str]) -> tuple[str, ...]:
    """Those of some languages that are offered, in their order, each once."""
    found = (fallback(code) for code in codes)
    return tuple(dict.fromkeys(code for code in found if code))


def unreviewed(codes: Iterable[str]) -> tuple[str, ...]:
    """Those of some languages that nobody has reviewed, sorted."""
    return tuple(sorted({c for c in codes if _reviewed(c) is Reviewed.NONE}))


def translated(message: str, code: str) -> str:
    """A message as a language's catalogue has it; else as it stands."""
    return _catalogue(code).get(message) or message


def match(wanted: Iterable[str], among: Sequence[str]) -> str | None:
    """The first language that is wanted and there (RFC 4647 section 3.4, lookup).

    A wanted tag is shortened until it fits; after that another variety of the same
    language fits too, such as `pt-br` for `pt`.
    """
    for tag in wanted:
        for code in _shortened(tag.lower()):
            if code in among:
                return code
        base = ALIASES.get(tag.lower(), tag.lower()).partition("-")[0]
        for code in among:
            if code.partition("-")[0] == base:
                return code
    return None


def _shortened(tag: str) -> Iterator[str]:
    while tag:
        yield tag
        if tag in ALIASES:
            yield ALIASES[tag]
        tag = tag.rpartition("-")[0]


def accepted(header: str) -> list[str]:
    """The tags of an Accept-Language header, the most wanted first."""
    return [tag for tag, weight in parse_accept_lang_header(header) if weight > 0]


def register() -> None:
    """Tell Django of the languages that it does not know by itself."""
    for code, name in settings.LANGUAGES:
        bidi = language(code).direction == "rtl"
        own = {"code": code, "name": name, "name_local": name, "bidi": bidi}
        LANG_INFO.setdefault(code, own)


def wordless[**P, R](view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view whose answers hold no words: every language gets the same bytes."""
    setattr(view, _WORDLESS, True)
    return view


def is_wordless(view: Callable[..., object]) -> bool:
    """Whether a view was marked as having no words."""
    return getattr(view, _WORDLESS, False)


def _catalogue(code: str) -> Mapping[str, str]:
    """A compiled catalogue of ours, by the keys of gettext; empty without a file."""
    return _read(_file(code))


def _file(code: str) -> Path:
    return _LOCALE / to_locale(code) / "LC_MESSAGES" / "django.mo"


@cache
def _read(path: Path) -> Mapping[str, str]:
    """The messages of a compiled catalogue ("GNU gettext" manual, section 10.3)."""
    if not path.exists():
        return {}
    data = path.read_bytes()
    order = "<" if struct.unpack_from("<I", data)[0] == _MO_MAGIC else ">"
    count, keys, texts = struct.unpack_from(f"{order}8x3I", data)

    def text(table: int, row: int) -> str:
        length, start = struct.unpack_from(f"{order}2I", data, table + 8 * row)
        return data[start : start + length].decode()

    return {text(keys, row): text(texts, row) for row in range(count)}


def _header(catalogue: Mapping[str, str]) -> dict[str, str]:
    lines = (line.partition(":") for line in catalogue.get("", "").splitlines())
    return {name.strip(): value.strip() for name, _colon, value in lines}
