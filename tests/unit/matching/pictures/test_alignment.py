from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from code_walks import (
    FINE,
    align_frames,
    align_looks,
    draw_codes,
    draw_walk,
    flip_bits,
    on_grid,
)

from titledeed.fingerprinting.base import Codes, FrameCodes
from titledeed.matching.pictures.alignment import WHOLE, align
from titledeed.matching.pictures.views import gather_hits
from titledeed.matching.pictures.voting import TimedHits
from titledeed.models.interval import Interval

FRAMES, REGIONS = "video.frames", "video.regions"


def walk(seed: int, rows: int, drift: float = 0.1) -> Codes:
    return draw_walk(np.random.default_rng(seed), rows, drift=drift)


class TestEvidence:
    WORK = on_grid(draw_codes(1, 40))

    def test_falls_with_distance(self) -> None:
        found = [
            align_frames(on_grid(flip_bits(self.WORK.codes, bits)), self.WORK)[0].evidence[FRAMES]
            for bits in (0, 30, 60)
        ]
        assert found[0] > found[1] > found[2] > 1

    def test_grows_with_what_moves(self) -> None:
        longer, shorter = (
            align_frames(on_grid(self.WORK.codes[10 : 10 + rows]), self.WORK)[0].evidence[FRAMES]
            for rows in (20, 5)
        )
        assert longer > shorter

    def test_of_still_footage_is_closeness_alone(self) -> None:
        still = on_grid(np.repeat(draw_codes(2, 1), 40, axis=0))
        copy = on_grid(np.repeat(flip_bits(still.codes[:1], 32), 40, axis=0))
        (found,) = align_frames(copy, still)
        assert found.evidence[FRAMES] == pytest.approx(1 - 32 / 128)
        assert found.contrast == 0

    def test_of_another_take_of_the_scene_stays_below_that_of_a_copy(self) -> None:
        scene = np.repeat(draw_codes(4, 1), 24, axis=0)
        work = on_grid(flip_bits(scene, 25, seed=1))
        take = on_grid(flip_bits(scene, 25, seed=2))
        copy = on_grid(flip_bits(work.codes, 30, seed=3))
        (as_take,), (as_copy,) = align_frames(take, work), align_frames(copy, work)
        assert as_take.contrast < 2 < 14 < as_copy.contrast
        assert as_take.evidence[FRAMES] < as_copy.evidence[FRAMES]

    def test_of_two_moments_is_less_than_half_that_of_six(self) -> None:
        two, six = (
            align_frames(on_grid(flip_bits(self.WORK.codes[20 : 20 + rows], 30)), self.WORK)
            for rows in (2, 6)
        )
        assert two[0].evidence[FRAMES] < six[0].evidence[FRAMES] / 2

    def test_of_a_crop_is_that_of_the_region_it_shows(self) -> None:
        region = on_grid(walk(5, 40)[::4])
        work = {
            WHOLE: on_grid(draw_codes(6, 40)),
            3: FrameCodes(np.arange(10.0), region.codes),
        }
        query = {WHOLE: on_grid(flip_bits(walk(5, 40), 30))}
        (found,) = align_looks(query, work)
        assert set(found.evidence) == {REGIONS}
        assert found.query == Interval(0.0, 9.875)

    def test_without_hits_there_is_nothing(self) -> None:
        nothing = np.zeros(0, np.int64)
        hits = gather_hits(nothing, nothing, nothing, TimedHits(*np.zeros((3, 0))))
        looks = {WHOLE: self.WORK}
        assert align([looks], looks, hits, (Interval(0, 10), Interval(0, 10))) == []


class TestPlace:
    @pytest.mark.parametrize("speed", [0.63, 0.8, 1.0, 1.07, 1.37, 1.9])
    def test_speed_and_both_ends_are_told(self, speed: float) -> None:
        fine = walk(7, 24 * 4 * FINE, drift=0.006)
        work = on_grid(fine[::FINE])
        places = np.arange(3 * 4 * FINE, 20 * 4 * FINE, speed * FINE).astype(int)
        copy = flip_bits(fine[places], 20)
        other = draw_codes(8, 20)
        query = on_grid(np.concatenate([other, copy, other]))
        (found,) = align_frames(query, work)
        assert found.speed == pytest.approx(speed, abs=0.02)
        assert found.query.start_s == pytest.approx(5, abs=0.26)
        assert found.query.end_s == pytest.approx(5 + len(copy) / 4, abs=0.26)
        assert found.work.start_s == pytest.approx(3, abs=0.3)
        assert found.work.end_s == pytest.approx(20, abs=0.3)

    def test_cutaway_ends_a_segment(self) -> None:
        work = on_grid(walk(9, 40))
        codes = work.codes.copy()
        codes[16:28] = draw_codes(10, 12)
        spans = [found.query for found in align_frames(on_grid(codes), work)]
        assert [s.start_s for s in spans] == pytest.approx([0, 7], abs=0.13)
        assert [s.end_s for s in spans] == pytest.approx([4, 10], abs=0.13)

    def test_single_bad_frame_does_not(self) -> None:
        work = on_grid(walk(11, 24))
        codes = work.codes.copy()
        codes[11] = ~codes[11]
        (found,) = align_frames(on_grid(codes), work)
        assert found.query.duration_s == pytest.approx(6, abs=0.13)

    def test_lone_near_frame_after_a_cut_does_not_lengthen(self) -> None:
        work = on_grid(walk(17, 40))
        codes = work.codes.copy()
        codes[24:] = draw_codes(18, 16)
        codes[26] = flip_bits(work.codes[26:27], 80)[0]
        (found,) = align_frames(on_grid(codes), work)
        assert found.query.end_s == pytest.approx(6, abs=0.13)

    def test_short_black_between_does_not(self) -> None:
        work = on_grid(walk(12, 24))
        rows = np.delete(np.arange(24), [12, 13])
        query = FrameCodes(work.times_s[rows], work.codes[rows])
        (found,) = align_frames(query, work)
        assert found.query.duration_s == pytest.approx(6, abs=0.13)

    def test_seconds_of_the_work_stay_inside_it(self) -> None:
        work = on_grid(walk(13, 12))
        (found,) = align_frames(on_grid(work.codes, start_s=100.1), work)
        assert 0 <= found.work.start_s < found.work.end_s <= 3.0
        assert found.query.start_s == pytest.approx(100.1)

    def test_segments_never_share_a_moment(self) -> None:
        loop = draw_codes(14, 8)
        spans = [
            found.query
            for found in align_frames(
                on_grid(np.tile(loop, (6, 1))), on_grid(np.tile(loop, (4, 1)))
            )
        ]
        assert spans
        assert all(one.end_s <= other.start_s for one, other in pairwise(spans))

    def test_segments_in_any_order_are_all_found(self) -> None:
        work = on_grid(walk(15, 60))
        codes = np.concatenate([work.codes[40:56], draw_codes(16, 8), work.codes[4:20]])
        first, second = align_frames(on_grid(codes), work)
        assert first.work.start_s == pytest.approx(10, abs=0.13)
        assert second.work.start_s == pytest.approx(1, abs=0.13)
