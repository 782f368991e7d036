"""Which site a request is for: its host's, else the one that a listed origin names."""

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest

from consent import publication
from consent.publication import Published


class UnknownSiteError(LookupError):
    """The request's host belongs to no site; nothing of another site is shown."""


def site_of(request: HttpRequest) -> Published | None:
    """The site of a request (docs/api.md): its host's, else the one it names.

    A site may be named by `?site=` only together with an Origin on that site's list.
    """
    found = own_site(request)
    if found is not None:
        return found
    named = publication.by_slug(request.GET.get("site", ""))
    origin = request.headers.get("Origin")
    return named if named and origin in named.site.allowed_origins else None


def own_site(request: HttpRequest) -> Published | None:
    """The site that the request's host belongs to."""
    try:
        host = request.get_host()
    except DisallowedHost:
        return None
    return publication.by_host(_without_port(host))


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
