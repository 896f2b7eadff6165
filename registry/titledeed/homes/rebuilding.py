"""Rebuilding the database from the object store and the chain.

Works on an empty database; whoever calls puts it in the place of the old one once it is whole. The
rows come out as they were, except row numbers and what lived in the database alone: tokens, jobs,
what was being signed, acts that this home paid for, and when a transaction was last sent.

An object that is missing or damaged is told and left out. A leaf whose dossier is lost keeps its
place in its batch, so that the proofs of the others hold and nothing is anchored twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from titledeed.anchoring.following import FollowingService, iter_events
from titledeed.errors import MalformedDocumentError
from titledeed.homes.salvage import FoundDossier, Salvage, SalvageFinding, SalvageProblem
from titledeed.models.evidence import SignedTransaction
from titledeed.models.ledger import Anchored, LedgerEvent, Tombstone
from titledeed.models.primitives import Address, LeafHash, MerkleRoot, RegistrationId
from titledeed.models.registration import Registration
from titledeed.ports import (
    ChainRepository,
    Clock,
    FingerprintRepository,
    Ledger,
    OutboxRepository,
    Progress,
    RegistrationRepository,
    SnapshotRepository,
    no_progress,
)
from titledeed.proofs.bundles import BundleChecker
from titledeed.vault.batches import KeptBatch
from titledeed.vault.dossiers import KeptDossier
from titledeed.vault.listing import list_bundle, list_dossier
from titledeed.vault.vault import Vault

CHUNK: Final = 256
REFUSED: Final = "the contract refused the anchor transaction"
_UNPLACED: Final = (2**63, 0)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild brought back.

    Attributes:
        events: of the contract, all that the chain holds.
        block: up to which the chain was followed.
    """

    registrations: int
    imported: int
    erased: int
    batches: int
    events: int
    block: int
    findings: tuple[SalvageFinding, ...]


@dataclass(frozen=True, slots=True)
class _Anchoring:
    """One call that anchored a batch, or should have."""

    kept: KeptBatch
    attempts: tuple[SignedTransaction, ...]
    is_pending: bool
    is_reverted: bool

    @property
    def order(self) -> tuple[bool, int, int]:
        # Of two that were signed for one nonce only the later, larger one was ever sent.
        return self.is_pending, self.attempts[0].nonce, -len(self.kept.leaves)


