"""What every database behind ``ports.ChainRepository`` promises."""

from __future__ import annotations

import dataclasses
from typing import get_args

import builders
import pytest
from repository_adapters import (
    CONTRACT,
    NEVER,
    accept,
    add_batch,
    anchor_of,
    anchored_in,
    batch_of,
    block_at,
    blocks_between,
    event_in,
    follow,
    imported,
    submit,
)

from titledeed.errors import InvariantViolation
from titledeed.models.evidence import ClaimStatus
from titledeed.models.ledger import (
    Anchored,
    BindingPublished,
    Block,
    Confirmations,
    Cursor,
    EventBody,
    EventRecorded,
    Issued,
    KeyDeclared,
    LedgerEvent,
    Superseded,
    Withdrawn,
)
from titledeed.models.primitives import DeedId, Keccak256, LeafHash, MerkleRoot, Sha256, Subject
from titledeed.models.registration import Registration
from titledeed.ports import Repositories

NO_HEAD = (0, bytes(20))


def word(number: int) -> Keccak256:
    return Keccak256(builders.seeded_bytes("word", number))


ACTOR = builders.build_address(1)
BODIES: tuple[EventBody, ...] = (
    Anchored(MerkleRoot(word(1)), ACTOR, 3),
    Issued(
        deed=DeedId(2**256 - 1),
        leaf=LeafHash(word(2)),
        claimant=ACTOR,
        content_digest=Sha256(word(3)),
        root=MerkleRoot(word(1)),
        anchored_by=ACTOR,
        royalty=250,
        parents=(DeedId(1), DeedId(2**255)),
    ),
    Withdrawn(Subject(word(2)), ACTOR, by_holder=True),
    Superseded(Subject(word(2)), ACTOR, Subject(word(4)), by_holder=False),
    EventRecorded(Subject(word(5)), ACTOR, word(6), Sha256(bytes(32)), by_holder=False),
    KeyDeclared(ACTOR, builders.build_address(2), builders.build_address(3), 2**64 - 1),
    BindingPublished(word(7), ACTOR, "https://example.org/\0\udcff😀", "urn:c2pa:1"),
)


@pytest.fixture
def events(repositories: Repositories) -> list[LedgerEvent]:
    """One event of each kind, in the blocks 1 to 7; followed."""
    blocks = blocks_between(1, 9)
    found = [
        event_in(block, sequence, body)
        for sequence, (block, body) in enumerate(zip(blocks, BODIES, strict=False), start=1)
    ]
    advance(repositories, None, blocks, *found)
    return found


def advance(
    repositories: Repositories,
    fork: int | None,
    blocks: list[Block],
    *events: LedgerEvent,
    confirmations: Confirmations = NEVER,
) -> None:
    repositories.followed.advance(
        contracts=[CONTRACT], fork=fork, blocks=blocks, events=events, confirmations=confirmations
    )


def find(repositories: Repositories, registration: Registration) -> Registration:
    found = repositories.registrations.find(registration.registration_id)
    assert found is not None
    return found


