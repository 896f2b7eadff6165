"""What every database behind ``ports.OutboxRepository`` promises."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path

import builders
import pytest
from repository_adapters import ADAPTERS, accept, anchor, imported

from titledeed.errors import (
    ConflictError,
    DependencyError,
    InvariantViolation,
    NotFoundError,
)
from titledeed.models.evidence import Anchor, ClaimStatus
from titledeed.models.primitives import BlockHash, Keccak256, MerkleRoot
from titledeed.ports import Repositories


@pytest.fixture(params=sorted(ADAPTERS))
def repositories(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Repositories]:
    with ADAPTERS[request.param](tmp_path) as opened:
        yield opened


class TestOutbox:
    def test_leaves_wait_in_the_order_of_acceptance(self, repositories: Repositories) -> None:
        registrations = [
            builders.build_registration(seed, accepted_at=builders.EPOCH) for seed in (3, 1, 2)
        ]
        accept(repositories, *registrations)
        expected = [(item.registration_id, item.leaf) for item in registrations]
        assert repositories.outbox.list_waiting(10) == expected
        assert repositories.outbox.list_waiting(2) == expected[:2]

    def test_own_registration_that_comes_with_its_anchor_never_waits(
        self, repositories: Repositories
    ) -> None:
        bundle = builders.build_bundle(1)
        rebuilt = builders.build_registration(bundle.dossier, bundle=bundle)
        assert repositories.registrations.accept(rebuilt, []) == rebuilt
        assert repositories.registrations.find(rebuilt.registration_id) == rebuilt
        assert repositories.outbox.list_waiting(10) == []

    def test_batched_leaves_wait_no_more_and_have_their_index(
        self, repositories: Repositories
    ) -> None:
        registrations = [builders.build_registration(seed) for seed in range(3)]
        accept(repositories, *registrations)
        batch = builders.build_batch([registrations[2], registrations[0]])
        repositories.outbox.add_batch(batch)
        assert [found for found, _ in repositories.outbox.list_waiting(10)] == [
            registrations[1].registration_id
        ]
        assert repositories.outbox.list_leaves(batch.root) == [
            registrations[2].leaf,
            registrations[0].leaf,
        ]
        found = repositories.registrations.find(registrations[0].registration_id)
        assert found == dataclasses.replace(registrations[0], leaf_index=1)
        assert repositories.outbox.find_batch(batch.root) == batch
        assert repositories.outbox.list_unsettled() == [batch]

    def test_unknown_root_has_no_batch_and_no_leaves(self, repositories: Repositories) -> None:
        root = MerkleRoot(Keccak256(bytes(32)))
        assert repositories.outbox.find_batch(root) is None
        assert repositories.outbox.list_leaves(root) == []

    def test_batch_is_stored_whole_or_not_at_all(self, repositories: Repositories) -> None:
        registrations = [builders.build_registration(seed) for seed in range(4)]
        accept(repositories, *registrations[:3])
        first = builders.build_batch(registrations[:1])
        repositories.outbox.add_batch(first)
        theirs = imported(builders.build_bundle(50))
        repositories.registrations.add_imported(theirs, [])
        waiting = repositories.outbox.list_waiting(10)
        refused = [
            builders.build_batch([registrations[1], registrations[3]], nonce=1),  # unknown
            builders.build_batch([registrations[1], registrations[0]], nonce=1),  # batched
            builders.build_batch([registrations[1], theirs], nonce=1),  # of another home
            builders.build_batch([registrations[1]], nonce=0),  # nonce used
            dataclasses.replace(builders.build_batch([registrations[1]], nonce=1), root=first.root),
        ]
        for batch in refused:
            with pytest.raises(ConflictError):
                repositories.outbox.add_batch(batch)
        assert repositories.outbox.list_waiting(10) == waiting
        assert repositories.outbox.list_unsettled() == [first]

    def test_next_nonce_is_after_all_batches_and_never_below_the_chain(
        self, repositories: Repositories
    ) -> None:
        registration = builders.build_registration(1)
        accept(repositories, registration)
        batch = builders.build_batch([registration], nonce=5)
        assert repositories.outbox.next_nonce(batch.sender, 0) == 0
        assert repositories.outbox.next_nonce(batch.sender, 4) == 4
        repositories.outbox.add_batch(batch)
        assert repositories.outbox.next_nonce(batch.sender, 0) == 6
        assert repositories.outbox.next_nonce(batch.sender, 6) == 6
        assert repositories.outbox.next_nonce(batch.sender, 9) == 9
        assert repositories.outbox.next_nonce(builders.build_address(1), 0) == 0
        repositories.outbox.settle(batch, builders.build_anchor(batch.root, 1, sequence=6))
        assert repositories.outbox.next_nonce(batch.sender, 0) == 6

    def test_settled_batch_makes_its_registrations_included(
        self, repositories: Repositories
    ) -> None:
        registrations = [builders.build_registration(seed) for seed in range(3)]
        accept(repositories, *registrations)
        batch = builders.build_batch(registrations[:2])
        repositories.outbox.add_batch(batch)
        proof = builders.build_anchor(batch.root, 2)
        for _ in range(2):  # settling again changes nothing
            repositories.outbox.settle(batch, proof)
            assert repositories.outbox.list_unsettled() == []
            settled = repositories.outbox.find_batch(batch.root)
            assert settled == dataclasses.replace(batch, anchor=proof)
            for index, registration in enumerate(registrations[:2]):
                assert repositories.registrations.find(
                    registration.registration_id
                ) == dataclasses.replace(
                    registration, status=ClaimStatus.INCLUDED, leaf_index=index, anchor=proof
                )
        untouched = repositories.registrations.find(registrations[2].registration_id)
        assert untouched == registrations[2]

    def test_settling_after_a_reorg_points_at_the_new_block(
        self, repositories: Repositories
    ) -> None:
        registration = builders.build_registration(1)
        accept(repositories, registration)
        batch = anchor(repositories, registration)
        moved = dataclasses.replace(
            builders.build_anchor(batch.root, 1),
            block_number=500,
            block_hash=BlockHash(Keccak256(b"\1" * 32)),
        )
        repositories.outbox.settle(batch, moved)
        found = repositories.registrations.find(registration.registration_id)
        assert found is not None and found.anchor == moved

    def test_unknown_batch_and_foreign_anchor_are_not_settled(
        self, repositories: Repositories
    ) -> None:
        registration = builders.build_registration(1)
        accept(repositories, registration)
        batch = builders.build_batch([registration])
        with pytest.raises(NotFoundError):
            repositories.outbox.settle(batch, builders.build_anchor(batch.root, 1))
        repositories.outbox.add_batch(batch)
        foreign: Anchor = builders.build_bundle(9).anchor
        with pytest.raises(InvariantViolation):
            repositories.outbox.settle(batch, foreign)
        assert repositories.outbox.list_unsettled() == [batch]

    def test_unsettled_batches_come_by_nonce(self, repositories: Repositories) -> None:
        registrations = [builders.build_registration(seed) for seed in range(3)]
        accept(repositories, *registrations)
        batches = {
            nonce: builders.build_batch([item], nonce=nonce)
            for nonce, item in zip((7, 3, 5), registrations, strict=True)
        }
        for batch in batches.values():
            repositories.outbox.add_batch(batch)
        assert repositories.outbox.list_unsettled() == [batches[3], batches[5], batches[7]]

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
