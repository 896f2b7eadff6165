"""Whether the local features of two keyframes lie in one geometric arrangement.

Nearest descriptors propose pairs of points; two pairs fix a similarity transform; the transform
that most pairs agree with, in place, size and direction, is then refined to an affine one, so
that stretched and tilted copies count in full. Everything is exhaustive over the best pairs:
the same features always give the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import bdtrc

from titledeed.fingerprinting.pictures.local_features import LocalFeatures, orient_features
from titledeed.fingerprinting.pictures.orientation import MIRRORED, UPRIGHT, Orientation

DESCRIPTOR_DISTANCE_MAX: Final = 26
"""Bits of 128 at which the nearest descriptor proposes a pair; see ``Local``."""

SEEDS_MAX: Final = 48
"""Closest pairs, any two of which propose a transform: 1,128 at most."""

PROBED_MIN: Final = 200
PROBE_STEP: Final = 3
"""A query with so many points is first asked about with every third of them.

Of 300 edited copies of pictures that left five seeds or more in agreement, of unrelated pictures
three or more in one of twelve.
"""

TRIED_MAX: Final = 256
"""Transforms that votes are counted for; where more are proposed, most of them are alike."""

LIKELY_MAX: Final = 32
"""Transforms most seeds agree with, which all pairs are asked about."""

INLIERS_MIN: Final = 3
"""Two pairs fix a transform, so only a third one says anything for it."""

SEED_DISTANCE_MIN: Final = 0.04
"""Two points nearer than this, in longer sides, fix no transform."""

TOLERANCE: Final = 0.03
"""By which a point may miss its place, in longer sides of the larger of both pictures."""

SIZE_OCTAVES_MAX: Final = 1.0
TURN_COSINE_MIN: Final = float(np.cos(0.5))
"""By how much, and by what angle, a pair's own change of size and direction may differ from the
transform's."""

SCALE_MAX: Final = 5.0
STRETCH_MAX: Final = 2.5
AFFINE_ROUNDS: Final = 3
AFFINE_PAIRS_MIN: Final = 4

CHANCE: Final = 5e-4
"""Of an accidental pair to agree with a given transform: place 0.5 %, direction a sixth, size a
half."""

COPY_SHARE: Final = 0.3
COPY_SPREAD: Final = 0.4
"""Of points and of fields in common, to count in full.

Nine in ten keyframes of edited clips have such a share, but for insets under 70 %: half of those.
Of keyframes of unrelated clips that share an arrangement 96 % have less.
"""

FIELDS: Final = 6
"""Fields across the area in common, and down it."""

IN_PLACE: Final = 0.03
"""By which a transform that leaves everything in its place may differ from identity."""

PLACE_CELLS: Final = 60
"""Points in the same 60th of the longer side count once."""

Points = npt.NDArray[np.complex64]


@dataclass(frozen=True, slots=True)
class GeometricMatch:
    """One arrangement that two keyframes share.

    Attributes:
        evidence: minus the decimal logarithm of how many arrangements as large are expected by
            accident among all transforms tried (a contrario; Moisan and Stival 2004); in
            proportion less where share or spread are below those of copies.
        inliers: pairs of points that agree, each point counted once.
        share: of the points in the area that both pictures show, on the side with fewer, those
            that agree: most of a copy's, and of two that have a part in common only that part's.
        spread: share of the fields of that area, those with points, in which some agree: a line
            of writing has many points in few fields.
        transform: maps points (x, y, 1) of the query to points of the work, shape (2, 3).
    """

    evidence: float
    inliers: int
    share: float
    spread: float
    transform: npt.NDArray[np.float64]

    @property
    def scale(self) -> float:
        """Length in the work per length in the query."""
        return float(abs(np.linalg.det(self.transform[:, :2])) ** 0.5)

    @property
    def is_in_place(self) -> bool:
        """Whether both show the same view, neither cut nor shrunk nor tilted."""
        return bool(np.abs(self.transform - np.eye(2, 3)).max() < IN_PLACE)


@dataclass(frozen=True, slots=True)
class OrientedMatch:
    """The query's picture, so oriented, lies in the work."""

    orientation: Orientation
    match: GeometricMatch


