"""The key of a claimant in memory, behind ``ports.KeyStore``."""

from __future__ import annotations

from builders import Claimant, build_claimant

from titledeed.canonical.claims import hash_claim
from titledeed.errors import NotAuthorizedError, PassphraseError
from titledeed.models.claim import Claim, SignedClaim, SigningDomain
from titledeed.models.primitives import Address, Keccak256, Signature


class KeySimulator:
    """See ``ports.KeyStore``: signs as an opened key file does, unless it is locked.

    Args:
        holder: whose key it is; the claimant of all builders by default.
    """

    def __init__(self, holder: Claimant | None = None) -> None:
        self._holder = holder or build_claimant(0)
        self.is_locked = False

    @property
    def address(self) -> Address:
        return self._holder.address

    def holds(self, account: Address) -> bool:
        return account == self.address

    def sign_claim(self, claim: Claim, domain: SigningDomain) -> SignedClaim:
        return SignedClaim(
            claim, domain, self.sign_digest(hash_claim(claim, domain), claim.claimant)
        )

    def sign_digest(self, digest: Keccak256, account: Address) -> Signature:
        if not self.holds(account):
            raise NotAuthorizedError(f"the key of {account} is not kept here")
        if self.is_locked:
            raise PassphraseError("the passphrase does not open the key")
        return self._holder.sign(digest)
