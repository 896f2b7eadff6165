"""Auditing: what of a submission is read, what is left unassessed, and where the report goes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

import opentimelineio as otio
import pytest
from builders import EPOCH, build_claimant, build_dossier, build_fingerprints
from evidence_builders import build_sound_bundles, with_own, write_snapshot
from homes import statement
from service_desk import ServiceDesk
from simulation.index_simulator import match_of
from simulation.manifest_simulator import add_update_manifest
from simulation.simulated_media import DURATION_MS, write_media

from titledeed.canonical.documents import encode_document
from titledeed.canonical.evidence.bundles import encode_bundle
from titledeed.errors import InvalidRequestError, NotFoundError, StorageError, UnreadableInputError
from titledeed.media.digests import digest_file
from titledeed.models.asset import MediaType
from titledeed.models.bundle import Bundle
from titledeed.models.disclosure import DigitalSourceType, source_type_uri
from titledeed.models.finding import FindingCode, Outcome
from titledeed.models.registration import Coverage
from titledeed.services.audit import SUBMITTED, AuditResult
from titledeed.services.registration import RegisteredFile
from titledeed.vault.reports import HTML, JSON

FILM: Final = 7
"""Seed of the film's content."""

DURATION_S: Final = DURATION_MS / 1000
NONE_USED: Final = "schema: aidisc/1\ndeclared_use: none\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A submission: a film that says that no AI was used."""
    folder = tmp_path / "My film"
    write_media(folder / "film.mp4", FILM, MediaType.MP4)
    (folder / "disclosure.yaml").write_text(NONE_USED)
    return folder


def put_bundle(folder: Path, bundle: Bundle, name: str = "a.json") -> Path:
    path = folder / "bundles" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(encode_document(encode_bundle(bundle)))
    return path


def write_timeline(folder: Path, *shots_s: float) -> None:
    def seconds(value: float) -> otio.opentime.RationalTime:
        return otio.opentime.RationalTime(round(value * 24), 24)

    clips = [
        otio.schema.Clip(
            f"shot {number}", source_range=otio.opentime.TimeRange(seconds(0), seconds(length))
        )
        for number, length in enumerate(shots_s, 1)
    ]
    timeline = otio.schema.Timeline("edit")
    timeline.tracks.append(otio.schema.Track("V1", kind="Video", children=clips))
    (folder / "timeline.otio").write_text(timeline.to_json_string())


def unassessed(result: AuditResult) -> list[str]:
    return list(result.report.evidence.unassessed)


def found(result: AuditResult, code: FindingCode) -> list[str | None]:
    return [one.registration_id for one in result.report.findings if one.code == code]


def works_of(result: AuditResult) -> list[str]:
    return [work.registration_id for work in result.report.works]


