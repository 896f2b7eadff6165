"""Which batches lack the evidence bundles of their registrations."""

from __future__ import annotations

import builders
from repository_adapters import (
    CONTRACT,
    accept,
    anchored_in,
    batch_of,
    block_at,
    blocks_between,
    event_in,
    follow,
)

from titledeed.models.ledger import Anchored, Confirmations, Tombstone
from titledeed.models.registration import Batch
from titledeed.ports import IncompleteBatch, Repositories

AT_ONCE = Confirmations(0, 0)
NEVER_FINAL = Confirmations(0, 1_000)


def anchor(
    repositories: Repositories,
    *seeds: int,
    number: int = 1,
    confirmations: Confirmations = AT_ONCE,
) -> Batch:
    """One batch of accepted registrations in a block of its own."""
    registrations = [builders.build_registration(seed) for seed in seeds]
    accept(repositories, *registrations)
    batch = batch_of(registrations, nonce=number)
    repositories.outbox.add_batch(batch, contract=CONTRACT, sent_at=builders.EPOCH)
    block = block_at(number)
    event = anchored_in(block, number, batch)
    follow(repositories, block, event, confirmations=confirmations)
    return batch


def require_next(repositories: Repositories, after: int = 0) -> IncompleteBatch:
    found = repositories.completions.find_next(after)
    assert found is not None
    return found


def has_bundles(repositories: Repositories, batch: Batch) -> set[bool]:
    found = map(repositories.registrations.find, batch.registration_ids)
    return {one.has_bundle for one in found if one is not None}


def test_nothing_is_incomplete_before_a_block_includes_it(repositories: Repositories) -> None:
    registration = builders.build_registration(1)
    accept(repositories, registration)
    assert repositories.completions.find_next(0) is None
    repositories.outbox.add_batch(
        batch_of([registration]), contract=CONTRACT, sent_at=builders.EPOCH
    )
    assert repositories.completions.find_next(0) is None


def test_a_batch_is_incomplete_until_its_bundles_are_kept(repositories: Repositories) -> None:
    batch = anchor(repositories, 1, 2)
    found = require_next(repositories)
    assert {one.registration_id for one in found.registrations} == set(batch.registration_ids)
    assert found.block_hash == block_at(1).hash
    assert has_bundles(repositories, batch) == {False}
    repositories.completions.mark(found, is_final=True)
    assert repositories.completions.find_next(0) is None
    assert has_bundles(repositories, batch) == {True}


def test_batches_come_in_their_order_and_those_before_are_passed_over(
    repositories: Repositories,
) -> None:
    first, second = anchor(repositories, 1), anchor(repositories, 2, number=2)
    one = require_next(repositories)
    other = require_next(repositories, one.batch_id)
    assert [one.registrations[0].registration_id, other.registrations[0].registration_id] == [
        *first.registration_ids,
        *second.registration_ids,
    ]
    assert repositories.completions.find_next(other.batch_id) is None


def test_what_was_completed_early_is_completed_again_once_it_is_final(
    repositories: Repositories,
) -> None:
    batch = anchor(repositories, 1, confirmations=NEVER_FINAL)
    repositories.completions.mark(require_next(repositories), is_final=False)
    assert repositories.completions.find_next(0) is None
    follow(repositories, block_at(2), confirmations=AT_ONCE)
    assert has_bundles(repositories, batch) == {True}
    repositories.completions.mark(require_next(repositories), is_final=True)
    assert repositories.completions.find_next(0) is None


def test_another_block_asks_for_other_bundles(repositories: Repositories) -> None:
    batch = anchor(repositories, 1, confirmations=NEVER_FINAL)
    repositories.completions.mark(require_next(repositories), is_final=False)
    moved = block_at(1, branch=1)
    repositories.followed.advance(
        contracts=[CONTRACT],
        fork=None,
        blocks=[moved],
        events=[anchored_in(moved, 1, batch)],
        confirmations=NEVER_FINAL,
    )
    assert has_bundles(repositories, batch) == {False}
    assert require_next(repositories).block_hash == moved.hash


def test_a_block_that_was_taken_back_leaves_no_bundle(repositories: Repositories) -> None:
    batch = anchor(repositories, 1, confirmations=NEVER_FINAL)
    repositories.completions.mark(require_next(repositories), is_final=False)
    empty = blocks_between(1, 1, branch=1)
    repositories.followed.advance(
        contracts=[CONTRACT], fork=None, blocks=empty, events=[], confirmations=NEVER_FINAL
    )
    assert has_bundles(repositories, batch) == {False}
    assert repositories.completions.find_next(0) is None


def test_batches_of_strangers_are_none_of_ours(repositories: Repositories) -> None:
    block = block_at(1)
    body = Anchored(batch_of([builders.build_registration(1)]).root, builders.build_address(7), 1)
    follow(repositories, block, event_in(block, 1, body), confirmations=AT_ONCE)
    assert repositories.completions.find_next(0) is None


def test_what_was_erased_meanwhile_is_told(repositories: Repositories) -> None:
    anchor(repositories, 1, 2)
    found = require_next(repositories)
    assert repositories.completions.list_erased(found) == []
    gone = found.registrations[0]
    repositories.registrations.erase(Tombstone(gone.registration_id, gone.leaf, builders.EPOCH))
    assert repositories.completions.list_erased(found) == [gone.registration_id]
