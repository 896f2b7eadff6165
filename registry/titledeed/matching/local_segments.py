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

from titledeed.matching.alignment import WHOLE
from titledeed.matching.edges import find_common, find_ends
from titledeed.matching.keyframes import (
    KeyframeMatches,
    Pair,
    guide_pairs,
    join_matches,
    refine_line,
    verify_pairs,
    vote_keyframes,
    weigh_keyframes,
)
from titledeed.matching.views import View, VisualSegment
from titledeed.matching.voting import Line
from titledeed.models.interval import Interval

LOCAL: Final = "video.local"

VOTE_FLOOR: Final = 4.0
"""Of one pair of keyframes: one accident in 10,000 pairs; weaker pairs do not vote."""

GUIDED_FLOOR: Final = 3.0
"""Where the line already says which pair to look at; two views of one wooden table reach 2.7."""

KEYFRAME_REACH_S: Final = 4.1
"""The longest gap between keyframes."""

SAME_COVERAGE: Final = 0.5
"""Of the features of a keyframe, in place: then one picture is all of the other."""

FOLLOWS_RATIO: Final = 1.3
FOLLOWS_KEYFRAMES_MIN: Final = 2
"""A copy follows the work from keyframe to keyframe, and elsewhere in it less agrees; two takes of
one scene agree in one view, or everywhere."""


def verify(
    view: View, work: View, pairs: Sequence[Pair], explained: Sequence[Interval] = ()
) -> KeyframeMatches | None:
    """Check the pairs of keyframes that no clear segment explains."""
    if view.local is None or work.local is None:
        return None
    times_s = view.local.times_s
    open_pairs = [
        (row, column)
        for row, column in pairs
        if not any(span.start_s <= times_s[row] <= span.end_s for span in explained)
    ]
    return verify_pairs(view.local, work.local, open_pairs)


def confirm(segment: VisualSegment, view: View, matches: KeyframeMatches) -> VisualSegment:
    """A segment of codes with what local features add to it."""
    if view.orientation != segment.orientation:
        return segment
    line = Line(segment.speed, segment.work.start_s - segment.speed * segment.query.start_s)
    inside = (matches.query_s >= segment.query.start_s) & (matches.query_s <= segment.query.end_s)
    support = matches.take(inside & matches.near(line))
    return replace(
        segment,
        evidence=MappingProxyType({**segment.evidence, LOCAL: weigh_keyframes(support)}),
        is_same_recording=segment.is_same_recording or _covers(support),
    )


def _covers(matches: KeyframeMatches) -> bool:
    return bool(len(matches.coverage)) and float(matches.coverage.max()) >= SAME_COVERAGE


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
        segments.append(_describe(query, line, view, support, matches))
        inside = (matches.query_s >= query.start_s) & (matches.query_s <= query.end_s)
        matches = matches.take(~(near | inside))
    return segments


def _fill(view: View, work: View, support: KeyframeMatches, line: Line) -> KeyframeMatches:
    """Check the pairs along the line that the look-up did not propose."""
    if view.local is None or work.local is None:
        return support
    pairs = guide_pairs(view.local.times_s, work.local.times_s, line, support.query_s)
    found = verify_pairs(view.local, work.local, pairs)
    return join_matches(support, found.take(found.evidence >= GUIDED_FLOOR))


def _span(view: View, work: View, support: KeyframeMatches, line: Line) -> Interval:
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
    query: Interval, line: Line, view: View, support: KeyframeMatches, matches: KeyframeMatches
) -> VisualSegment:
    start_s, end_s = line.work_s(np.array([query.start_s, query.end_s]))
    away = matches.evidence[~matches.near(line)]
    best = float(support.evidence.max())
    alike = np.unique(support.query_s[support.evidence >= best / 2])
    follows = len(alike) >= FOLLOWS_KEYFRAMES_MIN and best > FOLLOWS_RATIO * float(
        away.max(initial=0.0)
    )
    return VisualSegment(
        query,
        Interval(round(max(0.0, float(start_s)), 3), round(max(0.0, float(end_s)), 3)),
        round(line.speed, 4),
        view.orientation,
        MappingProxyType({LOCAL: weigh_keyframes(support)}),
        is_same_recording=follows or _covers(support),
    )
