"""Auditing real submissions: a film of registered clips against what its disclosure names."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import opentimelineio as otio
import pytest
import yaml
from homes import Home, new_home, statement, without_chain
from media_factory import Plain, concat_film, render_clip, truncate

from titledeed.errors import InvalidRequestError, NotFoundError, UnreadableInputError
from titledeed.models.disclosure import DigitalSourceType
from titledeed.models.finding import Finding, Outcome
from titledeed.models.registration import Coverage
from titledeed.services.audit import AuditResult
from titledeed.services.registration import RegisteredFile

pytestmark = pytest.mark.chain

TOLERANCE_S: Final = 0.5
RATE: Final = 24
HOSTILE_TITLE: Final = '"><img src=x onerror=alert(1)>\x1b[2J'

Span = tuple[float, float]


@dataclass(frozen=True)
class Festival:
    """A film of two published clips, and an auditor who imported the studio's snapshot."""

    studio: Home
    auditor: Home
    first: RegisteredFile
    second: RegisteredFile
    coverage: Coverage
    film: Path
    spans: list[Span]

    @property
    def clips(self) -> tuple[RegisteredFile, RegisteredFile]:
        return (self.first, self.second)


@pytest.fixture(scope="module")
def festival(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Festival]:
    folder = tmp_path_factory.mktemp("festival")
    first = render_clip(folder / "first.mp4", seconds=4, seed=1)
    second = render_clip(folder / "second.mp4", seconds=4, seed=2)
    film = folder / "film.mp4"
    parts: list[Path | Plain] = [Plain(2, 91), first, Plain(2, 92), second, Plain(2, 93)]
    spans = concat_film(film, parts, size=(320, 180), fps=RATE)
    with new_home(folder / "studio") as studio, new_home(folder / "auditor") as auditor:
        one = studio.register_one(first, said=statement(publish=True))
        other = studio.register_one(second, said=statement(title=HOSTILE_TITLE, publish=True))
        studio.registry.snapshots.export(folder / "a.snapshot", studio.owner)
        coverage, _, _ = auditor.registry.snapshots.import_(folder / "a.snapshot")
        yield Festival(studio, auditor, one, other, coverage, film, spans)


def declare(*named: RegisteredFile, **changes: object) -> dict[str, object]:
    """A disclosure of generative use that names these clips."""
    uses = [{"registrations": [one.registration.registration_id]} for one in named]
    return {
        "schema": "aidisc/1",
        "profile": "mini",
        "film": {"title": {"en": "Two Clips"}},
        "declared_use": "generative",
        "departments": [{"dept": "cinematography", "used": "yes", "mode": "generated"}],
        "tools": [{"id": "t1", "name": "A Video Model"}],
        "uses": uses,
        "claims": [],
        **changes,
    }


def submit(folder: Path, film: Path, disclosure: dict[str, object] | None) -> Path:
    folder.mkdir()
    shutil.copy(film, folder / "film.mp4")
    if disclosure is not None:
        (folder / "disclosure.yaml").write_text(yaml.safe_dump(disclosure))
    return folder


def audit(home: Home, folder: Path, **options: Any) -> AuditResult:
    return home.registry.audit.audit(folder, home.owner, **options)


def found(result: AuditResult, code: str) -> list[Finding]:
    return [finding for finding in result.report.findings if finding.code == code]


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    paths = [folder, *sorted(folder.rglob("*"))]
    return {str(p): (p.lstat().st_size, p.lstat().st_mtime_ns) for p in paths}


def assert_span(finding_time: Any, span: Span) -> None:
    assert finding_time is not None
    assert finding_time.start_s == pytest.approx(span[0], abs=TOLERANCE_S)
    assert finding_time.end_s == pytest.approx(span[1], abs=TOLERANCE_S)


