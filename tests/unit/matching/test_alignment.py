from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scenes import draw_flat, draw_scene, extract_frames, grid_s

from titledeed.fingerprinting.base import Codes, FrameCodes
from titledeed.fingerprinting.video_dct import VideoDct
from titledeed.matching.alignment import Alignment, align, select_novel
from titledeed.matching.frame_scan import scan_frames
from titledeed.matching.voting import TimedHits

VIDEO = VideoDct()


def draw_codes(seed: int, rows: int) -> Codes:
    return np.random.default_rng(seed).integers(0, 256, (rows, 32), dtype=np.uint8)


def on_grid(codes: Codes) -> FrameCodes:
    return FrameCodes(grid_s(len(codes)), codes)


def flip_bits(codes: Codes, bits: int, seed: int = 0) -> Codes:
    """Turn exactly ``bits`` bits of each row."""
    generator = np.random.default_rng(seed)
    flips = np.zeros((len(codes), 256), np.uint8)
    for row in flips:
        row[generator.choice(256, bits, replace=False)] = 1
    return codes ^ np.packbits(flips, axis=1)


def align_all(query: FrameCodes, work: FrameCodes) -> list[Alignment]:
    hits = scan_frames(query.codes, work.codes, distance_max=VIDEO.distance_max)
    weights = 1 - hits.distance / 256
    return align(
        query, work, TimedHits(query.times_s[hits.query], work.times_s[hits.corpus], weights)
    )


class TestEvidence:
    WORK = on_grid(draw_codes(1, 40))

    @pytest.mark.parametrize(
        ("frames", "bits", "is_found"),
        [
            pytest.param(3, 0, False, id="three frames are too few"),
            pytest.param(4, 0, True, id="one second of an exact copy"),
            pytest.param(4, 50, True, id="four frames at their limit"),
            pytest.param(4, 54, False, id="four frames beyond it"),
            pytest.param(20, 78, True, id="many weak frames"),
            pytest.param(20, 82, False, id="too weak however many"),
        ],
    )
    def test_weaker_frames_must_be_more(self, frames: int, bits: int, *, is_found: bool) -> None:
        query = on_grid(flip_bits(self.WORK.codes[10 : 10 + frames], bits))
        assert bool(align_all(query, self.WORK)) == is_found

    def test_still_footage_must_be_closer_than_moving(self) -> None:
        still = on_grid(np.repeat(draw_codes(2, 1), 40, axis=0))
        near = FrameCodes(still.times_s, np.repeat(flip_bits(still.codes[:1], 28), 40, axis=0))
        far = FrameCodes(still.times_s, np.repeat(flip_bits(still.codes[:1], 40), 40, axis=0))
        assert len(align_all(near, still)) == 1
        assert align_all(far, still) == []

    def test_score_falls_with_distance_and_with_gaps(self) -> None:
        exact = on_grid(self.WORK.codes)
        weak = on_grid(flip_bits(self.WORK.codes, 40))
        torn = self.WORK.codes.copy()
        torn[5::6] = draw_codes(3, len(torn[5::6]))
        scores = [align_all(query, self.WORK)[0].score for query in (exact, weak, on_grid(torn))]
        assert scores[0] == 1.0
        assert scores[1] == pytest.approx(1 - 40 / 128)
        assert scores[2] == pytest.approx(34 / 40, abs=0.02)

    def test_frames_near_everywhere_need_contrast(self) -> None:
        base = np.repeat(draw_codes(4, 1), 24, axis=0)
        work = on_grid(flip_bits(base, 25, seed=1))
        stranger = on_grid(flip_bits(base, 25, seed=2))
        copy = on_grid(flip_bits(work.codes, 30, seed=3))
        assert align_all(stranger, work) == []
        assert len(align_all(copy, work)) == 1


class TestEnds:
    def test_cutaway_ends_a_segment(self) -> None:
        work = extract_frames(VIDEO, draw_scene(41, seconds=10))
        cut = [
            *draw_scene(41, seconds=4),
            *draw_scene(42, seconds=3),
            *draw_scene(41, seconds=3, start_s=7),
        ]
        spans = [a.query for a in align_all(extract_frames(VIDEO, cut), work)]
        assert [(s.start_s, s.end_s) for s in spans] == [(0.0, 4.0), (7.0, 10.0)]

    def test_single_bad_frame_does_not(self) -> None:
        work = on_grid(draw_codes(5, 24))
        codes = work.codes.copy()
        codes[11] = ~codes[11]
        (found,) = align_all(on_grid(codes), work)
        assert found.query.duration_s == 6.0

    def test_short_black_between_does_not(self) -> None:
        scene = draw_scene(43, seconds=6)
        scene[12:14] = draw_flat(16, seconds=0.5)
        work = extract_frames(VIDEO, draw_scene(43, seconds=6))
        (found,) = align_all(extract_frames(VIDEO, scene), work)
        assert (found.query.start_s, found.query.end_s) == (0.0, 6.0)

    def test_work_seconds_stay_inside_the_work(self) -> None:
        work = on_grid(draw_codes(6, 12))
        query = FrameCodes(work.times_s + 100.1, work.codes)
        (found,) = align_all(query, work)
        assert 0 <= found.work.start_s < found.work.end_s <= 3.0
        assert found.query.start_s == pytest.approx(100.1)

    def test_segments_never_share_a_moment(self) -> None:
        loop = draw_codes(7, 8)
        work, query = on_grid(np.tile(loop, (4, 1))), on_grid(np.tile(loop, (6, 1)))
        spans = [a.query for a in align_all(query, work)]
        assert spans
        assert all(a.end_s <= b.start_s for a, b in pairwise(spans))


def test_novel_frames_differ_from_the_last_two() -> None:
    one, other, third = draw_codes(8, 3)
    nearly = flip_bits(one[np.newaxis], 5)[0]
    codes = np.stack([one, one, other, nearly, other, third, one])
    assert select_novel(codes).tolist() == [True, False, True, False, False, True, True]