class TestFollowing:
    def test_nothing_is_known_before_the_first_block(self, repositories: Repositories) -> None:
        assert repositories.followed.cursor(CONTRACT) is None
        assert repositories.followed.list_blocks() == []
        assert repositories.followed.head_at(CONTRACT, 10**9) == NO_HEAD
        assert repositories.followed.list_events(CONTRACT, after=0, limit=10) == []

    def test_cursor_is_the_last_block_and_the_last_event(
        self, repositories: Repositories, events: list[LedgerEvent]
    ) -> None:
        last = events[-1]
        assert repositories.followed.cursor(CONTRACT) == Cursor(
            block_at(9), last.sequence, last.head
        )
        assert repositories.followed.list_blocks() == blocks_between(1, 9)[::-1]

    def test_every_kind_of_event_comes_back_as_it_was(
        self, repositories: Repositories, events: list[LedgerEvent]
    ) -> None:
        assert {type(event.body) for event in events} == set(get_args(EventBody))
        assert repositories.followed.list_events(CONTRACT, after=0, limit=100) == events
        assert repositories.followed.list_events(CONTRACT, after=2, limit=3) == events[2:5]

    def test_head_is_that_of_the_last_event_at_or_below_a_height(
        self, repositories: Repositories
    ) -> None:
        low, high = block_at(5), block_at(8)
        first, second = (event_in(low, n, BODIES[n]) for n in (1, 2))
        third = event_in(high, 3, BODIES[3])
        advance(repositories, None, blocks_between(4, 9), first, second, third)
        assert repositories.followed.head_at(CONTRACT, 4) == NO_HEAD
        assert repositories.followed.head_at(CONTRACT, 5) == (2, second.head)
        assert repositories.followed.head_at(CONTRACT, 7) == (2, second.head)
        assert repositories.followed.head_at(CONTRACT, 8) == (3, third.head)

    def test_blocks_beyond_those_that_can_fork_are_dropped(
        self, repositories: Repositories
    ) -> None:
        advance(repositories, None, blocks_between(0, 400))
        kept = repositories.followed.list_blocks()
        assert kept == blocks_between(145, 400)[::-1]
        advance(repositories, 400, [block_at(401)])
        assert repositories.followed.list_blocks() == blocks_between(146, 401)[::-1]

    def test_stretch_read_by_number_may_leave_a_gap(self, repositories: Repositories) -> None:
        advance(repositories, None, [block_at(10)], event_in(block_at(4), 1, BODIES[0]))
        advance(repositories, 10, [block_at(50)], event_in(block_at(33), 2, BODIES[1]))
        cursor = repositories.followed.cursor(CONTRACT)
        assert cursor is not None and (cursor.block, cursor.sequence) == (block_at(50), 2)

    def test_same_arguments_again_change_nothing(self, repositories: Repositories) -> None:
        registration = builders.build_registration(1)
        submit(repositories, registration)
        batch = batch_of([registration])
        advance(repositories, None, blocks_between(1, 3))
        stretch = blocks_between(4, 5)
        event = anchored_in(stretch[0], 1, batch)
        states = []
        for _ in range(2):
            advance(repositories, 3, stretch, event)
            states.append(
                (
                    repositories.followed.cursor(CONTRACT),
                    repositories.followed.list_blocks(),
                    repositories.followed.list_events(CONTRACT, after=0, limit=9),
                    find(repositories, registration),
                    repositories.outbox.find_submission(1),
                )
            )
        assert states[0] == states[1]


class TestForks:
    def test_everything_above_the_fork_is_forgotten(self, repositories: Repositories) -> None:
        kept = event_in(block_at(2), 1, BODIES[0])
        gone = event_in(block_at(4), 2, BODIES[2])
        advance(repositories, None, blocks_between(1, 6), kept, gone)
        other = blocks_between(4, 5, branch=1, fork=3)
        new = event_in(other[1], 2, BODIES[4])
        advance(repositories, 3, other, new)
        assert repositories.followed.list_events(CONTRACT, after=0, limit=9) == [kept, new]
        assert repositories.followed.list_blocks() == [*other[::-1], *blocks_between(1, 3)[::-1]]
        assert repositories.followed.cursor(CONTRACT) == Cursor(other[1], 2, new.head)
        assert repositories.followed.list_about([word(2)]) == []
        assert repositories.followed.list_about([word(5)]) == [new]

    def test_lost_block_makes_submission_and_registration_pending_again(
        self, repositories: Repositories
    ) -> None:
        low, high = builders.build_registration(1), builders.build_registration(2)
        first, second = submit(repositories, low, nonce=0), submit(repositories, high, nonce=1)
        pending = find(repositories, high)
        anchors = [
            anchored_in(block_at(2), 1, batch_of([low], nonce=0)),
            anchored_in(block_at(4), 2, batch_of([high], nonce=1)),
        ]
        advance(repositories, None, blocks_between(1, 5), *anchors)
        assert repositories.outbox.list_pending() == []
        settled = find(repositories, low)
        advance(repositories, 3, [block_at(4, branch=1, fork=3)])
        assert repositories.outbox.list_pending() == [second]
        assert find(repositories, high) == pending
        assert pending.leaf_index == 0
        assert find(repositories, low) == settled
        assert settled.anchor == anchor_of(anchors[0])
        block = block_at(5, branch=1, fork=3)
        again = anchored_in(block, 2, batch_of([high], nonce=1))
        advance(repositories, 4, [block], again)
        assert find(repositories, high).anchor == anchor_of(again)
        found = repositories.outbox.find_submission(first.submission_id)
        assert found is not None and found.attempts == first.attempts

    def test_fork_of_none_forgets_all(
        self, repositories: Repositories, events: list[LedgerEvent]
    ) -> None:
        assert events
        advance(repositories, None, [block_at(1, branch=1)])
        assert repositories.followed.list_events(CONTRACT, after=0, limit=9) == []
        assert repositories.followed.list_blocks() == [block_at(1, branch=1)]
        assert repositories.followed.head_at(CONTRACT, 100) == NO_HEAD

    def test_imported_registration_is_never_touched(self, repositories: Repositories) -> None:
        bundle = builders.build_bundle(1)
        theirs = imported(bundle)
        repositories.registrations.add_imported(theirs, [])
        body = Anchored(bundle.own.anchor.root, bundle.own.anchor.caller, bundle.own.anchor.size)
        final = Confirmations(0, 0)
        advance(
            repositories,
            None,
            blocks_between(1, 3),
            event_in(block_at(2), 1, body, transaction=bundle.own.anchor.transaction),
            confirmations=final,
        )
        assert find(repositories, theirs) == theirs
        advance(repositories, 1, [], confirmations=final)
        assert find(repositories, theirs) == theirs


