"""How fast a run is shown: in slow footage hits agree on any speed, and its codes still tell.

Codes are closest along the true line. So lines of many speeds through a run are tried, and the mean
distance of its moments decides.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.base import SAMPLE_PERIOD_S, FrameCodes, hamming_distances
from titledeed.matching.pictures.tracks import STEP_S_MAX, Distances, Track, measure_step
from titledeed.matching.pictures.voting import FIT_DURATION_S_MIN, SPEED_MAX, Seconds, TimeLine

SPEEDS: Final = np.exp(np.linspace(-np.log(SPEED_MAX), np.log(SPEED_MAX), 41))
"""Speed 1 is in the middle; neighbours drift apart by one sample over 14 s."""

FINE_SPEEDS: Final = np.exp(np.linspace(-0.035, 0.035, 11))
"""Around the best of them."""

OFFSET_STEP_S: Final = SAMPLE_PERIOD_S / 2
OFFSET_S_MAX: Final = 2.0
"""Beside the given line in the middle of the run; with ``MOMENTS_MAX`` it bounds the time."""

MOMENTS_MAX: Final = 20
INSIDE_MIN: Final = 0.8
"""Of the moments, beside a row; a line that leaves the footage explains less."""

GAIN_SHARE_MIN: Final = 0.12
GAIN_BITS_MIN: Final = 1.0
"""By how much codes must be closer than at speed 1, of their distance and in bits: so 144 edited
clips with motion at speed 1 were all told 1, and of 122 at 0.63 to 1.63 nine in ten their speed."""


def find_speed(track: Track, line: TimeLine, moments_s: Seconds) -> TimeLine:
    """The line through a run along which its codes are closest; at speed 1 unless clearly closer.

    Args:
        track: in which the run was found.
        line: along which it was found.
        moments_s: its seconds of the query, at least one.
    """
    if float(np.ptp(moments_s)) < FIT_DURATION_S_MIN:
        return line
    if _is_dense(track.work):
        moments = _take(track.query, np.isin(track.query.times_s, moments_s))
        return _search(moments, track.work, line)
    if not _is_dense(track.query):
        return line
    first_s, last_s = line.work_s(moments_s[[0, -1]])
    times_s = track.work.times_s
    moments = _take(track.work, (times_s >= first_s) & (times_s <= last_s))
    return _search(moments, track.query, line.inverse()).inverse() if len(moments.codes) else line


def _is_dense(frames: FrameCodes) -> bool:
    """Whether one can look between its rows."""
    return len(frames.times_s) > 1 and measure_step(frames) <= STEP_S_MAX


def _take(frames: FrameCodes, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> FrameCodes:
    return FrameCodes(frames.times_s[rows], frames.codes[rows])


def _search(moments: FrameCodes, dense: FrameCodes, line: TimeLine) -> TimeLine:
    """The best line from some moments to a dense side."""
    rows = np.linspace(0, len(moments.times_s) - 1, MOMENTS_MAX)
    moments = _take(moments, np.unique(np.rint(rows).astype(np.int64)))
    distances = hamming_distances(moments.codes[:, np.newaxis], dense.codes).astype(np.float64)
    usual, usual_bits = _choose(moments.times_s, dense.times_s, distances, line, np.ones(1))
    best, bits = _choose(moments.times_s, dense.times_s, distances, line, SPEEDS)
    if usual_bits - bits < max(GAIN_BITS_MIN, GAIN_SHARE_MIN * usual_bits):
        return line if line.speed == 1 else usual
    best, _ = _choose(moments.times_s, dense.times_s, distances, best, best.speed * FINE_SPEEDS)
    return best


def _choose(
    moments_s: Seconds, dense_s: Seconds, distances: Distances, line: TimeLine, speeds: Seconds
) -> tuple[TimeLine, float]:
    """Of lines of these speeds that cross the given one within the run the best, and its bits."""
    middle_s = float(moments_s[[0, -1]].mean())
    reach_s = np.abs(speeds - line.speed) * float(np.ptp(moments_s)) / 2
    steps = np.ceil(np.minimum(reach_s, OFFSET_S_MAX) / OFFSET_STEP_S).astype(np.int64) + 1
    places = [np.arange(-reach, reach + 1) * OFFSET_STEP_S for reach in steps]
    offsets_s = np.concatenate(places) + line.work_s(np.array([middle_s]))
    slopes = np.repeat(speeds, 2 * steps + 1)
    means = _measure(
        offsets_s[:, np.newaxis] + slopes[:, np.newaxis] * (moments_s - middle_s),
        dense_s,
        distances,
    )
    best = int(means.argmin())
    speed = float(slopes[best])
    return TimeLine(speed, float(offsets_s[best]) - speed * middle_s), float(means[best])


def _measure(place_s: Seconds, dense_s: Seconds, distances: Distances) -> Distances:
    """Mean distance along lines; infinite where too much of one is off the dense side.

    Between rows the distance falls from either side and the slopes meet, as in ``tracks``: a
    straight line between the rows would favour lines that run through them.

    Args:
        place_s: of each moment on the dense side, shape (lines, moments).
        dense_s: seconds of its rows.
        distances: of each moment from each row.
    """
    last = len(dense_s) - 1
    row = np.clip(np.searchsorted(dense_s, place_s), 1, last)
    share = np.clip((place_s - dense_s[row - 1]) / (dense_s[row] - dense_s[row - 1]), 0, 1)
    moment = np.arange(len(distances))
    before, low, high, after = (
        distances[moment, np.clip(row + step, 0, last)] for step in (-2, -1, 0, 1)
    )
    straight = low + (high - low) * share
    slopes = np.maximum(low + (low - before) * share, high + (high - after) * (1 - share))
    inside = (place_s >= dense_s[0] - SAMPLE_PERIOD_S) & (place_s <= dense_s[-1] + SAMPLE_PERIOD_S)
    counts = inside.sum(axis=1)
    means = np.where(inside, np.minimum(straight, slopes), 0).sum(axis=1) / np.maximum(counts, 1)
    return np.where(counts >= INSIDE_MIN * len(distances), means, np.inf)
