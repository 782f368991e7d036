"""What dresses a notice: style sheets, scripts, pictures, by the hash of their bytes.

A file is read again only when it has changed on the disk, so that asking for the looks
of a page costs about a microsecond for each file.
"""

import hashlib
import posixpath
import re
from collections.abc import Iterator
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation

# What templates/base.html links. Notices work as plain forms too, without the script.
STYLES: Final = ("consent/consent.min.css", "consent/pages.css")
SCRIPTS: Final[tuple[str, ...]] = ("consent/consent.min.js",)

# Named here, because what a machine knows of file names differs.
_MEDIA_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".ico": "image/x-icon",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
}
_ANY_TYPE: Final = "application/octet-stream"

ADDRESS: Final = re.compile(r"""url\(\s*(["']?)(.*?)\1\s*\)""")


class Body(NamedTuple):
    """The bytes of a file that dressed a notice, and the name it was served under."""

    name: str
    media_type: str
    body: bytes


class Looks(NamedTuple):
    """The hashes of what dresses every notice of this process."""

    styles: tuple[str, ...]
    scripts: tuple[str, ...]


# What was read in this process, by hash: a handful of files, and their older states.
_bodies: dict[str, Body] = {}


def looks() -> Looks:
    """The hashes of the style sheets and scripts as they are now."""
    return Looks(
        styles=tuple(digest for name in STYLES if (digest := _hash_of(name))),
        scripts=tuple(digest for name in SCRIPTS if (digest := _hash_of(name))),
    )


def body_of(digest: str) -> Body:
    """The bytes of a hash that this process has named; KeyError for any other."""
    return _bodies[digest]


def served(name: str) -> tuple[Body, str]:
    """A static file as it is served now, and its hash; KeyError where there is none."""
    digest = _hash_of(name)
    if digest is None:
        raise KeyError(name)
    return body_of(digest), digest


def files(*, html: str, dressed: Looks) -> dict[str, str]:
    """The site's own pictures and fonts that a notice names: address as written → hash.

    What another site serves is not ours to keep, and is left out.
    """
    found = {address: _named(address) for address in _sources(html)}
    for sheet in map(body_of, dressed.styles):
        folder = posixpath.dirname(sheet.name)
        for _quote, address in ADDRESS.findall(sheet.body.decode(errors="replace")):
            found[address] = _named(address, folder=folder)
    return {address: digest for address, digest in sorted(found.items()) if digest}


def _named(address: str, *, folder: str | None = None) -> str | None:
    """The hash of the static file at an address; None for anything else.

    An address in a style sheet may begin from the `folder` of the sheet.
    """
    path = unquote(re.split("[?#]", address, maxsplit=1)[0])
    if path.startswith(settings.STATIC_URL):
        return _hash_of(path.removeprefix(settings.STATIC_URL))
    elsewhere = ":" in path or path.startswith("/")
    if folder is None or elsewhere or not path:
        return None
    return _hash_of(posixpath.normpath(posixpath.join(folder, path)))


def _sources(html: str) -> Iterator[str]:
    reader = _Sources(convert_charrefs=True)
    reader.feed(html)
    reader.close()
    yield from reader.found


class _Sources(HTMLParser):
    """The addresses of the pictures in some markup."""

    def __init__(self, *, convert_charrefs: bool) -> None:
        super().__init__(convert_charrefs=convert_charrefs)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.found += [value for name, value in attrs if name == "src" and value]


def _hash_of(name: str) -> str | None:
    """The hash of a static file by its name; None where there is no such file."""
    path = _path(name, debug=settings.DEBUG)
    if path is None:
        return None
    try:
        return _read(name, path, path.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=256)
def _path(name: str, *, debug: bool) -> Path | None:
    """Where the file lies that is served under a name.

    While developing that is the source; elsewhere it is what was collected, under the
    name that says its version.
    """
    places = (_source, _collected) if debug else (_collected, _source)
    return next((path for place in places if (path := place(name))), None)


def _source(name: str) -> Path | None:
    try:
        found = finders.find(name)
    except SuspiciousOperation:
        return None
    return Path(found) if isinstance(found, str) else None


def _collected(name: str) -> Path | None:
    for version in (_versioned(name), name):
        try:
            path = Path(staticfiles_storage.path(version))
        except (ImproperlyConfigured, NotImplementedError, SuspiciousOperation):
            return None
        if path.is_file():
            return path
    return None


def _versioned(name: str) -> str:
    """The name with the version in it, where collected files have one."""
    stored = getattr(staticfiles_storage, "stored_name", None)
    try:
        return stored(name) if stored else name
    except ValueError:
        return name


@lru_cache(maxsize=256)
def _read(name: str, path: Path, _changed: int) -> str:
    """Read a file and remember its bytes; the hash that names them."""
    body = path.read_bytes()
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    media_type = _MEDIA_TYPES.get(path.suffix.lower(), _ANY_TYPE)
    _bodies[digest] = Body(name, media_type, body)
    return digest


def forget() -> None:
    """Look for every file anew; what was read stays known by its hash."""
    _path.cache_clear()
    _read.cache_clear()
