"""Batches: who shares them, what is kept of them, and the bundles that come of them."""

from __future__ import annotations

import threading
from pathlib import Path

import builders
import pytest
from chain_desk import CONFIRMATIONS, Desk, ManualClock
from simulation.ledger_simulator import Fate, LedgerSimulator

from titledeed.canonical.hashing import sha256
from titledeed.canonical.leaves import leaf_of_record
from titledeed.canonical.merkle import MerkleTree, root_of_proof
from titledeed.errors import DependencyError
from titledeed.models.evidence import ClaimStatus, StateProof
from titledeed.models.primitives import Address, MerkleRoot, Sha256
from titledeed.models.registration import Registration


class Authority:
    """A time-stamp authority that may be dead."""

    def __init__(self) -> None:
        self.is_dead = False
        self.asked: list[bytes] = []

    def stamp(self, digest: Sha256) -> bytes:
        self.asked.append(digest)
        if self.is_dead:
            raise DependencyError("the authority does not answer")
        return b"token over " + digest


@pytest.fixture
def simulator() -> LedgerSimulator:
    """A chain that makes a block of every transaction."""
    return LedgerSimulator(mines_at_once=True)


def anchored_root(desk: Desk, registration: Registration) -> MerkleRoot:
    anchor = desk.find(registration.registration_id).anchor
    assert anchor is not None
    return anchor.root


def bury(desk: Desk, simulator: LedgerSimulator) -> None:
    """Let so many blocks follow that all before is final."""
    simulator.mine(CONFIRMATIONS.final)
    desk.following.follow()


def test_all_that_waits_shares_one_anchor(desk: Desk) -> None:
    accepted = desk.accept(*range(20))
    desk.anchoring.anchor_waiting()
    found = desk.find_all(accepted)
    assert [one.leaf_index for one in found] == list(range(20))
    assert len({one.anchor for one in found}) == 1
    assert found[0].anchor is not None
    assert found[0].anchor.root == MerkleTree([one.leaf for one in accepted]).root


def test_with_nothing_to_do_the_chain_is_not_asked(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "home", ledger=None)  # type: ignore[arg-type]  # any question fails
    desk.anchoring.anchor_waiting()
    desk.close()


def test_proofs_of_all_leaves_are_kept_before_the_anchor_is_sent(
    desk: Desk, simulator: LedgerSimulator
) -> None:
    accepted = desk.accept(*range(7))
    simulator.drop_broadcasts()
    submission = desk.sending.send_batch()
    assert submission is not None
    assert submission.root is not None
    paths = desk.vault.batches.read_paths(submission.root)
    assert len(paths.paths) == 7
    for index, registration in enumerate(accepted):
        proof = paths.prove(index)
        assert root_of_proof(registration.leaf, proof) == submission.root


def test_batch_object_tells_all_that_the_chain_does_not(desk: Desk) -> None:
    accepted = desk.accept(3, 1, 2)
    desk.anchoring.anchor_waiting()
    kept = desk.vault.batches.read(anchored_root(desk, accepted[0]))
    stored = desk.outbox.find_submission(1)
    assert stored is not None
    assert kept.batch.registration_ids == tuple(one.registration_id for one in accepted)
    assert kept.batch.attempts == stored.attempts
    assert kept.batch.sender == stored.sender
    assert kept.leaves == tuple(one.leaf for one in accepted)


def test_more_than_one_batch_holds_makes_more_anchors(
    tmp_path: Path, simulator: LedgerSimulator
) -> None:
    desk = Desk(tmp_path / "home", simulator, batch_leaves_max=4)
    accepted = desk.accept(*range(10))
    desk.anchoring.anchor_waiting()
    sizes = [one.anchor.size for one in desk.find_all(accepted) if one.anchor]
    assert sizes == [4] * 8 + [2] * 2
    desk.close()


# --- company ---


def test_a_registration_waits_for_company_no_longer_than_told(
    tmp_path: Path, simulator: LedgerSimulator
) -> None:
    clock = ManualClock()
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        clock.now += 1

    desk = Desk(tmp_path / "home", simulator, clock=clock, batch_wait_s=5, sleep=nap)
    (first,) = desk.accept(1)
    clock.now += 2
    desk.accept(2)
    desk.anchoring.anchor_waiting()
    assert len(naps) == 3
    assert desk.find(first.registration_id).anchor is not None
    desk.close()


def test_a_full_batch_waits_for_nobody(tmp_path: Path, simulator: LedgerSimulator) -> None:
    desk = Desk(tmp_path / "home", simulator, batch_wait_s=10_000, company_max=3)
    accepted = desk.accept(1, 2, 3)
    desk.anchoring.anchor_waiting()
    assert all(one.anchor for one in desk.find_all(accepted))
    desk.close()


def test_anchoring_now_waits_for_nobody(tmp_path: Path, simulator: LedgerSimulator) -> None:
    desk = Desk(tmp_path / "home", simulator, batch_wait_s=10_000)
    accepted = desk.accept(1)
    desk.anchoring.anchor_now()
    assert all(one.anchor for one in desk.find_all(accepted))
    desk.close()


def test_threads_that_wait_together_share_a_batch(
    tmp_path: Path, simulator: LedgerSimulator
) -> None:
    clock = ManualClock()
    desks = [
        Desk(tmp_path / "home", simulator, clock=clock, batch_wait_s=60, company_poll_s=0.01)
        for _ in range(3)
    ]
    accepted = [desk.accept(seed)[0] for seed, desk in enumerate(desks)]
    threads = [threading.Thread(target=desk.anchoring.anchor_waiting) for desk in desks]
    for thread in threads:
        thread.start()
    clock.now += 60
    for thread in threads:
        thread.join()
    roots = {anchored_root(desks[0], one) for one in accepted}
    assert len(roots) == 1
    for desk in desks:
        desk.close()


