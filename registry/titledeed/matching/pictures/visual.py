"""One query against one work by what they show: frames, regions and local features together.

The codes of frames and regions find segments and time them to fractions of a sample; local
features confirm them, and find those in which the picture is too much covered, shrunk or tilted
for codes. Where one side shows one picture all along, ``stills`` takes over.

Evidence comes by kind: ``video.frames`` and ``video.regions`` (see ``runs``), ``video.local``
(see ``keyframes``). Calibrated thresholds say what is a match.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from titledeed.matching.pictures.alignment import Alignment, align
from titledeed.matching.pictures.local_segments import VIDEO_LOCAL, confirm, locate, verify
from titledeed.matching.pictures.stills import is_still_pair, match_stills
from titledeed.matching.pictures.views import Lookups, View, VisualSegment, exclude

CLEAR_WORTH: Final = 2.0
"""Codes that tell so much need no local features, which cost most of the time."""

TIMING_GAIN: Final = 1.1
"""Codes time better than keyframes, so of two that tell about as much those with codes are kept;
but one that holds a fifth keyframe where the other has four tells more."""

SAME_MEAN_CLOSENESS: Final = 0.72
SAME_CONTRAST_BITS: Final = 14.0
"""Nearness of the whole picture, or following in time: either says that it is one recording and
not two that share something."""


def match_work(views: Sequence[View], work: View, lookups: Lookups) -> list[VisualSegment]:
    """Segments of the work in the query, in order; no two share a moment of the query.

    Args:
        views: the query in each orientation.
        work: the candidate.
        lookups: what was found of it; a sample is enough.
    """
    if is_still_pair(views[0], work):
        matches = [
            verify(view, work, pairs) for view, pairs in zip(views, lookups.pairs, strict=True)
        ]
        return match_stills(views, work, lookups.hits, matches)
    spans = (views[0].span, work.span)
    aligned = align([view.looks for view in views], work.looks, lookups.hits, spans)
    segments = [_from_codes(found, views[found.orientation]) for found in aligned]
    clear = [segment for segment in segments if segment.worth >= CLEAR_WORTH]
    unclear = [segment for segment in segments if segment.worth < CLEAR_WORTH]
    for view, pairs in zip(views, lookups.pairs, strict=True):
        found = verify(view, work, pairs, [segment.query for segment in clear])
        if found is not None:
            unclear = [confirm(segment, view, found) for segment in unclear]
            unclear += locate(view, work, found)
    kept: list[VisualSegment] = []
    for segment in [*clear, *sorted(unclear, key=_precedence, reverse=True)]:
        if not any(exclude(segment.query, other.query) for other in kept):
            kept.append(segment)
    return sorted(kept, key=lambda segment: segment.query)


def _precedence(segment: VisualSegment) -> float:
    has_codes = segment.evidence.keys() != {VIDEO_LOCAL}
    return segment.worth * (TIMING_GAIN if has_codes else 1.0)


def _from_codes(found: Alignment, view: View) -> VisualSegment:
    return VisualSegment(
        found.query,
        found.work,
        found.speed,
        view.orientation,
        found.evidence,
        found.closeness >= SAME_MEAN_CLOSENESS or found.contrast >= SAME_CONTRAST_BITS,
    )
