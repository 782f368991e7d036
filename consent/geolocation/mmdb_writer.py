"""Write MaxMind DB files (format 2.0) with nothing but the standard library.

The format is a binary search tree over the bits of an address, then a section of
records, then metadata: https://maxmind.github.io/MaxMind-DB/. A `Tree` is built from
the leaves up. Equal branches are stored once, so the order of the calls does not matter
to what a lookup answers, and the same tree always gives the same bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from typing import Final

type Value = str | int | bool | Mapping[str, "Value"] | Sequence["Value"]
type Network = IPv4Network | IPv6Network

NOTHING: Final = 0
"""The branch that holds no record."""

_STRING, _UINT16, _UINT32, _MAP, _UINT64, _ARRAY, _BOOLEAN = 2, 5, 6, 7, 9, 11, 14
_EXTENDED_FROM: Final = 8
_LONG_FROM: Final = 29
_UINT_MAX: Final = {_UINT16: 2**16, _UINT32: 2**32, _UINT64: 2**64}
_SEPARATOR: Final = bytes(16)
_MARKER: Final = b"\xab\xcd\xefMaxMind.com"
_SPLIT_BITS: Final = 28
_RECORD_BITS: Final = (24, _SPLIT_BITS, 32)


class TreeTooLargeError(ValueError):
    """The tree and its records do not fit into 32-bit pointers."""


class Tree:
    """A search tree over 128-bit addresses, IPv4 at `::/96`.

    A branch is an integer: `NOTHING`, a record (below zero) or a node (above zero).
    """

    def __init__(self) -> None:
        self._nodes: list[tuple[int, int]] = [(NOTHING, NOTHING)]
        self._known: dict[tuple[int, int], int] = {}
        self.records: list[Value] = []
        self._record_of: dict[str, int] = {}

    def record(self, value: Value) -> int:
        """Return the branch that answers `value` for every address below it."""
        key = repr(value)
        if key not in self._record_of:
            self.records.append(value)
            self._record_of[key] = -len(self.records)
        return self._record_of[key]

    def join(self, zero: int, one: int) -> int:
        """Return the branch with `zero` and `one` below its next address bit."""
        if zero == one and zero <= NOTHING:
            return zero
        key = (zero, one)
        if key not in self._known:
            self._nodes.append(key)
            self._known[key] = len(self._nodes) - 1
        return self._known[key]

    def halves(self, branch: int) -> tuple[int, int]:
        """Return what lies below each value of the next bit."""
        return self._nodes[branch] if branch > NOTHING else (branch, branch)

    def at(self, root: int, network: IPv6Network) -> int:
        """Return the branch that holds exactly `network`."""
        for bit in _bits(network):
            root = self.halves(root)[bit]
        return root

    def graft(self, root: int, network: Network, branch: int) -> int:
        """Return `root` with `branch` in place of whatever `network` held."""
        return self._graft(root, _bits(_as_ipv6(network)), branch)

    def _graft(self, root: int, path: Sequence[int], branch: int) -> int:
        if not path:
            return branch
        zero, one = self.halves(root)
        if path[0]:
            return self.join(zero, self._graft(one, path[1:], branch))
        return self.join(self._graft(zero, path[1:], branch), one)

    def numbered(self, root: int) -> tuple[list[tuple[int, int]], dict[int, int]]:
        """Return the nodes in the order they are written, and each one's number."""
        number: dict[int, int] = {}
        order: list[tuple[int, int]] = []
        waiting = [root]
        while waiting:
            branch = waiting.pop()
            if branch in number or (branch <= NOTHING and branch != root):
                continue
            number[branch] = len(order)
            order.append(self.halves(branch))
            waiting.extend(reversed(order[-1]))
        return order, number


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What the metadata says: type, text in English, and the date of the data."""

    database_type: str
    text: str
    built: datetime


def tree_of(entries: Iterable[tuple[Network, Value]]) -> tuple[Tree, int]:
    """Return a tree and its root with one record a network, later ones on top."""
    tree, root = Tree(), NOTHING
    for network, value in entries:
        root = tree.graft(root, network, tree.record(value))
    return tree, root


def database_bytes(tree: Tree, root: int, description: Description) -> bytes:
    """Return the whole file.

    Raises `TreeTooLargeError` when 32-bit pointers are not enough.
    """
    nodes, number = tree.numbered(root)
    section, offsets = _records_section(tree.records)
    pointers = _pointers(nodes, number, offsets)
    bits = _record_bits(len(nodes) + len(_SEPARATOR) + len(section))
    return b"".join(
        (
            _search_tree(pointers, bits),
            _SEPARATOR,
            section,
            _MARKER,
            _metadata(description, node_count=len(nodes), bits=bits),
        )
    )


def _as_ipv6(network: Network) -> IPv6Network:
    if isinstance(network, IPv6Network):
        return network
    return IPv6Network((int(network.network_address), network.prefixlen + 96))


def _bits(network: IPv6Network) -> list[int]:
    start = int(network.network_address)
    return [start >> (127 - depth) & 1 for depth in range(network.prefixlen)]


def _records_section(records: Sequence[Value]) -> tuple[bytes, list[int]]:
    section = bytearray()
    offsets = []
    for value in records:
        offsets.append(len(section))
        section += _encoded(value)
    return bytes(section), offsets


def _pointers(
    nodes: Sequence[tuple[int, int]], number: Mapping[int, int], offsets: Sequence[int]
) -> Iterable[tuple[int, int]]:
    """Yield both record fields of each node: a node, nothing, or a data pointer."""
    count = len(nodes)

    @cache
    def pointer(branch: int) -> int:
        if branch > NOTHING:
            return number[branch]
        if branch == NOTHING:
            return count
        return count + len(_SEPARATOR) + offsets[-branch - 1]

    return ((pointer(zero), pointer(one)) for zero, one in nodes)


def _record_bits(highest: int) -> int:
    for bits in _RECORD_BITS:
        if highest < 2**bits:
            return bits
    raise TreeTooLargeError("The geo database is too large for the MaxMind DB format.")


def _search_tree(pointers: Iterable[tuple[int, int]], bits: int) -> bytes:
    width = bits // 4
    return b"".join(
        joined_node(zero, one, bits).to_bytes(width) for zero, one in pointers
    )


def joined_node(zero: int, one: int, bits: int) -> int:
    """Return a node of two records of so many bits, as a number.

    With 28 bits the middle byte holds the top four bits of both.
    """
    if bits == _SPLIT_BITS:
        top = (zero >> 24) << 28 | (one >> 24) << 24
        return (zero & 0xFFFFFF) << 32 | top | one & 0xFFFFFF
    return zero << bits | one


def split_node(node: int, bits: int) -> tuple[int, int]:
    """Return the two records of a node."""
    if bits == _SPLIT_BITS:
        zero = (node >> 28 & 0xF) << 24 | node >> 32
        return zero, (node >> 24 & 0xF) << 24 | node & 0xFFFFFF
    return node >> bits, node & (1 << bits) - 1


def _metadata(description: Description, *, node_count: int, bits: int) -> bytes:
    fields = (
        ("binary_format_major_version", _encoded_int(2, _UINT16)),
        ("binary_format_minor_version", _encoded_int(0, _UINT16)),
        ("build_epoch", _encoded_int(int(description.built.timestamp()), _UINT64)),
        ("database_type", _encoded(description.database_type)),
        ("description", _encoded({"en": description.text})),
        ("ip_version", _encoded_int(6, _UINT16)),
        ("languages", _encoded([])),
        ("node_count", _encoded_int(node_count, _UINT32)),
        ("record_size", _encoded_int(bits, _UINT16)),
    )
    body = b"".join(_encoded(name) + value for name, value in fields)
    return _control(_MAP, len(fields)) + body


def _encoded(value: Value) -> bytes:
    if isinstance(value, str):
        text = value.encode()
        return _control(_STRING, len(text)) + text
    if isinstance(value, bool):
        return _control(_BOOLEAN, int(value))
    if isinstance(value, int):
        return _encoded_int(value, _UINT32)
    if isinstance(value, Mapping):
        pairs = (_encoded(key) + _encoded(item) for key, item in value.items())
        return _control(_MAP, len(value)) + b"".join(pairs)
    return _control(_ARRAY, len(value)) + b"".join(_encoded(item) for item in value)


def _encoded_int(value: int, kind: int) -> bytes:
    if not 0 <= value < _UINT_MAX[kind]:
        raise ValueError(f"{value} does not fit into the field.")
    digits = value.to_bytes((value.bit_length() + 7) // 8)
    return _control(kind, len(digits)) + digits


def _control(kind: int, size: int) -> bytes:
    """Return the byte or bytes in front of a value: its type and its length."""
    extension = bytes([kind - 7]) if kind >= _EXTENDED_FROM else b""
    first = 0 if extension else kind << 5
    if size < _LONG_FROM:
        return bytes([first | size]) + extension
    rest = size - _LONG_FROM
    for width in (1, 2):
        if rest < 2 ** (8 * width):
            return bytes([first | 28 + width]) + extension + rest.to_bytes(width)
        rest -= 2 ** (8 * width)
    return bytes([first | 31]) + extension + rest.to_bytes(3)
