"""The low frequencies of a picture: what our own code is made of, and what evidence needs.

A picture that varies in one direction only (a ramp, colour bars) or not at all has none of them:
its code would be rounding noise and would match others of the kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.base import Luma, shrink_luma

FREQUENCIES: Final = 16
THUMBNAIL_PX: Final = 64

COEFFICIENT_MEDIAN_MIN: Final = 4.0
"""Half of the coefficients must exceed noise. The flattest frame of 67 real clips had 9.9."""


def _cosines() -> npt.NDArray[np.float32]:
    frequency = np.arange(1, FREQUENCIES + 1)[:, np.newaxis]
    position = 2 * np.arange(THUMBNAIL_PX) + 1
    cosines = np.cos(np.pi * frequency * position / (2 * THUMBNAIL_PX))
    return np.asarray(cosines * np.sqrt(2 / THUMBNAIL_PX), np.float32)


_COSINES: Final = _cosines()


def compute_spectra(pictures: Sequence[Luma]) -> npt.NDArray[np.float32]:
    """Orthonormal DCT-II of each picture at 64 x 64, vertical and horizontal frequency 1 to 16.

    Args:
        pictures: at least one, of any size.

    Returns:
        Shape (n, 256), horizontal frequency fastest.
    """
    thumbnails = np.stack(
        [shrink_luma(picture, width=THUMBNAIL_PX, height=THUMBNAIL_PX) for picture in pictures]
    )
    spectra = _COSINES @ thumbnails.astype(np.float32) @ _COSINES.T
    return np.asarray(spectra.reshape(len(pictures), -1), np.float32)


def have_evidence(spectra: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Which pictures hold more than noise, shape (n,)."""
    enough = np.median(np.abs(spectra), axis=1) >= COEFFICIENT_MEDIAN_MIN
    return np.asarray(enough, np.bool_)
