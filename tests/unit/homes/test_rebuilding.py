from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import builders
import pytest
from chain_builders import root_of, sender_of
from chain_desk import CONFIRMATIONS, Desk, withdrawal
from evidence_builders import build_sound_bundles
from index_rows import dump_rows
from repository_adapters import open_sqlite
from simulation.ledger_simulator import LedgerSimulator

from titledeed.anchoring.following import FollowingService
from titledeed.canonical.documents import encode_document
from titledeed.canonical.merkle import MerkleTree
from titledeed.homes.erasure import ErasureService
from titledeed.homes.rebuilding import REFUSED, RebuildingService, Rebuilt
from titledeed.homes.salvage import SalvageProblem
from titledeed.models.evidence import ClaimStatus
from titledeed.models.ledger import AnchorRoot, Receipt
from titledeed.models.primitives import TransactionHash
from titledeed.models.record import Dossier
from titledeed.models.registration import Batch, Coverage, Registration, Visibility
from titledeed.services.evidence import CHECKER
from titledeed.vault.dossiers import KeptDossier
from titledeed.vault.imports import KeptImport
from titledeed.vault.listing import list_bundle


class Chain(LedgerSimulator):
    """A chain whose contract refused some transactions."""

    def __init__(self) -> None:
        self.payer = sender_of("payer")
        super().__init__(sender=self.payer, mines_at_once=True)
        self.refused: set[TransactionHash] = set()

    def find_receipt(self, transaction: TransactionHash) -> Receipt | None:
        receipt = super().find_receipt(transaction)
        if transaction in self.refused:
            head = self.find_head()
            return Receipt(transaction, head.number, head.hash, succeeded=False)
        return receipt


class Home(Desk):
    """A desk at which works are registered whole."""

    def __init__(self, folder: Path) -> None:
        self.simulator = Chain()
        super().__init__(folder, self.simulator)
        self.registrations = self.repositories.registrations

    def register(
        self,
        dossier: Dossier | int,
        *,
        visibility: Visibility = Visibility.PRIVATE,
        signed_path: str | None = None,
    ) -> Registration:
        if isinstance(dossier, int):
            dossier = builders.build_dossier(dossier)
        kept = KeptDossier(dossier, visibility, self.clock(), signed_path)
        self.vault.dossiers.keep(kept)
        self.vault.thumbnails.keep(dossier.registration_id, b"picture")
        row = builders.build_registration(
            dossier, visibility=visibility, signed_path=signed_path, accepted_at=self.clock()
        )
        return self.registrations.accept(row, dossier.fingerprints)

    def anchor(self, *works: Dossier | int) -> list[Registration]:
        found = [self.register(work) for work in works]
        self.anchoring.anchor_now()
        return found

    def sign_batch(self, *registrations: Registration) -> Batch:
        """A batch that is signed and kept, and of which nobody learned."""
        leaves = [one.leaf for one in registrations]
        tree = MerkleTree(leaves)
        nonce = self.outbox.next_nonce(self.ledger.sender, self.ledger.count_transactions())
        signed = self.ledger.sign_call(AnchorRoot(tree.root, tree.size), nonce)
        ids = tuple(one.registration_id for one in registrations)
        batch = Batch(tree.root, ids, self.ledger.sender, (signed,))
        self.vault.batches.keep(batch, tree, leaves)
        return batch

    def import_snapshot(self, *seeds: int) -> None:
        bundles = build_sound_bundles([builders.build_dossier(seed) for seed in seeds])
        coverage = Coverage("ab" * 32, builders.EPOCH, builders.build_address(3), len(seeds), 5)
        for bundle in bundles:
            self.vault.bundles.keep(bundle)
            listed = list_bundle(bundle, coverage.snapshot_id, accepted_at=self.clock())
            self.registrations.add_imported(listed, bundle.dossier.fingerprints)
        accepted = [(bundle.dossier.registration_id, self.clock()) for bundle in bundles]
        self.vault.imports.keep(KeptImport(coverage, tuple(accepted)))
        self.repositories.snapshots.add(coverage)

    def erase(self, registration: Registration) -> None:
        ErasureService(
            registrations=self.registrations,
            vault=self.vault,
            clock=self.clock,
        ).erase(registration.registration_id)

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        return dump_rows(self.folder / "store.sqlite3")

    def rebuild(self) -> tuple[Rebuilt, dict[str, list[tuple[object, ...]]]]:
        folder = self.folder / "new"
        shutil.rmtree(folder, ignore_errors=True)
        with closing(open_sqlite(folder)) as repositories:
            rebuilt = RebuildingService(
                vault=self.vault,
                checker=CHECKER,
                registrations=repositories.registrations,
                fingerprints=repositories.fingerprints,
                outbox=repositories.outbox,
                chain=repositories.followed,
                snapshots=repositories.snapshots,
                following=FollowingService(
                    ledger=self.ledger,
                    chain=repositories.followed,
                    confirmations=CONFIRMATIONS,
                ),
                ledger=self.ledger,
                clock=self.clock,
                place_copy=lambda registration_id, path: f"{registration_id}/{path}",
            ).rebuild()
        return rebuilt, dump_rows(folder / "store.sqlite3")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    yield home
    home.close()


