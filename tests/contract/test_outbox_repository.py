"""What every database behind ``ports.OutboxRepository`` promises."""

from __future__ import annotations

import dataclasses
import threading

import builders
import pytest
from repository_adapters import (
    CONTRACT,
    SENDER,
    accept,
    add_batch,
    anchor,
    anchor_of,
    anchored_in,
    batch_of,
    block_at,
    event_in,
    follow,
    imported,
    replacement,
    submit,
)

from titledeed.errors import (
    ConflictError,
    DependencyError,
    InvariantViolation,
    NotFoundError,
)
from titledeed.models.evidence import ClaimStatus
from titledeed.models.ledger import (
    KeyDeclared,
    Submission,
    SubmissionState,
    Tombstone,
    Withdrawn,
)
from titledeed.models.primitives import Keccak256, MerkleRoot, Subject
from titledeed.models.registration import Registration
from titledeed.ports import Repositories


def add_act(repositories: Repositories, nonce: int) -> Submission:
    return repositories.outbox.add_act(
        builders.build_transaction(nonce),
        contract=CONTRACT,
        sender=SENDER,
        label="withdraw",
        registration_id=builders.build_registration(1).registration_id,
        sent_at=7,
    )


def find_state(repositories: Repositories, submission: Submission) -> SubmissionState:
    found = repositories.outbox.find_submission(submission.submission_id)
    assert found is not None
    return found.state


def find_status(repositories: Repositories, registration: Registration) -> ClaimStatus:
    found = repositories.registrations.find(registration.registration_id)
    assert found is not None
    assert (found.anchor is None) == (found.status is ClaimStatus.PENDING)
    return found.status


class TestWaiting:
    def test_leaves_wait_in_the_order_of_acceptance(self, repositories: Repositories) -> None:
        registrations = [
            builders.build_registration(seed, accepted_at=builders.EPOCH) for seed in (3, 1, 2)
        ]
        accept(repositories, *registrations)
        expected = [(item.registration_id, item.leaf) for item in registrations]
        assert repositories.outbox.list_waiting(10) == expected
        assert repositories.outbox.list_waiting(2) == expected[:2]

    def test_waiting_leaves_are_counted_with_the_age_of_the_oldest(
        self, repositories: Repositories
    ) -> None:
        assert repositories.outbox.count_waiting() == (0, None)
        repositories.registrations.add_imported(imported(builders.build_bundle(50)), [])
        first, *others = [
            builders.build_registration(seed, accepted_at=at)
            for seed, at in [(1, 5), (2, 9), (3, 7)]
        ]
        accept(repositories, first, *others)
        assert repositories.outbox.count_waiting() == (3, 5)
        add_batch(repositories, batch_of([first]), 10)
        assert repositories.outbox.count_waiting() == (2, 7)

    def test_next_nonce_is_after_all_submissions_and_never_below_the_chain(
        self, repositories: Repositories
    ) -> None:
        assert repositories.outbox.next_nonce(SENDER, 0) == 0
        assert repositories.outbox.next_nonce(SENDER, 4) == 4
        submit(repositories, builders.build_registration(1), nonce=5)
        assert repositories.outbox.next_nonce(SENDER, 0) == 6
        assert repositories.outbox.next_nonce(SENDER, 9) == 9
        act = add_act(repositories, nonce=6)
        assert repositories.outbox.next_nonce(SENDER, 6) == 7
        repositories.outbox.mark_reverted(act, "refused")
        assert repositories.outbox.next_nonce(SENDER, 6) == 7
        assert repositories.outbox.next_nonce(builders.build_address(1), 0) == 0


