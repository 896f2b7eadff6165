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


def draw_spots() -> Luma:
    """A few soft spots of different sizes on grey, 200 x 160: few, strong blobs."""
    y, x = np.mgrid[0:160, 0:200].astype(np.float64)
    picture = np.full(x.shape, 110.0)
    for index in range(2):
        off_x, off_y = x - 30 - 61 * index % 151, y - 30 - 47 * index % 109
        near = np.hypot(off_x + 0.3 * off_y, off_y) / (7 + 6 * index)
        picture += (100 if index % 2 else -80) * np.exp(-(near**2))
    return picture.clip(0, 255).round().astype(np.uint8)
