"""Leaf hashes, and complete subtrees of them, for tests of the tree."""

from hypothesis import strategies as st

from consent.core.merkle import consistency_proof, inclusion_proof, leaf_hash, root

MOST = 600
HASHES = [leaf_hash(number.to_bytes(2)) for number in range(MOST)]


def subtree(hashes):
    """Complete subtrees of a tree, each computed anew from its leaves."""
    return lambda height, index: root(hashes[index << height : (index + 1) << height])


OURS = subtree(HASHES)


@st.composite
def proved_leaves(draw):
    """A leaf's index, the size of its tree, and the proof."""
    size = draw(st.integers(2, MOST))
    index = draw(st.integers(0, size - 1))
    return index, size, inclusion_proof(index=index, size=size, node=OURS)


@st.composite
def proved_growths(draw):
    """The sizes of a tree before and after it grew, and the proof."""
    size = draw(st.integers(2, MOST))
    old_size = draw(st.integers(1, size - 1))
    return old_size, size, consistency_proof(old_size=old_size, size=size, node=OURS)