class TestBatches:
    def test_batched_leaves_wait_no_more_and_have_their_index(
        self, repositories: Repositories
    ) -> None:
        registrations = [builders.build_registration(seed) for seed in range(3)]
        accept(repositories, *registrations)
        batch = batch_of([registrations[2], registrations[0]], nonce=4)
        added = add_batch(repositories, batch, 99)
        assert added == Submission(
            submission_id=added.submission_id,
            contract=CONTRACT,
            sender=SENDER,
            nonce=4,
            label="anchor",
            root=batch.root,
            registration_id=None,
            attempts=batch.attempts,
            sent_at=99,
            state=SubmissionState.PENDING,
            problem="",
        )
        assert [found for found, _ in repositories.outbox.list_waiting(10)] == [
            registrations[1].registration_id
        ]
        assert repositories.outbox.list_leaves(batch.root) == [
            registrations[2].leaf,
            registrations[0].leaf,
        ]
        found = repositories.registrations.find(registrations[0].registration_id)
        assert found == dataclasses.replace(registrations[0], leaf_index=1)
        assert repositories.outbox.find_submission(added.submission_id) == added
        assert repositories.outbox.list_pending() == [added]

    def test_unknown_root_and_number_are_nothing(self, repositories: Repositories) -> None:
        root = MerkleRoot(Keccak256(bytes(32)))
        assert repositories.outbox.list_leaves(root) == []
        assert repositories.outbox.find_submission(1) is None

    def test_batch_is_stored_whole_or_not_at_all(self, repositories: Repositories) -> None:
        registrations = [builders.build_registration(seed) for seed in range(4)]
        accept(repositories, *registrations[:3])
        first = batch_of(registrations[:1])
        added = add_batch(repositories, first, 1)
        theirs = imported(builders.build_bundle(50))
        repositories.registrations.add_imported(theirs, [])
        waiting = repositories.outbox.list_waiting(10)
        fine = batch_of([registrations[1]], nonce=1)
        refused = [
            batch_of([registrations[1], registrations[3]], nonce=1),  # unknown
            batch_of([registrations[1], registrations[0]], nonce=1),  # batched
            batch_of([registrations[1], theirs], nonce=1),  # of another home
            batch_of([registrations[1], registrations[1]], nonce=1),  # twice
            batch_of([registrations[1]], nonce=0),  # nonce used
            dataclasses.replace(fine, root=first.root),
        ]
        for batch in refused:
            with pytest.raises(ConflictError):
                add_batch(repositories, batch, 1)
        two_nonces = (*fine.attempts, builders.build_transaction(2))
        with pytest.raises(InvariantViolation):
            add_batch(repositories, dataclasses.replace(fine, attempts=two_nonces), 1)
        assert repositories.outbox.list_waiting(10) == waiting
        assert repositories.outbox.list_pending() == [added]

    def test_followed_event_includes_the_batch_and_its_registrations(
        self, repositories: Repositories
    ) -> None:
        registrations = [builders.build_registration(seed) for seed in range(3)]
        accept(repositories, *registrations)
        batch = batch_of(registrations[:2])
        added = add_batch(repositories, batch, 1)
        block = block_at(1)
        event = anchored_in(block, 1, batch)
        follow(repositories, block, event)
        assert repositories.outbox.list_pending() == []
        assert repositories.outbox.find_submission(added.submission_id) == dataclasses.replace(
            added, state=SubmissionState.INCLUDED
        )
        for index, registration in enumerate(registrations[:2]):
            assert repositories.registrations.find(
                registration.registration_id
            ) == dataclasses.replace(
                registration,
                status=ClaimStatus.INCLUDED,
                leaf_index=index,
                anchor=anchor_of(event),
            )
        untouched = repositories.registrations.find(registrations[2].registration_id)
        assert untouched == registrations[2]

    def test_batch_whose_event_was_followed_before_is_included_at_once(
        self, repositories: Repositories
    ) -> None:
        registration = builders.build_registration(1)
        batch = batch_of([registration])
        block = block_at(1)
        event = anchored_in(block, 1, batch)
        follow(repositories, block, event)
        accept(repositories, registration)
        assert find_status(repositories, registration) is ClaimStatus.PENDING
        added = add_batch(repositories, batch, 1)
        assert added.state is SubmissionState.INCLUDED
        assert find_status(repositories, registration) is ClaimStatus.INCLUDED

    def test_root_that_an_earlier_submission_of_the_sender_anchored_counts(
        self, repositories: Repositories
    ) -> None:
        """A reorganisation lets a refused transaction succeed: the later one then says nothing."""
        registration = builders.build_registration(1)
        refused = submit(repositories, registration, nonce=0)
        repositories.outbox.mark_reverted(refused, "refused")
        again = add_batch(repositories, batch_of([registration], nonce=1), 1)
        block = block_at(1)
        event = anchored_in(block, 1, batch_of([registration], nonce=0))
        follow(repositories, block, event)
        assert find_state(repositories, again) is SubmissionState.INCLUDED
        found = repositories.registrations.find(registration.registration_id)
        assert found is not None and found.anchor == anchor_of(event)

    def test_rebuild_can_add_a_refused_batch_before_the_one_that_succeeded(
        self, repositories: Repositories
    ) -> None:
        registration = builders.build_registration(1)
        accept(repositories, registration)
        first, second = (batch_of([registration], nonce=nonce) for nonce in (0, 1))
        block = block_at(1)
        follow(repositories, block, anchored_in(block, 1, second))
        refused = add_batch(repositories, first, 1)
        repositories.outbox.mark_reverted(refused, "refused")
        assert find_state(repositories, refused) is SubmissionState.REVERTED
        added = add_batch(repositories, second, 1)
        assert added.state is SubmissionState.INCLUDED
        assert find_status(repositories, registration) is ClaimStatus.INCLUDED

    def test_another_caller_of_the_same_root_settles_nothing(
        self, repositories: Repositories
    ) -> None:
        registration = builders.build_registration(1)
        added = submit(repositories, registration)
        theirs = dataclasses.replace(batch_of([registration]), sender=builders.build_address(1))
        block = block_at(1)
        follow(repositories, block, anchored_in(block, 1, theirs))
        assert repositories.outbox.list_pending() == [added]
        assert find_status(repositories, registration) is ClaimStatus.PENDING

    def test_pending_submissions_come_by_nonce(self, repositories: Repositories) -> None:
        added = {
            nonce: submit(repositories, builders.build_registration(nonce), nonce=nonce)
            for nonce in (7, 3, 5)
        }
        assert repositories.outbox.list_pending() == [added[3], added[5], added[7]]

    def test_leaf_erased_while_its_batch_was_signed_has_its_place(
        self, repositories: Repositories
    ) -> None:
        registrations = [builders.build_registration(seed) for seed in range(3)]
        accept(repositories, *registrations)
        batch = batch_of(registrations)
        erased = registrations[1]
        repositories.registrations.erase(Tombstone(erased.registration_id, erased.leaf, 1))
        added = add_batch(repositories, batch, 1)
        assert repositories.outbox.list_leaves(batch.root) == [r.leaf for r in registrations]
        repositories.outbox.mark_reverted(added, "refused")
        assert [found for found, _ in repositories.outbox.list_waiting(9)] == [
            registrations[0].registration_id,
            registrations[2].registration_id,
        ]
        smaller = batch_of([registrations[0], registrations[2]], nonce=1)
        add_batch(repositories, smaller, 1)
        assert len(repositories.outbox.list_leaves(smaller.root)) == 2

    def test_tombstone_that_a_rebuild_brings_takes_the_place_in_its_batch(
        self, repositories: Repositories
    ) -> None:
        kept, erased = builders.build_registration(1), builders.build_registration(2)
        accept(repositories, kept)
        stone = Tombstone(erased.registration_id, erased.leaf, 5)
        repositories.registrations.add_tombstone(stone)
        batch = batch_of([erased, kept])
        add_batch(repositories, batch, 1)
        assert repositories.outbox.list_leaves(batch.root) == [erased.leaf, kept.leaf]
        assert repositories.registrations.find_tombstone(erased.registration_id) == stone


