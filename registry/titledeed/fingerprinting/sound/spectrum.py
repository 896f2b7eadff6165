"""Finds the peaks of a sound's short-time spectrum.

A peak is the largest value of its neighbourhood, whose width grows with frequency as that of the
ear's bands does, and stands out from the mean of a wider one. It also stands out from the second
around it at its own frequency: a held tone has no moment of its own.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy import fft

from titledeed.fingerprinting.sound.peaks import (
    FRAME_SAMPLES,
    PITCH_HZ_MIN,
    PITCHES,
    PITCHES_PER_OCTAVE,
    SAMPLE_RATE_HZ,
    STRENGTH_STEPS,
    STRENGTHS,
    WINDOW_SAMPLES,
    SoundPeaks,
)

CONTEXT_FRAMES: Final = 16
"""Frames on either side that the peaks of a frame depend on."""

LINE_HZ: Final = SAMPLE_RATE_HZ / WINDOW_SAMPLES
BANDS: Final = ((125.0, 500.0, 2), (500.0, 1_400.0, 5), (1_400.0, 5_200.0, 12))
"""Lowest and highest frequency of a band, and how many spectral lines a neighbourhood reaches up
and down. Speech and music copied at low bit rates keep little above."""

NEIGHBOUR_FRAMES: Final = 5
"""To either side: 80 ms. Together with ``BANDS`` real sounds have 20 to 60 peaks a second."""

STRENGTH_MIN: Final = 2.0
"""Logarithm of a peak's power over its surroundings' mean. White noise has nine such peaks a
second, real sounds up to sixty; half of a copy's peaks and more stay."""

HELD_STRENGTH_MIN: Final = 0.3
"""The same, over the mean of the second around it at its own frequency: 1.3 dB."""

POWER_FLOOR: Final = 1e-5
"""A spectral line of a sound 90 dB below full scale; quieter ones are rounding and dither."""

Powers = npt.NDArray[np.float32]
"""Shape (frames, spectral lines)."""

_WINDOW: Final = np.hanning(WINDOW_SAMPLES + 1)[:-1].astype(np.float32)


def compute_powers(samples: npt.NDArray[np.float32]) -> Powers:
    """The short-time power spectrum; shape (0, lines) below one window of samples."""
    if len(samples) < WINDOW_SAMPLES:
        return np.zeros((0, WINDOW_SAMPLES // 2 + 1), np.float32)
    windows = sliding_window_view(samples, WINDOW_SAMPLES)[::FRAME_SAMPLES]
    spectrum = fft.rfft(windows * _WINDOW, axis=1)
    return np.asarray(spectrum.real**2 + spectrum.imag**2, np.float32)


def find_peaks(powers: Powers) -> SoundPeaks:
    """All peaks; frames count from the first row."""
    if not len(powers):
        return quantise_peaks(np.zeros((0, 3)))
    rows = np.concatenate([_find_in_band(powers, *band) for band in BANDS])
    return quantise_peaks(rows[np.lexsort((rows[:, 1], rows[:, 0]))])


def quantise_peaks(rows: npt.NDArray[np.float64]) -> SoundPeaks:
    """Peaks of rows of frame, frequency in Hz and strength, quantised."""
    octaves = np.log2(np.maximum(rows[:, 1], PITCH_HZ_MIN) / PITCH_HZ_MIN)
    pitches = np.clip(np.rint(PITCHES_PER_OCTAVE * octaves), 1, PITCHES - 1)
    strengths = np.clip(np.floor(STRENGTH_STEPS * rows[:, 2]), 0, STRENGTHS - 1)
    return SoundPeaks(*(column.astype(np.int64) for column in (rows[:, 0], pitches, strengths)))


def _find_in_band(
    powers: Powers, low_hz: float, high_hz: float, reach: int
) -> npt.NDArray[np.float64]:
    first, last = int(low_hz / LINE_HZ) - reach - 1, int(high_hz / LINE_HZ) + reach + 1
    band = np.ascontiguousarray(powers[:, max(0, first) : last]) + np.float32(POWER_FLOOR)
    surroundings = cv2.blur(band, (4 * reach + 1, 2 * CONTEXT_FRAMES - 1))
    second = cv2.blur(band, (1, 2 * CONTEXT_FRAMES - 1))
    neighbourhood = np.ones((2 * NEIGHBOUR_FRAMES + 1, 2 * reach + 1), np.uint8)
    is_peak = (
        (band == cv2.dilate(band, neighbourhood))
        & (band > np.float32(np.exp(STRENGTH_MIN)) * surroundings)
        & (band > np.float32(np.exp(HELD_STRENGTH_MIN)) * second)
    )
    is_peak[:, : reach + 1] = is_peak[:, -reach - 1 :] = False
    frames, lines = np.nonzero(is_peak)
    below, peak, above = (np.log(band[frames, lines + step]) for step in (-1, 0, 1))
    # The vertex of the parabola through three lines.
    shift = np.clip((below - above) / (2 * (below - 2 * peak + above) - 1e-9), -0.5, 0.5)
    strength = peak - np.log(surroundings[frames, lines])
    hertz = (max(0, first) + lines + shift) * LINE_HZ
    return np.column_stack([frames, hertz, strength]).astype(np.float64)
