"""Our own code of sound: the peaks of its spectrum over time."""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from titledeed.fingerprinting.base import CodeKind, Extraction, SearchedAs
from titledeed.fingerprinting.sound.base import (
    DURATION_S_MIN,
    Samples,
    SoundAlgorithm,
    SoundExample,
    draw_example,
)
from titledeed.fingerprinting.sound.peaks import (
    CLEAR_STRENGTH,
    FRAME_S,
    FRAME_SAMPLES,
    STRENGTH_STEPS,
    WINDOW_SAMPLES,
    SoundPeaks,
    decode_peaks,
    encode_peaks,
    join_peaks,
)
from titledeed.fingerprinting.sound.spectrum import CONTEXT_FRAMES, compute_powers, find_peaks

BLOCK_FRAMES: Final = 512
"""Eight seconds are worked on at once, in two megabytes."""

CLEAR_PEAKS_MIN: Final = 6
CLEAR_SHARE_MIN: Final = 0.02
"""Clear peaks, and their share of all: of 24 real sounds the poorest, a synthetic whale, has one in
ten; noise and held chords have none."""

_BLOCK_SAMPLES: Final = (BLOCK_FRAMES + 2 * CONTEXT_FRAMES) * FRAME_SAMPLES + WINDOW_SAMPLES


class SoundLandmarks(SoundAlgorithm[SoundPeaks]):
    """Peaks of the sound, about 40 a second at three bytes each."""

    id: ClassVar[str] = "titledeed.landmarks"
    version: ClassVar[int] = 1
    search: ClassVar[SearchedAs | None] = SearchedAs(CodeKind.PEAKS, "landmarks")

    def start(self) -> PeakExtractor:
        """A fresh extractor for one file."""
        return PeakExtractor(self)

    def decode(self, code: bytes) -> SoundPeaks:
        """Read the peaks."""
        return decode_peaks(code)

    def examples(self) -> tuple[SoundExample, ...]:
        """Notes made by formula."""
        return (SoundExample(draw_example(seconds=3), bytes.fromhex(_LANDMARKS_EXAMPLE)),)


class PeakExtractor:
    """Finds the peaks of one file, eight seconds at a time."""

    def __init__(self, algorithm: SoundLandmarks) -> None:
        self._algorithm = algorithm
        self._waiting: list[Samples] = []
        self._count = 0
        self._skipped = 0
        self._first_frame = 0
        self._parts: list[SoundPeaks] = []

    def add_samples(self, samples: Samples) -> None:
        """Keep the samples until a block is full."""
        self._waiting.append(samples.copy())
        self._count += len(samples)
        while self._count >= _BLOCK_SAMPLES:
            waiting = np.concatenate(self._waiting)
            stop = self._skipped + BLOCK_FRAMES
            self._keep_peaks(waiting[:_BLOCK_SAMPLES], stop)
            used = stop - CONTEXT_FRAMES
            self._waiting = [waiting[used * FRAME_SAMPLES :]]
            self._count = len(self._waiting[0])
            self._first_frame += used
            self._skipped = CONTEXT_FRAMES

    def finish(self) -> Extraction:
        """The code, or why there is none."""
        rest = np.concatenate([np.zeros(0, np.float32), *self._waiting])
        self._keep_peaks(rest, len(rest))
        duration_s = self._first_frame * FRAME_S + len(rest) / FRAME_SAMPLES * FRAME_S
        peaks = join_peaks(self._parts)
        if duration_s < DURATION_S_MIN:
            return Extraction(None, f"the sound is shorter than {DURATION_S_MIN:g} s")
        if not _have_evidence(peaks):
            return Extraction(None, "the sound is silence, noise or held tones")
        return Extraction(self._algorithm.wrap(encode_peaks(peaks)), "")

    def _keep_peaks(self, samples: Samples, stop: int) -> None:
        peaks = find_peaks(compute_powers(samples))
        inside = (peaks.frames >= self._skipped) & (peaks.frames < stop)
        kept = peaks.take(inside)
        moved = SoundPeaks(kept.frames + self._first_frame, kept.pitches, kept.strengths)
        self._parts.append(moved)


def _have_evidence(peaks: SoundPeaks) -> bool:
    clear = np.count_nonzero(peaks.strengths >= CLEAR_STRENGTH * STRENGTH_STEPS)
    return bool(clear >= max(CLEAR_PEAKS_MIN, CLEAR_SHARE_MIN * len(peaks)))


_LANDMARKS_EXAMPLE = (
    "01000000360000000a00000a00000b00000a00000a00010a00000a00000b00000a00000a00010a00000a0000"
    "0b00000a00000b00000a00000a0000199c3d9f6d672ea2529b826a43a267aa977358aa7ca7ac736dab91b3c1"
    "7325a0796149a23aa25e9e8e6d4fa773aaa37364aa88b2b8731ca340e07063559b856931a146a16aaa9a745b"
    "aa7faaaf7370a894b3c47128a14ca27c643da261a9916d52a876aba67267a48babbb6c"
)
