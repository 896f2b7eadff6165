"""The Claim as EIP-712 typed data, and as JSON."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from titledeed.canonical.documents import Fields, Json, hex_word
from titledeed.canonical.hashing import keccak256, word
from titledeed.canonical.identifiers import (
    address_word,
    derive_registration_id,
    parse_address,
)
from titledeed.models.claim import Claim, SignedClaim, SigningDomain
from titledeed.models.primitives import Keccak256, RegistrationId, Signature

CLAIM_TYPE: Final = (
    "Claim(address claimant,bytes32 contentDigest,bytes32 fingerprintsDigest,"
    "bytes32 disclosureDigest,bytes32 rightsDigest,address recoveryKey,uint64 claimedAt)"
)
DOMAIN_TYPE: Final = (
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
SIGNATURE_LENGTH_MAX: Final = 8_192
"""An ERC-1271 signature may be long; ours are 65 bytes."""

_CLAIM_TYPE_HASH: Final = keccak256(CLAIM_TYPE.encode("ascii"))
_DOMAIN_TYPE_HASH: Final = keccak256(DOMAIN_TYPE.encode("ascii"))


@lru_cache(maxsize=64)
def hash_domain(domain: SigningDomain) -> Keccak256:
    """The EIP-712 domain separator."""
    return keccak256(
        _DOMAIN_TYPE_HASH,
        keccak256(domain.name.encode("ascii")),
        keccak256(domain.version.encode("ascii")),
        word(domain.chain_id),
        address_word(domain.contract),
    )


def hash_claim(claim: Claim, domain: SigningDomain) -> Keccak256:
    """The digest that the claimant signs: EIP-712, ``0x19 0x01 ‖ separator ‖ struct hash``."""
    struct = keccak256(
        _CLAIM_TYPE_HASH,
        address_word(claim.claimant),
        claim.content_digest,
        claim.fingerprints_digest,
        claim.disclosure_digest,
        claim.rights_digest,
        address_word(claim.recovery_key),
        word(claim.claimed_at),
    )
    return keccak256(b"\x19\x01", hash_domain(domain), struct)


def identify_claim(claim: Claim, domain: SigningDomain) -> RegistrationId:
    """The registration id that a claim leads to."""
    return derive_registration_id(hash_domain(domain), claim.claimant, claim.content_digest)


def encode_signed_claim(signed: SignedClaim) -> dict[str, Json]:
    """JSON form; also the body of the ``org.titledeed.claim`` assertion."""
    claim = signed.claim
    return {
        "chain_id": signed.domain.chain_id,
        "contract": signed.domain.contract,
        "claimant": claim.claimant,
        "content_sha256": claim.content_digest.hex(),
        "fingerprints_sha256": claim.fingerprints_digest.hex(),
        "disclosure_sha256": claim.disclosure_digest.hex(),
        "rights_sha256": claim.rights_digest.hex(),
        "recovery_key": claim.recovery_key,
        "claimed_at": claim.claimed_at,
        "signature": hex_word(signed.signature),
    }


def parse_signed_claim(fields: Fields) -> SignedClaim:
    """Inverse of ``encode_signed_claim``; checks form, not the signature.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form.
    """
    domain = SigningDomain(
        chain_id=fields.integer("chain_id", minimum=1),
        contract=parse_address(fields.text("contract")),
    )
    claim = Claim(
        claimant=parse_address(fields.text("claimant")),
        content_digest=fields.sha256("content_sha256"),
        fingerprints_digest=fields.sha256("fingerprints_sha256"),
        disclosure_digest=fields.sha256("disclosure_sha256"),
        rights_digest=fields.sha256("rights_sha256"),
        recovery_key=parse_address(fields.text("recovery_key")),
        claimed_at=fields.timestamp("claimed_at"),
    )
    signature = Signature(fields.hexadecimal("signature", length_max=SIGNATURE_LENGTH_MAX))
    fields.done()
    return SignedClaim(claim, domain, signature)
