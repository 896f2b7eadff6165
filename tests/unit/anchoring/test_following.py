"""Following: the index is the canonical chain's, and what does not fit is refused whole."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import pytest
from chain_builders import root_of, sender_of
from chain_desk import CONFIRMATIONS, Desk
from simulation.ledger_simulator import Fate, LedgerSimulator, Lie

from titledeed.anchoring.following import NEAR_BLOCKS
from titledeed.errors import LedgerError, LedgerUnavailableError
from titledeed.models.evidence import ClaimStatus
from titledeed.models.ledger import AnchorRoot, Block, DeployedContract, LedgerEvent
from titledeed.models.primitives import Address
from titledeed.store.chain import BLOCKS_KEPT

STRANGER = sender_of("stranger")


class Watched(LedgerSimulator):
    """Counts questions, and may be disturbed in the middle of one."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.disturb: Callable[[], None] | None = None

    def list_events(self, block: Block, contracts: Collection[Address]) -> list[LedgerEvent]:
        self.asked.append("by hash")
        disturb, self.disturb = self.disturb, None
        if disturb is not None:
            disturb()
        return super().list_events(block, contracts)

    def list_events_between(
        self, first: int, last: int, contracts: Collection[Address]
    ) -> list[LedgerEvent]:
        self.asked.append("by number")
        return super().list_events_between(first, last, contracts)


@pytest.fixture
def simulator() -> Watched:
    return Watched()


def anchor(simulator: LedgerSimulator, *labels: str) -> None:
    """A block in which a stranger anchors these."""
    for label in labels:
        simulator.submit_as(STRANGER, AnchorRoot(root_of(label), 1))
    simulator.mine()


def hide_last_event(simulator: LedgerSimulator) -> None:
    """Two lies that fit each other."""
    simulator.lie(Lie.SKIP)
    simulator.lie(Lie.MISCOUNT)


def assert_index_is_the_chain(desk: Desk, simulator: LedgerSimulator) -> None:
    cursor = desk.cursor()
    assert cursor is not None
    assert cursor.block == simulator.blocks[-1]
    assert desk.list_events() == simulator.events
    followed = desk.chain.list_blocks()
    assert set(followed) <= set(simulator.blocks)


def everything(desk: Desk) -> tuple[object, ...]:
    return (
        desk.cursor(),
        desk.chain.list_blocks(),
        desk.list_events(),
    )


def test_blocks_and_events_are_those_of_the_chain(desk: Desk, simulator: Watched) -> None:
    anchor(simulator, "a", "b")
    simulator.mine(3)
    anchor(simulator, "c")
    cursor = desk.following.follow()
    assert (cursor.sequence, cursor.head) == (3, simulator.events[-1].head)
    assert_index_is_the_chain(desk, simulator)


def test_a_chain_without_a_block_of_ours_is_followed(desk: Desk, simulator: Watched) -> None:
    assert desk.following.follow().block == simulator.blocks[0]
    assert_index_is_the_chain(desk, simulator)


def test_following_again_asks_for_nothing_old(desk: Desk, simulator: Watched) -> None:
    anchor(simulator, "a")
    desk.following.follow()
    before = everything(desk)
    simulator.asked.clear()
    desk.following.follow()
    assert simulator.asked == []
    anchor(simulator, "b")
    desk.following.follow()
    assert simulator.asked == ["by hash"]
    assert everything(desk) != before


def test_a_new_process_goes_on_where_the_last_one_was(
    tmp_path: Path, desk: Desk, simulator: Watched
) -> None:
    anchor(simulator, "a")
    desk.following.follow()
    anchor(simulator, "b")
    simulator.asked.clear()
    other = Desk(tmp_path / "home", simulator)
    other.following.follow()
    assert simulator.asked == ["by hash"]
    assert_index_is_the_chain(desk, simulator)
    other.close()


# --- the distant past ---


