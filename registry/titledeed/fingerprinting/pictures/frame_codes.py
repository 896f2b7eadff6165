"""The stored form of a time line of 256-bit frame codes.

Layout, big endian: one byte of layout version (1), a 32-bit count n, n times in milliseconds as
32-bit numbers, n codes of 32 bytes. Times never fall.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from titledeed.errors import MalformedDocumentError
from titledeed.fingerprinting.base import FrameCodes

LAYOUT_VERSION: Final = 1
CODE_BYTES: Final = 32
DENSE_ROWS: Final = 2
DENSE_ROWS_MS_MIN: Final = 200
"""A row comes at least so long after the second before it; a clip below a quarter of a second has
two frames in it.

Without a limit on density a crafted code would make every alignment slow.
"""

ROWS_MAX: Final = 172_801
"""Twelve hours, four frames per second."""

_HEADER_BYTES: Final = 5
_ROW_BYTES: Final = 4 + CODE_BYTES


def encode_frame_codes(frames: FrameCodes) -> bytes:
    """Bytes of a time line; times are rounded to milliseconds."""
    count = len(frames.times_s)
    header = bytes([LAYOUT_VERSION]) + count.to_bytes(4, "big")
    times = np.rint(frames.times_s * 1000).astype(">u4")
    return header + times.tobytes() + frames.codes.tobytes()


def decode_frame_codes(code: bytes) -> FrameCodes:
    """Read an untrusted time line.

    Raises:
        MalformedDocumentError: unknown layout, wrong length, no row, too many, falling
            or crowded times.
    """
    count = int.from_bytes(code[1:_HEADER_BYTES], "big")
    if code[:1] != bytes([LAYOUT_VERSION]):
        raise MalformedDocumentError("the frame codes have an unknown layout")
    if not 1 <= count <= ROWS_MAX:
        raise MalformedDocumentError(f"frame codes have 1 to {ROWS_MAX} rows, not {count}")
    if len(code) != _HEADER_BYTES + count * _ROW_BYTES:
        raise MalformedDocumentError(f"the frame codes are not {count} rows long")
    times_ms = np.frombuffer(code, dtype=">u4", count=count, offset=_HEADER_BYTES).astype(np.int64)
    if np.any(np.diff(times_ms) < 0):
        raise MalformedDocumentError("the frame codes are not in order of time")
    if np.any(times_ms[DENSE_ROWS:] - times_ms[:-DENSE_ROWS] < DENSE_ROWS_MS_MIN):
        raise MalformedDocumentError("the frame codes are too dense")
    codes = np.frombuffer(code, dtype=np.uint8, offset=_HEADER_BYTES + 4 * count)
    return FrameCodes(times_ms / 1000, codes.reshape(count, CODE_BYTES))
