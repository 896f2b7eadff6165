from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scenes import grid_s

from titledeed.matching.voting import SPEEDS, Line, TimedHits, vote_line


def hits_on(line: Line, query_s: npt.NDArray[np.float64], weight: float = 0.9) -> TimedHits:
    return TimedHits(query_s, line.work_s(query_s), np.full(len(query_s), weight))


def join(*parts: TimedHits) -> TimedHits:
    return TimedHits(
        np.concatenate([part.query_s for part in parts]),
        np.concatenate([part.work_s for part in parts]),
        np.concatenate([part.weight for part in parts]),
    )


@pytest.mark.parametrize("speed", [*SPEEDS, 0.55, 0.73, 1.17, 1.8])
@pytest.mark.parametrize("offset_s", [-40.0, 0.0, 3.3])
def test_line_of_a_copy_is_recovered(speed: float, offset_s: float) -> None:
    query_s = grid_s(40, 50.0)
    line = vote_line(hits_on(Line(speed, offset_s), query_s))
    assert np.abs(line.work_s(query_s) - (speed * query_s + offset_s)).max() < 0.3


def test_difference_below_one_sample_is_no_change_of_speed() -> None:
    query_s = grid_s(16)
    assert vote_line(hits_on(Line(1.04, 2.0), query_s)).speed == 1.0


def test_one_hit_is_a_line_at_speed_one() -> None:
    line = vote_line(TimedHits(np.array([7.0]), np.array([2.0]), np.array([0.8])))
    assert (line.speed, line.offset_s) == pytest.approx((1.0, -5.0))


def test_still_footage_prefers_speed_one() -> None:
    query_s, work_s = (grid.ravel() for grid in np.mgrid[0:4:0.25, 0:4:0.25])
    assert vote_line(TimedHits(query_s, work_s, np.full(len(query_s), 1.0))).speed == 1.0


def test_many_hits_of_one_moment_vote_once() -> None:
    crowd = TimedHits(np.full(30, 9.0), np.linspace(1, 1.15, 30), np.full(30, 1.0))
    copy = hits_on(Line(1.0, 20.0), grid_s(5))
    line = vote_line(join(crowd, copy))
    assert (line.speed, line.offset_s) == pytest.approx((1.0, 20.0), abs=0.01)


def test_closer_hits_weigh_more() -> None:
    query_s = grid_s(6)
    near, far = hits_on(Line(1, 5), query_s, 0.95), hits_on(Line(1, 9), query_s, 0.7)
    assert vote_line(join(far, near)).offset_s == pytest.approx(5)
