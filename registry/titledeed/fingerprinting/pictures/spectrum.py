"""The low frequencies of a picture: what our own codes are made of, and what evidence needs.

A picture that varies in one direction only (a ramp, colour bars) or not at all has none of them:
its code would be rounding noise and would match others of the kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.base import Codes, Luma

FREQUENCIES: Final = 16

COEFFICIENT_MEDIAN_MIN: Final = 4.0
"""Half of the coefficients must exceed noise. The flattest frame of 67 real clips had 9.9."""

REFERENCE_PX: Final = 64
"""Coefficients are scaled as if every picture had this side."""

SIDES_KEPT: Final = 128
"""Cosine tables of so many side lengths are kept; a film has few."""

Spectra = npt.NDArray[np.float32]
"""Coefficients, shape (n, 256), horizontal frequency fastest."""

Span = tuple[int, int]
"""First row (or column) of a box and the one after its last."""


@lru_cache(maxsize=SIDES_KEPT)
def _cosines(side: int) -> npt.NDArray[np.float32]:
    """Frequency 1 to 16 over a side, shape (16, side)."""
    frequency = np.arange(1, FREQUENCIES + 1)[:, np.newaxis]
    position = 2 * np.arange(side) + 1
    cosines = np.cos(np.pi * frequency * position / (2 * side))
    return np.asarray(cosines * np.sqrt(2 * REFERENCE_PX) / side, np.float32)


def compute_spectra(picture: Luma, boxes: Sequence[tuple[Span, Span]]) -> Spectra:
    """DCT-II of parts of a picture, vertical and horizontal frequency 1 to 16.

    Args:
        picture: of any size.
        boxes: rows and columns of each part, none empty.
    """
    luma = picture.astype(np.float32)
    across = {span: luma[:, slice(*span)] @ _cosines(span[1] - span[0]).T for _, span in boxes}
    spectra = [
        _cosines(rows[1] - rows[0]) @ across[columns][slice(*rows)] for rows, columns in boxes
    ]
    return np.asarray(np.stack(spectra).reshape(len(boxes), -1), np.float32)


def code_signs(spectra: Spectra) -> Codes:
    """One bit per coefficient: whether it is positive."""
    return np.packbits(spectra > 0, axis=1)


def have_evidence(spectra: Spectra) -> npt.NDArray[np.bool_]:
    """Which pictures hold more than noise, shape (n,)."""
    enough = np.median(np.abs(spectra), axis=1) >= COEFFICIENT_MEDIAN_MIN
    return np.asarray(enough, np.bool_)
