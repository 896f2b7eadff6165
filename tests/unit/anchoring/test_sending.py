"""Sending: each call takes effect once, however often it must be sent, and whoever dies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import builders
import pytest
from chain_builders import root_of, sender_of
from chain_desk import CONFIRMATIONS, Desk, ManualClock, withdrawal
from simulation.contract_model import ContractModel, RefusedError
from simulation.ledger_simulator import BLOCK_TIME_S, Fate, LedgerSimulator, Lie

from titledeed.canonical.identifiers import derive_deed_id
from titledeed.errors import (
    LedgerError,
    LedgerUnavailableError,
    TransactionRevertedError,
)
from titledeed.models.ledger import (
    Anchored,
    AnchorRoot,
    IssueDeed,
    RelayedAct,
    Submission,
    SubmissionState,
    WithdrawDeed,
)
from titledeed.models.primitives import (
    Address,
    DeedId,
    Keccak256,
    MerkleRoot,
    Sha256,
    Signature,
)
from titledeed.proofs.transactions import decode_signed

LEAF = builders.build_registration(1).leaf
SIGNATURE = Signature(b"\1" * 65)


@pytest.fixture
def simulator() -> LedgerSimulator:
    """A chain that mines only when it is told to."""
    return LedgerSimulator()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def desk(tmp_path: Path, simulator: LedgerSimulator, clock: ManualClock) -> Iterator[Desk]:
    desk = Desk(tmp_path / "home", simulator, clock=clock, replace_after_s=90, in_flight_max=3)
    yield desk
    desk.close()


def sent(desk: Desk, *seeds: int) -> Submission:
    """A batch of new works, on its way."""
    desk.accept(*seeds)
    submission = desk.sending.send_batch()
    assert submission is not None
    return submission


def now(desk: Desk, submission: Submission) -> Submission:
    found = desk.outbox.find_submission(submission.submission_id)
    assert found is not None
    return found


def anchored_roots(simulator: LedgerSimulator) -> list[MerkleRoot]:
    return [event.body.root for event in simulator.events if isinstance(event.body, Anchored)]


def run_out_of_gas(*arguments: object) -> None:
    raise RefusedError("out of gas")


def issue_deed(simulator: LedgerSimulator) -> tuple[DeedId, Address]:
    """A deed of somebody's, and who holds it."""
    stranger, holder, digest = sender_of("stranger"), builders.build_address(7), Sha256(bytes(32))
    opening = IssueDeed(
        content_digest=digest,
        content_salt=bytes(32),
        record_part=Keccak256(bytes(32)),
        leaf=LEAF,
        root=root_of("deed"),
        anchored_by=stranger.address,
        index=0,
        size=1,
        path=(),
        royalty=0,
        parents=(),
    )
    simulator.submit_as(stranger, AnchorRoot(root_of("deed"), 1))
    simulator.mine()
    simulator.submit_as(stranger, RelayedAct(opening, holder, 2**40, SIGNATURE))
    simulator.mine()
    return derive_deed_id(holder, digest), holder


# --- in the ordinary way ---


def test_what_is_sent_is_pending_until_a_block_is_followed(
    desk: Desk, simulator: LedgerSimulator
) -> None:
    submission = sent(desk, 1)
    assert desk.sending.settle() == [submission]
    simulator.mine()
    assert desk.sending.settle() == []
    assert now(desk, submission).state is SubmissionState.INCLUDED
    assert anchored_roots(simulator) == [submission.root]


def test_with_nothing_waiting_there_is_no_batch(desk: Desk) -> None:
    assert desk.sending.send_batch() is None
    assert desk.sending.settle() == []


def test_waiting_ends_with_the_block(tmp_path: Path) -> None:
    simulator = LedgerSimulator(mines_at_once=True)
    desk = Desk(tmp_path / "home", simulator)
    assert desk.sending.wait(sent(desk, 1)).state is SubmissionState.INCLUDED
    desk.close()


def test_waiting_has_an_end_and_nothing_is_lost(desk: Desk, simulator: LedgerSimulator) -> None:
    submission = sent(desk, 1)
    with pytest.raises(LedgerUnavailableError, match="in no block yet") as raised:
        desk.sending.wait(submission)
    assert "Nothing is lost" in raised.value.next_step
    simulator.mine()
    assert desk.sending.wait(submission).state is SubmissionState.INCLUDED


