"""The client's address, found through trusted proxies only, from right to left.

A forwarding header is a list that every hop appends to; its left end is whatever the
client wrote. Walking from the right, each address that is a trusted proxy vouches for
the one before it; the first that is not trusted is the client (RFC 7239 section 8.1).
Anything that cannot be read on the way makes the client unknown, and so does a walk
that ends at a trusted proxy: where the proxy stands says nothing of where its visitors
are.
"""

from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from django.conf import settings
from django.http import HttpRequest

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network


def client_address(request: HttpRequest) -> Address | None:
    """The address the request came from, or None where that cannot be told."""
    peer = _address(request.META.get("REMOTE_ADDR", ""))
    if peer is None or not _is_trusted(peer):
        return peer
    for hop in reversed(_forwarded(request)):
        address = _address(hop)
        if address is None or not _is_trusted(address):
            return address
    return None


def from_trusted_proxy(request: HttpRequest) -> bool:
    """Whether the request was handed on by a proxy of `TRUSTED_PROXIES`."""
    peer = _address(request.META.get("REMOTE_ADDR", ""))
    return peer is not None and _is_trusted(peer)


def networks(words: tuple[str, ...]) -> tuple[Network, ...]:
    """Addresses and CIDR blocks as networks; ValueError names the first wrong one."""
    return tuple(ip_network(word, strict=False) for word in words)


@lru_cache(maxsize=8)
def _trusted(words: tuple[str, ...]) -> tuple[Network, ...]:
    try:
        return networks(words)
    except ValueError:
        return ()  # a system check refuses this; until then nobody is trusted


def _is_trusted(address: Address) -> bool:
    return any(address in net for net in _trusted(tuple(settings.TRUSTED_PROXIES)))


def _forwarded(request: HttpRequest) -> list[str]:
    """The hops of the one header that is read, leftmost (least believed) first."""
    header = request.headers.get(settings.TRUSTED_PROXY_HEADER, "")
    hops = [hop.strip() for hop in header.split(",")] if header.strip() else []
    if settings.TRUSTED_PROXY_HEADER.lower() != "forwarded":
        return hops
    return [_for_parameter(hop) for hop in hops]


def _for_parameter(element: str) -> str:
    """The node of `for=` in one element of `Forwarded` (RFC 7239 section 6)."""
    for pair in element.split(";"):
        name, _, value = pair.strip().partition("=")
        if name.lower() == "for":
            return value.strip().strip('"')
    return ""


def _address(text: str) -> Address | None:
    """An address, with an optional port or brackets; None for anything else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
