"""A class and a line add an algorithm: only stored, or searched as one of the kinds there are."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from scenes import CodeSource, degrade, draw_scene, fingerprint
from sound_scenes import RATE_HZ, draw_music

from titledeed.errors import InvariantViolation
from titledeed.fingerprinting import algorithms
from titledeed.fingerprinting.algorithms import list_families
from titledeed.fingerprinting.base import Algorithm, CodeKind, SearchedAs
from titledeed.fingerprinting.pictures.image_pdq import ImagePdq
from titledeed.fingerprinting.pictures.shots import ShotFrames
from titledeed.fingerprinting.pictures.video_dct import DctCoder, VideoDct
from titledeed.fingerprinting.sound.landmarks import SoundLandmarks
from titledeed.matching.embedded import EmbeddedIndex
from titledeed.models.match import Channel, MatchClass, Query


class NegativeCoder(DctCoder):
    """Codes the negative of each frame."""

    def add_shot(self, shot: ShotFrames) -> None:
        negative = tuple(~frame for frame in shot.frames)
        super().add_shot(ShotFrames(shot.times_s, negative, shot.content))


class NegativeDct(VideoDct):
    """Another code of frames, that is near no code of ours."""

    id: ClassVar[str] = "test.negative"
    version: ClassVar[int] = 1
    search: ClassVar[SearchedAs | None] = SearchedAs(CodeKind.FRAMES, "negative")

    def start_coder(self) -> NegativeCoder:
        return NegativeCoder(self)


class LaterLandmarks(SoundLandmarks):
    """A later version of a code of sound, searched beside the one there is."""

    version: ClassVar[int] = 2
    search: ClassVar[SearchedAs | None] = SearchedAs(CodeKind.PEAKS, "later")


class StoredDct(NegativeDct):
    """The same, for others to search by."""

    id: ClassVar[str] = "test.stored"
    search: ClassVar[SearchedAs | None] = None


def add_line(monkeypatch: pytest.MonkeyPatch, table: str, algorithm: Algorithm[object]) -> None:
    """What adding one line to one of the tables does."""
    for name in (table, "ALGORITHMS"):
        monkeypatch.setattr(algorithms, name, (*getattr(algorithms, name), algorithm))


def only(query: Query, algorithm: Algorithm[object]) -> Query:
    """A file of which nothing but this code is known."""
    codes = [
        c for c in query.codes if (c.algorithm, c.version) == (algorithm.id, algorithm.version)
    ]
    assert len(codes) == 1
    return Query(tuple(codes), query.duration_s)


def hear(seed: int, *, start_s: int = 0, end_s: int = 12) -> Query:
    samples = draw_music(seed, seconds=12)[start_s * RATE_HZ : end_s * RATE_HZ]
    extractor = LaterLandmarks().start()
    extractor.add_samples(samples)
    code = extractor.finish().code
    assert code is not None
    return Query((code,), float(end_s - start_s))


def test_a_work_is_found_by_a_searched_algorithm_that_is_new(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add_line(monkeypatch, "SHOT_ALGORITHMS", NegativeDct())
    source = CodeSource()
    for number, seed in enumerate((71, 72, 73)):
        source.add(str(number), only(fingerprint(draw_scene(seed, seconds=6)), NegativeDct()))
    query = only(fingerprint(degrade(draw_scene(72, seconds=3, start_s=2))), NegativeDct())
    EmbeddedIndex(source=source, folder=tmp_path).keep()
    assert (tmp_path / "negative-codes").is_dir()
    (match,) = EmbeddedIndex(source=source, folder=tmp_path).search(query)
    assert (match.registration_id, match.relation) == ("1", MatchClass.CLIP_OF)
    (segment,) = match.segments
    assert segment.work.start_s == pytest.approx(2, abs=0.3)


def test_codes_of_two_families_are_never_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    add_line(monkeypatch, "SHOT_ALGORITHMS", NegativeDct())
    scene = draw_scene(71, seconds=6)
    source = CodeSource()
    source.add("ours", only(fingerprint(scene), VideoDct()))
    negative = fingerprint([np.asarray(~frame, np.uint8) for frame in scene])
    assert EmbeddedIndex(source=source).search(only(negative, NegativeDct())) == []


def test_a_work_found_by_two_families_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    add_line(monkeypatch, "SHOT_ALGORITHMS", NegativeDct())
    source = CodeSource()
    source.add("work", fingerprint(draw_scene(71, seconds=6)))
    (match,) = EmbeddedIndex(source=source).search(
        fingerprint(degrade(draw_scene(71, seconds=3, start_s=2)))
    )
    assert len(match.segments) == 1


def test_a_sound_is_found_by_a_searched_algorithm_that_is_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_line(monkeypatch, "SOUND_ALGORITHMS", LaterLandmarks())
    source = CodeSource()
    for seed in (3, 4, 5):
        source.add(str(seed), hear(seed))
    (match,) = EmbeddedIndex(source=source).search(hear(4, start_s=3, end_s=10))
    assert (match.registration_id, match.relation) == ("4", MatchClass.CLIP_OF)
    assert {segment.channel for segment in match.segments} == {Channel.SOUND}


def test_works_registered_before_the_algorithm_was_added_stay_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scene, source = draw_scene(71, seconds=4), CodeSource()
    source.add("before", fingerprint(scene))
    EmbeddedIndex(source=source, folder=tmp_path).keep()
    add_line(monkeypatch, "SHOT_ALGORITHMS", NegativeDct())
    source.add("after", fingerprint(draw_scene(72, seconds=4)))
    index = EmbeddedIndex(source=source, folder=tmp_path)
    index.keep()
    assert [match.registration_id for match in index.search(fingerprint(scene))] == ["before"]


def test_a_stored_code_is_made_and_finds_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add_line(monkeypatch, "SHOT_ALGORITHMS", StoredDct())
    scene, source = draw_scene(71, seconds=6), CodeSource()
    source.add("work", fingerprint(scene))
    index = EmbeddedIndex(source=source, folder=tmp_path)
    index.keep()
    assert index.search(only(fingerprint(scene), StoredDct())) == []
    assert ImagePdq.search is None


def test_two_algorithms_of_one_kind_in_one_family_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Again(NegativeDct):
        id: ClassVar[str] = "test.again"

    add_line(monkeypatch, "SHOT_ALGORITHMS", NegativeDct())
    add_line(monkeypatch, "SHOT_ALGORITHMS", Again())
    with pytest.raises(InvariantViolation, match="negative"):
        list_families([CodeKind.FRAMES])