class RebuildingService:
    """Fills an empty database.

    Args:
        vault: what the home kept.
        checker: of bundles and dossiers.
        registrations: of the empty database, like the next four.
        fingerprints: gets the codes made after registrations.
        outbox: gets the batches.
        chain: gets the events.
        snapshots: gets the imports.
        following: on the same ``chain``.
        ledger: asked what became of batches that no event tells of.
        clock: when pending batches count as last sent.
        place_copy: where the signed copy of a registration lies now, given where it was put.
    """

    def __init__(
        self,
        *,
        vault: Vault,
        checker: BundleChecker,
        registrations: RegistrationRepository,
        fingerprints: FingerprintRepository,
        outbox: OutboxRepository,
        chain: ChainRepository,
        snapshots: SnapshotRepository,
        following: FollowingService,
        ledger: Ledger,
        clock: Clock,
        place_copy: Callable[[RegistrationId, str], str],
    ) -> None:
        self._vault = vault
        self._checker = checker
        self._registrations = registrations
        self._fingerprints = fingerprints
        self._outbox = outbox
        self._chain = chain
        self._snapshots = snapshots
        self._following = following
        self._ledger = ledger
        self._clock = clock
        self._place_copy = place_copy

    def rebuild(self, progress: Progress = no_progress) -> Rebuilt:
        """Bring back everything that objects and chain tell.

        Raises:
            LedgerUnavailableError: the chain does not answer.
            LedgerError: the chain's answers do not fit together.
            StorageError: the new database cannot be written.
        """
        cursor = self._following.follow(progress)
        salvage = Salvage(self._vault, self._checker)
        tombstones = salvage.read_tombstones()
        kept = list(salvage.read_batches().values())
        dossiers = salvage.check_dossiers({stone.leaf for stone in tombstones}, progress)
        anchored = list(self._iter_anchored())
        self._tell_lost_batches(anchored, kept, salvage)
        _sort(dossiers, kept)
        late_ids = _find_late(dossiers, tombstones, kept)
        self._accept([d for d in dossiers if d.registration_id not in late_ids], progress)
        late: dict[LeafHash, FoundDossier | Tombstone] = {
            found.leaf: found for found in dossiers if found.registration_id in late_ids
        }
        late |= {stone.leaf: stone for stone in tombstones}
        known = {found.leaf for found in dossiers} | late.keys()
        events = {(found.root, found.caller): event for event, found in anchored}
        restored = self._restore_batches(kept, events, late, known, salvage)
        for left in late.values():
            self._add(left)
        self._add_later_codes(dossiers, salvage)
        return Rebuilt(
            registrations=len(dossiers),
            imported=self._restore_imports(salvage, {one.registration_id for one in dossiers}),
            erased=len(tombstones),
            batches=restored,
            events=cursor.sequence,
            block=cursor.block.number,
            findings=tuple(salvage.findings),
        )

    def _tell_lost_batches(
        self,
        events: Iterable[tuple[LedgerEvent, Anchored]],
        batches: Sequence[KeptBatch],
        salvage: Salvage,
    ) -> None:
        roots = {kept.batch.root for kept in batches}
        senders = {kept.batch.sender for kept in batches} | {self._ledger.sender}
        for _, anchored in events:
            if anchored.caller in senders and anchored.root not in roots:
                salvage.tell(
                    SalvageProblem.MISSING,
                    self._vault.batches.name(anchored.root),
                    f"{anchored.size} leaves that this home anchored; their registrations wait "
                    "for another anchor",
                )

    def _accept(self, dossiers: Sequence[FoundDossier], progress: Progress) -> None:
        for start in range(0, len(dossiers), CHUNK):
            kept = [
                self._vault.dossiers.read_kept(found.registration_id)
                for found in dossiers[start : start + CHUNK]
            ]
            self._registrations.accept_many(
                [(self._list(one), one.dossier.fingerprints) for one in kept]
            )
            progress("Listing registrations", min(start + CHUNK, len(dossiers)) / len(dossiers))

    def _list(self, kept: KeptDossier) -> Registration:
        path = kept.signed_path
        if path is not None:
            path = self._place_copy(kept.dossier.registration_id, path)
        return list_dossier(
            kept.dossier,
            visibility=kept.visibility,
            accepted_at=kept.accepted_at,
            signed_path=path,
        )

    def _restore_batches(
        self,
        batches: Iterable[KeptBatch],
        events: Mapping[tuple[MerkleRoot, Address], LedgerEvent],
        late: dict[LeafHash, FoundDossier | Tombstone],
        known: set[LeafHash],
        salvage: Salvage,
    ) -> int:
        """Add the batches as they were sent.

        Args:
            batches: as they were kept, in any order.
            events: that anchored a root, by root and caller.
            late: what is added just before the batch that holds it; takes away what was added.
            known: leaves that are listed or in ``late``.
            salvage: told of leaves whose dossier is lost.
        """
        calls = [
            call
            for kept in batches
            for call in self._find_calls(kept, events.get((kept.batch.root, kept.batch.sender)))
        ]
        placed: set[LeafHash] = set()
        restored = 0
        for call in sorted(calls, key=lambda call: call.order):
            leaves = set(call.kept.leaves)
            if call.is_pending and not placed.isdisjoint(leaves):
                continue  # it was signed and never sent: its leaves went with another batch
            self._prepare(call.kept, late, known, salvage)
            self._restore(call, salvage)
            if not call.is_reverted:
                placed |= leaves
                restored += 1
        return restored

    def _find_calls(self, kept: KeptBatch, event: LedgerEvent | None) -> Iterator[_Anchoring]:
        """A root has one call for each nonce: all but the last were refused by the contract."""
        for _, group in groupby(
            sorted(kept.batch.attempts, key=lambda attempt: attempt.nonce),
            key=lambda attempt: attempt.nonce,
        ):
            attempts = tuple(group)
            if event is not None and event.transaction in {one.hash for one in attempts}:
                yield _Anchoring(kept, attempts, is_pending=False, is_reverted=False)
                return
            is_reverted = self._was_refused(attempts)
            yield _Anchoring(kept, attempts, not is_reverted, is_reverted)

    def _was_refused(self, attempts: Iterable[SignedTransaction]) -> bool:
        receipts = (self._ledger.find_receipt(attempt.hash) for attempt in attempts)
        return any(receipt is not None and not receipt.succeeded for receipt in receipts)

    def _prepare(
        self,
        kept: KeptBatch,
        late: dict[LeafHash, FoundDossier | Tombstone],
        known: set[LeafHash],
        salvage: Salvage,
    ) -> None:
        """Let every leaf of a batch have a row to be placed on."""
        for registration_id, leaf in zip(kept.batch.registration_ids, kept.leaves, strict=True):
            if leaf in late:
                self._add(late.pop(leaf))
            elif leaf not in known:
                known.add(leaf)
                salvage.tell_lost(registration_id)
                self._add(Tombstone(registration_id, leaf, self._clock()))

    def _restore(self, call: _Anchoring, salvage: Salvage) -> None:
        batch = replace(call.kept.batch, attempts=call.attempts)
        submission = self._outbox.add_batch(
            batch, contract=self._ledger.identity.contract, sent_at=self._clock()
        )
        if call.is_reverted:
            self._outbox.mark_reverted(submission, REFUSED)
        elif self._outbox.list_leaves(batch.root) != list(call.kept.leaves):
            detail = "its leaves are not those of the dossiers that it names"
            salvage.tell(SalvageProblem.CONTRADICTS, self._vault.batches.name(batch.root), detail)

    def _add(self, found: FoundDossier | Tombstone) -> None:
        if isinstance(found, Tombstone):
            self._registrations.add_tombstone(found)
            return
        kept = self._vault.dossiers.read_kept(found.registration_id)
        self._registrations.accept(self._list(kept), kept.dossier.fingerprints)

    def _add_later_codes(self, dossiers: Iterable[FoundDossier], salvage: Salvage) -> None:
        for found in dossiers:
            try:
                later = self._vault.later_fingerprints.read(found.registration_id)
            except MalformedDocumentError as error:
                key = self._vault.later_fingerprints.name(found.registration_id)
                salvage.tell(SalvageProblem.DAMAGED, key, error.message)
                continue
            self._fingerprints.add(found.registration_id, later.codes)

    def _restore_imports(self, salvage: Salvage, own: Collection[RegistrationId]) -> int:
        added = 0
        for kept in salvage.read_imports():
            self._snapshots.add(kept.coverage)
            for bundle, accepted_at in salvage.iter_imported(kept, own):
                listed = list_bundle(bundle, kept.coverage.snapshot_id, accepted_at=accepted_at)
                added += self._registrations.add_imported(listed, bundle.dossier.fingerprints)
        return added

    def _iter_anchored(self) -> Iterator[tuple[LedgerEvent, Anchored]]:
        for event in iter_events(self._chain, self._ledger.identity.contract):
            if isinstance(event.body, Anchored):
                yield event, event.body


def _sort(dossiers: list[FoundDossier], batches: Iterable[KeptBatch]) -> None:
    """In the order of acceptance: by the second, and within it as the batches took them."""
    places = {
        leaf: (kept.batch.attempts[0].nonce, index)
        for kept in batches
        for index, leaf in enumerate(kept.leaves)
    }
    dossiers.sort(key=lambda found: (found.accepted_at, *places.get(found.leaf, _UNPLACED)))


def _find_late(
    dossiers: Iterable[FoundDossier],
    tombstones: Iterable[Tombstone],
    batches: Iterable[KeptBatch],
) -> Collection[RegistrationId]:
    """Ids that stand in batches with more than one leaf.

    What was erased may have been registered again: each leaf has to meet its own batch.
    """
    leaves = {found.registration_id: found.leaf for found in dossiers}
    return {stone.registration_id for stone in tombstones} | {
        registration_id
        for kept in batches
        for registration_id, leaf in zip(kept.batch.registration_ids, kept.leaves, strict=True)
        if leaves.get(registration_id, leaf) != leaf
    }
