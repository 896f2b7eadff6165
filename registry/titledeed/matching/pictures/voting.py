"""Hough voting: which line through the hits says "this part of the work plays here".

A line is a speed and an offset: work seconds = speed x query seconds + offset. Hits of one copy
lie on one line; accidental hits lie anywhere. Hits of all kinds vote together, and a moment of
the query has one vote in each place, however many of its hits lie there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.base import SAMPLE_PERIOD_S

Seconds = npt.NDArray[np.float64]

SPEED_MIN, SPEED_MAX = 0.5, 2.0
"""Where the codes of a moving shot at 4 Hz still overlap."""

OFFSET_BIN_S = 0.4
"""Bins overlap by half: one and a half samples, so that a copy's hits share a bin."""

SPEED_STEP_MIN, SPEED_STEP_MAX = 0.02, 0.12
"""Neighbouring speeds drift apart by one bin over the query, within these shares."""

CHANGED_SPEED_WEIGHT = 0.9
"""Still footage fits every speed; a changed one must explain clearly more."""

VOTING_HITS_MAX = 2_000
"""The closest hits; bounds the time of one vote."""

LINE_TOLERANCE_S = 0.4
FIT_DURATION_S_MIN = 1.5
FIT_ROUNDS = 3
SIGNIFICANCE = 3.0
PLACE_ERROR_S = 0.05
"""Of one moment's place between samples, at least: re-encoded clips with motion scatter by 0.03 to
0.05 s around their line, and a clip of 4 s must show 5 % to be told faster."""

MOMENTS_PER_S = 2.0
FIT_SHARPNESS = 0.03
"""A hit this much farther than the closest of its moment (8 of 256 bits) weighs 1/e of it."""


@dataclass(frozen=True, slots=True)
class TimeLine:
    """Where in the work each second of the query lies."""

    speed: float
    offset_s: float

    def work_s(self, query_s: Seconds) -> Seconds:
        """Seconds of the work at these seconds of the query."""
        return self.speed * query_s + self.offset_s

    def query_s(self, work_s: Seconds) -> Seconds:
        """Seconds of the query at these seconds of the work."""
        return (work_s - self.offset_s) / self.speed

    def inverse(self) -> TimeLine:
        """Where in the query each second of the work lies."""
        return TimeLine(1 / self.speed, -self.offset_s / self.speed)


