"""Codes of parts of a frame: a copy that shows only a part is near one of them.

About once a second the whole frame inside its bars and ten boxes in it are coded as in
``titledeed.dct256``, and once more the frame with its bars where it has any. Comparing all
regions of two pictures covers crops of either: a region is near another when their boxes differ
by less than about a tenth of their sides.

Layout, big endian: one byte of layout version (1), a 32-bit count n, n times in milliseconds as
32-bit numbers, n region numbers of one byte, n codes of 32 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from titledeed.errors import MalformedDocumentError
from titledeed.fingerprinting.base import (
    CodeKind,
    Codes,
    Extraction,
    FrameCodes,
    FrameExample,
    SearchedAs,
)
from titledeed.fingerprinting.pictures.examples import draw_example
from titledeed.fingerprinting.pictures.frame_codes import CODE_BYTES
from titledeed.fingerprinting.pictures.orientation import Orientation, orient_codes
from titledeed.fingerprinting.pictures.shots import VISUAL, ShotAlgorithm, ShotFrames
from titledeed.fingerprinting.pictures.spectrum import (
    FREQUENCIES,
    Span,
    code_signs,
    compute_spectra,
    have_evidence,
)
from titledeed.models.asset import MediaKind

LAYOUT_VERSION: Final = 1

REGION_SIDES: Final = (0.86, 0.71)
"""Sides of the boxes: with ratios of two of them, crops down to half of the area are near one."""


def _boxes() -> npt.NDArray[np.float64]:
    places = ((0.5, 0.5), (0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))
    inner = [
        (x * (1 - side), y * (1 - side), side, side) for side in REGION_SIDES for x, y in places
    ]
    return np.array([(0.0, 0.0, 1.0, 1.0), *inner])


REGION_BOXES: Final = _boxes()
"""Left, top, width and height as shares of the frame inside its bars; row 0 is the whole."""

WITH_BARS: Final = len(REGION_BOXES)
"""Number of the region that is the frame with its bars."""

PERIOD_S: Final = 1.0
"""A moment is coded so long after the one before."""

TOLERANCE_S: Final = 0.01

MOMENT_ROWS_MAX: Final = WITH_BARS + 1
MOMENT_MS_MIN: Final = 900
REGION_ROWS_MAX: Final = 43_201 * MOMENT_ROWS_MAX
"""Twelve hours."""

_HEADER_BYTES: Final = 5
_REGION_ROW_BYTES: Final = 4 + 1 + CODE_BYTES


@dataclass(frozen=True, slots=True)
class RegionCodes:
    """A decoded fingerprint: one row per coded region.

    Attributes:
        times_s: seconds from the start, shape (n,), never falling.
        regions: row of ``REGION_BOXES``, or ``WITH_BARS``; shape (n,), rising within a moment.
        codes: shape (n, 32).
    """

    times_s: npt.NDArray[np.float64]
    regions: npt.NDArray[np.uint8]
    codes: Codes

    def frames(self) -> FrameCodes:
        """Only the whole frames, inside their bars."""
        is_whole = self.regions == 0
        return FrameCodes(self.times_s[is_whole], self.codes[is_whole])


def orient_regions(regions: RegionCodes, orientation: Orientation) -> RegionCodes:
    """Regions of the same pictures turned; rows keep their places, boxes change numbers."""
    return RegionCodes(
        regions.times_s,
        _moved_boxes(orientation)[regions.regions],
        orient_codes(regions.codes, orientation),
    )


@cache
def _moved_boxes(orientation: Orientation) -> npt.NDArray[np.uint8]:
    """Where each box lies in the turned picture."""
    centres = REGION_BOXES[:, :2] + REGION_BOXES[:, 2:] / 2
    moved = orientation.move(centres, np.ones(2))
    apart = np.abs(moved[:, np.newaxis] - centres).sum(axis=2)
    apart += np.abs(REGION_BOXES[:, np.newaxis, 2] - REGION_BOXES[:, 2])
    return np.append(apart.argmin(axis=1), WITH_BARS).astype(np.uint8)


class Regions(ShotAlgorithm[RegionCodes]):
    """256 bits per region; ``distance_max`` is that of ``titledeed.dct256``."""

    id: ClassVar[str] = "titledeed.regions"
    version: ClassVar[int] = 1
    kinds: ClassVar[frozenset[MediaKind]] = frozenset({MediaKind.IMAGE, MediaKind.VIDEO})
    search: ClassVar[SearchedAs | None] = SearchedAs(CodeKind.REGIONS, VISUAL)
    code_bits: ClassVar[int] = FREQUENCIES * FREQUENCIES
    distance_max: ClassVar[int] = 84

    def start_coder(self) -> RegionCoder:
        """A fresh coder for one file."""
        return RegionCoder(self)

    def decode(self, code: bytes) -> RegionCodes:
        """Read an untrusted code."""
        return decode_region_codes(code)

    def examples(self) -> tuple[FrameExample, ...]:
        """One picture made by formula."""
        code = bytes.fromhex(
            "010000000b0000000000000000000000000000000000000000000000000000000000000000000000"
            "000000000000000000000102030405060708090a7a2270328dcd62082e7631d131999e4e63313071"
            "b18e96738e76719920f1918e5a3ff43781c862072e2771b82ce385c6663bbc1f71d88e672387ae39"
            "71c471c0f441e4cdc3366cd9272663669c9966c63b3ae7369cd96766398fe7399cc563375becf10c"
            "ec6333dc9c473c43833c79c68e3b7833839c3843870f787983c43c73b041e4c99316c3264cd98c99"
            "6366b19cc33a8cc99cd9636661c6a3394e6c9cc90bee7b8c8423d86363bcc3bc78c39f3fec3bc3cc"
            "c3dc38437f873c3970ef83cc1773b733d09d67e206e67b1988ee70ee8761711d0e1f70ee873171c6"
            "2f1d78e6e125869ad1456bbe26da1b6d65966e7919e66b9a667919e6619a666919e679980e3857c7"
            "38f89e1ec3c7b8780f0f81e1fc3c1f0703e1f87c1e0703e0fc7ebc03b555e9257b6d269ac4923269"
            "9c49992691e46d9ac3166649c659b36684659996e2821e389038c7870787f0f073f1fc1cf83c0f87"
            "7e0f03f007c1f07c03f8fe0f"
        )
        return (FrameExample(((0.0, draw_example()),), code),)


class RegionCoder:
    """Codes regions of one file, one shot at a time."""

    def __init__(self, algorithm: Regions) -> None:
        self._algorithm = algorithm
        self._rows: list[RegionCodes] = []
        self._due_s = 0.0

    def add_shot(self, shot: ShotFrames) -> None:
        """Code the moments that are due."""
        boxes = [_place(box, shot.content) for box in REGION_BOXES]
        if shot.content != shot.whole:
            boxes.append(shot.whole)
        for time_s, frame in zip(shot.times_s, shot.frames, strict=True):
            if time_s >= self._due_s:
                spectra = compute_spectra(frame, boxes)
                kept = have_evidence(spectra)
                numbers = np.flatnonzero(kept).astype(np.uint8)
                times = np.full(len(numbers), time_s)
                self._rows.append(RegionCodes(times, numbers, code_signs(spectra[kept])))
                self._due_s = time_s + PERIOD_S - TOLERANCE_S

    def finish(self) -> Extraction:
        """All rows in order of time."""
        rows = [row for row in self._rows if len(row.regions)]
        if not rows:
            return Extraction(None, "every frame is flat or nearly of one colour")
        regions = RegionCodes(
            np.concatenate([row.times_s for row in rows]),
            np.concatenate([row.regions for row in rows]),
            np.concatenate([row.codes for row in rows]),
        )
        return Extraction(self._algorithm.wrap(encode_region_codes(regions)), "")


def _place(box: npt.NDArray[np.float64], content: tuple[Span, Span]) -> tuple[Span, Span]:
    """Rows and columns of a box; at least one of each."""
    left, top, width, height = box
    rows, columns = content
    return _part(rows, top, height), _part(columns, left, width)


def _part(span: Span, start: float, share: float) -> Span:
    first, size = span[0], span[1] - span[0]
    begin = min(round(first + start * size), span[1] - 1)
    return begin, max(begin + 1, min(span[1], round(first + (start + share) * size)))


def encode_region_codes(regions: RegionCodes) -> bytes:
    """Bytes of the rows; times are rounded to milliseconds."""
    count = len(regions.times_s)
    header = bytes([LAYOUT_VERSION]) + count.to_bytes(4, "big")
    times = np.rint(regions.times_s * 1000).astype(">u4")
    return header + times.tobytes() + regions.regions.tobytes() + regions.codes.tobytes()


def decode_region_codes(code: bytes) -> RegionCodes:
    """Read untrusted rows.

    Raises:
        MalformedDocumentError: unknown layout, wrong length, no row, too many, falling or
            crowded times, a region that does not exist or comes twice in a moment.
    """
    count = int.from_bytes(code[1:_HEADER_BYTES], "big")
    if code[:1] != bytes([LAYOUT_VERSION]):
        raise MalformedDocumentError("the region codes have an unknown layout")
    if not 1 <= count <= REGION_ROWS_MAX:
        raise MalformedDocumentError(f"region codes have 1 to {REGION_ROWS_MAX} rows, not {count}")
    if len(code) != _HEADER_BYTES + count * _REGION_ROW_BYTES:
        raise MalformedDocumentError(f"the region codes are not {count} rows long")
    times_ms = np.frombuffer(code, dtype=">u4", count=count, offset=_HEADER_BYTES).astype(np.int64)
    offset = _HEADER_BYTES + 4 * count
    regions = np.frombuffer(code, dtype=np.uint8, count=count, offset=offset)
    if regions.max() > WITH_BARS:
        raise MalformedDocumentError("the region codes name a region that does not exist")
    if np.any(np.diff(times_ms * MOMENT_ROWS_MAX + regions) <= 0):
        raise MalformedDocumentError("the region codes are not in order")
    steps_ms = np.diff(times_ms)
    if np.any((steps_ms > 0) & (steps_ms < MOMENT_MS_MIN)):
        raise MalformedDocumentError("the region codes are too dense")
    codes = np.frombuffer(code, dtype=np.uint8, offset=offset + count)
    return RegionCodes(times_ms / 1000, regions, codes.reshape(count, CODE_BYTES))
