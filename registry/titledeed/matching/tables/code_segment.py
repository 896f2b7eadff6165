"""Multi-index hashing: rows of binary codes that never change, in one flat buffer.

The first bits of a code are cut into substrings somewhat longer than log2(rows). One table per
substring sorts the rows into as many buckets as the substring has values; so most buckets are
empty and few hold more than one row, at any size. Two codes that differ in fewer bits than there
are substrings agree in at least one of them whole (Norouzi, Punjani, Fleet: Fast Exact Search in
Hamming Space with Multi-Index Hashing, 2014). A search looks into the buckets of each substring of
the query and of its neighbours up to some flipped bits, and compares whole codes there.

The buffer may be memory or a mapped file: everything is read where it lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.errors import InvariantViolation
from titledeed.fingerprinting.base import Codes
from titledeed.matching.tables.frame_scan import CodePairs, join_pairs
from titledeed.matching.tables.segments import (
    Allocate,
    Buffer,
    RowLayout,
    TableSegment,
    damaged_segment,
    place_sections,
    read_header,
    split_sections,
)

SUBSTRING_BITS_MIN: Final = 10
SUBSTRING_BITS_MAX: Final = 24
"""A table of 2^24 buckets takes 64 megabytes; one bit more doubles that for every table."""

SPARSE_BITS: Final = 1
"""Substrings are this much longer than it takes to number all rows.

Measured on a million codes drawn from real frames, with one flip: 0 bits 36 us per query row and
124 bytes per row, 1 bit 27 us and 166 bytes, 2 bits 23 us and 250 bytes; of frames cropped to 90 %
0.30, 0.29 and 0.27 were found.
"""

FLIPS_MAX: Final = 2
"""Three flips of 24 bits are 2,325 buckets per substring: no longer an index."""

BUCKET_ROWS_MAX: Final = 64
"""Rows looked at in one bucket; of a crowded one, an even sample over all its works.

