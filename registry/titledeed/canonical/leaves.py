"""Leaves: salted commitments to one claim or one consent each."""

from __future__ import annotations

from titledeed.canonical.evidence.records import digest_record
from titledeed.canonical.hashing import (
    CONSENT_LEAF_TAG,
    CONSENT_TAG,
    CONTENT_TAG,
    LEAF_TAG,
    RECORD_TAG,
    keccak256,
)
from titledeed.canonical.identifiers import address_word
from titledeed.models.primitives import Address, Keccak256, LeafHash, Sha256
from titledeed.models.record import Record, Salts


def commit_content(content_digest: Sha256, salt: bytes) -> Keccak256:
    """The content part of a leaf; opening it reveals the bytes' digest and nothing else."""
    return keccak256(CONTENT_TAG, content_digest, salt)


def commit_record(record_digest: Sha256, salt: bytes) -> Keccak256:
    """The record part of a leaf."""
    return keccak256(RECORD_TAG, record_digest, salt)


def hash_leaf(claimant: Address, content_part: Keccak256, record_part: Keccak256) -> LeafHash:
    """Keccak-256(tag ‖ claimant ‖ content part ‖ record part), each 32 bytes."""
    return LeafHash(keccak256(LEAF_TAG, address_word(claimant), content_part, record_part))


def leaf_of_record(record: Record, salts: Salts) -> LeafHash:
    """The leaf that a Record and its salts open."""
    claim = record.signed_claim.claim
    return hash_leaf(
        claim.claimant,
        commit_content(claim.content_digest, salts.content),
        commit_record(digest_record(record), salts.record),
    )


def commit_consent(document_digest: Sha256, salt: bytes) -> Keccak256:
    """A commitment to a consent document, as rights statements and a contract may name it."""
    return keccak256(CONSENT_TAG, document_digest, salt)


def hash_consent_leaf(commitment: Keccak256, signature: bytes) -> LeafHash:
    """The leaf that dates a consent in an ordinary batch.

    Keccak-256(tag ‖ commitment ‖ Keccak-256 of the performer's signature). Its tag is not that of
    claims, so that no contract takes it for one. Who sees root and leaf learns neither who
    consented nor to what; that it was signed by then is dated, too.
    """
    return LeafHash(keccak256(CONSENT_LEAF_TAG, commitment, keccak256(signature)))
