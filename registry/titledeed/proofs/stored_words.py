"""Words of a contract's storage that a bundle carries. Pure."""

from __future__ import annotations

from titledeed.canonical.hashing import keccak256, word
from titledeed.errors import ProofError
from titledeed.models.bundle import StoredWord
from titledeed.models.ledger import Block, ContractName
from titledeed.proofs.state_proofs import check_slot_proof
from titledeed.proofs.versions import is_known


def locate(stored: StoredWord) -> bytes:
    """The slot of a word, as Solidity lays out mappings and structs, 32 bytes."""
    slot = word(stored.base)
    for key in stored.keys:
        slot = keccak256(key, slot)
    return word((int.from_bytes(slot, "big") + stored.offset) % 2**256)


def check_stored_word(stored: StoredWord) -> Block | None:
    """Check that a contract of ours held the word when a block was made.

    Returns:
        The block; None for a contract that this release does not know, of which nothing is proven.

    Raises:
        ProofError: the proof does not hold, or is of another contract, version or word.
    """
    if not is_known(stored.contract, stored.version):
        return None
    proven = check_slot_proof(
        stored.state_proof,
        contract=stored.chain.contract,
        slot=locate(stored),
        name=ContractName(stored.contract),
    )
    if proven.version.number != stored.version:
        raise ProofError(f"the proof is of version {proven.version.number} of {stored.contract}")
    if proven.value != stored.value:
        raise ProofError("the contract's storage holds another word")
    return proven.block
