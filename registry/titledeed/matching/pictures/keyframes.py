"""Keyframes of a query and of a work that show one geometric arrangement, and when.

Keyframes are sparse and need not fall on the same moments of query and work, so a line is voted
for widely: what lies up to a second beside it still supports it, the less the fewer points agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.pictures.local_features import LocalFeatures
from titledeed.matching.pictures.geometry import DESCRIPTOR_DISTANCE_MAX, GeometricMatch, verify
from titledeed.matching.pictures.voting import SPEED_MAX, Seconds, TimeLine, fit_line

Pair = tuple[int, int]
"""Rows of a keyframe of the query and of one of the work."""

GUIDED_MAX: Final = 12
"""Further pairs verified along a line, those nearest to its support."""

NEAR_DESCRIPTORS_MIN: Final = 3
"""Of a pair, to be worth verifying: two fix a transform, a third one may speak for it."""

BLOCK: Final = 512
"""Descriptors compared at once: bounds the scratch."""

REACH_S: Final = 1.1
"""How far beside a line a pair still supports it: half the mean gap between keyframes."""

KEYFRAME_SPEEDS: Final = tuple(np.exp(np.linspace(-np.log(SPEED_MAX), np.log(SPEED_MAX), 29)))

KEYFRAME_CHANGED_SPEED_WEIGHT: Final = 0.8
KEYFRAME_PLACE_ERROR_S: Final = 0.3
"""Of a pair of keyframes: a quarter of their distance, as they fall on moments of their own."""

KEYFRAME_SAME_SHARE: Final = 0.24
"""Of the points in common, to be one recording.

Medians over the keyframes of a clip: two takes over one table 0.17 to 0.23, single keyframes of
edited ones to 0.30; copies of 20 kinds 0.24 to 0.99 but for one in forty.
"""

LUCKIEST_SHARE: Final = 0.4
"""Of the strongest keyframe of a segment, what counts: it is the best of many that were tried.

