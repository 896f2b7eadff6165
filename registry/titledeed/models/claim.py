"""The Claim: what a claimant signs."""

from __future__ import annotations

from dataclasses import dataclass

from titledeed.models.primitives import Address, Sha256, Signature


@dataclass(frozen=True, slots=True)
class SigningDomain:
    """Where a signature counts: the EIP-712 domain of one contract on one chain.

    Claims are of the core contract, whose domain is ``Titledeed`` / ``1``; each module beside it
    has a name of its own.
    """

    chain_id: int
    contract: Address
    name: str = "Titledeed"
    version: str = "1"


@dataclass(frozen=True, slots=True)
class Claim:
    """What the claimant asserts, before the file is signed.

    Attributes:
        claimant: the account that claims; never the account that pays the gas.
        content_digest: SHA-256 of the source bytes, before signing.
        fingerprints_digest: over algorithm, version and code of each fingerprint.
        disclosure_digest: of the disclosure document.
        rights_digest: of the rights statement, which stays off chain.
        recovery_key: may declare the claimant's key lost; the zero address names none.
        claimed_at: the claimant's own clock, seconds since 1970; nobody trusts it.
        lineage_digest: of the statement from which works it was made; None in version 1.
        statement: what the digests mean, in a sentence that a wallet shows; None in version 1.
    """

    claimant: Address
    content_digest: Sha256
    fingerprints_digest: Sha256
    disclosure_digest: Sha256
    rights_digest: Sha256
    recovery_key: Address
    claimed_at: int
    lineage_digest: Sha256 | None = None
    statement: str | None = None


@dataclass(frozen=True, slots=True)
class SignedClaim:
    """A Claim, the domain in which it counts, and the claimant's EIP-712 signature."""

    claim: Claim
    domain: SigningDomain
    signature: Signature
