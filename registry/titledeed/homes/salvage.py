"""Reading everything that a home kept as objects, and telling what is missing or damaged."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from titledeed.canonical.leaves import leaf_of_record
from titledeed.canonical.merkle import MerkleTree
from titledeed.errors import MalformedDocumentError, NotFoundError, VerificationError
from titledeed.models.bundle import Bundle
from titledeed.models.ledger import Tombstone
from titledeed.models.primitives import LeafHash, MerkleRoot, RegistrationId
from titledeed.ports import Progress
from titledeed.proofs.bundles import BundleChecker
from titledeed.proofs.signatures import check_claim
from titledeed.vault.batches import KeptBatch
from titledeed.vault.dossiers import KeptDossier
from titledeed.vault.imports import KeptImport
from titledeed.vault.vault import Vault

_UNREADABLE: Final = (MalformedDocumentError, VerificationError)


class SalvageProblem(StrEnum):
    """What can be wrong with an object."""

    MISSING = "missing"
    DAMAGED = "damaged"
    CONTRADICTS = "contradicts"


@dataclass(frozen=True, slots=True)
class SalvageFinding:
    """An object that could not be used as it is.

    Attributes:
        key: its name in the object store.
        detail: one sentence for a person.
    """

    problem: SalvageProblem
    key: str
    detail: str


@dataclass(frozen=True, slots=True)
class FoundDossier:
    """A dossier that is whole, without its bulk."""

    registration_id: RegistrationId
    leaf: LeafHash
    accepted_at: int


class Salvage:
    """One pass over an object store. What derives from other objects is made anew.

    Attributes:
        findings: so far.
    """

    def __init__(self, vault: Vault, checker: BundleChecker) -> None:
        self._vault = vault
        self._checker = checker
        self.findings: list[SalvageFinding] = []

    def tell(self, problem: SalvageProblem, key: str, detail: str) -> None:
        """Add a finding."""
        self.findings.append(SalvageFinding(problem, key, detail))

    def read_tombstones(self) -> list[Tombstone]:
        """All that was erased, oldest first."""
        found = []
        for key in self._vault.tombstones.list_names():
            try:
                found.append(self._vault.tombstones.read(key))
            except MalformedDocumentError as error:
                self.tell(SalvageProblem.DAMAGED, key, error.message)
        return sorted(found, key=lambda tombstone: tombstone.erased_at)

    def read_batches(self) -> dict[MerkleRoot, KeptBatch]:
        """All batches whose leaves lead to their root."""
        found = {}
        for key in self._vault.batches.list_names():
            try:
                kept = self._vault.batches.read_named(key)
                self._check_tree(kept)
            except MalformedDocumentError as error:
                self.tell(SalvageProblem.DAMAGED, key, error.message)
            else:
                found[kept.batch.root] = kept
        return found

    def check_dossiers(
        self, buried: Collection[LeafHash], progress: Progress
    ) -> list[FoundDossier]:
        """All dossiers that are whole, by id, but for those that were being erased."""
        ids = self._vault.dossiers.list_ids()
        thumbnails = set(self._vault.thumbnails.list_ids())
        found = []
        for done, registration_id in enumerate(ids, 1):
            kept = self._check_dossier(registration_id)
            progress("Checking dossiers", done / len(ids))
            if kept is None:
                continue
            leaf = leaf_of_record(kept.dossier.record, kept.dossier.salts)
            if leaf in buried:
                detail = f"its erasure was interrupted: run `titledeed erase {registration_id}`"
                name = self._vault.dossiers.name(registration_id)
                self.tell(SalvageProblem.CONTRADICTS, name, detail)
                continue
            if kept.dossier.record.facts.width and registration_id not in thumbnails:
                picture = self._vault.thumbnails.name(registration_id)
                self.tell(SalvageProblem.MISSING, picture, "the work is listed without its picture")
            found.append(FoundDossier(registration_id, leaf, kept.accepted_at))
        return found

    def tell_lost(self, registration_id: RegistrationId) -> None:
        """A batch names a registration of which no dossier is left."""
        key = self._vault.dossiers.name(registration_id)
        if all(finding.key != key for finding in self.findings):
            detail = "the dossier of a leaf that was anchored; restore it from a backup"
            self.tell(SalvageProblem.MISSING, key, detail)

    def read_imports(self) -> list[KeptImport]:
        """What imports brought, in the order in which they did."""
        found = []
        for key in self._vault.imports.list_names():
            try:
                found.append(self._vault.imports.read(key))
            except MalformedDocumentError as error:
                self.tell(SalvageProblem.DAMAGED, key, error.message)
        return sorted(found, key=lambda kept: [at for _, at in kept.accepted])

    def iter_imported(
        self, kept: KeptImport, own: Collection[RegistrationId]
    ) -> Iterator[tuple[Bundle, int]]:
        """The bundles of an import that hold, and when each was accepted.

        Args:
            kept: the import.
            own: what this home registered itself since: the bundle is its own now.
        """
        for registration_id, accepted_at in kept.accepted:
            if registration_id in own:
                continue
            key = self._vault.bundles.name(registration_id)
            try:
                bundle = self._vault.bundles.read(registration_id)
                self._checker.require(bundle)
                yield bundle, accepted_at
            except NotFoundError:
                self.tell(SalvageProblem.MISSING, key, "an imported registration; import it again")
            except _UNREADABLE as error:
                detail = f"an imported registration; import it again: {error.message}"
                self.tell(SalvageProblem.DAMAGED, key, detail)

    def _check_tree(self, kept: KeptBatch) -> None:
        tree = MerkleTree(kept.leaves) if kept.leaves else None
        if tree is None or tree.root != kept.batch.root or not kept.batch.attempts:
            raise MalformedDocumentError("its leaves do not lead to its root")
        key = self._vault.batches.name_paths(tree.root)
        try:
            if self._vault.batches.has_paths(tree):
                return
            self.tell(SalvageProblem.DAMAGED, key, "the proofs were made anew from the leaves")
        except NotFoundError:
            self.tell(SalvageProblem.MISSING, key, "the proofs were made anew from the leaves")
        self._vault.batches.keep_paths(tree)

    def _check_dossier(self, registration_id: RegistrationId) -> KeptDossier | None:
        try:
            kept = self._vault.dossiers.read_kept(registration_id)
            self._checker.require_attachments(kept.dossier)
            check_claim(kept.dossier.record.signed_claim)
        except _UNREADABLE as error:
            name = self._vault.dossiers.name(registration_id)
            self.tell(SalvageProblem.DAMAGED, name, error.message)
            return None
        try:
            self._vault.bundles.read(registration_id)
        except NotFoundError:
            pass  # the rebuild completes it anew, once its batch is in a block
        except MalformedDocumentError as error:
            key = self._vault.bundles.name(registration_id)
            self._vault.bundles.delete(registration_id)
            detail = f"the bundle is made anew: {error.message}"
            self.tell(SalvageProblem.DAMAGED, key, detail)
        return kept