Of 1,500 clips that are registered nowhere the 60 with most evidence had it from one keyframe, all
but three of them; a copy shows in keyframe after keyframe.
"""

FIT_PAIRS_MIN: Final = 3
KEYFRAME_FIT_S_MIN: Final = 4.0
"""Less does not tell a speed from keyframes."""


@dataclass(frozen=True, slots=True)
class KeyframeMatches:
    """Verified pairs of keyframes in one orientation of the query.

    Attributes:
        query_s: shape (n,).
        work_s: shape (n,).
        evidence: see ``GeometricMatch``, shape (n,).
        share: see ``GeometricMatch``, shape (n,).
        is_in_place: see ``GeometricMatch``, shape (n,).
        transforms: see ``GeometricMatch``, shape (n, 2, 3).
    """

    query_s: Seconds
    work_s: Seconds
    evidence: npt.NDArray[np.float64]
    share: npt.NDArray[np.float64]
    is_in_place: npt.NDArray[np.bool_]
    transforms: npt.NDArray[np.float64]

    def take(self, selection: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> KeyframeMatches:
        """The selected pairs."""
        return KeyframeMatches(
            self.query_s[selection],
            self.work_s[selection],
            self.evidence[selection],
            self.share[selection],
            self.is_in_place[selection],
            self.transforms[selection],
        )

    def near(self, line: TimeLine) -> npt.NDArray[np.bool_]:
        """Which pairs support the line."""
        near: npt.NDArray[np.bool_] = (
            np.abs(self.work_s - line.work_s(self.query_s)) <= REACH_S * line.speed
        )
        return near


def find_pairs(query: LocalFeatures, work: LocalFeatures) -> list[Pair]:
    """Pairs of keyframes with most near descriptors, by exhaustive comparison."""
    counts = np.zeros((len(query.times_s), len(work.times_s)), np.int64)
    theirs = np.ascontiguousarray(work.descriptors).view(np.uint64)
    ours = np.ascontiguousarray(query.descriptors).view(np.uint64)
    for start in range(0, len(ours), BLOCK):
        block = ours[start : start + BLOCK]
        distance = np.bitwise_count(block[:, np.newaxis, 0] ^ theirs[:, 0])
        distance += np.bitwise_count(block[:, np.newaxis, 1] ^ theirs[:, 1])
        rows, columns = np.nonzero(distance <= DESCRIPTOR_DISTANCE_MAX)
        np.add.at(counts, (query.frame[start + rows], work.frame[columns]), 1)
    return choose_pairs(counts)


def choose_pairs(counts: npt.NDArray[np.int64]) -> list[Pair]:
    """The promising pairs, those with most near descriptors first.

    Args:
        counts: near descriptors, shape (keyframes of the query, keyframes of the work).
    """
    rows, columns = np.nonzero(counts >= NEAR_DESCRIPTORS_MIN)
    order = np.argsort(-counts[rows, columns], kind="stable")
    return list(zip(rows[order].tolist(), columns[order].tolist(), strict=True))


def verify_pairs(
    query: LocalFeatures, work: LocalFeatures, pairs: Sequence[Pair]
) -> KeyframeMatches:
    """Those pairs that share an arrangement.

    Args:
        query: in the orientation that is asked about.
        work: a candidate's.
        pairs: candidates among their keyframes.
    """
    found = []
    for row, column in pairs:
        ours, theirs = query.keyframe(row), work.keyframe(column)
        match = verify(ours, theirs)
        if match is not None and match.evidence > 0:
            found.append((row, column, match))
    return _collect(query, work, found)


def guide_pairs(query_s: Seconds, work_s: Seconds, line: TimeLine, known_s: Seconds) -> list[Pair]:
    """For keyframes of the query the one of the work nearest to a line, where one is near.

    Args:
        query_s: of the query's keyframes.
        work_s: of the work's.
        line: where they are expected.
        known_s: keyframes of the query that need none.
    """
    off_s = np.abs(line.work_s(query_s)[:, np.newaxis] - work_s)
    columns = off_s.argmin(axis=1)
    is_near = off_s[np.arange(len(query_s)), columns] <= REACH_S * line.speed
    rows = np.flatnonzero(is_near & ~np.isin(query_s, known_s))
    away_s = np.abs(query_s[rows, np.newaxis] - known_s).min(axis=1)
    rows = np.sort(rows[np.argsort(away_s, kind="stable")[:GUIDED_MAX]])
    return [(int(row), int(columns[row])) for row in rows]


def join_matches(some: KeyframeMatches, others: KeyframeMatches) -> KeyframeMatches:
    """All pairs of both."""
    return KeyframeMatches(
        np.concatenate([some.query_s, others.query_s]),
        np.concatenate([some.work_s, others.work_s]),
        np.concatenate([some.evidence, others.evidence]),
        np.concatenate([some.share, others.share]),
        np.concatenate([some.is_in_place, others.is_in_place]),
        np.concatenate([some.transforms, others.transforms]),
    )


def _collect(
    query: LocalFeatures,
    work: LocalFeatures,
    found: Sequence[tuple[int, int, GeometricMatch]],
) -> KeyframeMatches:
    return KeyframeMatches(
        query.times_s[np.array([row for row, _, _ in found], np.int64)],
        work.times_s[np.array([column for _, column, _ in found], np.int64)],
        np.array([match.evidence for _, _, match in found], np.float64),
        np.array([match.share for _, _, match in found], np.float64),
        np.array([match.is_in_place for _, _, match in found], np.bool_),
        np.array([match.transform for _, _, match in found], np.float64).reshape(-1, 2, 3),
    )


def vote_keyframes(matches: KeyframeMatches) -> TimeLine:
    """The line that most evidence lies near.

    Args:
        matches: at least one.
    """
    speeds = np.array([1.0, *KEYFRAME_SPEEDS])
    offsets = matches.work_s - speeds[:, np.newaxis] * matches.query_s
    _, keyframe = np.unique(matches.query_s, return_inverse=True)
    support = np.zeros((*offsets.shape, int(keyframe.max()) + 1))
    for pair, row in enumerate(keyframe):
        off_s = np.abs(offsets[:, pair, np.newaxis] - offsets) / speeds[:, np.newaxis]
        weight = matches.evidence[pair] * np.clip(1 - off_s / (2 * REACH_S), 0, None)
        support[:, :, row] = np.maximum(support[:, :, row], weight)
    votes = support.sum(axis=2)
    votes[1:] *= KEYFRAME_CHANGED_SPEED_WEIGHT * ((support[1:] > 0).sum(axis=2) >= FIT_PAIRS_MIN)
    row, column = np.unravel_index(int(votes.argmax()), votes.shape)
    return refine_line(matches, TimeLine(float(speeds[row]), float(offsets[row, column])))


def refine_line(matches: KeyframeMatches, line: TimeLine) -> TimeLine:
    """The line fitted to the pairs near it, some at least; more evidence is nearer to the truth."""
    near = matches.take(matches.near(line))
    weight = near.evidence**2
    _, keyframe = np.unique(near.query_s, return_inverse=True)
    weight = weight / np.bincount(keyframe, weight)[keyframe] * np.sqrt(near.evidence)
    enough = len(np.unique(keyframe)) >= FIT_PAIRS_MIN
    if enough and float(np.ptp(near.query_s)) >= KEYFRAME_FIT_S_MIN:
        return fit_line(
            near.query_s,
            near.work_s,
            weight,
            speed=line.speed,
            place_error_s=KEYFRAME_PLACE_ERROR_S,
        )
    offset_s = float(np.average(near.work_s - line.speed * near.query_s, weights=weight))
    return TimeLine(line.speed, offset_s)


def weigh_keyframes(matches: KeyframeMatches) -> float:
    """Evidence of all pairs together: one per keyframe of the query, added as if at right angles.

    Keyframes of one scene repeat each other, so they add less than independent ones would; and the
    strongest may be an accident.
    """
    if not len(matches.evidence):
        return 0.0
    _, keyframe = np.unique(matches.query_s, return_inverse=True)
    best = np.zeros(int(keyframe.max()) + 1)
    np.maximum.at(best, keyframe, matches.evidence)
    best[best.argmax()] *= LUCKIEST_SHARE
    return float(np.sqrt(np.sum(best**2)))
