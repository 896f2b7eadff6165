"""An incremental index of binary codes: immutable segments that are merged as they grow.

Rules. What is appended is private to the process and seen by its next search; ``commit`` puts it
on disk. Several processes read; those that commit take turns, and one that has not seen the last
commit is refused. The index can be lost: it is made of what the registry holds, from the position
``mark`` on.

A segment is merged with the younger ones when these are together half as large. So a search meets
at most log3(rows) segments, each of which costs it about the same, whatever its size: ``compact``
makes one of them all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.errors import ConflictError, InvariantViolation
from titledeed.fingerprinting.base import Codes
from titledeed.matching.tables.code_segment import (
    Allocate,
    Rows,
    Segment,
    allocate,
    count_substrings,
)
from titledeed.matching.tables.segment_folder import Manifest, SegmentFolder

SIZE_RATIO: Final = 2
"""A segment is so many times as large as all younger ones together, at least.

Simulated over additions of 64,000 rows each up to 15 and 58 million: 4.1 and 5.1 segments on
average for 4.7 and 5.7 rewritings of each row; at 3, 3.1 and 3.8 for 7.0 and 8.1; merging four by
four like sizes, 6.2 and 7.6 for 3.8 and 4.8.
"""

SEGMENT_ROWS_MAX: Final = 1 << 24
"""A segment of so many rows is merged no more: its substrings grow no longer, and rewriting it
would take many seconds at once."""

PENDING_ROWS_MAX: Final = 1 << 16
"""Rows that may wait, without tables, for the next search."""


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
            row within the guaranteed radius was found, up to the limit.
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


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A segment, its file once it has one, and the owners whose rows in it no longer count."""

    segment: Segment
    name: str = ""
    removed: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.segment.rows.owners)

    @property
    def is_full(self) -> bool:
        return len(self) >= SEGMENT_ROWS_MAX

    def keeps(self, owners: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        return ~np.isin(owners, np.array(sorted(self.removed), np.int32))

    def living(self) -> Rows:
        rows = self.segment.rows
        return rows.take(self.keeps(rows.owners)) if self.removed else rows

    def without(self, owners: Collection[int]) -> _Part:
        present = np.isin(np.array(sorted(owners), np.int32), self.segment.rows.owners)
        gone = {owner for owner, is_here in zip(sorted(owners), present, strict=True) if is_here}
        return replace(self, removed=self.removed | gone)


class CodeIndex:
    """Rows of codes of one width, found by closeness.

    One object serves several threads: changes take turns, and a search reads what was there when
    it began.

    Attributes:
        mark: the position of the source up to which the last seen commit holds its rows.
    """

    def __init__(self, folder: Path, *, code_bytes: int, bit_order: Sequence[int]) -> None:
        """Open an index, or one to be.

        Args:
            folder: of this index alone; it may be missing.
            code_bytes: a multiple of 8.
            bit_order: all bits of a code, the most reliable first: neighbours share a substring,
                and one substring without error is enough to be found.

        Raises:
            StorageError: the folder holds something damaged or an index of other codes.
        """
        if code_bytes % 8 or sorted(bit_order) != list(range(8 * code_bytes)):
            raise InvariantViolation("the order must name every bit once, in whole words")
        self._code_bytes = code_bytes
        self._order = np.array(bit_order, np.intp)
        self._folder = SegmentFolder(
            folder, content=hashlib.sha256(repr(list(bit_order)).encode()).hexdigest()
        )
        self._lock = Lock()
        self._manifest = Manifest()
        self._parts: tuple[_Part, ...] = ()
        self._pending: list[Rows] = []
        self.refresh()

    @property
    def mark(self) -> int:
        """The position given with the last commit that was seen; 0 when there was none."""
        return self._manifest.mark

    def __len__(self) -> int:
        """Rows, those of removed owners included until they are rewritten."""
        with self._lock:
            return sum(map(len, self._parts)) + sum(len(rows.owners) for rows in self._pending)

    def guaranteed_radius(self, flips: int) -> int:
        """Bits within which a search misses nothing, at any size, for complete query rows.

        Pigeonhole: of s substrings, s (flips + 1) - 1 changed bits leave one with at most
        ``flips``. For 256 bits that is 9, 19 and 29; beyond it recall falls gently.
        """
        return (flips + 1) * count_substrings(self._code_bytes) - 1

    def refresh(self) -> bool:
        """See the last commit of another process; if there is one, all that is private is dropped.

        Returns:
            Whether there was one. Then append again what the source holds from ``mark`` on.

        Raises:
            StorageError: the folder holds something damaged or an index of other codes.
        """
        with self._lock:
            found = self._folder.open_newer(self._manifest)
            if found is None:
                return False
            self._manifest, segments = found
            named = zip(segments, self._manifest.segments.items(), strict=True)
            self._parts = tuple(_Part(one, name, removed) for one, (name, removed) in named)
            self._pending = []
            return True

    def append(
        self,
        owner: int,
        times_ms: npt.NDArray[np.int64],
        tags: npt.NDArray[np.int64],
        codes: Codes,
    ) -> None:
        """Add rows of one work.

        Args:
            owner: a number of 31 bits.
            times_ms: shape (n,), of 32 bits.
            tags: shape (n,), of 16 bits.
            codes: shape (n, code_bytes).
        """
        if not len(codes):
            return
        rows = Rows(
            self._reorder(codes),
            np.full(len(codes), owner, np.int32),
            times_ms.astype(np.uint32),
            tags.astype(np.uint16),
        )
        with self._lock:
            self._pending.append(rows)
            if sum(len(part.owners) for part in self._pending) >= PENDING_ROWS_MAX:
                self._seal()

    def list_owners(self) -> set[int]:
        """Whose rows it holds."""
        with self._lock:
            self._seal()
            parts = self._parts
        return {
            int(owner)
            for part in parts
            for owner in np.unique(part.segment.rows.owners)
            if int(owner) not in part.removed
        }

    def remove(self, owners: Collection[int]) -> None:
        """Drop the rows of these works; what is appended for them later counts again."""
        with self._lock:
            self._seal()
            self._parts = tuple(part.without(owners) for part in self._parts)

    def search(self, codes: Codes, *, radius: int, limit: int, flips: int = 1) -> RowHits:
        """The rows at most ``radius`` bits from each query row, the closest ``limit`` of each.

        Args:
            codes: shape (q, code_bytes).
            radius: in bits; only within ``guaranteed_radius(flips)`` all rows are found.
            limit: hits per query row.
            flips: 0 for many rows of which some need to hit, 1 for a clip, 2 for a picture; each
                costs ten times the one before.
        """
        # A commit may hold the lock for seconds; searches without news do not wait for it.
        if self._pending:
            with self._lock:
                self._seal()
        parts = self._parts
        query = self._reorder(codes)
        crowded = np.zeros(len(query), np.bool_)
        columns = [np.zeros((5, 0), np.int64)]
        for part in parts:
            hits, its_crowded = part.segment.search(query, radius=radius, flips=flips)
            crowded |= its_crowded
            if part.removed:
                hits = hits.take(part.keeps(part.segment.rows.owners[hits.corpus]))
            rows = part.segment.rows.take(hits.corpus)
            fields = (hits.query, rows.owners, rows.times_ms, rows.tags, hits.distance)
            columns.append(np.array(fields, np.int64))
        return _closest(np.concatenate(columns, axis=1), limit, ~crowded)

    def commit(self, mark: int, *, compact: bool = False) -> None:
        """Put everything on disk, durably. The caller sees to it that only one process does.

        Args:
            mark: kept for the next who opens the index.
            compact: merge all into one segment, so that searches are fastest and no file holds a
                removed row; takes about a microsecond per row.

        Raises:
            ConflictError: another process committed since this one opened or refreshed.
            StorageError: the disk refused; what was on it still stands.
        """
        with self._lock:
            if self._folder.open_newer(self._manifest) is not None:
                raise ConflictError(
                    "another process has written to the index",
                    next_step="Refresh, append what is missing, then commit again.",
                )
            self._seal()
            parts = self._compact() if compact else self._save_private()
            manifest = Manifest(mark, {part.name: part.removed for part in parts})
            self._folder.publish(manifest)
            self._manifest, self._parts = manifest, tuple(parts)

    def _compact(self) -> list[_Part]:
        done = [part for part in self._parts if part.is_full and part.name and not part.removed]
        rest = [part for part in self._parts if part not in done]
        is_done = len(rest) == 1 and rest[0].name and not rest[0].removed
        return done + (rest if is_done else self._save(rest))

    def _save_private(self) -> list[_Part]:
        return [
            part
            for group in _group(self._parts)
            for part in (group if len(group) == 1 and group[0].name else self._save(group))
        ]

    def _seal(self) -> None:
        """Give the waiting rows tables, and merge what is private."""
        if not self._pending:
            return
        saved = [part for part in self._parts if part.name]
        private = [part for part in self._parts if not part.name]
        private.append(_Part(Segment.build(self._pending, allocate)))
        merged = [part for group in _group(private) for part in _merge(group, allocate)]
        self._parts = (*saved, *merged)
        self._pending = []

    def _save(self, parts: Sequence[_Part]) -> list[_Part]:
        with self._folder.create() as (name, allocate_file):
            merged = _merge(parts, allocate_file)
        return [_Part(self._folder.open_segment(name), name) for _ in merged]

    def _reorder(self, codes: Codes) -> Codes:
        return np.packbits(np.unpackbits(codes, axis=1).take(self._order, axis=1), axis=1)


def _group(parts: Iterable[_Part]) -> list[list[_Part]]:
    """Which belong in one segment, by their sizes; all in their order."""
    groups: list[list[_Part]] = []
    for part in parts:
        groups.append([part])
        while len(groups) > 1 and _belong_together(*(sum(map(len, one)) for one in groups[-2:])):
            last = groups.pop()
            groups[-1] += last
    return groups


def _belong_together(older: int, younger: int) -> bool:
    return older < min(SIZE_RATIO * younger, SEGMENT_ROWS_MAX)


def _merge(parts: Sequence[_Part], allocate: Allocate) -> list[_Part]:
    """One part of all living rows, or none when there are none."""
    if len(parts) == 1 and not parts[0].removed:
        return [_Part(parts[0].segment.copy(allocate))]
    rows = [part.living() for part in parts]
    is_empty = not any(len(part.owners) for part in rows)
    return [] if is_empty else [_Part(Segment.build(rows, allocate))]


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
