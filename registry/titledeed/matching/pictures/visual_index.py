"""Looking up what a query shows among all works: frame and region codes, and local descriptors.

An owner is the position of one stored code in the source, so that a row tells its work and its
algorithm.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.pictures.frame_codes import CODE_BYTES
from titledeed.fingerprinting.pictures.keypoints import DESCRIPTOR_BYTES
from titledeed.matching.pictures.alignment import WHOLE
from titledeed.matching.pictures.candidates import (
    Votes,
    compare_with_crowd,
    rank_owners,
    split_batches,
    take_best,
)
from titledeed.matching.pictures.geometry import DESCRIPTOR_DISTANCE_MAX
from titledeed.matching.pictures.keyframes import choose_pairs
from titledeed.matching.pictures.tracks import CODE_BITS
from titledeed.matching.pictures.views import HIT_BITS_MAX, Lookups, View, gather_hits
from titledeed.matching.pictures.visual_tables import VisualTables, count_milliseconds
from titledeed.matching.pictures.voting import TimedHits
from titledeed.matching.tables.code_table import CodeView, RowHits, join_hits

REGION_BITS_MAX: Final = 70
"""There are eleven regions a second, and only some need to hit."""

FRAME_HITS_MAX: Final = 64
REGION_HITS_MAX: Final = 32
DESCRIPTOR_HITS_MAX: Final = 16
"""Of one query row, the closest: what many works repeat tells little."""

CLIP_FLIPS: Final = 1
STILL_FLIPS: Final = 2
"""A still has few rows and no time to vote over, so it is looked up more thoroughly.

