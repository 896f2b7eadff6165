"""Voting: which lines through the hits say "this part of the work sounds here".

A line is a tempo and a place: frame of the work = place + tempo x (frame of the query - centre),
and a shift of pitch. A hit tells all three by itself, its tempo roughly, so that hits of one copy
fall into one cell of (work, place, shift) and accidental ones anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

TEMPO_MIN: Final = 0.7
TEMPO_MAX: Final = 1.43
TEMPOS: Final = np.geomspace(TEMPO_MIN, TEMPO_MAX, 73)
"""In steps of 1 %; the fit finds what lies between."""

SHIFT_MAX: Final = 72
"""Pitch steps, half an octave."""

PLACE_FRAMES: Final = 64
"""Width of a cell: a hit's tempo is right to some 4 %, and half a window is 8 s."""

SHIFT_STEPS: Final = 6
BIN_FRAMES: Final = 6
"""Width of a bin of the fine vote, 0.1 s; two neighbours count."""

TEMPO_TOLERANCE: Final = 0.08
VOTES_MIN: Final = 3
VOTES_SHARE_MIN: Final = 0.04
"""Of the most voted line's: where a copy has three hundred votes, five are accidents, and a second
in a window of sixteen has twenty."""

LINES_MAX: Final = 12
"""Looked at per window, the most voted first."""

Whole = npt.NDArray[np.int64]

_PLACES: Final = 1 << 20
_SHIFTS: Final = 1 << 6


@dataclass(frozen=True, slots=True)
class QuadHits:
    """Quads with equal keys, one row each; frames and pitches of their anchors.

    Attributes:
        owners: the work.
        query_frames, query_spans: shape (n,).
        work_frames, work_spans: shape (n,).
        shifts: pitch steps by which the work is higher.
    """

    owners: Whole
    query_frames: Whole
    query_spans: Whole
    work_frames: Whole
    work_spans: Whole
    shifts: Whole

    def take(self, selection: npt.NDArray[np.bool_] | Whole) -> QuadHits:
        """The selected hits."""
        return QuadHits(
            self.owners[selection],
            self.query_frames[selection],
            self.query_spans[selection],
            self.work_frames[selection],
            self.work_spans[selection],
            self.shifts[selection],
        )

    @property
    def tempos(self) -> npt.NDArray[np.float64]:
        """Frames of the work per frame of the query, each by its own quad."""
        return self.work_spans / self.query_spans


@dataclass(frozen=True, slots=True)
class SoundLine:
    """Where in the work each frame of the query lies, and how much higher the work is.

    Attributes:
        tempo: frames of the work per frame of the query.
        start: frame of the work at frame 0 of the query.
        shift: pitch steps.
        around: frame of the query near which it was found.
    """

    tempo: float
    start: float
    shift: float
    around: float

    def places(self, query_frames: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Frames of the work at these frames of the query."""
        return np.asarray(self.start + self.tempo * query_frames, np.float64)


def middle(numbers: Whole | npt.NDArray[np.float64]) -> float:
    """The upper median; NumPy's own takes a third of a millisecond whatever the size."""
    half = len(numbers) // 2
    return float(np.partition(numbers, half)[half])


def vote_lines(hits: QuadHits, *, centre: int) -> Iterator[tuple[int, SoundLine]]:
    """Works and lines that several hits agree on, the most voted first.

    Args:
        hits: of one window of the query.
        centre: the window's middle frame.
    """
    tempos = hits.tempos
    plausible = (tempos >= TEMPO_MIN) & (tempos <= TEMPO_MAX) & (abs(hits.shifts) <= SHIFT_MAX)
    hits, tempos = hits.take(plausible), tempos[plausible]
    places = hits.work_frames + tempos * (centre - hits.query_frames)
    # Queries may begin before the work does.
    place_cells = np.clip(places // PLACE_FRAMES + _PLACES // 4, 1, _PLACES - 2).astype(np.int64)
    shift_cells = (hits.shifts + SHIFT_MAX) // SHIFT_STEPS + 1
    cells = (hits.owners * _PLACES + place_cells) * _SHIFTS + shift_cells
    if not len(cells):
        return
    order = np.argsort(cells, kind="stable")
    named, starts, counts = np.unique(cells[order], return_index=True, return_counts=True)
    steps = (0, 1, _SHIFTS, _SHIFTS + 1)
    found = [np.minimum(np.searchsorted(named, named + step), len(named) - 1) for step in steps]
    sizes = [
        np.where(named[place] == named + step, counts[place], 0)
        for place, step in zip(found, steps, strict=True)
    ]
    votes = np.sum(sizes, axis=0)
    ranked = np.argsort(-votes, kind="stable")[:LINES_MAX]
    for cell in ranked:
        if votes[cell] < max(VOTES_MIN, VOTES_SHARE_MIN * votes[ranked[0]]):
            return
        rows = np.concatenate(
            [
                order[starts[place[cell]] : starts[place[cell]] + size[cell]]
                for place, size in zip(found, sizes, strict=True)
            ]
        )
        yield int(named[cell] // (_PLACES * _SHIFTS)), _fit_line(hits.take(rows), centre)


def _fit_line(hits: QuadHits, centre: int) -> SoundLine:
    """The tempo and place that most of the hits agree on."""
    tempos = hits.tempos
    away = (hits.query_frames - centre).astype(np.float64)
    places = hits.work_frames[:, np.newaxis] - away[:, np.newaxis] * TEMPOS
    bins = ((places - places.min()) // BIN_FRAMES).astype(np.int64)
    close = np.abs(np.log(tempos)[:, np.newaxis] - np.log(TEMPOS)) <= TEMPO_TOLERANCE
    width = int(bins.max()) + 2
    flat = bins + width * np.arange(len(TEMPOS))
    votes = np.bincount(flat[close], minlength=width * len(TEMPOS)).reshape(-1, width)
    pairs = (votes[:, :-1] + votes[:, 1:]).astype(np.float64)
    # Few hits fit many tempos: take the one their own spans tell.
    pairs -= 0.5 * np.abs(np.log(TEMPOS / middle(tempos)))[:, np.newaxis]
    row, column = divmod(int(pairs.argmax()), width - 1)
    chosen = close[:, row] & (bins[:, row] >= column) & (bins[:, row] <= column + 1)
    chosen = chosen if chosen.any() else np.ones(len(away), np.bool_)
    tempo = float(TEMPOS[row])
    place = middle(places[chosen, row])
    return SoundLine(
        tempo,
        place - tempo * centre,
        middle(hits.shifts[chosen]),
        middle(hits.query_frames[chosen]),
    )
