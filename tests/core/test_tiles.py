"""Tiles: the same tree however it grew, and read back."""

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales.reader import TilesReader
from tlog_scales.tlog import ConsistencyProof, InclusionProof

from consent.core.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    tree_root,
)
from consent.core.tiles import (
    EMPTY_EDGE,
    Edge,
    nodes_from_tiles,
    tile_path,
    tile_root,
)

LARGEST = 70_000
LEAVES = [leaf_hash(number.to_bytes(3)) for number in range(LARGEST)]
# Around the sizes at which a tile of level 0, and the first of level 1, become full.
SIZES = [1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, LARGEST]


def grown(size):
    return EMPTY_EDGE.extended(LEAVES[:size])


def held(edge, full):
    """What a log keeps: the joined hashes of every tile, full or partial."""
    kept = {(tile.level, tile.index): tile.hashes for tile in full}
    for level, hashes in enumerate(edge.levels):
        if hashes:
            kept[level, edge.size >> 8 * (level + 1)] = hashes
    return kept


def nodes(kept):
    return nodes_from_tiles(lambda level, index: kept[level, index])


class Published:
    """A log as it is served: tiles under their paths, for another implementation."""

    def __init__(self, edge, full):
        self.tiles = {
            tile_path(level=level, index=index, width=len(hashes) // 32): hashes
            for (level, index), hashes in held(edge, full).items()
        }

    def get(self, *path):
        return self.tiles.get("/".join(path).removeprefix("tile/"))


@pytest.fixture(scope="module")
def direct():
    """Every complete subtree of the largest tree, pair by pair."""
    levels = [LEAVES]
    while len(levels[-1]) > 1:
        below = levels[-1]
        pairs = zip(below[::2], below[1::2], strict=False)
        levels.append([node_hash(left, right) for left, right in pairs])
    return lambda height, index: levels[height][index]


@given(st.lists(st.integers(0, 400), max_size=6))
def test_growing_in_any_steps_gives_the_same_tiles_and_the_same_edge(steps):
    edge, full = EMPTY_EDGE, []
    for first, last in pairwise(accumulate(steps, initial=0)):
        edge, completed = edge.extended(LEAVES[first:last])
        full += completed
    whole, tiles = grown(sum(steps))
    assert edge == whole
    assert held(edge, full) == held(whole, tiles)
    assert edge.root() == root(LEAVES[: edge.size])


@pytest.mark.parametrize("size", [0, *SIZES])
def test_the_edge_alone_gives_the_root_of_the_whole_tree(size):
    edge, _ = grown(size)
    assert edge.size == size
    assert edge.root() == root(LEAVES[:size])


def test_leaf_by_leaf_the_edge_gives_the_root_of_every_tree():
    edge = EMPTY_EDGE
    for size, leaf in enumerate(LEAVES[:520], start=1):
        edge, _ = edge.extended([leaf])
        assert edge.root() == root(LEAVES[:size])


def test_a_tree_has_the_tiles_of_the_specifications_example():
    edge, full = grown(70_000)
    levels = [tile.level for tile in full]
    assert (levels.count(0), levels.count(1), len(levels)) == (273, 1, 274)
    assert [len(hashes) // 32 for hashes in edge.levels] == [112, 17, 1]


def test_a_full_tile_stands_in_the_level_above_from_its_first_moment():
    edge, [tile] = grown(256)
    assert edge.levels == (b"", tile.root)


@pytest.mark.parametrize("start", [0, 100, 65_000])
def test_a_tile_holds_consecutive_hashes_and_their_root(start, direct):
    edge, _ = grown(start)
    _, completed = edge.extended(LEAVES[start:66_000])
    assert completed
    for tile in completed:
        own = [direct(8 * tile.level, 256 * tile.index + at) for at in range(256)]
        assert tile.hashes == b"".join(own)
        assert tile.root == tile_root(tile.hashes) == root(own)


@pytest.mark.parametrize("size", SIZES)
def test_tiles_give_the_same_subtrees_and_proofs_as_the_leaves(size, direct):
    node = nodes(held(*grown(size)))
    assert tree_root(size=size, node=node) == root(LEAVES[:size])
    for index in {0, 254, 255, 256, 65_535, 65_536, size - 1} & set(range(size)):
        ours = inclusion_proof(index=index, size=size, node=node)
        assert ours == inclusion_proof(index=index, size=size, node=direct)
    for old in {1, 255, 256, 257, 65_535, 65_536, size} & set(range(size + 1)):
        ours = consistency_proof(old_size=old, size=size, node=node)
        assert ours == consistency_proof(old_size=old, size=size, node=direct)


@pytest.mark.parametrize("size", SIZES)
def test_another_implementation_reads_the_tiles_and_makes_the_same_proofs(size):
    edge, full = grown(size)
    reader = TilesReader(Published(edge, full))
    reader.set_size(size)
    assert reader.calculate_root_hash() == edge.root()
    node = nodes(held(edge, full))
    for at in {1, size // 2, size - 1} - {0, size}:
        proof = inclusion_proof(index=at, size=size, node=node)
        assert reader.get_inclusion_proof(at, size).node_hashes == proof
        InclusionProof(at, size, proof).check(LEAVES[at], edge.root())
        proof = consistency_proof(old_size=at, size=size, node=node)
        assert reader.get_consistency_proof(at, size).node_hashes == proof
        ConsistencyProof(at, size, proof).check(root(LEAVES[:at]), edge.root())


def test_a_smaller_tree_is_proved_from_the_tiles_of_a_larger_one(direct):
    node = nodes(held(*grown(LARGEST)))
    assert tree_root(size=65_000, node=node) == root(LEAVES[:65_000])
    ours = consistency_proof(old_size=300, size=65_000, node=node)
    assert ours == consistency_proof(old_size=300, size=65_000, node=direct)


def test_a_tile_is_read_once_however_much_is_asked_of_it():
    kept = held(*grown(1000))
    read = []

    def reading(level, index):
        read.append((level, index))
        return kept[level, index]

    node = nodes_from_tiles(reading)
    for index in range(1000):
        inclusion_proof(index=index, size=1000, node=node)
    assert sorted(read) == sorted(kept)


def test_a_tile_that_is_not_there_is_the_readers_error():
    with pytest.raises(KeyError):
        nodes({})(0, 0)


@pytest.mark.parametrize(("height", "index"), [(0, 5), (1, 2), (3, 0), (0, 255)])
def test_a_tile_does_not_give_more_than_it_holds(height, index):
    node = nodes({(0, 0): b"".join(LEAVES[:5])})
    with pytest.raises(ValueError, match="does not reach"):
        node(height, index)


def test_a_tile_cut_off_within_a_hash_does_not_give_that_hash():
    node = nodes({(0, 0): b"".join(LEAVES[:2])[:-1]})
    assert node(0, 0) == LEAVES[0]
    with pytest.raises(ValueError, match="does not reach"):
        node(0, 1)


@pytest.mark.parametrize("count", [0, 255, 257])
def test_only_a_full_tile_has_a_root(count):
    with pytest.raises(ValueError, match="full tile"):
        tile_root(bytes(32 * count))


@pytest.mark.parametrize(
    ("size", "levels"),
    [
        (0, (b"",)),
        (1, ()),
        (1, (bytes(31),)),
        (1, (bytes(64),)),
        (1, (bytes(32), b"")),
        (256, (bytes(32 * 256),)),
        (256, (bytes(32),)),
        (-1, ()),
    ],
)
def test_an_edge_whose_levels_do_not_fit_its_size_is_refused(size, levels):
    with pytest.raises(ValueError, match="tree"):
        Edge(size, levels)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_leaf_hash_of_another_length_is_refused(length):
    with pytest.raises(ValueError, match="32 bytes"):
        EMPTY_EDGE.extended([LEAVES[0], bytes(length)])
