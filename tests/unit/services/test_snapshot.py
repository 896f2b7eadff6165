"""Snapshots: signed whole, checked whole, and of a bad one nothing is ever added."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import canonical_samples
import pytest
from builders import EPOCH, build_chain, build_claimant, build_dossier, build_registration
from evidence_builders import EXPORTER, SENDER, build_sound_bundles, with_own, write_snapshot
from repository_adapters import add_batch, anchored_in, event_in, follow, open_sqlite
from simulation.key_simulator import KeySimulator
from simulation.ledger_simulator import silent_ledger
from vaults import open_vault

from titledeed.anchoring.completion import BundleCompletion
from titledeed.canonical.documents import Json, encode_document
from titledeed.canonical.evidence.logs import encode_log
from titledeed.canonical.evidence.words import encode_word
from titledeed.canonical.hashing import keccak256, sha256, word
from titledeed.errors import (
    MalformedDocumentError,
    ProofError,
    StorageError,
    TitledeedError,
    UnreadableInputError,
    VerificationError,
)
from titledeed.matching.embedded import EmbeddedIndex
from titledeed.models.bundle import Bundle
from titledeed.models.evidence import SignedTransaction
from titledeed.models.ledger import Anchored, Block, Confirmations
from titledeed.models.primitives import MerkleRoot
from titledeed.models.principal import owner_of_home
from titledeed.models.registration import Batch, Registration, Visibility
from titledeed.services.snapshot import SnapshotService, read_coverage

AT_ONCE = Confirmations(0, 0)


class Shelf:
    """The part of a home that snapshots need: a real database and object store."""

    def __init__(self, folder: Path) -> None:
        self.repositories = open_sqlite(folder)
        self.registrations = self.repositories.registrations
        self.vault = open_vault(folder)
        self.objects = self.vault.objects
        self.owner = owner_of_home(EXPORTER.address)
        self.snapshots = SnapshotService(
            keys=KeySimulator(EXPORTER),
            registrations=self.registrations,
            snapshots=self.repositories.snapshots,
            vault=self.vault,
            index=EmbeddedIndex(source=self.repositories.fingerprints),
            completion=BundleCompletion(
                ledger=silent_ledger(),
                completions=self.repositories.completions,
                vault=self.vault,
                timestamps=None,
            ),
            chain=build_chain(),
            clock=lambda: EPOCH,
        )

    def own(self, bundle: Bundle, visibility: Visibility) -> Registration:
        """Accept a registration; it waits for its block."""
        registration = build_registration(bundle.dossier, visibility=visibility)
        return self.registrations.accept(registration, bundle.dossier.fingerprints)

    def anchor(self, bundles: Sequence[Bundle]) -> None:
        """Settle one batch of accepted registrations and complete their bundles."""
        anchor = bundles[0].own.anchor
        transaction = SignedTransaction(bundles[0].own.raw_transaction, anchor.transaction, 0)
        ids = tuple(bundle.dossier.registration_id for bundle in bundles)
        batch = Batch(anchor.root, ids, SENDER.address, (transaction,))
        add_batch(self.repositories, batch, EPOCH)
        block = Block(
            anchor.block_number, anchor.block_hash, anchor.block_hash, anchor.block_timestamp
        )
        others = (
            event_in(
                block,
                sequence,
                Anchored(MerkleRoot(keccak256(word(sequence))), EXPORTER.address, 1),
            )
            for sequence in range(1, anchor.sequence)
        )
        event = anchored_in(block, anchor.sequence, batch)
        follow(self.repositories, block, *others, event, confirmations=AT_ONCE)
        for bundle in bundles:
            self.vault.bundles.keep(bundle)
        incomplete = self.repositories.completions.find_next(0)
        assert incomplete is not None
        self.repositories.completions.mark(incomplete, is_final=True)

    def contents(self) -> tuple[list[object], list[str], list[object]]:
        """Everything that an import could have added."""
        return (
            list(self.repositories.fingerprints.iter_fingerprints(0)),
            self.objects.keys("bundles/"),
            list(self.snapshots.list_imported()),
        )


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path / "home")
    yield shelf
    shelf.repositories.close()


FIRST: Final = (
    Path(__file__).parents[2] / "conformance" / "version_1" / "published.titledeed-snapshot"
)


@pytest.fixture(scope="module")
def bundles() -> list[Bundle]:
    return build_sound_bundles([build_dossier(seed) for seed in (1, 2, 3)])


def import_bytes(shelf: Shelf, data: bytes, folder: Path) -> tuple[str, int]:
    path = folder / "a.snapshot"
    path.write_bytes(data)
    coverage, added, _ = shelf.snapshots.import_(path)
    return coverage.snapshot_id, added


def assert_refused(
    shelf: Shelf, data: bytes, folder: Path, error: type[TitledeedError] = TitledeedError
) -> None:
    with pytest.raises(error) as raised:
        import_bytes(shelf, data, folder)
    assert isinstance(raised.value, MalformedDocumentError | VerificationError)
    assert shelf.contents() == ([], [], [])


def test_a_snapshot_is_imported_once(shelf: Shelf, bundles: list[Bundle], tmp_path: Path) -> None:
    data = write_snapshot(bundles)
    snapshot_id, added = import_bytes(shelf, data, tmp_path)
    assert added == 3
    (coverage,) = shelf.snapshots.list_imported()
    assert (coverage.snapshot_id, coverage.exported_at) == (snapshot_id, EPOCH)
    assert (coverage.exporter, coverage.registrations) == (EXPORTER.address, 3)
    for bundle in bundles:
        found = shelf.registrations.find(bundle.dossier.registration_id)
        assert found is not None
        assert found.snapshot_id == snapshot_id
        assert found.anchor == bundle.own.anchor
        assert found.visibility is Visibility.PUBLISHED
        assert found.leaf_index == bundle.own.proof.index
    before = shelf.contents()
    assert import_bytes(shelf, data, tmp_path) == (snapshot_id, 0)
    assert shelf.contents() == before


def test_a_second_snapshot_adds_only_what_is_new(
    shelf: Shelf, bundles: list[Bundle], tmp_path: Path
) -> None:
    assert import_bytes(shelf, write_snapshot(bundles[:2]), tmp_path)[1] == 2
    later = write_snapshot(bundles, changes={"exported_at": EPOCH + 1})
    assert import_bytes(shelf, later, tmp_path)[1] == 1
    assert [coverage.registrations for coverage in shelf.snapshots.list_imported()] == [2, 3]


def test_an_own_registration_is_never_replaced_by_an_import(
    shelf: Shelf, bundles: list[Bundle], tmp_path: Path
) -> None:
    mine = shelf.own(bundles[0], Visibility.PRIVATE)
    assert import_bytes(shelf, write_snapshot(bundles), tmp_path)[1] == 2
    assert shelf.registrations.find(mine.registration_id) == mine


def test_an_empty_snapshot_says_that_nothing_was_published(shelf: Shelf, tmp_path: Path) -> None:
    assert import_bytes(shelf, write_snapshot([]), tmp_path)[1] == 0
    assert shelf.snapshots.list_imported()[0].registrations == 0


def test_a_changed_byte_anywhere_is_refused_and_nothing_is_added(
    shelf: Shelf, bundles: list[Bundle], tmp_path: Path
) -> None:
    data = write_snapshot(bundles[:2])
    trailer = data.rindex(b"\n", 0, len(data) - 1)
    places = {*range(0, len(data), 97), *range(trailer, len(data))}
    for place in sorted(places):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert_refused(shelf, changed, tmp_path)


def test_a_bundle_changed_in_its_last_line_adds_nothing_of_the_first(
    shelf: Shelf, bundles: list[Bundle], tmp_path: Path
) -> None:
    """Signed by its exporter, who may be wrong about one of three."""
    last = bundles[2]
    forged = with_own(last, proof=replace(last.own.proof, index=0))
    assert_refused(shelf, write_snapshot([*bundles[:2], forged]), tmp_path, ProofError)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(
    shelf: Shelf, bundles: list[Bundle], tmp_path: Path, share: float
) -> None:
    data = write_snapshot(bundles)
    assert_refused(shelf, data[: int(len(data) * share)], tmp_path, MalformedDocumentError)


def test_whole_lines_missing_or_repeated_are_refused(
    shelf: Shelf, bundles: list[Bundle], tmp_path: Path
) -> None:
    header, *lines, trailer = write_snapshot(bundles).splitlines(keepends=True)
    for body in (lines[:2], [*lines, lines[0]], lines[::-1], []):
        assert_refused(shelf, b"".join([header, *body, trailer]), tmp_path)


def test_nothing_may_follow_the_signature(
    shelf: Shelf, bundles: list[Bundle], tmp_path: Path
) -> None:
    data = write_snapshot(bundles)
    for more in (b"\n", b"x", data):
        assert_refused(shelf, data + more, tmp_path, MalformedDocumentError)


def test_the_signature_of_another_key_is_refused(
    shelf: Shelf, bundles: list[Bundle], tmp_path: Path
) -> None:
    data = write_snapshot(bundles, signer=build_claimant(51))
    assert_refused(shelf, data, tmp_path, ProofError)


def test_what_is_signed_and_not_used_is_told(
    shelf: Shelf, bundles: list[Bundle], tmp_path: Path
) -> None:
    sample = canonical_samples.sample_bundle()
    others: list[dict[str, Json]] = [
        encode_log(sample.logs[0]),
        encode_word(sample.words[0]),
        {"schema": "titledeed.future/1", "anything": [1]},
        {"schema": "titledeed.future/2"},
        {"anything": None},
    ]
    path = tmp_path / "a.snapshot"
    path.write_bytes(
        write_snapshot(bundles, changes={"language": "en", "since": "0" * 64}, others=others)
    )
    found = shelf.snapshots.import_(path)
    assert (found.added, found.coverage.registrations) == (3, 3)
    assert found.unused == (
        "language",
        f"since {'0' * 64}: it holds only what changed after that snapshot",
        "1 of no schema",
        "1 of titledeed.future/1",
        "1 of titledeed.future/2",
        "1 of titledeed.log/1",
        "1 of titledeed.word/1",
    )


@pytest.mark.parametrize("kind", ["log", "word"])
def test_a_log_or_a_word_that_does_not_hold_adds_nothing(
    shelf: Shelf, bundles: list[Bundle], tmp_path: Path, kind: str
) -> None:
    sample = canonical_samples.sample_bundle()
    forged = {
        "log": encode_log(replace(sample.logs[0], sequence=4)),
        "word": encode_word(replace(sample.words[0], value=bytes(32))),
    }[kind]
    assert_refused(shelf, write_snapshot(bundles, others=[forged]), tmp_path, ProofError)


def test_a_snapshot_of_version_1_holds_bundles_alone(
    shelf: Shelf, bundles: list[Bundle], tmp_path: Path
) -> None:
    first = FIRST.read_bytes()
    path = tmp_path / "first.snapshot"
    path.write_bytes(first)
    assert shelf.snapshots.import_(path).added == 3
    header, *lines, _ = first.splitlines(keepends=True)
    future = encode_document({"schema": "titledeed.future/1"}) + b"\n"
    forged = b"".join([header, *lines[:-1], future])
    with pytest.raises(MalformedDocumentError, match="schema"):
        import_bytes(shelf, forged, tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "titledeed.snapshot/3"},
        {"registrations": -1},
        {"registrations": 10**12},
        {"registrations": 4},
        {"exported_at": 2**52},
        {"exporter": "0x" + "ab" * 20},
        {"chain_id": 0},
        {"lines": 2},
        {"since": "0x"},
        {"surprise": 1.5},
    ],
    ids=str,
)
def test_a_header_of_another_form_is_refused(
    shelf: Shelf, bundles: list[Bundle], tmp_path: Path, changes: dict[str, Json]
) -> None:
    assert_refused(shelf, write_snapshot(bundles, changes=changes), tmp_path)


@pytest.mark.parametrize("data", [b"", b"\n", b"{}\n", b"\x89PNG\r\n\x1a\n", b"{" * 1000 + b"\n"])
def test_what_is_no_snapshot_is_refused(shelf: Shelf, tmp_path: Path, data: bytes) -> None:
    assert_refused(shelf, data, tmp_path, MalformedDocumentError)


@pytest.mark.parametrize("name", ["missing.snapshot", "."])
def test_what_cannot_be_read_is_told(shelf: Shelf, tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableInputError):
        shelf.snapshots.import_(tmp_path / name)


def test_export_holds_what_is_own_published_and_anchored(
    shelf: Shelf, bundles: list[Bundle], tmp_path: Path
) -> None:
    published, private = bundles[:2]
    shelf.own(published, Visibility.PUBLISHED)
    shelf.own(private, Visibility.PRIVATE)
    shelf.own(bundles[2], Visibility.PUBLISHED)
    shelf.anchor(bundles)
    (waiting,) = build_sound_bundles([build_dossier(4)])
    shelf.own(waiting, Visibility.PUBLISHED)
    (imported,) = build_sound_bundles([build_dossier(5)])
    import_bytes(shelf, write_snapshot([imported]), tmp_path)

    destination = tmp_path / "out" / "published.snapshot"
    coverage = shelf.snapshots.export(destination, shelf.owner)
    assert coverage.registrations == 2
    assert destination.read_bytes() == write_snapshot([published, bundles[2]])
    with destination.open("rb") as file:
        assert read_coverage(file) == (coverage, ())


def test_nothing_published_makes_an_empty_snapshot(shelf: Shelf, tmp_path: Path) -> None:
    assert shelf.snapshots.export(tmp_path / "a", shelf.owner).registrations == 0
    assert (tmp_path / "a").read_bytes() == write_snapshot([])


def test_an_export_that_cannot_be_written_leaves_nothing(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError):
        shelf.snapshots.export(tmp_path / "folder", shelf.owner)
    assert list(tmp_path.glob(".titledeed-*")) == []


def test_the_signature_binds_the_purpose(bundles: list[Bundle], tmp_path: Path) -> None:
    """The exporter's signature over the bare digest is no signature of a snapshot."""
    body = write_snapshot(bundles).rpartition(b'{"signature"')[0]
    bare = EXPORTER.sign(sha256(body))
    path = tmp_path / "a"
    path.write_bytes(body + json.dumps({"signature": "0x" + bare.hex()}).encode() + b"\n")
    with path.open("rb") as file, pytest.raises(ProofError):
        read_coverage(file)