def assert_same(home: Home) -> Rebuilt:
    rebuilt, rows = home.rebuild()
    for table, before in home.rows().items():
        assert rows[table] == before, table
    assert rebuilt.findings == ()
    return rebuilt


def test_an_empty_home_is_rebuilt_empty(home: Home) -> None:
    home.following.follow()
    rebuilt = assert_same(home)
    assert (rebuilt.registrations, rebuilt.batches, rebuilt.events) == (0, 0, 0)


def test_every_row_comes_out_as_it_was(home: Home) -> None:
    home.anchor(5, 3, 9)
    home.clock.now += 10
    home.anchor(1)
    home.register(8, visibility=Visibility.PUBLISHED)
    home.anchoring.anchor_now()
    home.clock.now += 10
    home.register(2)
    home.simulator.mine(3)
    home.following.follow()
    rebuilt = assert_same(home)
    assert (rebuilt.registrations, rebuilt.batches, rebuilt.events) == (6, 3, 3)


def test_what_was_accepted_in_one_second_keeps_the_order_of_its_batch(home: Home) -> None:
    registered = home.anchor(*range(40, 0, -1))
    home.following.follow()
    _, rows = home.rebuild()
    ids = [row[0] for row in rows["registration"]]
    assert ids == [one.registration_id for one in registered]


def test_the_signed_copy_is_placed_where_it_lies_now(home: Home) -> None:
    found = home.register(1, signed_path="co\udcffpy.mp4")
    _, rows = home.rebuild()
    assert rows["registration"][0][12] == f"{found.registration_id}/co".encode() + b"\xffpy.mp4"


def test_a_batch_under_way_is_still_under_way(home: Home) -> None:
    home.simulator.stop_mining()
    home.register(1)
    home.sending.send_batch()
    home.following.follow()
    assert [row[6] for row in assert_same_rows(home)["submission"]] == ["pending"]


def assert_same_rows(home: Home) -> dict[str, list[tuple[object, ...]]]:
    assert_same(home)
    return home.rows()


def test_a_batch_that_was_signed_and_never_sent_is_passed_over(home: Home) -> None:
    first = home.register(1)
    home.sign_batch(first)
    home.clock.now += 1
    home.anchor(2)
    assert_same(home)


def test_of_two_pending_batches_of_one_nonce_the_one_that_was_sent_is_taken(home: Home) -> None:
    home.simulator.stop_mining()
    home.sign_batch(home.register(1))
    home.clock.now += 1
    home.register(2)
    home.sending.send_batch()
    home.following.follow()
    assert_same(home)


def test_leaves_of_a_batch_that_was_refused_stand_in_the_next(home: Home) -> None:
    found = home.register(1)
    batch = home.sign_batch(found)
    submission = home.outbox.add_batch(
        batch, contract=home.ledger.identity.contract, sent_at=home.clock()
    )
    home.outbox.mark_reverted(submission, REFUSED)
    home.simulator.submit_as(home.simulator.payer, withdrawal(found.leaf))  # takes the nonce
    home.simulator.refused.add(batch.attempts[0].hash)
    home.clock.now += 1
    home.register(2)
    home.sending.send_batch()
    home.following.follow()
    assert_same(home)
    rows = home.rows()
    assert [row[6] for row in rows["submission"]] == ["reverted", "included"]
    assert [row[4] for row in rows["submission"]] == [1, 2]


