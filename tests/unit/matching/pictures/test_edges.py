from __future__ import annotations

import numpy as np
import pytest
from code_walks import draw_codes, draw_walk, on_grid

from titledeed.fingerprinting.base import FrameCodes
from titledeed.matching.pictures.edges import find_common, find_ends, span_of
from titledeed.matching.pictures.voting import TimeLine
from titledeed.models.interval import Interval

SAME = TimeLine(1.0, 0.0)


def shot(seed: int, rows: int) -> FrameCodes:
    return on_grid(draw_walk(np.random.default_rng(seed), rows, drift=0.05))


def ends(query: FrameCodes, support_s: list[float], tried_s: list[float]) -> Interval:
    span = Interval(0.0, len(query.times_s) / 4)
    return find_ends(
        np.array(support_s),
        np.array(tried_s),
        query,
        within=span,
        reach_s=2.0,
    )


def test_segment_reaches_both_ends_of_a_file_that_nothing_denies() -> None:
    assert ends(shot(1, 20), [1.0, 2.0, 4.0], [1.0, 2.0, 4.0]) == Interval(0.0, 5.0)


def test_segment_ends_half_way_to_a_moment_that_denies_it() -> None:
    assert ends(shot(2, 40), [0.0, 4.0], [0.0, 4.0, 5.0]) == Interval(0.0, 4.5)


def test_segment_ends_at_a_cut() -> None:
    codes = np.concatenate([shot(3, 18).codes, shot(4, 22).codes])
    assert ends(on_grid(codes), [0.0, 4.0], [0.0, 4.0, 6.0]).end_s == pytest.approx(4.375)


def test_fast_footage_has_no_cut_in_every_step() -> None:
    assert ends(on_grid(draw_codes(5, 40)), [0.0, 4.0], [0.0, 4.0, 6.0]).end_s == 5.0


def test_segment_ends_where_evidence_ends() -> None:
    frames = shot(6, 40)
    rows = np.r_[:18, 26:40]
    query = FrameCodes(frames.times_s[rows], frames.codes[rows])
    assert ends(query, [0.0, 4.0], [0.0, 4.0, 7.0]) == Interval(0.0, 4.375)
    assert ends(query, [6.75, 7.5], [2.0, 6.75, 7.5]) == Interval(6.375, 8.0)


def test_segment_does_not_reach_into_long_footage_without_evidence() -> None:
    frames = shot(8, 80)
    rows = np.r_[:20, 48:68]
    query = FrameCodes(frames.times_s[rows], frames.codes[rows])
    support_s = [12.0, 14.0, 16.75]
    found = find_ends(
        np.array(support_s),
        np.array(support_s),
        query,
        within=Interval(11.0, 16.875),
        reach_s=1.6,
    )
    assert found == Interval(11.875, 16.875)


def test_both_sides_bound_what_is_common() -> None:
    common = find_common(TimeLine(1.0, -2.0), Interval(0.0, 10.0), Interval(0.0, 3.0))
    assert common == Interval(2.0, 5.0)
    assert find_common(SAME, Interval(1.0, 10.0), Interval(0.0, 30.0)) == Interval(1.0, 10.0)


def test_known_duration_is_the_end_of_a_file() -> None:
    frames = shot(7, 17)
    assert span_of(frames, 4.13) == Interval(0.0, 4.13)
    assert span_of(frames, None) == Interval(0.0, 4.125)