class TestWhatIsRead:
    def test_film_disclosure_timeline_and_bundles(self, desk: ServiceDesk, folder: Path) -> None:
        write_timeline(folder, 1, 3)
        put_bundle(folder, build_sound_bundles([build_dossier(1)])[0])
        evidence = desk.audit.audit(folder, desk.owner).report.evidence
        assert evidence.film_name == "film.mp4"
        assert evidence.film_digest == digest_file(folder / "film.mp4")
        assert evidence.duration_s == DURATION_S
        assert evidence.disclosure is not None
        assert evidence.timeline is not None
        assert [shot.name for shot in evidence.timeline.shots] == ["shot 1", "shot 2"]
        assert evidence.submitted_bundles == 1
        assert evidence.unassessed == ()
        assert evidence.as_of == desk.clock()

    def test_nothing_is_written_into_the_submission_and_no_chain_is_asked(
        self, desk: ServiceDesk, folder: Path
    ) -> None:
        before = {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}
        desk.ledger.go_down()
        desk.audit.audit(folder, desk.owner)
        assert {p: p.stat().st_mtime_ns for p in [folder, *folder.rglob("*")]} == before
        assert desk.follower.calls == 0
        assert desk.registrations.count_own() == 0

    def test_a_film_alone_leaves_questions(self, desk: ServiceDesk, folder: Path) -> None:
        (folder / "disclosure.yaml").unlink()
        result = desk.audit.audit(folder, desk.owner)
        assert result.report.outcome is Outcome.QUESTIONS_OPEN
        assert unassessed(result) == []
        assert result.report.shot_share is None

    def test_credentials_of_the_film_count_where_they_are_intact(
        self, desk: ServiceDesk, folder: Path, tmp_path: Path
    ) -> None:
        film = folder / "film.mp4"
        said = statement(source_type=DigitalSourceType.DIGITAL_CAPTURE)
        outcome = desk.register_one(film, said=said, wait=False)
        film.write_bytes(Path(outcome.registration.signed_path or "").read_bytes())
        evidence = desk.audit.audit(folder, desk.owner).report.evidence
        assert evidence.manifest_source_types == (
            source_type_uri(DigitalSourceType.DIGITAL_CAPTURE),
        )
        add_update_manifest(film, source_types=["urn:x"])
        film.write_bytes(film.read_bytes().replace(b'"seed":7', b'"seed":8', 1))
        assert desk.audit.audit(folder, desk.owner).report.evidence.manifest_source_types == ()

    def test_what_the_home_holds_is_told(
        self, desk: ServiceDesk, folder: Path, tmp_path: Path
    ) -> None:
        desk.register_one(desk.write("a.png", 1), wait=False)
        coverage = Coverage("snap", EPOCH, build_claimant(50).address, 3, 31_338)
        desk.repositories.snapshots.add(coverage)
        evidence = desk.audit.audit(folder, desk.owner).report.evidence
        assert (evidence.coverages, evidence.own_registrations) == ((coverage,), 1)

    def test_progress_is_that_of_the_film(self, desk: ServiceDesk, folder: Path) -> None:
        told: list[tuple[str, float]] = []
        desk.audit.audit(
            folder, desk.owner, progress=lambda label, fraction: told.append((label, fraction))
        )
        assert told == [("film.mp4", 1.0)]


class TestWorksInTheFilm:
    @pytest.fixture
    def own(self, desk: ServiceDesk) -> RegisteredFile:
        """A private registration that the film shows."""
        outcome = desk.register_one(desk.write("a.mp4", 1, MediaType.MP4))
        registration_id = outcome.registration.registration_id
        desk.index.tell(build_fingerprints(FILM), match_of(registration_id, end_s=2.0))
        return outcome

    def test_the_auditors_own_are_found_also_private_ones(
        self, desk: ServiceDesk, folder: Path, own: RegisteredFile
    ) -> None:
        result = desk.audit.audit(folder, desk.owner)
        registration_id = own.registration.registration_id
        assert result.report.outcome is Outcome.INCONSISTENT
        assert works_of(result) == [registration_id]
        assert found(result, FindingCode.USE_UNDECLARED) == [registration_id]

    def test_so_are_those_of_submitted_bundles(self, desk: ServiceDesk, folder: Path) -> None:
        (bundle,) = build_sound_bundles([build_dossier(1)])
        put_bundle(folder, bundle)
        result = desk.audit.audit(folder, desk.owner)
        registration_id = bundle.dossier.registration_id
        assert works_of(result) == [registration_id]
        assert result.report.evidence.works[registration_id].snapshot_id == SUBMITTED
        (held,) = desk.works_indexer.given
        assert held.codes == bundle.dossier.fingerprints
        assert held.duration_s == bundle.dossier.record.facts.duration_ms / 1000

    def test_they_speak_for_this_film_only(self, desk: ServiceDesk, folder: Path) -> None:
        (bundle,) = build_sound_bundles([build_dossier(1)])
        put_bundle(folder, bundle)
        desk.audit.audit(folder, desk.owner)
        assert desk.registrations.find(bundle.dossier.registration_id) is None
        assert desk.vault.bundles.find(bundle.dossier.registration_id) is None
        (folder / "bundles" / "a.json").unlink()
        assert works_of(desk.audit.audit(folder, desk.owner)) == []

    def test_one_that_is_known_and_submitted_is_told_once_and_as_known(
        self, desk: ServiceDesk, folder: Path, own: RegisteredFile
    ) -> None:
        registration_id = own.registration.registration_id
        put_bundle(folder, desk.vault.bundles.read(registration_id))
        result = desk.audit.audit(folder, desk.owner)
        assert works_of(result) == [registration_id]
        evidence = result.report.evidence
        assert evidence.works[registration_id].snapshot_id is None
        assert evidence.matches == (match_of(registration_id, end_s=2.0),)

    def test_the_same_bundle_twice_is_one_work(self, desk: ServiceDesk, folder: Path) -> None:
        (bundle,) = build_sound_bundles([build_dossier(1)])
        for name in ("a.json", "b.json"):
            put_bundle(folder, bundle, name)
        result = desk.audit.audit(folder, desk.owner)
        assert works_of(result) == [bundle.dossier.registration_id]
        assert len(desk.works_indexer.given) == 1

    def test_a_disclosure_that_names_the_work_is_not_contradicted(
        self, desk: ServiceDesk, folder: Path, own: RegisteredFile
    ) -> None:
        (folder / "disclosure.yaml").write_text(
            "schema: aidisc/1\ndeclared_use: generative\n"
            f"uses:\n- registrations: [{own.registration.registration_id}]\n"
        )
        assert found(desk.audit.audit(folder, desk.owner), FindingCode.USE_UNDECLARED) == []

    def test_shots_are_counted_where_a_timeline_names_them(
        self, desk: ServiceDesk, folder: Path, own: RegisteredFile
    ) -> None:
        write_timeline(folder, 2, 2)
        share = desk.audit.audit(folder, desk.owner).report.shot_share
        assert share is not None
        assert share.total == 2
        assert share.detected.lower * 2 == 1


