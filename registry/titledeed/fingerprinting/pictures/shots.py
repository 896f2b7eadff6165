"""Frames of one decode pass, shrunk once and handed on shot by shot to our own algorithms.

A shot ends where a frame differs much from the one before, and after ten seconds at the latest.
Its bars are found from all its frames together, because a film may hold clips of other shapes.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np

from titledeed.fingerprinting.base import (
    SAMPLE_PERIOD_S,
    DecodedT_co,
    Extraction,
    FingerprintAlgorithm,
    Luma,
    shrink_luma,
)
from titledeed.fingerprinting.pictures.borders import find_content_box
from titledeed.fingerprinting.pictures.spectrum import Span

VISUAL: Final = "visual"
"""The family of our own codes of what is seen."""

PICTURE_PX: Final = 256
"""Frames are halved while the longer side stays at least so long; smaller ones stay as they are.

Halving costs a tenth of shrinking to an exact size, and no code needs more.
"""

SHOT_FRAMES_MAX: Final = 40
"""Ten seconds; with pictures of up to 511 x 511 pixels it bounds the memory to 10 MB."""

CUT_DIFFERENCE_MIN: Final = 20.0
"""Mean grey levels between two samples; a cut too many is harmless."""

_CUT_PX: Final = (32, 32)


@dataclass(frozen=True, slots=True)
class ShotFrames:
    """Frames between two cuts.

    Attributes:
        times_s: seconds of the frames.
        frames: of one shape, at least one.
        content: rows and columns inside the bars; the whole where there are none.
    """

    times_s: tuple[float, ...]
    frames: tuple[Luma, ...]
    content: tuple[Span, Span]

    @property
    def whole(self) -> tuple[Span, Span]:
        """Rows and columns of the frames with their bars."""
        height, width = self.frames[0].shape
        return (0, height), (0, width)


class ShotCoder(Protocol):
    """Takes the shots of one file in order, then tells its fingerprint."""

    def add_shot(self, shot: ShotFrames) -> None:
        """The next shot."""
        ...

    def finish(self) -> Extraction:
        """Call once, after the last shot."""
        ...


class ShotReader:
    """A frame sink that shrinks frames, finds shots and their bars, and feeds the coders."""

    def __init__(self, coders: Sequence[ShotCoder]) -> None:
        self._coders = coders
        self._frames: list[Luma] = []
        self._times_s: list[float] = []
        self._last = np.zeros(_CUT_PX, np.uint8)
        self._span_s: tuple[float, float] | None = None

    @property
    def duration_s(self) -> float:
        """Seconds that the frames so far stand for."""
        return 0.0 if self._span_s is None else self._span_s[1] - self._span_s[0] + SAMPLE_PERIOD_S

    def add_frame(self, time_s: float, luma: Luma) -> None:
        """Shrink the frame and keep it until its shot ends."""
        frame = halve(luma)
        small = np.asarray(cv2.resize(frame, _CUT_PX, interpolation=cv2.INTER_LINEAR), np.uint8)
        if self._frames and self._is_cut(frame, small):
            self._end_shot()
        self._last = small
        self._frames.append(frame)
        self._times_s.append(max(0.0, time_s))
        self._span_s = (self._span_s or (time_s, time_s))[0], time_s

    def finish(self) -> tuple[Extraction, ...]:
        """What each coder made of the file."""
        if self._frames:
            self._end_shot()
        return tuple(coder.finish() for coder in self._coders)

    def _is_cut(self, frame: Luma, small: Luma) -> bool:
        return (
            len(self._frames) == SHOT_FRAMES_MAX
            or frame.shape != self._frames[-1].shape
            or float(cv2.absdiff(self._last, small).mean()) > CUT_DIFFERENCE_MIN
        )

    def _end_shot(self) -> None:
        height, width = self._frames[0].shape
        box = find_content_box(self._frames) or (slice(0, height), slice(0, width))
        rows, columns = ((side.start, side.stop) for side in box)
        shot = ShotFrames(tuple(self._times_s), tuple(self._frames), (rows, columns))
        for coder in self._coders:
            coder.add_shot(shot)
        self._frames, self._times_s = [], []


class ShotAlgorithm(FingerprintAlgorithm[DecodedT_co]):
    """An algorithm that reads shots; several of them share one ``ShotReader``."""

    @abstractmethod
    def start_coder(self) -> ShotCoder:
        """A fresh coder for one file."""

    def start(self) -> LoneExtractor:
        """A fresh extractor for one file, with a reader of its own."""
        return LoneExtractor(self.start_coder())


class LoneExtractor:
    """One coder behind a reader of its own."""

    def __init__(self, coder: ShotCoder) -> None:
        self._reader = ShotReader([coder])

    def add_frame(self, time_s: float, luma: Luma) -> None:
        """Hand the frame to the reader."""
        self._reader.add_frame(time_s, luma)

    def finish(self) -> Extraction:
        """What the coder made of the file."""
        (extraction,) = self._reader.finish()
        return extraction


def halve(luma: Luma) -> Luma:
    """Mean of 2 x 2 pixels until the longer side is below twice ``PICTURE_PX``; a copy."""
    picture = luma
    while max(picture.shape) >= 2 * PICTURE_PX and min(picture.shape) >= 2:
        height, width = picture.shape[0] // 2, picture.shape[1] // 2
        even = picture[: 2 * height, : 2 * width]  # OpenCV is fast only at exact halves
        picture = shrink_luma(even, width=width, height=height)
    return luma.copy() if picture is luma else picture