# --- back-pressure ---


def test_more_than_may_wait_is_refused_for_a_while(
    tmp_path: Path, simulator: LedgerSimulator
) -> None:
    desk = Desk(tmp_path / "home", simulator, waiting_max=3)
    desk.accept(1, 2)
    desk.anchoring.require_room(1)
    with pytest.raises(DependencyError, match="2 registrations wait") as raised:
        desk.anchoring.require_room(2)
    assert raised.value.retryable
    assert raised.value.next_step
    desk.anchoring.anchor_waiting()
    desk.anchoring.require_room(3)
    desk.close()


# --- time-stamps ---


def test_each_root_is_stamped_once(tmp_path: Path, simulator: LedgerSimulator) -> None:
    authority = Authority()
    desk = Desk(tmp_path / "home", simulator, timestamps=authority)
    accepted = desk.accept(1, 2)
    desk.anchoring.anchor_waiting()
    root = anchored_root(desk, accepted[0])
    assert authority.asked == [sha256(root)]
    assert desk.vault.batches.find_token(root) == b"token over " + sha256(root)
    bundles = [desk.vault.bundles.read(one.registration_id) for one in accepted]
    assert {bundle.own.timestamp_token for bundle in bundles} == {b"token over " + sha256(root)}
    assert len(authority.asked) == 1
    desk.close()


def test_a_dead_authority_stops_no_anchor_and_is_asked_again_for_the_bundle(
    tmp_path: Path, simulator: LedgerSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority()
    authority.is_dead = True
    desk = Desk(tmp_path / "home", simulator, timestamps=authority)
    (accepted,) = desk.accept(1)
    desk.anchoring.anchor_waiting()
    assert "no time-stamp for 0x" in caplog.text
    assert desk.vault.bundles.read(accepted.registration_id).own.timestamp_token == b""
    bury(desk, simulator)
    desk.completion.complete()
    authority.is_dead = False
    desk.completion.complete()
    bundle = desk.vault.bundles.read(accepted.registration_id)
    assert bundle.own.timestamp_token.startswith(b"token over")
    desk.close()


# --- bundles ---


def test_a_bundle_is_of_its_registration(desk: Desk, simulator: LedgerSimulator) -> None:
    accepted = desk.accept(*range(5))
    desk.anchoring.anchor_waiting()
    for seed, registration in enumerate(desk.find_all(accepted)):
        assert registration.has_bundle
        bundle = desk.vault.bundles.read(registration.registration_id)
        assert bundle.dossier == builders.build_dossier(seed)
        assert bundle.own.anchor == registration.anchor
        leaf = leaf_of_record(bundle.dossier.record, bundle.dossier.salts)
        assert root_of_proof(leaf, bundle.own.proof) == bundle.own.anchor.root
        assert bundle.own.chain == simulator.identity


def test_what_is_in_no_block_has_no_bundle(desk: Desk) -> None:
    (accepted,) = desk.accept(1)
    desk.completion.complete()
    assert not desk.find(accepted.registration_id).has_bundle
    assert desk.objects.keys("bundles") == []


class CountingChain(LedgerSimulator):
    """Counts how often it must prove an anchor."""

    proofs = 0

    def prove_anchor(self, root: MerkleRoot, caller: Address) -> StateProof | None:
        self.proofs += 1
        return super().prove_anchor(root, caller)


def test_bundles_of_one_batch_ask_the_chain_for_one_proof(tmp_path: Path) -> None:
    simulator = CountingChain(mines_at_once=True)
    desk = Desk(tmp_path / "home", simulator)
    accepted = desk.accept(*range(30))
    desk.anchoring.anchor_waiting()
    assert all(one.has_bundle for one in desk.find_all(accepted))
    assert simulator.proofs == 1
    desk.close()


def test_a_bundle_is_made_anew_until_its_registration_is_final(
    tmp_path: Path,
) -> None:
    simulator = CountingChain(mines_at_once=True)
    desk = Desk(tmp_path / "home", simulator)
    (accepted,) = desk.accept(1)
    desk.anchoring.anchor_waiting()
    early = desk.vault.bundles.read(accepted.registration_id)
    simulator.reorganise(1, fate=Fate.INCLUDE)
    desk.following.follow()
    assert not desk.find(accepted.registration_id).has_bundle
    desk.completion.complete()
    moved = desk.vault.bundles.read(accepted.registration_id)
    assert moved.own.anchor.block_hash != early.own.anchor.block_hash
    bury(desk, simulator)
    assert desk.find(accepted.registration_id).status is ClaimStatus.FINAL
    asked = simulator.proofs
    desk.completion.complete()
    assert simulator.proofs == asked + 1
    other = Desk(tmp_path / "home", simulator)  # another process, which has nothing in memory
    other.completion.complete()
    assert simulator.proofs == asked + 1
    desk.close()
    other.close()


def test_a_stored_bundle_of_another_anchor_is_replaced(desk: Desk) -> None:
    """It was imported before this home registered the same work."""
    (accepted,) = desk.accept(1)
    imported = builders.build_bundle(1)
    desk.vault.bundles.keep(imported)
    desk.anchoring.anchor_waiting()
    bundle = desk.vault.bundles.read(accepted.registration_id)
    assert bundle.own.anchor == desk.find(accepted.registration_id).anchor
    assert bundle.own.anchor != imported.own.anchor
