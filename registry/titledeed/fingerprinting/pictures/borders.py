"""Letterbox, pillarbox and window-box bars of one shot.

A bar is uniform in space and time: over all frames of the shot its rows (or columns) keep one
level but for noise. It is judged per shot, because a film may hold clips of other shapes.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

LEVEL_DEVIATION_MAX = 6.0
"""Standard deviation in grey levels of one bar row, all frames together: noise, not picture."""

LEVEL_STEP_MAX = 6.0
"""Grey levels between a bar row and the outermost one, so that a soft sky is no bar."""

BAR_SHARE_MIN = 1 / 64
CONTENT_SHARE_MIN = 1 / 4

NOISE_PX = (5, 1)
"""Pixels along a line that are averaged first: grain differs from pixel to pixel."""

BORDER_FRAMES_MAX = 10
"""Frames of a shot that are looked at, spread evenly: a bar is in all of them."""

Box = tuple[slice, slice]
Levels = npt.NDArray[np.float64]


def find_content_box(frames: Sequence[npt.NDArray[np.uint8]]) -> Box | None:
    """The rows and columns inside the bars, or None where there are none.

    Args:
        frames: one shot, at least one, all of shape (height, width).
    """
    height, width = frames[0].shape
    frames = frames[:: -(-len(frames) // BORDER_FRAMES_MAX)]
    rows = _inside(*_measure_lines(frames))
    columns = _inside(*_measure_lines([frame[rows].T for frame in frames]))
    if rows == slice(0, height) and columns == slice(0, width):
        return None
    return rows, columns


def _measure_lines(frames: Sequence[npt.NDArray[np.uint8]]) -> tuple[Levels, Levels]:
    """Mean and standard deviation of each row, all frames together."""
    count = len(frames) * frames[0].shape[1]
    sums, squares = np.zeros((2, len(frames[0])))
    for frame in frames:
        levels = cv2.blur(np.ascontiguousarray(frame), NOISE_PX).astype(np.float32)
        sums += levels.sum(axis=1)
        squares += np.einsum("ij,ij->i", levels, levels)
    means = sums / count
    return means, np.sqrt(np.maximum(squares / count - means**2, 0))


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
