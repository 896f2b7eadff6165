from __future__ import annotations

import numpy as np
import pytest
from code_walks import FINE, draw_codes, draw_walk, flip_bits, on_grid

from titledeed.fingerprinting.base import SAMPLE_PERIOD_S, FrameCodes
from titledeed.matching.pictures.speeds import find_speed
from titledeed.matching.pictures.tracks import Track
from titledeed.matching.pictures.voting import TimeLine

SHOT = draw_walk(np.random.default_rng(1), 40 * FINE, drift=0.001)
"""Ten seconds so slow that samples are 5 bits apart: any two of 4 s come near enough to be hits."""

WORK = on_grid(SHOT[::FINE])


def show(speed: float, *, seconds: float = 4.0, start_s: float = 0.5) -> FrameCodes:
    """A query that shows the shot from there on, with the noise of encoding."""
    seconds_of_work = start_s + speed * np.arange(0, seconds, SAMPLE_PERIOD_S)
    rows = np.rint(seconds_of_work / SAMPLE_PERIOD_S * FINE).astype(np.int64)
    return on_grid(flip_bits(SHOT[rows], 4))


@pytest.mark.parametrize("speed", [0.63, 1.07, 1.1, 1.63, 1.9])
def test_slow_footage_tells_its_speed(speed: float) -> None:
    query = show(speed)
    crossing = TimeLine(1.0, 0.5 + (speed - 1) * 2)
    found = find_speed(Track(query, WORK), crossing, query.times_s)
    assert found.speed == pytest.approx(speed, rel=0.03)
    assert found.offset_s == pytest.approx(0.5, abs=0.15)


def test_it_is_told_from_a_work_with_one_code_a_second() -> None:
    query = show(1.63)
    sparse = FrameCodes(WORK.times_s[::4], WORK.codes[::4])
    found = find_speed(Track(query, sparse), TimeLine(1.0, 1.76), query.times_s)
    assert found.speed == pytest.approx(1.63, rel=0.1)


def test_samples_between_those_of_the_work_are_no_other_speed() -> None:
    query = show(1.0, start_s=0.625)
    line = TimeLine(1.0, 0.625)
    assert find_speed(Track(query, WORK), line, query.times_s) == line


def test_still_footage_keeps_its_line() -> None:
    scene = np.repeat(draw_codes(2, 1), 40, axis=0)
    query, work = (on_grid(flip_bits(scene, 20, seed=seed)) for seed in (1, 2))
    line = TimeLine(1.0, 0.0)
    assert find_speed(Track(query, work), line, query.times_s) == line


@pytest.mark.parametrize("stride", [1, 40], ids=["short run", "work of one code"])
def test_too_little_tells_no_speed(stride: int) -> None:
    query = show(1.63, seconds=1.25)
    work = FrameCodes(WORK.times_s[::stride], WORK.codes[::stride])
    line = TimeLine(1.0, 1.0)
    assert find_speed(Track(query, work), line, query.times_s) == line


def test_where_neither_side_is_dense_the_line_stays() -> None:
    query = show(1.63)
    sparse = Track(*(FrameCodes(side.times_s[::4], side.codes[::4]) for side in (query, WORK)))
    line = TimeLine(1.0, 1.0)
    assert find_speed(sparse, line, sparse.query.times_s) == line
