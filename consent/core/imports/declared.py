"""What the operator declares of an earlier tool whose cookies visitors still hold.

It is a setting, so that what is wrong with it is told in sentences (`consent.checks`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from consent.core.canonical import Json
from consent.core.imports.cookies import COOKIE_NAMES, Tool
from consent.core.purposes import OPTIONAL, Purpose

_MEMBERS: Final = ("tool", "cookie", "purposes", "site", "same_as")


@dataclass(frozen=True, slots=True)
class Declared:
    """A tool, its cookie, and which of its names each of our purposes stands for.

    `site` is the only site that it is for; None for all of them. `same_as` is the
    published version that asks the same as the tool did, of everybody and before
    anything ran; without it only refusals count.
    """

    tool: Tool
    cookie: str
    names: Mapping[Purpose, tuple[str, ...]]
    site: str | None = None
    same_as: int | None = None

    def document(self) -> dict[str, Json]:
        """The same as plain JSON values, with nothing left out."""
        return {
            "tool": str(self.tool),
            "cookie": self.cookie,
            "purposes": {str(p): list(names) for p, names in self.names.items()},
            "site": self.site,
            "same_as": self.same_as,
        }


def declared(members: object) -> Declared:
    """One declaration; ValueError with a sentence that says what is wrong."""
    if not isinstance(members, Mapping):
        raise ValueError(f"an entry is an object with {', '.join(_MEMBERS)}")  # noqa: TRY004 - told like the rest
    unknown = sorted(str(name) for name in members.keys() - set(_MEMBERS))
    if unknown:
        raise ValueError(f"{unknown[0]!r} is none of {', '.join(_MEMBERS)}")
    tool = _tool(members.get("tool"))
    same_as = members.get("same_as")
    if same_as is not None and (type(same_as) is not int or same_as < 1):
        raise ValueError("same_as is the number of a published policy version")
    site = members.get("site")
    if site is not None and not _is_word(site):
        raise ValueError("site is the short name of a site")
    cookie = members.get("cookie", COOKIE_NAMES[tool])
    if not _is_word(cookie):
        raise ValueError("cookie is the name of a cookie")
    return Declared(tool, cookie, purposes(members.get("purposes")), site, same_as)


def purposes(value: object) -> dict[Purpose, tuple[str, ...]]:
    """Which of the earlier tool's names each purpose stands for; ValueError else."""
    if not isinstance(value, Mapping) or not value:
        raise ValueError("purposes names the tool's names for each of our purposes")
    return {_optional(purpose): _names(purpose, of) for purpose, of in value.items()}


def _tool(value: object) -> Tool:
    if value not in set(Tool):
        raise ValueError(f"tool is one of {', '.join(Tool)}")
    return Tool(str(value))


def _optional(word: object) -> Purpose:
    if word not in OPTIONAL:
        raise ValueError(f"{word!r} is none of {', '.join(OPTIONAL)}")
    return Purpose(str(word))


def _names(purpose: object, value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if (
        not isinstance(names, list | tuple)
        or not names
        or not all(map(_is_word, names))
    ):
        raise ValueError(f"{purpose} stands for no list of names")
    return tuple(names)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
