"""From hits to segments: which seconds of a query are which seconds of one work.

A voted line is only a suspicion. It is followed moment by moment through every track that has
hits near it; the strongest run is a segment, and what other tracks see along the same line tells
its ends and adds evidence. Then the rest of the query is searched for more.

Nothing here decides what is a match: each segment carries its evidence by kind, and calibrated
thresholds decide. The floors only keep chance from growing segments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.base import SAMPLE_PERIOD_S, FrameCodes
from titledeed.matching.pictures.edges import find_common, find_ends
from titledeed.matching.pictures.runs import FOLLOW_DISTANCE_MAX, RUN_GAP_S_MAX, Run, find_runs
from titledeed.matching.pictures.speeds import find_speed
from titledeed.matching.pictures.tracks import Track, refine, trace
from titledeed.matching.pictures.voting import TimedHits, TimeLine, vote_line
from titledeed.models.interval import Interval

WHOLE: Final = 0
"""Region number of the whole frame."""

Looks = Mapping[int, FrameCodes]
"""One file's codes by region of the picture; ``WHOLE`` is always there."""

EVIDENCE_FLOOR: Final = 0.45
"""A run with less is not followed up: what strangers reach by chance."""

TRACKS_MAX: Final = 4
"""Tracks followed per line, those with most hits near it, beside that of the whole frames."""

RETIMED_SHARE_MIN: Final = 0.95
"""Of a run's evidence, for the one along a line of better speed to take its place."""

SEGMENTS_MAX: Final = 64
FAILURES_MAX: Final = 4
"""Lines refused in a row before the rest of the hits is taken for accident."""

EDGE_S_MAX: Final = 1.6
"""A segment reaches from its last support to the next edge, if it is so near: one sparse step."""


@dataclass(frozen=True, slots=True, order=True)
class LookChannel:
    """One way of looking: which orientation of the query, which region of each side.

    Attributes:
        orientation: row of the query's views, 0 as it is.
    """

    orientation: int
    query: int
    work: int

    @property
    def kind(self) -> str:
        """Kind of evidence."""
        return "video.frames" if self.query == self.work == WHOLE else "video.regions"


@dataclass(frozen=True, slots=True)
class ChannelHits:
    """Hits of one query in one work, each in its channel: a row of ``channels``."""

    timed: TimedHits
    channel: npt.NDArray[np.int64]
    channels: tuple[LookChannel, ...]

    def take(self, selection: npt.NDArray[np.bool_]) -> ChannelHits:
        """The selected hits."""
        return ChannelHits(self.timed.take(selection), self.channel[selection], self.channels)

    def of_orientation(self, orientation: int) -> npt.NDArray[np.bool_]:
        """Which hits look at the query this way."""
        rows = [channel.orientation == orientation for channel in self.channels]
        return np.array(rows, np.bool_)[self.channel]


@dataclass(frozen=True, slots=True)
class Alignment:
    """One segment with its evidence.

    Attributes:
        speed: seconds of the work per second of the query.
        orientation: row of the query's views that shows it.
        frames: moments in support.
        evidence: raw number by kind, higher is surer.
        closeness: of the strongest run: 1 when equal, 0 at chance.
        contrast: bits by which it follows the work in time.
    """

    query: Interval
    work: Interval
    speed: float
    orientation: int
    frames: int
    evidence: Mapping[str, float]
    closeness: float
    contrast: float

    @property
    def strength(self) -> float:
        """The strongest evidence."""
        return max(self.evidence.values())


@dataclass(frozen=True, slots=True)
class _Finding:
    channel: LookChannel
    line: TimeLine
    run: Run
    track: Track


def align(
    views: Sequence[Looks], work: Looks, hits: ChannelHits, spans: tuple[Interval, Interval]
) -> list[Alignment]:
    """Segments of the work in the query; no two share a moment of the query.

    Args:
        views: the query in each orientation, as it is first.
        work: the candidate.
        hits: close pairs among them; a sample is enough.
        spans: where query and work have evidence.
    """
    found: list[Alignment] = []
    failures = 0
    while len(hits.channel) and failures < FAILURES_MAX and len(found) < SEGMENTS_MAX:
        orientation, line = _vote(hits)
        mine = hits.of_orientation(orientation)
        taken = [alignment.query for alignment in found]
        finding = _follow(views, work, hits.take(mine), line, taken)
        alignment = None
        if finding is not None:
            alignment = _extend(views, work, hits.take(mine), finding, spans=spans, taken=taken)
        if alignment is None or any(alignment.query.overlap_s(a.query) > 0 for a in found):
            failures += 1
            spent = mine & hits.timed.near(line)
        else:
            failures = 0
            found.append(alignment)
            spent = _inside(hits.timed.query_s, alignment.query)
        if not spent.any():
            spent = mine
        hits = hits.take(~spent)
    return sorted(found, key=lambda alignment: alignment.query)


