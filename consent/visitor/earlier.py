"""What the cookie of an earlier tool says, where a site declared one.

The browser still sends it after the site has moved here. It is read on the server, from
the request alone, and nothing is written (docs/import.md).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest

from consent.core.imports import Declared, Earlier, declared, read
from consent.visitor.cookies import values_sent


class Found(NamedTuple):
    """An earlier tool's cookie: what was declared of it, and what it says.

    `earlier` is None for a cookie that cannot be read: somebody answered, and nobody
    knows what.
    """

    of: Declared
    earlier: Earlier | None


def read_earlier(request: HttpRequest, *, site: str) -> tuple[Found, ...]:
    """Every earlier tool's cookie that the browser sent, as declared for this site."""
    return tuple(
        Found(of, _read(request, of))
        for of in declarations(site)
        if of.cookie in request.COOKIES
    )


def declarations(site: str) -> tuple[Declared, ...]:
    """What is declared for a site; system checks refuse what cannot be understood."""
    entries = settings.CONSENT_IMPORT_COOKIES
    if not entries:
        return ()
    return tuple(of for of in _understood(entries) if of.site in {None, site})


def _understood(entries: Sequence[Mapping[str, Any]]) -> Iterator[Declared]:
    for entry in entries:
        try:
            yield declared(entry)
        except ValueError:
            continue


def _read(request: HttpRequest, of: Declared) -> Earlier | None:
    """The cookie; one that was sent twice could be read as a yes or a no."""
    if len(values_sent(request, of.cookie)) > 1:
        return None
    try:
        return read(of.tool, request.COOKIES[of.cookie])
    except ValueError:
        return None