@dataclass(frozen=True, slots=True)
class Placed:
    """What of one keyframe lies where a transform puts it.

    Attributes:
        places: numbers of the query's places where points agree, as whole numbers.
        pairs: proposed pairs, agreeing or not.
    """

    places: frozenset[float]
    pairs: int

    @property
    def surroundings(self) -> frozenset[float]:
        """These places and those beside them: a point is not always found on the same spot."""
        steps = (-1, 0, 1)
        return frozenset(
            place + 2 * PLACE_CELLS * across + down
            for place in self.places
            for across in steps
            for down in steps
        )


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Proposed pairs, closest descriptors first."""

    query: Points
    work: Points
    octaves: npt.NDArray[np.float32]
    turns: Points

    def first(self, count: int) -> _Pairs:
        """The closest pairs."""
        return _Pairs(
            self.query[:count], self.work[:count], self.octaves[:count], self.turns[:count]
        )


@dataclass(frozen=True, slots=True)
class _Similarities:
    """Transforms work = scale * query + offset."""

    scales: Points
    offsets: Points

    def take(self, rows: npt.NDArray[np.int64]) -> _Similarities:
        """The selected transforms."""
        return _Similarities(self.scales[rows], self.offsets[rows])


def verify(query: LocalFeatures, work: LocalFeatures) -> GeometricMatch | None:
    """The arrangement most pairs of points agree on, or None where none has three.

    Args:
        query: features of one keyframe.
        work: features of one keyframe.
    """
    if len(query.scales) >= PROBED_MIN:
        *_, votes = _vote(_propose(query, work, step=PROBE_STEP))
        if votes.max(initial=0) < INLIERS_MIN:
            return None
    pairs = _propose(query, work)
    count, tried, votes = _vote(pairs)
    if votes.max(initial=0) < INLIERS_MIN:
        return None
    likely = np.argsort(-votes, kind="stable")[:LIKELY_MAX]
    agree = _agree(pairs, tried.take(likely))
    best = int(agree.sum(axis=1).argmax())
    scale, offset = complex(tried.scales[likely[best]]), complex(tried.offsets[likely[best]])
    inside, transform = _refine(pairs, agree[best], scale, offset)
    inliers = min(_count_places(side[inside]) for side in (pairs.query, pairs.work))
    if inliers < INLIERS_MIN:
        return None
    accidents = bdtrc(inliers - 3, max(len(pairs.query), inliers) - 2, CHANCE) * count
    common = _find_common(query, work, transform)
    share = inliers / max(inliers, min(_count_places(points) for points in common))
    spread = max(
        _spread(side[inside], points)
        for side, points in zip((pairs.query, pairs.work), common, strict=True)
    )
    weight = min(1.0, share / COPY_SHARE) * min(1.0, spread / COPY_SPREAD)
    evidence = max(0.0, -float(np.log10(max(accidents, 1e-300))))
    return GeometricMatch(weight * evidence, inliers, share, spread, transform)


def find_placed(
    query: LocalFeatures, work: LocalFeatures, transform: npt.NDArray[np.float64]
) -> Placed:
    """Which points lie where a transform, known from elsewhere, puts them.

    Args:
        query: features of one keyframe.
        work: features of one keyframe.
        transform: of query points to work points, shape (2, 3).
    """
    pairs = _propose(query, work)
    scale = complex(transform[0, 0] + transform[1, 1], transform[1, 0] - transform[0, 1]) / 2
    points = np.stack([pairs.query.real, pairs.query.imag, np.ones(len(pairs.query))], axis=1)
    moved = _to_plane(points @ transform.T)
    agree = (
        (np.abs(moved - pairs.work) < TOLERANCE * max(1.0, abs(scale)))
        & ((pairs.turns * scale.conjugate()).real > TURN_COSINE_MIN * abs(scale))
        & (np.abs(pairs.octaves - np.log2(abs(scale))) < SIZE_OCTAVES_MAX)
    )
    return Placed(_number_places(pairs.query[agree]), len(pairs.query))


def weigh_placed(count: int, pairs: int) -> float:
    """Minus the decimal logarithm of how likely so many of the pairs agree by accident."""
    return -float(np.log10(max(bdtrc(count - 1, max(pairs, count), CHANCE), 1e-300)))


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


def _propose(query: LocalFeatures, work: LocalFeatures, step: int = 1) -> _Pairs:
    """The nearest descriptor of the work for each point of the query, or for one per step."""
    ours, theirs = (
        np.ascontiguousarray(descriptors).view(np.uint64)
        for descriptors in (query.descriptors[::step], work.descriptors)
    )
    distance = np.bitwise_count(ours[:, np.newaxis, 0] ^ theirs[:, 0])
    distance += np.bitwise_count(ours[:, np.newaxis, 1] ^ theirs[:, 1])
    closest = distance.min(axis=1)
    rows = np.flatnonzero(closest <= DESCRIPTOR_DISTANCE_MAX)
    rows = rows[np.argsort(closest[rows], kind="stable")]
    columns = distance[rows].argmin(axis=1)
    rows = rows * step
    return _Pairs(
        query=_to_plane(query.points[rows]),
        work=_to_plane(work.points[columns]),
        octaves=np.log2(work.scales[columns] / query.scales[rows]).astype(np.float32),
        turns=np.exp(1j * (work.angles[columns] - query.angles[rows])).astype(np.complex64),
    )


def _to_plane(points: npt.NDArray[np.float64]) -> Points:
    return np.asarray(points[:, 0] + 1j * points[:, 1], np.complex64)


def _vote(pairs: _Pairs) -> tuple[int, _Similarities, npt.NDArray[np.int64]]:
    """How many transforms the closest pairs propose, some, and how many of these pairs agree."""
    seeds = pairs.first(SEEDS_MAX)
    proposed = _propose_transforms(seeds)
    count = len(proposed.scales)
    tried = proposed.take(np.arange(0, count, 1 + count // TRIED_MAX))
    return count, tried, _agree(seeds, tried).sum(axis=1)


def _propose_transforms(seeds: _Pairs) -> _Similarities:
    """Through any two pairs whose own changes of size and direction fit."""
    one, other = _combine(len(seeds.query))
    apart = seeds.query[one] - seeds.query[other]
    far = np.abs(apart) > SEED_DISTANCE_MIN
    one, other = one[far], other[far]
    scales = (seeds.work[one] - seeds.work[other]) / apart[far]
    size = np.abs(scales)
    usable = (size < SCALE_MAX) & (size > 1 / SCALE_MAX)
    one, other, scales, size = one[usable], other[usable], scales[usable], size[usable]
    octaves, turns = np.log2(size), scales / size
    fits = np.logical_and.reduce(
        [
            (np.abs(seeds.octaves[row] - octaves) < SIZE_OCTAVES_MAX)
            & ((seeds.turns[row] * turns.conj()).real > TURN_COSINE_MIN)
            for row in (one, other)
        ]
    )
    scales, one = scales[fits], one[fits]
    offsets = seeds.work[one] - scales * seeds.query[one]
    return _Similarities(np.asarray(scales, np.complex64), np.asarray(offsets, np.complex64))


@cache
def _combine(count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Any two of so many."""
    one, other = np.triu_indices(count, 1)
    return one, other