class TestDepth:
    @pytest.mark.parametrize(
        ("on_top", "confirmations", "status"),
        [
            (0, Confirmations(0, 0), ClaimStatus.FINAL),
            (0, Confirmations(0, 1), ClaimStatus.SAFE),
            (0, Confirmations(1, 2), ClaimStatus.INCLUDED),
            (1, Confirmations(1, 2), ClaimStatus.SAFE),
            (2, Confirmations(1, 2), ClaimStatus.FINAL),
            (31, Confirmations(32, 96), ClaimStatus.INCLUDED),
            (32, Confirmations(32, 96), ClaimStatus.SAFE),
            (95, Confirmations(32, 96), ClaimStatus.SAFE),
            (96, Confirmations(32, 96), ClaimStatus.FINAL),
        ],
    )
    def test_status_follows_from_the_blocks_on_top(
        self,
        repositories: Repositories,
        on_top: int,
        confirmations: Confirmations,
        status: ClaimStatus,
    ) -> None:
        registration = builders.build_registration(1)
        submit(repositories, registration)
        event = anchored_in(block_at(5), 1, batch_of([registration]))
        blocks = blocks_between(4, 5 + on_top)
        advance(repositories, None, blocks, event, confirmations=confirmations)
        assert find(repositories, registration).status is status

    def test_status_goes_down_when_the_chain_gets_shorter(self, repositories: Repositories) -> None:
        registration = builders.build_registration(1)
        submit(repositories, registration)
        event = anchored_in(block_at(2), 1, batch_of([registration]))
        confirmations = Confirmations(2, 4)
        advance(repositories, None, blocks_between(1, 7), event, confirmations=confirmations)
        assert find(repositories, registration).status is ClaimStatus.FINAL
        for fork, status in [(4, ClaimStatus.SAFE), (2, ClaimStatus.INCLUDED)]:
            shorter = [block_at(fork + 1, branch=1, fork=fork)]
            advance(repositories, fork, shorter, confirmations=confirmations)
            assert find(repositories, registration).status is status
            advance(repositories, fork, [], confirmations=confirmations)

    def test_every_answer_about_a_registration_has_its_status(
        self, repositories: Repositories
    ) -> None:
        registration = builders.build_registration(1)
        submit(repositories, registration)
        event = anchored_in(block_at(2), 1, batch_of([registration]))
        advance(repositories, None, blocks_between(1, 3), event, confirmations=Confirmations(1, 9))
        found = find(repositories, registration)
        assert found.status is ClaimStatus.SAFE
        assert repositories.registrations.find_by_digest(found.content_digest) == [found]
        assert repositories.registrations.list_own(after=0, limit=2) == [(1, found)]
        assert repositories.registrations.accept(registration, []) == found


