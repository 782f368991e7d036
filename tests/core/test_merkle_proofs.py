"""What proofs prove in trees of any size, and what is refused as no proof."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from consent.core.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from tests.core.trees import HASHES, MOST, OURS, proved_growths, proved_leaves, subtree

FEW = 40


def is_in(index, size, proof, /, **changes):
    values = {"leaf": HASHES[index], "root": root(HASHES[:size])} | changes
    told = {"index": index, "size": size, "proof": proof}
    return verify_inclusion(**told | values)


def grew(old_size, size, proof, /, **changes):
    values = {"old_root": root(HASHES[:old_size]), "root": root(HASHES[:size])}
    told = {"old_size": old_size, "size": size, "proof": proof}
    return verify_consistency(**told | values | changes)


def spoilt(draw, proof):
    """A proof with one bit turned over, a hash left out, or a hash too many."""
    at = draw.draw(st.integers(0, len(proof) - 1))
    bit = draw.draw(st.integers(0, 255))
    turned = (int.from_bytes(proof[at]) ^ 1 << bit).to_bytes(32)
    return [
        [*proof[:at], turned, *proof[at + 1 :]],
        [*proof[:at], *proof[at + 1 :]],
        [*proof[:at], HASHES[bit], *proof[at:]],
        [*proof, HASHES[bit]],
    ]


@pytest.mark.parametrize("size", range(1, FEW))
def test_a_leaf_is_proved_in_a_tree_of_any_size(size):
    for index in range(size):
        proof = inclusion_proof(index=index, size=size, node=OURS)
        assert is_in(index, size, proof)


@pytest.mark.parametrize("size", range(FEW))
def test_a_tree_is_proved_to_have_grown_from_any_size(size):
    for old_size in range(size + 1):
        proof = consistency_proof(old_size=old_size, size=size, node=OURS)
        assert grew(old_size, size, proof)


@given(proved_leaves(), st.data())
def test_a_spoilt_inclusion_proof_is_refused(proved, draw):
    index, size, proof = proved
    for bad in spoilt(draw, proof):
        assert not is_in(index, size, bad)


@given(proved_leaves(), st.integers(0, MOST - 1))
def test_a_proof_proves_no_other_leaf_place_or_root(proved, other):
    index, size, proof = proved
    assume(other != index)
    assert not is_in(index, size, proof, leaf=HASHES[other])
    assert not is_in(index, size, proof, index=other)
    assert not is_in(index, size, proof, root=HASHES[other])


@given(proved_growths(), st.data())
def test_a_spoilt_consistency_proof_is_refused(proved, draw):
    old_size, size, proof = proved
    for bad in spoilt(draw, proof):
        assert not grew(old_size, size, bad)


@given(proved_growths(), st.data())
def test_a_tree_with_another_past_is_not_consistent(proved, draw):
    old_size, size, _ = proved
    changed = draw.draw(st.integers(0, old_size - 1))
    other = [*HASHES[:changed], leaf_hash(b"another"), *HASHES[changed + 1 : size]]
    proof = consistency_proof(old_size=old_size, size=size, node=subtree(other))
    assert not grew(old_size, size, proof, root=root(other))
    assert grew(
        old_size, size, proof, old_root=root(other[:old_size]), root=root(other)
    )


@pytest.mark.parametrize(
    ("old_size", "size"), [(3, 2), (2, 1), (4, 3), (-1, 2), (1, 0)]
)
def test_no_tree_has_grown_from_a_larger_one_or_from_less_than_nothing(old_size, size):
    assert not grew(old_size, size, [], old_root=EMPTY_ROOT, root=EMPTY_ROOT)
    assert not grew(old_size, size, HASHES[:1], old_root=HASHES[0], root=HASHES[0])


def test_every_tree_has_grown_from_the_empty_one_and_only_from_that():
    assert grew(0, 5, [])
    assert not grew(0, 5, [], old_root=HASHES[0])
    assert not grew(0, 5, HASHES[:1])
    assert not grew(0, 0, [], old_root=HASHES[0], root=HASHES[0])


def test_a_tree_of_the_same_size_is_the_same_tree():
    assert grew(5, 5, [])
    assert not grew(5, 5, [], root=HASHES[0])
    assert not grew(5, 5, HASHES[:1])


def test_growth_without_a_proof_is_not_believed():
    assert not grew(4, 5, [])
    assert not grew(3, 5, [])


@pytest.mark.parametrize(("index", "size"), [(2, 2), (-1, 2), (0, 0)])
def test_a_leaf_outside_the_tree_has_no_proof(index, size):
    with pytest.raises(ValueError, match="has no leaf"):
        inclusion_proof(index=index, size=size, node=OURS)
    assert not is_in(0, 1, [], index=index, size=size)


@pytest.mark.parametrize(("old_size", "size"), [(3, 2), (-1, 2)])
def test_a_tree_that_did_not_grow_has_no_consistency_proof(old_size, size):
    with pytest.raises(ValueError, match="did not grow"):
        consistency_proof(old_size=old_size, size=size, node=OURS)


def test_bytes_moved_from_a_leaf_to_its_neighbour_prove_nothing():
    leaf, sibling = HASHES[:2]
    assert is_in(0, 2, [sibling])
    assert not is_in(0, 2, [leaf[-1:] + sibling], leaf=leaf[:-1])


def test_bytes_moved_from_an_old_root_to_its_neighbour_prove_nothing():
    old_root, sibling = HASHES[:2]
    assert grew(1, 2, [sibling])
    assert not grew(1, 2, [old_root[-1:] + sibling], old_root=old_root[:-1])


def test_a_leaf_is_not_proved_in_a_tree_of_another_height():
    proof = inclusion_proof(index=5, size=8, node=OURS)
    leaf, above = HASHES[5], root(HASHES[:8])
    assert not is_in(1, 2, proof, leaf=leaf, root=above)
    assert not is_in(5, 6, proof, leaf=leaf, root=above)
    assert not is_in(5, 16, proof, leaf=leaf, root=above)
    assert not is_in(0, 1, HASHES[:1], leaf=HASHES[1], root=root(HASHES[:2]))


@pytest.mark.parametrize(
    ("proved", "claimed"), [((7, 8), (3, 4)), ((3, 4), (7, 8)), ((3, 4), (15, 16))]
)
def test_growth_is_not_proved_between_trees_of_another_height(proved, claimed):
    old_size, size = proved
    proof = consistency_proof(old_size=old_size, size=size, node=OURS)
    roots = {"old_root": root(HASHES[:old_size]), "root": root(HASHES[:size])}
    assert grew(old_size, size, proof)
    assert not grew(*claimed, proof, **roots)