def test_nonces_come_from_the_database(desk: Desk) -> None:
    """The node's count does not know of what is still on its way."""
    submissions = [sent(desk, seed) for seed in (1, 2, 3)]
    assert [one.nonce for one in submissions] == [0, 1, 2]


def test_no_more_are_under_way_than_allowed(desk: Desk, simulator: LedgerSimulator) -> None:
    for seed in (1, 2, 3):
        sent(desk, seed)
    desk.accept(4)
    with pytest.raises(LedgerUnavailableError, match="3 transactions are in no block yet"):
        desk.sending.send_batch()
    assert len(desk.outbox.list_pending()) == 3
    simulator.mine()
    assert desk.sending.send_batch() is not None


# --- what gets lost ---


def test_bytes_are_stored_before_they_are_sent(desk: Desk, simulator: LedgerSimulator) -> None:
    """A process that dies in between is taken up by the next, which sends the same bytes."""
    simulator.mute_broadcasts()
    simulator.drop_broadcasts()
    with pytest.raises(LedgerUnavailableError):
        sent(desk, 1)
    (pending,) = desk.outbox.list_pending()
    desk.sending.settle()
    simulator.mine()
    assert desk.sending.settle() == []
    anchored = simulator.events[0].transaction
    assert [attempt.hash for attempt in pending.attempts] == [anchored]


def test_what_a_node_forgot_is_sent_again(desk: Desk, simulator: LedgerSimulator) -> None:
    submissions = [sent(desk, seed) for seed in (1, 2)]
    simulator.empty_pool()
    desk.sending.settle()
    simulator.mine()
    assert desk.sending.settle() == []
    assert anchored_roots(simulator) == [one.root for one in submissions]


def test_transactions_that_arrive_in_another_order_all_count(
    desk: Desk, simulator: LedgerSimulator
) -> None:
    simulator.delay_broadcasts(2)
    submissions = [sent(desk, seed) for seed in (1, 2, 3)]
    desk.sending.settle()
    simulator.mine(2)
    assert desk.sending.settle() == []
    assert anchored_roots(simulator) == [one.root for one in submissions]


@pytest.mark.parametrize("fate", list(Fate))
def test_what_a_reorganisation_took_back_is_sent_again(
    desk: Desk, simulator: LedgerSimulator, fate: Fate
) -> None:
    submissions = [sent(desk, 1), sent(desk, 2)]
    simulator.mine()
    assert desk.sending.settle() == []
    simulator.reorganise(1, fate=fate)
    desk.sending.settle()
    simulator.mine()
    assert desk.sending.settle() == []
    assert anchored_roots(simulator) == [one.root for one in submissions]


# --- stuck ---


def test_fees_are_raised_when_it_has_waited_long(
    desk: Desk, simulator: LedgerSimulator, clock: ManualClock
) -> None:
    submission = sent(desk, 1)
    simulator.spike_base_fee()
    simulator.mine()
    clock.now += 89
    desk.sending.settle()
    assert len(now(desk, submission).attempts) == 1
    clock.now += 1
    desk.sending.settle()
    first, second = now(desk, submission).attempts
    assert first == submission.attempts[0]
    assert second.nonce == first.nonce
    old, new = decode_signed(first.raw)[0], decode_signed(second.raw)[0]
    assert (new.to, new.data, new.nonce) == (old.to, old.data, old.nonce)
    assert new.tip * 1_000 >= old.tip * 1_125
    assert new.fee_max * 1_000 >= old.fee_max * 1_125
    simulator.mine()
    assert desk.sending.settle() == []
    assert anchored_roots(simulator) == [submission.root]


def test_a_replacement_waits_as_long_again(
    desk: Desk, simulator: LedgerSimulator, clock: ManualClock
) -> None:
    submission = sent(desk, 1)
    for attempts in (2, 3):
        clock.now += 90
        for _ in range(3):
            desk.sending.settle()
        assert len(now(desk, submission).attempts) == attempts


def test_fees_are_not_raised_for_ever(
    tmp_path: Path, simulator: LedgerSimulator, clock: ManualClock
) -> None:
    desk = Desk(tmp_path / "home", simulator, clock=clock, attempts_max=3)
    submission = sent(desk, 1)
    for _ in range(5):
        clock.now += 90
        desk.sending.settle()
    assert len(now(desk, submission).attempts) == 3
    desk.close()


