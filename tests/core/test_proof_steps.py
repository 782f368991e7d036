"""An inclusion proof step by step: it ends where the checkers of proofs end."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.core.merkle import inclusion_proof, leaf_hash, node_hash, root
from consent.core.proof_steps import proof_steps


def leaves(size):
    return [leaf_hash(str(number).encode()) for number in range(size)]


def proof_of(hashes, index):
    def node(height, place):
        first = place << height
        return root(hashes[first : first + (1 << height)])

    return inclusion_proof(index=index, size=len(hashes), node=node)


@given(
    st.integers(1, 80).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1)))
)
def test_the_steps_of_any_proof_end_at_the_root(case):
    size, index = case
    hashes = leaves(size)
    steps = proof_steps(
        index=index, size=size, leaf=hashes[index], proof=proof_of(hashes, index)
    )
    before = hashes[index]
    for step in steps:
        pair = (step.sibling, before) if step.from_left else (before, step.sibling)
        assert step.result == hashlib.sha256(b"\x01" + b"".join(pair)).digest()
        before = step.result
    assert before == root(hashes)


def test_a_step_says_on_which_side_its_hash_stands():
    hashes = leaves(3)
    pair = node_hash(hashes[0], hashes[1])
    (alone,) = proof_steps(index=2, size=3, leaf=hashes[2], proof=[pair])
    assert (alone.sibling, alone.from_left) == (pair, True)
    first, second = proof_steps(
        index=0, size=3, leaf=hashes[0], proof=[hashes[1], hashes[2]]
    )
    assert (first.from_left, second.from_left) == (False, False)


@pytest.mark.parametrize(("index", "size"), [(1, 1), (-1, 3), (0, 0)])
def test_there_are_no_steps_from_a_leaf_that_is_not_there(index, size):
    with pytest.raises(ValueError, match="has no leaf"):
        proof_steps(index=index, size=size, leaf=leaves(1)[0], proof=[])


def test_a_proof_that_goes_on_past_the_root_is_refused():
    hashes = leaves(2)
    with pytest.raises(ValueError, match="too many"):
        proof_steps(index=0, size=2, leaf=hashes[0], proof=[hashes[1]] * 2)
