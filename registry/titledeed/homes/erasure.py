"""Erasing a registration: what opens its leaf is destroyed, the leaf stays on chain.

The order makes a crash harmless: first a tombstone among the objects, so that no rebuild brings the
registration back; then the signed copy, whose place only the row knows; then the row; last what is
found by the id alone. The same call again finishes what an earlier one began.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from titledeed.anchoring.batching import bundle_key
from titledeed.errors import NotFoundError, StorageError
from titledeed.models.ledger import Tombstone
from titledeed.models.primitives import RegistrationId
from titledeed.models.registration import Registration
from titledeed.ports import Clock, ObjectStore, RegistrationRepository
from titledeed.services.acceptance import thumbnail_key
from titledeed.services.reindexing import later_codes_key
from titledeed.vault.dossiers import dossier_key, keep_tombstone


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
        objects: lose dossier, bundle and thumbnail.
        signed_folder: this home's own folder of signed copies.
        clock: dates the tombstone.
        turn: keeps a backup from being taken half way.
    """

    def __init__(
        self,
        *,
        registrations: RegistrationRepository,
        objects: ObjectStore,
        signed_folder: Path,
        clock: Clock,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._registrations = registrations
        self._objects = objects
        self._signed_folder = signed_folder
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
                self._delete_objects(registration_id, is_imported=found is not None)
                return Erased(tombstone, None, kept_signed_copy=False)
            return self._erase(found, keep_signed_copy=keep_signed_copy)

    def _erase(self, registration: Registration, *, keep_signed_copy: bool) -> Erased:
        tombstone = Tombstone(registration.registration_id, registration.leaf, self._clock())
        keep_tombstone(self._objects, tombstone)
        if registration.signed_path is not None and not keep_signed_copy:
            self._delete_copy(Path(registration.signed_path))
        self._registrations.erase(tombstone)
        self._delete_objects(registration.registration_id, is_imported=False)
        return Erased(tombstone, registration.signed_path, keep_signed_copy)

    def _delete_objects(self, registration_id: RegistrationId, *, is_imported: bool) -> None:
        for key in (dossier_key, thumbnail_key, later_codes_key):
            self._objects.delete(key(registration_id))
        if not is_imported:  # then the bundle is what the import brought
            self._objects.delete(bundle_key(registration_id))

    def _require_tombstone(self, registration_id: RegistrationId) -> Tombstone:
        tombstone = self._registrations.find_tombstone(registration_id)
        if tombstone is None:
            raise NotFoundError(
                f"this home registered nothing as {registration_id}",
                next_step="`titledeed registration list` shows what it registered.",
            )
        return tombstone

    def _delete_copy(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(
                f"the signed copy {path} cannot be deleted: {error.strerror}",
                next_step="Make its folder writable, then erase again.",
            ) from error
        if path.parent.parent == self._signed_folder:
            with suppress(OSError):  # somebody put a file of their own there
                path.parent.rmdir()
