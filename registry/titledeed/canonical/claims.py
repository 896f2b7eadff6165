"""The Claim as EIP-712 typed data, and as JSON."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from titledeed.canonical.documents import Fields, Json, hex_word, leave_out
from titledeed.canonical.field_values import read_address, read_bounded
from titledeed.canonical.identifiers import derive_registration_id
from titledeed.canonical.statements import STATEMENT_BYTES_MAX
from titledeed.canonical.typed_data import (
    SIGNATURE_LENGTH_MAX,
    Member,
    describe_typed,
    hash_struct,
    hash_typed,
)
from titledeed.models.claim import Claim, SignedClaim, SigningDomain
from titledeed.models.primitives import Keccak256, RegistrationId, Signature

CLAIM: Final = "titledeed.claim"
CLAIM_TYPE: Final = (
    "Claim(string statement,address claimant,bytes32 contentDigest,bytes32 fingerprintsDigest,"
    "bytes32 disclosureDigest,bytes32 rightsDigest,bytes32 lineageDigest,address recoveryKey,"
    "uint64 claimedAt)"
)
FIRST_CLAIM_TYPE: Final = (
    "Claim(address claimant,bytes32 contentDigest,bytes32 fingerprintsDigest,"
    "bytes32 disclosureDigest,bytes32 rightsDigest,address recoveryKey,uint64 claimedAt)"
)
"""Of version 1, whose digest no claim of version 2 can have: EIP-712 hashes the type."""
DOMAIN_TYPE: Final = (
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)


@lru_cache(maxsize=64)
def hash_domain(domain: SigningDomain) -> Keccak256:
    """The EIP-712 domain separator."""
    return hash_struct(DOMAIN_TYPE, _name_domain(domain))


def hash_claim(claim: Claim, domain: SigningDomain) -> Keccak256:
    """The digest that the claimant signs (EIP-712)."""
    return hash_typed(hash_domain(domain), hash_struct(_type_of(claim), _name_members(claim)))


def describe_claim(claim: Claim, domain: SigningDomain) -> dict[str, Json]:
    """The typed data that a wallet shows and signs (``eth_signTypedData_v4``)."""
    return describe_typed(_type_of(claim), _name_members(claim), DOMAIN_TYPE, _name_domain(domain))


def identify_claim(claim: Claim, domain: SigningDomain) -> RegistrationId:
    """The registration id that a claim leads to."""
    return derive_registration_id(hash_domain(domain), claim.claimant, claim.content_digest)


def encode_signed_claim(signed: SignedClaim) -> dict[str, Json]:
    """JSON form; also the body of the ``org.titledeed.claim`` assertion."""
    claim = signed.claim
    is_first = claim.lineage_digest is None
    return leave_out(
        {
            "schema": None if is_first else f"{CLAIM}/2",
            "statement": claim.statement,
            "chain_id": signed.domain.chain_id,
            "contract": signed.domain.contract,
            "claimant": claim.claimant,
            "content_sha256": claim.content_digest.hex(),
            "fingerprints_sha256": claim.fingerprints_digest.hex(),
            "disclosure_sha256": claim.disclosure_digest.hex(),
            "rights_sha256": claim.rights_digest.hex(),
            "lineage_sha256": claim.lineage_digest.hex() if claim.lineage_digest else None,
            "recovery_key": claim.recovery_key,
            "claimed_at": claim.claimed_at,
            "signature": hex_word(signed.signature),
        }
    )


def parse_signed_claim(fields: Fields) -> SignedClaim:
    """Inverse of ``encode_signed_claim``; checks form, not the signature.

    Version 1 has no schema. Unknown fields are refused: the signature does not cover them.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form.
    """
    is_first = not fields.has("schema")
    if not is_first:
        fields.version(CLAIM, (2,))
    domain = SigningDomain(
        chain_id=fields.integer("chain_id", minimum=1),
        contract=read_address(fields, "contract"),
    )
    claim = Claim(
        claimant=read_address(fields, "claimant"),
        content_digest=fields.sha256("content_sha256"),
        fingerprints_digest=fields.sha256("fingerprints_sha256"),
        disclosure_digest=fields.sha256("disclosure_sha256"),
        rights_digest=fields.sha256("rights_sha256"),
        recovery_key=read_address(fields, "recovery_key"),
        claimed_at=fields.timestamp("claimed_at"),
        lineage_digest=None if is_first else fields.sha256("lineage_sha256"),
        statement=None
        if is_first
        else read_bounded(fields, "statement", bytes_max=STATEMENT_BYTES_MAX),
    )
    signature = Signature(fields.hexadecimal("signature", length_max=SIGNATURE_LENGTH_MAX))
    fields.done(strict=True)
    return SignedClaim(claim, domain, signature)


def _type_of(claim: Claim) -> str:
    return FIRST_CLAIM_TYPE if claim.lineage_digest is None else CLAIM_TYPE


def _name_members(claim: Claim) -> dict[str, Member]:
    return {
        "statement": claim.statement or "",
        "claimant": claim.claimant,
        "contentDigest": claim.content_digest,
        "fingerprintsDigest": claim.fingerprints_digest,
        "disclosureDigest": claim.disclosure_digest,
        "rightsDigest": claim.rights_digest,
        "lineageDigest": claim.lineage_digest or b"",
        "recoveryKey": claim.recovery_key,
        "claimedAt": claim.claimed_at,
    }


def _name_domain(domain: SigningDomain) -> dict[str, Member]:
    return {
        "name": domain.name,
        "version": domain.version,
        "chainId": domain.chain_id,
        "verifyingContract": domain.contract,
    }
