"""Registrations as a principal may know of them: what services that answer to faces ask.

``Registration.is_visible_to`` decides; nothing here or elsewhere decides it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from titledeed.errors import NotFoundError
from titledeed.models.evidence import IntegrityCode, ManifestReport, TrustCode
from titledeed.models.primitives import RegistrationId, Sha256
from titledeed.models.principal import Principal
from titledeed.models.registration import Registration
from titledeed.ports import RegistrationRepository

PAGE: Final = 1_000


class VisibleRegistrations:
    """The registrations of a home, filtered for whoever asks.

    Args:
        registrations: own and imported.
        page: so many own ones are read at once.
    """

    def __init__(self, registrations: RegistrationRepository, *, page: int = PAGE) -> None:
        self._registrations = registrations
        self._page = page

    def find(self, registration_id: RegistrationId, principal: Principal) -> Registration | None:
        """The registration with this id; None where the principal may not know of it, too."""
        found = self._registrations.find(registration_id)
        return found if found is not None and found.is_visible_to(principal) else None

    def get(self, registration_id: RegistrationId, principal: Principal) -> Registration:
        """The registration with this id.

        Raises:
            NotFoundError: there is none, or the principal may not know of it.
        """
        found = self.find(registration_id, principal)
        if found is None:
            raise _unseen(registration_id)
        return found

    def find_by_digest(self, digest: Sha256, principal: Principal) -> list[Registration]:
        """Those whose source or signed file has this SHA-256, earliest first."""
        return _visible(self._registrations.find_by_digest(digest), principal)

    def find_by_manifest(self, manifest_id: str, principal: Principal) -> list[Registration]:
        """Those that recorded this manifest, earliest first."""
        return _visible(self._registrations.find_by_manifest(manifest_id), principal)

    def find_carried(self, manifest: ManifestReport, principal: Principal) -> list[Registration]:
        """Those that recorded the manifest which update manifests alone lead to.

        An added receipt changes the bytes, not the identity. But a manifest's label can be forged,
        so its signer must be one that this home trusts, and its claim the recorded one.
        """
        claim = manifest.signed_claim
        if (
            manifest.integrity is not IntegrityCode.INTACT
            or manifest.trust is not TrustCode.TRUSTED
            or manifest.content_manifest_id is None
            or claim is None
        ):
            return []
        return [
            registration
            for registration in self.find_by_manifest(manifest.content_manifest_id, principal)
            if registration.claimant == claim.claim.claimant
            and registration.content_digest == claim.claim.content_digest
        ]

    def iter_own(self, principal: Principal) -> Iterator[Registration]:
        """Those that this home registered, in the order of acceptance."""
        after = 0
        while page := self._registrations.list_own(after=after, limit=self._page):
            yield from _visible((registration for _, registration in page), principal)
            after = page[-1][0]

    def count_own(self, principal: Principal) -> int:
        """How many this home registered."""
        if principal.is_owner:
            return self._registrations.count_own()
        return sum(1 for _ in self.iter_own(principal))


def require_visible(registration: Registration, principal: Principal) -> None:
    """Refuse to tell more about a registration than a look-up would.

    Raises:
        NotFoundError: the principal may not know of it.
    """
    if not registration.is_visible_to(principal):
        raise _unseen(registration.registration_id)


def _visible(found: Iterable[Registration], principal: Principal) -> list[Registration]:
    return [registration for registration in found if registration.is_visible_to(principal)]


def _unseen(registration_id: RegistrationId) -> NotFoundError:
    return NotFoundError(
        f"there is no registration {registration_id} to be seen here",
        what="registration",
        registration_id=registration_id,
    )
