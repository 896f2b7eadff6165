"""What every fingerprint algorithm of sound is: a class with metadata, an extractor and a decoder.

Rules: the same samples give the same code however they are cut into runs; sounds that carry no
evidence (silence, held tones, noise, under a second) give no code at all.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.base import Algorithm, DecodedT_co, Extraction
from titledeed.models.asset import MediaKind
from titledeed.ports import SampleSink

DURATION_S_MIN = 1.0
"""Shorter sounds are too often alike by accident."""

Samples = npt.NDArray[np.float32]
"""Mono, shape (n,), -1 to 1, at 16 kHz."""


class SoundExtractor(SampleSink, Protocol):
    """Takes the samples of one file, then tells its fingerprint."""

    def finish(self) -> Extraction:
        """Call once, after the last samples."""
        ...


@dataclass(frozen=True, slots=True)
class SoundExample:
    """A golden vector: samples and the code they must give."""

    samples: Samples
    code: bytes


class SoundAlgorithm(Algorithm[DecodedT_co]):
    """An algorithm that listens."""

    kinds: ClassVar[frozenset[MediaKind]] = frozenset({MediaKind.AUDIO, MediaKind.VIDEO})

    @staticmethod
    def is_present() -> bool:
        """Whether what computes it is installed; codes are decoded without it."""
        return True

    @abstractmethod
    def start(self) -> SoundExtractor:
        """A fresh extractor for one file."""

    @abstractmethod
    def examples(self) -> tuple[SoundExample, ...]:
        """Golden vectors; at least one."""


def draw_example(*, seconds: int) -> Samples:
    """Notes that begin and fade, six a second, made by formula."""
    times = np.arange(seconds * 16_000) / 16_000
    sound = np.zeros(len(times))
    for note in range(6 * seconds):
        since = times - note / 6
        pitch_hz = 180 * 2 ** ((note * 7 % 31) / 12)
        envelope = np.where(since >= 0, np.exp(-9 * np.maximum(since, 0)), 0.0)
        for harmonic in (1, 2, 5):
            sound += envelope * np.sin(2 * np.pi * harmonic * pitch_hz * since) / harmonic
    return np.asarray(sound / 4, np.float32)