def _agree(pairs: _Pairs, tried: _Similarities) -> npt.NDArray[np.bool_]:
    """Which pairs agree with which transform, shape (transforms, pairs)."""
    scale, offset = tried.scales[:, np.newaxis], tried.offsets[:, np.newaxis]
    size = np.abs(scale)
    misses = scale * pairs.query + offset - pairs.work
    return np.asarray(
        (misses.real**2 + misses.imag**2 < (TOLERANCE * np.maximum(1, size)) ** 2)
        & (pairs.turns.real * scale.real + pairs.turns.imag * scale.imag > TURN_COSINE_MIN * size)
        & (np.abs(pairs.octaves - np.log2(size)) < SIZE_OCTAVES_MAX)
    )


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
    return len(_number_places(points))


def _number_places(points: Points) -> frozenset[float]:
    places = 2 * PLACE_CELLS * np.floor(PLACE_CELLS * points.real) + np.floor(
        PLACE_CELLS * points.imag
    )
    return frozenset(places.tolist())


def _find_common(
    query: LocalFeatures, work: LocalFeatures, transform: npt.NDArray[np.float64]
) -> tuple[Points, Points]:
    """The points of either side in the area that both pictures show."""
    linear, offset = transform[:, :2], transform[:, 2]
    moved = query.points @ linear.T + offset
    back = (work.points - offset) @ np.linalg.inv(linear).T
    return (
        _to_plane(query.points[_lie_inside(moved, work.shapes[0])]),
        _to_plane(work.points[_lie_inside(back, query.shapes[0])]),
    )


def _spread(agreeing: Points, common: Points) -> float:
    """Share of the fields with points of an area in which some agree."""
    if not len(common):
        return 0.0
    x, y = common.real, common.imag
    low = np.array([x.min(), y.min()])
    size = np.maximum(np.array([x.max(), y.max()]) - low, 1 / PLACE_CELLS)

    def count(points: Points) -> int:
        places = (np.stack([points.real, points.imag], axis=1) - low) / size * FIELDS
        columns, rows = np.clip(places.astype(np.int64), 0, FIELDS - 1).T
        return len(set((FIELDS * rows + columns).tolist()))

    return min(1.0, count(agreeing) / count(common))


def _lie_inside(
    points: npt.NDArray[np.float64], shape: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    return np.asarray(((points >= 0) & (points <= shape)).all(axis=1))
