"""What a segment is: rows that never change, laid out in one flat buffer with what finds them.

The buffer may be memory or a mapped file: everything is read where it lies. A kind of rows brings
a ``RowLayout``; files, merging and forgetting are the same for all (``segment_table``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, Final, Generic, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from titledeed.errors import StorageError

_ALIGNMENT: Final = 64

Buffer = npt.NDArray[np.uint8]
Allocate = Callable[[int], Buffer]
"""Gives a zeroed buffer of that many bytes."""


def allocate(size: int) -> Buffer:
    """A buffer in memory."""
    return np.zeros(size, np.uint8)


class OwnedRows(Protocol):
    """Columns of equal length, of which one says whose each row is."""

    @property
    def owners(self) -> npt.NDArray[np.int32]:
        """Shape (n,)."""
        ...

    def take(self, selection: npt.NDArray[np.bool_] | npt.NDArray[np.int64], /) -> Self:
        """The selected rows."""
        ...


RowsT = TypeVar("RowsT", bound=OwnedRows)


class TableSegment(ABC, Generic[RowsT]):
    """Rows and what finds them, as views of one buffer.

    Attributes:
        buffer: all of it.
        rows: the rows, read where they lie.
    """

    buffer: Buffer
    rows: RowsT


SegmentT = TypeVar("SegmentT", bound=TableSegment[Any])


class RowLayout(ABC, Generic[RowsT, SegmentT]):
    """How rows of one kind lie in a segment.

    Args:
        content: tells this kind of rows from all others, by everything that decides what they mean.
    """

    def __init__(self, content: str) -> None:
        self.content = content

    @abstractmethod
    def build(self, parts: Sequence[RowsT], allocate: Allocate) -> SegmentT:
        """Lay out rows.

        Args:
            parts: at least one row in all.
            allocate: called once.
        """

    @abstractmethod
    def read(self, buffer: Buffer) -> SegmentT:
        """Read a laid out buffer.

        Raises:
            StorageError: the buffer was not written by ``build`` or is cut short.
        """


@dataclass(frozen=True, slots=True, eq=False)
class SegmentPart(Generic[SegmentT]):
    """A segment as it counts now.

    Attributes:
        segment: all of its rows.
        name: of its file; empty until it has one.
        removed: owners whose rows in it no longer count.
    """

    segment: SegmentT
    name: str = ""
    removed: frozenset[int] = frozenset()

    def __len__(self) -> int:
        """Rows, those of removed owners included."""
        return len(self.segment.rows.owners)

    def keeps(self, owners: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        """Which of these owners of rows in it count, shape (n,)."""
        return ~np.isin(owners, np.array(sorted(self.removed), np.int32))

    def list_owners(self) -> set[int]:
        """Whose rows count."""
        return {int(one) for one in np.unique(self.segment.rows.owners)} - self.removed

    def without(self, owners: Collection[int]) -> SegmentPart[SegmentT]:
        """The same, but for the rows of these owners."""
        candidates = np.array(sorted(owners), np.int32)
        present = np.isin(candidates, self.segment.rows.owners)
        return replace(self, removed=self.removed | set(candidates[present].tolist()))


def place_sections(sizes: Sequence[int]) -> list[int]:
    """Where each section of a buffer starts, and where the buffer ends.

    Args:
        sizes: in bytes.
    """
    padded = (-(-size // _ALIGNMENT) * _ALIGNMENT for size in sizes)
    return [0, *accumulate(padded)]


def split_sections(buffer: Buffer, sizes: Sequence[int]) -> list[Buffer]:
    """The sections of a buffer, without what pads them."""
    starts = place_sections(sizes)
    return [buffer[start : start + size] for start, size in zip(starts, sizes, strict=False)]


def read_header(buffer: Buffer, *, magic: int, words: int) -> list[int]:
    """The numbers of 64 bits that a segment begins with, but for the first.

    Raises:
        StorageError: there are none, or the first is not ``magic``.
    """
    header = buffer[: 8 * words]
    numbers: list[int] = header.view(np.uint64).tolist() if len(header) == 8 * words else [0]
    if numbers[0] != magic:
        raise damaged_segment()
    return numbers[1:]


def damaged_segment() -> StorageError:
    """What is said of a segment that cannot be what was written."""
    return StorageError(
        "a segment of the index is damaged",
        next_step="Delete the folder of the index; it is built again from the registry.",
    )
