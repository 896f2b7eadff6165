"""Two time lines of codes laid upon each other along a line.

A track is one way of looking at a query and a work: the whole frames of both, or a box of one
against the whole of the other, plain or mirrored. A copy keeps to one track as long as it lasts,
so a run of close codes in one track is evidence, and one close pair is none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.base import Codes, FrameCodes, hamming_distances
from titledeed.matching.pictures.voting import Seconds, TimeLine, fit_line, place_line

Distances = npt.NDArray[np.float64]

CODE_BITS = 256

FOLLOW_WINDOW_S = 0.3
"""How far from its place on the line a partner may lie: one sample, with rounding."""

REACH = 2
"""Rows on either side of the place that are compared: the window and one neighbour beyond."""

STEP_S_MAX = 0.6
"""Rows further apart do not bracket a moment between them."""

SPARSER_SHARE = 0.6
"""Moments are those of the query unless its rows come so much faster than those of the work."""

REFINEMENTS = 2


@dataclass(frozen=True, slots=True)
class Track:
    """Comparable codes of a query and a work, in order of time."""

    query: FrameCodes
    work: FrameCodes


@dataclass(frozen=True, slots=True)
class Trace:
    """A track along a line: one row per moment of the sparser side that has a partner.

    Attributes:
        query_s: seconds of the query.
        work_s: seconds of the work where it is closest, between samples where these tell.
        place_s: seconds of the query where the line expects the moment.
        distances: bits apart.
        sharpness: bits by which the neighbouring samples are further away; 0 in still footage.
        codes: of the query.
    """

    query_s: Seconds
    work_s: Seconds
    place_s: Seconds
    distances: Distances
    sharpness: Distances
    codes: Codes

    def take(self, selection: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Trace:
        """The selected moments."""
        return Trace(
            self.query_s[selection],
            self.work_s[selection],
            self.place_s[selection],
            self.distances[selection],
            self.sharpness[selection],
            self.codes[selection],
        )


def trace(track: Track, line: TimeLine) -> Trace:
    """Lay the track upon itself along the line."""
    if measure_step(track.query) >= SPARSER_SHARE * measure_step(track.work) / line.speed:
        rows, partners, shifts, distances, sharpness = _pair(
            track.query, track.work, line.work_s(track.query.times_s)
        )
        query_s, work_s = track.query.times_s[rows], track.work.times_s[partners] + shifts
        place_s, codes = query_s, track.query.codes[rows]
    else:
        rows, partners, shifts, distances, sharpness = _pair(
            track.work, track.query, line.query_s(track.work.times_s)
        )
        query_s = track.query.times_s[partners]
        work_s = track.work.times_s[rows] - line.speed * shifts
        place_s, codes = line.query_s(track.work.times_s[rows]), track.query.codes[partners]
    return Trace(query_s, work_s, place_s, distances, sharpness, codes)


def refine(
    track: Track, line: TimeLine, *, distance_max: float, is_timed: bool = False
) -> TimeLine:
    """The line through the places where the moments of the track really are closest.

    Args:
        track: what is laid upon itself.
        line: near which.
        distance_max: moments further apart tell nothing.
        is_timed: whether the speed of the line is known.
    """
    for _ in range(REFINEMENTS):
        found = trace(track, line)
        found = found.take((found.distances <= distance_max) & (found.sharpness > 0))
        if len(found.query_s):
            fit = place_line if is_timed else fit_line
            line = fit(found.query_s, found.work_s, found.sharpness**2, speed=line.speed)
    return line


def measure_step(frames: FrameCodes) -> float:
    """Usual seconds between rows; 0 for a single one."""
    return float(np.median(np.diff(frames.times_s))) if len(frames.times_s) > 1 else 0.0


def _pair(
    sparse: FrameCodes, dense: FrameCodes, place_s: Seconds
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Seconds, Distances, Distances]:
    """For each row of the sparse side its closest partner near the place on the dense side."""
    last = len(dense.times_s) - 1
    near = np.searchsorted(dense.times_s, place_s)
    near -= (near > last) | (
        place_s - dense.times_s[near - 1] < dense.times_s[np.minimum(near, last)] - place_s
    )
    near = np.clip(near, 0, last)
    inside = np.abs(dense.times_s[near] - place_s) <= FOLLOW_WINDOW_S
    rows = np.flatnonzero(inside)
    columns = near[rows, np.newaxis] + np.arange(-REACH, REACH + 1)
    is_there = (columns >= 0) & (columns <= last)
    columns = np.clip(columns, 0, last)
    distances = hamming_distances(sparse.codes[rows][:, np.newaxis], dense.codes[columns])
    bits = np.where(is_there, distances, CODE_BITS).astype(np.float64)
    off_s = np.abs(dense.times_s[columns] - place_s[rows, np.newaxis])
    reachable = np.where(off_s <= FOLLOW_WINDOW_S, bits, np.inf)
    best = reachable.argmin(axis=1)
    shifts, sharpness = _between_samples(dense.times_s[columns], bits, is_there, best)
    moments = np.arange(len(rows))
    return rows, columns[moments, best], shifts, bits[moments, best], sharpness


def _between_samples(
    times_s: Seconds, bits: Distances, is_there: npt.NDArray[np.bool_], best: npt.NDArray[np.int64]
) -> tuple[Seconds, Distances]:
    """Where between its neighbours the closest place lies, as two equal slopes meet there."""
    moments = np.arange(len(best))
    middle = np.clip(best, 1, 2 * REACH - 1)
    before, here, after = (bits[moments, middle + step] for step in (-1, 0, 1))
    steps = (times_s[moments, middle + 1] - times_s[moments, middle - 1]) / 2
    steeper = np.maximum(before, after) - here
    usable = (
        (middle == best)
        & is_there[moments, middle - 1]
        & is_there[moments, middle + 1]
        & (steps <= STEP_S_MAX)
        & (np.minimum(before, after) >= here)
        & (steeper > 0)
    )
    share = np.where(usable, (before - after) / (2 * np.maximum(steeper, 1)), 0.0)
    return share * steps, np.where(usable, steeper, 0.0)