def test_the_first_attempt_may_be_mined_after_all(
    desk: Desk, simulator: LedgerSimulator, clock: ManualClock
) -> None:
    submission = sent(desk, 1)
    clock.now += 90
    simulator.drop_broadcasts(2)  # the same bytes, and the replacement
    desk.sending.settle()
    simulator.mine()
    assert desk.sending.settle() == []
    assert len(now(desk, submission).attempts) == 2
    assert simulator.events[0].transaction == submission.attempts[0].hash


def test_every_attempt_is_kept_outside_the_database(
    desk: Desk, simulator: LedgerSimulator, clock: ManualClock
) -> None:
    submission = sent(desk, 1)
    clock.now += 90
    desk.sending.settle()
    assert submission.root is not None
    assert desk.vault.batches.read(submission.root).batch.attempts == now(desk, submission).attempts


def test_two_processes_replace_once(
    tmp_path: Path, desk: Desk, simulator: LedgerSimulator, clock: ManualClock
) -> None:
    other = Desk(tmp_path / "home", simulator, clock=clock, replace_after_s=90)
    submission = sent(desk, 1)
    clock.now += 90
    for one in (desk, other):
        one.sending.settle()
    assert len(now(desk, submission).attempts) == 2
    other.close()


# --- refused ---


def test_an_act_that_would_be_refused_is_not_stored(desk: Desk) -> None:
    late = withdrawal(LEAF, deadline=0)
    with pytest.raises(TransactionRevertedError):
        desk.sending.submit_act(late, label="withdraw", registration_id=None)
    assert desk.outbox.list_pending() == []


def test_an_act_that_was_refused_is_told(desk: Desk, simulator: LedgerSimulator) -> None:
    act = withdrawal(LEAF, deadline=simulator.blocks[-1].timestamp + BLOCK_TIME_S)
    submission = desk.sending.submit_act(act, label="withdraw", registration_id=None)
    simulator.reorganise(0, length=2)  # empty blocks, in which its deadline passes
    simulator.mine()
    with pytest.raises(TransactionRevertedError, match="refused the withdraw transaction"):
        desk.sending.wait(submission)
    assert now(desk, submission).state is SubmissionState.REVERTED
    assert desk.sending.settle() == []


def test_an_act_is_included_by_its_event(desk: Desk, simulator: LedgerSimulator) -> None:
    submission = desk.sending.submit_act(
        withdrawal(LEAF),
        label="withdraw",
        registration_id=builders.build_dossier(1).registration_id,
    )
    simulator.mine()
    assert desk.sending.wait(submission).state is SubmissionState.INCLUDED
    assert desk.chain.list_about([LEAF])