def test_the_distant_past_is_read_by_number_and_the_near_by_hash(
    desk: Desk, simulator: Watched
) -> None:
    for number in range(10):
        simulator.mine(40)
        anchor(simulator, f"old {number}")
    simulator.mine(NEAR_BLOCKS)
    desk.following.follow()
    assert simulator.asked.count("by number") == 1
    assert simulator.asked.count("by hash") == NEAR_BLOCKS
    assert_index_is_the_chain(desk, simulator)


def test_a_long_past_is_read_in_stretches_each_of_which_stays(
    tmp_path: Path, simulator: Watched
) -> None:
    desk = Desk(tmp_path / "home", simulator, stretch_blocks=100)
    for number in range(8):
        simulator.mine(49)
        anchor(simulator, f"old {number}")
    simulator.mine(NEAR_BLOCKS)
    seen: list[int] = []

    def stop(label: str, fraction: float) -> None:
        cursor = desk.cursor()
        assert cursor is not None
        seen.append(cursor.block.number)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.following.follow(stop)
    simulator.asked.clear()
    desk.following.follow()
    assert seen == [99, 199]
    assert simulator.asked.count("by number") == 3
    assert_index_is_the_chain(desk, simulator)
    desk.close()


@pytest.mark.parametrize("lie", [Lie.SKIP, Lie.REPEAT, Lie.REORDER, Lie.ALTER, Lie.INVENT])
def test_a_lie_about_the_distant_past_is_refused(desk: Desk, simulator: Watched, lie: Lie) -> None:
    anchor(simulator, "a", "b")
    simulator.mine(10)
    anchor(simulator, "c", "d")
    simulator.mine(NEAR_BLOCKS)
    simulator.lie(lie)
    if lie is Lie.SKIP:
        desk.following.follow()  # it shows at the head, and is mended
    else:
        with pytest.raises(LedgerError):
            desk.following.follow()
        assert desk.cursor() is None
        desk.following.follow()
    assert_index_is_the_chain(desk, simulator)


# --- reorganisations ---


@pytest.mark.parametrize("fate", list(Fate))
@pytest.mark.parametrize("depth", [1, 3, 9])
def test_a_reorganisation_is_followed_from_its_fork(
    desk: Desk, simulator: Watched, depth: int, fate: Fate
) -> None:
    for number in range(10):
        anchor(simulator, f"{number}")
    desk.following.follow()
    simulator.reorganise(depth, fate=fate)
    anchor(simulator, "after")
    simulator.asked.clear()
    desk.following.follow()
    assert len(simulator.asked) == depth + 1
    assert_index_is_the_chain(desk, simulator)


def test_a_shorter_chain_is_followed_too(desk: Desk, simulator: Watched) -> None:
    for number in range(10):
        anchor(simulator, f"{number}")
    desk.following.follow()
    simulator.reorganise(6, length=2)
    desk.following.follow()
    assert_index_is_the_chain(desk, simulator)


def test_a_reorganisation_deeper_than_what_is_kept_starts_over(
    desk: Desk, simulator: Watched
) -> None:
    anchor(simulator, "first")
    simulator.mine(BLOCKS_KEPT + 50)
    anchor(simulator, "last")
    desk.following.follow()
    simulator.reorganise(BLOCKS_KEPT + 40, fate=Fate.INCLUDE)
    desk.following.follow()
    assert_index_is_the_chain(desk, simulator)


def test_a_registration_that_lost_its_block_is_pending_until_it_has_another(
    desk: Desk, simulator: Watched
) -> None:
    (accepted,) = desk.accept(1)
    desk.sending.send_batch()
    simulator.mine()
    desk.following.follow()
    assert desk.find(accepted.registration_id).status is ClaimStatus.INCLUDED
    simulator.reorganise(1, fate=Fate.POOL)
    desk.following.follow()
    assert desk.find(accepted.registration_id).status is ClaimStatus.PENDING
    assert desk.find(accepted.registration_id).anchor is None
    simulator.mine()
    desk.following.follow()
    assert desk.find(accepted.registration_id).status is ClaimStatus.INCLUDED


