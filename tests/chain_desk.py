"""A home's sender, follower and anchoring on a real database, and a chain that can misbehave."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import builders
from repository_adapters import open_sqlite
from vaults import open_store, open_vault

from titledeed.anchoring.batching import COMPANY_POLL_S, AnchoringService
from titledeed.anchoring.completion import BundleCompletion
from titledeed.anchoring.following import FollowingService
from titledeed.anchoring.reading import STEP_BLOCKS, STRETCH_BLOCKS
from titledeed.anchoring.sending import ATTEMPTS_MAX, SendingService
from titledeed.models.ledger import Confirmations, Cursor, LedgerEvent, RelayedAct, WithdrawLeaf
from titledeed.models.primitives import Address, LeafHash, RegistrationId, Signature
from titledeed.models.registration import Registration, Visibility
from titledeed.ports import Ledger, TimestampAuthority
from titledeed.store.locking import hold_lock
from titledeed.vault.batches import BATCH_LEAVES_MAX
from titledeed.vault.dossiers import KeptDossier

CONFIRMATIONS = Confirmations(safe=2, final=4)

WRITER_TIMEOUT_S = 120.0
"""Several desks of one folder take turns, as processes do."""


@dataclass
class ManualClock:
    """A clock that stands until it is moved."""

    now: int = builders.EPOCH

    def __call__(self) -> int:
        return self.now


class Desk:
    """Everything between accepted rows and the chain, each part as ``bootstrap`` wires it.

    Args:
        folder: of the home; several desks may share one, as processes do.
        ledger: a simulator, or a real chain.
        clock: shared with whoever wants to move it.
        in_flight_max: as in the settings.
        batch_wait_s: as in the settings.
        waiting_max: as in the settings.
        company_max: as ``AnchoringService`` takes it.
        company_poll_s: as ``AnchoringService`` takes it.
        sleep: as ``AnchoringService`` takes it.
        replace_after_s: as in the settings.
        inclusion_timeout_s: as in the settings.
        attempts_max: as ``SendingService`` takes it.
        batch_leaves_max: as ``SendingService`` takes it.
        step_blocks: as ``FollowingService`` takes it.
        stretch_blocks: as ``FollowingService`` takes it.
        confirmations: of the chain.
        timestamps: as ``AnchoringService`` takes it.
    """

    def __init__(
        self,
        folder: Path,
        ledger: Ledger,
        *,
        clock: ManualClock | None = None,
        in_flight_max: int = 16,
        batch_wait_s: float = 0,
        waiting_max: int = 1_000_000,
        company_max: int = BATCH_LEAVES_MAX,
        company_poll_s: float = COMPANY_POLL_S,
        sleep: Callable[[float], None] = time.sleep,
        replace_after_s: float = 90,
        inclusion_timeout_s: float = 0.2,
        attempts_max: int = ATTEMPTS_MAX,
        batch_leaves_max: int = BATCH_LEAVES_MAX,
        step_blocks: int = STEP_BLOCKS,
        stretch_blocks: int = STRETCH_BLOCKS,
        confirmations: Confirmations = CONFIRMATIONS,
        timestamps: TimestampAuthority | None = None,
    ) -> None:
        self.folder = folder
        self.ledger = ledger
        self.confirmations = confirmations
        self.clock = clock or ManualClock()
        self.repositories = open_sqlite(folder, writer_timeout_s=WRITER_TIMEOUT_S)
        self.chain = self.repositories.followed
        self.outbox = self.repositories.outbox
        self.objects = open_store(folder)
        self.vault = open_vault(folder, self.objects)
        self.following = FollowingService(
            ledger=ledger,
            chain=self.chain,
            confirmations=confirmations,
            turn=self._follower_turn,
            step_blocks=step_blocks,
            stretch_blocks=stretch_blocks,
        )
        self.sending = SendingService(
            ledger=ledger,
            outbox=self.outbox,
            vault=self.vault,
            following=self.following,
            clock=self.clock,
            replace_after_s=replace_after_s,
            in_flight_max=in_flight_max,
            inclusion_timeout_s=inclusion_timeout_s,
            attempts_max=attempts_max,
            batch_leaves_max=batch_leaves_max,
        )
        self.completion = BundleCompletion(
            ledger=ledger,
            completions=self.repositories.completions,
            vault=self.vault,
            timestamps=timestamps,
        )
        self.anchoring = AnchoringService(
            ledger=ledger,
            outbox=self.outbox,
            sending=self.sending,
            completion=self.completion,
            clock=self.clock,
            batch_wait_s=batch_wait_s,
            waiting_max=waiting_max,
            company_max=company_max,
            company_poll_s=company_poll_s,
            sleep=sleep,
        )

    def _follower_turn(self) -> AbstractContextManager[None]:
        path = self.folder / "locks" / "follower"
        return hold_lock(path, timeout_s=10, purpose="that follows the chain")

    def cursor(self, contract: Address | None = None) -> Cursor | None:
        """How far a contract was followed; the core by default."""
        return self.chain.cursor(contract or self.ledger.identity.contract)

    def list_events(self, contract: Address | None = None) -> list[LedgerEvent]:
        """All events of a contract that were followed; of the core by default."""
        followed = contract or self.ledger.identity.contract
        return self.chain.list_events(followed, after=0, limit=10_000)

    def close(self) -> None:
        self.repositories.close()

    def accept(self, *seeds: int) -> list[Registration]:
        """Accept the works with these seeds now."""
        dossiers = [builders.build_dossier(seed) for seed in seeds]
        for dossier in dossiers:
            kept = KeptDossier(dossier, Visibility.PRIVATE, self.clock(), None)
            self.vault.dossiers.keep(kept)
        rows = [builders.build_registration(one, accepted_at=self.clock()) for one in dossiers]
        return self.repositories.registrations.accept_many([(row, ()) for row in rows])

    def find(self, registration_id: RegistrationId) -> Registration:
        """An accepted registration as it is now."""
        found = self.repositories.registrations.find(registration_id)
        assert found is not None
        return found

    def find_all(self, registrations: Sequence[Registration]) -> list[Registration]:
        return [self.find(one.registration_id) for one in registrations]


def withdrawal(leaf: LeafHash, *, deadline: int = 2**40) -> RelayedAct:
    """A signed act; the simulator asks for no signature."""
    return RelayedAct(
        act=WithdrawLeaf(leaf),
        actor=builders.build_address(7),
        deadline=deadline,
        signature=Signature(b"\1" * 65),
    )
