"""The Merkle tree: every leaf is provable, and nothing else is."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from titledeed.canonical.hashing import ROOT_TAG, keccak256, word
from titledeed.canonical.merkle import MerkleTree, root_of_proof
from titledeed.errors import InvariantViolation, ProofError
from titledeed.models.primitives import Keccak256, LeafHash

leaf_lists = st.lists(
    st.binary(min_size=32, max_size=32).map(lambda raw: LeafHash(Keccak256(raw))),
    min_size=1,
    max_size=70,
    unique=True,
)


def recursive_top(leaves: list[LeafHash]) -> Keccak256:
    """RFC 6962 section 2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return keccak256(b"\x01", recursive_top(leaves[:split]), recursive_top(leaves[split:]))


@given(leaf_lists)
def test_the_root_is_that_of_rfc_6962_with_the_size_bound(leaves: list[LeafHash]) -> None:
    expected = keccak256(ROOT_TAG, word(len(leaves)), recursive_top(leaves))
    assert MerkleTree(leaves).root == expected


@given(leaf_lists, st.data())
def test_every_leaf_is_proven(leaves: list[LeafHash], data: st.DataObject) -> None:
    tree = MerkleTree(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    assert root_of_proof(leaves[index], tree.prove(index)) == tree.root


@given(leaf_lists, st.data())
def test_a_proof_with_any_other_index_size_or_node_is_refused(
    leaves: list[LeafHash], data: st.DataObject
) -> None:
    tree = MerkleTree(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = tree.prove(index)
    forged = [
        dataclasses.replace(proof, size=proof.size + 1),
        dataclasses.replace(proof, index=proof.index + 1),
        dataclasses.replace(proof, path=(*proof.path, Keccak256(bytes(32)))),
        dataclasses.replace(proof, path=proof.path[1:], size=proof.size + 2),
    ]
    for position, node in enumerate(proof.path):
        flipped = Keccak256(bytes([node[0] ^ 1]) + node[1:])
        path = (*proof.path[:position], flipped, *proof.path[position + 1 :])
        forged.append(dataclasses.replace(proof, path=path))
    for candidate in forged:
        try:
            root = root_of_proof(leaves[index], candidate)
        except ProofError:
            continue
        assert root != tree.root


@given(leaf_lists.filter(lambda leaves: len(leaves) >= 2))
def test_a_node_never_passes_for_a_leaf(leaves: list[LeafHash]) -> None:
    tree = MerkleTree(leaves)
    node = LeafHash(keccak256(b"\x01", leaves[0], leaves[1]))
    parents = [node, *leaves[2:]]
    assert MerkleTree(parents).root != tree.root


def test_an_empty_tree_is_a_bug() -> None:
    with pytest.raises(InvariantViolation):
        MerkleTree([])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 2), (0, 2**32 + 1)])
def test_impossible_positions_are_refused(index: int, size: int) -> None:
    proof = dataclasses.replace(
        MerkleTree([LeafHash(Keccak256(bytes(32)))]).prove(0), index=index, size=size
    )
    with pytest.raises(ProofError):
        root_of_proof(LeafHash(Keccak256(bytes(32))), proof)
