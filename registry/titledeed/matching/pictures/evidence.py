"""How surely one picture shows another: raw evidence of each kind, for the calibration to judge.

Kinds, the higher the surer: ``FRAMES`` and ``REGIONS``, bits by which the nearest pair of codes is
closer than chance in the best of eight orientations; ``LOCAL``, the evidence of ``geometry``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from titledeed.fingerprinting.base import Codes, hamming_distances
from titledeed.fingerprinting.pictures.orientation import (
    ORIENTATIONS,
    UPRIGHT,
    Orientation,
    orient_codes,
)
from titledeed.matching.pictures.codes import PictureCodes
from titledeed.matching.pictures.geometry import OrientedMatch, verify_oriented
from titledeed.matching.thresholds import load_thresholds

FRAMES: Final = "picture.frames"
REGIONS: Final = "picture.regions"
LOCAL: Final = "picture.local"

CHANCE_BITS: Final = 128
"""Two unrelated codes of 256 bits differ in half of them."""

SAME_BITS: Final = 96
"""Nearer than chance, to be one picture whatever its local features say.

Of 1,414 pairs of pictures drawn from one seed, edited or not, the nearest came to 65; copies whose
local features fail (blurred, squeezed) to 126 and more.
"""

SAME_SHARE: Final = 0.16
SAME_SPREAD: Final = 0.5
"""Of points and fields in common, to be one picture.

Of those pairs at most 0.14 of the points agree, of 864 copies under 54 edits at least 0.20, but for
one that its codes tell. Two pictures in one caption bar, or with one text across, reach 0.22 of the
points but 0.5 of the fields only; 861 of those copies more.
"""


@dataclass(frozen=True, slots=True)
class PictureEvidence:
    """What speaks for one picture being in the other.

    Attributes:
        numbers: by kind; kinds without evidence are absent.
        orientation: that of the query against the work, by the surest kind; of local features,
            which tell any rotation, only whether it is mirrored.
        placement: where the query lies in the work, when local features tell.
    """

    numbers: dict[str, float]
    orientation: Orientation
    placement: OrientedMatch | None

    @property
    def is_same_picture(self) -> bool:
        """Whether one is a copy of the other, and not of its kin."""
        if max(self.numbers.get(FRAMES, 0.0), self.numbers.get(REGIONS, 0.0)) >= SAME_BITS:
            return True
        match = self.placement and self.placement.match
        return bool(match and match.share >= SAME_SHARE and match.spread >= SAME_SPREAD)


def compare_pictures(
    query: PictureCodes,
    work: PictureCodes,
    orientations: Iterable[Orientation] = ORIENTATIONS,
) -> PictureEvidence:
    """Compare all codes of two pictures.

    Args:
        query: its first moment counts.
        work: a candidate's.
        orientations: of the query, tried with the frame and region codes.
    """
    found: dict[str, tuple[float, Orientation]] = {}
    for kind, ours, theirs in (
        (FRAMES, query.frames, work.frames),
        (REGIONS, query.regions, work.regions),
    ):
        if ours is not None and theirs is not None:
            found[kind] = _closest(ours.codes, theirs.codes, orientations)
    placement = None
    if query.local is not None and work.local is not None:
        placement = verify_oriented(query.local, work.local)
        found[LOCAL] = (
            (placement.match.evidence, placement.orientation) if placement else (0.0, UPRIGHT)
        )
    numbers = {kind: number for kind, (number, _) in found.items()}
    surest = max(
        numbers, key=lambda kind: load_thresholds().score({kind: numbers[kind]}), default=None
    )
    return PictureEvidence(numbers, found[surest][1] if surest else UPRIGHT, placement)


def _closest(
    query: Codes, work: Codes, orientations: Iterable[Orientation]
) -> tuple[float, Orientation]:
    """Bits by which the nearest pair is closer than chance, and its orientation."""
    found = []
    for orientation in orientations:
        turned = orient_codes(query, orientation)
        distance = int(hamming_distances(turned[:, np.newaxis], work).min())
        found.append((distance, orientation))
    distance, orientation = min(found, key=lambda pair: pair[0])
    return max(0.0, float(CHANCE_BITS - distance)), orientation
