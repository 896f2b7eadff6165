"""Shares of the film with bounds, and what a share claim comes to against them.

Milliseconds and shots are counted, so shares are exact fractions. The lower bound is what is
known to show AI, the upper bound adds everything that nothing resolves. Only a match to a
registration with a source that is not generative resolves seconds as not AI; a film without such
matches therefore has an upper bound of 100 %, since no match is no evidence either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Final

from titledeed.models.audit import Share, TimelineShot
from titledeed.models.disclosure import Qualifier, ShareClaim, ShareMetric, ShareUnit
from titledeed.models.interval import Interval, ShareBounds, covered_s, shared_with_union_s, union

Intervals = Sequence[Interval]

EDGE_S: Final = 0.25
"""Frames are sampled four times a second, so the edge of a match is known to a quarter second."""

ABOUT_TOLERANCE: Final = Fraction(25, 1000)
"""What "about" allows where the claim states no tolerance: 2.5 points of the whole."""

TIME_METRICS: Final = (ShareMetric.SECONDS_ANY, ShareMetric.FRAMES_ANY)


class ShareComparison(StrEnum):
    """A claim against the known share. ``below``: the film shows more than is claimed."""

    CONSISTENT = "consistent"
    BELOW = "below"
    ABOVE = "above"


def time_share(
    duration_s: float, generative: Intervals, declared: Intervals, resolved: Intervals
) -> Share:
    """Share of the film's time.

    Args:
        duration_s: of the film; 0 when it could not be read.
        generative: seconds matched to generative works.
        declared: seconds declared as AI.
        resolved: all matched seconds, whatever their source.
    """
    total = _milliseconds(duration_s)

    def bounds(ai: Intervals) -> ShareBounds:
        if not total:
            return ShareBounds(Fraction(0), Fraction(1))
        lower = min(_milliseconds(covered_s(ai)), total)
        other = min(_milliseconds(covered_s([*ai, *resolved])), total) - lower
        return ShareBounds(Fraction(lower, total), Fraction(total - other, total))

    return Share(total, bounds(generative), bounds([*generative, *declared]))


def shot_share(
    shots: Sequence[TimelineShot], generative: Intervals, declared: Intervals, resolved: Intervals
) -> Share | None:
    """Share of the shots; None without shots.

    A shot counts as soon as it shows any AI for longer than ``shot_tolerance_s``, and as resolved
    when matches to other sources leave no more than that of it open.
    """
    if not shots:
        return None

    settled = union(resolved)

    def bounds(ai: Intervals) -> ShareBounds:
        merged = union(ai)
        hits = [shows(shot, merged) for shot in shots]
        still_open = [
            not hit and not _is_resolved(shot, settled)
            for shot, hit in zip(shots, hits, strict=True)
        ]
        lower = sum(hits)
        return ShareBounds(
            Fraction(lower, len(shots)), Fraction(lower + sum(still_open), len(shots))
        )

    return Share(len(shots), bounds(generative), bounds([*generative, *declared]))


def shot_tolerance_s(shot: TimelineShot) -> float:
    """The edge of a match, and never more than half of a short shot."""
    return min(EDGE_S, shot.time.duration_s / 2)


def shows(shot: TimelineShot, merged: Intervals) -> bool:
    """Whether a shot counts as showing the intervals, which are a union."""
    return shared_with_union_s(shot.time, merged) > shot_tolerance_s(shot)


def _is_resolved(shot: TimelineShot, merged: Intervals) -> bool:
    return shot.time.duration_s - shared_with_union_s(shot.time, merged) <= shot_tolerance_s(shot)


def compare(
    claim: ShareClaim, time: Share, shots: Share | None, rate: Fraction | None, runs: int
) -> ShareComparison | None:
    """A claim against the known share; None where they cannot be compared.

    Args:
        claim: as the disclosure states it.
        time: share of the time.
        shots: share of the shots, if a timeline names them.
        rate: frames per second, for claims in frames.
        runs: how many separate runs the lower bound consists of; each has two edges.
    """
    if claim.metric in TIME_METRICS and time.total:
        seconds = Fraction(time.total, 1000)
        wholes = {
            ShareUnit.RATIO: Fraction(1),
            ShareUnit.SECONDS: seconds,
            ShareUnit.FRAMES: seconds * rate if rate else None,
        }
        # Edges make the lower bound of time a little soft, at most by as much as was found.
        slack = min(Fraction(EDGE_S) * 2 * runs / seconds, time.known.lower)
        return _place(claim, time.known, wholes.get(claim.unit), slack)
    if claim.metric is ShareMetric.SHOTS_ANY and shots:
        wholes = {ShareUnit.RATIO: Fraction(1), ShareUnit.COUNT: Fraction(shots.total)}
        return _place(claim, shots.known, wholes.get(claim.unit), Fraction(0))
    return None


def _place(
    claim: ShareClaim, known: ShareBounds, whole: Fraction | None, slack: Fraction
) -> ShareComparison | None:
    if whole is None:
        return None
    default = ABOUT_TOLERANCE if claim.qualifier is Qualifier.ABOUT else Fraction(0)
    tolerance = default if claim.tolerance is None else claim.tolerance / whole
    value = claim.value / whole
    if claim.qualifier is not Qualifier.AT_LEAST and value + tolerance + slack < known.lower:
        return ShareComparison.BELOW
    if claim.qualifier is not Qualifier.AT_MOST and value - tolerance - slack > known.upper:
        return ShareComparison.ABOVE
    return ShareComparison.CONSISTENT


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
