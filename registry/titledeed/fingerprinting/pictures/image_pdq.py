"""PDQ of pictures, as the ``pdqhash`` package computes it: interoperable, 256 bits."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pdqhash

from titledeed.fingerprinting.base import FrameExample, Luma, shrink_luma
from titledeed.fingerprinting.pictures.examples import draw_example
from titledeed.fingerprinting.pictures.still import StillAlgorithm

THUMBNAIL_PX_MAX = 512
"""Longest side hashed: PDQ averages down to 64 x 64 anyway, and larger pictures only cost time."""

QUALITY_MIN = 50
"""Its authors advise to discard hashes of lower quality."""


class ImagePdq(StillAlgorithm):
    """256 bits, in the order of PDQ's own hexadecimal form.

    ``distance_max`` is its authors' recommendation ("confident match").
    """

    id: ClassVar[str] = "pdq"
    version: ClassVar[int] = 1
    code_bits: ClassVar[int] = 256
    distance_max: ClassVar[int] = 31

    def shrink(self, luma: Luma) -> Luma:
        """At most 512 pixels on the longer side."""
        scale = min(1.0, THUMBNAIL_PX_MAX / max(luma.shape))
        height, width = (max(1, round(side * scale)) for side in luma.shape)
        return shrink_luma(luma, width=width, height=height)

    def compute(self, thumbnail: Luma) -> bytes | None:
        """The 256 bits, or None below the quality its authors ask for."""
        bits, quality = pdqhash.compute(np.repeat(thumbnail[:, :, np.newaxis], 3, axis=2))
        return np.packbits(bits.astype(np.uint8)).tobytes() if quality >= QUALITY_MIN else None

    def examples(self) -> tuple[FrameExample, ...]:
        """One picture made by formula."""
        return (
            FrameExample(
                ((0.0, draw_example()),),
                bytes.fromhex("73998f8e998efc71f3cd738d8c0c9cc662799b8e9b8c6e741106b3a14c0e545a"),
            ),
        )