def _vote(hits: ChannelHits) -> tuple[int, TimeLine]:
    """The line of the orientation that has most support."""
    best: tuple[float, int, TimeLine] | None = None
    for orientation in sorted({channel.orientation for channel in hits.channels}):
        timed = hits.timed.take(hits.of_orientation(orientation))
        if len(timed.query_s):
            line, votes = vote_line(timed)
            if best is None or votes > best[0]:
                best = (votes, orientation, line)
    if best is None:
        return 0, TimeLine(1.0, 0.0)
    return best[1:]


def _follow(
    views: Sequence[Looks],
    work: Looks,
    hits: ChannelHits,
    line: TimeLine,
    taken: Sequence[Interval],
) -> _Finding | None:
    """The strongest run near the line outside the segments that are found already."""
    findings = []
    for channel in _likely_channels(hits, line):
        track = _track(views, work, channel)
        if track is None:
            continue
        refined = refine(track, line, distance_max=FOLLOW_DISTANCE_MAX)
        findings += _find(channel, track, refined, taken)
    best = max(findings, key=_strength, default=None)
    if best is None or best.run.evidence < EVIDENCE_FLOOR:
        return None
    timed = find_speed(best.track, best.line, best.run.trace.query_s)
    timed = refine(best.track, timed, distance_max=FOLLOW_DISTANCE_MAX, is_timed=True)
    again = max(_find(best.channel, best.track, timed, taken), key=_strength, default=best)
    return again if again.run.evidence >= RETIMED_SHARE_MIN * best.run.evidence else best


def _find(
    channel: LookChannel, track: Track, line: TimeLine, taken: Sequence[Interval]
) -> list[_Finding]:
    runs = find_runs(track, line, trace(track, line))
    return [_Finding(channel, line, run, track) for run in runs if not _is_taken(run, taken)]


def _strength(finding: _Finding) -> float:
    return finding.run.evidence


def _likely_channels(hits: ChannelHits, line: TimeLine) -> list[LookChannel]:
    near = hits.timed.near(line)
    weights = np.bincount(hits.channel[near], hits.timed.weight[near], minlength=len(hits.channels))
    rows = np.argsort(-weights, kind="stable")[:TRACKS_MAX]
    likely = [hits.channels[row] for row in rows if weights[row] > 0]
    whole = [c for c in hits.channels if c.query == c.work == WHOLE and c not in likely]
    return likely + [c for c in whole if likely and c.orientation == likely[0].orientation]


def _track(views: Sequence[Looks], work: Looks, channel: LookChannel) -> Track | None:
    query_codes = views[channel.orientation].get(channel.query)
    work_codes = work.get(channel.work)
    if query_codes is None or work_codes is None:
        return None
    if not (len(query_codes.times_s) and len(work_codes.times_s)):
        return None
    return Track(query_codes, work_codes)


def _extend(
    views: Sequence[Looks],
    work: Looks,
    hits: ChannelHits,
    best: _Finding,
    *,
    spans: tuple[Interval, Interval],
    taken: Sequence[Interval],
) -> Alignment | None:
    """Join what all likely tracks see along the best line, and find the ends."""
    evidence = {best.channel.kind: best.run.evidence}
    moments = best.run.trace.query_s
    for channel in _likely_channels(hits, best.line):
        track = _track(views, work, channel)
        if track is None or channel == best.channel:
            continue
        for run in find_runs(track, best.line, trace(track, best.line)):
            if not _is_taken(run, taken) and _touches(run.trace.query_s, moments):
                evidence[channel.kind] = max(evidence.get(channel.kind, 0.0), run.evidence)
                moments = np.union1d(moments, run.trace.query_s)
    looked_at = trace(best.track, best.line)
    refused_s = looked_at.place_s[~np.isin(looked_at.query_s, moments)]
    query = find_ends(
        moments,
        np.union1d(moments, refused_s),
        views[best.channel.orientation][WHOLE],
        within=find_common(best.line, *spans),
        reach_s=EDGE_S_MAX,
    )
    if query.duration_s < SAMPLE_PERIOD_S:
        return None
    start_s, end_s = best.line.work_s(np.array([query.start_s, query.end_s]))
    return Alignment(
        query=query,
        work=Interval(round(max(0.0, float(start_s)), 3), round(float(end_s), 3)),
        speed=round(best.line.speed, 4),
        orientation=best.channel.orientation,
        frames=len(moments),
        evidence=MappingProxyType(evidence),
        closeness=1 - best.run.mean / 128,
        contrast=best.run.contrast,
    )


def _is_taken(run: Run, taken: Sequence[Interval]) -> bool:
    first_s, last_s = float(run.trace.query_s.min()), float(run.trace.query_s.max())
    return any(span.start_s < last_s and first_s < span.end_s for span in taken)


def _touches(some: npt.NDArray[np.float64], others: npt.NDArray[np.float64]) -> bool:
    return bool(some[0] <= others[-1] + RUN_GAP_S_MAX and others[0] <= some[-1] + RUN_GAP_S_MAX)


def _inside(times_s: npt.NDArray[np.float64], span: Interval) -> npt.NDArray[np.bool_]:
    inside: npt.NDArray[np.bool_] = (times_s >= span.start_s - 1e-6) & (times_s < span.end_s)
    return inside
