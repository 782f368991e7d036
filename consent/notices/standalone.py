"""A kept notice as one file that opens anywhere, offline, as it looked.

Nothing in it asks for anything outside of it, and nothing in it acts: style sheets are
inlined, pictures are `data:` addresses, forms lead nowhere. The file says so itself by
a Content Security Policy, and works under `default-src 'none'; style-src
'unsafe-inline'; img-src data:` too.
"""

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from html import escape
from html.parser import HTMLParser
from typing import Final

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from consent.core.canonical import canonical_hash
from consent.models import Asset
from consent.notices.looks import ADDRESS
from consent.notices.words import Document

# Attributes by which an element would fetch something, or lead somewhere.
_LEADING: Final = frozenset(
    (
        *("src", "srcset", "href", "xlink:href", "poster", "data", "background"),
        *("action", "formaction", "method", "ping", "target"),
    )
)
# Elements that fetch or act whatever their attributes; no notice of ours has one.
_ACTING: Final = frozenset(
    ("base", "embed", "iframe", "link", "meta", "object", "script")
)
_WORDS: Final = ("essential", "wish", "tell", "accept", "reject", "choose", "signal")

type Address = Callable[[str], str | None]


def standalone(document: Document, assets: Iterable[Asset]) -> str:
    """A notice of any format as one HTML file, with its hash in a caption.

    `assets` are the rows that it names (`assets_of`); what is missing of them is said
    in the caption. Words of format 1 are shown plainly, because their looks were not
    kept.
    """
    held = {asset.hash: asset for asset in assets}
    language = document.get("language") or ""
    named = [*document.get("styles", ()), *document.get("files", {}).values()]
    context = {
        "notice": document,
        "hash": canonical_hash(document),
        "bidi": language.partition("-")[0] in settings.LANGUAGES_BIDI,
        "styles": _styles(document, held),
        "html": _still(document.get("html", ""), _address(document, held)),
        "texts": [text for name in _WORDS if (text := document.get(name))],
        "missing": sorted(name for name in named if name not in held),
    }
    return render_to_string("consent/notice/standalone.html", context)


def _address(document: Document, held: Mapping[str, Asset]) -> Address:
    """What stands in a file for an address that the notice was shown with."""
    files: dict[str, str] = document.get("files", {})

    def found(address: str) -> str | None:
        asset = held.get(files.get(address, ""))
        if asset is None:
            return None
        body = base64.b64encode(bytes(asset.body)).decode()
        return f"data:{asset.media_type};base64,{body}"

    return found


def _styles(document: Document, held: Mapping[str, Asset]) -> list[SafeString]:
    names = [name for name in document.get("styles", ()) if name in held]
    sheets = [bytes(held[name].body).decode(errors="replace") for name in names]
    return [_inlined(sheet, _address(document, held)) for sheet in sheets]


def _inlined(sheet: str, address: Address) -> SafeString:
    """A style sheet to stand in the file: with its pictures, and without an end tag.

    Its rules for paper are left out: they take a banner and buttons away, and a notice
    is printed in order to see them.
    """
    sheet = re.sub(r"@import\b[^;]*;", "", sheet)
    sheet = re.sub(r"@media\s+print\b", "@media not all", sheet)
    sheet = ADDRESS.sub(lambda m: f'url("{address(m[2]) or "data:,"}")', sheet)
    return mark_safe(sheet.replace("</", r"<\/"))  # noqa: S308 - kept bytes, no markup


def _still(html: str, address: Address) -> SafeString:
    """The markup with nothing in it that fetches, leads away or sends."""
    stilled = _Still(address)
    stilled.feed(html)
    stilled.close()
    return mark_safe("".join(stilled.parts))  # noqa: S308 - written again, tag by tag


class _Still(HTMLParser):
    """Writes markup again as it was, but for what would act."""

    def __init__(self, address: Address) -> None:
        super().__init__(convert_charrefs=False)
        self.address = address
        self.parts: list[str] = []
        self.silent = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.silent = True
        if tag in _ACTING:
            return
        text = self.get_starttag_text() or ""
        kept = [pair for pair in attrs if _harmless(tag, pair[0])]
        if len(kept) == len(attrs) and tag != "button":
            self.parts.append(text)
            return
        kept += _stand_in(tag, dict(attrs), self.address)
        said = (name if v is None else f'{name}="{escape(v)}"' for name, v in kept)
        end = "/>" if text.endswith("/>") else ">"
        self.parts.append(f"<{' '.join((tag, *said))}{end}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self.silent = False
        if tag not in _ACTING:
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            # What looks like a tag here was none, and must not become one.
            self.parts.append(data.replace("<", "&lt;"))

    def handle_entityref(self, name: str) -> None:
        self.parts.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.parts.append(f"&#{name};")


def _harmless(tag: str, name: str) -> bool:
    sends = tag == "button" and name == "type"
    return not sends and name not in _LEADING and not name.startswith("on")


def _stand_in(
    tag: str, attrs: Mapping[str, str | None], address: Address
) -> list[tuple[str, str | None]]:
    """What an element gets for what was taken from it, so that it looks the same."""
    if tag == "button":
        return [("type", "button")]
    if tag == "a" and attrs.get("href"):
        # Without an address it would not look like a link; its title says where it led.
        return [("href", "#kept"), ("title", attrs["href"])]
    picture = address(attrs.get("src") or "") if tag == "img" else None
    return [("src", picture)] if picture else []
