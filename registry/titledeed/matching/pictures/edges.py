"""The ends of a segment: where support stops, and what there is to stop at.

Codes are samples, so support ends up to one step before the segment does. It reaches from its
last support to the next edge: a cut in the query, footage without evidence, a moment that was
looked at and does not support, or the end of either file.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from titledeed.fingerprinting.base import SAMPLE_PERIOD_S, FrameCodes, hamming_distances
from titledeed.matching.pictures.voting import Seconds, TimeLine
from titledeed.models.interval import Interval

CUT_BITS: Final = 64
"""Two samples of the query this far apart lie in different shots."""

EDGE_RATIO: Final = 1.5
SURROUNDINGS_S: Final = 2.0
"""A cut also stands out from the steps around it: fast footage changes as much all the time."""

GAP_STEPS: Final = 2.5
"""Footage without evidence lies between two samples that are so many usual steps apart."""

EPSILON_S: Final = 1e-6


def span_of(frames: FrameCodes, duration_s: float | None) -> Interval:
    """From the first frame with evidence to half a step past the last, or to the file's end."""
    first_s, last_s = float(frames.times_s[0]), float(frames.times_s[-1])
    if duration_s is not None and 0 <= duration_s - last_s <= 2 * SAMPLE_PERIOD_S:
        return Interval(first_s, duration_s)
    return Interval(first_s, last_s + SAMPLE_PERIOD_S / 2)


def find_common(line: TimeLine, query_span: Interval, work_span: Interval) -> Interval:
    """Seconds of the query where, along a line, both have evidence."""
    limits = line.query_s(np.array([work_span.start_s, work_span.end_s]))
    return Interval(
        max(query_span.start_s, float(limits[0])), min(query_span.end_s, float(limits[1]))
    )


def find_ends(
    support_s: Seconds, tried_s: Seconds, query: FrameCodes, *, within: Interval, reach_s: float
) -> Interval:
    """Seconds of the query from edge to edge.

    Args:
        support_s: moments of the query in support, rising, at least one.
        tried_s: moments that were looked at, these included.
        query: whole frames of the query.
        within: where the segment may lie.
        reach_s: an edge further from the support is none.
    """
    backwards = FrameCodes(-query.times_s[::-1], query.codes[::-1])
    start_s = -_find_end(-float(support_s[0]), -tried_s, backwards, -within.start_s, reach_s)
    end_s = _find_end(float(support_s[-1]), tried_s, query, within.end_s, reach_s)
    return Interval(round(start_s, 3), round(max(start_s, end_s), 3))


def _find_end(
    last_s: float, tried_s: Seconds, query: FrameCodes, bound_s: float, reach_s: float
) -> float:
    refused = tried_s[tried_s > last_s + EPSILON_S]
    next_s = min(float(refused.min()) if len(refused) else bound_s, bound_s)
    cut_s = _find_cut(query, last_s, next_s)
    if cut_s is not None:
        return cut_s
    if next_s < bound_s:
        return (last_s + next_s) / 2
    return bound_s if bound_s - last_s <= reach_s else last_s + SAMPLE_PERIOD_S / 2


def _find_cut(query: FrameCodes, after_s: float, before_s: float) -> float | None:
    """The first step of the query between two shots, or into footage without evidence."""
    around_s = [after_s - SURROUNDINGS_S, before_s + SURROUNDINGS_S]
    first, stop = np.searchsorted(query.times_s, around_s)
    # One row more on either side: footage without evidence may be longer than the surroundings.
    rows = slice(max(0, first - 1), stop + 1)
    times_s, codes = query.times_s[rows], query.codes[rows]
    if len(times_s) < 2:
        return None
    bits, steps_s = hamming_distances(codes[1:], codes[:-1]), np.diff(times_s)
    step_s = float(np.median(np.diff(query.times_s)))
    is_cut = bits >= max(CUT_BITS, EDGE_RATIO * float(np.median(bits)))
    is_gap = steps_s > GAP_STEPS * step_s
    edges_s = times_s[:-1] + np.where(is_gap, step_s, steps_s) / 2
    edges_s = edges_s[(is_cut | is_gap) & (edges_s > after_s) & (edges_s < before_s)]
    return float(edges_s[0]) if len(edges_s) else None
