from __future__ import annotations

import numpy as np
import pytest
from sound_scenes import RATE_HZ, Samples, draw_music, draw_noise, extract_peaks

from titledeed.errors import MalformedDocumentError
from titledeed.fingerprinting.base import Extraction
from titledeed.fingerprinting.sound.landmarks import SoundLandmarks
from titledeed.fingerprinting.sound.peaks import (
    PITCH_HZ_MIN,
    PITCHES_PER_OCTAVE,
    SoundPeaks,
    decode_peaks,
    encode_peaks,
)

TIMES_S = np.arange(5 * RATE_HZ) / RATE_HZ


def extract(samples: Samples, *, run: int = 1 << 20) -> Extraction:
    extractor = SoundLandmarks().start()
    for first in range(0, len(samples), run):
        extractor.add_samples(samples[first : first + run])
    return extractor.finish()


def test_example_holds() -> None:
    (example,) = SoundLandmarks().examples()
    assert extract(example.samples).code == SoundLandmarks().wrap(example.code)


def test_code_does_not_depend_on_how_samples_arrive() -> None:
    music = draw_music(1, seconds=20)
    assert extract(music) == extract(music, run=1152) == extract(music, run=9_999)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0, np.float32),
        np.zeros(len(TIMES_S), np.float32),
        0.3 * np.sin(2 * np.pi * 1000 * TIMES_S).astype(np.float32),
        sum(0.1 * np.sin(2 * np.pi * f * TIMES_S) for f in (220, 277, 330)).astype(np.float32),  # type: ignore[union-attr]
        draw_noise(2, seconds=20),
        draw_music(3, seconds=5)[: RATE_HZ - 1],
    ],
    ids=["nothing", "silence", "tone", "chord", "noise", "under a second"],
)
def test_sound_without_evidence_has_no_code_but_a_reason(samples: Samples) -> None:
    found = extract(samples)
    assert found.code is None
    assert found.note


def test_peak_lies_where_the_note_begins() -> None:
    samples = np.zeros(3 * RATE_HZ, np.float32)
    since = np.arange(RATE_HZ) / RATE_HZ
    samples[RATE_HZ : 2 * RATE_HZ] = 0.3 * np.exp(-9 * since) * np.sin(2 * np.pi * 880 * since)
    extractor = SoundLandmarks().start()
    extractor.add_samples(np.concatenate([samples, draw_music(4, seconds=5)]))
    code = extractor.finish().code
    assert code is not None
    peaks = decode_peaks(code.code)
    strongest = int(np.argmax(np.where(peaks.times_s < 3, peaks.strengths, 0)))
    hertz = PITCH_HZ_MIN * 2 ** (peaks.pitches[strongest] / PITCHES_PER_OCTAVE)
    assert peaks.times_s[strongest] == pytest.approx(1.03, abs=0.05)
    assert hertz == pytest.approx(880, rel=0.01)


def test_code_is_small() -> None:
    code = extract(draw_music(5, seconds=60)).code
    assert code is not None
    assert len(code.code) < 45_000


def test_long_pauses_survive_the_stored_form() -> None:
    peaks = SoundPeaks(np.array([3, 300, 100_000]), np.array([1, 500, 1023]), np.array([0, 5, 63]))
    decoded = decode_peaks(encode_peaks(peaks))
    assert np.array_equal(decoded.frames, peaks.frames)
    assert np.array_equal(decoded.pitches, peaks.pitches)
    assert np.array_equal(decoded.strengths, peaks.strengths)


def row(delta: int, pitch: int) -> tuple[int, int]:
    return delta, pitch * 64


def pack(*rows: tuple[int, int], version: int = 1) -> bytes:
    words = b"".join(word.to_bytes(2, "big") for _, word in rows)
    return bytes([version]) + len(rows).to_bytes(4, "big") + bytes(d for d, _ in rows) + words


@pytest.mark.parametrize(
    "code",
    [
        b"",
        pack(),
        pack(row(1, 5), version=2),
        pack(row(1, 5)) + b"\0",
        pack(row(1, 5))[:-1],
        pack(row(1, 5), row(255, 0)),
        pack(row(7, 0), row(1, 5)),
        pack((255, 9), row(1, 5)),
        pack(*[row(0, 5)] * 300),
        pack(*[row(255, 0)] * 11_000, row(1, 5)),
    ],
    ids=[
        "empty", "no peak", "version", "long", "short", "ends in a pause", "short pause",
        "strong pause", "crowded", "beyond twelve hours",
    ],
)  # fmt: skip
def test_malformed_code_is_refused(code: bytes) -> None:
    with pytest.raises(MalformedDocumentError):
        SoundLandmarks().decode(code)


def test_faster_sound_has_its_peaks_earlier_and_higher() -> None:
    slow = extract_peaks(draw_music(6, seconds=10))
    fast = extract_peaks(draw_music(6, seconds=10, speed=1.25, pitch=1.25))
    assert fast.times_s[-1] == pytest.approx(slow.times_s[-1] / 1.25, abs=0.5)
    assert np.median(fast.pitches) > np.median(slow.pitches)
