"""What every index behind ``ports.FingerprintIndex`` promises."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scenes import (
    EDITS,
    CodeSource,
    Scene,
    add_bars,
    crop,
    degrade,
    draw_flat,
    draw_scene,
    fingerprint,
    mirror,
)

from titledeed.errors import MalformedDocumentError
from titledeed.fingerprinting.pictures.video_dct import VideoDct
from titledeed.matching.embedded import EmbeddedIndex
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.interval import Interval
from titledeed.models.match import MatchClass, Query, Segment, WorkMatch
from titledeed.ports import FingerprintIndex, FingerprintSource

WORKS = {"first": 101, "second": 102, "third": 103, "fourth": 104}
WORK_S = 8.0
BROKEN = FingerprintCode(VideoDct.id, VideoDct.version, b"\x01\x00")
SECONDS_OFF_MAX = 0.3
TEST_CARD = np.repeat(np.arange(16, 240, 28, dtype=np.uint8), 2)

ADAPTERS: dict[str, Callable[[FingerprintSource], FingerprintIndex]] = {
    "embedded": lambda source: EmbeddedIndex(source=source)
}


@pytest.fixture(scope="module")
def source() -> CodeSource:
    source = CodeSource()
    for name, seed in WORKS.items():
        source.add(name, fingerprint(draw_scene(seed, seconds=WORK_S)))
    return source


@pytest.fixture(params=sorted(ADAPTERS))
def index(request: pytest.FixtureRequest, source: CodeSource) -> FingerprintIndex:
    return ADAPTERS[request.param](source)


def search(index: FingerprintIndex, scene: Scene) -> list[WorkMatch]:
    return index.search(fingerprint(scene))


def part_of(name: str, start_s: float, end_s: float, speed: float = 1.0) -> Scene:
    seconds = (end_s - start_s) / speed
    return draw_scene(WORKS[name], seconds=seconds, start_s=start_s, speed=speed)


def assert_near(found: Interval, start_s: float, end_s: float) -> None:
    assert found.start_s == pytest.approx(start_s, abs=SECONDS_OFF_MAX)
    assert found.end_s == pytest.approx(end_s, abs=SECONDS_OFF_MAX)


def only_segment(matches: list[WorkMatch], name: str) -> Segment:
    (match,) = matches
    (segment,) = match.segments
    assert match.registration_id == name
    assert 0.5 < match.score <= 1
    return segment


def test_whole_work_is_a_copy(index: FingerprintIndex) -> None:
    matches = search(index, part_of("second", 0, WORK_S))
    segment = only_segment(matches, "second")
    assert segment == Segment(Interval(0, 8), Interval(0, 8), speed=1.0, mirrored=False)
    assert matches[0].relation is MatchClass.COPY


@pytest.mark.parametrize("edit", EDITS)
def test_edited_cut_is_found_with_its_seconds(index: FingerprintIndex, edit: str) -> None:
    segment = only_segment(search(index, EDITS[edit](part_of("third", 2, 6))), "third")
    assert_near(segment.query, 0, 4)
    assert_near(segment.work, 2, 6)
    assert segment.speed == 1.0
    assert not segment.mirrored


@pytest.mark.parametrize("edit", ["letterboxed", "pillarboxed"])
def test_copy_without_the_bars_of_the_work_is_found(edit: str) -> None:
    source = CodeSource()
    source.add("barred", fingerprint(EDITS[edit](draw_scene(101, seconds=8))))
    segment = only_segment(search(EmbeddedIndex(source=source), part_of("first", 1, 5)), "barred")
    assert_near(segment.work, 1, 5)


@pytest.mark.parametrize("speed", [0.5, 0.8, 0.93, 0.96, 1.0417, 1.1, 1.25, 1.37, 2.0])
def test_changed_speed_is_found(index: FingerprintIndex, speed: float) -> None:
    segment = only_segment(search(index, degrade(part_of("first", 0.5, 7.5, speed))), "first")
    assert segment.speed == pytest.approx(speed, abs=0.03)
    assert_near(segment.query, 0, 7 / speed)
    assert segment.work.start_s == pytest.approx(0.5, abs=0.4)
    assert segment.work.end_s == pytest.approx(7.5, abs=0.5)


def test_mirrored_cut_is_found_and_named_mirrored(index: FingerprintIndex) -> None:
    segment = only_segment(search(index, degrade(mirror(part_of("first", 1, 7)))), "first")
    assert segment.mirrored
    assert_near(segment.work, 1, 7)


def test_film_with_two_works_between_other_footage(index: FingerprintIndex) -> None:
    film = [
        *draw_scene(900, seconds=6),
        *part_of("first", 1, 5),
        *draw_flat(16, seconds=3),
        *mirror(part_of("fourth", 3, 6)),
        *draw_scene(901, seconds=6),
    ]
    found = {str(match.registration_id): match.segments for match in search(index, degrade(film))}
    assert set(found) == {"first", "fourth"}
    (one,), (other,) = found["first"], found["fourth"]
    assert_near(one.query, 6, 10)
    assert_near(one.work, 1, 5)
    assert_near(other.query, 13, 16)
    assert_near(other.work, 3, 6)
    assert (one.mirrored, other.mirrored) == (False, True)


def test_long_footage_without_evidence_lengthens_no_segment(index: FingerprintIndex) -> None:
    flat = draw_flat(16, seconds=6)
    film = [*part_of("first", 2, 6), *flat, *part_of("second", 1, 5), *flat]
    found = {str(match.registration_id): match.segments for match in search(index, degrade(film))}
    (one,), (other,) = found["first"], found["second"]
    assert_near(one.query, 0, 4)
    assert_near(other.query, 10, 14)
    assert_near(other.work, 1, 5)


def test_work_used_twice_has_two_segments_in_order(index: FingerprintIndex) -> None:
    film = [
        *part_of("second", 4, 8),
        *draw_scene(902, seconds=4),
        *mirror(part_of("second", 0, 3)),
        *part_of("second", 4, 6),
    ]
    (match,) = search(index, film)
    first, second, third = match.segments
    assert_near(first.query, 0, 4)
    assert_near(first.work, 4, 8)
    assert_near(second.query, 8, 11)
    assert_near(second.work, 0, 3)
    assert_near(third.query, 11, 13)
    assert_near(third.work, 4, 6)
    assert [s.mirrored for s in match.segments] == [False, True, False]


def test_letterboxed_part_of_a_full_frame_film(index: FingerprintIndex) -> None:
    inner = add_bars(part_of("first", 2, 6), rows=16, columns=24)
    outer = [frame for seed in (903, 904) for frame in draw_scene(seed, seconds=6)]
    padded = [np.pad(frame, ((16, 16), (24, 24)), mode="reflect") for frame in outer]
    segment = only_segment(search(index, degrade([*padded[:24], *inner, *padded[24:]])), "first")
    assert_near(segment.query, 6, 10)
    assert_near(segment.work, 2, 6)


def test_still_work_is_found_in_a_still_query() -> None:
    source = CodeSource()
    (picture,) = draw_scene(905, seconds=0.25)
    source.add("still", fingerprint([picture] * 24))
    segment = only_segment(search(EmbeddedIndex(source=source), degrade([picture] * 12)), "still")
    assert_near(segment.query, 0, 3)
    assert segment.work.duration_s == pytest.approx(3, abs=0.3)
    assert 0 <= segment.work.start_s <= segment.work.end_s <= 6


def test_held_frame_is_one_moment_for_as_long_as_it_is_held(index: FingerprintIndex) -> None:
    matches = search(index, degrade(part_of("first", 2, 2.25) * 40))
    segment = only_segment(matches, "first")
    assert_near(segment.query, 0, 10)
    assert_near(segment.work, 2, 2)
    assert matches[0].relation is MatchClass.CLIP_OF


def test_small_detail_of_a_work_is_found(index: FingerprintIndex) -> None:
    segment = only_segment(search(index, crop(part_of("first", 0, 6), share=0.5)), "first")
    assert segment.work.start_s == pytest.approx(segment.query.start_s, abs=0.5)
    assert segment.work.duration_s == pytest.approx(segment.query.duration_s, abs=0.5)


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(draw_scene(906, seconds=20), id="other footage"),
        pytest.param(draw_scene(101, seconds=0.75), id="less than a second"),
        pytest.param(
            [frame for seed in range(910, 922) for frame in draw_scene(seed, seconds=1)],
            id="quick cuts",
        ),
        pytest.param([np.tile(TEST_CARD, (128, 12))] * 24, id="test card"),
        pytest.param([255 - frame for frame in draw_scene(102, seconds=6)], id="negative"),
    ],
)
def test_accident_is_no_match(index: FingerprintIndex, scene: Scene) -> None:
    assert search(index, scene) == []


def test_noise_is_no_match(index: FingerprintIndex) -> None:
    generator = np.random.default_rng(0)
    noise = [generator.integers(0, 256, (128, 192), dtype=np.uint8) for _ in range(80)]
    assert search(index, noise) == []


def test_another_take_of_the_same_room_is_never_called_a_copy() -> None:
    """Same camera, same room, somebody else moving: near everywhere, at no line nearer."""
    room = draw_scene(907, seconds=0.25)[0].astype(float)
    takes = [
        [
            np.clip(0.72 * room + 0.28 * frame, 0, 255).astype(np.uint8)
            for frame in draw_scene(seed, seconds=6)
        ]
        for seed in (908, 909)
    ]
    source = CodeSource()
    source.add("one take", fingerprint(takes[0]))
    index = EmbeddedIndex(source=source)
    (copy,) = search(index, degrade(takes[0]))
    assert copy.relation is MatchClass.COPY
    (take,) = search(index, degrade(takes[1]))
    assert take.relation is MatchClass.SHARES_CONTENT
    assert not any(segment.is_same_recording for segment in take.segments)


def test_no_code_finds_nothing(index: FingerprintIndex) -> None:
    assert index.search(Query((), 10.0)) == []


def test_best_score_comes_first(index: FingerprintIndex) -> None:
    film = [*degrade(part_of("first", 0, 4), quality=8), *part_of("second", 0, 4)]
    resized = [np.resize(frame, (64, 96)) if frame.shape[0] != 64 else frame for frame in film]
    scores = [match.score for match in search(index, resized)]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("adapter", sorted(ADAPTERS))
def test_registration_of_another_process_is_seen(adapter: str) -> None:
    source = CodeSource()
    index = ADAPTERS[adapter](source)
    scene = draw_scene(920, seconds=4)
    assert search(index, scene) == []
    source.add("late", fingerprint(scene))
    assert search(index, scene)[0].registration_id == "late"
    source.add("later", fingerprint(draw_scene(921, seconds=4)))
    assert search(index, scene)[0].registration_id == "late"


def test_an_erased_work_is_matched_no_more() -> None:
    source, scene, other = CodeSource(), draw_scene(925, seconds=4), draw_scene(926, seconds=4)
    source.add("kept", fingerprint(other))
    source.add("erased", fingerprint(scene))
    index = EmbeddedIndex(source=source)
    assert [match.registration_id for match in search(index, scene)] == ["erased"]
    source.erase("erased")
    assert search(index, scene) == []
    assert [match.registration_id for match in search(index, other)] == ["kept"]
    source.add("again", fingerprint(scene))
    assert [match.registration_id for match in search(index, scene)] == ["again"]


def test_a_picture_is_found_in_any_orientation() -> None:
    source = CodeSource()
    pictures = {seed: draw_scene(seed, seconds=0.25) for seed in (930, 931, 932)}
    for seed, picture in pictures.items():
        source.add(str(seed), fingerprint(picture))
    index = EmbeddedIndex(source=source)
    turned = [np.ascontiguousarray(np.rot90(frame)) for frame in degrade(mirror(pictures[931]))]
    matches = search(index, turned)
    segment = only_segment(matches, "931")
    assert segment == Segment(Interval(0, 0), Interval(0, 0), speed=1.0, mirrored=True)
    assert matches[0].relation is MatchClass.COPY
    assert search(index, draw_scene(933, seconds=0.25)) == []


def test_a_frame_is_found_as_a_picture(index: FingerprintIndex) -> None:
    matches = search(index, degrade(part_of("first", 3, 3.25)))
    segment = only_segment(matches, "first")
    assert segment.query == Interval(0, 0)
    assert segment.work.start_s == pytest.approx(3, abs=1)
    assert matches[0].relation is MatchClass.CLIP_OF


def test_a_still_is_found_inside_a_film() -> None:
    source = CodeSource()
    still = draw_scene(905, seconds=0.25)
    source.add("still", fingerprint(still))
    film = [*draw_scene(900, seconds=5), *still * 12, *draw_scene(901, seconds=5)]
    matches = search(EmbeddedIndex(source=source), degrade(film))
    segment = only_segment(matches, "still")
    assert segment.query.start_s == pytest.approx(5, abs=1)
    assert matches[0].relation is MatchClass.CONTAINS


def test_unknown_algorithm_and_broken_code_do_not_stop_the_search(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source, scene = CodeSource(), draw_scene(940, seconds=4)
    source.add("future", Query((FingerprintCode(VideoDct.id, 99, b"?"),), 1.0))
    source.add("broken", Query((BROKEN,), 1.0))
    source.add("sound", fingerprint(scene))
    index = EmbeddedIndex(source=source)
    with caplog.at_level(logging.WARNING):
        assert [match.registration_id for match in search(index, scene)] == ["sound"]
    assert "broken" in caplog.text


def test_broken_query_is_refused(index: FingerprintIndex) -> None:
    with pytest.raises(MalformedDocumentError):
        index.search(Query((BROKEN,), 1.0))


def test_threads_may_search_and_register_at_once() -> None:
    source = CodeSource()
    scenes = [draw_scene(950 + number, seconds=3) for number in range(8)]
    queries = [fingerprint(scene) for scene in scenes]
    index = EmbeddedIndex(source=source)

    def register_and_search(number: int) -> list[str]:
        source.add(str(number), queries[number])
        return [match.registration_id for match in index.search(queries[number])]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(register_and_search, range(len(scenes))))
    assert found == [[str(number)] for number in range(len(scenes))]