def assert_question(result: AuditResult) -> None:
    """A part of the submission was left unassessed, so the audit is not complete."""
    assert found(result, FindingCode.NOT_ASSESSED) == [None]
    assert result.report.outcome is Outcome.QUESTIONS_OPEN


PARTS: Final = {
    "disclosure.yaml": b"declared_use: [",
    "timeline.otio": b"{}",
    "bundles/a.json": b'{"schema": "another"}',
}


class TestWhatCannotBeRead:
    @pytest.mark.parametrize("name", PARTS)
    def test_a_part_that_does_not_parse_is_named(
        self, desk: ServiceDesk, folder: Path, name: str
    ) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(PARTS[name])
        result = desk.audit.audit(folder, desk.owner)
        assert_question(result)
        (told,) = unassessed(result)
        assert told.startswith(f"{Path(name).name}: ")

    @pytest.mark.parametrize("name", PARTS)
    def test_a_pipe_is_not_waited_for(self, desk: ServiceDesk, folder: Path, name: str) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)
        result = desk.audit.audit(folder, desk.owner)
        assert_question(result)
        assert unassessed(result) == [f"{Path(name).name}: it is no regular file"]

    @pytest.mark.parametrize("name", PARTS)
    def test_a_link_is_not_followed(
        self, desk: ServiceDesk, folder: Path, tmp_path: Path, name: str
    ) -> None:
        """It could name any file of the auditor's, and have it told in the report."""
        secret = tmp_path / "secret"
        secret.write_text(NONE_USED)
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(secret)
        result = desk.audit.audit(folder, desk.owner)
        assert_question(result)
        (told,) = unassessed(result)
        assert told == f"{Path(name).name}: it is a link, which is not followed"

    @pytest.mark.parametrize("name", PARTS)
    def test_a_folder_in_its_place_is_told(
        self, desk: ServiceDesk, folder: Path, name: str
    ) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).mkdir(parents=True)
        assert_question(desk.audit.audit(folder, desk.owner))

    @pytest.mark.parametrize("name", PARTS)
    def test_a_link_that_leads_nowhere_is_told(
        self, desk: ServiceDesk, folder: Path, name: str
    ) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(folder / "nowhere")
        assert_question(desk.audit.audit(folder, desk.owner))

    def test_a_bundle_that_does_not_hold_is_told_and_not_believed(
        self, desk: ServiceDesk, folder: Path
    ) -> None:
        sound, other = build_sound_bundles([build_dossier(seed) for seed in (1, 2)])
        put_bundle(folder, with_own(sound, proof=other.own.proof), "forged.json")
        put_bundle(folder, other, "sound.json")
        result = desk.audit.audit(folder, desk.owner)
        assert found(result, FindingCode.NOT_ASSESSED) == [None]
        (told,) = unassessed(result)
        assert told.startswith("forged.json: ")
        assert works_of(result) == [other.dossier.registration_id]
        assert result.report.evidence.submitted_bundles == 1

    def test_what_is_no_bundle_is_none(self, desk: ServiceDesk, folder: Path) -> None:
        put_bundle(folder, build_sound_bundles([build_dossier(1)])[0])
        (folder / "bundles" / "b.json").write_bytes(write_snapshot([]))
        (folder / "bundles" / "notes.txt").write_text("not asked for")
        assert [
            one.partition(":")[0] for one in unassessed(desk.audit.audit(folder, desk.owner))
        ] == ["b.json"]

    def test_parts_are_named_in_a_fixed_order(self, desk: ServiceDesk, folder: Path) -> None:
        for name, data in PARTS.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)
        (folder / "film.mp4").write_bytes(b"no film")
        told = [one.partition(":")[0] for one in unassessed(desk.audit.audit(folder, desk.owner))]
        assert told == ["disclosure.yaml", "timeline.otio", "a.json", "The film"]

    def test_more_bundles_than_are_read_are_told(self, folder: Path, tmp_path: Path) -> None:
        desk = ServiceDesk(tmp_path / "home", bundles_max=2)
        bundles = build_sound_bundles([build_dossier(seed) for seed in (1, 2, 3)])
        for name, bundle in zip("abc", bundles, strict=True):
            put_bundle(folder, bundle, f"{name}.json")
        result = desk.audit.audit(folder, desk.owner)
        assert unassessed(result) == ["bundles: only the first 2 were read"]
        assert set(works_of(result)) == {one.dossier.registration_id for one in bundles[:2]}
        desk.close()

    def test_a_film_that_does_not_decode_is_told(self, desk: ServiceDesk, folder: Path) -> None:
        film = folder / "film.mp4"
        film.write_bytes(film.read_bytes()[:100])
        put_bundle(folder, build_sound_bundles([build_dossier(1)])[0])
        result = desk.audit.audit(folder, desk.owner)
        assert result.report.outcome is Outcome.CANNOT_ASSESS
        evidence = result.report.evidence
        assert (evidence.duration_s, evidence.matches) == (0.0, ())
        assert evidence.film_digest == digest_file(film)
        assert desk.reader.read_files == []
        assert unassessed(result) == ["The film: the file ends too soon"]


