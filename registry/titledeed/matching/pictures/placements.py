"""Whether the picture keeps its place from keyframe to keyframe: an inset does, no accident does.

A pair of keyframes with few points in common may be an accident, and so may its placement. But
where that placement holds in other keyframes too, at points that did not show before, each of them
speaks for a copy: there is nothing left to choose. What stands still shows no new points, so a room
or a texture that lies alike by accident is counted once.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from titledeed.fingerprinting.pictures.local_features import LocalFeatures
from titledeed.matching.pictures.geometry import find_placed, weigh_placed
from titledeed.matching.pictures.keyframes import KeyframeMatches, guide_pairs
from titledeed.matching.pictures.voting import TimeLine

PLACEMENT_SEEDS_MAX: Final = 3
"""Pairs whose placement is tried, those with most evidence."""

NEW_PLACES_MIN: Final = 2
"""In a keyframe, to count: one agrees by accident in one of a hundred."""


def hold_placement(
    query: LocalFeatures, work: LocalFeatures, matches: KeyframeMatches, line: TimeLine
) -> KeyframeMatches:
    """Keyframes along a line in which the placement of one of the matches holds.

    Args:
        query: in the orientation that is asked about.
        work: a candidate's.
        matches: at least one, near the line.
        line: where the keyframes are expected.
    """
    seeds = np.argsort(-matches.evidence, kind="stable")[:PLACEMENT_SEEDS_MAX]
    held = [
        _hold(query, work, matches.take(seeds[row : row + 1]), line) for row in range(len(seeds))
    ]
    return max(held, key=lambda one: float((one.evidence**2).sum()))


def _hold(
    query: LocalFeatures, work: LocalFeatures, seed: KeyframeMatches, line: TimeLine
) -> KeyframeMatches:
    """The same for one match; what is held is as sure to be one recording as that is."""
    first = int(np.searchsorted(query.times_s, seed.query_s[0]))
    other = int(np.searchsorted(work.times_s, seed.work_s[0]))
    transform = seed.transforms[0]
    seen = find_placed(query.keyframe(first), work.keyframe(other), transform).surroundings
    rows, columns, evidence = [], [], []
    for row, column in guide_pairs(query.times_s, work.times_s, line, seed.query_s):
        placed = find_placed(query.keyframe(row), work.keyframe(column), transform)
        new = len(placed.places - seen)
        seen |= placed.surroundings
        if new >= NEW_PLACES_MIN:
            rows.append(row)
            columns.append(column)
            evidence.append(weigh_placed(new, placed.pairs))
    count = len(rows)
    return KeyframeMatches(
        query.times_s[np.array(rows, np.int64)],
        work.times_s[np.array(columns, np.int64)],
        np.array(evidence, np.float64),
        np.repeat(seed.share, count),
        np.repeat(seed.is_in_place, count),
        np.repeat(seed.transforms, count, axis=0),
    )
