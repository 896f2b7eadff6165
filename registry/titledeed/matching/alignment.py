"""From hits to segments: which seconds of a query are which seconds of one work.

A voted line is only a suspicion. It is followed frame by frame through both time lines, and what
holds without a break is a segment; where footage is cut away in between, the segment ends. Still
footage counts as one piece of evidence, however long it lasts, and must then be much closer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.base import (
    SAMPLE_PERIOD_S,
    Codes,
    FrameCodes,
    hamming_distances,
)
from titledeed.matching.voting import LINE_TOLERANCE_S, Line, TimedHits, vote_line
from titledeed.models.interval import Interval

NOVELTY_BITS = 6
"""A frame closer than this to one of the two frames kept before it tells nothing new."""

KEY_ROWS = 4
"""A key at least so often, so that still footage is laid upon itself at every second."""

FOLLOW_WINDOW_S = 0.3
"""How far from its place on the line a frame of the work may lie: one sample, with rounding."""

FOLLOW_DISTANCE_MAX = 92
"""Wider than a hit, because the place is known."""

MISSES_MAX = 3
GAP_S_MAX = 1.5
"""A segment ends after more frames, or more seconds, without support."""

FRAMES_MIN = 4
"""One second; what is shorter is not claimed."""

SHARE_MIN = 0.6
"""Of the frames between the ends of a segment, those that support it."""

CHANCE_DISTANCE = 128.0
"""Mean distance of unrelated codes of 256 bits."""

MEAN_DISTANCE_BASE, MEAN_DISTANCE_STEP, MEAN_DISTANCE_MAX = 24, 7, 80
"""Mean distance allowed with d distinct frames: 24 + 7 d, at most 80.

Among 83 million pairs of frames of 67 real clips, their turned, cropped and inverted copies
included, accidental runs began at 77 with 6 distinct frames and at 86 with 7; clips cropped to
90 % of their width and height lie at 47 to 84.
"""

CLOSE_DISTANCE_MAX = 36
"""Up to this mean distance the pictures are the same; beyond it, time must tell too."""

CONTRAST_MIN = 14
"""Bits by which a segment must be closer to its place than to the rest of the work.