Unrelated codes fill a bucket with one or two rows; a crowd is one picture many times: still
footage, a title card, a logo. Without a limit, a query of such pictures would read all of them.
"""

_BLOCK_BUCKETS: Final = 1 << 14
"""Buckets looked into at once, with about as many rows: a megabyte, which a cache holds."""

_CODES_MAGIC: Final = int.from_bytes(b"tdcodes1", "little")
_CODES_HEADER_WORDS: Final = 4


@dataclass(frozen=True, slots=True)
class CodeRows:
    """Codes with what is known of each: shapes (n, bytes), (n,), (n,), (n,)."""

    codes: Codes
    owners: npt.NDArray[np.int32]
    times_ms: npt.NDArray[np.uint32]
    tags: npt.NDArray[np.uint16]

    def take(self, selection: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> CodeRows:
        """The selected rows."""
        return CodeRows(
            self.codes[selection],
            self.owners[selection],
            self.times_ms[selection],
            self.tags[selection],
        )


@dataclass(frozen=True, slots=True)
class _Shape:
    """What decides where everything lies in the buffer."""

    rows: int
    code_bytes: int
    bits: int

    @classmethod
    def fit(cls, rows: int, code_bytes: int) -> _Shape:
        bits = min(max(rows.bit_length() + SPARSE_BITS, SUBSTRING_BITS_MIN), SUBSTRING_BITS_MAX)
        return cls(rows, code_bytes, bits)

    @property
    def tables(self) -> int:
        return count_substrings(self.code_bytes)

    @property
    def buckets(self) -> int:
        """Per table, and one to say where the last one ends."""
        return (1 << self.bits) + 1

    def sections(self) -> list[int]:
        """Bytes of header, codes, owners, times, tags, bucket starts and bucket rows."""
        per_row = (self.code_bytes, 4, 4, 2)
        return [
            8 * _CODES_HEADER_WORDS,
            *(self.rows * width for width in per_row),
            4 * self.tables * self.buckets,
            4 * self.tables * self.rows,
        ]


def count_substrings(code_bytes: int) -> int:
    """How many substrings a code is cut into, at any size: those of the longest that fit."""
    return 8 * code_bytes // SUBSTRING_BITS_MAX


class CodeSegment(TableSegment[CodeRows]):
    """Rows and the tables over them."""

    def __init__(self, buffer: Buffer) -> None:
        """Read a laid out buffer.

        Raises:
            StorageError: the buffer was not written by ``build`` or is cut short.
        """
        shape = _read_shape(buffer)
        views = split_sections(buffer, shape.sections())
        self.buffer = buffer
        self._shape = shape
        self.rows = CodeRows(
            views[1].reshape(shape.rows, shape.code_bytes),
            views[2].view(np.int32),
            views[3].view(np.uint32),
            views[4].view(np.uint16),
        )
        self._starts = views[5].view(np.uint32)
        self._listed = views[6].view(np.uint32)

    @classmethod
    def build(cls, parts: Sequence[CodeRows], allocate: Allocate) -> CodeSegment:
        """Lay out rows, in their order.

        Args:
            parts: at least one row in all, all codes of one width.
            allocate: called once, for 140 bytes per row or so.
        """
        count = sum(len(part.owners) for part in parts)
        shape = _Shape.fit(count, parts[0].codes.shape[1])
        buffer = allocate(place_sections(shape.sections())[-1])
        header = [_CODES_MAGIC, shape.rows, shape.code_bytes, shape.bits]
        buffer[: 8 * _CODES_HEADER_WORDS].view(np.uint64)[:] = header
        segment = cls(buffer)
        rows = segment.rows
        np.concatenate([part.codes for part in parts], out=rows.codes)
        np.concatenate([part.owners for part in parts], out=rows.owners)
        np.concatenate([part.times_ms for part in parts], out=rows.times_ms)
        np.concatenate([part.tags for part in parts], out=rows.tags)
        segment._fill_tables()
        return segment

    def search(
        self, query: Codes, *, radius: int, flips: int
    ) -> tuple[CodePairs, npt.NDArray[np.bool_]]:
        """Pairs at most ``radius`` bits apart among those that share a bucket; each pair once.

        Args:
            query: shape (q, bytes).
            radius: in bits.
            flips: bits in which a substring may differ, 0 to ``FLIPS_MAX``.

        Returns:
            The pairs, and which query rows met a crowded bucket, shape (q,).
        """
        block = max(
            1, _BLOCK_BUCKETS // (self._shape.tables * len(flip_masks(self._shape.bits, flips)))
        )
        crowded = np.zeros(len(query), np.bool_)
        found = []
        for first in range(0, len(query), block):
            rows = slice(first, first + block)
            hits = self._search_block(query[rows], radius, flips, crowded[rows])
            found.append(CodePairs(hits.query + first, hits.corpus, hits.distance))
        return _drop_repeats(join_pairs(found), self._shape.rows), crowded

    def _search_block(
        self, query: Codes, radius: int, flips: int, crowded: npt.NDArray[np.bool_]
    ) -> CodePairs:
        slots = self._slots(query, flips)
        starts = self._starts.take(slots).astype(np.int64)
        counts = self._starts.take(slots + 1) - starts
        taken = np.flatnonzero(counts)
        of_query, counts = taken // slots.shape[1], counts.ravel()[taken]
        starts = (starts + slots // self._shape.buckets * self._shape.rows).ravel()[taken]
        crowded[of_query[counts > BUCKET_ROWS_MAX]] = True
        strides = -(-counts // BUCKET_ROWS_MAX)
        which, places = _expand(starts, -(-counts // strides), strides)
        return self._compare(query, of_query[which], self._listed.take(places), radius)

    def _slots(self, query: Codes, flips: int) -> npt.NDArray[np.int64]:
        """Which buckets to look into, shape (q, substrings x flipped values)."""
        shape = self._shape
        keys = [_cut(query, table, shape.bits) for table in range(shape.tables)]
        values = np.array(keys, np.int64).T[:, :, np.newaxis] ^ flip_masks(shape.bits, flips)
        first = np.arange(shape.tables)[:, np.newaxis] * shape.buckets
        slots: npt.NDArray[np.int64] = (values + first).reshape(len(query), -1)
        return slots

    def _compare(
        self,
        query: Codes,
        of_query: npt.NDArray[np.int64],
        rows: npt.NDArray[np.uint32],
        radius: int,
    ) -> CodePairs:
        # All numbers are in range; "clip" only spares the copy that "raise" makes.
        candidates = self.rows.codes.view(np.uint64).take(rows, axis=0, mode="clip")
        candidates ^= query.view(np.uint64).take(of_query, axis=0, mode="clip")
        bits = np.bitwise_count(candidates)
        distance = bits[:, 0].astype(np.uint16)
        for word in range(1, bits.shape[1]):
            distance += bits[:, word]
        near = np.flatnonzero(distance <= radius)
        return CodePairs(of_query[near], rows[near].astype(np.int64), distance[near])

    def _fill_tables(self) -> None:
        shape = self._shape
        starts = self._starts.reshape(shape.tables, shape.buckets)
        listed = self._listed.reshape(shape.tables, shape.rows)
        for table in range(shape.tables):
            keys = _cut(self.rows.codes, table, shape.bits)
            # Sorting keys with their row numbers behind them is several times faster than argsort.
            pairs = keys.astype(np.uint64) << np.uint64(32)
            pairs |= np.arange(shape.rows, dtype=np.uint64)
            pairs.sort()
            listed[table] = pairs.astype(np.uint32)
            np.cumsum(np.bincount(keys, minlength=shape.buckets - 1), out=starts[table, 1:])


class CodeLayout(RowLayout[CodeRows, CodeSegment]):
    """Codes of one width, with tables over their substrings."""

    def build(self, parts: Sequence[CodeRows], allocate: Allocate) -> CodeSegment:
        """See ``CodeSegment.build``."""
        return CodeSegment.build(parts, allocate)

    def read(self, buffer: Buffer) -> CodeSegment:
        """See ``CodeSegment``."""
        return CodeSegment(buffer)


@cache
def flip_masks(bits: int, flips: int) -> npt.NDArray[np.int64]:
    """All numbers of ``bits`` bits with at most ``flips`` of them set, 0 first."""
    if not 0 <= flips <= FLIPS_MAX:
        raise InvariantViolation(f"flips are 0 to {FLIPS_MAX}, not {flips}")
    chosen = [c for count in range(flips + 1) for c in combinations(range(bits), count)]
    return np.array([sum(1 << bit for bit in c) for c in chosen], np.int64)


def _cut(codes: Codes, table: int, bits: int) -> npt.NDArray[np.uint32]:
    """The bits from ``table * bits`` on, of each code."""
    width = codes.shape[1]
    first = min(table * bits // 8, width - 4)
    words: npt.NDArray[np.uint32] = np.ndarray(
        len(codes), ">u4", np.ascontiguousarray(codes).data, first, (width,)
    ).astype(np.uint32)
    words >>= np.uint32(8 * first + 32 - (table + 1) * bits)
    words &= np.uint32((1 << bits) - 1)
    return words


def _expand(
    starts: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], strides: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For every place in every bucket: which bucket, and where it is listed."""
    which = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts
    places = np.arange(len(which)) * strides[which] + (starts - before * strides)[which]
    return which, places


def _drop_repeats(hits: CodePairs, rows: int) -> CodePairs:
    """Each pair once, by query row, then corpus row."""
    _, first = np.unique(hits.query * rows + hits.corpus, return_index=True)
    return hits.take(first)


def _read_shape(buffer: Buffer) -> _Shape:
    shape = _Shape(*read_header(buffer, magic=_CODES_MAGIC, words=_CODES_HEADER_WORDS))
    if shape != _Shape.fit(shape.rows, shape.code_bytes):
        raise damaged_segment()
    if len(buffer) != place_sections(shape.sections())[-1]:
        raise damaged_segment()
    return shape