def test_what_was_erased_stays_erased_and_keeps_its_place(home: Home) -> None:
    _, found, _ = home.anchor(1, 2, 3)
    alone = home.register(4)
    home.following.follow()
    home.erase(found)
    home.erase(alone)
    rebuilt = assert_same(home)
    assert (rebuilt.registrations, rebuilt.erased) == (2, 2)


def test_what_was_erased_and_registered_again_stands_in_both_batches(home: Home) -> None:
    dossier = builders.build_dossier(2)
    for salts in (7, 8, 9):
        again = replace(dossier, salts=builders.build_dossier(salts).salts)
        _, found = home.anchor(10 + salts, again)
        if salts != 9:
            home.erase(found)
        home.clock.now += 1
    home.following.follow()
    rebuilt = assert_same(home)
    assert (rebuilt.registrations, rebuilt.erased) == (4, 2)


def test_what_was_being_erased_does_not_come_back(home: Home) -> None:
    _, found = home.anchor(1, 2)
    kept = home.objects.get(home.vault.dossiers.name(found.registration_id))
    home.erase(found)
    home.objects.put(home.vault.dossiers.name(found.registration_id), kept)
    rebuilt, rows = home.rebuild()
    assert rows["registration"] == home.rows()["registration"]
    (finding,) = rebuilt.findings
    assert finding.problem is SalvageProblem.CONTRADICTS
    assert f"titledeed erase {found.registration_id}" in finding.detail


def test_imports_come_back_and_never_replace_own_works(home: Home) -> None:
    home.import_snapshot(1, 2, 3)
    home.anchor(2)
    rebuilt = assert_same(home)
    assert (rebuilt.registrations, rebuilt.imported) == (1, 2)


def test_strangers_on_the_chain_change_nothing(home: Home) -> None:
    home.anchor(1)
    home.simulator.submit_as(sender_of("stranger"), AnchorRoot(root_of("theirs"), 7))
    home.simulator.mine()
    home.following.follow()
    rebuilt = assert_same(home)
    assert rebuilt.events == 2


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[: len(data) // 2],
    "empty": lambda _: b"",
    "another": lambda _: b"{}",
    "altered": lambda data: data.replace(b'"role":"Prompts"', b'"role":"prompts"'),
}


@pytest.mark.parametrize("damage", sorted(DAMAGES))
def test_a_damaged_dossier_is_told_and_its_neighbours_keep_their_proofs(
    home: Home, damage: str
) -> None:
    found = home.anchor(1, 2, 3)
    key = home.vault.dossiers.name(found[1].registration_id)
    home.objects.put(key, DAMAGES[damage](home.objects.get(key)))
    rebuilt, rows = home.rebuild()
    assert [(one.problem, one.key) for one in rebuilt.findings] == [(SalvageProblem.DAMAGED, key)]
    before = home.rows()
    assert rows["registration"] == [before["registration"][0], before["registration"][2]]
    assert rows["submission"] == before["submission"]
    assert [row[:2] for row in rows["tombstone"]] == [(found[1].registration_id, found[1].leaf)]


def test_a_missing_dossier_is_told(home: Home) -> None:
    found = home.anchor(1, 2)
    key = home.vault.dossiers.name(found[0].registration_id)
    home.objects.delete(key)
    rebuilt, _ = home.rebuild()
    assert [(one.problem, one.key) for one in rebuilt.findings] == [(SalvageProblem.MISSING, key)]
    assert rebuilt.registrations == 1


def test_a_missing_batch_is_told_and_its_registrations_wait(home: Home) -> None:
    home.anchor(1, 2)
    home.anchor(3)
    key = home.objects.keys("batches/")[0]
    home.objects.delete(key)
    rebuilt, rows = home.rebuild()
    assert [(one.problem, one.key) for one in rebuilt.findings] == [(SalvageProblem.MISSING, key)]
    assert len(rows["submission"]) == 1


