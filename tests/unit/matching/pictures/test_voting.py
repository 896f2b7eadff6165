from __future__ import annotations

import numpy as np
import pytest
from code_walks import grid_times

from titledeed.matching.pictures.voting import Seconds, TimedHits, TimeLine, fit_line, vote_line


def hits_on(line: TimeLine, query_s: Seconds, weight: float = 0.9) -> TimedHits:
    return TimedHits(query_s, line.work_s(query_s), np.full(len(query_s), weight))


def join(*parts: TimedHits) -> TimedHits:
    return TimedHits(
        np.concatenate([part.query_s for part in parts]),
        np.concatenate([part.work_s for part in parts]),
        np.concatenate([part.weight for part in parts]),
    )


@pytest.mark.parametrize("speed", [0.5, 0.55, 0.73, 0.93, 0.96, 1.0, 1.037, 1.17, 1.5, 1.8, 2.0])
@pytest.mark.parametrize("offset_s", [-40.0, 0.0, 3.3])
def test_line_of_a_copy_is_recovered(speed: float, offset_s: float) -> None:
    query_s = grid_times(40, 50.0)
    line, votes = vote_line(hits_on(TimeLine(speed, offset_s), query_s))
    assert np.abs(line.work_s(query_s) - (speed * query_s + offset_s)).max() < 0.3
    assert votes > 0.5 * 40 * 0.9


def test_small_drift_of_few_moments_is_no_change_of_speed() -> None:
    query_s = grid_times(8)
    line, _ = vote_line(hits_on(TimeLine(1.04, 2.0), query_s))
    assert line.speed == 1.0


def test_small_drift_of_many_moments_is_a_change_of_speed() -> None:
    line = fit_line(*((q := grid_times(60)), 1.02 * q), np.ones(60), speed=1.0)
    assert line.speed == pytest.approx(1.02)


def test_one_hit_is_a_line_at_speed_one() -> None:
    line, _ = vote_line(TimedHits(np.array([7.0]), np.array([2.0]), np.array([0.8])))
    assert (line.speed, line.offset_s) == pytest.approx((1.0, -5.0))


def test_still_footage_prefers_speed_one() -> None:
    query_s, work_s = (grid.ravel() for grid in np.mgrid[0:4:0.25, 0:4:0.25])
    line, _ = vote_line(TimedHits(query_s, work_s, np.full(len(query_s), 1.0)))
    assert line.speed == 1.0


def test_many_hits_of_one_moment_vote_once() -> None:
    crowd = TimedHits(np.full(30, 9.0), np.linspace(1, 1.15, 30), np.full(30, 1.0))
    copy = hits_on(TimeLine(1.0, 20.0), grid_times(5))
    line, votes = vote_line(join(crowd, copy))
    assert (line.speed, line.offset_s) == pytest.approx((1.0, 20.0), abs=0.01)
    assert votes == pytest.approx(5 * 0.9)


def test_closer_hits_weigh_more() -> None:
    query_s = grid_times(6)
    near, far = hits_on(TimeLine(1, 5), query_s, 0.95), hits_on(TimeLine(1, 9), query_s, 0.7)
    line, _ = vote_line(join(far, near))
    assert line.offset_s == pytest.approx(5)


def test_places_are_mapped_both_ways() -> None:
    line = TimeLine(1.25, -3.0)
    seconds = grid_times(9, 4.0)
    assert line.query_s(line.work_s(seconds)) == pytest.approx(seconds)
