"""Frozen encodings against their golden vectors, and against an independent implementation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from build_vectors import DOMAIN, TREE_SIZES, VECTORS, render_vectors, sample_bundle
from ethereum_oracle import Account, encode_typed_data, hash_message

from titledeed.canonical.bundles import encode_bundle, parse_bundle
from titledeed.canonical.claims import hash_claim
from titledeed.canonical.documents import encode_document, parse_document
from titledeed.canonical.leaves import commit_content, commit_record, hash_leaf
from titledeed.canonical.merkle import MerkleTree, root_of_proof
from titledeed.models.evidence import InclusionProof
from titledeed.models.primitives import Address, Keccak256, LeafHash, Sha256

Vector = dict[str, Any]


def _load(name: str) -> Vector:
    loaded: Vector = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return loaded


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def test_vectors_are_those_that_the_code_gives() -> None:
    for path, text in render_vectors().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: a frozen format changed"


@pytest.mark.parametrize("case", _load("leaves.json")["leaves"])
def test_leaves_agree(case: Vector) -> None:
    content = commit_content(Sha256(_bytes(case["contentDigest"])), _bytes(case["contentSalt"]))
    record = commit_record(Sha256(_bytes(case["recordDigest"])), _bytes(case["recordSalt"]))
    assert content == _bytes(case["contentPart"])
    assert record == _bytes(case["recordPart"])
    assert hash_leaf(Address(case["claimant"]), content, record) == _bytes(case["leaf"])


def test_trees_of_all_sizes_have_vectors() -> None:
    assert tuple(tree["size"] for tree in _load("leaves.json")["trees"]) == TREE_SIZES


@pytest.mark.parametrize("tree", _load("leaves.json")["trees"], ids=lambda tree: str(tree["size"]))
def test_roots_and_paths_agree(tree: Vector) -> None:
    leaves = [LeafHash(Keccak256(_bytes(leaf))) for leaf in tree["leaves"]]
    assert MerkleTree(leaves).root == _bytes(tree["root"])
    for index, path in enumerate(tree["paths"]):
        nodes = tuple(Keccak256(_bytes(node)) for node in path)
        proof = InclusionProof(index, tree["size"], nodes)
        assert root_of_proof(leaves[index], proof) == _bytes(tree["root"])


def test_claim_digest_is_that_of_eth_account() -> None:
    signed = sample_bundle().dossier.record.signed_claim
    claim = signed.claim
    message = encode_typed_data(
        domain_data={
            "name": "Titledeed",
            "version": "1",
            "chainId": DOMAIN.chain_id,
            "verifyingContract": DOMAIN.contract,
        },
        message_types={
            "Claim": [
                {"name": "claimant", "type": "address"},
                {"name": "contentDigest", "type": "bytes32"},
                {"name": "fingerprintsDigest", "type": "bytes32"},
                {"name": "disclosureDigest", "type": "bytes32"},
                {"name": "rightsDigest", "type": "bytes32"},
                {"name": "recoveryKey", "type": "address"},
                {"name": "claimedAt", "type": "uint64"},
            ]
        },
        message_data={
            "claimant": claim.claimant,
            "contentDigest": claim.content_digest,
            "fingerprintsDigest": claim.fingerprints_digest,
            "disclosureDigest": claim.disclosure_digest,
            "rightsDigest": claim.rights_digest,
            "recoveryKey": claim.recovery_key,
            "claimedAt": claim.claimed_at,
        },
    )
    assert hash_message(message) == hash_claim(claim, DOMAIN)
    assert Account.recover_message(message, signature=signed.signature) == claim.claimant


def test_bundle_bytes_come_back_the_same() -> None:
    text = _load("canonical.json")["bundle"].encode("utf-8")
    bundle = parse_bundle(parse_document(text, what="the bundle"))
    assert bundle == sample_bundle()
    assert encode_document(encode_bundle(bundle)) == text