class TestRefusals:
    def test_what_does_not_link_is_refused_whole(self, repositories: Repositories) -> None:
        advance(repositories, None, blocks_between(1, 3), event_in(block_at(2), 1, BODIES[0]))
        four, five = block_at(4), block_at(5)
        foreign = block_at(4, branch=1, fork=2)
        second = event_in(four, 2, BODIES[1])
        refused: list[tuple[list[Block], list[LedgerEvent]]] = [
            ([foreign], []),  # does not stand on the fork
            ([four, block_at(5, branch=1, fork=3)], []),  # a link is broken
            ([four, block_at(6)], []),  # a gap behind the first
            ([block_at(3), four], []),  # at the fork
            ([four, five], [event_in(four, 3, BODIES[1])]),  # a number is left out
            ([four, five], [event_in(four, 1, BODIES[1])]),  # a number comes twice
            ([four, five], [second, event_in(five, 4, BODIES[2])]),  # one is left out later
            ([four], [event_in(five, 2, BODIES[1])]),  # above the last block
            ([four], [event_in(block_at(3), 2, BODIES[1])]),  # at the fork
            ([four], [event_in(foreign, 2, BODIES[1])]),  # of another block
            ([four, five], [event_in(five, 2, BODIES[1]), event_in(four, 3, BODIES[1])]),
            ([], [second]),
        ]
        before = (
            repositories.followed.cursor(CONTRACT),
            repositories.followed.list_events(CONTRACT, after=0, limit=9),
        )
        for blocks, events in refused:
            with pytest.raises(InvariantViolation):
                advance(repositories, 3, blocks, *events)
            assert before == (
                repositories.followed.cursor(CONTRACT),
                repositories.followed.list_events(CONTRACT, after=0, limit=9),
            )


class TestSearch:
    def test_events_are_found_by_what_they_are_about(
        self, repositories: Repositories, events: list[LedgerEvent]
    ) -> None:
        _, issued, withdrawn, superseded, recorded, _, binding = events
        deed = (2**256 - 1).to_bytes(32, "big")
        chain = repositories.followed
        assert chain.list_about([word(2)]) == [issued, withdrawn, superseded]
        assert chain.list_about([deed]) == [issued]
        assert chain.list_about([word(4)]) == [superseded]
        assert chain.list_about([word(5), deed, word(2), word(2)]) == [
            issued,
            withdrawn,
            superseded,
            recorded,
        ]
        assert chain.list_about([word(7)]) == [binding]
        assert chain.list_about([word(1), word(3), word(6), bytes(32)]) == []
        assert chain.list_about([]) == []

    def test_subject_that_looks_like_a_key_finds_no_declaration(
        self, repositories: Repositories, events: list[LedgerEvent]
    ) -> None:
        raw = bytes.fromhex(ACTOR[2:])
        assert repositories.followed.list_about([raw, raw.rjust(32, b"\0")]) == []
        assert repositories.followed.list_declarations([ACTOR]) == [events[5]]

    def test_declarations_are_found_by_their_key_alone(
        self, repositories: Repositories, events: list[LedgerEvent]
    ) -> None:
        declared = events[5]
        others = [builders.build_address(seed) for seed in (2, 3)]
        assert repositories.followed.list_declarations(others) == []
        assert repositories.followed.list_declarations([*others, ACTOR, ACTOR]) == [declared]

    def test_any_number_of_words_may_be_asked_for(
        self, repositories: Repositories, events: list[LedgerEvent]
    ) -> None:
        many = [number.to_bytes(32, "big") for number in range(40_000)]
        assert repositories.followed.list_about([*many, word(5)]) == [events[4]]

    def test_both_words_of_one_event_find_it_once(self, repositories: Repositories) -> None:
        body = Superseded(Subject(word(1)), ACTOR, Subject(word(1)), by_holder=False)
        block = block_at(1)
        event = event_in(block, 1, body)
        follow(repositories, block, event)
        assert repositories.followed.list_about([word(1)]) == [event]


def test_act_of_a_registration_settles_with_it(repositories: Repositories) -> None:
    """One stretch brings an anchor and an act that came before it in the same block."""
    registration = builders.build_registration(1)
    accept(repositories, registration)
    act = repositories.outbox.add_act(
        builders.build_transaction(0),
        contract=CONTRACT,
        sender=builders.build_address(8_000),
        label="withdraw",
        registration_id=registration.registration_id,
        sent_at=1,
    )
    batch = batch_of([registration], nonce=1)
    add_batch(repositories, batch, 1)
    block = block_at(1)
    body = dataclasses.replace(BODIES[2])
    follow(
        repositories,
        block,
        event_in(block, 1, body, transaction=act.attempts[0].hash),
        anchored_in(block, 2, batch),
    )
    assert repositories.outbox.list_pending() == []
    assert find(repositories, registration).anchor is not None
