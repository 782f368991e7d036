"""Which addresses can have a place: public unicast ones, out of their IPv6 wrapping."""

from bisect import bisect_right
from collections.abc import Iterable
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from typing import Final

type Address = IPv4Address | IPv6Address

_LONGEST_ADDRESS: Final = 45
"""Characters in the longest IPv6 text form; anything longer is no address."""

# IANA IPv4 and IPv6 Special-Purpose Address Registries and multicast: no visitor of a
# public site has one of these, whatever a database says about documentation ranges.
# An own table, because ipaddress.is_global differs between Python releases and calls
# multicast global.
_NOT_PUBLIC_IPV4: Final = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
)
_NOT_PUBLIC_IPV6: Final = (
    "::/3",
    "2001::/23",  # Teredo, ORCHID, benchmarking: no visitor's own prefix
    "2001:db8::/32",
    "2002::/16",  # 6to4, when its inner address is not public
    "3fff::/20",
    "4000::/2",
    "8000::/1",
)
_NAT64: Final = int(IPv6Address("64:ff9b::"))
"""RFC 6052: the well-known prefix in front of an IPv4 address, 96 bits long."""


def visitor_address(address: object) -> Address | None:
    """Return the public address that can be looked up, or None.

    IPv4 inside IPv6 (mapped, 6to4, NAT64) is unwrapped: the same visitor gets the same
    answer whichever way the address was written. Garbage is None, never an error.
    """
    parsed = _parsed(address)
    if parsed is None:
        return None
    inner = _without_wrapping(parsed)
    return inner if _is_public(inner) else None


def _parsed(address: object) -> Address | None:
    if isinstance(address, IPv4Address | IPv6Address):
        return address
    if not isinstance(address, str) or len(address) > _LONGEST_ADDRESS:
        return None
    try:
        return ip_address(address)
    except (AddressValueError, ValueError):
        return None


def _without_wrapping(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    number = int(address)
    if number >> 32 == _NAT64 >> 32:
        return IPv4Address(number & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _edges(networks: Iterable[IPv4Network | IPv6Network]) -> list[int]:
    """Return the first and the one-past-last address of each network, in order."""
    ranges = sorted(
        (int(network.network_address), int(network.broadcast_address) + 1)
        for network in networks
    )
    return [edge for start_and_end in ranges for edge in start_and_end]


_IPV4_EDGES: Final = _edges(map(IPv4Network, _NOT_PUBLIC_IPV4))
_IPV6_EDGES: Final = _edges(map(IPv6Network, _NOT_PUBLIC_IPV6))


def _is_public(address: Address) -> bool:
    edges = _IPV4_EDGES if isinstance(address, IPv4Address) else _IPV6_EDGES
    # An even position lies before, between or after the ranges, an odd one inside.
    return bisect_right(edges, int(address)) % 2 == 0 and not _has_zone(address)


def _has_zone(address: Address) -> bool:
    """Tell whether the address is bound to one link, as in `fe80::1%eth0`."""
    return isinstance(address, IPv6Address) and address.scope_id is not None
