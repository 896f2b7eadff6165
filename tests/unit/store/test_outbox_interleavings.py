"""Whatever the order of accept, batch, follow, revert, erase and reopening: no leaf is lost."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from functools import cache
from pathlib import Path

import builders
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from repository_adapters import (
    CONTRACT,
    NEVER,
    SENDER,
    add_batch,
    anchored_in,
    block_at,
    follow,
    open_sqlite,
)

from titledeed.canonical.merkle import MerkleTree
from titledeed.models.evidence import ClaimStatus
from titledeed.models.ledger import Submission, Tombstone
from titledeed.models.primitives import LeafHash, RegistrationId
from titledeed.models.registration import Batch, Registration

SEEDS = st.integers(0, 11)


@cache
def registration(seed: int, life: int) -> Registration:
    """What is registered again after an erasure has another leaf."""
    first = builders.build_registration(seed)
    return dataclasses.replace(
        first, leaf=LeafHash(builders.build_registration(100 * life + seed).leaf)
    )


class OutboxMachine(RuleBasedStateMachine):
    """The model: what lives, what waits, the batches, and which of them are settled."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="titledeed-outbox-"))
        self.store = open_sqlite(self.folder)
        self.lives = dict.fromkeys(range(12), 0)
        self.alive: dict[RegistrationId, Registration] = {}
        self.waiting: list[Registration] = []
        self.pending: list[tuple[Submission, Batch, list[LeafHash]]] = []
        self.settled: list[tuple[Submission, Batch, list[LeafHash]]] = []
        self.nonce = 0
        self.height = 0

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(seed=SEEDS)
    def accept(self, seed: int) -> None:
        item = registration(seed, self.lives[seed])
        self.store.registrations.accept(item, [])
        if item.registration_id not in self.alive:
            self.alive[item.registration_id] = item
            self.waiting.append(item)

    @rule(seed=SEEDS)
    def erase(self, seed: int) -> None:
        item = registration(seed, self.lives[seed])
        if self.alive.pop(item.registration_id, None) is not None:
            self.store.registrations.erase(Tombstone(item.registration_id, item.leaf, 1))
            self.lives[seed] += 1
            self.waiting = [other for other in self.waiting if other != item]

    @rule(seed=SEEDS)
    def import_(self, seed: int) -> None:
        bundle = builders.build_bundles([builders.build_dossier(seed)], sequence=900)[0]
        item = builders.build_registration(bundle.dossier, bundle=bundle, snapshot_id="s")
        self.store.registrations.add_imported(item, [])

    @precondition(lambda self: self.waiting)
    @rule(limit=st.integers(1, 4))
    def add_batch(self, limit: int) -> None:
        taken = self.store.outbox.list_waiting(limit)
        assert self.store.outbox.next_nonce(SENDER, 0) == self.nonce
        leaves = [leaf for _, leaf in taken]
        batch = Batch(
            root=MerkleTree(leaves).root,
            registration_ids=tuple(found for found, _ in taken),
            sender=SENDER,
            attempts=(builders.build_transaction(self.nonce),),
        )
        self.pending.append((add_batch(self.store, batch, 1), batch, leaves))
        self.nonce += 1
        self.waiting = [one for one in self.waiting if one.leaf not in leaves]

    @precondition(lambda self: self.pending)
    @rule(choice=st.integers(0, 100))
    def settle(self, choice: int) -> None:
        submission, batch, leaves = self.pending.pop(choice % len(self.pending))
        self.height += 1
        block = block_at(self.height)
        event = anchored_in(block, len(self.settled) + 1, batch)
        follow(self.store, block, event)
        self.settled.append((submission, batch, leaves))

    @precondition(lambda self: self.pending)
    @rule(choice=st.integers(0, 100))
    def revert(self, choice: int) -> None:
        submission, batch, leaves = self.pending.pop(choice % len(self.pending))
        self.store.outbox.mark_reverted(submission, "refused")
        freed = [item for item in self.alive.values() if item.leaf in leaves]
        assert len(freed) <= len(batch.registration_ids)
        self.waiting += freed

    @precondition(lambda self: self.settled)
    @rule(depth=st.integers(1, 3))
    def reorganise(self, depth: int) -> None:
        """Forget the last blocks, each of which held one anchor."""
        gone = self.settled[-depth:]
        del self.settled[-depth:]
        self.height -= len(gone)
        self.store.followed.advance(
            contracts=[CONTRACT],
            fork=self.height,
            blocks=[],
            events=[],
            confirmations=NEVER,
        )
        self.pending += gone

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = open_sqlite(self.folder)

    @invariant()
    def every_leaf_has_exactly_one_place(self) -> None:
        outbox, registrations = self.store.outbox, self.store.registrations
        listed = outbox.list_waiting(100)
        assert sorted(listed) == sorted((one.registration_id, one.leaf) for one in self.waiting)
        pending = sorted((one for one, *_ in self.pending), key=lambda found: found.nonce)
        assert outbox.list_pending() == pending
        for submission, batch, leaves in self.pending + self.settled:
            stored = outbox.find_submission(submission.submission_id)
            assert stored is not None
            assert (stored.root, stored.attempts) == (batch.root, batch.attempts)
            assert outbox.list_leaves(batch.root) == leaves
        own = [found for _, found in registrations.list_own(after=0, limit=100)]
        assert {found.registration_id: found.leaf for found in own} == {
            one.registration_id: one.leaf for one in self.alive.values()
        }
        included = {leaf for *_, leaves in self.settled for leaf in leaves}
        waiting = {item.leaf for item in self.waiting}
        for found in own:
            assert (found.status is ClaimStatus.INCLUDED) == (found.leaf in included)
            assert (found.leaf_index is None) == (found.leaf in waiting)


TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = settings(
    max_examples=8,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