class TestAttempts:
    def test_replacement_is_added_behind_the_first(self, repositories: Repositories) -> None:
        registration = builders.build_registration(1)
        first = submit(repositories, registration)
        raised = replacement(first.attempts[0])
        assert raised.nonce == first.nonce
        changed = repositories.outbox.add_attempt(first, raised, 500)
        assert changed == dataclasses.replace(
            first, attempts=(first.attempts[0], raised), sent_at=500
        )
        assert repositories.outbox.list_pending() == [changed]

    @pytest.mark.parametrize("mined", [0, 1, 2])
    def test_any_attempt_settles_the_act(self, repositories: Repositories, mined: int) -> None:
        act = add_act(repositories, nonce=0)
        for number in (1, 2):
            act = repositories.outbox.add_attempt(act, replacement(act.attempts[0], number), 9)
        other = add_act(repositories, nonce=1)
        body = Withdrawn(Subject(bytes(32)), builders.build_address(1), by_holder=False)
        block = block_at(1)
        follow(repositories, block, event_in(block, 1, body, transaction=act.attempts[mined].hash))
        assert find_state(repositories, act) is SubmissionState.INCLUDED
        assert repositories.outbox.list_pending() == [other]

    def test_anchor_names_the_attempt_that_was_mined(self, repositories: Repositories) -> None:
        registration = builders.build_registration(1)
        first = submit(repositories, registration)
        batch = batch_of([registration])
        repositories.outbox.add_attempt(first, replacement(first.attempts[0]), 9)
        block = block_at(1)
        follow(repositories, block, anchored_in(block, 1, batch))
        found = repositories.registrations.find(registration.registration_id)
        assert found is not None and found.anchor is not None
        assert found.anchor.transaction == first.attempts[0].hash

    def test_attempt_is_stored_once_and_for_its_own_nonce(self, repositories: Repositories) -> None:
        act = add_act(repositories, nonce=0)
        with pytest.raises(ConflictError):
            repositories.outbox.add_attempt(act, act.attempts[0], 9)
        with pytest.raises(InvariantViolation):
            repositories.outbox.add_attempt(act, builders.build_transaction(1), 9)
        unknown = dataclasses.replace(act, submission_id=act.submission_id + 1)
        with pytest.raises(NotFoundError):
            repositories.outbox.add_attempt(unknown, replacement(act.attempts[0]), 9)
        assert repositories.outbox.list_pending() == [act]


