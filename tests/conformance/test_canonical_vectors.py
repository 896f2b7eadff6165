"""Frozen encodings against their golden vectors, and against an independent implementation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from build_vectors import TREE_SIZES, VECTORS, render_vectors
from canonical_samples import (
    DOMAIN,
    SAMPLE_HEADER,
    SAMPLE_OPENINGS,
    sample_bundle,
    sample_dossier,
    sample_signed_disclosure,
)
from ethereum_oracle import Account, encode_typed_data, hash_message

from titledeed.canonical.claims import describe_claim, hash_claim, hash_domain, identify_claim
from titledeed.canonical.disclosure_signatures import hash_disclosure, parse_signed_disclosure
from titledeed.canonical.disclosures import encode_disclosure, parse_disclosure
from titledeed.canonical.documents import Fields, digest_document, encode_document, parse_document
from titledeed.canonical.evidence.bundles import encode_bundle, parse_bundle
from titledeed.canonical.evidence.records import digest_record, encode_record, parse_record
from titledeed.canonical.evidence.snapshots import parse_header
from titledeed.canonical.fingerprints import digest_fingerprints
from titledeed.canonical.hashing import sha256
from titledeed.canonical.leaves import commit_content, commit_record, hash_leaf, leaf_of_record
from titledeed.canonical.lineages import encode_lineage, parse_lineage
from titledeed.canonical.merkle import MerkleTree, root_of_proof
from titledeed.canonical.openings import parse_openings
from titledeed.canonical.rights import encode_rights, parse_rights
from titledeed.models.evidence import InclusionProof
from titledeed.models.primitives import Address, Keccak256, LeafHash, Sha256
from titledeed.proofs.bundles import read_bundle_file
from titledeed.proofs.transactions import hash_transaction

Vector = dict[str, Any]

FIRST_SHA256: Final = "ae589c7c3dd2251924795365dc413991fd1645541ade4389b7b3b4a74b1dcb66"
"""Of the vectors of version 1, which were made by the release before version 2 and never change."""


def _load(name: str) -> Vector:
    loaded: Vector = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return loaded


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _fields(text: str) -> Fields:
    return parse_document(text.encode("utf-8"), what="the vector")


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


@pytest.mark.parametrize("name", ["canonical.json", "canonical_1.json"])
def test_claim_digest_is_that_of_eth_account(name: str) -> None:
    """What a wallet is handed gives the digest, and the signature recovers to the claimant."""
    vectors = _load(name)
    vector, signed = vectors["claim"], parse_record(_fields(vectors["record"])).signed_claim
    described = describe_claim(signed.claim, DOMAIN)
    assert described == vector.get("typed_data", described)
    message = encode_typed_data(full_message=described)
    assert hash_message(message) == hash_claim(signed.claim, DOMAIN) == _bytes(vector["digest"])
    recovered = Account.recover_message(message, signature=_bytes(vector["signature"]))
    assert recovered == signed.claim.claimant


@pytest.mark.parametrize("name", ["canonical.json", "canonical_1.json"])
def test_every_digest_follows_from_the_documents(name: str) -> None:
    vectors = _load(name)
    bundle = read_bundle_file(vectors["bundle"].encode("utf-8"))
    dossier, record = bundle.dossier, bundle.dossier.record
    claim = record.signed_claim.claim
    found = {
        "domain_separator": hash_domain(DOMAIN),
        "digest": hash_claim(claim, DOMAIN),
        "signature": record.signed_claim.signature,
    }
    assert {name: _bytes(vectors["claim"][name]) for name in found} == found
    assert identify_claim(claim, DOMAIN) == vectors["claim"]["registration_id"]
    digests = {
        "fingerprints_sha256": (
            digest_fingerprints(dossier.fingerprints),
            claim.fingerprints_digest,
        ),
        "disclosure_sha256": (
            digest_document(encode_disclosure(dossier.disclosure)),
            claim.disclosure_digest,
        ),
        "rights_sha256": (digest_document(encode_rights(dossier.rights)), claim.rights_digest),
    }
    for field, (derived, signed) in digests.items():
        assert derived.hex() == signed.hex() == vectors[field]
    assert digest_record(record).hex() == vectors["record_sha256"]
    assert leaf_of_record(record, dossier.salts) == _bytes(vectors["leaf"])
    assert hash_transaction(bundle.own.raw_transaction) == _bytes(vectors["transaction_hash"])
    assert sha256(vectors["bundle"].encode("utf-8")).hex() == vectors["bundle_sha256"]
    leaf = leaf_of_record(record, dossier.salts)
    assert root_of_proof(leaf, bundle.own.proof) == bundle.own.anchor.root


ROUND_TRIPS: Final[dict[str, tuple[Callable[[Fields], Any], Callable[[Any], Any]]]] = {
    "record": (parse_record, encode_record),
    "rights": (parse_rights, encode_rights),
    "disclosure": (parse_disclosure, encode_disclosure),
    "lineage": (parse_lineage, encode_lineage),
    "bundle": (parse_bundle, encode_bundle),
}


@pytest.mark.parametrize("field", ROUND_TRIPS)
def test_bytes_come_back_the_same(field: str) -> None:
    parse, encode = ROUND_TRIPS[field]
    text = _load("canonical.json")[field]
    assert encode_document(encode(parse(_fields(text)))).decode("utf-8") == text


@pytest.mark.parametrize("field", ["record", "rights", "disclosure"])
def test_bytes_of_version_1_come_back_the_same(field: str) -> None:
    parse, encode = ROUND_TRIPS[field]
    text = _load_first()[field]
    found = parse(_fields(text))
    assert found.version == 1
    assert encode_document(encode(found)).decode("utf-8") == text


def _load_first() -> Vector:
    """The vectors of version 1, with rights and disclosure as the bundle holds them."""
    vectors = _load("canonical_1.json")
    dossier = json.loads(vectors["bundle"])["dossier"]
    told = {name: encode_document(dossier[name]).decode() for name in ("rights", "disclosure")}
    return vectors | told


def test_vectors_of_version_1_never_change() -> None:
    data = (VECTORS / "canonical_1.json").read_bytes()
    assert hashlib.sha256(data).hexdigest() == FIRST_SHA256


def test_a_bundle_of_version_1_is_written_in_version_2_with_its_documents_as_they_were() -> None:
    text = _load("canonical_1.json")["bundle"]
    bundle = parse_bundle(_fields(text))
    again = encode_bundle(bundle)
    assert parse_bundle(Fields(again, path="it")) == bundle
    was, found = json.loads(text)["dossier"], json.loads(encode_document(again))["dossier"]
    assert {name: found[name] for name in ("record", "rights", "disclosure")} == {
        name: was[name] for name in ("record", "rights", "disclosure")
    }
    assert "lineage" not in found


def test_the_vectors_are_of_the_samples() -> None:
    vectors = _load("canonical.json")
    assert parse_bundle(_fields(vectors["bundle"])) == sample_bundle()
    assert parse_header(_fields(vectors["snapshot_header"])) == SAMPLE_HEADER
    registration_id = sample_dossier().registration_id
    assert parse_openings(_fields(vectors["openings"])) == (registration_id, SAMPLE_OPENINGS)


def test_a_signed_disclosure_is_that_of_eth_account() -> None:
    vector = _load("canonical.json")["disclosure_signature"]
    signed = parse_signed_disclosure(_fields(vector["document"]))
    assert signed == sample_signed_disclosure()
    message = encode_typed_data(full_message=vector["typed_data"])
    digest = hash_disclosure(signed.statement)
    assert hash_message(message) == digest == _bytes(vector["digest"])
    recovered = Account.recover_message(message, signature=signed.signature)
    assert recovered == signed.statement.signer