def test_a_registration_is_safe_then_final(desk: Desk, simulator: Watched) -> None:
    (accepted,) = desk.accept(1)
    desk.sending.send_batch()
    statuses = []
    for _ in range(CONFIRMATIONS.final + 1):
        simulator.mine()
        desk.following.follow()
        statuses.append(desk.find(accepted.registration_id).status)
    assert statuses == [ClaimStatus.INCLUDED] * 2 + [ClaimStatus.SAFE] * 2 + [ClaimStatus.FINAL]


def test_a_reorganisation_while_it_is_read_makes_it_look_again(
    desk: Desk, simulator: Watched
) -> None:
    for number in range(5):
        anchor(simulator, f"{number}")
    simulator.disturb = lambda: simulator.reorganise(3, fate=Fate.INCLUDE, length=4)
    desk.following.follow()
    assert_index_is_the_chain(desk, simulator)


def test_a_chain_that_never_stands_still_is_given_up(desk: Desk, simulator: Watched) -> None:
    anchor(simulator, "a")
    before = everything(desk)

    def disturb() -> None:
        simulator.reorganise(1)
        simulator.disturb = disturb

    simulator.disturb = disturb
    with pytest.raises(LedgerUnavailableError, match="changes faster"):
        desk.following.follow()
    assert everything(desk) == before


# --- nodes that are behind, or lie ---


@pytest.mark.parametrize("lag", [1, 5, 19])
def test_a_node_that_is_behind_is_refused(desk: Desk, simulator: Watched, lag: int) -> None:
    for number in range(20):
        anchor(simulator, f"{number}")
    desk.following.follow()
    before = everything(desk)
    simulator.lag(lag)
    with pytest.raises(LedgerUnavailableError, match="ends at block") as raised:
        desk.following.follow()
    assert raised.value.retryable
    assert everything(desk) == before
    simulator.heal()
    desk.following.follow()
    assert_index_is_the_chain(desk, simulator)


def test_a_node_behind_all_that_is_kept_is_refused(desk: Desk, simulator: Watched) -> None:
    anchor(simulator, "a")
    simulator.mine(BLOCKS_KEPT + NEAR_BLOCKS)
    desk.following.follow()
    before = everything(desk)
    simulator.lag(BLOCKS_KEPT + NEAR_BLOCKS)
    with pytest.raises(LedgerUnavailableError, match="ends at block"):
        desk.following.follow()
    assert everything(desk) == before


@pytest.mark.parametrize("lie", [Lie.REPEAT, Lie.REORDER, Lie.ALTER, Lie.INVENT, Lie.PARENT])
def test_a_lie_is_refused_and_nothing_of_it_stored(
    desk: Desk, simulator: Watched, lie: Lie
) -> None:
    anchor(simulator, "a", "b")
    desk.following.follow()
    before = everything(desk)
    anchor(simulator, "c", "d")
    anchor(simulator, "e", "f")
    simulator.lie(lie, answers=3)
    with pytest.raises(LedgerError):
        desk.following.follow()
    assert everything(desk) == before
    simulator.heal()
    desk.following.follow()
    assert_index_is_the_chain(desk, simulator)


def test_an_event_left_out_shows_at_the_next_one(desk: Desk, simulator: Watched) -> None:
    anchor(simulator, "a", "b")
    anchor(simulator, "c")
    simulator.lie(Lie.SKIP)
    with pytest.raises(LedgerError, match="does not follow"):
        desk.following.follow()
    assert desk.cursor() is None


def test_a_last_event_left_out_shows_by_the_count_of_the_contract(
    desk: Desk, simulator: Watched
) -> None:
    desk.following.follow()
    before = everything(desk)
    anchor(simulator, "a", "b", "c")
    simulator.mine(2)
    simulator.lie(Lie.SKIP, answers=2)
    with pytest.raises(LedgerError, match="shows 2 events up to block 3"):
        desk.following.follow()
    assert everything(desk) == before
    desk.following.follow()
    assert_index_is_the_chain(desk, simulator)