Regions are looked up with one flip less, unless there are no local features beside them: of 110
heavily edited clips codes found 75 either way, in less than half of the time; of 199 stills, all
of which local features found, 48 instead of 50 in a fifth of it.
"""

DESCRIPTOR_FLIPS: Final = 0
"""A keyframe has a hundred descriptors, of which four need to hit."""

ROWS_AT_ONCE: Final = 20_000
"""Rows of a long film that are looked up before the hits of all but its candidates are dropped:
ten minutes of codes or three of descriptors, with a hundred megabytes of hits."""

CANDIDATES_MIN: Final = 24
CANDIDATES_PER_S: Final = 0.5
"""A film may hold another work every two seconds."""

Columns = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class QueryRows:
    """Rows that are looked up, with what each looks at."""

    view: Columns
    part: Columns
    times_s: npt.NDArray[np.float64]
    codes: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.times_s)

    def take(self, selection: Columns | npt.NDArray[np.bool_]) -> QueryRows:
        """The selected rows, in the order of the selection."""
        return QueryRows(
            self.view[selection],
            self.part[selection],
            self.times_s[selection],
            self.codes[selection],
        )


@dataclass(frozen=True, slots=True)
class VisualHits:
    """What one query found of the works that are worth a closer look.

    Attributes:
        batches: positions of those codes of the works that were hit, the most promising first.
        codes: hits of ``code_rows``, whose part is the region of the picture.
        descriptors: hits of ``descriptor_rows``, whose part is the keyframe.
    """

    batches: list[list[int]]
    code_rows: QueryRows
    codes: RowHits
    descriptor_rows: QueryRows
    descriptors: RowHits

    def of_work(self, owners: Collection[int], views: Sequence[View], work: View) -> Lookups:
        """What was found of one work, as the matcher reads it.

        Args:
            owners: positions of its codes.
            views: the query's, as they were looked up.
            work: with its decoded codes.
        """
        wanted = np.array(sorted(owners))
        near = self.codes.take(np.isin(self.codes.owner, wanted))
        rows = self.code_rows
        timed = TimedHits(
            rows.times_s[near.query], near.time_ms / 1000, 1 - near.distance / CODE_BITS
        )
        hits = gather_hits(rows.view[near.query], rows.part[near.query], near.tag, timed)
        local = self.descriptors.take(np.isin(self.descriptors.owner, wanted))
        return Lookups(
            hits, [self._pairs(local, row, view, work) for row, view in enumerate(views)]
        )

    def _pairs(self, local: RowHits, row: int, view: View, work: View) -> list[tuple[int, int]]:
        if view.local is None or work.local is None:
            return []
        rows = self.descriptor_rows
        mine = local.take(rows.view[local.query] == row)
        counts = np.zeros((len(view.local.times_s), len(work.local.times_s)), np.int64)
        times_ms = count_milliseconds(work.local.times_s)
        column = np.minimum(np.searchsorted(times_ms, mine.time_ms), len(times_ms) - 1)
        np.add.at(counts, (rows.part[mine.query], column), 1)
        return choose_pairs(counts)


def look_up(
    tables: VisualTables, views: Sequence[View], *, rows_at_once: int = ROWS_AT_ONCE
) -> VisualHits:
    """What a query shows, among all works.

    Args:
        tables: of one family.
        views: of the query, as ``view_query`` makes them.
        rows_at_once: of a long film, so many are looked up before hits are dropped.
    """
    code_rows, descriptor_rows = _code_rows(views), _descriptor_rows(views)
    flips = STILL_FLIPS if views[0].is_single else CLIP_FLIPS
    region_flips = flips - 1 if len(descriptor_rows) else flips
    code_hits, by_codes = _look_up_windows(
        code_rows,
        lambda rows: _near_codes(tables.codes, rows, flips=flips, region_flips=region_flips),
        _rank_by_codes,
        rows_at_once,
    )
    descriptor_hits, by_descriptors = _look_up_windows(
        descriptor_rows,
        partial(_near_descriptors, tables.descriptors),
        _rank_by_descriptors,
        rows_at_once,
    )
    batches = split_batches([*by_codes, *by_descriptors])
    return VisualHits(batches, code_rows, code_hits, descriptor_rows, descriptor_hits)


def _look_up_windows(
    rows: QueryRows,
    search: Callable[[QueryRows], RowHits],
    rank: Callable[[QueryRows, RowHits, int], Votes],
    rows_at_once: int,
) -> tuple[RowHits, list[Votes]]:
    """Hits of the candidates of each window of time, and how far these stand out in it."""
    order = np.argsort(rows.times_s, kind="stable")
    parts: list[tuple[RowHits, Columns]] = []
    standings = []
    for start in range(0, len(rows), rows_at_once):
        window = order[start : start + rows_at_once]
        its_rows = rows.take(window)
        hits = search(its_rows)
        count = CANDIDATES_MIN + int(np.ptp(its_rows.times_s) * CANDIDATES_PER_S)
        votes = rank(its_rows, hits, count)
        parts.append((hits.take(np.isin(hits.owner, list(votes))), window))
        standings.append(compare_with_crowd(votes))
    return join_hits(parts), standings


def _rank_by_codes(rows: QueryRows, hits: RowHits, count: int) -> Votes:
    """Codes weigh by closeness, each second of the query once."""
    bits = HIT_BITS_MAX + 1
    weight = (bits - hits.distance) / bits
    return rank_owners(
        hits.owner, rows.times_s[hits.query], hits.time_ms / 1000, weight, count=count
    )


def _rank_by_descriptors(rows: QueryRows, hits: RowHits, count: int) -> Votes:
    """A still has many descriptors and one second, so rows vote.

    What a row hits shares its vote, since common corners tell little, and only the view that an
    owner fits best counts.
    """
    share = 1 / np.maximum(1, np.bincount(hits.query, minlength=len(rows)))
    views = int(rows.view.max(initial=0)) + 1
    seen, inverse = np.unique(hits.owner * views + rows.view[hits.query], return_inverse=True)
    return take_best(
        seen // views, np.bincount(inverse, share[hits.query], minlength=len(seen)), count
    )


def _code_rows(views: Sequence[View]) -> QueryRows:
    return _join(
        [
            QueryRows(
                np.full(len(look.times_s), row),
                np.full(len(look.times_s), region),
                look.times_s,
                look.codes,
            )
            for row, view in enumerate(views)
            for region, look in view.looks.items()
        ],
        CODE_BYTES,
    )


def _descriptor_rows(views: Sequence[View]) -> QueryRows:
    return _join(
        [
            QueryRows(
                np.full(len(local.frame), row),
                local.frame,
                local.times_s[local.frame],
                local.descriptors,
            )
            for row, view in enumerate(views)
            if (local := view.local) is not None
        ],
        DESCRIPTOR_BYTES,
    )


def _join(parts: Sequence[QueryRows], code_bytes: int) -> QueryRows:
    return QueryRows(
        np.concatenate([np.zeros(0, np.int64), *(part.view for part in parts)]),
        np.concatenate([np.zeros(0, np.int64), *(part.part for part in parts)]),
        np.concatenate([np.zeros(0), *(part.times_s for part in parts)]),
        np.concatenate([np.zeros((0, code_bytes), np.uint8), *(part.codes for part in parts)]),
    )


def _near_codes(codes: CodeView, rows: QueryRows, *, flips: int, region_flips: int) -> RowHits:
    """The rows near the query's, regions counted after frames."""
    is_frame = rows.part == WHOLE
    frames, regions = np.flatnonzero(is_frame), np.flatnonzero(~is_frame)
    near_frames = codes.search(
        rows.codes[frames], radius=HIT_BITS_MAX, limit=FRAME_HITS_MAX, flips=flips
    )
    near_regions = codes.search(
        rows.codes[regions], radius=REGION_BITS_MAX, limit=REGION_HITS_MAX, flips=region_flips
    )
    return join_hits([(near_frames, frames), (near_regions, regions)])


def _near_descriptors(descriptors: CodeView, rows: QueryRows) -> RowHits:
    return descriptors.search(
        rows.codes,
        radius=DESCRIPTOR_DISTANCE_MAX,
        limit=DESCRIPTOR_HITS_MAX,
        flips=DESCRIPTOR_FLIPS,
    )
