"""Codes with the shape of real ones, a model of the code index, and the oracle's answer."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.base import Codes
from titledeed.matching.tables.code_segment import count_substrings
from titledeed.matching.tables.code_table import RowHits
from titledeed.matching.tables.frame_scan import scan_frames

Found = list[tuple[int, int, int, int, int]]
"""Query row, distance, owner, time and tag."""


def draw_codes(seed: int, rows: int, *, width: int = 32, drift: float = 0.02) -> Codes:
    """A time line: each code differs from the one before in some bits."""
    generator = np.random.default_rng(seed)
    flips = generator.random((rows, 8 * width)) < drift
    flips[:1] = generator.random(8 * width) < 0.5
    return np.packbits(np.logical_xor.accumulate(flips), axis=1)


def flip_bits(codes: Codes, count: int, *, seed: int = 0) -> Codes:
    """Codes exactly ``count`` bits away."""
    generator = np.random.default_rng(seed)
    bits = np.unpackbits(codes, axis=1)
    for row in bits:
        row[generator.choice(len(row), count, replace=False)] ^= 1
    return np.packbits(bits, axis=1)


def guaranteed_radius(code_bytes: int, flips: int) -> int:
    """Bits within which a search promises to miss nothing."""
    return (flips + 1) * count_substrings(code_bytes) - 1


def list_hits(hits: RowHits) -> Found:
    """Hits as tuples, in their order."""
    columns = (hits.query, hits.distance, hits.owner, hits.time_ms, hits.tag)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@dataclass
class PlainRows:
    """What an index holds, without any index."""

    rows: list[tuple[int, int, int, Codes]] = field(default_factory=list)

    def append(
        self, owner: int, times_ms: npt.NDArray[np.int64], tags: npt.NDArray[np.int64], codes: Codes
    ) -> None:
        """Add rows of one work."""
        for time_ms, tag, code in zip(times_ms.tolist(), tags.tolist(), codes, strict=True):
            self.rows.append((owner, time_ms, tag, code))

    def remove(self, owners: set[int]) -> None:
        """Drop the rows of these works."""
        self.rows = [row for row in self.rows if row[0] not in owners]

    def find(self, query: Codes, radius: int) -> Found:
        """All rows within the radius, as the index orders them."""
        if not self.rows:
            return []
        hits = scan_frames(query, np.stack([row[3] for row in self.rows]), distance_max=radius)
        return sorted(
            (row, distance, *self.rows[place][:3])
            for row, place, distance in zip(
                hits.query.tolist(), hits.corpus.tolist(), hits.distance.tolist(), strict=True
            )
        )
