"""The simulator's faults are what they say; that it is a ledger shows the port's own suite."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chain_builders import addresses_of, root_of, sender_of
from simulation.ledger_simulator import Fate, LedgerSimulator, Lie

from titledeed.errors import LedgerError, LedgerUnavailableError
from titledeed.models.evidence import SignedTransaction
from titledeed.models.ledger import Anchored, AnchorRoot, LedgerEvent
from titledeed.models.primitives import MerkleRoot
from titledeed.proofs.events import EMPTY_HEAD, NO_EVENTS, next_head

OUR = sender_of("ours")
CORE = LedgerSimulator().identity.contract


@pytest.fixture
def chain() -> LedgerSimulator:
    return LedgerSimulator(sender=OUR)


def _sent(chain: LedgerSimulator, label: str, *, nonce: int | None = None) -> SignedTransaction:
    used = chain.count_transactions() if nonce is None else nonce
    transaction = chain.sign_call(AnchorRoot(root_of(label), 1), used)
    chain.broadcast(transaction)
    return transaction


def _three_anchors(chain: LedgerSimulator) -> list[SignedTransaction]:
    """One a block."""
    sent = []
    for label in "abc":
        sent.append(_sent(chain, label))
        chain.mine()
    return sent


def _roots(events: list[LedgerEvent]) -> list[MerkleRoot]:
    return [event.body.root for event in events if isinstance(event.body, Anchored)]


def _fits(events: list[LedgerEvent]) -> bool:
    """As a follower sees it."""
    head, sequence = EMPTY_HEAD, 0
    for event in events:
        head, sequence = next_head(head, event), sequence + 1
        if (event.head, event.sequence) != (head, sequence):
            return False
    return True


def test_nothing_is_mined_before_its_time(chain: LedgerSimulator) -> None:
    first, second = _sent(chain, "a", nonce=0), _sent(chain, "c", nonce=2)
    chain.mine(2)
    assert chain.find_receipt(first.hash) is not None
    assert chain.find_receipt(second.hash) is None  # nonce 1 is missing
    _sent(chain, "b", nonce=1)
    chain.mine()
    assert chain.find_receipt(second.hash) is not None
    assert _roots(chain.events) == [root_of(label) for label in "abc"]


def test_block_takes_no_more_than_its_capacity(chain: LedgerSimulator) -> None:
    chain.capacity = 2
    for nonce in range(3):
        _sent(chain, f"{nonce}", nonce=nonce)
    chain.mine()
    assert len(chain.events) == 2
    chain.mine()
    assert len(chain.events) == 3


@pytest.mark.parametrize("fate", Fate)
def test_reorganisation_gives_other_blocks(chain: LedgerSimulator, fate: Fate) -> None:
    sent = _three_anchors(chain)
    before = chain.blocks
    chain.reorganise(2, fate=fate)
    assert chain.blocks[:2] == before[:2]
    assert {block.hash for block in chain.blocks[2:]}.isdisjoint(block.hash for block in before)
    assert chain.count_transactions() == (3 if fate is Fate.INCLUDE else 1)
    with pytest.raises(LedgerError, match="does not know block"):
        chain.list_events(before[3], addresses_of(chain))
    chain.mine()
    kept = {Fate.VANISH: 1, Fate.POOL: 3, Fate.INCLUDE: 3}[fate]
    assert [chain.find_receipt(one.hash) is not None for one in sent] == [
        number < kept for number in range(3)
    ]
    assert _roots(chain.events) == [root_of(label) for label in "abc"[:kept]]
    assert _fits(chain.events)


def test_reorganisation_may_make_the_chain_shorter(chain: LedgerSimulator) -> None:
    _three_anchors(chain)
    chain.reorganise(2, length=1)
    assert chain.find_head().number == 2
    chain.reorganise(100, length=0)
    assert chain.find_head().hash == chain.identity.genesis_hash


def test_same_event_has_another_running_hash_after_a_reorganisation(
    chain: LedgerSimulator,
) -> None:
    _three_anchors(chain)
    before = chain.events
    chain.reorganise(1, fate=Fate.INCLUDE)
    assert chain.events[:2] == before[:2]
    assert (chain.events[2].body, chain.events[2].sequence) == (before[2].body, 3)
    assert chain.events[2].head != before[2].head


def test_cheap_replacement_is_refused_and_a_raised_one_taken(chain: LedgerSimulator) -> None:
    transaction = _sent(chain, "a")
    rival = chain.sign_call(AnchorRoot(root_of("b"), 1), 0)
    with pytest.raises(LedgerError, match="underpriced"):
        chain.broadcast(rival)
    replacement = chain.sign_replacement(transaction)
    chain.broadcast(replacement)
    chain.mine()
    assert chain.find_receipt(transaction.hash) is None
    assert chain.find_receipt(replacement.hash) is not None


def test_base_fee_makes_transactions_stick_until_they_are_replaced(
    chain: LedgerSimulator,
) -> None:
    transaction = _sent(chain, "a")
    chain.spike_base_fee()
    chain.mine(5)
    assert chain.find_receipt(transaction.hash) is None
    chain.broadcast(chain.sign_replacement(transaction))
    chain.mine()
    assert _roots(chain.events) == [root_of("a")]


def test_dropped_broadcast_is_gone(chain: LedgerSimulator) -> None:
    chain.drop_broadcasts()
    transaction = _sent(chain, "a")
    chain.mine()
    assert chain.find_receipt(transaction.hash) is None
    chain.broadcast(transaction)
    chain.mine()
    assert chain.find_receipt(transaction.hash) is not None


def test_muted_broadcast_arrives_without_an_answer(chain: LedgerSimulator) -> None:
    chain.mute_broadcasts()
    with pytest.raises(LedgerUnavailableError):
        _sent(chain, "a")
    chain.mine()
    assert _roots(chain.events) == [root_of("a")]


def test_delayed_broadcast_arrives_after_a_later_one(chain: LedgerSimulator) -> None:
    chain.delay_broadcasts()
    _sent(chain, "a", nonce=0)
    assert not chain.pool
    _sent(chain, "b", nonce=1)
    assert len(chain.pool) == 2
    chain.delay_broadcasts()
    _sent(chain, "c", nonce=2)
    chain.heal()
    chain.mine()
    assert _roots(chain.events) == [root_of(label) for label in "abc"]


def test_empty_pool_forgets_what_no_block_holds(chain: LedgerSimulator) -> None:
    _sent(chain, "a")
    chain.empty_pool()
    chain.mine()
    assert chain.events == []


def test_chain_that_is_down_answers_nothing(chain: LedgerSimulator) -> None:
    transaction = _sent(chain, "a")
    chain.go_down()
    for question in (
        chain.count_transactions,
        chain.find_head,
        lambda: chain.find_block(0),
        lambda: chain.find_receipt(transaction.hash),
        lambda: chain.list_events(chain.blocks[0], addresses_of(chain)),
        lambda: chain.list_events_between(0, 0, addresses_of(chain)),
        lambda: chain.log_head(CORE, chain.blocks[0]),
        lambda: chain.broadcast(transaction),
        lambda: chain.sign_call(AnchorRoot(root_of("b"), 1), 1),
        lambda: chain.sign_replacement(transaction),
        lambda: chain.find_anchor_time(root_of("a"), OUR.address),
    ):
        with pytest.raises(LedgerUnavailableError):
            question()
    chain.come_back()
    assert chain.find_head().number == 0


def test_silence_ends_after_so_many_questions(chain: LedgerSimulator) -> None:
    chain.fall_silent(2)
    for _ in range(2):
        with pytest.raises(LedgerUnavailableError):
            chain.find_head()
    assert chain.find_head().number == 0


def test_stopped_mining_makes_no_block(chain: LedgerSimulator) -> None:
    chain.stop_mining()
    chain.mine(3)
    assert chain.find_head().number == 0
    chain.resume_mining()
    chain.mine()
    assert chain.find_head().number == 1


def test_lagging_node_shows_an_older_chain(chain: LedgerSimulator) -> None:
    sent = _three_anchors(chain)
    chain.lag(2)
    assert chain.find_head().number == 1
    assert chain.count_transactions() == 1
    assert [chain.find_receipt(one.hash) is None for one in sent] == [False, True, True]
    assert chain.find_block(2) is None
    with pytest.raises(LedgerError, match="ends at block 1"):
        chain.list_events_between(0, 2, addresses_of(chain))
    chain.lag(0)
    assert chain.find_head().number == 3


@pytest.mark.parametrize("kind", [Lie.SKIP, Lie.REPEAT, Lie.REORDER, Lie.ALTER, Lie.INVENT])
def test_lie_about_events_shows_by_the_running_hash(chain: LedgerSimulator, kind: Lie) -> None:
    _three_anchors(chain)
    chain.lie(kind)
    told = chain.list_events_between(0, 3, addresses_of(chain))
    assert told != chain.events
    assert not _fits(told) or kind is Lie.SKIP  # that one shows with the next event
    assert chain.list_events_between(0, 3, addresses_of(chain)) == chain.events


def test_lie_waits_for_something_to_lie_about(chain: LedgerSimulator) -> None:
    chain.lie(Lie.SKIP)
    assert chain.list_events_between(0, 0, addresses_of(chain)) == []
    _three_anchors(chain)
    assert len(chain.list_events_between(0, 3, addresses_of(chain))) == 2


def test_lies_about_receipts(chain: LedgerSimulator) -> None:
    transaction = _sent(chain, "a")
    chain.lie(Lie.MINED)
    told = chain.find_receipt(transaction.hash)
    assert told is not None
    assert told.succeeded
    assert told.block_hash == chain.find_head().hash
    assert chain.find_receipt(transaction.hash) is None
    chain.mine()
    chain.lie(Lie.FAILED)
    told = chain.find_receipt(transaction.hash)
    assert told is not None
    assert chain.find_receipt(transaction.hash) == replace(told, succeeded=True)
    assert not told.succeeded


def test_lie_about_the_count_of_events(chain: LedgerSimulator) -> None:
    _three_anchors(chain)
    second, newest = chain.events[1], chain.blocks[-1]
    chain.lie(Lie.MISCOUNT)
    assert chain.log_head(CORE, chain.blocks[0]) == NO_EVENTS  # nothing to lie about
    assert chain.log_head(CORE, newest) == (second.sequence, second.head)
    assert chain.log_head(CORE, newest) == (3, chain.events[2].head)


def test_lie_about_a_parent(chain: LedgerSimulator) -> None:
    chain.mine(2)
    chain.lie(Lie.PARENT)
    told = chain.find_block(2)
    assert told is not None
    assert told.parent_hash != chain.blocks[1].hash
    assert replace(told, parent_hash=chain.blocks[1].hash) == chain.blocks[2]
    assert chain.find_block(2) == chain.blocks[2]


def test_strangers_events_stand_among_ours(chain: LedgerSimulator) -> None:
    stranger = sender_of("stranger")
    _sent(chain, "a")
    chain.submit_as(stranger, AnchorRoot(root_of("a"), 1))
    chain.submit_as(stranger, AnchorRoot(root_of("b"), 1))
    chain.mine()
    callers = [event.body.caller for event in chain.events if isinstance(event.body, Anchored)]
    assert sorted(callers) == sorted([OUR.address, stranger.address, stranger.address])
    assert _fits(chain.events)


def test_nonce_of_ours_can_be_used_up_elsewhere(chain: LedgerSimulator) -> None:
    waiting = chain.sign_call(AnchorRoot(root_of("a"), 1), 0)
    chain.submit_as(OUR, AnchorRoot(root_of("b"), 1))
    chain.mine()
    with pytest.raises(LedgerError, match="nonce too low"):
        chain.broadcast(waiting)
    assert chain.count_transactions() == 1