class TestDeclaredAgainstDetected:
    def test_a_clip_left_out_is_named_with_its_seconds(
        self, festival: Festival, tmp_path: Path
    ) -> None:
        folder = submit(tmp_path / "a", festival.film, declare(festival.first))
        result = audit(festival.auditor, folder)
        assert result.report.outcome is Outcome.INCONSISTENT
        (finding,) = found(result, "USE_UNDECLARED")
        assert finding.registration_id == festival.second.registration.registration_id
        assert_span(finding.film_time, festival.spans[3])
        document = result.document
        assert document["verdict"] == "inconsistent"
        assert json.loads(Path(result.json_path).read_bytes()) == document

    def test_a_disclosure_that_names_both_is_not_contradicted(
        self, festival: Festival, tmp_path: Path
    ) -> None:
        folder = submit(tmp_path / "a", festival.film, declare(*festival.clips))
        result = audit(festival.auditor, folder)
        assert found(result, "USE_UNDECLARED") == []
        assert result.report.outcome in {Outcome.COMPLETE, Outcome.QUESTIONS_OPEN}
        works = {work.registration_id: work for work in result.report.works}
        assert set(works) == {one.registration.registration_id for one in festival.clips}
        for one, span in ((festival.first, 1), (festival.second, 3)):
            work = works[one.registration.registration_id]
            assert work.declared is True
            (time,) = work.film_time
            assert_span(time, festival.spans[span])

    def test_source_files_name_a_clip_as_well(self, festival: Festival, tmp_path: Path) -> None:
        uses = [{"source_files": [one.registration.content_digest.hex()]} for one in festival.clips]
        folder = submit(tmp_path / "a", festival.film, declare(uses=uses))
        assert found(audit(festival.auditor, folder), "USE_UNDECLARED") == []

    def test_a_declared_range_covers_what_stands_in_it(
        self, festival: Festival, tmp_path: Path
    ) -> None:
        start, end = festival.spans[3]
        versions = [{"label": "festival", "rate": f"{RATE}/1", "frames": 14 * RATE}]
        uses = [
            {"registrations": [festival.first.registration.registration_id]},
            {"start_frame": round(start * RATE), "end_frame": round(end * RATE)},
        ]
        film = {"title": {"en": "Two Clips"}, "versions": versions}
        folder = submit(tmp_path / "a", festival.film, declare(uses=uses, film=film))
        result = audit(festival.auditor, folder)
        assert found(result, "USE_UNDECLARED") == []
        assert found(result, "RUNTIME_MISMATCH") == []

    def test_a_film_that_declares_nothing_is_contradicted_by_both(
        self, festival: Festival, tmp_path: Path
    ) -> None:
        folder = submit(
            tmp_path / "a", festival.film, declare(declared_use="none", departments=[], tools=[])
        )
        result = audit(festival.auditor, folder)
        assert result.report.outcome is Outcome.INCONSISTENT
        assert len(found(result, "USE_UNDECLARED")) == 2

    def test_a_film_without_a_disclosure_leaves_a_question(
        self, festival: Festival, tmp_path: Path
    ) -> None:
        result = audit(festival.auditor, submit(tmp_path / "a", festival.film, None))
        assert result.report.outcome is Outcome.QUESTIONS_OPEN
        assert found(result, "MISSING_ANSWER")
        assert found(result, "USE_UNDECLARED") == []

    def test_a_film_without_registered_works_raises_nothing(
        self, festival: Festival, tmp_path: Path
    ) -> None:
        film = tmp_path / "plain.mp4"
        concat_film(film, [Plain(3, 95)], size=(320, 180))
        folder = submit(
            tmp_path / "a", film, declare(declared_use="none", departments=[], tools=[])
        )
        result = audit(festival.auditor, folder)
        assert result.report.works == ()
        assert found(result, "USE_UNDECLARED") == []

    def test_a_registered_camera_clip_is_a_question_of_rights(
        self, festival: Festival, tmp_path: Path
    ) -> None:
        clip = render_clip(tmp_path / "camera.mp4", seconds=3, seed=5)
        captured = statement(source_type=DigitalSourceType.DIGITAL_CAPTURE)
        festival.studio.register_one(clip, said=captured)
        film = tmp_path / "documentary.mp4"
        concat_film(film, [Plain(2, 96), clip], size=(320, 180))
        folder = submit(
            tmp_path / "a", film, declare(declared_use="none", departments=[], tools=[])
        )
        result = audit(festival.studio, folder)
        assert found(result, "USE_UNDECLARED") == []
        (finding,) = found(result, "REGISTERED_WORK_USED")
        assert "question of rights" in finding.message
        assert result.report.generative_time == ()

    def test_shots_are_counted_only_where_a_timeline_names_them(
        self, festival: Festival, tmp_path: Path
    ) -> None:
        folder = submit(tmp_path / "a", festival.film, declare(*festival.clips))
        assert audit(festival.auditor, folder).report.shot_share is None
        write_timeline(folder / "timeline.otio", festival.spans)
        share = audit(festival.auditor, folder).report.shot_share
        assert share is not None
        assert share.total == 5
        assert share.detected.lower * 5 == 2


