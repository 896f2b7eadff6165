"""All that a home keeps beside its database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from titledeed.models.primitives import RegistrationId
from titledeed.ports import ObjectStore
from titledeed.vault.batches import Batches
from titledeed.vault.bundles import Bundles
from titledeed.vault.dossiers import Dossiers, KeptDossier, encode_kept
from titledeed.vault.imports import Imports
from titledeed.vault.later_codes import LaterFingerprints
from titledeed.vault.reports import Reports
from titledeed.vault.signed_copies import SignedCopies
from titledeed.vault.thumbnails import Thumbnails
from titledeed.vault.tombstones import Tombstones


@dataclass(frozen=True, slots=True)
class Vault:
    """Typed objects over one object store, and the files that are too large for it."""

    objects: ObjectStore
    dossiers: Dossiers
    bundles: Bundles
    batches: Batches
    imports: Imports
    later_fingerprints: LaterFingerprints
    thumbnails: Thumbnails
    tombstones: Tombstones
    signed_copies: SignedCopies
    reports: Reports

    @classmethod
    def over(cls, objects: ObjectStore, *, signed: Path, reports: Path) -> Self:
        """A vault over an object store.

        Args:
            objects: keeps what is small.
            signed: folder of this home's own signed copies.
            reports: folder of this home's own audit reports.
        """
        return cls(
            objects=objects,
            dossiers=Dossiers(objects),
            bundles=Bundles(objects),
            batches=Batches(objects),
            imports=Imports(objects),
            later_fingerprints=LaterFingerprints(objects),
            thumbnails=Thumbnails(objects),
            tombstones=Tombstones(objects),
            signed_copies=SignedCopies(folder=signed),
            reports=Reports(folder=reports),
        )

    def keep_accepted(self, works: Sequence[tuple[KeptDossier, bytes]]) -> None:
        """Keep dossiers and thumbnails of many works with one wait for the disk.

        Args:
            works: each with its thumbnail, JPEG; empty for sound.

        Raises:
            StorageError: the disk is full or damaged; some may then be kept and others not.
        """
        objects = {}
        for kept, thumbnail in works:
            registration_id = kept.dossier.registration_id
            if thumbnail:
                objects[self.thumbnails.name(registration_id)] = thumbnail
            objects[self.dossiers.name(registration_id)] = encode_kept(kept)
        self.objects.put_many(objects)

    def forget(self, registration_id: RegistrationId, *, is_imported: bool = False) -> None:
        """Forget everything that is found by the id alone; a tombstone stays.

        Args:
            registration_id: of a registration whose row is gone.
            is_imported: whether another home's registration has the id: then the bundle is its.

        Raises:
            StorageError: an object cannot be deleted; the same call again goes on.
        """
        self.dossiers.delete(registration_id)
        self.thumbnails.delete(registration_id)
        self.later_fingerprints.delete(registration_id)
        if not is_imported:
            self.bundles.delete(registration_id)