@pytest.mark.parametrize("damage", ["cut", "empty", "another", "leaves", "name"])
def test_a_damaged_batch_is_told(home: Home, damage: str) -> None:
    home.anchor(1, 2)
    (key,) = home.objects.keys("batches/")
    data = home.objects.get(key)
    if damage == "leaves":
        document = json.loads(data)
        document["leaves"].reverse()
        home.objects.put(key, encode_document(document))
    elif damage == "name":
        home.objects.delete(key)
        key = "batches/none.json"
        home.objects.put(key, data)
    else:
        home.objects.put(key, DAMAGES[damage](data))
    rebuilt, rows = home.rebuild()
    assert (SalvageProblem.DAMAGED, key) in [(one.problem, one.key) for one in rebuilt.findings]
    assert rows["submission"] == []


@pytest.mark.parametrize("missing", [True, False])
def test_proofs_are_made_anew_and_that_is_told(home: Home, *, missing: bool) -> None:
    home.anchor(1, 2, 3)
    (key,) = home.objects.keys("proofs/")
    before = home.objects.get(key)
    if missing:
        home.objects.delete(key)
    else:
        home.objects.put(key, before.replace(b"a", b"b"))
    rebuilt, rows = home.rebuild()
    assert [one.key for one in rebuilt.findings] == [key]
    assert rows == home.rows()
    assert home.objects.get(key) == before
    assert_same(home)


def test_a_damaged_bundle_is_deleted_and_that_is_told(home: Home) -> None:
    (found,) = home.anchor(1)
    key = home.vault.bundles.name(found.registration_id)
    home.objects.put(key, b"{")
    rebuilt, rows = home.rebuild()
    assert [(one.problem, one.key) for one in rebuilt.findings] == [(SalvageProblem.DAMAGED, key)]
    assert rows == home.rows()
    assert_same(home)


def test_a_missing_picture_is_told(home: Home) -> None:
    (found,) = home.anchor(1)
    key = home.vault.thumbnails.name(found.registration_id)
    home.objects.delete(key)
    rebuilt, rows = home.rebuild()
    assert [(one.problem, one.key) for one in rebuilt.findings] == [(SalvageProblem.MISSING, key)]
    assert rows == home.rows()


def test_a_damaged_tombstone_is_told(home: Home) -> None:
    found = home.anchor(1, 2)
    home.erase(found[0])
    (key,) = home.objects.keys("tombstones/")
    home.objects.put(key, b"{}")
    rebuilt, _ = home.rebuild()
    assert (SalvageProblem.DAMAGED, key) in [(one.problem, one.key) for one in rebuilt.findings]


@pytest.mark.parametrize("damage", ["missing", "cut", "altered"])
def test_what_is_lost_of_an_import_is_told(home: Home, damage: str) -> None:
    home.import_snapshot(1, 2)
    key = home.objects.keys("bundles/")[0]
    if damage == "missing":
        home.objects.delete(key)
    else:
        home.objects.put(key, DAMAGES[damage](home.objects.get(key)))
    rebuilt, _ = home.rebuild()
    assert (rebuilt.imported, [one.key for one in rebuilt.findings]) == (1, [key])
    index = home.vault.imports.name("ab" * 32)
    home.objects.put(index, b"{}")
    rebuilt, _ = home.rebuild()
    assert index in [one.key for one in rebuilt.findings]


def test_a_dossier_that_took_anothers_place_is_told(home: Home) -> None:
    first, second = home.anchor(1, 2)
    data = home.objects.get(home.vault.dossiers.name(first.registration_id))
    home.objects.put(home.vault.dossiers.name(second.registration_id), data)
    rebuilt, _ = home.rebuild()
    assert [one.key for one in rebuilt.findings] == [
        home.vault.dossiers.name(second.registration_id)
    ]


def test_the_status_is_that_of_the_chain(home: Home) -> None:
    (found,) = home.anchor(1)
    home.simulator.mine(CONFIRMATIONS.final)
    home.rebuild()
    with closing(open_sqlite(home.folder / "new")) as rebuilt:
        again = rebuilt.registrations.find(found.registration_id)
    assert again is not None
    assert again.status is ClaimStatus.FINAL
    assert again.anchor is not None
