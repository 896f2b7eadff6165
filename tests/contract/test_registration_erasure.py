"""What every database behind ``ports.RegistrationRepository`` promises of an erasure."""

from __future__ import annotations

import dataclasses

import builders
import pytest
from repository_adapters import accept, anchor, imported

from titledeed.errors import InvariantViolation, NotFoundError
from titledeed.models.ledger import Tombstone
from titledeed.models.registration import SigningIntent
from titledeed.ports import Repositories


class TestErasure:
    def test_nothing_but_the_tombstone_remains(self, repositories: Repositories) -> None:
        registration, other = builders.build_registration(1), builders.build_registration(2)
        for item in (registration, other):
            repositories.registrations.accept(item, builders.build_fingerprints(1))
        repositories.registrations.save_intent(
            SigningIntent(registration.registration_id, "/in/a.mp4", None)
        )
        stone = Tombstone(registration.registration_id, registration.leaf, builders.EPOCH)
        assert repositories.registrations.find_tombstone(stone.registration_id) is None
        erased = repositories.fingerprints.count_erased()
        repositories.registrations.erase(stone)
        assert repositories.fingerprints.count_erased() > erased
        assert repositories.registrations.find(stone.registration_id) is None
        assert repositories.registrations.find_by_digest(registration.content_digest) == []
        assert repositories.registrations.find_intent(stone.registration_id) is None
        assert repositories.registrations.find_tombstone(stone.registration_id) == stone
        codes = repositories.fingerprints.iter_fingerprints(0)
        assert {found for _, found, _ in codes} == {other.registration_id}
        assert repositories.outbox.list_waiting(9) == [(other.registration_id, other.leaf)]

    def test_second_erasure_changes_nothing(self, repositories: Repositories) -> None:
        registration = builders.build_registration(1)
        accept(repositories, registration)
        stone = Tombstone(registration.registration_id, registration.leaf, 1)
        repositories.registrations.erase(stone)
        erased = repositories.fingerprints.count_erased()
        repositories.registrations.erase(dataclasses.replace(stone, erased_at=2))
        assert repositories.registrations.find_tombstone(stone.registration_id) == stone
        assert repositories.fingerprints.count_erased() == erased

    def test_only_own_registrations_can_be_erased(self, repositories: Repositories) -> None:
        theirs = imported(builders.build_bundle(1))
        repositories.registrations.add_imported(theirs, [])
        for item in (theirs, builders.build_registration(5)):
            with pytest.raises(NotFoundError):
                repositories.registrations.erase(Tombstone(item.registration_id, item.leaf, 1))
        assert repositories.registrations.find(theirs.registration_id) == theirs
        assert repositories.fingerprints.count_erased() == 0

    def test_tombstone_of_another_leaf_erases_nothing(self, repositories: Repositories) -> None:
        registration, other = builders.build_registration(1), builders.build_registration(2)
        accept(repositories, registration)
        with pytest.raises(InvariantViolation):
            repositories.registrations.erase(Tombstone(registration.registration_id, other.leaf, 1))
        assert repositories.registrations.find(registration.registration_id) == registration

    def test_batch_keeps_the_place_of_what_is_erased(self, repositories: Repositories) -> None:
        registrations = [builders.build_registration(seed) for seed in range(3)]
        accept(repositories, *registrations)
        batch = anchor(repositories, *registrations)
        middle = registrations[1]
        repositories.registrations.erase(Tombstone(middle.registration_id, middle.leaf, 1))
        assert repositories.outbox.list_leaves(batch.root) == [r.leaf for r in registrations]

    def test_what_was_erased_can_be_registered_again(self, repositories: Repositories) -> None:
        first = builders.build_registration(1)
        accept(repositories, first)
        batch = anchor(repositories, first)
        stone = Tombstone(first.registration_id, first.leaf, 1)
        repositories.registrations.erase(stone)
        again = dataclasses.replace(first, leaf=builders.build_registration(2).leaf)
        repositories.registrations.accept(again, builders.build_fingerprints(1))
        assert repositories.registrations.find(first.registration_id) == again
        assert repositories.outbox.list_waiting(9) == [(again.registration_id, again.leaf)]
        later = anchor(repositories, again, sequence=2)
        assert repositories.outbox.list_leaves(batch.root) == [first.leaf]
        assert repositories.outbox.list_leaves(later.root) == [again.leaf]
        repositories.registrations.erase(Tombstone(again.registration_id, again.leaf, 2))
        assert repositories.registrations.find_tombstone(stone.registration_id) == Tombstone(
            again.registration_id, again.leaf, 2
        )
        assert repositories.outbox.list_leaves(batch.root) == [first.leaf]
        assert repositories.outbox.list_leaves(later.root) == [again.leaf]
