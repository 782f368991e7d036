"""Hashes, roots and proofs against the published Certificate Transparency vectors, and
against another implementation.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales.reader import TilesReader
from tlog_scales.tiles import level_entries
from tlog_scales.tlog import ConsistencyProof, InclusionProof

from consent.core.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
    subtree_root,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from tests.core.trees import HASHES, MOST, OURS, proved_growths, proved_leaves, subtree

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION_PROOFS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY_PROOFS = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
PUBLISHED = subtree([leaf_hash(leaf) for leaf in LEAVES])


class OtherReader(TilesReader):
    """Another implementation's reader, over tiles cut straight from the leaf hashes."""

    def __init__(self, size):
        super().__init__(self)
        self.set_size(size)

    def get(self, _, level, name, width=256):
        level, index, width = int(level), int(name.removesuffix(".p")), int(width)
        assert index * 256 + width <= level_entries(self.size, level)
        first = index * 256
        return b"".join(OURS(8 * level, at) for at in range(first, first + width))


@pytest.mark.parametrize("size", range(len(LEAVES) + 1))
def test_the_root_of_a_tree_is_the_published_one(size):
    assert root([leaf_hash(leaf) for leaf in LEAVES[:size]]).hex() == ROOTS[size]


@pytest.mark.parametrize("size", range(len(LEAVES) + 1))
def test_the_root_made_of_subtrees_is_the_published_one(size):
    assert tree_root(size=size, node=PUBLISHED).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION_PROOFS)
def test_an_inclusion_proof_is_the_published_one(index, size):
    proof = inclusion_proof(index=index, size=size, node=PUBLISHED)
    assert [item.hex() for item in proof] == INCLUSION_PROOFS[index, size]


@pytest.mark.parametrize(("index", "size"), INCLUSION_PROOFS)
def test_a_published_inclusion_proof_is_believed(index, size):
    assert verify_inclusion(
        index=index,
        size=size,
        leaf=leaf_hash(LEAVES[index]),
        proof=[bytes.fromhex(item) for item in INCLUSION_PROOFS[index, size]],
        root=bytes.fromhex(ROOTS[size]),
    )


@pytest.mark.parametrize(("old_size", "size"), CONSISTENCY_PROOFS)
def test_a_consistency_proof_is_the_published_one(old_size, size):
    proof = consistency_proof(old_size=old_size, size=size, node=PUBLISHED)
    assert [item.hex() for item in proof] == CONSISTENCY_PROOFS[old_size, size]


@pytest.mark.parametrize(("old_size", "size"), CONSISTENCY_PROOFS)
def test_a_published_consistency_proof_is_believed(old_size, size):
    assert verify_consistency(
        old_size=old_size,
        size=size,
        old_root=bytes.fromhex(ROOTS[old_size]),
        root=bytes.fromhex(ROOTS[size]),
        proof=[bytes.fromhex(item) for item in CONSISTENCY_PROOFS[old_size, size]],
    )


@given(st.integers(1, MOST))
def test_another_implementation_computes_the_same_root(size):
    assert tree_root(size=size, node=OURS) == OtherReader(size).calculate_root_hash()


@given(proved_leaves())
def test_another_implementation_makes_and_believes_the_same_inclusion_proof(proved):
    index, size, proof = proved
    assert proof == OtherReader(size).get_inclusion_proof(index, size).node_hashes
    InclusionProof(index, size, proof).check(HASHES[index], root(HASHES[:size]))


@given(proved_growths())
def test_another_implementation_makes_and_believes_the_same_consistency_proof(proved):
    old_size, size, proof = proved
    assert proof == OtherReader(size).get_consistency_proof(old_size, size).node_hashes
    ConsistencyProof(old_size, size, proof).check(
        root(HASHES[:old_size]), root(HASHES[:size])
    )


@given(st.integers(0, MOST), st.integers(0, MOST))
def test_any_run_of_leaves_has_its_root(one, other):
    first, last = sorted([one, other])
    found = subtree_root(first=first, last=last, node=OURS)
    assert found == root(HASHES[first:last])


@pytest.mark.parametrize(("first", "last"), [(2, 1), (-1, 1)])
def test_a_run_of_leaves_goes_forward_from_the_first(first, last):
    with pytest.raises(ValueError, match="no leaves"):
        subtree_root(first=first, last=last, node=OURS)


@given(st.integers(2**40, 2**41 - 1), st.data())
def test_a_proof_in_a_large_tree_asks_for_few_subtrees(size, draw):
    asked = []

    def node(height, index):
        asked.append((height, index))
        return bytes(32)

    inclusion_proof(index=draw.draw(st.integers(0, size - 1)), size=size, node=node)
    consistency_proof(old_size=draw.draw(st.integers(1, size)), size=size, node=node)
    assert len(asked) <= 2 * 2 * 41
    assert all((index + 1) << height <= size for height, index in asked)