def write_timeline(path: Path, spans: Sequence[Span]) -> None:
    def time(seconds: float) -> otio.opentime.RationalTime:
        return otio.opentime.RationalTime(round(seconds * RATE), RATE)

    clips = [
        otio.schema.Clip(
            f"shot {number}", source_range=otio.opentime.TimeRange(time(0), time(end - start))
        )
        for number, (start, end) in enumerate(spans, 1)
    ]
    timeline = otio.schema.Timeline("edit")
    timeline.tracks.append(otio.schema.Track("V1", kind="Video", children=clips))
    path.write_text(timeline.to_json_string())


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """An auditor who imported nothing."""
    with new_home(tmp_path_factory.mktemp("stranger") / "home") as home:
        yield home


class TestEvidence:
    def test_without_snapshot_or_bundles_nothing_is_found(
        self, festival: Festival, stranger: Home, tmp_path: Path
    ) -> None:
        folder = submit(tmp_path / "a", festival.film, declare(festival.first))
        result = audit(stranger, folder)
        assert result.report.works == ()
        assert found(result, "USE_UNDECLARED") == []

    def test_bundles_in_the_submission_stand_in_for_a_snapshot(
        self, festival: Festival, stranger: Home, tmp_path: Path
    ) -> None:
        folder = submit(tmp_path / "a", festival.film, declare(festival.first))
        (folder / "bundles").mkdir()
        for one in festival.clips:
            shutil.copy(one.bundle_path or "", folder / "bundles")
        result = audit(stranger, folder)
        assert result.report.outcome is Outcome.INCONSISTENT
        (finding,) = found(result, "USE_UNDECLARED")
        assert finding.registration_id == festival.second.registration.registration_id
        assert_span(finding.film_time, festival.spans[3])
        assert result.report.evidence.submitted_bundles == 2
        # They speak for this film only.
        registration_id = festival.second.registration.registration_id
        assert stranger.adapters.registrations.find(registration_id) is None

    def test_a_forged_bundle_is_told_and_not_believed(
        self, festival: Festival, stranger: Home, tmp_path: Path
    ) -> None:
        folder = submit(tmp_path / "a", festival.film, declare())
        (folder / "bundles").mkdir()
        sound = Path(festival.first.bundle_path or "").read_bytes()
        forged = sound.replace(b"trainedAlgorithmicMedia", b"digitalCapture")
        assert forged != sound
        (folder / "bundles" / "forged.json").write_bytes(forged)
        (folder / "bundles" / "half.json").write_bytes(sound[:1000])
        result = audit(stranger, folder)
        assert result.report.works == ()
        told = [finding.message for finding in found(result, "NOT_ASSESSED")]
        assert any("forged.json" in message for message in told)
        assert any("half.json" in message for message in told)

    def test_a_home_searches_its_own_registrations(
        self, festival: Festival, tmp_path: Path
    ) -> None:
        folder = submit(tmp_path / "a", festival.film, declare(festival.first))
        result = audit(festival.studio, folder)
        assert len(found(result, "USE_UNDECLARED")) == 1
        assert result.report.evidence.own_registrations >= 2

    def test_an_audit_asks_no_chain(self, festival: Festival, tmp_path: Path) -> None:
        folder = submit(tmp_path / "a", festival.film, declare(festival.first))
        for home in (festival.auditor, festival.studio):
            with without_chain(home) as offline:
                assert len(found(audit(offline, folder), "USE_UNDECLARED")) == 1


