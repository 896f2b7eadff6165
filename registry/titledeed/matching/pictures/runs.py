"""Runs: stretches of one track whose codes stay close along a line, and how much that tells.

A run ends where footage is cut away. Its evidence is one number, higher is surer:

    (closeness + gain x contrast x sqrt(novelty)) x min(1, duration / 1.25 s)

*Closeness* is 1 for equal codes and 0 at chance; still footage has nothing else. *Contrast* is
how much closer the run is to its place in the work than to the rest of the work, as a share of
all bits, and *novelty* how far the query's codes travelled meanwhile: two takes of one scene are
close everywhere, unrelated footage is nowhere close, and only a copy follows the work in time. Two
or three moments come close by accident once in so many hours, whatever they show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.base import SAMPLE_PERIOD_S, Codes, FrameCodes, hamming_distances
from titledeed.matching.pictures.tracks import CODE_BITS, Trace, Track
from titledeed.matching.pictures.voting import TimeLine

FOLLOW_DISTANCE_MAX = 92
"""Wider than a hit, because the place is known."""

MISSES_MAX = 3
RUN_GAP_S_MAX = 1.6
"""A run ends after more moments, or more seconds, without support."""

SHARE_MIN = 0.5
"""Of the moments between the ends of a run, those that support it."""

CHANCE_DISTANCE = CODE_BITS / 2
"""Mean distance of unrelated codes."""

NOVELTY_BITS = 48
"""Two codes this far apart tell as much as two unrelated ones."""

CONTRAST_GAIN = 1.0
RUN_S_MIN = 1.25
"""Shorter runs tell less. Of 27 accidents in a film of 100 minutes among 1,000 works 26 had two to
four moments; the shortest cut that must be found, of 1.5 s, has six."""

AWAY_S = 1.0
AWAY_ROWS_MAX = 128


@dataclass(frozen=True, slots=True)
class Run:
    """Support without a break.

    Attributes:
        trace: the supporting moments.
        evidence: see the module.
        mean: bits apart, on average.
        novelty: how far the query's codes travelled, in units of ``NOVELTY_BITS``.
        contrast: bits by which the rest of the work is further away.
    """

    trace: Trace
    evidence: float
    mean: float
    novelty: float
    contrast: float


def find_runs(track: Track, line: TimeLine, found: Trace) -> list[Run]:
    """All runs of a trace, in order of time."""
    support = np.flatnonzero(found.distances <= FOLLOW_DISTANCE_MAX)
    if not len(support):
        return []
    breaks = (np.diff(support) > MISSES_MAX + 1) | (np.diff(found.query_s[support]) > RUN_GAP_S_MAX)
    parts = map(_trim, np.split(support, np.flatnonzero(breaks) + 1))
    return [
        weigh(track, line, found.take(part))
        for part in parts
        if len(part) >= SHARE_MIN * (part[-1] - part[0] + 1)
    ]


def _trim(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """A lone moment beyond a miss, at either end, is as likely an accident."""
    if len(rows) > 2 and rows[1] - rows[0] > 1:
        rows = rows[1:]
    return rows[:-1] if len(rows) > 2 and rows[-1] - rows[-2] > 1 else rows


def weigh(track: Track, line: TimeLine, support: Trace) -> Run:
    """The evidence of some moments of a track."""
    mean = float(support.distances.mean())
    novelty = measure_novelty(support.codes)
    contrast = max(0.0, _distance_away(line, support, track.work) - mean)
    evidence = 1 - mean / CHANCE_DISTANCE
    evidence += CONTRAST_GAIN * contrast / CHANCE_DISTANCE * float(np.sqrt(novelty))
    duration_s = float(np.ptp(support.query_s)) + SAMPLE_PERIOD_S
    evidence *= min(1.0, duration_s / RUN_S_MIN)
    return Run(support, evidence, mean, novelty, contrast)


def measure_novelty(codes: Codes) -> float:
    """How far codes travel from one to the next; 0 in still footage."""
    steps = hamming_distances(codes[1:], codes[:-1])
    return float(np.minimum(steps / NOVELTY_BITS, 1.0).sum())


def _distance_away(line: TimeLine, support: Trace, work: FrameCodes) -> float:
    """Mean distance of the moments from the work elsewhere than on the line; 0 if it is short."""
    moments = _thin(len(support.query_s))
    rows = _thin(len(work.times_s))
    place_s = line.work_s(support.query_s[moments])
    away = np.abs(place_s[:, np.newaxis] - work.times_s[rows]) >= AWAY_S
    if not away.any():
        return 0.0
    distances = hamming_distances(support.codes[moments][:, np.newaxis], work.codes[rows])
    return float(distances[away].mean())


def _thin(count: int) -> npt.NDArray[np.int64]:
    return np.arange(0, count, -(-count // AWAY_ROWS_MAX) or 1)
