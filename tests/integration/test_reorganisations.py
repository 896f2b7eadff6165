"""Sender and follower on a real node that reorganises, forgets and refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chain_builders import GWEI, sender_of, start_plain_anvil
from chain_desk import CONFIRMATIONS, Desk, ManualClock

from titledeed.anchoring.following import NEAR_BLOCKS
from titledeed.chain.deployment import deploy_contract, pin_chain
from titledeed.chain.ledger import EvmLedger
from titledeed.chain.rpc import Node
from titledeed.errors import LedgerUnavailableError
from titledeed.models.evidence import ClaimStatus
from titledeed.models.ledger import SubmissionState

pytestmark = pytest.mark.chain

SENDER = sender_of("sender")
REPLACE_AFTER_S = 90


@pytest.fixture
def node() -> Iterator[Node]:
    """An anvil that mines each transaction at once."""
    anvil = start_plain_anvil(SENDER.address)
    yield anvil.node
    anvil.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def desk(node: Node, tmp_path: Path, clock: ManualClock) -> Iterator[Desk]:
    contract = deploy_contract(node, sender=SENDER)
    ledger = EvmLedger(node=node, pin=pin_chain(node, contract=contract), sender=SENDER)
    desk = Desk(tmp_path / "home", ledger, clock=clock, replace_after_s=REPLACE_AFTER_S)
    yield desk
    desk.close()


def mine(node: Node, count: int = 1) -> None:
    node.call("anvil_mine", hex(count))


def mine_by_hand(node: Node) -> None:
    is_automatic = False
    node.call("evm_setAutomine", is_automatic)


def test_what_a_reorganisation_took_away_is_sent_again(desk: Desk, node: Node) -> None:
    """anvil forgets the transactions of the blocks that it replaces."""
    accepted = desk.accept(1, 2, 3)
    desk.anchoring.anchor_waiting()
    before = desk.find(accepted[0].registration_id).anchor
    assert before is not None
    node.call("anvil_reorg", 1, [])
    desk.following.follow()
    assert {one.status for one in desk.find_all(accepted)} == {ClaimStatus.PENDING}
    desk.anchoring.anchor_now()
    mine(node, CONFIRMATIONS.final)
    desk.following.follow()
    after = desk.find_all(accepted)
    assert {one.status for one in after} == {ClaimStatus.FINAL}
    assert after[0].anchor is not None
    assert after[0].anchor.root == before.root
    assert after[0].anchor.block_hash != before.block_hash


def test_a_deep_reorganisation_is_followed_to_its_fork(desk: Desk, node: Node) -> None:
    batches = [desk.accept(seed) for seed in range(6)]
    for batch in batches:
        assert batch
    desk.anchoring.anchor_waiting()
    mine(node, 5)
    later = desk.accept(10)
    desk.anchoring.anchor_waiting()
    node.call("anvil_reorg", 4, [])
    cursor = desk.following.follow()
    head = desk.ledger.find_head()
    assert cursor.block == head
    assert cursor.sequence == 1
    assert desk.find(later[0].registration_id).status is ClaimStatus.PENDING
    assert desk.find(batches[0][0].registration_id).status is ClaimStatus.FINAL


def test_a_long_chain_is_read_by_number_and_proven(desk: Desk, node: Node, tmp_path: Path) -> None:
    accepted = [desk.accept(seed)[0] for seed in range(3)]
    desk.anchoring.anchor_waiting()
    mine(node, 5 * NEAR_BLOCKS)
    desk.following.follow()
    other = Desk(tmp_path / "other", desk.ledger)
    assert other.following.follow() == desk.cursor()
    assert other.list_events() == desk.list_events()
    assert {one.status for one in desk.find_all(accepted)} == {ClaimStatus.FINAL}
    other.close()


def test_a_stuck_transaction_gets_higher_fees_until_it_is_mined(
    desk: Desk, node: Node, clock: ManualClock
) -> None:
    mine_by_hand(node)
    (accepted,) = desk.accept(1)
    submission = desk.sending.send_batch()
    assert submission is not None
    node.call("anvil_setNextBlockBaseFeePerGas", hex(500 * GWEI))
    mine(node)
    assert desk.sending.settle() == [submission]
    attempts = 1
    while desk.sending.settle():
        clock.now += REPLACE_AFTER_S
        desk.sending.settle()
        mine(node)
        attempts += 1
        assert attempts < 20
    found = desk.outbox.find_submission(submission.submission_id)
    assert found is not None
    assert found.state is SubmissionState.INCLUDED
    assert len(found.attempts) > 1
    anchor = desk.find(accepted.registration_id).anchor
    assert anchor is not None
    assert anchor.transaction in {one.hash for one in found.attempts[1:]}
    desk.completion.complete()
    bundle = desk.vault.bundles.read(accepted.registration_id)
    assert bundle.own.state_proof is not None


def test_what_a_restarted_node_forgot_is_sent_again(desk: Desk, node: Node) -> None:
    mine_by_hand(node)
    desk.accept(1)
    submission = desk.sending.send_batch()
    assert submission is not None
    node.call("anvil_dropAllTransactions")
    mine(node)
    assert desk.sending.settle() == [submission]
    mine(node)
    assert desk.sending.settle() == []


def test_a_rolled_back_node_is_behind_and_refused(desk: Desk, node: Node) -> None:
    desk.accept(1)
    desk.anchoring.anchor_waiting()
    cursor = desk.cursor()
    node.call("anvil_rollback", 1)
    with pytest.raises(LedgerUnavailableError, match="ends at block"):
        desk.following.follow()
    assert desk.cursor() == cursor
