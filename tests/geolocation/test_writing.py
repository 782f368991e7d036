"""The writer of MaxMind DB files, read back by other people's readers."""

from ipaddress import IPv6Network, ip_network
from pathlib import Path

import maxminddb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maxminddb import MODE_MEMORY
from maxminddb.reader import Reader as PureReader

from consent.geolocation.mmdb_writer import (
    NOTHING,
    Description,
    Tree,
    TreeTooLargeError,
    Value,
    _record_bits,
    database_bytes,
    joined_node,
    split_node,
    tree_of,
)
from tests.geolocation.databases import JUNE, MakeDatabase, database, in_country

TEXTS = ["", "x", "é" * 14, "y" * 28, "y" * 29, "y" * 284, "y" * 285, "y" * 66_000]


def read(path: Path, address: str) -> object:
    """Look up with both readers, which share no code."""
    with maxminddb.open_database(str(path)) as fast:
        found = fast.get(address)
    with PureReader(str(path), MODE_MEMORY) as pure:
        assert pure.get(address) == found
    return found


@pytest.mark.parametrize(
    "value",
    [
        *TEXTS,
        0,
        1,
        255,
        256,
        2**32 - 1,
        True,
        False,
        [],
        ["a", 1, True],
        list(range(300)),
        {},
        {"a": {"b": ["c", {"d": 7}]}},
    ],
)
def test_every_kind_of_value_is_read_back(
    make_database: MakeDatabase, value: Value
) -> None:
    path = make_database({"1.0.0.0/8": {"value": value}})
    assert read(path, "1.2.3.4") == {"value": value}


def test_numbers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        database({"1.0.0.0/8": 2**32})


def test_networks_answer_within_their_borders_only(make_database: MakeDatabase) -> None:
    path = make_database({"82.64.0.0/14": "inside", "2003::/19": "six"})
    assert read(path, "82.63.255.255") is None
    assert read(path, "82.64.0.0") == "inside"
    assert read(path, "82.67.255.255") == "inside"
    assert read(path, "82.68.0.0") is None
    assert read(path, "2003:1fff::1") == "six"
    assert read(path, "2003:2000::1") is None


def test_later_networks_lie_on_top_of_earlier_ones(make_database: MakeDatabase) -> None:
    path = make_database({"82.0.0.0/8": "wide", "82.64.0.0/16": "narrow"})
    assert read(path, "82.64.1.1") == "narrow"
    assert read(path, "82.65.1.1") == "wide"


def test_an_empty_database_opens_and_answers_nothing(
    make_database: MakeDatabase,
) -> None:
    assert read(make_database({}), "82.64.0.1") is None


def test_metadata_are_what_was_said(make_database: MakeDatabase) -> None:
    with maxminddb.open_database(str(make_database({}))) as reader:
        metadata = reader.metadata()
    assert metadata.database_type == "Made-City"
    assert metadata.build_epoch == int(JUNE.timestamp())
    assert metadata.description == {"en": "Made"}
    assert (metadata.ip_version, metadata.record_size) == (6, 24)


def test_equal_branches_are_stored_once() -> None:
    halves = {f"{n}.0.0.0/9": in_country("FR") for n in range(64, 128)}
    tree, root = tree_of((ip_network(net), value) for net, value in halves.items())
    nodes, _ = tree.numbered(root)
    assert len(nodes) < 96 + 16


def test_the_same_networks_in_any_order_give_the_same_answers_and_bytes() -> None:
    networks = {"82.0.0.0/8": "a", "83.0.0.0/8": "b", "2003::/19": "a"}
    backwards = dict(reversed(networks.items()))
    assert database(networks) == database(dict(networks))
    assert len(database(networks)) == len(database(backwards))


@given(st.sampled_from([24, 28, 32]), st.data())
def test_nodes_of_every_width_come_apart_as_they_were_joined(
    bits: int, data: st.DataObject
) -> None:
    field = st.integers(0, 2**bits - 1)
    zero, one = data.draw(field), data.draw(field)
    node = joined_node(zero, one, bits)
    assert node < 2 ** (2 * bits)
    assert split_node(node, bits) == (zero, one)


@pytest.mark.parametrize(("records", "bits"), [(1, 24), (300_000, 28)])
def test_wider_nodes_are_taken_when_the_data_need_them(
    tmp_path: Path, records: int, bits: int
) -> None:
    tree = Tree()
    filler = [tree.record("x" * 60 + str(number)) for number in range(records)]
    root = tree.graft(NOTHING, IPv6Network("2003::/19"), filler[-1])
    about = Description(database_type="Made-City", text="Made", built=JUNE)
    path = tmp_path / "wide.mmdb"
    path.write_bytes(database_bytes(tree, root, about))
    with maxminddb.open_database(str(path)) as reader:
        assert reader.metadata().record_size == bits
    assert read(path, "2003::1") == "x" * 60 + str(records - 1)


def test_a_tree_that_is_too_large_is_refused() -> None:
    assert _record_bits(2**28) == 32
    with pytest.raises(TreeTooLargeError):
        _record_bits(2**32)