@pytest.fixture(scope="module")
def result(festival: Festival, tmp_path_factory: pytest.TempPathFactory) -> tuple[AuditResult, str]:
    folder = submit(
        tmp_path_factory.mktemp("submissions") / "My film",
        festival.film,
        declare(festival.first),
    )
    result = audit(festival.auditor, folder)
    return result, Path(result.html_path).read_text(encoding="utf-8")


class TestReport:
    def test_it_lies_in_the_home_under_the_submissions_name(
        self, festival: Festival, result: tuple[AuditResult, str]
    ) -> None:
        audited, _ = result
        folder = Path(audited.html_path).parent
        assert folder.parent == festival.auditor.registry.layout.reports
        assert folder.name.startswith("My film-")
        assert audited.html_path == str(folder / "report.html")
        assert audited.json_path == str(folder / "report.json")

    def test_another_disclosure_gives_another_report(
        self, festival: Festival, tmp_path: Path
    ) -> None:
        folder = submit(tmp_path / "a", festival.film, declare(festival.first))
        first = audit(festival.auditor, folder)
        assert audit(festival.auditor, folder).html_path == first.html_path
        (folder / "disclosure.yaml").write_text(yaml.safe_dump(declare(*festival.clips)))
        assert audit(festival.auditor, folder).html_path != first.html_path

    def test_it_prints_the_snapshots_date_and_coverage(
        self, festival: Festival, result: tuple[AuditResult, str]
    ) -> None:
        audited, html = result
        date = datetime.fromtimestamp(festival.coverage.exported_at, UTC).strftime("%Y-%m-%d")
        assert date in html
        assert festival.coverage.snapshot_id[:8] in html
        coverage = audited.document["coverage"]
        assert isinstance(coverage, dict)
        (snapshot,) = coverage["snapshots"]
        assert snapshot["exported_at"].startswith(date)
        assert snapshot["registrations"] == 2

    def test_a_hostile_title_is_text(self, result: tuple[AuditResult, str]) -> None:
        _, html = result
        assert "<img src=x" not in html
        assert "&lt;img src=x" in html
        assert "\x1b" not in html
        assert "<script" not in html
        assert "Content-Security-Policy" in html

    def test_it_says_who_is_asked_to_decide(self, result: tuple[AuditResult, str]) -> None:
        _, html = result
        assert "no proof of authorship" in html
        for word in ("authentic", "fake", "human made"):
            assert word not in html.lower()

    def test_the_submission_stays_as_it_was(self, festival: Festival, tmp_path: Path) -> None:
        folder = submit(tmp_path / "a", festival.film, declare(festival.first))
        before = listing(folder)
        audit(festival.auditor, folder)
        audit(festival.auditor, folder, output=tmp_path / "reports")
        assert listing(folder) == before
        assert sorted(p.name for p in (tmp_path / "reports").iterdir()) == [
            "report.html",
            "report.json",
        ]

    def test_a_report_never_lands_in_the_submission(
        self, festival: Festival, tmp_path: Path
    ) -> None:
        folder = submit(tmp_path / "a", festival.film, declare())
        (tmp_path / "link").symlink_to(folder)
        before = listing(folder)
        for output in (folder, folder / "reports", tmp_path / "link", folder / "x" / ".."):
            with pytest.raises(InvalidRequestError):
                audit(festival.auditor, folder, output=output)
        assert listing(folder) == before