def test_leaves_of_a_refused_batch_wait_again_once_nothing_can_revive_it(
    desk: Desk, simulator: LedgerSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    (accepted,) = desk.accept(1)
    submission = desk.sending.send_batch()
    assert submission is not None
    with monkeypatch.context() as patch:
        patch.setattr(ContractModel, "_anchor", run_out_of_gas)
        simulator.mine()
    assert desk.sending.settle() == [submission]
    simulator.mine(CONFIRMATIONS.final)
    assert desk.sending.settle() == []
    assert now(desk, submission).state is SubmissionState.REVERTED
    assert desk.outbox.list_waiting(9) == [(accepted.registration_id, accepted.leaf)]
    desk.sending.send_batch()
    simulator.mine()
    desk.sending.settle()
    assert desk.find(accepted.registration_id).anchor is not None


# --- what repeats, and what does not fit ---


def test_a_call_that_repeats_what_stands_is_included(
    desk: Desk, simulator: LedgerSimulator
) -> None:
    """The contract returns silently: no event tells of it."""
    deed, holder = issue_deed(simulator)
    for _ in range(2):
        act = RelayedAct(WithdrawDeed(deed), holder, 2**40, SIGNATURE)
        submission = desk.sending.submit_act(act, label="withdraw", registration_id=None)
        simulator.mine()
        assert desk.sending.wait(submission).state is SubmissionState.INCLUDED


def test_a_batch_that_was_anchored_before_the_database_was_restored_is_included(
    tmp_path: Path, desk: Desk, simulator: LedgerSimulator
) -> None:
    submission = sent(desk, 1, 2)
    simulator.mine()
    restored = Desk(tmp_path / "restored", simulator)
    restored.following.follow()
    assert sent(restored, 1, 2).root == submission.root
    simulator.mine()
    assert restored.sending.settle() == []
    assert anchored_roots(simulator) == [submission.root]
    restored.close()


def test_a_nonce_used_by_another_program_is_told(desk: Desk, simulator: LedgerSimulator) -> None:
    simulator.drop_broadcasts()
    submission = sent(desk, 1)
    simulator.submit_as(sender_of("simulated sender"), AnchorRoot(root_of("theirs"), 1))
    simulator.mine()
    with pytest.raises(LedgerError, match=r"nonce 0 .* not of this home") as raised:
        desk.sending.wait(submission)
    assert "no other program" in raised.value.next_step
    assert now(desk, submission).state is SubmissionState.PENDING


def test_one_problem_does_not_stop_the_others(desk: Desk, simulator: LedgerSimulator) -> None:
    stolen, other = sent(desk, 1), sent(desk, 2)
    simulator.empty_pool()
    simulator.submit_as(sender_of("simulated sender"), AnchorRoot(root_of("theirs"), 1))
    for _ in range(2):
        simulator.mine()
        with pytest.raises(LedgerError, match="not of this home"):
            desk.sending.settle()
    assert now(desk, stolen).state is SubmissionState.PENDING
    assert now(desk, other).state is SubmissionState.INCLUDED


def test_a_left_out_event_is_asked_for_again(desk: Desk, simulator: LedgerSimulator) -> None:
    submission = sent(desk, 1)
    simulator.mine()
    simulator.lie(Lie.SKIP)
    simulator.lie(Lie.MISCOUNT)
    assert desk.sending.settle() == []
    assert now(desk, submission).state is SubmissionState.INCLUDED


def test_a_node_that_hides_an_event_is_told(desk: Desk, simulator: LedgerSimulator) -> None:
    submission = sent(desk, 1)
    simulator.mine()
    simulator.lie(Lie.SKIP, answers=2)
    simulator.lie(Lie.MISCOUNT, answers=2)
    with pytest.raises(LedgerError, match="nothing else shows it"):
        desk.sending.settle()
    assert now(desk, submission).state is SubmissionState.PENDING
    assert desk.sending.settle() == []


def test_an_act_is_not_taken_for_a_repeated_one_because_its_event_is_left_out(
    desk: Desk, simulator: LedgerSimulator
) -> None:
    desk.following.follow()
    act = desk.sending.submit_act(withdrawal(LEAF), label="withdraw", registration_id=None)
    simulator.mine()
    simulator.lie(Lie.SKIP, answers=2)
    with pytest.raises(LedgerError, match="which are not those that the contract counted"):
        desk.sending.settle()
    assert now(desk, act).state is SubmissionState.PENDING
    assert desk.sending.settle() == []
    assert desk.list_events() == simulator.events


@pytest.mark.parametrize("is_batch", [True, False])
def test_a_transaction_that_is_said_to_be_mined_and_is_not_stays_pending(
    desk: Desk, simulator: LedgerSimulator, is_batch: bool
) -> None:
    if is_batch:
        submission = sent(desk, 1)
    else:
        submission = desk.sending.submit_act(
            withdrawal(LEAF), label="withdraw", registration_id=None
        )
    simulator.lie(Lie.MINED)
    simulator.reorganise(0, length=1)
    with pytest.raises(LedgerError, match="nothing else shows it"):
        desk.sending.settle()
    assert now(desk, submission).state is SubmissionState.PENDING


def test_a_batch_that_is_said_to_be_refused_and_was_not_is_not_sent_again(
    desk: Desk, simulator: LedgerSimulator
) -> None:
    submission = sent(desk, 1)
    simulator.mine(1 + CONFIRMATIONS.final)
    simulator.lie(Lie.SKIP, answers=2)
    simulator.lie(Lie.MISCOUNT, answers=2)
    simulator.lie(Lie.FAILED)
    assert desk.sending.settle() == [submission]
    assert desk.sending.settle() == []
    assert anchored_roots(simulator) == [submission.root]
