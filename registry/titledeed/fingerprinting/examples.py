"""Golden pictures, made by formula so that they are the same everywhere."""

from __future__ import annotations

import numpy as np

from titledeed.fingerprinting.base import Luma


def draw_example() -> Luma:
    """Soft waves and one bright disc, 256 x 192."""
    y, x = np.mgrid[0:192, 0:256].astype(np.float64)
    waves = 60 * np.sin(x / 17 + y / 41) + 40 * np.cos(y / 13 - x / 29) + 110
    disc = np.hypot(x - 90, y - 120) < 38
    return np.where(disc, 235.0, waves).round().astype(np.uint8)
