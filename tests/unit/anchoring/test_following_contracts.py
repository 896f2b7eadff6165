"""Several contracts on one chain: followed together, each with its own count and running hash."""

from __future__ import annotations

from pathlib import Path

import pytest
from chain_builders import root_of, sender_of
from chain_desk import Desk
from simulation.ledger_simulator import Fate, LedgerSimulator, Lie

from titledeed.anchoring.following import NEAR_BLOCKS
from titledeed.errors import LedgerError
from titledeed.models.evidence import ClaimStatus
from titledeed.models.ledger import AnchorRoot, DeployedContract
from titledeed.proofs.event_kinds import anchor_mention

OURS = sender_of("ours")
STRANGER = sender_of("stranger")


@pytest.fixture
def simulator() -> LedgerSimulator:
    return LedgerSimulator(sender=OURS)


def anchor(simulator: LedgerSimulator, label: str, *contracts: DeployedContract) -> None:
    """A block in which a stranger anchors the same root in each of these contracts."""
    for contract in contracts:
        simulator.submit_as(STRANGER, AnchorRoot(root_of(label), 1), contract.address)
    simulator.mine()


def assert_index_is_the_chain(desk: Desk, simulator: LedgerSimulator) -> None:
    for contract in simulator.contracts:
        cursor, events = desk.cursor(contract.address), simulator.events_of(contract.address)
        assert cursor is not None
        assert cursor.block == simulator.blocks[-1]
        assert cursor.sequence == len(events)
        assert desk.list_events(contract.address) == events
    assert set(desk.chain.list_blocks()) <= set(simulator.blocks)


def two_contracts(simulator: LedgerSimulator) -> tuple[DeployedContract, DeployedContract]:
    other = simulator.deploy("other")
    simulator.add_contract(other)
    return simulator.contracts[0], other


def test_each_contract_has_its_own_count_and_running_hash(
    desk: Desk, simulator: LedgerSimulator
) -> None:
    core, other = two_contracts(simulator)
    anchor(simulator, "a", core, other)
    anchor(simulator, "b", other)
    anchor(simulator, "c", other, core)
    cursor, beside = desk.following.follow(), desk.cursor(other.address)
    assert_index_is_the_chain(desk, simulator)
    assert beside is not None
    assert (cursor.sequence, beside.sequence) == (2, 3)
    assert cursor.head != beside.head
    found = desk.chain.list_mentioning([anchor_mention(root_of("a"), STRANGER.address)])
    assert [event.contract for event in found] == sorted([core.address, other.address])
    assert {event.sequence for event in found} == {1}


@pytest.mark.parametrize("fate", list(Fate))
def test_a_reorganisation_takes_back_the_events_of_all(
    desk: Desk, simulator: LedgerSimulator, fate: Fate
) -> None:
    core, other = two_contracts(simulator)
    for label in "abc":
        anchor(simulator, label, core, other)
    anchor(simulator, "d", other)
    desk.following.follow()
    simulator.reorganise(3, fate=fate)
    anchor(simulator, "e", core)
    desk.following.follow()
    assert_index_is_the_chain(desk, simulator)


def test_the_same_root_in_another_contract_anchors_nothing_of_ours(
    desk: Desk, simulator: LedgerSimulator
) -> None:
    _, other = two_contracts(simulator)
    (accepted,) = desk.accept(1)
    sent = desk.sending.send_batch()
    assert sent is not None and sent.root is not None
    simulator.pool.clear()  # ours gets lost, and whoever saw it writes the root elsewhere
    simulator.submit_as(STRANGER, AnchorRoot(sent.root, 1), other.address)
    call = AnchorRoot(sent.root, 1)
    simulator.receive(simulator.sign_as(OURS, call, 0, other.address).raw)
    simulator.mine()
    desk.following.follow()
    assert_index_is_the_chain(desk, simulator)
    assert desk.find(accepted.registration_id).status is ClaimStatus.PENDING
    assert [one.contract for one in desk.outbox.list_pending()] == [simulator.identity.contract]


