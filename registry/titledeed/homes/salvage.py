"""Reading everything that a home kept as objects, and telling what is missing or damaged."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from titledeed.anchoring.batching import bundle_key, read_bundle
from titledeed.canonical.leaves import leaf_of_record
from titledeed.canonical.merkle import MerkleTree
from titledeed.errors import MalformedDocumentError, NotFoundError, VerificationError
from titledeed.models.evidence import Bundle
from titledeed.models.ledger import Tombstone
from titledeed.models.primitives import Keccak256, LeafHash, MerkleRoot, RegistrationId
from titledeed.ports import ObjectStore, Progress
from titledeed.proofs.signatures import check_claim
from titledeed.services.acceptance import thumbnail_key
from titledeed.services.evidence import check_attachments, require_bundle
from titledeed.vault.batches import KeptBatch, encode_proofs, proofs_key, read_batch
from titledeed.vault.dossiers import (
    DOSSIERS,
    TOMBSTONES,
    KeptDossier,
    dossier_key,
    read_kept,
    read_tombstone,
)
from titledeed.vault.imports import IMPORTS, KeptImport, read_import

BATCHES: Final = "batches/"
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

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self.findings: list[SalvageFinding] = []

    def tell(self, problem: SalvageProblem, key: str, detail: str) -> None:
        """Add a finding."""
        self.findings.append(SalvageFinding(problem, key, detail))

    def read_tombstones(self) -> list[Tombstone]:
        """All that was erased, oldest first."""
        found = []
        for key in self._objects.keys(TOMBSTONES):
            try:
                found.append(read_tombstone(self._objects, key))
            except MalformedDocumentError as error:
                self.tell(SalvageProblem.DAMAGED, key, error.message)
        return sorted(found, key=lambda tombstone: tombstone.erased_at)

    def read_batches(self) -> dict[MerkleRoot, KeptBatch]:
        """All batches whose leaves lead to their root."""
        found = {}
        for key in self._objects.keys(BATCHES):
            if not key.endswith(".json"):
                continue
            try:
                root = _root_in(key)
                kept = read_batch(self._objects, root)
                self._check_tree(kept)
            except MalformedDocumentError as error:
                self.tell(SalvageProblem.DAMAGED, key, error.message)
            else:
                found[root] = kept
        return found

    def check_dossiers(
        self, buried: Collection[LeafHash], progress: Progress
    ) -> list[FoundDossier]:
        """All dossiers that are whole, by id, but for those that were being erased."""
        keys = self._objects.keys(DOSSIERS)
        thumbnails = set(self._objects.keys("thumbnails/"))
        found = []
        for done, key in enumerate(keys, 1):
            kept = self._check_dossier(RegistrationId(key[len(DOSSIERS) :].removesuffix(".json")))
            progress("Checking dossiers", done / len(keys))
            if kept is None:
                continue
            registration_id = kept.dossier.registration_id
            leaf = leaf_of_record(kept.dossier.record, kept.dossier.salts)
            if leaf in buried:
                detail = f"its erasure was interrupted: run `titledeed erase {registration_id}`"
                self.tell(SalvageProblem.CONTRADICTS, key, detail)
                continue
            picture = thumbnail_key(registration_id)
            if kept.dossier.record.facts.width and picture not in thumbnails:
                self.tell(SalvageProblem.MISSING, picture, "the work is listed without its picture")
            found.append(FoundDossier(registration_id, leaf, kept.accepted_at))
        return found

    def tell_lost(self, registration_id: RegistrationId) -> None:
        """A batch names a registration of which no dossier is left."""
        key = dossier_key(registration_id)
        if all(finding.key != key for finding in self.findings):
            detail = "the dossier of a leaf that was anchored; restore it from a backup"
            self.tell(SalvageProblem.MISSING, key, detail)

    def read_imports(self) -> list[KeptImport]:
        """What imports brought, in the order in which they did."""
        found = []
        for key in self._objects.keys(IMPORTS):
            try:
                found.append(read_import(self._objects, key))
            except MalformedDocumentError as error:
                self.tell(SalvageProblem.DAMAGED, key, error.message)
        return sorted(found, key=lambda kept: [at for _, at in kept.accepted])

    def iter_imported(self, kept: KeptImport) -> Iterator[tuple[Bundle, int]]:
        """The bundles of an import that hold, and when each was accepted."""
        for registration_id, accepted_at in kept.accepted:
            key = bundle_key(registration_id)
            try:
                bundle = read_bundle(self._objects, registration_id)
                require_bundle(bundle)
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
        key, proofs = proofs_key(kept.batch.root), encode_proofs(tree)
        try:
            if self._objects.get(key) == proofs:
                return
            self.tell(SalvageProblem.DAMAGED, key, "the proofs were made anew from the leaves")
        except NotFoundError:
            self.tell(SalvageProblem.MISSING, key, "the proofs were made anew from the leaves")
        self._objects.put(key, proofs)

    def _check_dossier(self, registration_id: RegistrationId) -> KeptDossier | None:
        try:
            kept = read_kept(self._objects, registration_id)
            check_attachments(kept.dossier)
            check_claim(kept.dossier.record.signed_claim)
        except _UNREADABLE as error:
            self.tell(SalvageProblem.DAMAGED, dossier_key(registration_id), error.message)
            return None
        try:
            read_bundle(self._objects, registration_id)
        except NotFoundError:
            pass  # it is made when it is first asked for
        except MalformedDocumentError as error:
            key = bundle_key(registration_id)
            self._objects.delete(key)
            detail = f"the bundle is made anew when it is next asked for: {error.message}"
            self.tell(SalvageProblem.DAMAGED, key, detail)
        return kept


def _root_in(key: str) -> MerkleRoot:
    try:
        return MerkleRoot(Keccak256(bytes.fromhex(key[len(BATCHES) :].removesuffix(".json"))))
    except ValueError as error:
        raise MalformedDocumentError(f"{key} is named for no root") from error