@dataclass(frozen=True, slots=True)
class TimedHits:
    """Hits between one query and one work: seconds of both and a weight in (0, 1]."""

    query_s: Seconds
    work_s: Seconds
    weight: npt.NDArray[np.float64]

    def take(self, selection: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> TimedHits:
        """The selected hits."""
        return TimedHits(self.query_s[selection], self.work_s[selection], self.weight[selection])

    def near(self, line: TimeLine) -> npt.NDArray[np.bool_]:
        """Which hits support the line."""
        return np.abs(self.work_s - line.work_s(self.query_s)) <= LINE_TOLERANCE_S


def vote_line(hits: TimedHits) -> tuple[TimeLine, float]:
    """The line most hits agree on, fitted, and its votes: at most one per moment.

    Args:
        hits: at least one.
    """
    order = np.argsort(-hits.weight, kind="stable")[:VOTING_HITS_MAX]
    closest = hits.take(order)
    _, moment = np.unique(np.rint(closest.query_s / SAMPLE_PERIOD_S), return_inverse=True)
    speeds = _speeds(float(np.ptp(closest.query_s)))
    votes, offsets_s = _fullest_bins(closest, moment, speeds)
    votes[1:] *= CHANGED_SPEED_WEIGHT
    winner = int(votes.argmax())
    return _fit(hits, TimeLine(float(speeds[winner]), float(offsets_s[winner]))), float(
        votes[winner]
    )


def _speeds(duration_s: float) -> npt.NDArray[np.float64]:
    """Speed 1 first, then a geometric grid around it."""
    step = float(
        np.clip(OFFSET_BIN_S / max(duration_s, SAMPLE_PERIOD_S), SPEED_STEP_MIN, SPEED_STEP_MAX)
    )
    farthest = np.log(SPEED_MAX)
    steps = np.linspace(0, farthest, int(np.ceil(farthest / step)) + 1)[1:]
    speeds: npt.NDArray[np.float64] = np.exp(np.concatenate([[0.0], steps, -steps]))
    return speeds


def _fullest_bins(
    hits: TimedHits, moment: npt.NDArray[np.int64], speeds: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], Seconds]:
    """Votes and offset of the fullest bin at each speed; the hits come closest first."""
    offsets = hits.work_s - speeds[:, np.newaxis] * hits.query_s
    half = np.floor(offsets / (OFFSET_BIN_S / 2)).astype(np.int64)
    low = int(half.min()) - 1
    bins = np.stack([half - 1, half], axis=-1) - low
    width = int(bins.max()) + 1
    places = bins + width * np.arange(len(speeds))[:, np.newaxis, np.newaxis]
    keys = places * (int(moment.max()) + 1) + moment[:, np.newaxis]
    # Weights fall along the hits, so the first of each key is its closest.
    by_hit = np.moveaxis(keys, 1, 0)
    unique, first = np.unique(by_hit, return_index=True)
    weight = hits.weight[first // (2 * len(speeds))]
    place, start = np.unique(unique // (int(moment.max()) + 1), return_index=True)
    totals = np.add.reduceat(weight, start)
    speed_row = place // width
    order = np.lexsort((-totals, speed_row))
    _, best = np.unique(speed_row[order], return_index=True)
    winners = order[best]
    return totals[winners], (place[winners] % width + low + 1) * OFFSET_BIN_S / 2


def _fit(hits: TimedHits, line: TimeLine) -> TimeLine:
    for _ in range(FIT_ROUNDS):
        near = hits.take(hits.near(line))
        if not len(near.query_s):
            return line
        line = fit_line(near.query_s, near.work_s, _sharpen(near), speed=line.speed)
    return line


def fit_line(
    query_s: Seconds,
    work_s: Seconds,
    weight: npt.NDArray[np.float64],
    *,
    speed: float,
    place_error_s: float = PLACE_ERROR_S,
) -> TimeLine:
    """Weighted least squares through pairs of seconds.

    Args:
        query_s: shape (n,), n at least 1.
        work_s: shape (n,).
        weight: shape (n,), not all 0.
        speed: kept where the pairs are too few or too short to tell another.
        place_error_s: of one pair, at least.

    Returns:
        A line at speed 1 unless the pairs say otherwise: by three standard errors, of as many
        moments as the weights leave alike, two a second at most.
    """
    query_mean = float(np.average(query_s, weights=weight))
    work_mean = float(np.average(work_s, weights=weight))
    duration_s = float(np.ptp(query_s))
    if duration_s >= FIT_DURATION_S_MIN:
        deviation, drift = query_s - query_mean, work_s - work_mean - (query_s - query_mean)
        spread = float(np.average(deviation**2, weights=weight))
        slope = float(np.average(deviation * drift, weights=weight)) / spread
        noise = float(np.average((drift - slope * deviation) ** 2, weights=weight)) ** 0.5
        alike = float(weight.sum() ** 2 / np.sum(weight**2))
        moments = max(2.0, min(alike, MOMENTS_PER_S * duration_s))
        error = max(noise, place_error_s) / (moments * spread) ** 0.5
        speed = 1 + slope if abs(slope) > SIGNIFICANCE * error else 1.0
        speed = min(max(speed, SPEED_MIN), SPEED_MAX)
    return TimeLine(speed, work_mean - speed * query_mean)


def place_line(
    query_s: Seconds, work_s: Seconds, weight: npt.NDArray[np.float64], *, speed: float
) -> TimeLine:
    """The line of a known speed through pairs of seconds, at least one; see ``fit_line``."""
    return TimeLine(speed, float(np.average(work_s - speed * query_s, weights=weight)))


def _sharpen(hits: TimedHits) -> npt.NDArray[np.float64]:
    """Weights by which each moment counts alike and its closest hits prevail."""
    _, moment = np.unique(hits.query_s, return_inverse=True)
    closest = np.zeros(int(moment.max()) + 1)
    np.maximum.at(closest, moment, hits.weight)
    weight = np.exp((hits.weight - closest[moment]) / FIT_SHARPNESS)
    return np.asarray(weight / np.bincount(moment, weight)[moment], np.float64)