class TestWhatIsNoSubmission:
    def test_a_folder_that_is_not_there(self, desk: ServiceDesk, tmp_path: Path) -> None:
        with pytest.raises(UnreadableInputError, match="is no folder"):
            desk.audit.audit(tmp_path / "none", desk.owner)

    def test_a_file_in_its_place(self, desk: ServiceDesk, folder: Path) -> None:
        with pytest.raises(UnreadableInputError, match="is no folder"):
            desk.audit.audit(folder / "film.mp4", desk.owner)

    @pytest.mark.parametrize("count", [0, 2])
    def test_none_or_two_films(self, desk: ServiceDesk, tmp_path: Path, count: int) -> None:
        folder = tmp_path / "submission"
        folder.mkdir()
        for ending in ("mp4", "mov")[:count]:
            write_media(folder / f"film.{ending}", FILM)
        with pytest.raises(InvalidRequestError, match=f"holds {count} files named film"):
            desk.audit.audit(folder, desk.owner)

    @pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
    def test_what_is_no_file_is_no_film(
        self, desk: ServiceDesk, folder: Path, make: object
    ) -> None:
        assert callable(make)
        make(folder / "film.mov")
        assert desk.audit.audit(folder, desk.owner).report.evidence.film_name == "film.mp4"

    def test_a_film_that_vanishes_meanwhile(self, desk: ServiceDesk, folder: Path) -> None:
        film = folder / "film.mp4"
        desk.examiner.meanwhile = film.unlink
        with pytest.raises(UnreadableInputError):
            desk.audit.audit(folder, desk.owner)
        assert list(folder.parent.rglob(JSON)) == []

    def test_a_rule_pack_that_is_not_there(self, desk: ServiceDesk, folder: Path) -> None:
        with pytest.raises(NotFoundError):
            desk.audit.audit(folder, desk.owner, pack="no-such-pack")
        assert desk.examiner.examined == []

    def test_a_film_that_is_a_link_is_not_followed(
        self, desk: ServiceDesk, folder: Path, tmp_path: Path
    ) -> None:
        secret = tmp_path / "secret"
        secret.write_text("the auditor's own")
        (folder / "film.mp4").unlink()
        (folder / "film.mp4").symlink_to(secret)
        try:
            digest = desk.audit.audit(folder, desk.owner).report.evidence.film_digest
        except (InvalidRequestError, UnreadableInputError):
            return
        assert digest != digest_file(secret)


