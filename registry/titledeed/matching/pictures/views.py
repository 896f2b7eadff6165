"""What a file shows, as it is compared: its visual codes in one orientation, and what fits them.

A still picture is a video of one frame at 0 s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.base import Codes, FrameCodes, hamming_distances
from titledeed.fingerprinting.pictures.local_features import LocalFeatures, orient_features
from titledeed.fingerprinting.pictures.orientation import (
    MIRRORED,
    UPRIGHT,
    Orientation,
    orient_codes,
)
from titledeed.fingerprinting.pictures.regions import RegionCodes, orient_regions
from titledeed.matching.pictures.alignment import WHOLE, ChannelHits, LookChannel, Looks
from titledeed.matching.pictures.codes import PictureCodes
from titledeed.matching.pictures.edges import span_of
from titledeed.matching.pictures.keyframes import Pair, find_pairs
from titledeed.matching.pictures.voting import TimedHits
from titledeed.matching.tables.frame_scan import scan_frames
from titledeed.matching.thresholds import load_thresholds
from titledeed.models.interval import Interval

SEARCHED: Final = (UPRIGHT, MIRRORED)
"""Orientations that are looked up unless others are asked for."""

HIT_BITS_MAX: Final = 84
"""Of 256: of 83 million pairs of unrelated frames of 67 real clips 14 in a million are as near."""

HELD_BITS: Final = 16
HELD_DRIFT_BITS: Final = 2.0
"""A picture that is held differs from frame to frame by noise, and no more after a while.