def test_a_contract_that_is_added_catches_up_from_its_own_first_block(
    tmp_path: Path, simulator: LedgerSimulator
) -> None:
    desk = Desk(tmp_path / "home", simulator, stretch_blocks=50)
    core = simulator.contracts[0]
    anchor(simulator, "before", core)
    other = simulator.deploy("other")
    for number in range(4):
        anchor(simulator, f"old {number}", core, other)
        simulator.mine(40)
    anchor(simulator, "near", other)
    simulator.mine(10)
    before = desk.following.follow()
    assert desk.cursor(other.address) is None
    simulator.add_contract(other)
    heights: list[int] = []

    def stop(label: str, fraction: float) -> None:
        cursor = desk.cursor(other.address)
        assert cursor is not None
        heights.append(cursor.block.number)
        if len(heights) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.following.follow(stop)
    assert desk.cursor(core.address) == before
    assert heights == [other.first_block - 1 + 50, other.first_block - 1 + 100]
    anchor(simulator, "meanwhile", core, other)
    desk.following.follow(lambda label, fraction: None)
    assert_index_is_the_chain(desk, simulator)
    desk.close()


def test_a_contract_that_begins_above_the_head_joins_when_it_is_there(
    desk: Desk, simulator: LedgerSimulator
) -> None:
    core = simulator.contracts[0]
    anchor(simulator, "a", core)
    desk.following.follow()
    other = simulator.deploy("other")
    simulator.add_contract(other)
    desk.following.follow()
    assert desk.cursor(other.address) is None
    anchor(simulator, "b", core, other)
    desk.following.follow()
    assert_index_is_the_chain(desk, simulator)


@pytest.mark.parametrize("depth", [5, 30])
def test_a_reorganisation_below_a_contract_that_is_late_takes_it_back_too(
    tmp_path: Path, simulator: LedgerSimulator, depth: int
) -> None:
    desk = Desk(tmp_path / "home", simulator, step_blocks=10)
    core, other = simulator.contracts[0], simulator.deploy("other")
    for number in range(40):
        anchor(simulator, f"{number}", core, other)
    desk.following.follow()
    simulator.add_contract(other)

    def stop(label: str, fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.following.follow(stop)
    late = desk.cursor(other.address)
    assert late is not None and late.sequence == 10
    simulator.reorganise(depth, fate=Fate.POOL, length=depth + 1)
    desk.following.follow()
    assert_index_is_the_chain(desk, simulator)
    desk.close()


@pytest.mark.parametrize("which", [0, 1])
def test_an_event_of_either_that_is_left_out_is_found(
    desk: Desk, simulator: LedgerSimulator, which: int
) -> None:
    contracts = two_contracts(simulator)
    anchor(simulator, "a", *contracts)
    desk.following.follow()
    anchor(simulator, "b", contracts[which])
    simulator.mine(2)
    simulator.lie(Lie.SKIP)
    simulator.lie(Lie.MISCOUNT)
    simulator.faults.miscounts = contracts[which].address
    desk.following.follow()
    assert len(desk.list_events(contracts[which].address)) == 1  # two lies that fit each other
    simulator.heal()
    simulator.mine()
    anchor(simulator, "c", contracts[which])
    desk.following.follow()
    assert_index_is_the_chain(desk, simulator)


@pytest.mark.parametrize("which", [0, 1])
def test_a_last_event_of_either_that_stays_left_out_is_refused(
    desk: Desk, simulator: LedgerSimulator, which: int
) -> None:
    contracts = two_contracts(simulator)
    anchor(simulator, "a", *contracts)
    desk.following.follow()
    before = [desk.list_events(one.address) for one in contracts]
    anchor(simulator, "b", contracts[which])
    simulator.lie(Lie.SKIP, answers=4)
    with pytest.raises(LedgerError, match="which are not those that the contract counted"):
        desk.following.follow()
    assert [desk.list_events(one.address) for one in contracts] == before
    simulator.heal()
    desk.following.follow()
    assert_index_is_the_chain(desk, simulator)


def test_a_contract_that_is_late_is_read_by_number_and_then_by_hash(
    desk: Desk, simulator: LedgerSimulator
) -> None:
    core, other = simulator.contracts[0], simulator.deploy("other")
    simulator.mine(NEAR_BLOCKS + 20)
    for number in range(3):
        anchor(simulator, f"{number}", core, other)
    desk.following.follow()
    simulator.add_contract(other)
    simulator.lie(Lie.REORDER)  # of one event there is no other order: the lie waits
    desk.following.follow()
    assert_index_is_the_chain(desk, simulator)


def test_a_block_is_read_again_for_all(desk: Desk, simulator: LedgerSimulator) -> None:
    core, other = two_contracts(simulator)
    anchor(simulator, "a", core, other)
    simulator.mine(3)
    desk.following.follow()
    desk.following.reread(1)
    assert_index_is_the_chain(desk, simulator)
