"""What every fingerprint algorithm is: a class with metadata, an extractor and a decoder.

Rules: the same frames give the same code; media that carry no evidence (black, one colour) give
no code at all, neither to register nor to search with; all distances are Hamming distances.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Generic, Protocol, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from titledeed.models.asset import MediaKind
from titledeed.models.fingerprint import FingerprintCode
from titledeed.ports import FrameSink

# Each file has a process of its own; OpenCV's threads would only fight over the cores.
cv2.setNumThreads(1)

SAMPLE_PERIOD_S = 0.25
"""Frames arrive on a grid of four per second."""

Luma = npt.NDArray[np.uint8]
"""A luma plane, shape (height, width)."""

DecodedT_co = TypeVar("DecodedT_co", covariant=True)

Codes = npt.NDArray[np.uint8]
"""Packed codes, one per row: shape (n, code_bits / 8)."""


@dataclass(frozen=True, slots=True)
class FrameCodes:
    """A decoded fingerprint: one row per coded frame; a still picture is one row at 0 s.

    Attributes:
        times_s: seconds from the start, shape (n,), never falling.
        codes: shape (n, code_bits / 8).
    """

    times_s: npt.NDArray[np.float64]
    codes: Codes


@dataclass(frozen=True, slots=True)
class Extraction:
    """What one extractor made of one file.

    Attributes:
        code: to register and to search with; None when the media carry no evidence.
        note: why there is no code; empty when there is one.
    """

    code: FingerprintCode | None
    note: str


class Extractor(FrameSink, Protocol):
    """Takes the frames of one file, then tells its fingerprint."""

    def finish(self) -> Extraction:
        """Call once, after the last frame."""
        ...


@dataclass(frozen=True, slots=True)
class FrameExample:
    """A golden vector: luma frames with their times in seconds, and the code they must give."""

    frames: tuple[tuple[float, Luma], ...]
    code: bytes


class CodeKind(StrEnum):
    """What a searched code decodes to; that decides how it is looked up and compared."""

    FRAMES = "frames"
    """``FrameCodes`` of the signs that ``orientation`` knows how to turn, 256 of each frame."""

    REGIONS = "regions"
    """``RegionCodes``: the same of parts of frames."""

    FEATURES = "features"
    """``LocalFeatures``."""

    PEAKS = "peaks"
    """``SoundPeaks``."""


@dataclass(frozen=True, slots=True)
class SearchedAs:
    """How codes are searched.

    Attributes:
        kind: what they decode to.
        family: codes of one family are compared with each other, never with those of another; it
            has one algorithm of a kind at most, and look-up tables of its own.
    """

    kind: CodeKind
    family: str


class Algorithm(ABC, Generic[DecodedT_co]):
    """One algorithm in one version, of pictures or of sound.

    Attributes:
        id: stable name, stored and anchored.
        version: rises with every change of the codes.
        kinds: kinds of media it reads.
        search: how works are found by its codes; None where these are only stored, for others to
            find them by.
    """

    id: ClassVar[str]
    version: ClassVar[int]
    kinds: ClassVar[frozenset[MediaKind]]
    search: ClassVar[SearchedAs | None] = None

    @abstractmethod
    def decode(self, code: bytes) -> DecodedT_co:
        """Read an untrusted code.

        Raises:
            MalformedDocumentError: the bytes are no code of this algorithm.
        """

    def wrap(self, code: bytes) -> FingerprintCode:
        """Name a code as this algorithm's."""
        return FingerprintCode(algorithm=self.id, version=self.version, code=code)


class FingerprintAlgorithm(Algorithm[DecodedT_co]):
    """An algorithm that looks at frames.

    Attributes:
        code_bits: of one frame's code, a multiple of 64.
        distance_max: frames at most this many bits apart count as a hit; each class names the
            source of its number.
    """

    code_bits: ClassVar[int]
    distance_max: ClassVar[int]

    @abstractmethod
    def start(self) -> Extractor:
        """A fresh extractor for one file."""

    @abstractmethod
    def examples(self) -> tuple[FrameExample, ...]:
        """Golden vectors; at least one."""


def hamming_distances(codes: Codes, others: Codes) -> npt.NDArray[np.uint16]:
    """Differing bits row by row; the arguments broadcast, the last axis is counted away."""
    distances: npt.NDArray[np.uint16] = np.bitwise_count(codes ^ others).sum(
        axis=-1, dtype=np.uint16
    )
    return distances


def shrink_luma(luma: Luma, *, width: int, height: int) -> Luma:
    """The picture at another size, each pixel the mean of its area; a copy."""
    return np.asarray(cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