class TestBadSubmissions:
    def test_a_film_that_cannot_be_read_cannot_be_assessed(
        self, festival: Festival, tmp_path: Path
    ) -> None:
        folder = submit(tmp_path / "a", festival.film, declare(festival.first))
        truncate(folder / "film.mp4", share=0.5)
        result = audit(festival.auditor, folder)
        assert result.report.outcome is Outcome.CANNOT_ASSESS
        assert result.document["verdict"] == "cannot_assess"
        assert found(result, "NOT_ASSESSED")
        assert Path(result.html_path).exists()

    @pytest.mark.parametrize("text", ["", "schema: [", "schema: aidisc/9\n", "&a [*a]", "\x00"])
    def test_a_disclosure_that_does_not_parse_is_told(
        self, festival: Festival, tmp_path: Path, text: str
    ) -> None:
        folder = submit(tmp_path / "a", festival.film, None)
        (folder / "disclosure.yaml").write_text(text)
        result = audit(festival.auditor, folder)
        assert result.report.outcome is Outcome.QUESTIONS_OPEN
        assert any("disclosure" in f.message for f in found(result, "NOT_ASSESSED"))

    def test_a_timeline_that_does_not_parse_is_told(
        self, festival: Festival, tmp_path: Path
    ) -> None:
        folder = submit(tmp_path / "a", festival.film, declare(*festival.clips))
        (folder / "timeline.otio").write_text("{}")
        result = audit(festival.auditor, folder)
        assert result.report.shot_share is None
        assert any("timeline.otio" in f.message for f in found(result, "NOT_ASSESSED"))

    @pytest.mark.parametrize("name", ["disclosure.yaml", "timeline.otio", "bundles/a.json"])
    def test_what_is_no_file_does_not_stop_the_audit(
        self, festival: Festival, tmp_path: Path, name: str
    ) -> None:
        """A pipe would be waited for, a device read for ever."""
        folder = submit(tmp_path / "a", festival.film, None)
        (folder / "bundles").mkdir()
        os.mkfifo(folder / name)
        (folder / "bundles" / "zero.json").symlink_to("/dev/zero")
        result = audit(festival.auditor, folder)
        told = [finding.message for finding in found(result, "NOT_ASSESSED")]
        assert any(Path(name).name in message for message in told)
        assert any("zero.json" in message for message in told)

    def test_a_link_that_leads_nowhere_is_told(self, festival: Festival, tmp_path: Path) -> None:
        """What was meant to be there is not passed over, whatever its kind."""
        folder = submit(tmp_path / "a", festival.film, None)
        (folder / "bundles").mkdir()
        for name in ("disclosure.yaml", "timeline.otio", "bundles/a.json"):
            (folder / name).symlink_to(tmp_path / "nowhere")
        told = [one.message for one in found(audit(festival.auditor, folder), "NOT_ASSESSED")]
        assert sorted(told) == [
            f"Not assessed: {name}: it is a link, which is not followed"
            for name in ("a.json", "disclosure.yaml", "timeline.otio")
        ]

    def test_a_folder_of_bundles_that_is_a_link_is_not_followed(
        self, festival: Festival, tmp_path: Path
    ) -> None:
        folder = submit(tmp_path / "a", festival.film, None)
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "a.json").write_text("{}")
        (folder / "bundles").symlink_to(tmp_path / "elsewhere")
        (told,) = found(audit(festival.auditor, folder), "NOT_ASSESSED")
        assert told.message == "Not assessed: bundles: it is a link, which is not followed"

    def test_files_that_cannot_be_read_are_told_in_one_order(
        self, festival: Festival, tmp_path: Path
    ) -> None:
        folder = submit(tmp_path / "a", festival.film, None)
        (folder / "bundles").mkdir()
        for name in ("bundles/b.json", "bundles/a.json", "timeline.otio", "disclosure.yaml"):
            (folder / name).write_text("no document: [")
        unassessed = audit(festival.auditor, folder).report.evidence.unassessed
        told = [line.partition(":")[0] for line in unassessed]
        assert told == ["disclosure.yaml", "timeline.otio", "a.json", "b.json"]

    def test_a_submission_needs_exactly_one_film(self, festival: Festival, tmp_path: Path) -> None:
        folder = submit(tmp_path / "a", festival.film, declare())
        shutil.copy(festival.film, folder / "film.mov")
        with pytest.raises(InvalidRequestError, match="2 files"):
            audit(festival.auditor, folder)
        for film in folder.glob("film.*"):
            film.unlink()
        with pytest.raises(InvalidRequestError, match="0 files"):
            audit(festival.auditor, folder)

    def test_a_submission_is_a_folder(self, festival: Festival, tmp_path: Path) -> None:
        for path in (tmp_path / "missing", festival.film):
            with pytest.raises(UnreadableInputError):
                audit(festival.auditor, path)

    def test_an_unknown_rule_pack_is_told_before_any_work(
        self, festival: Festival, tmp_path: Path
    ) -> None:
        folder = submit(tmp_path / "a", festival.film, declare())
        with pytest.raises(NotFoundError):
            audit(festival.auditor, folder, pack="no-such-pack")
