"""The eight orientations of a picture, and how the codes of one are those of another.

A low frequency of the mirrored picture is the same frequency with the sign of ``(-1) ** k``; of
the transposed picture, the frequencies change places. So each orientation is a permutation of the
stored bits and a mask: nothing has to be computed from pixels again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.base import Codes
from titledeed.fingerprinting.pictures.spectrum import FREQUENCIES


@dataclass(frozen=True, slots=True)
class Orientation:
    """How the picture is turned from the stored one.

    Attributes:
        turns: quarter turns counter-clockwise, 0 to 3, after
        mirrored: left and right changed places.
    """

    turns: int = 0
    mirrored: bool = False

    def move(self, points: npt.NDArray[np.float64], size: Sizes) -> npt.NDArray[np.float64]:
        """Points of a picture in the turned picture.

        Args:
            points: x to the right and y downwards, shape (n, 2).
            size: width and height of the picture before it is turned, shape (2,) or (n, 2).
        """
        x, y = points[:, 0], points[:, 1]
        width, height = np.broadcast_to(size, points.shape).T
        if self.mirrored:
            x = width - x
        for _ in range(self.turns):
            x, y, width, height = y, width - x, height, width
        return np.stack([x, y], axis=1)


Sizes = npt.NDArray[np.float64]
"""Widths and heights, shape (2,) or (n, 2)."""

UPRIGHT: Final = Orientation()
MIRRORED: Final = Orientation(mirrored=True)
ORIENTATIONS: Final = (
    UPRIGHT,
    MIRRORED,
    *(Orientation(turns, mirrored) for turns in (1, 2, 3) for mirrored in (False, True)),
)
"""All eight, likely ones first."""


def orient_codes(codes: Codes, orientation: Orientation) -> Codes:
    """Codes of the same pictures turned.

    Args:
        codes: of 256 signs, shape (n, 32).
        orientation: how to turn them.
    """
    source, mask = _sign_moves(orientation)
    if not orientation.turns:
        return codes ^ np.packbits(mask)  # every bit keeps its place
    bits = np.unpackbits(codes, axis=1)
    return np.packbits(bits[:, source] ^ mask, axis=1)


@cache
def _sign_moves(
    orientation: Orientation,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Which bit each bit comes from, and which are flipped."""
    source = np.arange(FREQUENCIES * FREQUENCIES).reshape(FREQUENCIES, FREQUENCIES)
    mask = np.zeros_like(source, np.uint8)
    odd = (np.arange(FREQUENCIES) % 2 == 0).astype(np.uint8)  # frequency 1 comes first
    if orientation.mirrored:
        mask = mask ^ odd
    for _ in range(orientation.turns):
        source, mask = source.T, mask.T ^ odd[:, np.newaxis]
    return source.ravel(), mask.ravel()
