"""Checks a line against the peaks themselves: how many of the query's lie where the work has one.

The evidence is a logarithm of likelihoods. A peak with a partner speaks for a copy, the more the
rarer partners are at its pitch, so that a drone proves little; one without speaks against it. The
stretch of the query in which the sum is largest is the segment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.sound.peaks import (
    CLEAR_STRENGTH,
    PITCHES,
    STRENGTH_STEPS,
    SoundPeaks,
)
from titledeed.matching.sound.lines import TEMPO_MAX, TEMPO_MIN, SoundLine, middle

COPIED_PEAKS_SHARE: Final = 0.25
"""Of a copy's peaks that have a partner, at least: measured 0.27 to 0.99 over 24 sounds and the
fourteen edits."""

EDGE_SHARE: Final = 0.12
"""The same by which a segment, once sure, is followed to its ends: there the copied sound may fade
under what was mixed in."""

EDGE_EVIDENCE_MIN: Final = 3.0
"""What following must bring: one peak that has a partner by chance brings one."""

FRAMES_NEAR: Final = 2.5
PITCH_NEAR: Final = 5.0
"""Within 40 ms and 2.4 %. Peaks of copies scatter by one frame and one spectral line."""

FIT_REACHES: Final = ((250.0, 6.0), (700.0, 5.0), (np.inf, 4.0), (np.inf, 3.0))
"""Rounds of the fit: peaks of so many frames around the hits, partners so many frames away. A line
voted by few hits is sure only near them."""

FIT_PEAKS_MIN: Final = 8
PARTNERS_MAX: Final = 24
CHANCE_MIN: Final = 0.01
CHANCE_MAX: Final = 0.9

_MARGIN: Final = np.array([-FRAMES_NEAR, FRAMES_NEAR])

Share = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """The stretch of a query that a line explains best.

    Attributes:
        line: fitted to the partners.
        first_s, last_s: first and last peak with a partner, seconds of the query.
        evidence: natural logarithm of how much likelier a copy makes the stretch than chance.
        query_share: share of the query's peaks there that have a partner in the work.
        clear_query_share, clear_work_share: of either side's peaks no noise would have; 0 where
            none is.
    """

    line: SoundLine
    first_s: float
    last_s: float
    evidence: float
    query_share: float
    clear_query_share: float
    clear_work_share: float


def check_line(query: SoundPeaks, work: SoundPeaks, line: SoundLine) -> Agreement | None:
    """Fit the line and weigh it; None where nothing speaks for it."""
    for reach, frames_near in FIT_REACHES:
        near = query.take(np.abs(query.frames - line.around) <= reach)
        line = _fit(near, work, line, frames_near)
    places = line.places(query.frames)
    inside = (places >= work.frames[0]) & (places <= work.frames[-1])
    heard = query.take(inside)
    if not len(heard):
        return None
    has_partner = find_partners(heard, work, line, FRAMES_NEAR) >= 0
    chance = _chances(heard, work, line)
    first, last, evidence = largest_run(_weigh(has_partner, chance, COPIED_PEAKS_SHARE))
    if evidence <= 0:
        return None
    edges = _weigh(has_partner, chance, EDGE_SHARE)
    first -= _longest_rise(edges[:first][::-1])
    last += _longest_rise(edges[last + 1 :])
    stretch = slice(first, last + 1)
    explained = heard.take(stretch)
    shown = _cover(explained, work, line)
    is_found = _find_back(explained, shown, line)
    times = heard.times_s
    return Agreement(
        line=line,
        first_s=float(times[first]),
        last_s=float(times[last]),
        evidence=evidence,
        query_share=float(has_partner[stretch].mean()),
        clear_query_share=_clear_share(explained, has_partner[stretch]),
        clear_work_share=_clear_share(shown, is_found),
    )


def find_partners(
    query: SoundPeaks, work: SoundPeaks, line: SoundLine, frames_near: float
) -> npt.NDArray[np.int64]:
    """For each peak of the query the row of the nearest one of the work there, or -1."""
    places = line.places(query.frames)
    starts = np.searchsorted(work.frames, places - frames_near)
    stops = np.searchsorted(work.frames, places + frames_near, "right")
    width = min(PARTNERS_MAX, int((stops - starts).max(initial=0)))
    if not width:
        return np.full(len(query), -1)
    rows = starts[:, np.newaxis] + np.arange(width)
    beyond = rows >= stops[:, np.newaxis]
    rows[beyond] = 0
    frames = np.abs(work.frames[rows] - places[:, np.newaxis]) / frames_near
    pitches = np.abs(work.pitches[rows] - (query.pitches + line.shift)[:, np.newaxis]) / PITCH_NEAR
    distances = np.where(beyond | (pitches > 1), np.inf, frames + pitches)
    best = distances.argmin(axis=1)[:, np.newaxis]
    found = np.isfinite(np.take_along_axis(distances, best, 1)[:, 0])
    return np.where(found, np.take_along_axis(rows, best, 1)[:, 0], -1)


def largest_run(gains: Share) -> tuple[int, int, float]:
    """First and last place of the run with the largest sum, and that sum."""
    sums = np.concatenate([[0.0], np.cumsum(gains)])
    rises = sums - np.minimum.accumulate(sums)
    stop = int(rises.argmax())
    start = int(sums[: stop + 1].argmin())
    return start, max(start, stop - 1), float(rises[stop])


def _weigh(has_partner: npt.NDArray[np.bool_], chance: Share, copy_share: float) -> Share:
    """What each peak says for a copy, of whose peaks this share at least has a partner."""
    copied = np.maximum(copy_share, chance)
    return np.where(has_partner, np.log(copied / chance), np.log((1 - copied) / (1 - chance)))


def _longest_rise(gains: Share) -> int:
    """How many of the first gains to take so that their sum is largest, if it is worth it."""
    sums = np.concatenate([[0.0], np.cumsum(gains)])
    return int(sums.argmax()) if sums.max() >= EDGE_EVIDENCE_MIN else 0


def _fit(query: SoundPeaks, work: SoundPeaks, line: SoundLine, frames_near: float) -> SoundLine:
    """Least squares through the partners, without the farther half of them."""
    partners = find_partners(query, work, line, frames_near)
    has_partner = partners >= 0
    if np.count_nonzero(has_partner) < FIT_PEAKS_MIN:
        return line
    at = query.frames[has_partner].astype(np.float64)
    to = work.frames[partners[has_partner]].astype(np.float64)
    shift = middle(work.pitches[partners[has_partner]] - query.pitches[has_partner])
    residuals = to - line.places(query.frames[has_partner])
    close = np.abs(residuals - middle(residuals)) <= frames_near / 2
    at, to = at[close], to[close]
    if len(at) < FIT_PEAKS_MIN or np.ptp(at) == 0:
        return replace(line, shift=shift)
    tempo = float(np.clip(np.cov(at, to)[0, 1] / at.var(ddof=1), TEMPO_MIN, TEMPO_MAX))
    return SoundLine(tempo, float(to.mean() - tempo * at.mean()), shift, line.around)


def _chances(query: SoundPeaks, work: SoundPeaks, line: SoundLine) -> Share:
    """How likely each peak of the query had a partner if the work were another one.

    By the peaks that the work has at that pitch in the whole stretch the query may lie on.
    """
    shown = _cover(query, work, line)
    here = np.bincount(shown.pitches, minlength=PITCHES)
    reach = int(PITCH_NEAR)
    sums = np.concatenate([[0], np.cumsum(np.pad(here, reach))])
    crowd = sums[2 * reach + 1 :] - sums[: -2 * reach - 1]
    pitches = np.clip(np.rint(query.pitches + line.shift).astype(np.int64), 0, PITCHES - 1)
    frames = np.ptp(line.places(query.frames[[0, -1]])) + 2 * FRAMES_NEAR + 1
    expected = crowd[pitches] * (2 * FRAMES_NEAR + 1) / frames
    return np.asarray(np.clip(1 - np.exp(-expected), CHANCE_MIN, CHANCE_MAX), np.float64)


def _cover(query: SoundPeaks, work: SoundPeaks, line: SoundLine) -> SoundPeaks:
    """The stretch of the work that the query lies on."""
    places = line.places(query.frames[[0, -1]])
    first, last = np.searchsorted(work.frames, places + _MARGIN)
    return work.take(slice(int(first), int(last)))


def _find_back(query: SoundPeaks, shown: SoundPeaks, line: SoundLine) -> npt.NDArray[np.bool_]:
    """Which peaks of the work have a partner in the query."""
    back = SoundLine(1 / line.tempo, -line.start / line.tempo, -line.shift, 0.0)
    return find_partners(shown, query, back, FRAMES_NEAR / line.tempo) >= 0


def _clear_share(peaks: SoundPeaks, has_partner: npt.NDArray[np.bool_]) -> float:
    is_clear = peaks.strengths >= CLEAR_STRENGTH * STRENGTH_STEPS
    return float(has_partner[is_clear].mean()) if is_clear.any() else 0.0
