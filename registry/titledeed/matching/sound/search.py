"""Finds which seconds of a sound are which seconds of registered ones.

The query's quads are looked up, hits vote for lines, and each line is checked against the peaks of
the work. Nothing here decides: every segment tells its evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from titledeed.fingerprinting.sound.peaks import (
    FRAME_S,
    PITCHES_PER_OCTAVE,
    WINDOW_CENTRE_S,
    SoundPeaks,
)
from titledeed.matching.sound.coincidence import Agreement, check_line
from titledeed.matching.sound.keys import QUERY_FAN, WORK_FAN, draw_quads, pack_keys, spread_keys
from titledeed.matching.sound.lines import QuadHits, SoundLine, vote_lines
from titledeed.matching.tables.posting_table import Keys, Postings, Values
from titledeed.models.interval import Interval

WINDOW_FRAMES: Final = 1_000
"""Sixteen seconds of the query vote together; a longer query has several windows."""

ANCHORS_MAX: Final = 300
"""Of a window, the strongest: what a search costs is bounded, and strong peaks survive edits."""

POSTINGS_MAX: Final = 250_000
"""Looked at per window; only crowded registries come near it."""

EVIDENCE_MIN: Final = 10.0
"""Segments below it are not told; unrelated sounds often reach half of it. It is no threshold of
acceptance, which the calibration sets."""

SEGMENTS_MAX: Final = 64
"""Per work."""

Lookup = Callable[[Keys, int], Postings]
"""Postings of keys, at most so many: ``PostingView.look_up``."""


@dataclass(frozen=True, slots=True)
class SoundSegment:
    """A stretch of the query that sounds like a stretch of a work.

    Attributes:
        query, work: seconds of both.
        speed: seconds of the work per second of the query.
        pitch: frequency of the work over that of the query.
        evidence: natural logarithm of likelihoods; higher is surer.
        query_share: share of the query's peaks there that the work explains. Other sound mixed in
            lowers it.
        clear_query_share, clear_work_share: the same of either side's peaks that no noise would
            have.
    """

    query: Interval
    work: Interval
    speed: float
    pitch: float
    evidence: float
    query_share: float
    clear_query_share: float
    clear_work_share: float

    @property
    def common_share(self) -> float:
        """How much of the poorer side's clear peaks the two have in common.

        A copy with something mixed in still has the clear peaks of the work; a copy that lost some
        has none of its own. Two works with a common stem each have clear peaks the other has not.
        """
        return max(self.clear_query_share, self.clear_work_share)


@dataclass(frozen=True, slots=True)
class SoundMatch:
    """What one work explains of a query; segments in order of the query, at least one."""

    owner: int
    segments: tuple[SoundSegment, ...]

    @property
    def evidence(self) -> float:
        """Of the surest segment."""
        return max(segment.evidence for segment in self.segments)


def index_entries(peaks: SoundPeaks) -> tuple[Keys, Values]:
    """What ``PostingTable.append`` stores of a work."""
    quads = draw_quads(peaks, np.arange(len(peaks)), fan=WORK_FAN)
    frames, pitches = peaks.frames[quads.anchors], peaks.pitches[quads.anchors]
    return pack_keys(quads), (frames << 20 | pitches << 8 | quads.spans).astype(np.uint64)


def search_sounds(
    query: SoundPeaks, lookup: Lookup, read_peaks: Callable[[int], SoundPeaks | None]
) -> list[SoundMatch]:
    """Works of which the query may hold a stretch, the surest first.

    Args:
        query: decoded code.
        lookup: of the index of all works.
        read_peaks: decoded code of a work that the index knows; None leaves the work out.
    """
    works: dict[int, SoundPeaks | None] = {}
    found: dict[int, list[SoundSegment]] = {}
    for window in _cut_windows(query):
        centre = int(query.frames[window].mean())
        for owner, line in vote_lines(_find_hits(query, window, lookup), centre=centre):
            segments = found.setdefault(owner, [])
            if len(segments) >= SEGMENTS_MAX or any(_lies_on(s, line) for s in segments):
                continue
            if owner not in works:
                works[owner] = read_peaks(owner)
            work = works[owner]
            agreement = check_line(query, work, line) if work is not None else None
            if agreement is not None and agreement.evidence >= EVIDENCE_MIN:
                segments.append(_tell(agreement))
    matches = [
        SoundMatch(owner, _untangle(segments)) for owner, segments in found.items() if segments
    ]
    return sorted(matches, key=lambda match: (-match.evidence, match.owner))


def _cut_windows(query: SoundPeaks) -> Iterator[slice]:
    """Rows of windows that overlap by half, the last one shorter."""
    start = int(query.frames[0])
    while True:
        first, stop = np.searchsorted(query.frames, [start, start + WINDOW_FRAMES])
        if stop > first:
            yield slice(int(first), int(stop))
        if stop == len(query):
            return
        start += WINDOW_FRAMES // 2


def _find_hits(query: SoundPeaks, window: slice, lookup: Lookup) -> QuadHits:
    rows = np.arange(window.start, window.stop)
    strongest = np.argsort(-query.strengths[rows], kind="stable")[:ANCHORS_MAX]
    quads = draw_quads(query, np.sort(rows[strongest]), fan=QUERY_FAN)
    keys, spread = spread_keys(quads)
    postings = lookup(keys, POSTINGS_MAX)
    quad = spread[postings.rows]
    values = postings.values.astype(np.int64)
    anchors = quads.anchors[quad]
    return QuadHits(
        owners=postings.owners,
        query_frames=query.frames[anchors],
        query_spans=quads.spans[quad],
        work_frames=values >> 20,
        work_spans=values & 0xFF,
        shifts=(values >> 8 & 0xFFF) - query.pitches[anchors],
    )


def _lies_on(segment: SoundSegment, line: SoundLine) -> bool:
    """Whether the segment already tells what the line would."""
    at_s = line.around * FRAME_S + WINDOW_CENTRE_S
    there_s = (line.start + line.tempo * line.around) * FRAME_S + WINDOW_CENTRE_S
    told_s = segment.work.start_s + segment.speed * (at_s - segment.query.start_s)
    inside = segment.query.start_s - 1 <= at_s <= segment.query.end_s + 1
    return inside and abs(there_s - told_s) <= 0.3


def _tell(agreement: Agreement) -> SoundSegment:
    line = agreement.line
    ends = np.array([agreement.first_s, agreement.last_s]) - WINDOW_CENTRE_S
    work_s = line.start * FRAME_S + line.tempo * ends + WINDOW_CENTRE_S
    return SoundSegment(
        query=Interval(agreement.first_s, agreement.last_s),
        work=Interval(float(work_s[0]), float(work_s[1])),
        speed=line.tempo,
        pitch=2 ** (line.shift / PITCHES_PER_OCTAVE),
        evidence=agreement.evidence,
        query_share=agreement.query_share,
        clear_query_share=agreement.clear_query_share,
        clear_work_share=agreement.clear_work_share,
    )


def _untangle(segments: list[SoundSegment]) -> tuple[SoundSegment, ...]:
    """Of segments that explain the same moment of the query, the surest."""
    kept: list[SoundSegment] = []
    for segment in sorted(segments, key=lambda one: -one.evidence):
        shorter = segment.query.duration_s / 2
        if all(segment.query.overlap_s(other.query) <= shorter for other in kept):
            kept.append(segment)
    return tuple(sorted(kept, key=lambda one: one.query))
