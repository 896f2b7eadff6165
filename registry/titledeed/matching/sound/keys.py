"""Lookup keys of sounds: what four peaks look like whatever the speed and pitch.

An anchor and the strongest peaks after it form quads. Pitch differences to the anchor and ratios of
times do not change when a sound is played faster, higher or both; the anchor's pitch and the quad's
length do, and enter a key so coarsely that the searcher can try the neighbouring cells.

The registered side takes one quad per anchor, the searching side all of a larger choice, so that
peaks which an edit added or removed cost little.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.sound.peaks import PITCHES_PER_OCTAVE, SoundPeaks

WORK_FAN: Final = 3
QUERY_FAN: Final = 5
"""Strongest peaks after an anchor that quads are made of."""

LATER_FRAMES_MIN: Final = 6
LATER_FRAMES_MAX: Final = 75
PITCH_REACH: Final = PITCHES_PER_OCTAVE
"""Where they are looked for: 0.1 to 1.2 s later, an octave up or down."""

PEAKS_AHEAD_MAX: Final = 64
"""Peaks looked at after an anchor; crowded sounds have as many in a second."""

KEY_CELLS: Final = (
    # The width of a cell, and how near its border the neighbour is tried too, in cells.
    (6.0, 0.12),
    (6.0, 0.12),
    (6.0, 0.12),
    (1 / 8, 0.15),
    (1 / 8, 0.15),
    (float(PITCHES_PER_OCTAVE), 0.16),
    (1.0, 0.25),
)
"""Of three pitch differences, two time ratios, the anchor's pitch and the octave of the length.
The last two margins allow pitches 11 % and tempos 19 % away, and beyond that lose hits slowly."""

_RADICES: Final = (51, 51, 51, 10, 10, 9, 7)
_OFFSETS: Final = (25, 25, 25, 1, 1, 1, -1)
_WEIGHTS: Final = tuple(int(np.prod(_RADICES[:place], dtype=np.int64)) for place in range(7))

Keys = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Quads:
    """Quads of peaks.

    Attributes:
        anchors: row of the first peak, shape (n,).
        spans: frames from it to the last, shape (n,).
        cells: position in units of ``KEY_CELLS``, shape (n, 7).
    """

    anchors: npt.NDArray[np.int64]
    spans: npt.NDArray[np.int64]
    cells: npt.NDArray[np.float64]


def draw_quads(peaks: SoundPeaks, anchors: npt.NDArray[np.int64], *, fan: int) -> Quads:
    """The quads of some anchors, given as rows of peaks."""
    chosen = _choose_followers(peaks, anchors, fan)
    parts = []
    for places in combinations(range(fan), 3):
        followers = chosen[:, places]
        whole = (followers >= 0).all(axis=1)
        parts.append(np.column_stack([anchors[whole], followers[whole]]))
    rows = np.concatenate(parts)
    frames, pitches = peaks.frames[rows], peaks.pitches[rows]
    spans = frames[:, 3] - frames[:, 0]
    positions = np.column_stack(
        [
            pitches[:, 1:] - pitches[:, :1],
            (frames[:, 1:3] - frames[:, :1]) / (spans[:, np.newaxis] + 0.5),
            pitches[:, 0],
            np.log2(spans),
        ]
    )
    return Quads(rows[:, 0], spans, positions / np.array([width for width, _ in KEY_CELLS]))


def pack_keys(quads: Quads) -> Keys:
    """One key per quad: the cell it lies in."""
    cells = np.floor(quads.cells).astype(np.int64) + _OFFSETS
    keys: Keys = (cells @ np.array(_WEIGHTS)).astype(np.uint32)
    return keys


def spread_keys(quads: Quads) -> tuple[Keys, npt.NDArray[np.int64]]:
    """Keys of the cells a quad lies in or near, and the quad of each."""
    keys, rows = pack_keys(quads).astype(np.int64), np.arange(len(quads.anchors))
    share = quads.cells - np.floor(quads.cells)
    for place, ((_, margin), weight) in enumerate(zip(KEY_CELLS, _WEIGHTS, strict=True)):
        near_low = share[rows, place] < margin
        near_high = share[rows, place] > 1 - margin
        keys = np.concatenate([keys, keys[near_low] - weight, keys[near_high] + weight])
        rows = np.concatenate([rows, rows[near_low], rows[near_high]])
    return keys.astype(np.uint32), rows


def _choose_followers(
    peaks: SoundPeaks, anchors: npt.NDArray[np.int64], fan: int
) -> npt.NDArray[np.int64]:
    """Rows of the strongest peaks after each anchor, in order of time; -1 before them if fewer."""
    ahead = anchors[:, np.newaxis] + np.arange(1, PEAKS_AHEAD_MAX + 1)
    beyond = ahead >= len(peaks)
    ahead[beyond] = 0
    later = peaks.frames[ahead] - peaks.frames[anchors, np.newaxis]
    higher = peaks.pitches[ahead] - peaks.pitches[anchors, np.newaxis]
    fits = (later >= LATER_FRAMES_MIN) & (later <= LATER_FRAMES_MAX)
    fits &= (np.abs(higher) <= PITCH_REACH) & ~beyond
    # Of equally strong ones the earlier.
    rank = peaks.strengths[ahead] * PEAKS_AHEAD_MAX + np.arange(PEAKS_AHEAD_MAX, 0, -1)
    rank[~fits] = -1
    best = np.argpartition(rank, -fan, axis=1)[:, -fan:]
    rows = np.where(np.take_along_axis(fits, best, 1), np.take_along_axis(ahead, best, 1), -1)
    rows.sort(axis=1)
    return rows