class TestActs:
    def test_act_is_pending_until_an_event_tells_of_it(self, repositories: Repositories) -> None:
        act = add_act(repositories, nonce=3)
        assert (act.nonce, act.root, act.state) == (3, None, SubmissionState.PENDING)
        assert act.registration_id == builders.build_registration(1).registration_id
        keys = repositories.outbox.add_act(
            builders.build_transaction(4),
            contract=CONTRACT,
            sender=SENDER,
            label="declare-key",
            registration_id=None,
            sent_at=8,
        )
        assert (keys.label, keys.registration_id, keys.sent_at) == ("declare-key", None, 8)
        key = builders.build_address(1)
        block = block_at(1)
        event = event_in(block, 1, KeyDeclared(key, key, key, 5), transaction=keys.attempts[0].hash)
        follow(repositories, block, event)
        assert repositories.outbox.list_pending() == [act]

    def test_nonce_of_another_submission_is_refused(self, repositories: Repositories) -> None:
        act = add_act(repositories, nonce=0)
        with pytest.raises(ConflictError):
            repositories.outbox.add_act(
                replacement(act.attempts[0]),
                contract=CONTRACT,
                sender=SENDER,
                label="withdraw",
                registration_id=None,
                sent_at=7,
            )
        assert repositories.outbox.list_pending() == [act]

    def test_act_that_had_nothing_left_to_do_is_included(self, repositories: Repositories) -> None:
        act = add_act(repositories, nonce=0)
        for _ in range(2):
            repositories.outbox.mark_included(act)
            assert find_state(repositories, act) is SubmissionState.INCLUDED
        repositories.outbox.mark_reverted(act, "too late")
        assert find_state(repositories, act) is SubmissionState.INCLUDED


