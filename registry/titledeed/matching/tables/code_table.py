"""Binary codes of all works, found by closeness."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from titledeed.errors import InvariantViolation
from titledeed.fingerprinting.base import Codes
from titledeed.matching.tables.code_segment import CodeLayout, CodeRows, CodeSegment
from titledeed.matching.tables.segment_table import PENDING_ROWS_MAX, SEGMENT_ROWS_MAX, SegmentTable
from titledeed.matching.tables.segments import SegmentPart


@dataclass(frozen=True, slots=True)
class RowHits:
    """Rows close to the query, by query row, then distance, owner, time and tag.

    Attributes:
        query: row of the query; like the following, one entry per hit.
        owner: whose the found row is.
        time_ms: its time.
        tag: its tag.
        distance: bits between the two.
        complete: one entry per query row: whether no crowded bucket was sampled, so that every
            row within the radius that ``CodeView.search`` guarantees was found, up to the limit.
    """

    query: npt.NDArray[np.int64]
    owner: npt.NDArray[np.int64]
    time_ms: npt.NDArray[np.int64]
    tag: npt.NDArray[np.int64]
    distance: npt.NDArray[np.int64]
    complete: npt.NDArray[np.bool_]

    def take(self, selection: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> RowHits:
        """The selected hits, in the order of the selection."""
        return RowHits(
            self.query[selection],
            self.owner[selection],
            self.time_ms[selection],
            self.tag[selection],
            self.distance[selection],
            self.complete,
        )


def join_hits(parts: Sequence[tuple[RowHits, npt.NDArray[np.int64]]]) -> RowHits:
    """Hits of several searches, part after part.

    Args:
        parts: each with the rows of the whole query that it was made with.
    """
    empty = np.zeros(0, np.int64)
    complete = np.zeros(sum(len(rows) for _, rows in parts), np.bool_)
    for hits, rows in parts:
        complete[rows] = hits.complete
    return RowHits(
        np.concatenate([empty, *(rows[hits.query] for hits, rows in parts)]),
        np.concatenate([empty, *(hits.owner for hits, _ in parts)]),
        np.concatenate([empty, *(hits.time_ms for hits, _ in parts)]),
        np.concatenate([empty, *(hits.tag for hits, _ in parts)]),
        np.concatenate([empty, *(hits.distance for hits, _ in parts)]),
        complete,
    )


@dataclass(frozen=True, slots=True)
class CodeView:
    """A table as it was at one moment; any number of threads may search it.

    Attributes:
        parts: its segments.
        bit_order: in which it holds the bits of codes.
    """

    parts: tuple[SegmentPart[CodeSegment], ...]
    bit_order: npt.NDArray[np.intp]

    def search(self, codes: Codes, *, radius: int, limit: int, flips: int = 1) -> RowHits:
        """The rows at most ``radius`` bits from each query row, the closest ``limit`` of each.

        Of complete query rows nothing is missed, at any size, within s (flips + 1) - 1 bits, where
        s is ``count_substrings(code_bytes)``: so few changed bits leave one substring with at most
        ``flips``. For 256 bits that is 9, 19 and 29; beyond it recall falls gently.

        Args:
            codes: shape (q, code_bytes).
            radius: in bits.
            limit: hits per query row.
            flips: 0 for many rows of which some need to hit, 1 for a clip, 2 for a picture; each
                costs ten times the one before.
        """
        query = _reorder(codes, self.bit_order)
        crowded = np.zeros(len(query), np.bool_)
        columns = [np.zeros((5, 0), np.int64)]
        for part in self.parts:
            hits, its_crowded = part.segment.search(query, radius=radius, flips=flips)
            crowded |= its_crowded
            if part.removed:
                hits = hits.take(part.keeps(part.segment.rows.owners[hits.corpus]))
            rows = part.segment.rows.take(hits.corpus)
            fields = (hits.query, rows.owners, rows.times_ms, rows.tags, hits.distance)
            columns.append(np.array(fields, np.int64))
        return _closest(np.concatenate(columns, axis=1), limit, ~crowded)


class CodeTable(SegmentTable[CodeRows, CodeSegment]):
    """Rows of codes of one width.

    Args:
        folder: of this table alone; it may be missing. None keeps all in memory.
        code_bytes: a multiple of 8.
        bit_order: all bits of a code, the most reliable first: neighbours share a substring, and
            one substring without error is enough to be found.
        fed_by: names of what makes its codes; what others made counts as nothing.
        pending_rows_max: as ``SegmentTable`` takes it.
        segment_rows_max: as ``SegmentTable`` takes it.

    Raises:
        StorageError: the folder holds something damaged.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        code_bytes: int,
        bit_order: Sequence[int],
        fed_by: Collection[str] = (),
        pending_rows_max: int = PENDING_ROWS_MAX,
        segment_rows_max: int = SEGMENT_ROWS_MAX,
    ) -> None:
        if code_bytes % 8 or sorted(bit_order) != list(range(8 * code_bytes)):
            raise InvariantViolation("the order must name every bit once, in whole words")
        self._order = np.array(bit_order, np.intp)
        meaning = repr((list(bit_order), sorted(fed_by))).encode()
        super().__init__(
            folder,
            CodeLayout(hashlib.sha256(meaning).hexdigest()),
            pending_rows_max=pending_rows_max,
            segment_rows_max=segment_rows_max,
        )

    def append(
        self,
        owner: int,
        times_ms: npt.NDArray[np.int64],
        tags: npt.NDArray[np.int64],
        codes: Codes,
    ) -> None:
        """Add rows of one owner.

        Args:
            owner: a number of 31 bits.
            times_ms: shape (n,), of 32 bits.
            tags: shape (n,), of 16 bits.
            codes: shape (n, code_bytes).
        """
        self.append_rows(
            CodeRows(
                _reorder(codes, self._order),
                np.full(len(codes), owner, np.int32),
                times_ms.astype(np.uint32),
                tags.astype(np.uint16),
            )
        )

    def view(self) -> CodeView:
        """What it holds now."""
        return CodeView(self.parts(), self._order)


def _reorder(codes: Codes, bit_order: npt.NDArray[np.intp]) -> Codes:
    return np.packbits(np.unpackbits(codes, axis=1).take(bit_order, axis=1), axis=1)


def _closest(
    columns: npt.NDArray[np.int64], limit: int, complete: npt.NDArray[np.bool_]
) -> RowHits:
    query, owner, time_ms, tag, distance = columns
    order = np.lexsort((time_ms << 16 | tag, distance << 32 | owner, query))
    ranked = query[order]
    order = order[np.arange(len(order)) - np.searchsorted(ranked, ranked) < limit]
    return RowHits(
        query[order], owner[order], time_ms[order], tag[order], distance[order], complete
    )