With noise of three grey levels and JPEG of quality 40 its codes came 13 bits apart and drifted by
0.1; of 3 s of real clips, fixed cameras included, none stayed within both.
"""

_REGION_BITS: Final = 5


@dataclass(frozen=True, slots=True)
class VisualSegment:
    """One aligned run with its evidence.

    Attributes:
        speed: seconds of the work per second of the query.
        orientation: how the query is turned against the work.
        evidence: raw number by kind, higher is surer.
        is_same_recording: False where only a part of picture or time is common.
    """

    query: Interval
    work: Interval
    speed: float
    orientation: Orientation
    evidence: Mapping[str, float]
    is_same_recording: bool

    @property
    def worth(self) -> float:
        """How sure it is, in units of the calibrated thresholds; above 1 is a match."""
        return load_thresholds().score(self.evidence)


class View:
    """A file's visual codes in one orientation, sorted for comparison.

    Args:
        codes: decoded codes of a picture or video.
        orientation: in which they are looked at.
        duration_s: of the file, where it is known.
    """

    def __init__(
        self,
        codes: PictureCodes,
        orientation: Orientation = UPRIGHT,
        duration_s: float | None = None,
    ) -> None:
        self._codes = codes
        self.orientation = orientation
        self._duration_s = duration_s

    @cached_property
    def span(self) -> Interval:
        """Where it has evidence."""
        if self.looks:
            return span_of(self.looks[WHOLE], self._duration_s)
        return Interval(0.0, self._duration_s or 0.0)

    @property
    def extent(self) -> Interval:
        """Seconds for which it shows one picture, where it shows no other; a still has none."""
        return Interval(0.0, 0.0) if self.is_single and not self._duration_s else self.span

    @property
    def is_single(self) -> bool:
        """Whether it is one picture, with nothing before or after."""
        whole, local = self.looks.get(WHOLE), self.local
        return (whole is None or len(whole.times_s) == 1) and (
            local is None or len(local.times_s) == 1
        )

    @cached_property
    def is_held(self) -> bool:
        """Whether it shows one picture all along, so that no moment of it differs from another."""
        if WHOLE not in self.looks:
            return self.is_single
        codes = self.looks[WHOLE].codes
        return len(codes) == 1 or (
            bool(hamming_distances(codes, codes[:1]).max() <= HELD_BITS)
            and _mean_step(codes, len(codes) // 2) - _mean_step(codes, 1) <= HELD_DRIFT_BITS
        )

    @cached_property
    def looks(self) -> Looks:
        """Codes by region of the picture; empty when there are none."""
        looks: dict[int, FrameCodes] = {}
        if self._codes.regions is not None:
            regions = orient_regions(self._codes.regions, self.orientation)
            looks = {int(n): _of_region(regions, int(n)) for n in np.unique(regions.regions)}
        if self._codes.frames is not None:
            codes = orient_codes(self._codes.frames.codes, self.orientation)
            looks[WHOLE] = FrameCodes(self._codes.frames.times_s, codes)
        return looks if WHOLE in looks else {}

    @cached_property
    def local(self) -> LocalFeatures | None:
        """Local features; None in a turned view, which would show the same as the upright one."""
        local = self._codes.local
        if local is None or self.orientation.turns:
            return None
        return orient_features(local, self.orientation)


def _mean_step(codes: Codes, rows: int) -> float:
    return float(hamming_distances(codes[rows:], codes[:-rows]).mean())


def _of_region(regions: RegionCodes, number: int) -> FrameCodes:
    rows = regions.regions == number
    return FrameCodes(regions.times_s[rows], regions.codes[rows])


@dataclass(frozen=True, slots=True)
class Lookups:
    """What an index, or an exhaustive scan, found of one work.

    Attributes:
        hits: near pairs of codes, channels' orientations being rows of the views.
        pairs: promising pairs of keyframes, by row of the views.
    """

    hits: ChannelHits
    pairs: Sequence[Sequence[Pair]]


def view_query(
    codes: PictureCodes,
    duration_s: float | None = None,
    orientations: Sequence[Orientation] = SEARCHED,
) -> tuple[View, ...]:
    """The query in each orientation that is searched."""
    return tuple(View(codes, orientation, duration_s) for orientation in orientations)


def gather_hits(
    orientation: npt.NDArray[np.int64],
    query_region: npt.NDArray[np.int64],
    work_region: npt.NDArray[np.int64],
    timed: TimedHits,
) -> ChannelHits:
    """Hits with their channels, from columns of equal length."""
    keys = (((orientation << _REGION_BITS) | query_region) << _REGION_BITS) | work_region
    found, rows = np.unique(keys, return_inverse=True)
    mask = (1 << _REGION_BITS) - 1
    channels = tuple(
        LookChannel(int(k >> 2 * _REGION_BITS), int(k >> _REGION_BITS) & mask, int(k) & mask)
        for k in found
    )
    return ChannelHits(timed, rows.astype(np.int64), channels)


def look_up(views: Sequence[View], work: View) -> Lookups:
    """The exhaustive comparison of two files: the oracle of any index."""
    table = _tabulate(work.looks)
    columns: list[tuple[npt.NDArray[np.int64], ...]] = []
    timed: list[TimedHits] = []
    for row, view in enumerate(views):
        ours = _tabulate(view.looks)
        hits = scan_frames(ours[2], table[2], distance_max=HIT_BITS_MAX)
        columns.append((np.full(len(hits.query), row), ours[1][hits.query], table[1][hits.corpus]))
        weight = 1 - hits.distance / 256
        timed.append(TimedHits(ours[0][hits.query], table[0][hits.corpus], weight))
    orientation, ours_by_hit, theirs_by_hit = (
        np.concatenate(column) for column in zip(*columns, strict=True)
    )
    joined = TimedHits(
        np.concatenate([hits.query_s for hits in timed]),
        np.concatenate([hits.work_s for hits in timed]),
        np.concatenate([hits.weight for hits in timed]),
    )
    return Lookups(
        gather_hits(orientation, ours_by_hit, theirs_by_hit, joined),
        [find_pairs(view.local, work.local) if view.local and work.local else [] for view in views],
    )


def _tabulate(
    looks: Looks,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Seconds, regions and codes of all looks, one after another."""
    return (
        np.concatenate([np.zeros(0), *(look.times_s for look in looks.values())]),
        np.repeat(np.array(list(looks), np.int64), [len(look.times_s) for look in looks.values()]),
        np.concatenate([np.zeros((0, 32), np.uint8), *(look.codes for look in looks.values())]),
    )


def exclude(span: Interval, other: Interval) -> bool:
    """Whether two segments cannot both be told, by their seconds of the query."""
    return span == other or span.overlap_s(other) > 0.25 * min(span.duration_s, other.duration_s)
