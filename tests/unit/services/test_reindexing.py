"""Fingerprinting anew: which works get codes, from which file, and what an interrupted run left."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from builders import build_fingerprints
from homes import signed_copy
from service_desk import ServiceDesk
from simulation.simulated_media import write_media

from titledeed.errors import MalformedMediaError, StorageError, UnreadableInputError
from titledeed.fingerprinting.algorithms import algorithms_for
from titledeed.media.digests import digest_file
from titledeed.models.asset import MediaKind, MediaType
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.ledger import Tombstone
from titledeed.models.registration import Registration
from titledeed.services.registration import RegisteredFile
from titledeed.services.reindexing import Reindexed

ALL_OF_PICTURES: Final = {(one.id, one.version) for one in algorithms_for(MediaKind.IMAGE)}


def present_codes(seed: int, kind: MediaKind) -> tuple[FingerprintCode, ...]:
    """What this release makes of the content with a seed."""
    return tuple(
        FingerprintCode(one.id, one.version, b"code of %d" % seed) for one in algorithms_for(kind)
    )


def upgrade(desk: ServiceDesk) -> None:
    """From now on the release with the algorithms of today runs."""
    desk.examiner.fingerprint = present_codes
    desk.examiner.examined.clear()
    desk.index.kept = 0


def codes_of(desk: ServiceDesk, work: Registration) -> set[tuple[str, int]]:
    found = desk.repositories.fingerprints.iter_fingerprints(0)
    return {
        (code.algorithm, code.version)
        for _, registration_id, code in found
        if registration_id == work.registration_id
    }


def register(desk: ServiceDesk, name: str, seed: int) -> RegisteredFile:
    kind = MediaType.GIF if name.endswith("gif") else MediaType.PNG
    return desk.register_one(desk.write(name, seed, kind), wait=False)


class TestWhatIsFingerprinted:
    def test_a_work_of_an_older_release_gets_what_it_lacks(self, desk: ServiceDesk) -> None:
        work = register(desk, "a.png", 1).registration
        before = codes_of(desk, work)
        upgrade(desk)
        assert desk.reindexing.reindex() == Reindexed(1, 0, ())
        assert codes_of(desk, work) == before | ALL_OF_PICTURES
        later = desk.vault.later_fingerprints.read(work.registration_id)
        assert later.examined == ALL_OF_PICTURES
        assert later.codes == present_codes(1, MediaKind.IMAGE)
        assert desk.index.kept == 1

    def test_what_the_claim_binds_stays_as_it_is(self, desk: ServiceDesk) -> None:
        work = register(desk, "a.png", 1).registration
        before = desk.vault.dossiers.read(work.registration_id)
        upgrade(desk)
        desk.reindexing.reindex()
        assert desk.vault.dossiers.read(work.registration_id) == before
        assert before.fingerprints == build_fingerprints(1)

    def test_a_work_that_has_all_codes_is_not_looked_at(self, desk: ServiceDesk) -> None:
        upgrade(desk)
        register(desk, "a.gif", 1)
        desk.examiner.examined.clear()
        assert desk.reindexing.reindex(desk.media) == Reindexed(0, 1, ())
        assert desk.examiner.examined == []

    def test_once_is_enough(self, desk: ServiceDesk) -> None:
        register(desk, "a.png", 1)
        upgrade(desk)
        desk.reindexing.reindex()
        before = desk.list_everything()
        assert desk.reindexing.reindex() == Reindexed(0, 1, ())
        assert len(desk.examiner.examined) == 1
        assert desk.list_everything() == before

    def test_algorithms_that_find_no_evidence_are_not_asked_again(self, desk: ServiceDesk) -> None:
        register(desk, "a.png", 1)
        upgrade(desk)
        desk.examiner.fingerprint = lambda _seed, _kind: ()
        assert desk.reindexing.reindex() == Reindexed(1, 0, ())
        assert desk.reindexing.reindex() == Reindexed(0, 1, ())

    def test_codes_of_one_algorithm_are_kept_once(self, desk: ServiceDesk) -> None:
        """A part of the codes came with the registration."""
        first = present_codes(1, MediaKind.IMAGE)[:1]
        desk.examiner.fingerprint = lambda _seed, _kind: first
        work = register(desk, "a.gif", 1).registration
        upgrade(desk)
        desk.reindexing.reindex(desk.media)
        later = desk.vault.later_fingerprints.read(work.registration_id)
        assert later.codes == present_codes(1, MediaKind.IMAGE)[1:]
        assert codes_of(desk, work) == ALL_OF_PICTURES

    def test_imported_works_are_left_alone(self, desk: ServiceDesk, rival: ServiceDesk) -> None:
        rival.share_with(desk, rival.register_one(rival.write("a.png", 1)))
        upgrade(desk)
        assert desk.reindexing.reindex() == Reindexed(0, 0, ())

    def test_an_empty_home_has_nothing_to_do(self, desk: ServiceDesk) -> None:
        told: list[tuple[str, float]] = []
        done = desk.reindexing.reindex(
            progress=lambda label, fraction: told.append((label, fraction))
        )
        assert done == Reindexed(0, 0, ())
        assert told == [("Fingerprinting", 1.0)]

    def test_progress_names_each_work(self, desk: ServiceDesk) -> None:
        for seed, name in enumerate(["a.png", "b.png"]):
            register(desk, name, seed)
        upgrade(desk)
        told: list[tuple[str, float]] = []
        desk.reindexing.reindex(progress=lambda label, fraction: told.append((label, fraction)))
        assert told == [("a", 0.0), ("b", 0.5), ("Fingerprinting", 1.0)]


class TestFromWhichFile:
    def test_the_signed_copy_where_it_is_still_there(self, desk: ServiceDesk) -> None:
        outcome = register(desk, "a.png", 1)
        upgrade(desk)
        desk.reindexing.reindex(desk.media)
        assert desk.examiner.examined == [signed_copy(outcome)]

    @pytest.mark.parametrize("how", ["deleted", "changed"])
    def test_a_file_of_the_folder_with_the_digest_of_the_source_else(
        self, desk: ServiceDesk, how: str
    ) -> None:
        outcome = register(desk, "a.png", 1)
        if how == "deleted":
            signed_copy(outcome).unlink()
        else:
            write_media(signed_copy(outcome), 2)
        moved = Path(outcome.source).rename(desk.media / "another name")
        write_media(desk.media / "z" / "unrelated.png", 3)
        upgrade(desk)
        assert desk.reindexing.reindex(desk.media) == Reindexed(1, 0, ())
        assert desk.examiner.examined == [moved]

    def test_or_with_that_of_the_signed_copy(self, desk: ServiceDesk, tmp_path: Path) -> None:
        outcome = register(desk, "a.png", 1)
        moved = signed_copy(outcome).rename(tmp_path / "moved.png")
        Path(outcome.source).unlink()
        moved.rename(desk.media / "moved.png")
        upgrade(desk)
        assert desk.reindexing.reindex(desk.media) == Reindexed(1, 0, ())
        assert desk.examiner.examined == [desk.media / "moved.png"]

    def test_a_type_without_a_signed_copy_needs_the_folder(self, desk: ServiceDesk) -> None:
        work = register(desk, "a.gif", 1).registration
        upgrade(desk)
        (left_out,) = desk.reindexing.reindex().left_out
        assert (left_out.registration_id, left_out.title) == (work.registration_id, "a")
        assert "neither its signed copy nor the registered file" in left_out.reason
        assert desk.reindexing.reindex(desk.media) == Reindexed(1, 0, ())

    def test_a_changed_file_is_never_looked_at(self, desk: ServiceDesk) -> None:
        outcome = register(desk, "a.gif", 1)
        write_media(Path(outcome.source), 2, MediaType.GIF)
        upgrade(desk)
        assert len(desk.reindexing.reindex(desk.media).left_out) == 1
        assert desk.examiner.examined == []

    def test_a_folder_that_is_not_there_is_an_error(
        self, desk: ServiceDesk, tmp_path: Path
    ) -> None:
        with pytest.raises(UnreadableInputError):
            desk.reindexing.reindex(tmp_path / "no such folder")


class TestWorksThatCannotBe:
    def test_one_that_does_not_decode_any_more_stops_no_other(self, desk: ServiceDesk) -> None:
        bad, good = register(desk, "a.png", 1), register(desk, "b.png", 2)
        upgrade(desk)
        looked_at: list[Path] = []

        def fail_once() -> None:
            looked_at.append(desk.examiner.examined[-1])
            if len(looked_at) == 1:
                raise MalformedMediaError("it ends too soon")

        desk.examiner.meanwhile = fail_once
        done = desk.reindexing.reindex()
        assert (done.fingerprinted, done.current) == (1, 0)
        (left_out,) = done.left_out
        assert (left_out.title, left_out.reason) == ("a", "it ends too soon")
        assert looked_at == [signed_copy(bad), signed_copy(good)]
        assert desk.index.kept == 1

    @pytest.mark.parametrize("how", ["lost", "damaged"])
    def test_one_whose_dossier_cannot_be_read_stops_no_other(
        self, desk: ServiceDesk, how: str
    ) -> None:
        bad, _ = register(desk, "a.png", 1), register(desk, "b.png", 2)
        registration_id = bad.registration.registration_id
        if how == "lost":
            desk.vault.dossiers.delete(registration_id)
        else:
            desk.objects.put(desk.vault.dossiers.name(registration_id), b"{}")
        upgrade(desk)
        done = desk.reindexing.reindex()
        assert (done.fingerprinted, [one.title for one in done.left_out]) == (1, ["a"])

    def test_one_that_is_erased_meanwhile_gets_no_codes(self, desk: ServiceDesk) -> None:
        work = register(desk, "a.png", 1).registration
        upgrade(desk)
        tombstone = Tombstone(work.registration_id, work.leaf, desk.clock())
        desk.examiner.meanwhile = lambda: desk.registrations.erase(tombstone)
        (left_out,) = desk.reindexing.reindex().left_out
        assert left_out.reason == "it was erased meanwhile"
        assert codes_of(desk, work) == set()
        assert desk.objects.keys("fingerprints") == []


class TestInterruptions:
    @pytest.fixture
    def works(self, desk: ServiceDesk) -> list[Registration]:
        found = [register(desk, f"{name}.png", seed) for seed, name in enumerate("abc")]
        upgrade(desk)
        return [one.registration for one in found]

    def test_a_run_that_is_interrupted_loses_one_work_at_most(
        self, desk: ServiceDesk, works: list[Registration]
    ) -> None:
        def interrupt() -> None:
            if len(desk.examiner.examined) == 2:
                raise KeyboardInterrupt

        desk.examiner.meanwhile = interrupt
        with pytest.raises(KeyboardInterrupt):
            desk.reindexing.reindex()
        assert [codes_of(desk, one) >= ALL_OF_PICTURES for one in works] == [True, False, False]
        desk.examiner.meanwhile = lambda: None
        assert desk.reindexing.reindex() == Reindexed(2, 1, ())

    def test_a_full_disk_ends_the_run_and_the_same_call_goes_on(
        self, desk: ServiceDesk, works: list[Registration]
    ) -> None:
        desk.objects.fail(desk.vault.later_fingerprints.name(works[1].registration_id))
        with pytest.raises(StorageError):
            desk.reindexing.reindex()
        assert not codes_of(desk, works[1]) >= ALL_OF_PICTURES
        assert desk.reindexing.reindex() == Reindexed(2, 1, ())
        assert all(codes_of(desk, one) >= ALL_OF_PICTURES for one in works)

    def test_codes_are_kept_before_the_database_names_them(
        self, desk: ServiceDesk, works: list[Registration]
    ) -> None:
        desk.reindexing.reindex()
        for one in works:
            kept = desk.vault.later_fingerprints.read(one.registration_id)
            assert {(code.algorithm, code.version) for code in kept.codes} == ALL_OF_PICTURES
            assert digest_file(Path(one.signed_path or "")) == one.signed_digest
