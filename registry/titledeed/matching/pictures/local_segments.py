"""Segments by local features: they confirm what codes found, and find what codes cannot.

Codes fail where the picture is too much covered, shrunk or tilted; keyframes are sparse, so what
they find is timed more coarsely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.matching.pictures.alignment import WHOLE
from titledeed.matching.pictures.edges import find_common, find_ends
from titledeed.matching.pictures.keyframes import (
    GUIDED_MAX,
    KEYFRAME_SAME_SHARE,
    KeyframeMatches,
    Pair,
    guide_pairs,
    join_matches,
    refine_line,
    verify_pairs,
    vote_keyframes,
    weigh_keyframes,
)
from titledeed.matching.pictures.placements import hold_placement
from titledeed.matching.pictures.views import View, VisualSegment
from titledeed.matching.pictures.voting import TimeLine
from titledeed.models.interval import Interval

VIDEO_LOCAL: Final = "video.local"

VOTE_FLOOR: Final = 0.5
"""Of one pair of keyframes. Unrelated clips have pairs as good; that their placement holds in other
keyframes, they have not."""

GUIDED_FLOOR: Final = 1.5
"""Where the line already says which pair to look at."""

PAIRS_MAX: Final = 12
KEYFRAMES_PER_PAIR: Final = 4
"""Pairs verified per work and orientation; of a long query more, as it may show a work twice."""

PROBES: Final = 4
PAIRS_PER_PROBE: Final = 3
"""Pairs after which a work is given up when none of them shares anything.

Of 284 edited clips that share something with their work 282 do so in the first pair, all in the
first three.
"""

KEYFRAME_REACH_S: Final = 4.1
"""The longest gap between keyframes."""

SAME_SHARE_IN_PLACE: Final = 0.75
"""Of the points in common, to be one recording where a camera may have stood still: two takes of
one room reach 0.69. Copies that are in place are near in their codes too, which tell them."""


def verify(
    view: View, work: View, pairs: Sequence[Pair], explained: Sequence[Interval] = ()
) -> KeyframeMatches | None:
    """Check the pairs of keyframes that no clear segment explains.

    Args:
        view: the query in one orientation.
        work: the candidate.
        pairs: the most promising ones first.
        explained: seconds of the query.
    """
    if view.local is None or work.local is None:
        return None
    times_s = view.local.times_s
    open_pairs = [
        (row, column)
        for row, column in pairs
        if not any(span.start_s <= times_s[row] <= span.end_s for span in explained)
    ]
    tried = open_pairs[: max(PAIRS_MAX, len(times_s) // KEYFRAMES_PER_PAIR)]
    probes = max(PROBES, len(tried) // PAIRS_PER_PROBE)
    found = verify_pairs(view.local, work.local, tried[:probes])
    if found.evidence.max(initial=0.0) < GUIDED_FLOOR:
        return found
    return join_matches(found, verify_pairs(view.local, work.local, tried[probes:]))


def confirm(segment: VisualSegment, view: View, matches: KeyframeMatches) -> VisualSegment:
    """A segment of codes with what local features add to it."""
    if view.orientation != segment.orientation:
        return segment
    line = TimeLine(segment.speed, segment.work.start_s - segment.speed * segment.query.start_s)
    inside = (matches.query_s >= segment.query.start_s) & (matches.query_s <= segment.query.end_s)
    support = matches.take(inside & matches.near(line))
    told = float(support.evidence[_tell_same(support)].sum())
    return replace(
        segment,
        evidence=MappingProxyType({**segment.evidence, VIDEO_LOCAL: weigh_keyframes(support)}),
        is_same_recording=segment.is_same_recording or told > float(support.evidence.sum()) / 2,
    )


def _tell_same(matches: KeyframeMatches) -> npt.NDArray[np.bool_]:
    """Which pairs show one recording."""
    return matches.share >= np.where(matches.is_in_place, SAME_SHARE_IN_PLACE, KEYFRAME_SAME_SHARE)


def locate(view: View, work: View, matches: KeyframeMatches) -> list[VisualSegment]:
    """Segments that local features alone tell."""
    segments: list[VisualSegment] = []
    matches = matches.take(matches.evidence >= VOTE_FLOOR)
    while len(matches.evidence):
        line = vote_keyframes(matches)
        near = matches.near(line)
        if not near.any():
            break
        support = _fill(view, work, matches.take(near), line)
        line = refine_line(support, line)
        query = _span(view, work, support, line)
        segments.append(_describe(query, line, view, support))
        inside = (matches.query_s >= query.start_s) & (matches.query_s <= query.end_s)
        matches = matches.take(~(near | inside))
    return segments


def _fill(view: View, work: View, support: KeyframeMatches, line: TimeLine) -> KeyframeMatches:
    """Check the pairs along the line that the look-up did not propose."""
    if view.local is None or work.local is None:
        return support
    pairs = guide_pairs(view.local.times_s, work.local.times_s, line, support.query_s)
    found = verify_pairs(view.local, work.local, pairs)
    support = join_matches(support, found.take(found.evidence >= GUIDED_FLOOR))
    return join_matches(support, hold_placement(view.local, work.local, support, line))


def _span(view: View, work: View, support: KeyframeMatches, line: TimeLine) -> Interval:
    moments = np.unique(support.query_s)
    if view.local is None or work.local is None or not (view.looks and work.looks):
        return Interval(float(moments[0]), float(moments[-1]))
    breaks = np.flatnonzero(np.diff(moments) > 2 * KEYFRAME_REACH_S)
    return find_ends(
        max(np.split(moments, breaks + 1), key=len),
        view.local.times_s,
        view.looks[WHOLE],
        within=find_common(line, view.span, work.span),
        reach_s=KEYFRAME_REACH_S,
    )


def _describe(
    query: Interval, line: TimeLine, view: View, support: KeyframeMatches
) -> VisualSegment:
    start_s, end_s = line.work_s(np.array([query.start_s, query.end_s]))
    same_s = np.unique(support.query_s[_tell_same(support)])
    return VisualSegment(
        query,
        Interval(round(max(0.0, float(start_s)), 3), round(max(0.0, float(end_s)), 3)),
        round(line.speed, 4),
        view.orientation,
        MappingProxyType({VIDEO_LOCAL: weigh_keyframes(support)}),
        # Two takes agree as well as a copy where they happen to; a copy does so most of the time.
        is_same_recording=2 * len(same_s) >= max(1, min(GUIDED_MAX, _count_keyframes(view, query))),
    )


def _count_keyframes(view: View, span: Interval) -> int:
    if view.local is None:
        return 0
    times_s = view.local.times_s
    return int(np.count_nonzero((times_s >= span.start_s) & (times_s <= span.end_s)))
