"""The Merkle tree of one anchor.

The shape is that of RFC 6962 (section 2.1): a tree of n leaves splits at the largest power of two
below n. Leaves arrive already hashed under their own tag; a node is Keccak-256(0x01 ‖ left ‖
right), so that no node can pass for a leaf. The root that is anchored binds the size as well:
Keccak-256(tag ‖ size ‖ top), so that a proof for another size cannot fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from titledeed.canonical.hashing import ROOT_TAG, keccak256, word
from titledeed.errors import InvariantViolation, ProofError
from titledeed.models.evidence import InclusionProof
from titledeed.models.primitives import Keccak256, LeafHash, MerkleRoot

TREE_SIZE_MAX: Final = 2**32
PATH_LENGTH_MAX: Final = 32


class MerkleTree:
    """All levels of one tree, built once; each proof then costs its length.

    Args:
        leaves: 1 to 2^32 leaves, in the order in which they get their index.
    """

    def __init__(self, leaves: Sequence[LeafHash]) -> None:
        if not 1 <= len(leaves) <= TREE_SIZE_MAX:
            raise InvariantViolation(f"a tree of {len(leaves)} leaves")
        # A last node without a sibling is carried up as it is: the shape of RFC 6962.
        self._levels: list[list[Keccak256]] = [list(leaves)]
        while len(self._levels[-1]) > 1:
            self._levels.append(_parents(self._levels[-1]))

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._levels[0])

    @property
    def root(self) -> MerkleRoot:
        """What is anchored."""
        return bind_size(self._levels[-1][0], self.size)

    def prove(self, index: int) -> InclusionProof:
        """The audit path of one leaf, bottom first (RFC 9162 section 2.1.3.1)."""
        path = []
        position = index
        for level in self._levels[:-1]:
            if (position ^ 1) < len(level):
                path.append(level[position ^ 1])
            position //= 2
        return InclusionProof(index, self.size, tuple(path))


def root_of_proof(leaf: LeafHash, proof: InclusionProof) -> MerkleRoot:
    """The root to which a leaf and its path lead (RFC 9162 section 2.1.3.2).

    Raises:
        ProofError: index, size and length of the path cannot go together.
    """
    if not 0 <= proof.index < proof.size <= TREE_SIZE_MAX:
        raise ProofError(f"leaf {proof.index} cannot stand in a tree of {proof.size}")
    node: Keccak256 = leaf
    position, last = proof.index, proof.size - 1
    for sibling in proof.path:
        if last == 0:
            raise ProofError("the Merkle path is too long for the tree")
        if position % 2 or position == last:
            node = _join(sibling, node)
            while position % 2 == 0 and position:
                position, last = position // 2, last // 2
        else:
            node = _join(node, sibling)
        position, last = position // 2, last // 2
    if last:
        raise ProofError("the Merkle path is too short for the tree")
    return bind_size(node, proof.size)


def bind_size(top: Keccak256, size: int) -> MerkleRoot:
    """Hash the number of leaves into the root."""
    return MerkleRoot(keccak256(ROOT_TAG, word(size), top))


def _join(left: Keccak256, right: Keccak256) -> Keccak256:
    return keccak256(b"\x01", left, right)


def _parents(level: list[Keccak256]) -> list[Keccak256]:
    paired = [_join(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return paired + level[-1:] if len(level) % 2 else paired