class TestInclusionWithoutEvent:
    def test_batch_that_no_event_holds_is_not_included(self, repositories: Repositories) -> None:
        added = submit(repositories, builders.build_registration(1))
        with pytest.raises(InvariantViolation):
            repositories.outbox.mark_included(added)
        assert repositories.outbox.list_pending() == [added]

    def test_batch_whose_root_is_anchored_already_gets_that_anchor(
        self, repositories: Repositories
    ) -> None:
        registration = builders.build_registration(1)
        accept(repositories, registration)
        batch = anchor(repositories, registration)
        ((_, before),) = repositories.registrations.list_own(after=0, limit=2)
        submission = repositories.outbox.find_submission(1)
        assert submission is not None and submission.root == batch.root
        repositories.outbox.mark_included(submission)
        assert repositories.registrations.find(registration.registration_id) == before


class TestReversion:
    def test_leaves_of_a_reverted_batch_wait_again(self, repositories: Repositories) -> None:
        registrations = [builders.build_registration(seed) for seed in range(3)]
        accept(repositories, *registrations)
        waiting = repositories.outbox.list_waiting(9)
        batch = batch_of(registrations[:2])
        added = add_batch(repositories, batch, 1)
        for _ in range(2):
            repositories.outbox.mark_reverted(added, "out of gas")
            assert repositories.outbox.list_waiting(9) == waiting
            assert repositories.outbox.find_submission(added.submission_id) == dataclasses.replace(
                added, state=SubmissionState.REVERTED, problem="out of gas"
            )
        assert repositories.outbox.list_pending() == []
        assert repositories.outbox.list_leaves(batch.root) == []
        found = repositories.registrations.find(registrations[1].registration_id)
        assert found == registrations[1]

    def test_same_root_can_be_batched_again_after_a_revert(
        self, repositories: Repositories
    ) -> None:
        registration = builders.build_registration(1)
        refused = submit(repositories, registration, nonce=0)
        repositories.outbox.mark_reverted(refused, "refused")
        again = batch_of([registration], nonce=1)
        added = add_batch(repositories, again, 2)
        assert added.root == refused.root
        assert repositories.outbox.list_leaves(again.root) == [registration.leaf]
        block = block_at(1)
        follow(repositories, block, anchored_in(block, 1, again))
        assert find_state(repositories, added) is SubmissionState.INCLUDED
        assert find_state(repositories, refused) is SubmissionState.REVERTED
        assert find_status(repositories, registration) is ClaimStatus.INCLUDED

    def test_what_an_event_includes_cannot_be_reverted(self, repositories: Repositories) -> None:
        registration = builders.build_registration(1)
        accept(repositories, registration)
        anchor(repositories, registration)
        submission = repositories.outbox.find_submission(1)
        assert submission is not None
        repositories.outbox.mark_reverted(submission, "said a node that was behind")
        assert find_state(repositories, submission) is SubmissionState.INCLUDED
        assert find_status(repositories, registration) is ClaimStatus.INCLUDED

    def test_unknown_submission_is_not_found(self, repositories: Repositories) -> None:
        act = add_act(repositories, nonce=0)
        unknown = dataclasses.replace(act, submission_id=99)
        with pytest.raises(NotFoundError):
            repositories.outbox.mark_reverted(unknown, "refused")
        with pytest.raises(NotFoundError):
            repositories.outbox.mark_included(unknown)


class TestWriter:
    def test_there_is_one_writer_at_a_time(self, repositories: Repositories) -> None:
        with repositories.outbox.writer():
            with pytest.raises(DependencyError) as caught:
                _enter_elsewhere(repositories)
            assert caught.value.retryable and caught.value.next_step
        _enter_elsewhere(repositories)

    def test_writer_that_fails_lets_the_next_one_in(self, repositories: Repositories) -> None:
        with pytest.raises(NotFoundError), repositories.outbox.writer():
            raise NotFoundError("gone")
        _enter_elsewhere(repositories)


def _enter_elsewhere(repositories: Repositories) -> None:
    """Take the writer's right in another thread; raise what it raised."""
    raised: list[DependencyError] = []

    def enter() -> None:
        try:
            with repositories.outbox.writer():
                pass
        except DependencyError as error:
            raised.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
