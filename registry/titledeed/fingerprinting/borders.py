"""Letterbox, pillarbox and window-box bars of one shot.

A bar is uniform in space and time: over all frames of the shot its rows (or columns) keep one
level but for noise. It is judged per shot, because a film may hold clips of other shapes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

LEVEL_DEVIATION_MAX = 6.0
"""Standard deviation in grey levels of one bar row, all frames together: noise, not picture."""

LEVEL_STEP_MAX = 6.0
"""Grey levels between a bar row and the outermost one, so that a soft sky is no bar."""

BAR_SHARE_MIN = 1 / 64
CONTENT_SHARE_MIN = 1 / 4

Box = tuple[slice, slice]
Levels = npt.NDArray[np.float64]


def find_content_box(frames: npt.NDArray[np.uint8]) -> Box | None:
    """The rows and columns inside the bars, or None where there are none.

    Args:
        frames: one shot, shape (n, height, width).
    """
    rows = _inside(frames.mean(axis=(0, 2)), frames.std(axis=(0, 2)))
    inner = frames[:, rows, :]
    columns = _inside(inner.mean(axis=(0, 1)), inner.std(axis=(0, 1)))
    if rows == slice(0, frames.shape[1]) and columns == slice(0, frames.shape[2]):
        return None
    return rows, columns


def _inside(levels: Levels, deviations: Levels) -> slice:
    size = len(levels)
    start = _count_bar(levels, deviations)
    stop = size - _count_bar(levels[::-1], deviations[::-1])
    if start < size * BAR_SHARE_MIN:
        start = 0
    if size - stop < size * BAR_SHARE_MIN:
        stop = size
    return slice(start, stop) if stop - start >= size * CONTENT_SHARE_MIN else slice(0, size)


def _count_bar(levels: Levels, deviations: Levels) -> int:
    is_even = deviations <= LEVEL_DEVIATION_MAX
    is_bar = is_even & (np.abs(levels - levels[0]) <= LEVEL_STEP_MAX)
    return len(is_bar) if is_bar.all() else int(np.argmin(is_bar))
