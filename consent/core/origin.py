"""Where a write may come from (docs/api.md): the first line that applies decides.

A grant must prove that it comes from the site's own pages; a refusal is believed more
easily, because it can only protect. `Sec-Fetch-Site` and `Origin` are set by browsers
and cannot be set by scripts (Fetch Metadata, RFC 6454).
"""

from collections.abc import Callable
from enum import StrEnum
from urllib.parse import urlsplit


class Trust(StrEnum):
    """How far a write is believed."""

    FULL = "full"
    REFUSE_ONLY = "refuse_only"
    NONE = "none"


def trust(
    *,
    own: str,
    allowed: frozenset[str],
    fetch_site: str | None,
    origin: str | None,
    referer: str | None,
    token_valid: Callable[[], bool],
) -> Trust:
    """Say how far a write is believed.

    `own` is the request's own origin (`https://example.org`), `allowed` the origins on
    the site's list, the others are request headers or None. `token_valid` says whether
    the form token came from one of the site's own pages; it is asked last.
    """
    if fetch_site == "same-origin":
        return Trust.FULL
    if origin is not None and origin != "null":
        known = same_origin(origin, own) or origin in allowed
        return Trust.FULL if known else Trust.NONE
    if fetch_site in {"same-site", "cross-site", "none"}:
        return Trust.NONE
    if (referer is not None and same_origin(referer, own)) or token_valid():
        return Trust.FULL
    return Trust.REFUSE_ONLY


def same_origin(a: str, b: str) -> bool:
    """Whether two addresses share scheme, host and port; False for what is neither."""
    first = _origin(a)
    return first is not None and first == _origin(b)


def _origin(address: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    default = {"http": 80, "https": 443}.get(parts.scheme)
    if default is None or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or default
