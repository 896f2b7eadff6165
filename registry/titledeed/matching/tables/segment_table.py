"""A table of rows that grows: immutable segments that are merged as they do, of any kind of rows.

Rules. What is appended is private to the object and seen by the next view; ``commit`` puts it on
disk. Several processes read; those that commit take turns, and one that has not seen the last
commit is refused. The table can be lost: it is made of what the registry holds, from the position
``mark`` on. One thread at a time uses the object; what ``parts`` gave never changes, and any number
of threads read it while the table goes on.

A segment is merged with the younger ones when these are together half as large. So a search meets
at most log3(rows) segments, each of which costs it about the same, whatever its size: ``compact``
makes one of them all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Final, Generic

from titledeed.errors import ConflictError, InvariantViolation
from titledeed.matching.tables.segment_folder import Manifest, SegmentFolder
from titledeed.matching.tables.segments import (
    Allocate,
    RowLayout,
    RowsT,
    SegmentPart,
    SegmentT,
    allocate,
)

SIZE_RATIO: Final = 2
"""A segment is so many times as large as all younger ones together, at least.

Simulated over additions of 64,000 rows each up to 15 and 58 million: 4.1 and 5.1 segments on
average for 4.7 and 5.7 rewritings of each row; at 3, 3.1 and 3.8 for 7.0 and 8.1; merging four by
four like sizes, 6.2 and 7.6 for 3.8 and 4.8.
"""

SEGMENT_ROWS_MAX: Final = 1 << 24
"""A segment of so many rows is merged no more: the tables over codes grow no longer, and rewriting
it would take many seconds at once."""

PENDING_ROWS_MAX: Final = 1 << 16
"""Rows that may wait, in no segment, for the next view."""


class SegmentTable(Generic[RowsT, SegmentT]):
    """Rows of one kind.

    Attributes:
        folder: where its files lie; None where it has none.

    Args:
        folder: of this table alone; it may be missing. None keeps all in memory.
        layout: of its rows.
        pending_rows_max: so many that wait for the next view are laid out before it.
        segment_rows_max: a segment of so many is merged no more.

    Raises:
        StorageError: the folder holds something damaged.
    """

    def __init__(
        self,
        folder: Path | None,
        layout: RowLayout[RowsT, SegmentT],
        *,
        pending_rows_max: int = PENDING_ROWS_MAX,
        segment_rows_max: int = SEGMENT_ROWS_MAX,
    ) -> None:
        self.folder = folder
        self._layout = layout
        self._pending_rows_max = pending_rows_max
        self._segment_rows_max = segment_rows_max
        self._files = None if folder is None else SegmentFolder(folder, layout)
        self._manifest = Manifest()
        self._parts: tuple[SegmentPart[SegmentT], ...] = ()
        self._pending: list[RowsT] = []
        self.refresh()

    @property
    def mark(self) -> int:
        """The position given with the last commit that was seen; 0 when there was none."""
        return self._manifest.mark

    @property
    def erased(self) -> int | None:
        """The erasures given with the last commit that was seen; None when there was none."""
        return self._manifest.erased

    def __len__(self) -> int:
        """Rows, those of removed owners included until they are rewritten."""
        return sum(map(len, self._parts)) + sum(len(rows.owners) for rows in self._pending)

    def refresh(self) -> bool:
        """See the last commit of another process; if there is one, all that is private is dropped.

        Returns:
            Whether there was one. Then append again what the source holds from ``mark`` on.

        Raises:
            StorageError: the folder holds something damaged.
        """
        found = None if self._files is None else self._files.open_newer(self._manifest)
        if found is None:
            return False
        self._manifest, segments = found
        named = zip(segments, self._manifest.segments.items(), strict=True)
        self._parts = tuple(SegmentPart(one, name, removed) for one, (name, removed) in named)
        self._pending = []
        return True

    def append_rows(self, rows: RowsT) -> None:
        """Add rows; their owners are numbers of 31 bits."""
        if not len(rows.owners):
            return
        self._pending.append(rows)
        if sum(len(part.owners) for part in self._pending) >= self._pending_rows_max:
            self._seal()

    def parts(self) -> tuple[SegmentPart[SegmentT], ...]:
        """All rows as they are now, for a search; later changes do not show in it."""
        self._seal()
        return self._parts

    def list_owners(self) -> set[int]:
        """Whose rows it holds."""
        return {owner for part in self.parts() for owner in part.list_owners()}

    def remove(self, owners: Collection[int]) -> None:
        """Drop the rows of these owners; what is appended for them later counts again."""
        self._parts = tuple(part.without(owners) for part in self.parts())

    def commit(self, mark: int, *, erased: int | None = None, compact: bool = False) -> None:
        """Put everything on disk, durably. The caller sees to it that only one process does.

        Args:
            mark: kept for the next who opens the table.
            erased: kept likewise.
            compact: merge all into one segment, so that searches are fastest and no file holds a
                removed row; takes about a microsecond per row.

        Raises:
            ConflictError: another process committed since this one opened or refreshed.
            StorageError: the disk refused; what was on it still stands.
        """
        if self._files is None:
            raise InvariantViolation("a table in memory cannot be committed")
        if self._files.open_newer(self._manifest) is not None:
            raise ConflictError(
                "another process has written to the index",
                next_step="Refresh, append what is missing, then commit again.",
            )
        parts = self._compact() if compact else self._save_private()
        manifest = Manifest(mark, erased, {part.name: part.removed for part in parts})
        self._files.publish(manifest)
        self._manifest, self._parts = manifest, tuple(parts)

    def _compact(self) -> list[SegmentPart[SegmentT]]:
        parts = self.parts()
        done = [
            part
            for part in parts
            if len(part) >= self._segment_rows_max and part.name and not part.removed
        ]
        rest = [part for part in parts if part not in done]
        is_done = len(rest) == 1 and rest[0].name and not rest[0].removed
        return done + (rest if is_done else self._save(rest))

    def _save_private(self) -> list[SegmentPart[SegmentT]]:
        return [
            part
            for group in self._group(self.parts())
            for part in (group if len(group) == 1 and group[0].name else self._save(group))
        ]

    def _seal(self) -> None:
        """Lay out the rows that wait, and merge what is private."""
        if not self._pending:
            return
        saved = [part for part in self._parts if part.name]
        private = [part for part in self._parts if not part.name]
        private.append(SegmentPart(self._layout.build(self._pending, allocate)))
        merged = [
            part
            for group in self._group(private)
            for part in (group if len(group) == 1 else self._merge(group, allocate))
        ]
        self._parts = (*saved, *merged)
        self._pending = []

    def _group(self, parts: Iterable[SegmentPart[SegmentT]]) -> list[list[SegmentPart[SegmentT]]]:
        """Which belong in one segment, by their sizes; all in their order."""
        groups: list[list[SegmentPart[SegmentT]]] = []
        for part in parts:
            groups.append([part])
            while len(groups) > 1 and self._belong_together(*groups[-2:]):
                last = groups.pop()
                groups[-1] += last
        return groups

    def _belong_together(
        self, older: Iterable[SegmentPart[SegmentT]], younger: Iterable[SegmentPart[SegmentT]]
    ) -> bool:
        rows_max = min(SIZE_RATIO * sum(map(len, younger)), self._segment_rows_max)
        return sum(map(len, older)) < rows_max

    def _save(self, parts: Sequence[SegmentPart[SegmentT]]) -> list[SegmentPart[SegmentT]]:
        if self._files is None:
            raise InvariantViolation("a table in memory cannot be saved")
        with self._files.create() as (name, allocate_file):
            merged = self._merge(parts, allocate_file)
        return [SegmentPart(self._files.open_segment(name), name) for _ in merged]

    def _merge(
        self, parts: Sequence[SegmentPart[SegmentT]], allocate: Allocate
    ) -> list[SegmentPart[SegmentT]]:
        """One part of all living rows, or none when there are none."""
        if len(parts) == 1 and not parts[0].removed:
            buffer = parts[0].segment.buffer
            copy = allocate(len(buffer))
            copy[:] = buffer
            return [SegmentPart(self._layout.read(copy))]
        rows = [self._living(part) for part in parts]
        is_empty = not any(len(part.owners) for part in rows)
        return [] if is_empty else [SegmentPart(self._layout.build(rows, allocate))]

    def _living(self, part: SegmentPart[SegmentT]) -> RowsT:
        rows: RowsT = part.segment.rows
        return rows.take(part.keeps(rows.owners)) if part.removed else rows
