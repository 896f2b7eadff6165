"""The stored form of a sound's spectral peaks.

A peak is a moment at which one frequency stands out from its surroundings in time and frequency.
Peaks are stored, not hashes of them: at another speed or pitch a peak only moves, by a factor in
time and by a difference in pitch, so that every such variant can be derived from the code.

Layout, big endian: one byte of layout version (1), a 32-bit count n, n bytes of frames since the
row before, n 16-bit rows: pitch in the upper ten bits, strength in the lower six. A row of pitch 0
is no peak: it only lets 255 frames pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.errors import MalformedDocumentError

LAYOUT_VERSION: Final = 1
SAMPLE_RATE_HZ: Final = 16_000
FRAME_SAMPLES: Final = 256
FRAME_S: Final = FRAME_SAMPLES / SAMPLE_RATE_HZ
WINDOW_SAMPLES: Final = 1_024
WINDOW_CENTRE_S: Final = WINDOW_SAMPLES / 2 / SAMPLE_RATE_HZ

PITCH_HZ_MIN: Final = 110.0
PITCHES_PER_OCTAVE: Final = 144
"""Twelve steps per semitone: below the 15.6 Hz of a spectral line only interpolation tells them
apart."""

PITCHES: Final = 1 << 10
STRENGTHS: Final = 1 << 6
STRENGTH_STEPS: Final = 10
"""Per unit of the natural logarithm."""

CLEAR_STRENGTH: Final = 2.8
"""In units of the natural logarithm. White and pink noise and held chords have no such peak in 20
seconds, real sounds 2 to 30 a second."""

FRAMES_MAX: Final = 12 * 3600 * SAMPLE_RATE_HZ // FRAME_SAMPLES
"""Twelve hours."""

DENSE_PEAKS: Final = 256
DENSE_FRAMES_MIN: Final = 31
"""Half a second. Neighbourhoods leave room for 20 peaks in 11 frames; without a limit a crafted
code would make every search slow."""

_PAUSE_FRAMES: Final = 255
_HEADER_BYTES: Final = 5
_PEAK_BYTES: Final = 3


@dataclass(frozen=True, slots=True)
class SoundPeaks:
    """Peaks in order of time, then pitch.

    Attributes:
        frames: number of the frame, shape (n,), never falling.
        pitches: steps of ``PITCHES_PER_OCTAVE`` above ``PITCH_HZ_MIN``, 1 to ``PITCHES`` - 1.
        strengths: how far a peak stands out, below ``STRENGTHS``.
    """

    frames: npt.NDArray[np.int64]
    pitches: npt.NDArray[np.int64]
    strengths: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def times_s(self) -> npt.NDArray[np.float64]:
        """Middle of each peak's window, in seconds from the start."""
        return np.asarray(self.frames * FRAME_S + WINDOW_CENTRE_S, np.float64)

    def take(self, selection: npt.NDArray[np.bool_] | npt.NDArray[np.int64] | slice) -> SoundPeaks:
        """The selected peaks."""
        return SoundPeaks(
            self.frames[selection], self.pitches[selection], self.strengths[selection]
        )


def join_peaks(parts: list[SoundPeaks]) -> SoundPeaks:
    """Peaks of consecutive stretches of one sound."""
    empty = np.zeros(0, np.int64)
    return SoundPeaks(
        np.concatenate([empty, *(part.frames for part in parts)]),
        np.concatenate([empty, *(part.pitches for part in parts)]),
        np.concatenate([empty, *(part.strengths for part in parts)]),
    )


def encode_peaks(peaks: SoundPeaks) -> bytes:
    """Bytes of the peaks."""
    gaps = np.diff(peaks.frames, prepend=0)
    pauses = gaps // _PAUSE_FRAMES
    ends = np.cumsum(pauses + 1) - 1
    count = int(ends[-1]) + 1 if len(ends) else 0
    deltas = np.full(count, _PAUSE_FRAMES, np.uint8)
    rows = np.zeros(count, ">u2")
    deltas[ends] = gaps - pauses * _PAUSE_FRAMES
    rows[ends] = peaks.pitches * STRENGTHS + peaks.strengths
    header = bytes([LAYOUT_VERSION]) + count.to_bytes(4, "big")
    return header + deltas.tobytes() + rows.tobytes()


def decode_peaks(code: bytes) -> SoundPeaks:
    """Read untrusted peaks.

    Raises:
        MalformedDocumentError: unknown layout, wrong length, no peak, a malformed pause, beyond
            twelve hours, or crowded.
    """
    count = int.from_bytes(code[1:_HEADER_BYTES], "big")
    if code[:1] != bytes([LAYOUT_VERSION]):
        raise MalformedDocumentError("the sound peaks have an unknown layout")
    if len(code) != _HEADER_BYTES + count * _PEAK_BYTES:
        raise MalformedDocumentError(f"the sound peaks are not {count} rows long")
    deltas = np.frombuffer(code, np.uint8, count, _HEADER_BYTES)
    rows = np.frombuffer(code, ">u2", count, _HEADER_BYTES + count).astype(np.int64)
    frames = np.cumsum(deltas, dtype=np.int64)
    is_peak = rows >= STRENGTHS
    if not is_peak.any() or not is_peak[-1]:
        raise MalformedDocumentError("the sound peaks do not end in a peak")
    if np.any(deltas[~is_peak] != _PAUSE_FRAMES) or np.any(rows[~is_peak]):
        raise MalformedDocumentError("a pause of the sound peaks is malformed")
    if frames[-1] > FRAMES_MAX:
        raise MalformedDocumentError("the sound peaks go beyond twelve hours")
    if np.any(frames[DENSE_PEAKS:] - frames[:-DENSE_PEAKS] < DENSE_FRAMES_MIN):
        raise MalformedDocumentError("the sound peaks are too dense")
    peaks = SoundPeaks(frames, rows // STRENGTHS, rows % STRENGTHS)
    return peaks.take(is_peak)
