"""Where one side shows one picture all along: it has no time line to follow, so moments decide.

A still on screen in a video, a frame of a video as a picture or held for seconds, two pictures.
The evidence is that of pictures (see ``pictures``), of the best moment. A still of the work has
all seconds of the query that show it; a still query has the one moment of the work it is nearest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.matching.pictures.alignment import WHOLE, ChannelHits
from titledeed.matching.pictures.edges import find_ends
from titledeed.matching.pictures.evidence import CHANCE_BITS, FRAMES, LOCAL, REGIONS, SAME_BITS
from titledeed.matching.pictures.keyframes import KEYFRAME_SAME_SHARE, KeyframeMatches
from titledeed.matching.pictures.tracks import CODE_BITS
from titledeed.matching.pictures.views import View, VisualSegment, exclude
from titledeed.matching.pictures.voting import Seconds
from titledeed.matching.thresholds import load_thresholds
from titledeed.models.interval import Interval

KINDS: Final = (FRAMES, REGIONS, LOCAL)
"""The densest in time first."""

SHOWING_REACH_S: Final = (0.6, 1.6, 4.1)
"""By kind: two moments further apart, or an edge further away, belong to different showings: two
samples, one sparse step, the longest gap between keyframes."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments of the moving side that show the still; columns of equal length.

    Attributes:
        times_s: rising.
        kinds: rows of ``KINDS``.
        numbers: raw evidence.
        is_same: whether it says that one picture is the other, and no kin of it.
    """

    times_s: Seconds
    kinds: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.float64]
    is_same: npt.NDArray[np.bool_]

    @property
    def worth(self) -> npt.NDArray[np.float64]:
        """In units of the thresholds."""
        scales = np.array([load_thresholds().by_kind[kind] for kind in KINDS])
        return np.asarray(self.numbers / scales[self.kinds], np.float64)

    @property
    def evidence(self) -> dict[str, float]:
        """The best number of each kind."""
        return {
            kind: float(self.numbers[self.kinds == row].max())
            for row, kind in enumerate(KINDS)
            if (self.kinds == row).any()
        }

    def take(self, selection: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Moments:
        """The selected moments."""
        return Moments(
            self.times_s[selection],
            self.kinds[selection],
            self.numbers[selection],
            self.is_same[selection],
        )


def is_still_pair(query: View, work: View) -> bool:
    """Whether there is no line to follow; two held pictures have one, however little it tells."""
    return query.is_held != work.is_held or query.is_single or work.is_single


def match_stills(
    views: Sequence[View],
    work: View,
    hits: ChannelHits,
    matches: Sequence[KeyframeMatches | None],
) -> list[VisualSegment]:
    """Where one shows the other, in order.

    Args:
        views: the query in each orientation.
        work: the candidate.
        hits: near pairs of codes.
        matches: verified keyframes in each orientation.
    """
    is_query = views[0].is_held and (views[0].is_single or not work.is_single)
    found: list[VisualSegment] = []
    for row, (view, verified) in enumerate(zip(views, matches, strict=True)):
        moments = _read_moments(hits.take(hits.of_orientation(row)), verified, of_work=is_query)
        for part in _split(_keep_strong(moments)):
            best_s = float(part.times_s[part.worth.argmax()])
            spans = (
                (view.extent, Interval(best_s, best_s))
                if is_query
                else (_find_span(part, view), work.extent)
            )
            found.append(
                VisualSegment(
                    *spans,
                    speed=1.0,
                    orientation=view.orientation,
                    evidence=MappingProxyType(part.evidence),
                    is_same_recording=bool(part.is_same.any()),
                )
            )
    found.sort(key=lambda segment: -segment.worth)
    return found[:1] if is_query else sorted(_drop_repeats(found), key=lambda one: one.query)


def _read_moments(hits: ChannelHits, matches: KeyframeMatches | None, *, of_work: bool) -> Moments:
    is_whole = np.array([c.query == c.work == WHOLE for c in hits.channels], np.bool_)
    kinds = [np.where(is_whole[hits.channel], KINDS.index(FRAMES), KINDS.index(REGIONS))]
    times_s = [hits.timed.work_s if of_work else hits.timed.query_s]
    numbers = [CHANCE_BITS - CODE_BITS * (1 - hits.timed.weight)]
    is_same = [numbers[0] >= SAME_BITS]
    if matches is not None:
        kinds.append(np.full(len(matches.evidence), KINDS.index(LOCAL)))
        times_s.append(matches.work_s if of_work else matches.query_s)
        numbers.append(matches.evidence)
        is_same.append(matches.share >= KEYFRAME_SAME_SHARE)
    moments = Moments(
        np.concatenate(times_s),
        np.concatenate(kinds),
        np.concatenate(numbers),
        np.concatenate(is_same),
    )
    return moments.take(np.argsort(moments.times_s, kind="stable"))


def _keep_strong(moments: Moments) -> Moments:
    """Those that would do alone; where none would, the best."""
    worth = moments.worth
    return moments.take(worth >= min(1.0, float(worth.max(initial=0.0))))


def _split(moments: Moments) -> list[Moments]:
    """One part per showing; the densest kind with any evidence tells where one ends."""
    if not len(moments.times_s):
        return []
    reach_s = SHOWING_REACH_S[int(moments.kinds.min())]
    starts = np.flatnonzero(np.diff(moments.times_s) > reach_s) + 1
    return [moments.take(rows) for rows in np.split(np.arange(len(moments.times_s)), starts)]


def _find_span(part: Moments, view: View) -> Interval:
    """Seconds of the query, to the edges beside the moments."""
    if view.is_single or not view.looks:
        return Interval(float(part.times_s[0]), float(part.times_s[-1]))
    kind = int(part.kinds.min())
    return find_ends(
        np.unique(part.times_s),
        np.union1d(_list_tried(view, KINDS[kind]), part.times_s),
        view.looks[WHOLE],
        within=view.span,
        reach_s=SHOWING_REACH_S[kind],
    )


def _list_tried(view: View, kind: str) -> Seconds:
    if kind == LOCAL:
        return np.zeros(0) if view.local is None else view.local.times_s
    regions = [look.times_s for region, look in view.looks.items() if region != WHOLE]
    return view.looks[WHOLE].times_s if kind == FRAMES else np.concatenate([np.zeros(0), *regions])


def _drop_repeats(segments: Sequence[VisualSegment]) -> list[VisualSegment]:
    """The best of those that share a moment, best first."""
    kept: list[VisualSegment] = []
    for segment in segments:
        if not any(exclude(segment.query, other.query) for other in kept):
            kept.append(segment)
    return kept
