"""The Image-Code of ISCC (ISO 24138), as ``iscc-lib`` computes it: interoperable, 256 bits.

A picture is normalised as the reference implementation does it, on luma where that one compares
colours: borders that nearly have the colour of the upper left corner are cut away, again and again,
and the rest is shrunk to 32 x 32. The library takes no more than these pixels.
"""

from __future__ import annotations

from typing import ClassVar, Final

import iscc_lib
import numpy as np
from PIL import Image

from titledeed.fingerprinting.base import FrameExample, Luma
from titledeed.fingerprinting.pictures.examples import draw_example
from titledeed.fingerprinting.pictures.still import StillAlgorithm

THUMBNAIL_PX: Final = 32
TRIM_TOLERANCE: Final = 16
"""Grey levels by which a border may differ from the corner: the reference implementation's."""

TRIMS_MAX: Final = 16
"""Borders within borders that are cut: the reference implementation's."""

SEGMENT_BYTES: Final = 8
SEGMENT_ONES_MIN: Final = 8
"""Of 64 bits split at their median; fewer are ties, by which the reference knows a featureless
picture."""


class IsccImage(StillAlgorithm):
    """256 bits: the body of an Image-Code unit, without its header.

    ``distance_max`` is the loosest distance at which at most 0.1 % of the queries with
    unregistered pictures found anything (420 pictures registered, 4,200 queries).
    """

    id: ClassVar[str] = "iscc.image"
    version: ClassVar[int] = 1
    code_bits: ClassVar[int] = 256
    distance_max: ClassVar[int] = 71

    def shrink(self, luma: Luma) -> Luma:
        """32 x 32 without borders; bicubic, as the standard's own software."""
        size = (THUMBNAIL_PX, THUMBNAIL_PX)
        picture = Image.fromarray(trim_borders(luma))
        return np.array(picture.resize(size, Image.Resampling.BICUBIC))

    def compute(self, thumbnail: Luma) -> bytes | None:
        """The 256 bits, or None for a picture that the reference calls featureless."""
        unit = iscc_lib.gen_image_code_v0(thumbnail.tobytes(), bits=self.code_bits).iscc
        body = iscc_lib.iscc_decode(unit)[-1]
        segments = np.frombuffer(body, np.uint8).reshape(-1, SEGMENT_BYTES)
        ones = np.bitwise_count(segments).sum(axis=1)
        return body if ones.min() >= SEGMENT_ONES_MIN else None

    def examples(self) -> tuple[FrameExample, ...]:
        """One picture made by formula."""
        return (
            FrameExample(
                ((0.0, draw_example()),),
                bytes.fromhex("c6bd38c6b1175839e61519e6043bececcf3118d84bc7393a279838c7393bcc78"),
            ),
        )


def trim_borders(luma: Luma) -> Luma:
    """The picture without even borders; a view.

    A cut at one side only is made only where the band is flat: a smooth sky stays.
    """
    for _ in range(TRIMS_MAX):
        box = _box(luma, TRIM_TOLERANCE)
        inner = luma[box]
        cuts = (inner.shape[0] < luma.shape[0]) + (inner.shape[1] < luma.shape[1])
        if not inner.size or not cuts:
            break
        if _sides(box, luma) == 1 and _box(luma, TRIM_TOLERANCE // 2) != box:
            break
        luma = inner
    return luma


def _box(luma: Luma, tolerance: int) -> tuple[slice, slice]:
    """Where pixels differ from the upper left one; empty where none does."""
    corner = int(luma[0, 0])
    differs = (luma > corner + tolerance) | (luma < corner - tolerance)
    rows, columns = (np.flatnonzero(differs.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _sides(box: tuple[slice, slice], luma: Luma) -> int:
    """At how many sides the box cuts."""
    (top, bottom), (left, right) = ((part.start, part.stop) for part in box)
    height, width = luma.shape
    return sum((top > 0, bottom < height, left > 0, right < width))
