"""Erasing a registration: what opens its leaf is destroyed, the leaf stays on chain.

The order makes a crash harmless: first a tombstone among the objects, so that no rebuild brings the
registration back; then the signed copy, whose place only the row knows; then the row; last what is
found by the id alone. The same call again finishes what an earlier one began.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from titledeed.errors import NotFoundError
from titledeed.models.ledger import Tombstone
from titledeed.models.primitives import RegistrationId
from titledeed.models.registration import Registration
from titledeed.ports import Clock, RegistrationRepository
from titledeed.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure left.

    Attributes:
        signed_path: the signed copy that was deleted, or kept; None where there was none.
        kept_signed_copy: whether it was kept: it holds the claim and names the registration.
    """

    tombstone: Tombstone
    signed_path: str | None
    kept_signed_copy: bool


class ErasureService:
    """Erases own registrations, for good.

    Args:
        registrations: lose the row and the fingerprints.
        vault: loses dossier, bundle, thumbnail and signed copy.
        clock: dates the tombstone.
        turn: keeps a backup from being taken half way.
    """

    def __init__(
        self,
        *,
        registrations: RegistrationRepository,
        vault: Vault,
        clock: Clock,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._registrations = registrations
        self._vault = vault
        self._clock = clock
        self._turn = turn

    def erase(self, registration_id: RegistrationId, *, keep_signed_copy: bool = False) -> Erased:
        """Erase a registration; nobody, this home included, can open its leaf afterwards.

        Backups and bundles that were handed out are not reached. Proofs of the other leaves of its
        batch still hold.

        Raises:
            NotFoundError: this home registered nothing under the id, and erased nothing.
            StorageError: a file cannot be deleted; the same call again goes on.
        """
        with self._turn(), self._registrations.hold(registration_id):
            found = self._registrations.find(registration_id)
            if found is None or not found.is_own:
                tombstone = self._require_tombstone(registration_id)
                self._vault.forget(registration_id, is_imported=found is not None)
                return Erased(tombstone, None, kept_signed_copy=False)
            return self._erase(found, keep_signed_copy=keep_signed_copy)

    def _erase(self, registration: Registration, *, keep_signed_copy: bool) -> Erased:
        tombstone = Tombstone(registration.registration_id, registration.leaf, self._clock())
        self._vault.tombstones.keep(tombstone)
        if registration.signed_path is not None and not keep_signed_copy:
            self._vault.signed_copies.delete(registration.signed_path)
        self._registrations.erase(tombstone)
        self._vault.forget(registration.registration_id)
        return Erased(tombstone, registration.signed_path, keep_signed_copy)

    def _require_tombstone(self, registration_id: RegistrationId) -> Tombstone:
        tombstone = self._registrations.find_tombstone(registration_id)
        if tombstone is None:
            raise NotFoundError(
                f"this home registered nothing as {registration_id}",
                next_step="`titledeed registration list` shows what it registered.",
                what="registration",
                registration_id=registration_id,
            )
        return tombstone
