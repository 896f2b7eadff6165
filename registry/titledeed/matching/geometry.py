"""Whether the local features of two keyframes lie in one geometric arrangement.

Nearest descriptors propose pairs of points; two pairs fix a similarity transform; the transform
that most pairs agree with, in place, size and direction, is then refined to an affine one, so
that stretched and tilted copies count in full. Everything is exhaustive over the best pairs:
the same features always give the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import bdtrc

from titledeed.fingerprinting.local_features import LocalFeatures, orient_features
from titledeed.fingerprinting.orientation import MIRRORED, UPRIGHT, Orientation

DESCRIPTOR_DISTANCE_MAX: Final = 26
"""Bits of 128 at which the nearest descriptor proposes a pair; see ``Local``."""

SEEDS_MAX: Final = 48
"""Closest pairs, any two of which propose a transform: 1,128 at most."""

SEED_DISTANCE_MIN: Final = 0.04
"""Two points nearer than this, in longer sides, fix no transform."""

TOLERANCE: Final = 0.03
"""By which a point may miss its place, in longer sides of the larger of both pictures."""

SIZE_OCTAVES_MAX: Final = 1.0
TURN_RAD_MAX: Final = 0.5
"""By which a pair's own change of size and direction may differ from the transform's."""

SCALE_MAX: Final = 5.0
STRETCH_MAX: Final = 2.5
AFFINE_ROUNDS: Final = 3
AFFINE_PAIRS_MIN: Final = 4

CHANCE: Final = 5e-4
"""Of an accidental pair to agree with a given transform: place 0.5 %, direction a sixth, size a
half."""

CELLS: Final = 60
"""Points in the same 60th of the longer side count once."""

Points = npt.NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class GeometricMatch:
    """One arrangement that two keyframes share.

    Attributes:
        evidence: minus the decimal logarithm of how many arrangements as large are expected by
            accident among all transforms tried (a contrario; Moisan and Stival 2004).
        inliers: pairs of points that agree, each point counted once.
        transform: maps points (x, y, 1) of the query to points of the work, shape (2, 3).
    """

    evidence: float
    inliers: int
    transform: npt.NDArray[np.float64]

    @property
    def scale(self) -> float:
        """Length in the work per length in the query."""
        return float(abs(np.linalg.det(self.transform[:, :2])) ** 0.5)


@dataclass(frozen=True, slots=True)
class OrientedMatch:
    """The query's picture, so oriented, lies in the work."""

    orientation: Orientation
    match: GeometricMatch


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Proposed pairs, closest descriptors first."""

    query: Points
    work: Points
    octaves: npt.NDArray[np.float64]
    turns: npt.NDArray[np.float64]


def verify(query: LocalFeatures, work: LocalFeatures) -> GeometricMatch | None:
    """The arrangement most pairs of points agree on, or None where none has three.

    Args:
        query: features of one keyframe.
        work: features of one keyframe.
    """
    pairs = _propose(query, work)
    scales, offsets = _propose_transforms(pairs)
    if not len(scales):
        return None
    agree = _agree(pairs, scales, offsets)
    best = int(agree.sum(axis=1).argmax())
    inside, transform = _refine(pairs, agree[best], scales[best], offsets[best])
    inliers = min(_count_places(side[inside]) for side in (pairs.query, pairs.work))
    if inliers < 3:
        return None
    accidents = bdtrc(inliers - 3, max(len(pairs.query), inliers) - 2, CHANCE) * len(scales)
    return GeometricMatch(max(0.0, -float(np.log10(max(accidents, 1e-300)))), inliers, transform)


def verify_oriented(
    query: LocalFeatures,
    work: LocalFeatures,
    orientations: Iterable[Orientation] = (UPRIGHT, MIRRORED),
) -> OrientedMatch | None:
    """The best of several orientations of the query; rotations need none of their own."""
    found = [
        OrientedMatch(orientation, match)
        for orientation in orientations
        if (match := verify(orient_features(query, orientation), work)) is not None
    ]
    return max(found, key=lambda oriented: oriented.match.evidence, default=None)


def _propose(query: LocalFeatures, work: LocalFeatures) -> _Pairs:
    """The nearest descriptor of the work for each of the query."""
    ours, theirs = (
        np.ascontiguousarray(side.descriptors).view(np.uint64) for side in (query, work)
    )
    distance = np.bitwise_count(ours[:, np.newaxis, 0] ^ theirs[:, 0])
    distance += np.bitwise_count(ours[:, np.newaxis, 1] ^ theirs[:, 1])
    nearest = distance.argmin(axis=1)
    closest = distance[np.arange(len(nearest)), nearest]
    order = np.argsort(closest, kind="stable")
    rows = order[: np.searchsorted(closest[order], DESCRIPTOR_DISTANCE_MAX, side="right")]
    columns = nearest[rows]
    return _Pairs(
        query=_to_plane(query.points[rows]),
        work=_to_plane(work.points[columns]),
        octaves=np.log2(work.scales[columns] / query.scales[rows]),
        turns=work.angles[columns] - query.angles[rows],
    )


def _to_plane(points: npt.NDArray[np.float64]) -> Points:
    return np.asarray(points[:, 0] + 1j * points[:, 1], np.complex128)


def _propose_transforms(pairs: _Pairs) -> tuple[Points, Points]:
    """Similarities work = scale * query + offset through any two of the closest pairs."""
    one, other = np.triu_indices(min(SEEDS_MAX, len(pairs.query)), 1)
    apart = pairs.query[one] - pairs.query[other]
    far = np.abs(apart) > SEED_DISTANCE_MIN
    one, other = one[far], other[far]
    scales = (pairs.work[one] - pairs.work[other]) / apart[far]
    size = np.abs(scales)
    usable = (size < SCALE_MAX) & (size > 1 / SCALE_MAX)
    for row in (one, other):
        octaves = np.log2(np.maximum(size, 1e-9))
        usable &= np.abs(pairs.octaves[row] - octaves) < SIZE_OCTAVES_MAX
        usable &= _apart(pairs.turns[row], np.angle(scales)) < TURN_RAD_MAX
    scales, one = scales[usable], one[usable]
    return scales, pairs.work[one] - scales * pairs.query[one]


def _agree(pairs: _Pairs, scales: Points, offsets: Points) -> npt.NDArray[np.bool_]:
    """Which pairs agree with which transform, shape (transforms, pairs)."""
    scale, offset = scales[:, np.newaxis], offsets[:, np.newaxis]
    size = np.abs(scale)
    misses = np.abs(scale * pairs.query + offset - pairs.work) / np.maximum(1, size)
    return np.asarray(
        (misses < TOLERANCE)
        & (_apart(pairs.turns, np.angle(scale)) < TURN_RAD_MAX)
        & (np.abs(pairs.octaves - np.log2(size)) < SIZE_OCTAVES_MAX)
    )


def _apart(
    angles: npt.NDArray[np.float64], others: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Radians between directions, 0 to pi."""
    return np.abs((angles - others + np.pi) % (2 * np.pi) - np.pi)


