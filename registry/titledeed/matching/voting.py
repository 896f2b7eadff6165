"""Hough voting: which line through the hits says "this part of the work plays here".

A line is a speed and an offset: work seconds = speed x query seconds + offset. Hits of one copy
lie on one line; accidental hits lie anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.base import SAMPLE_PERIOD_S

SPEEDS = (1.0, 24 / 25, 25 / 24, 0.9, 1.1, 0.8, 1.25, 2 / 3, 1.5, 0.5, 2.0)
"""Tried in this order; the fit finds what lies between."""

OFFSET_BIN_S = 0.3
"""Bins overlap by half."""

CHANGED_SPEED_WEIGHT = 0.9
"""Still footage fits every speed; a changed one must explain clearly more."""

LINE_TOLERANCE_S = 0.4
FIT_HITS_MIN = 4
FIT_DURATION_S_MIN = 1.5
FIT_ROUNDS = 3
FIT_SHARPNESS = 0.03
"""A hit this much farther than the closest of its moment (8 of 256 bits) weighs 1/e of it."""

SPEED_MIN, SPEED_MAX = 0.45, 2.2


@dataclass(frozen=True, slots=True)
class Line:
    """Where in the work each second of the query lies."""

    speed: float
    offset_s: float

    def work_s(self, query_s: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Seconds of the work at these seconds of the query."""
        return self.speed * query_s + self.offset_s


@dataclass(frozen=True, slots=True)
class TimedHits:
    """Hits between one query and one work: seconds of both and a weight in (0, 1]."""

    query_s: npt.NDArray[np.float64]
    work_s: npt.NDArray[np.float64]
    weight: npt.NDArray[np.float64]

    def take(self, selection: npt.NDArray[np.bool_]) -> TimedHits:
        """The selected hits."""
        return TimedHits(self.query_s[selection], self.work_s[selection], self.weight[selection])

    def near(self, line: Line) -> npt.NDArray[np.bool_]:
        """Which hits support the line."""
        return np.abs(self.work_s - line.work_s(self.query_s)) <= LINE_TOLERANCE_S


def vote_line(hits: TimedHits) -> Line:
    """The line most hits agree on, fitted. Each moment of the query votes once per bin.

    Args:
        hits: at least one.
    """
    order = np.argsort(-hits.weight, kind="stable")
    _, moment = np.unique(hits.query_s, return_inverse=True)
    best, best_votes = Line(1.0, 0.0), -1.0
    for speed in SPEEDS:
        offsets = hits.work_s - speed * hits.query_s
        votes, offset_s = _fullest_bin(offsets[order], moment[order], hits.weight[order])
        votes *= 1.0 if speed == 1.0 else CHANGED_SPEED_WEIGHT
        if votes > best_votes:
            best, best_votes = Line(speed, offset_s), votes
    return _fit(hits, best)


def _fullest_bin(
    offsets: npt.NDArray[np.float64],
    moment: npt.NDArray[np.int64],
    weight: npt.NDArray[np.float64],
) -> tuple[float, float]:
    half = np.floor(offsets / (OFFSET_BIN_S / 2)).astype(np.int64)
    low = int(half.min()) - 1
    pairs = np.concatenate([half, half - 1]) - low
    moments, weights = np.tile(moment, 2), np.tile(weight, 2)
    # Weights fall, so the first of each (bin, moment) is the closest hit.
    _, first = np.unique(pairs * (int(moment.max()) + 1) + moments, return_index=True)
    bins, inverse = np.unique(pairs[first], return_inverse=True)
    totals = np.bincount(inverse, weights[first])
    winner = int(totals.argmax())
    return float(totals[winner]), float((bins[winner] + low + 1) * OFFSET_BIN_S / 2)


def _fit(hits: TimedHits, line: Line) -> Line:
    for _ in range(FIT_ROUNDS):
        near = hits.take(hits.near(line))
        if not len(near.query_s):
            return line
        line = _fit_once(near, line.speed)
    return line


def _fit_once(hits: TimedHits, speed: float) -> Line:
    """Weighted least squares; speed 1 wherever the difference is below one sample."""
    weight = _sharpen(hits)
    query_mean = float(np.average(hits.query_s, weights=weight))
    work_mean = float(np.average(hits.work_s, weights=weight))
    deviation = hits.query_s - query_mean
    duration_s = float(np.ptp(hits.query_s))
    if len(np.unique(hits.query_s)) < FIT_HITS_MIN or duration_s < FIT_DURATION_S_MIN:
        return Line(speed, work_mean - speed * query_mean)
    covariance = float(np.sum(weight * deviation * (hits.work_s - work_mean)))
    speed = covariance / float(np.sum(weight * deviation**2))
    if abs(speed - 1) * duration_s < SAMPLE_PERIOD_S:
        speed = 1.0
    speed = min(max(speed, SPEED_MIN), SPEED_MAX)
    return Line(speed, work_mean - speed * query_mean)


def _sharpen(hits: TimedHits) -> npt.NDArray[np.float64]:
    """Weights by which each moment counts alike and its closest hits prevail."""
    _, moment = np.unique(hits.query_s, return_inverse=True)
    closest = np.zeros(int(moment.max()) + 1)
    np.maximum.at(closest, moment, hits.weight)
    weight = np.exp((hits.weight - closest[moment]) / FIT_SHARPNESS)
    return np.asarray(weight / np.bincount(moment, weight)[moment], np.float64)