Two takes of one room by one camera differ by 50 bits wherever they are laid upon each other, 6 to
10 less on their best line; edited copies of moving pictures gain 16 and more.
"""

CONTRAST_AWAY_S = 1.0
CONTRAST_FRAMES_MAX = 256

SEGMENTS_MAX = 64
FAILURES_MAX = 8
"""Lines refused in a row before the rest of the hits is taken for accident."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """One segment with its evidence.

    Attributes:
        frames: distinct moments of the query in support.
        score: share of supporting frames times their closeness, 0 at chance and 1 when equal.
    """

    query: Interval
    work: Interval
    speed: float
    frames: int
    score: float


def select_novel(codes: Codes) -> npt.NDArray[np.bool_]:
    """Which codes differ from both of the last two selected ones; the first always does."""
    novel = np.zeros(len(codes), np.bool_)
    kept: list[int] = []
    for row, code in enumerate(codes):
        bits = int.from_bytes(code.tobytes(), "big")
        if all((bits ^ other).bit_count() >= NOVELTY_BITS for other in kept):
            novel[row] = True
            kept = [*kept[-1:], bits]
    return novel


def select_keys(codes: Codes) -> npt.NDArray[np.bool_]:
    """The rows worth scanning: the novel ones, and of still footage one in a second."""
    keys = select_novel(codes)
    keys[::KEY_ROWS] = True
    return keys


def align(query: FrameCodes, work: FrameCodes, hits: TimedHits) -> list[Alignment]:
    """Segments of the work in the query; no two share a moment of the query.

    Args:
        query: all codes of the query.
        work: all codes of the work.
        hits: close pairs among them; a sample is enough.
    """
    found: list[Alignment] = []
    failures = 0
    while len(hits.query_s) and failures < FAILURES_MAX and len(found) < SEGMENTS_MAX:
        line = vote_line(hits)
        alignment = _follow(line, query, work)
        if alignment is None or any(alignment.query.overlap_s(a.query) > 0 for a in found):
            failures += 1
            spent = hits.near(line)
        else:
            failures = 0
            found.append(alignment)
            spent = _inside(hits.query_s, alignment.query)
            rest = ~_inside(query.times_s, alignment.query)
            query = FrameCodes(query.times_s[rest], query.codes[rest])
        hits = hits.take(~spent) if spent.any() else hits.take(hits.weight > hits.weight.min())
    return sorted(found, key=lambda alignment: alignment.query)


def _inside(times_s: npt.NDArray[np.float64], span: Interval) -> npt.NDArray[np.bool_]:
    inside: npt.NDArray[np.bool_] = (times_s >= span.start_s) & (times_s < span.end_s)
    return inside


def _follow(line: Line, query: FrameCodes, work: FrameCodes) -> Alignment | None:
    """The longest run along the line, if it is evidence enough."""
    rows, distances = _trace(line, query, work)
    run = _longest_run(query.times_s[rows], distances)
    if len(run) < FRAMES_MIN:
        return None
    share = len(run) / (run[-1] - run[0] + 1)
    mean = float(distances[run].mean())
    support = FrameCodes(query.times_s[rows[run]], query.codes[rows[run]])
    if share < SHARE_MIN or not _is_evidence(line, support, work, mean):
        return None
    start_s, end_s = support.times_s[[0, -1]] + (0.0, SAMPLE_PERIOD_S)
    span = Interval(float(start_s), float(end_s))
    return Alignment(
        query=span,
        work=_map(span, line, float(work.times_s[-1]) + SAMPLE_PERIOD_S),
        speed=round(line.speed, 4),
        frames=len(run),
        score=float(share * (1 - mean / CHANCE_DISTANCE)),
    )


def _is_evidence(line: Line, support: FrameCodes, work: FrameCodes, mean: float) -> bool:
    distinct = int(select_novel(support.codes).sum())
    if mean > min(MEAN_DISTANCE_MAX, MEAN_DISTANCE_BASE + MEAN_DISTANCE_STEP * distinct):
        return False
    return mean <= CLOSE_DISTANCE_MAX or _distance_away(line, support, work) - mean >= CONTRAST_MIN


def _distance_away(line: Line, support: FrameCodes, work: FrameCodes) -> float:
    """Mean distance of the frames from the work elsewhere than on the line; 0 if it is short."""
    frames = _sample(support, CONTRAST_FRAMES_MAX)
    others = _sample(work, CONTRAST_FRAMES_MAX)
    away_s = np.abs(line.work_s(frames.times_s)[:, np.newaxis] - others.times_s)
    distances = hamming_distances(frames.codes[:, np.newaxis], others.codes)
    away = distances[away_s >= CONTRAST_AWAY_S]
    return float(away.mean()) if len(away) else 0.0


def _sample(frames: FrameCodes, count_max: int) -> FrameCodes:
    step = -(-len(frames.times_s) // count_max)
    return FrameCodes(frames.times_s[::step], frames.codes[::step])


def _map(span: Interval, line: Line, work_end_s: float) -> Interval:
    start_s, end_s = np.clip(line.work_s(np.array([span.start_s, span.end_s])), 0.0, work_end_s)
    return Interval(round(float(start_s), 3), round(float(end_s), 3))


def _trace(
    line: Line, query: FrameCodes, work: FrameCodes
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """One row per moment of the query on the line, and its distance from the work there."""
    place_s = line.work_s(query.times_s)
    first = np.searchsorted(work.times_s, place_s - FOLLOW_WINDOW_S, side="left")
    stop = np.searchsorted(work.times_s, place_s + FOLLOW_WINDOW_S, side="right")
    on_line = np.flatnonzero(
        (place_s > work.times_s[0] - LINE_TOLERANCE_S)
        & (place_s < work.times_s[-1] + LINE_TOLERANCE_S)
    )
    distances = np.full(len(place_s), 8 * query.codes.shape[1])
    for step in range(int((stop - first)[on_line].max(initial=0))):
        rows = on_line[first[on_line] + step < stop[on_line]]
        step_distances = hamming_distances(query.codes[rows], work.codes[first[rows] + step])
        distances[rows] = np.minimum(distances[rows], step_distances)
    return _best_per_moment(query.times_s, on_line, distances[on_line])


def _best_per_moment(
    times_s: npt.NDArray[np.float64],
    rows: npt.NDArray[np.int64],
    distances: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    order = np.lexsort((distances, times_s[rows]))
    _, best = np.unique(times_s[rows][order], return_index=True)
    return rows[order][best], distances[order][best]


def _longest_run(
    times_s: npt.NDArray[np.float64], distances: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    support = np.flatnonzero(distances <= FOLLOW_DISTANCE_MAX)
    breaks = (np.diff(support) > MISSES_MAX + 1) | (np.diff(times_s[support]) > GAP_S_MAX)
    return max(np.split(support, np.flatnonzero(breaks) + 1), key=len)
