from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import builders
import pytest
from repository_adapters import CONTRACT, open_sqlite, without_table
from vaults import open_store, open_vault

from titledeed.canonical.merkle import MerkleTree, root_of_proof
from titledeed.errors import NotFoundError, StorageError
from titledeed.homes.erasure import ErasureService
from titledeed.models.ledger import Tombstone
from titledeed.models.record import Dossier
from titledeed.models.registration import Batch, Registration, Visibility
from titledeed.vault.dossiers import KeptDossier

NOW: Final = builders.EPOCH + 9_999
SECRET: Final = "A title that nobody may read"


class Home:
    """Rows, objects and signed copies of a home, without a chain."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "store.sqlite3"
        self.signed = folder / "signed"
        self.store = open_sqlite(folder)
        self.objects = open_store(folder)
        self.vault = open_vault(folder, self.objects)
        self.service = ErasureService(
            registrations=self.store.registrations,
            vault=self.vault,
            clock=lambda: NOW,
        )

    def accept(self, dossier: Dossier, *, output: Path | None = None) -> Registration:
        registration_id = dossier.registration_id
        path = (output or self.signed / registration_id) / "copy.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"signed")
        kept = KeptDossier(dossier, Visibility.PRIVATE, builders.EPOCH, str(path))
        self.vault.dossiers.keep(kept)
        self.vault.thumbnails.keep(registration_id, b"picture")
        bundle = self.vault.bundles.name(registration_id)
        self.objects.put(bundle, dossier.rights.title.encode())
        row = builders.build_registration(dossier, signed_path=str(path))
        return self.store.registrations.accept(row, dossier.fingerprints)

    def batch(self, *registrations: Registration) -> None:
        leaves = [one.leaf for one in registrations]
        tree = MerkleTree(leaves)
        batch = Batch(
            root=tree.root,
            registration_ids=tuple(one.registration_id for one in registrations),
            sender=builders.build_address(8_000),
            attempts=(builders.build_transaction(0),),
        )
        self.vault.batches.keep(batch, tree, leaves)
        self.store.outbox.add_batch(batch, contract=CONTRACT, sent_at=NOW)
        self.root = tree.root

    def bytes_everywhere(self) -> bytes:
        return b"".join(p.read_bytes() for p in self.folder.rglob("*") if p.is_file())


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    yield home
    home.store.close()


@pytest.fixture
def erased(home: Home) -> Registration:
    """What the tests erase; two others share its batch."""
    before, found, after = (
        home.accept(builders.build_dossier(seed, title=SECRET if seed == 2 else None))
        for seed in (1, 2, 3)
    )
    home.batch(before, found, after)
    return found


def test_a_tombstone_is_all_that_is_left(home: Home, erased: Registration) -> None:
    salts = home.vault.dossiers.read_kept(erased.registration_id).dossier.salts
    done = home.service.erase(erased.registration_id)
    tombstone = Tombstone(erased.registration_id, erased.leaf, NOW)
    assert (done.tombstone, done.signed_path) == (tombstone, erased.signed_path)
    assert home.store.registrations.find(erased.registration_id) is None
    assert home.store.registrations.find_tombstone(erased.registration_id) == tombstone
    assert home.vault.tombstones.read(home.vault.tombstones.name(tombstone)) == tombstone
    left = [key for key in home.objects.keys("") if erased.registration_id in key]
    assert left == [home.vault.tombstones.name(tombstone)]
    assert erased.signed_path is not None
    assert not Path(erased.signed_path).parent.exists()
    everything = home.bytes_everywhere()
    for secret in (SECRET.encode(), erased.content_digest, salts.record, salts.content):
        assert secret not in everything
        assert secret.hex().encode() not in everything


def test_the_others_of_the_batch_keep_their_place_and_their_proof(
    home: Home, erased: Registration
) -> None:
    home.service.erase(erased.registration_id)
    paths = home.vault.batches.read_paths(home.root)
    leaves = home.store.outbox.list_leaves(home.root)
    assert leaves[1] == erased.leaf
    assert tuple(leaves) == home.vault.batches.read(home.root).leaves
    for index, leaf in enumerate(leaves):
        assert root_of_proof(leaf, paths.prove(index)) == home.root


def test_its_fingerprints_are_gone_and_indexes_are_told(home: Home, erased: Registration) -> None:
    before = home.store.fingerprints.count_erased()
    home.service.erase(erased.registration_id)
    owners = {owner for _, owner, _ in home.store.fingerprints.iter_fingerprints(0)}
    assert len(owners) == 2
    assert erased.registration_id not in owners
    assert home.store.fingerprints.count_erased() > before


def test_the_signed_copy_stays_where_that_is_wished(home: Home, erased: Registration) -> None:
    done = home.service.erase(erased.registration_id, keep_signed_copy=True)
    assert erased.signed_path is not None
    assert done.kept_signed_copy
    assert Path(erased.signed_path).read_bytes() == b"signed"


def test_of_a_folder_of_the_owner_only_the_copy_goes(home: Home, tmp_path: Path) -> None:
    found = home.accept(builders.build_dossier(4), output=tmp_path / "mine")
    home.service.erase(found.registration_id)
    assert list((tmp_path / "mine").iterdir()) == []


def test_the_second_time_it_only_makes_sure(home: Home, erased: Registration) -> None:
    first = home.service.erase(erased.registration_id)
    again = home.service.erase(erased.registration_id)
    assert again.tombstone == first.tombstone


def test_what_was_never_registered_cannot_be_erased(home: Home) -> None:
    row = builders.build_registration(builders.build_dossier(5))
    with pytest.raises(NotFoundError):
        home.service.erase(row.registration_id)
    bundle = builders.build_bundle(5)
    imported = builders.build_registration(bundle.dossier, bundle=bundle, snapshot_id="s")
    home.store.registrations.add_imported(imported, [])
    with pytest.raises(NotFoundError):
        home.service.erase(imported.registration_id)
    assert home.store.registrations.find(imported.registration_id) is not None


@contextmanager
def _something_in_its_place(path: Path) -> Iterator[None]:
    """A signed copy that cannot be deleted: a folder has taken its place."""
    data = path.read_bytes()
    path.unlink()
    path.mkdir()
    yield
    path.rmdir()
    path.write_bytes(data)


@contextmanager
def failing_at(home: Home, erased: Registration, step: str) -> Iterator[None]:
    """One step of an erasure fails."""
    with ExitStack() as stack:
        if step == "tombstone":
            home.objects.fail("tombstones/")
        elif step == "signed copy":
            stack.enter_context(_something_in_its_place(Path(erased.signed_path or "")))
        elif step == "row":
            stack.enter_context(without_table(home.folder, "tombstone"))
        else:
            home.objects.fail_deletion(step)
        yield


STEPS: Final = ("tombstone", "signed copy", "row", "dossiers/", "thumbnails/", "bundles/")


@pytest.mark.parametrize("step", STEPS)
def test_an_erasure_that_failed_is_finished_by_the_next(
    home: Home, erased: Registration, step: str
) -> None:
    with failing_at(home, erased, step), pytest.raises(StorageError):
        home.service.erase(erased.registration_id)
    home.service.erase(erased.registration_id)
    assert [key for key in home.objects.keys("") if erased.registration_id in key] == [
        home.vault.tombstones.name(Tombstone(erased.registration_id, erased.leaf, NOW))
    ]
    assert home.store.registrations.find(erased.registration_id) is None
    assert not (home.signed / erased.registration_id).exists()
    assert SECRET.encode() not in home.bytes_everywhere()


def test_a_copy_that_cannot_be_deleted_stops_before_the_row_goes(
    home: Home, erased: Registration
) -> None:
    assert erased.signed_path is not None
    Path(erased.signed_path).unlink()
    Path(erased.signed_path).mkdir()
    with pytest.raises(StorageError, match="signed copy"):
        home.service.erase(erased.registration_id)
    assert home.store.registrations.find(erased.registration_id) is not None


def test_it_may_be_registered_again_and_erased_again(home: Home, erased: Registration) -> None:
    first = home.service.erase(erased.registration_id).tombstone
    dossier = builders.build_dossier(2, title=SECRET)
    salted = replace(dossier, salts=builders.build_dossier(77).salts)
    again = home.accept(salted)
    assert again.registration_id == erased.registration_id
    second = home.service.erase(again.registration_id).tombstone
    assert second.leaf != first.leaf
    assert home.vault.tombstones.list_names() == sorted(
        map(home.vault.tombstones.name, (first, second))
    )


def test_an_import_of_the_same_work_keeps_its_bundle(home: Home, erased: Registration) -> None:
    home.service.erase(erased.registration_id)
    bundle = builders.build_bundle(2)
    imported = builders.build_registration(bundle.dossier, bundle=bundle, snapshot_id="s")
    imported = replace(imported, registration_id=erased.registration_id)
    home.store.registrations.add_imported(imported, [])
    name = home.vault.bundles.name(erased.registration_id)
    home.objects.put(name, b"theirs")
    home.service.erase(erased.registration_id)
    assert home.objects.get(name) == b"theirs"


def test_the_tables_stay_whole(home: Home, erased: Registration) -> None:
    home.service.erase(erased.registration_id)
    with closing(sqlite3.connect(home.database)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
