"""Several contracts in one database: each has its cursor, count and running hash."""

from __future__ import annotations

import dataclasses

import builders
import pytest
from repository_adapters import (
    CONTRACT,
    NEVER,
    anchored_in,
    batch_of,
    block_at,
    blocks_between,
    event_in,
    follow,
    submit,
)

from titledeed.errors import InvariantViolation
from titledeed.models.ledger import (
    Anchored,
    Block,
    Cursor,
    EventBody,
    EventRecorded,
    LedgerEvent,
    Withdrawn,
)
from titledeed.models.primitives import Keccak256, MerkleRoot, Sha256, Subject
from titledeed.ports import Repositories

NO_HEAD = (0, bytes(20))
OTHER = builders.build_address(9_001)
ACTOR = builders.build_address(1)
WORD = Keccak256(builders.seeded_bytes("leaf", 1))
LEAF = Subject(WORD)
ANCHOR: EventBody = Anchored(MerkleRoot(WORD), ACTOR, 3)
WITHDRAWAL: EventBody = Withdrawn(LEAF, ACTOR, by_holder=True)
SCREENING: EventBody = EventRecorded(LEAF, ACTOR, WORD, Sha256(bytes(32)), by_holder=False)


def advance(
    repositories: Repositories, fork: int | None, blocks: list[Block], *events: LedgerEvent
) -> None:
    """Follow the core alone."""
    repositories.followed.advance(
        contracts=[CONTRACT], fork=fork, blocks=blocks, events=events, confirmations=NEVER
    )


def catch_up(
    repositories: Repositories, fork: int | None, number: int, *events: LedgerEvent
) -> None:
    repositories.followed.catch_up(OTHER, fork=fork, block=block_at(number), events=events)


def test_each_contract_counts_for_itself(repositories: Repositories) -> None:
    blocks = blocks_between(1, 3)
    ours = [event_in(blocks[0], 1, ANCHOR), event_in(blocks[2], 2, WITHDRAWAL)]
    theirs = [event_in(blocks[1], 1, WITHDRAWAL, contract=OTHER)]
    repositories.followed.advance(
        contracts=[CONTRACT, OTHER],
        fork=None,
        blocks=blocks,
        events=[ours[0], theirs[0], ours[1]],
        confirmations=NEVER,
    )
    assert repositories.followed.list_events(CONTRACT, after=0, limit=9) == ours
    assert repositories.followed.list_events(OTHER, after=0, limit=9) == theirs
    assert repositories.followed.cursor(CONTRACT) == Cursor(blocks[2], 2, ours[1].head)
    assert repositories.followed.cursor(OTHER) == Cursor(blocks[2], 1, theirs[0].head)
    assert repositories.followed.head_at(OTHER, 1) == NO_HEAD
    assert repositories.followed.list_about([LEAF]) == [theirs[0], ours[1]]


def test_a_contract_that_is_added_catches_up_in_steps(repositories: Repositories) -> None:
    ours = event_in(block_at(2), 1, ANCHOR)
    advance(repositories, None, blocks_between(1, 6), ours)
    first = event_in(block_at(2), 1, WITHDRAWAL, contract=OTHER)
    second = event_in(block_at(5), 2, SCREENING, contract=OTHER)
    catch_up(repositories, None, 3, first)
    assert repositories.followed.cursor(OTHER) == Cursor(block_at(3), 1, first.head)
    for _ in range(2):  # the same again changes nothing
        catch_up(repositories, 3, 6, second)
        assert repositories.followed.cursor(OTHER) == Cursor(block_at(6), 2, second.head)
        assert repositories.followed.list_events(OTHER, after=0, limit=9) == [first, second]
    assert repositories.followed.list_events(CONTRACT, after=0, limit=9) == [ours]
    assert repositories.followed.list_blocks() == blocks_between(1, 6)[::-1]


@pytest.mark.parametrize(("fork", "reached"), [(4, 3), (3, 3), (2, 2), (1, None)])
def test_a_fork_takes_back_what_a_late_contract_has_above_it(
    repositories: Repositories, fork: int, reached: int | None
) -> None:
    advance(repositories, None, blocks_between(2, 6))
    catch_up(repositories, None, 3, event_in(block_at(3), 1, WITHDRAWAL, contract=OTHER))
    advance(repositories, fork, [block_at(fork + 1, branch=1, fork=fork)])
    cursor = repositories.followed.cursor(OTHER)
    assert (cursor.block.number if cursor else None) == reached
    known = repositories.followed.list_events(OTHER, after=0, limit=9)
    assert [event.sequence for event in known] == ([1] if reached == 3 else [])
    assert (repositories.followed.list_about([LEAF]) != []) == (reached == 3)


def test_what_a_late_contract_cannot_have_is_refused(repositories: Repositories) -> None:
    advance(repositories, None, blocks_between(1, 6))
    early = event_in(block_at(2), 1, WITHDRAWAL, contract=OTHER)
    catch_up(repositories, None, 3, early)
    late = event_in(block_at(5), 2, SCREENING, contract=OTHER)
    refused: list[tuple[int | None, Block, list[LedgerEvent]]] = [
        (3, block_at(7), []),  # was not followed yet
        (3, block_at(6, branch=1, fork=5), []),  # another was followed
        (4, block_at(6), []),  # block 4 is left out
        (3, block_at(4), [late]),  # above the block
        (3, block_at(6), [dataclasses.replace(late, sequence=3)]),  # a number is left out
        (3, block_at(6), [early]),  # at the fork
        (3, block_at(6), [dataclasses.replace(late, contract=CONTRACT)]),
    ]
    before = repositories.followed.cursor(OTHER)
    for fork, block, events in refused:
        with pytest.raises(InvariantViolation):
            repositories.followed.catch_up(OTHER, fork=fork, block=block, events=events)
        assert repositories.followed.cursor(OTHER) == before
        assert repositories.followed.list_events(OTHER, after=0, limit=9) == [early]


def test_a_late_contract_does_not_go_on_with_the_others(repositories: Repositories) -> None:
    advance(repositories, None, blocks_between(1, 6))
    catch_up(repositories, None, 3)
    seven = block_at(7)
    for contracts, events in (
        ([CONTRACT, OTHER], []),
        ([CONTRACT], [event_in(seven, 1, ANCHOR, contract=OTHER)]),
    ):
        with pytest.raises(InvariantViolation):
            repositories.followed.advance(
                contracts=contracts,
                fork=6,
                blocks=[seven],
                events=events,
                confirmations=NEVER,
            )
    advance(repositories, 6, [seven])
    cursor = repositories.followed.cursor(OTHER)
    assert cursor is not None and cursor.block == block_at(3)


def test_a_submission_is_settled_by_an_event_of_its_own_contract(
    repositories: Repositories,
) -> None:
    registration = builders.build_registration(1)
    added = submit(repositories, registration)
    block = block_at(1)
    elsewhere = dataclasses.replace(anchored_in(block, 1, batch_of([registration])), contract=OTHER)
    repositories.followed.advance(
        contracts=[CONTRACT, OTHER],
        fork=None,
        blocks=[block],
        events=[elsewhere],
        confirmations=NEVER,
    )
    assert repositories.outbox.list_pending() == [added]
    follow(repositories, block_at(2), anchored_in(block_at(2), 1, batch_of([registration])))
    assert repositories.outbox.list_pending() == []
    found = repositories.registrations.find(registration.registration_id)
    assert found is not None
    anchor = found.anchor
    assert anchor is not None and anchor.block_number == 2
