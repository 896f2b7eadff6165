"""An inverted table: 32-bit keys of all works, each with a 64-bit value, sorted by key."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.matching.tables.segment_table import SegmentTable
from titledeed.matching.tables.segments import (
    Allocate,
    Buffer,
    RowLayout,
    SegmentPart,
    TableSegment,
    damaged_segment,
    place_sections,
    read_header,
    split_sections,
)

_POSTINGS_MAGIC: Final = int.from_bytes(b"tdposts1", "little")
_POSTINGS_HEADER_WORDS: Final = 2

Keys = npt.NDArray[np.uint32]
Values = npt.NDArray[np.uint64]
_Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PostingRows:
    """Keys with whose they are and what each stands for; shapes (n,)."""

    keys: Keys
    owners: npt.NDArray[np.int32]
    values: Values

    def take(self, selection: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> PostingRows:
        """The selected rows."""
        return PostingRows(self.keys[selection], self.owners[selection], self.values[selection])


@dataclass(frozen=True, slots=True)
class Postings:
    """What a lookup found.

    Attributes:
        rows: row of the looked-up keys, shape (n,).
        owners: whose it is.
        values: as appended.
    """

    rows: npt.NDArray[np.int64]
    owners: npt.NDArray[np.int64]
    values: Values


class PostingSegment(TableSegment[PostingRows]):
    """Postings sorted by key."""

    def __init__(self, buffer: Buffer) -> None:
        """Read a laid out buffer.

        Raises:
            StorageError: the buffer was not written by ``build`` or is cut short.
        """
        (count,) = read_header(buffer, magic=_POSTINGS_MAGIC, words=_POSTINGS_HEADER_WORDS)
        if len(buffer) != place_sections(_sections(count))[-1]:
            raise damaged_segment()
        _, keys, owners, values = split_sections(buffer, _sections(count))
        self.buffer = buffer
        self.rows = PostingRows(keys.view(np.uint32), owners.view(np.int32), values.view(np.uint64))

    @classmethod
    def build(cls, parts: Sequence[PostingRows], allocate: Allocate) -> PostingSegment:
        """Lay out rows, sorted by key; of equal keys those that came first.

        Args:
            parts: at least one row in all.
            allocate: called once, for 16 bytes per row.
        """
        keys = np.concatenate([part.keys for part in parts])
        order = np.argsort(keys, kind="stable")
        buffer = allocate(place_sections(_sections(len(keys)))[-1])
        buffer[: 8 * _POSTINGS_HEADER_WORDS].view(np.uint64)[:] = [_POSTINGS_MAGIC, len(keys)]
        segment = cls(buffer)
        segment.rows.keys[:] = keys[order]
        segment.rows.owners[:] = np.concatenate([part.owners for part in parts])[order]
        segment.rows.values[:] = np.concatenate([part.values for part in parts])[order]
        return segment


class PostingLayout(RowLayout[PostingRows, PostingSegment]):
    """Postings sorted by key, and nothing beside them."""

    def build(self, parts: Sequence[PostingRows], allocate: Allocate) -> PostingSegment:
        """See ``PostingSegment.build``."""
        return PostingSegment.build(parts, allocate)

    def read(self, buffer: Buffer) -> PostingSegment:
        """See ``PostingSegment``."""
        return PostingSegment(buffer)


@dataclass(frozen=True, slots=True)
class PostingView:
    """A table as it was at one moment; any number of threads may search it."""

    parts: tuple[SegmentPart[PostingSegment], ...]

    def look_up(self, keys: Keys, postings_max: int) -> Postings:
        """All postings of the keys; the rarest keys first when there are too many.

        A key that very many works share tells least, and looking at all its postings would cost
        most: what a lookup costs is bounded whatever was registered.

        Args:
            keys: shape (n,).
            postings_max: keys whose postings would pass it are left out, the most frequent first.
        """
        order = np.argsort(keys)
        ordered = keys[order]
        runs = [_count_runs(part.segment.rows.keys, ordered) for part in self.parts]
        counts = [count for _, count in runs]
        kept = _keep_rarest(sum(counts, np.zeros(len(keys), np.int64)), postings_max)
        found = []
        for part, (starts, count) in zip(self.parts, runs, strict=True):
            places, size = _list_places(starts[kept], count[kept]), count[kept]
            rows = part.segment.rows.take(places)
            of_key = np.repeat(order[kept], size)
            counts_still = part.keeps(rows.owners) if part.removed else slice(None)
            found.append(
                Postings(
                    of_key[counts_still],
                    rows.owners[counts_still].astype(np.int64),
                    np.asarray(rows.values[counts_still]),
                )
            )
        return _join(found)


class PostingTable(SegmentTable[PostingRows, PostingSegment]):
    """Postings of many owners.

    Args:
        folder: of this table alone; it may be missing. None keeps all in memory.
        fed_by: names of what makes its keys; what others made counts as nothing.

    Raises:
        StorageError: the folder holds something damaged.
    """

    def __init__(self, folder: Path | None, *, fed_by: Collection[str] = ()) -> None:
        meaning = repr(("postings", sorted(fed_by))).encode()
        super().__init__(folder, PostingLayout(hashlib.sha256(meaning).hexdigest()))

    def append(self, owner: int, keys: Keys, values: Values) -> None:
        """Add postings of one owner.

        Args:
            owner: a number of 31 bits.
            keys: shape (n,).
            values: shape (n,).
        """
        self.append_rows(PostingRows(keys, np.full(len(keys), owner, np.int32), values))

    def view(self) -> PostingView:
        """What it holds now."""
        return PostingView(self.parts())


def _sections(count: int) -> list[int]:
    """Bytes of header, keys, owners and values."""
    return [8 * _POSTINGS_HEADER_WORDS, 4 * count, 4 * count, 8 * count]


def _count_runs(keys: Keys, wanted: Keys) -> tuple[_Counts, _Counts]:
    """Where each wanted key first stands in sorted keys, and how many times."""
    starts = np.searchsorted(keys, wanted, "left")
    counts = np.zeros(len(wanted), np.int64)
    inside = np.flatnonzero(starts < len(keys))
    present = inside[keys[starts[inside]] == wanted[inside]]
    counts[present] = np.searchsorted(keys, wanted[present], "right") - starts[present]
    return starts, counts


def _keep_rarest(counts: _Counts, postings_max: int) -> _Counts:
    rarest = np.argsort(counts, kind="stable")
    rarest = rarest[np.searchsorted(counts[rarest], 1) :]
    return rarest[: int(np.searchsorted(np.cumsum(counts[rarest]), postings_max, "right"))]


def _list_places(starts: _Counts, counts: _Counts) -> _Counts:
    """All places of some runs, one run after another."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    places: _Counts = np.arange(total) + np.repeat(starts - ends + counts, counts)
    return places


def _join(parts: Sequence[Postings]) -> Postings:
    none = np.zeros(0, np.int64)
    return Postings(
        np.concatenate([none, *(part.rows for part in parts)]),
        np.concatenate([none, *(part.owners for part in parts)]),
        np.concatenate([np.zeros(0, np.uint64), *(part.values for part in parts)]),
    )
