"""Time lines of frame codes drawn from a seed, for tests of matching."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.base import SAMPLE_PERIOD_S, Codes, FrameCodes
from titledeed.matching.pictures.alignment import WHOLE, Alignment, Looks, align
from titledeed.matching.pictures.edges import span_of
from titledeed.matching.pictures.views import HIT_BITS_MAX, gather_hits
from titledeed.matching.pictures.voting import TimedHits
from titledeed.matching.tables.frame_scan import scan_frames

FINE = 20
"""Moments drawn between two samples, so that every speed has its frames."""


def draw_walk(generator: np.random.Generator, count: int, *, drift: float) -> Codes:
    """Codes that drift from one to the next, as those of a moving shot do."""
    flips = generator.random((count, 256)) < drift
    flips[0] = generator.random(256) < 0.5
    return np.packbits(np.logical_xor.accumulate(flips), axis=1)


def draw_codes(seed: int, rows: int) -> Codes:
    """Codes that have nothing to do with each other."""
    return np.random.default_rng(seed).integers(0, 256, (rows, 32), dtype=np.uint8)


def flip_bits(codes: Codes, bits: int, seed: int = 0) -> Codes:
    """Turn exactly ``bits`` bits of each row."""
    generator = np.random.default_rng(seed)
    flips = np.zeros((len(codes), 256), np.uint8)
    for row in flips:
        row[generator.choice(256, bits, replace=False)] = 1
    return codes ^ np.packbits(flips, axis=1)


def grid_times(count: int, start_s: float = 0.0) -> npt.NDArray[np.float64]:
    """Times of the sampling grid."""
    return np.asarray(start_s + np.arange(count) * SAMPLE_PERIOD_S, np.float64)


def on_grid(codes: Codes, start_s: float = 0.0) -> FrameCodes:
    """One code per sample."""
    return FrameCodes(grid_times(len(codes), start_s), codes)


def align_looks(query: Looks, work: Looks) -> list[Alignment]:
    """Align two files in one orientation by all near pairs of all their looks."""
    columns: list[npt.NDArray[np.float64]] = []
    for ours, query_frames in query.items():
        for theirs, work_frames in work.items():
            hits = scan_frames(query_frames.codes, work_frames.codes, distance_max=HIT_BITS_MAX)
            rows = len(hits.query)
            columns.append(
                np.stack(
                    [
                        np.full(rows, ours),
                        np.full(rows, theirs),
                        query_frames.times_s[hits.query],
                        work_frames.times_s[hits.corpus],
                        1 - hits.distance / 256,
                    ]
                )
            )
    table = np.concatenate(columns, axis=1)
    regions = table[:2].astype(np.int64)
    orientation = np.zeros(table.shape[1], np.int64)
    hits_found = gather_hits(orientation, regions[0], regions[1], TimedHits(*table[2:]))
    spans = (span_of(query[WHOLE], None), span_of(work[WHOLE], None))
    return align([query], work, hits_found, spans)


def align_frames(query: FrameCodes, work: FrameCodes) -> list[Alignment]:
    """Align two files of which only whole frames are coded."""
    return align_looks({WHOLE: query}, {WHOLE: work})