def _refine(
    pairs: _Pairs, inside: npt.NDArray[np.bool_], scale: complex, offset: complex
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """An affine transform through the pairs inside, while it holds more of them."""
    transform = np.array(
        [[scale.real, -scale.imag, offset.real], [scale.imag, scale.real, offset.imag]]
    )
    source = np.stack([pairs.query.real, pairs.query.imag, np.ones(len(pairs.query))], axis=1)
    target = np.stack([pairs.work.real, pairs.work.imag], axis=1)
    for _ in range(AFFINE_ROUNDS):
        if inside.sum() < AFFINE_PAIRS_MIN:
            break
        fitted = np.linalg.lstsq(source[inside], target[inside], rcond=None)[0].T
        stretches = np.linalg.svd(fitted[:, :2], compute_uv=False)
        if stretches[0] > STRETCH_MAX * stretches[1] or stretches[1] < 1 / SCALE_MAX:
            break
        misses = np.hypot(*(source @ fitted.T - target).T) / max(1.0, float(stretches.mean()))
        holds = misses < TOLERANCE
        if holds.sum() < inside.sum():
            break
        inside, transform = holds, np.asarray(fitted, np.float64)
    return inside, transform


def _count_places(points: Points) -> int:
    cells = np.floor(points.real * CELLS) + 1j * np.floor(points.imag * CELLS)
    return len(np.unique(cells))
