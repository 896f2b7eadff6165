"""Reading what stands of claims."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from titledeed.models.claim import SignedClaim
from titledeed.models.evidence import VisibleClaim
from titledeed.models.primitives import Address
from titledeed.models.principal import Principal
from titledeed.models.registration import Registration


class ClaimReading(Protocol):
    """The claims of one call: each is judged once, and the chain followed once at most."""

    def tell(self, registrations: Iterable[Registration]) -> list[VisibleClaim]:
        """The claims of these registrations, in their order.

        Raises:
            LedgerUnavailableError: one of them is on this home's chain, which does not answer.
        """
        ...


class ClaimReader(Protocol):
    """Tells when claims count from, by which evidence, and what was said since. Changes nothing."""

    def begin(self, principal: Principal) -> ClaimReading:
        """A reading for one call."""
        ...

    def find_signer(self, signed: SignedClaim) -> Address | None:
        """The claimant, where the claimant's own signature stands under the Claim."""
        ...

    def read_manifest_store(self, registration: Registration) -> bytes:
        """The manifest store that the registry kept; empty where none is kept."""
        ...
