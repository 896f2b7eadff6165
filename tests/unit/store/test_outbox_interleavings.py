"""Whatever the order of accept, batch, settle and reopening: no leaf is lost, none is doubled."""

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

from titledeed.models.evidence import ClaimStatus
from titledeed.models.primitives import RegistrationId
from titledeed.models.registration import Batch, Registration
from titledeed.store.database import sqlite_url
from titledeed.store.repositories import SqlRepositories

SEEDS = st.integers(0, 15)


@cache
def registration(seed: int) -> Registration:
    return builders.build_registration(seed)


@cache
def empty_database() -> bytes:
    """Migrating once is enough."""
    with tempfile.TemporaryDirectory() as folder:
        open_store(Path(folder)).close()
        return (Path(folder) / "store.sqlite3").read_bytes()


def open_store(folder: Path) -> SqlRepositories:
    return SqlRepositories(url=sqlite_url(folder / "store.sqlite3"), lock_path=folder / "lock")


class OutboxMachine(RuleBasedStateMachine):
    """The model: one list of waiting ids, the batches, and which of them are settled."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="titledeed-outbox-"))
        (self.folder / "store.sqlite3").write_bytes(empty_database())
        self.store = open_store(self.folder)
        self.waiting: list[RegistrationId] = []
        self.unsettled: list[Batch] = []
        self.settled: list[Batch] = []

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(seed=SEEDS)
    def accept(self, seed: int) -> None:
        item = registration(seed)
        self.store.registrations.accept(item, [])
        if item.registration_id not in self._placed() and item.registration_id not in self.waiting:
            self.waiting.append(item.registration_id)

    @rule(seed=SEEDS)
    def import_(self, seed: int) -> None:
        bundle = builders.build_bundles([builders.build_dossier(seed)], sequence=900)[0]
        item = builders.build_registration(bundle.dossier, bundle=bundle, snapshot_id="s")
        self.store.registrations.add_imported(item, [])

    @precondition(lambda self: self.waiting)
    @rule(limit=st.integers(1, 4))
    def add_batch(self, limit: int) -> None:
        taken = self.store.outbox.list_waiting(limit)
        sender = builders.build_batch([registration(0)]).sender
        nonce = self.store.outbox.next_nonce(sender, 0)
        assert nonce == len(self.unsettled) + len(self.settled)
        by_id = {registration(seed).registration_id: registration(seed) for seed in range(16)}
        batch = builders.build_batch([by_id[found] for found, _ in taken], nonce=nonce)
        self.store.outbox.add_batch(batch)
        self.unsettled.append(batch)
        del self.waiting[: len(taken)]

    @precondition(lambda self: self.unsettled)
    @rule(choice=st.integers(0, 100), again=st.booleans())
    def settle(self, choice: int, *, again: bool) -> None:
        batch = self.unsettled.pop(choice % len(self.unsettled))
        proof = builders.build_anchor(
            batch.root, len(batch.registration_ids), sequence=batch.transaction.nonce + 1
        )
        for _ in range(1 + again):
            self.store.outbox.settle(batch, proof)
        self.settled.append(dataclasses.replace(batch, anchor=proof))

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = open_store(self.folder)

    @invariant()
    def every_leaf_has_exactly_one_place(self) -> None:
        outbox, registrations = self.store.outbox, self.store.registrations
        assert [found for found, _ in outbox.list_waiting(100)] == self.waiting
        assert outbox.list_unsettled() == self.unsettled_by_nonce()
        for batch in self.settled:
            assert outbox.find_batch(batch.root) == batch
        placed = self._placed()
        assert len(placed) == len(set(placed))
        assert registrations.count_own() == len(placed) + len(self.waiting)
        included = {found for batch in self.settled for found in batch.registration_ids}
        for registration_id in placed:
            found = registrations.find(registration_id)
            assert found is not None
            assert (found.status is ClaimStatus.INCLUDED) == (registration_id in included)

    def unsettled_by_nonce(self) -> list[Batch]:
        return sorted(self.unsettled, key=lambda batch: batch.transaction.nonce)

    def _placed(self) -> list[RegistrationId]:
        return [
            found for batch in self.unsettled + self.settled for found in batch.registration_ids
        ]


TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