class TestTheReport:
    def test_it_lies_in_the_home_in_two_forms(self, desk: ServiceDesk, folder: Path) -> None:
        result = desk.audit.audit(folder, desk.owner)
        kept = Path(result.json_path)
        assert json.loads(kept.read_bytes()) == result.document
        assert result.document["verdict"] == result.report.outcome
        assert desk.audit.read_report(result.html_path) == kept.with_name(HTML).read_bytes()
        assert kept.parent.name.startswith("My film-")
        assert folder not in kept.parents

    def test_the_same_audit_again_takes_its_place_and_another_does_not(
        self, desk: ServiceDesk, folder: Path
    ) -> None:
        first = desk.audit.audit(folder, desk.owner)
        desk.clock.now += 60
        assert desk.audit.audit(folder, desk.owner).json_path == first.json_path
        others: set[str] = set()
        (folder / "disclosure.yaml").write_text(NONE_USED + "claims: []\n")
        others.add(desk.audit.audit(folder, desk.owner).json_path)
        (folder / "disclosure.yaml").unlink()
        others.add(desk.audit.audit(folder, desk.owner).json_path)
        write_media(folder / "film.mp4", FILM + 1)
        others.add(desk.audit.audit(folder, desk.owner).json_path)
        assert len(others - {first.json_path}) == 3

    def test_it_may_lie_elsewhere(self, desk: ServiceDesk, folder: Path, tmp_path: Path) -> None:
        result = desk.audit.audit(folder, desk.owner, output=tmp_path / "out")
        assert (result.json_path, result.html_path) == (
            str(tmp_path / "out" / JSON),
            str(tmp_path / "out" / HTML),
        )

    @pytest.mark.parametrize("place", [".", "reports", "../My film/reports", "link"])
    def test_it_never_lies_in_the_submission(
        self, desk: ServiceDesk, folder: Path, tmp_path: Path, place: str
    ) -> None:
        output = folder / place
        if place == "link":
            output = tmp_path / "link"
            output.symlink_to(folder)
        before = sorted(folder.rglob("*"))
        with pytest.raises(InvalidRequestError, match="submission's own folder"):
            desk.audit.audit(folder, desk.owner, output=output)
        assert sorted(folder.rglob("*")) == before

    def test_where_it_cannot_be_written_is_told(
        self, desk: ServiceDesk, folder: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "taken").touch()
        with pytest.raises(StorageError):
            desk.audit.audit(folder, desk.owner, output=tmp_path / "taken")

    def test_one_that_is_gone_is_told(self, desk: ServiceDesk, folder: Path) -> None:
        result = desk.audit.audit(folder, desk.owner)
        Path(result.html_path).unlink()
        with pytest.raises(NotFoundError, match="not kept any more"):
            desk.audit.read_report(result.html_path)

    def test_a_submission_named_by_a_relative_path_gives_its_name(
        self, desk: ServiceDesk, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(folder)
        result = desk.audit.audit(Path(), desk.owner)
        assert Path(result.json_path).parent.name.startswith("My film-")
