"""Salted commitments: what they bind, and what opens them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from canonical_samples import SAMPLE_OPENINGS
from hypothesis import given
from hypothesis import strategies as st

from titledeed.canonical.hashing import keccak256, sha256
from titledeed.canonical.leaves import commit_consent, hash_consent_leaf, hash_leaf
from titledeed.canonical.openings import require_opening
from titledeed.canonical.references import commit_prompt, commit_reference
from titledeed.errors import InvariantViolation, ProofError
from titledeed.models.lineage import WorkReference
from titledeed.models.primitives import Address, Keccak256, RegistrationId, Salt
from titledeed.models.record import CommitmentKind, Opening

SALT = Salt(sha256(b"salt"))
OTHER_SALT = Salt(sha256(b"another salt"))
ID = RegistrationId("td1" + "a" * 32)
DIGEST = sha256(b"a work")
OPENINGS = (
    Opening(CommitmentKind.PROMPT, commit_prompt("A cat", SALT), SALT, "A cat"),
    Opening(CommitmentKind.REGISTRATION, commit_reference(WorkReference(ID), SALT), SALT, ID),
    Opening(
        CommitmentKind.CONTENT,
        commit_reference(WorkReference(content_digest=DIGEST), SALT),
        SALT,
        DIGEST.hex(),
    ),
    Opening(CommitmentKind.CONSENT, commit_consent(DIGEST, SALT), SALT, DIGEST.hex()),
)


def tag(name: str) -> bytes:
    return keccak256(f"titledeed.{name}.v1".encode())


def test_commitments_are_made_as_they_are_described() -> None:
    assert commit_prompt("Kätzchen", SALT) == keccak256(
        tag("prompt"), sha256("Kätzchen".encode()), SALT
    )
    assert commit_reference(WorkReference(content_digest=DIGEST), SALT) == keccak256(
        tag("content-reference"), DIGEST, SALT
    )
    assert commit_reference(WorkReference(ID), SALT) == keccak256(
        tag("registration-reference"), sha256(ID.encode()), SALT
    )
    assert commit_consent(DIGEST, SALT) == keccak256(tag("consent"), DIGEST, SALT)
    assert hash_consent_leaf(Keccak256(DIGEST), b"signed") == keccak256(
        tag("consent-leaf"), DIGEST, keccak256(b"signed")
    )


def test_a_commitment_is_not_committed_to_again() -> None:
    for work in (WorkReference(), WorkReference(commitment=Keccak256(DIGEST))):
        with pytest.raises(InvariantViolation):
            commit_reference(work, SALT)


def test_one_digest_and_salt_give_another_commitment_for_each_use() -> None:
    made = {
        commit_prompt("a work", SALT),
        commit_reference(WorkReference(content_digest=DIGEST), SALT),
        commit_consent(DIGEST, SALT),
    }
    assert len(made) == 3


def test_no_consent_passes_for_a_claim() -> None:
    word = Keccak256(DIGEST)
    claimant = Address("0x" + "00" * 20)
    assert hash_consent_leaf(word, b"signed") != hash_leaf(claimant, word, keccak256(b"signed"))
    assert hash_consent_leaf(word, b"signed") != hash_consent_leaf(word, b"signee")


@pytest.mark.parametrize("opening", [*OPENINGS, *SAMPLE_OPENINGS])
def test_an_opening_gives_its_commitment(opening: Opening) -> None:
    require_opening(opening)


@pytest.mark.parametrize("opening", OPENINGS, ids=lambda opening: str(opening.kind))
def test_an_opening_with_anything_else_does_not(opening: Opening) -> None:
    changes = (
        replace(opening, salt=OTHER_SALT),
        replace(opening, commitment=Keccak256(SALT)),
        *(replace(opening, kind=kind) for kind in CommitmentKind if kind is not opening.kind),
        replace(opening, value=opening.value + " "),
        replace(opening, value=opening.value.upper()),
        replace(opening, value=""),
    )
    for changed in changes:
        with pytest.raises(ProofError, match="opening"):
            require_opening(changed)


@given(st.text(), st.text(), st.binary(min_size=32, max_size=32))
def test_a_prompt_is_bound(one: str, other: str, salt: bytes) -> None:
    assert (commit_prompt(one, salt) == commit_prompt(other, salt)) == (one == other)
