"""Sender and follower among faults of chain and node, and processes that die.

Nothing accepted is lost, nothing is anchored twice, the index is the chain; and while a node lies,
nothing false is stored.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import builders
from chain_builders import root_of, sender_of
from chain_desk import CONFIRMATIONS, Desk, ManualClock, withdrawal
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from simulation.ledger_simulator import Fate, LedgerSimulator, Lie

from titledeed.errors import DependencyError, LedgerError
from titledeed.models.evidence import ClaimStatus
from titledeed.models.ledger import Anchored, AnchorRoot, LedgerEvent, Submission, SubmissionState
from titledeed.models.registration import Registration

REPLACE_AFTER_S: Final = 90
STRANGER: Final = sender_of("stranger")
LIES: Final = [kind for kind in Lie if kind is not Lie.MISCOUNT]
"""That one fits another lie: of two that fit, nothing shows before the next block."""

ROUNDS_MAX: Final = 60
"""A transaction that was delayed or priced out needs some; far fewer than these."""


class SenderAndFollower(RuleBasedStateMachine):
    """A home with two processes on a chain with faults."""

    @initialize()
    def open_home(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.simulator = LedgerSimulator()
        self.beside = self.simulator.deploy("beside the core")
        self.desks = [self._open_desk() for _ in range(2)]
        self.accepted: list[Registration] = []
        self.acts: list[Submission] = []
        self.true_events: set[LedgerEvent] = set()
        self._remember()

    def _open_desk(self) -> Desk:
        return Desk(
            Path(self.folder.name) / "home",
            self.simulator,
            clock=self.clock,
            replace_after_s=REPLACE_AFTER_S,
            in_flight_max=4,
            inclusion_timeout_s=-1,  # a full pipe is told at once
        )

    def _remember(self) -> None:
        for contract in self.simulator.deployed:
            self.true_events.update(self.simulator.events_of(contract.address))

    def _try(self, work: Callable[[], object]) -> None:
        """A call that the faults may stop, with an error that faces can show."""
        with suppress(LedgerError, DependencyError):
            work()

    # What the home does

    @rule(which=st.integers(0, 1), count=st.integers(1, 3))
    def accept(self, which: int, count: int) -> None:
        first = len(self.accepted)
        self.accepted += self.desks[which].accept(*range(first, first + count))

    @rule(which=st.integers(0, 1))
    def send_batch(self, which: int) -> None:
        self._try(self.desks[which].sending.send_batch)

    @rule(which=st.integers(0, 1))
    def settle(self, which: int) -> None:
        self._try(self.desks[which].sending.settle)

    @rule(which=st.integers(0, 1))
    def follow(self, which: int) -> None:
        self._try(self.desks[which].following.follow)

    @rule(which=st.integers(0, 1), seed=st.integers(0, 5))
    def withdraw(self, which: int, seed: int) -> None:
        act = withdrawal(builders.build_registration(seed).leaf)

        def submit() -> None:
            self.acts.append(
                self.desks[which].sending.submit_act(act, label="withdraw", registration_id=None)
            )

        self._try(submit)

    @rule(which=st.integers(0, 1))
    def die_and_start_again(self, which: int) -> None:
        self.desks[which].close()
        self.desks[which] = self._open_desk()

    @rule(seconds=st.sampled_from([1, REPLACE_AFTER_S]))
    def pass_time(self, seconds: int) -> None:
        self.clock.now += seconds

    # What the chain and its node do

    @rule(count=st.integers(1, 6))
    def mine(self, count: int) -> None:
        self.simulator.mine(count)
        self._remember()

    @rule(depth=st.integers(1, 8), fate=st.sampled_from(Fate), more=st.integers(-1, 2))
    def reorganise(self, depth: int, fate: Fate, more: int) -> None:
        self.simulator.reorganise(depth, fate=fate, length=depth + more)
        self._remember()

    @rule(factor=st.sampled_from([2, 20]))
    def spike_fees(self, factor: int) -> None:
        self.simulator.base_fee = min(self.simulator.base_fee * factor, 10**12)

    @rule()
    def empty_pool(self) -> None:
        self.simulator.empty_pool()

    @rule(count=st.integers(1, 3))
    def drop(self, count: int) -> None:
        self.simulator.drop_broadcasts(count)

    @rule(count=st.integers(1, 3))
    def mute(self, count: int) -> None:
        self.simulator.mute_broadcasts(count)

    @rule(count=st.integers(1, 3))
    def delay(self, count: int) -> None:
        self.simulator.delay_broadcasts(count)

    @rule(blocks=st.integers(0, 5))
    def lag(self, blocks: int) -> None:
        self.simulator.lag(blocks)

    @rule(kind=st.sampled_from(LIES), answers=st.integers(1, 3))
    def lie(self, kind: Lie, answers: int) -> None:
        self.simulator.lie(kind, answers)

    @rule(silent=st.integers(1, 8))
    def fall_silent(self, silent: int) -> None:
        self.simulator.faults.silent = silent

    @rule()
    def stop_mining(self) -> None:
        self.simulator.stop_mining()

    @rule(label=st.integers(0, 9))
    def log_elsewhere(self, label: int) -> None:
        """A stranger writes to the contract beside the core."""
        call = AnchorRoot(root_of(label), 1)
        self._try(lambda: self.simulator.submit_as(STRANGER, call, self.beside.address))

    @rule()
    def follow_the_other_too(self) -> None:
        if self.beside not in self.simulator.contracts:
            self.simulator.add_contract(self.beside)

    @rule()
    def heal(self) -> None:
        self.simulator.heal()

    # What holds at any time

    @invariant()
    def nothing_false_is_stored(self) -> None:
        for contract in self.simulator.deployed:
            stored = self.desks[0].list_events(contract.address)
            assert self.true_events.issuperset(stored)
            assert [event.sequence for event in stored] == list(range(1, len(stored) + 1))

    @invariant()
    def every_leaf_is_in_one_place(self) -> None:
        desk = self.desks[0]
        waiting = {found for found, _ in desk.outbox.list_waiting(10_000)}
        for registration in desk.find_all(self.accepted):
            is_waiting = registration.registration_id in waiting
            assert is_waiting == (registration.leaf_index is None)
            assert registration.anchor is None or not is_waiting

    # What holds when the faults are over

    def teardown(self) -> None:
        if not hasattr(self, "desks"):
            return
        try:
            self._calm_down()
            self._check_index()
            self._check_registrations()
            self._check_acts()
        finally:
            for desk in self.desks:
                desk.close()
            self.folder.cleanup()

    def _calm_down(self) -> None:
        desk = self.desks[0]
        self.simulator.heal()
        for _ in range(ROUNDS_MAX):
            self.clock.now += REPLACE_AFTER_S
            self._try(desk.sending.send_batch)  # there may be no room yet
            self.simulator.mine()
            if not desk.sending.settle() and not desk.outbox.count_waiting()[0]:
                break
        else:
            raise AssertionError("something is not in a block for good")
        self.simulator.mine(CONFIRMATIONS.final)
        desk.following.follow()

    def _check_index(self) -> None:
        desk = self.desks[0]
        for contract in self.simulator.contracts:
            cursor = desk.cursor(contract.address)
            assert cursor is not None
            assert cursor.block == self.simulator.blocks[-1]
            assert desk.list_events(contract.address) == self.simulator.events_of(contract.address)
        known = {(block.number, block.hash) for block in self.simulator.blocks}
        assert known.issuperset((block.number, block.hash) for block in desk.chain.list_blocks())

    def _check_registrations(self) -> None:
        """Each is anchored once, under the batch that its row names, and final."""
        desk = self.desks[0]
        anchored = [e.body.root for e in self.simulator.events if isinstance(e.body, Anchored)]
        held = Counter(leaf for root in anchored for leaf in desk.outbox.list_leaves(root))
        assert held == Counter({one.leaf: 1 for one in self.accepted})
        events = {event.sequence: event for event in self.simulator.events}
        for registration in desk.find_all(self.accepted):
            assert registration.status is ClaimStatus.FINAL
            assert registration.anchor is not None
            event = events[registration.anchor.sequence]
            assert isinstance(event.body, Anchored)
            assert event.body.root == registration.anchor.root
            assert event.block_hash == registration.anchor.block_hash
            assert registration.leaf_index is not None
            leaves = desk.outbox.list_leaves(registration.anchor.root)
            assert leaves[registration.leaf_index] == registration.leaf

    def _check_acts(self) -> None:
        """Each act that was stored took effect, once."""
        desk = self.desks[0]
        for act in self.acts:
            found = desk.outbox.find_submission(act.submission_id)
            assert found is not None
            assert found.state is SubmissionState.INCLUDED
            hashes = {attempt.hash for attempt in found.attempts}
            assert sum(event.transaction in hashes for event in self.simulator.events) == 1


TestSenderAndFollower = SenderAndFollower.TestCase
TestSenderAndFollower.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
