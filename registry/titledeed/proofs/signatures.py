"""Signatures by accounts: make, recover, check. Pure, and quick to import.

One key and one digest give exactly one signature that we accept: 65 bytes r ‖ s ‖ v, s in the
lower half (EIP-2), v 27 or 28.
"""

from __future__ import annotations

from typing import Final

import coincurve

from titledeed.canonical.claims import hash_claim
from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import address_from_bytes
from titledeed.errors import ClaimSignatureError, ProofError
from titledeed.models.claim import SignedClaim
from titledeed.models.evidence import Anchor, ChainIdentity
from titledeed.models.primitives import Address, Keccak256, Signature
from titledeed.proofs.contract import encode_anchor
from titledeed.proofs.transactions import decode_signed, hash_transaction, signing_digest

SIGNATURE_LENGTH: Final = 65
KEY_LENGTH: Final = 32
_ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""Of the group of secp256k1 (SEC 2, section 2.4.1)."""


def sign_digest(key: bytes, digest: Keccak256) -> Signature:
    """Sign with a private key of 32 bytes; deterministic (RFC 6979), s in the lower half."""
    raw = coincurve.PrivateKey(key).sign_recoverable(digest, hasher=None)
    return Signature(raw[:64] + bytes([27 + raw[64]]))


def is_key(key: bytes) -> bool:
    """Whether 32 bytes are a private key: neither zero nor beyond the group's order."""
    return 0 < int.from_bytes(key, "big") < _ORDER


def address_of_key(key: bytes) -> Address:
    """The account of a private key of 32 bytes."""
    return _address(coincurve.PrivateKey(key).public_key)


def recover_signer(digest: Keccak256, signature: bytes) -> Address | None:
    """The account that signed the digest, or None where the signature is in no accepted form."""
    if len(signature) != SIGNATURE_LENGTH or signature[64] not in {27, 28}:
        return None
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if not (0 < r < _ORDER and 0 < s <= _ORDER // 2):
        return None
    recoverable = signature[:64] + bytes([signature[64] - 27])
    try:
        key = coincurve.PublicKey.from_signature_and_message(recoverable, digest, hasher=None)
    except ValueError:
        return None  # r is no point of the curve
    return _address(key)


def check_claim(signed: SignedClaim) -> None:
    """Check that the claimant signed the Claim.

    Raises:
        ClaimSignatureError: somebody else signed it, or nobody.
    """
    signer = recover_signer(hash_claim(signed.claim, signed.domain), signed.signature)
    if signer is None:
        raise ClaimSignatureError(
            "the claim carries no signature in an accepted form", claimant=signed.claim.claimant
        )
    if signer != signed.claim.claimant:
        raise ClaimSignatureError(
            f"the claim of {signed.claim.claimant} was signed by {signer}, not by its claimant",
            claimant=signed.claim.claimant,
            signer=signer,
        )


def check_transaction(raw: bytes, *, chain: ChainIdentity, anchor: Anchor) -> None:
    """Check, without a chain, that raw bytes are the transaction that an anchor names.

    It says what was signed and by whom, not that a block holds it.

    Raises:
        ProofError: hash, chain, contract, root, size or sender differ.
    """
    if hash_transaction(raw) != anchor.transaction:
        raise ProofError("the raw transaction has another hash than the anchor names")
    transaction, signature = decode_signed(raw)
    if transaction.chain_id != chain.chain_id:
        raise ProofError(f"the transaction was signed for chain {transaction.chain_id}")
    if transaction.to != chain.contract:
        raise ProofError("the transaction calls another contract")
    if transaction.data != encode_anchor(anchor.root, anchor.size):
        raise ProofError("the transaction anchors another root or size")
    if recover_signer(signing_digest(transaction), signature) != anchor.caller:
        raise ProofError("the transaction was signed by another account than the anchor's caller")


def _address(key: coincurve.PublicKey) -> Address:
    return address_from_bytes(keccak256(key.format(compressed=False)[1:])[12:])
