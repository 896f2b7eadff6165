"""The artifact that ships, and the one call that is also encoded by hand."""

from __future__ import annotations

from typing import Any

from eth_abi.abi import encode
from web3 import Web3

from titledeed.canonical.hashing import keccak256
from titledeed.chain.contract import ANCHOR_SIGNATURE, encode_anchor, load_artifact, load_interface
from titledeed.models.primitives import MerkleRoot


def test_the_call_that_evidence_is_checked_by_is_that_of_the_compiled_contract() -> None:
    interface: Any = load_interface()
    root, size = MerkleRoot(keccak256(b"root")), 2**32
    contract = Web3().eth.contract(abi=interface)
    assert encode_anchor(root, size).hex() == contract.encode_abi("anchor", [root, size])[2:]


def test_the_selector_is_the_hash_of_the_signature() -> None:
    root = MerkleRoot(keccak256(b"root"))
    arguments = encode(["bytes32", "uint256"], [root, 7])
    assert encode_anchor(root, 7) == keccak256(ANCHOR_SIGNATURE.encode())[:4] + arguments


def test_address_is_the_same_for_the_same_code() -> None:
    artifact = load_artifact()
    assert artifact.address == load_artifact().address
    assert len(artifact.runtime_code) < 24_576  # EIP-170
