"""Sounds drawn by formula from a seed, and changes of them; mono at 16 kHz."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from titledeed.fingerprinting.sound.landmarks import SoundLandmarks
from titledeed.fingerprinting.sound.peaks import SoundPeaks, decode_peaks

RATE_HZ = 16_000
Samples = npt.NDArray[np.float32]


def draw_music(seed: int, *, seconds: float, speed: float = 1.0, pitch: float = 1.0) -> Samples:
    """Struck notes of the seed, played at a speed and a pitch."""
    generator = np.random.default_rng(seed)
    sound = np.zeros(round(seconds / speed * RATE_HZ))
    starts_s = np.cumsum(generator.uniform(0.05, 0.3, round(seconds * 12)))
    for start_s in starts_s[starts_s < seconds]:
        hertz = pitch * 130 * 2 ** generator.uniform(0, 4)
        since = np.arange(round(0.5 * RATE_HZ)) / RATE_HZ
        note = np.exp(-7 * since * speed) * sum(
            np.sin(2 * np.pi * n * hertz * since) / n for n in (1, 2, 3)
        )
        first = round(start_s / speed * RATE_HZ)
        sound[first : first + len(note)] += note[: len(sound) - first]
    return np.asarray(0.2 * sound, np.float32)


def draw_noise(seed: int, *, seconds: float, level: float = 0.1) -> Samples:
    """White noise."""
    count = round(seconds * RATE_HZ)
    return np.asarray(level * np.random.default_rng(seed).standard_normal(count), np.float32)


def extract_peaks(samples: Samples) -> SoundPeaks:
    """Decoded code of a sound that has one."""
    extractor = SoundLandmarks().start()
    extractor.add_samples(samples)
    code = extractor.finish().code
    assert code is not None
    return decode_peaks(code.code)
