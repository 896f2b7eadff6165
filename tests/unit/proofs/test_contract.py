"""The artifact that ships, and the one call that is also encoded by hand."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode
from web3 import Web3

from titledeed.canonical.hashing import keccak256
from titledeed.chain.compiler import SOLC_VERSION
from titledeed.models.primitives import MerkleRoot
from titledeed.proofs.contract import (
    ANCHOR_SIGNATURE,
    encode_anchor,
    encode_constructor,
    load_artifact,
    load_interface,
    load_verification,
)

CODE_SIZE_MAX = 24_576
"""EIP-170."""


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
    assert artifact.address == load_artifact("").address
    assert len(artifact.runtime_code) < CODE_SIZE_MAX


@pytest.mark.parametrize("base", ["", "https://deeds.example/", "https://例え.example/" * 3])
def test_the_argument_of_the_constructor_follows_the_code(base: str) -> None:
    assert encode_constructor(base) == encode(["string"], [base])
    artifact = load_artifact(base)
    assert artifact.creation_code.endswith(encode(["string"], [base]))


def test_another_base_gives_another_address_and_the_same_runtime_code() -> None:
    standard, other = load_artifact(), load_artifact("https://deeds.example/")
    assert standard.address != other.address
    assert standard.runtime_hash == other.runtime_hash


def test_what_explorers_need_is_complete() -> None:
    document: Any = load_verification()
    assert document["compilerVersion"].startswith(f"{SOLC_VERSION}+commit.")
    source, _, name = document["contractIdentifier"].partition(":")
    sources = document["stdJsonInput"]["sources"]
    assert f"contract {name} is" in sources[source]["content"]
    assert all(item.startswith(("src/", "@openzeppelin/contracts/")) for item in sources)
    assert all(item["content"] for item in sources.values())


def test_every_event_ends_with_its_place_in_the_log() -> None:
    interface: Any = load_interface()
    ours = {
        item["name"]: item["inputs"]
        for item in interface
        if item["type"] == "event" and "head" in {value["name"] for value in item["inputs"]}
    }
    assert sorted(ours) == [
        "Anchored",
        "BindingPublished",
        "EventRecorded",
        "Issued",
        "KeyDeclared",
        "Superseded",
        "Withdrawn",
    ]
    for inputs in ours.values():
        place = [(item["name"], item["type"]) for item in inputs[-2:]]
        assert place == [("sequence", "uint64"), ("head", "bytes20")]
        assert not any(item["indexed"] for item in inputs[-2:])