def test_a_last_event_left_out_once_is_read_again(desk: Desk, simulator: Watched) -> None:
    desk.following.follow()
    anchor(simulator, "a")
    simulator.lie(Lie.SKIP)
    desk.following.follow()
    assert_index_is_the_chain(desk, simulator)


def test_a_count_that_does_not_fit_is_refused(desk: Desk, simulator: Watched) -> None:
    anchor(simulator, "a")
    simulator.lie(Lie.MISCOUNT)
    with pytest.raises(LedgerError, match="which are not those that the contract counted"):
        desk.following.follow()
    assert desk.cursor() is None


def test_a_last_event_that_was_hidden_is_found_without_a_next_one(
    desk: Desk, simulator: Watched
) -> None:
    anchor(simulator, "a")
    hide_last_event(simulator)
    desk.following.follow()
    assert desk.list_events() == []
    simulator.mine()
    desk.following.follow()
    assert_index_is_the_chain(desk, simulator)


@pytest.mark.parametrize("before", [["a"], ["a", "xy"], [], ["xyz"]])
def test_a_last_event_that_was_hidden_is_found_when_the_next_one_comes(
    desk: Desk, simulator: Watched, before: list[str]
) -> None:
    for labels in before:
        anchor(simulator, *labels)
        desk.following.follow()
    anchor(simulator, "b", "c")
    simulator.mine(2)
    hide_last_event(simulator)
    desk.following.follow()
    simulator.mine(2)
    anchor(simulator, "d")
    desk.following.follow()
    assert_index_is_the_chain(desk, simulator)


def test_a_first_event_that_was_hidden_is_found_when_the_next_one_comes(
    desk: Desk, simulator: Watched
) -> None:
    anchor(simulator, "a")
    hide_last_event(simulator)
    desk.following.follow()
    anchor(simulator, "b")
    desk.following.follow()
    assert_index_is_the_chain(desk, simulator)


def test_an_event_that_stays_left_out_is_refused_for_good(desk: Desk, simulator: Watched) -> None:
    anchor(simulator, "a")
    desk.following.follow()
    anchor(simulator, "b")
    hide_last_event(simulator)
    desk.following.follow()
    before = everything(desk)
    anchor(simulator, "c", "d")
    simulator.lie(Lie.SKIP, answers=10)
    with pytest.raises(LedgerError, match="does not follow"):
        desk.following.follow()
    assert desk.list_events() == simulator.events[:1]
    assert before[2] == simulator.events[:1]


def test_a_block_can_be_read_again(desk: Desk, simulator: Watched) -> None:
    anchor(simulator, "a")
    simulator.mine(3)
    hide_last_event(simulator)
    desk.following.follow()
    assert desk.list_events() == []
    desk.following.reread(1)
    assert_index_is_the_chain(desk, simulator)


def test_a_node_whose_chain_ends_before_the_contract_is_refused(
    tmp_path: Path,
) -> None:
    class EndsEarly(LedgerSimulator):
        @property
        def contracts(self) -> tuple[DeployedContract, ...]:
            return (replace(super().contracts[0], first_block=101),)

    desk = Desk(tmp_path / "home", EndsEarly())
    with pytest.raises(LedgerUnavailableError, match="before the contract"):
        desk.following.follow()
    desk.close()


# --- several followers ---


def test_a_slow_follower_does_not_set_back_a_fast_one(
    tmp_path: Path, desk: Desk, simulator: Watched
) -> None:
    other = Desk(tmp_path / "home", simulator)
    anchor(simulator, "a")

    def overtake() -> None:
        anchor(simulator, "b")
        other.following.follow()
        anchor(simulator, "c")
        other.following.follow()

    heights: list[int] = []

    def note(label: str, fraction: float) -> None:
        cursor = desk.cursor()
        assert cursor is not None
        heights.append(cursor.block.number)

    simulator.disturb = overtake
    desk.following.follow(note)
    assert heights == [len(simulator.blocks) - 1]
    assert_index_is_the_chain(desk, simulator)
    other.close()
