"""Material that is registered nowhere, for calibration: as decoded frames and samples.

Half of it is real (the strangers of the split, under random crops, flips and grades), the rest
rendered or noise. Everything follows from the seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from fingerprint_bench.results import Medium
from render_media import SAMPLE_RATE_HZ as DRAWN_RATE_HZ
from render_media import draw_clip, draw_picture, draw_sound
from scipy.signal import resample_poly

from titledeed.fingerprinting.base import SAMPLE_PERIOD_S, Luma, shrink_luma
from titledeed.fingerprinting.pictures.local import Local
from titledeed.fingerprinting.pictures.regions import Regions
from titledeed.fingerprinting.pictures.shots import ShotReader
from titledeed.fingerprinting.pictures.video_dct import VideoDct
from titledeed.fingerprinting.sound.landmarks import SoundLandmarks
from titledeed.media.decoding import SAMPLE_RATE_HZ, MediaLimits, decode
from titledeed.models.match import Query

Samples = npt.NDArray[np.float32]

FRAME_WIDTH: Final = 480
CLIP_S: Final = 15.0
SOUND_S: Final = 30.0
CROP_SHARE_MIN: Final = 0.35
"""Of the width and of the height; the first query of each file shows all of it."""

REAL_SHARE: Final = 0.5
"""Of the queries of one medium; the rest is half rendered, half noise."""

VISUAL: Final = (VideoDct(), Regions(), Local())

_LIMITS: Final = MediaLimits(size_bytes_max=2**31, pixels_max=2**26, duration_s_max=3600)
_SIZE: Final = (480, 320)
_CLIP_SIZE: Final = (240, 160)
_NOISE_SLOPES: Final = (0.8, 1.2, 1.6, 2.0)
"""Of the amplitude against frequency; natural pictures have about 1."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """One query that must find nothing.

    Attributes:
        material: what kind of thing it is.
        source: the file, or the seed, it was made of.
        frames: seconds and luma; one frame at 0 s is a picture.
        samples: mono sound at the sample rate of ``media``.
    """

    material: str
    source: str
    frames: tuple[tuple[float, Luma], ...] = ()
    samples: Samples = field(default_factory=lambda: np.zeros(0, np.float32))


def draw_strangers(
    medium: Medium, files: Sequence[Path], *, count: int, seed: int = 0
) -> Iterator[Stranger]:
    """About ``count`` queries of one medium, real ones first.

    Args:
        medium: of the queries.
        files: real media of that medium which are registered nowhere.
        count: of the queries.
        seed: decides everything.
    """
    draw = {Medium.PICTURES: _pictures, Medium.VIDEO: _clips, Medium.SOUND: _sounds}[medium]
    real = round(count * REAL_SHARE)
    for number, file in enumerate(files):
        share = real * (number + 1) // len(files) - real * number // len(files)
        if share:
            yield from draw(file, share, np.random.default_rng([seed, number]))
    rest = round(count * (1 - REAL_SHARE) / 2)
    for number in range(rest):
        yield _render(medium, seed * 1_000_003 + 50_000 + number)
        yield _noise(medium, np.random.default_rng([seed, 1, number]), number)


def fingerprint_stranger(stranger: Stranger) -> Query:
    """Our own codes of it, as of a file."""
    if not stranger.frames:
        listener = SoundLandmarks().start()
        listener.add_samples(stranger.samples)
        heard = listener.finish().code
        return Query((heard,) if heard else (), len(stranger.samples) / SAMPLE_RATE_HZ)
    reader = ShotReader([algorithm.start_coder() for algorithm in VISUAL])
    for time_s, luma in stranger.frames:
        reader.add_frame(time_s, luma)
    codes = tuple(extraction.code for extraction in reader.finish() if extraction.code)
    is_still = len(stranger.frames) == 1
    return Query(codes, 0.0 if is_still else stranger.frames[-1][0] + SAMPLE_PERIOD_S)


def count_rows(query: Query) -> int:
    """Codes of frames and regions; one for each other code."""
    by_id = {algorithm.id: algorithm for algorithm in VISUAL[:2]}
    return sum(
        len(by_id[code.algorithm].decode(code.code).codes) if code.algorithm in by_id else 1
        for code in query.codes
    )


class _Collector:
    """Keeps what one decode pass tells, small."""

    def __init__(self) -> None:
        self.frames: list[tuple[float, Luma]] = []
        self.pieces: list[Samples] = []

    def add_frame(self, time_s: float, luma: Luma) -> None:
        scale = min(1.0, FRAME_WIDTH / luma.shape[1])
        height, width = (max(1, round(side * scale)) for side in luma.shape)
        self.frames.append((time_s, shrink_luma(luma, width=width, height=height)))

    def add_samples(self, samples: Samples) -> None:
        self.pieces.append(samples.copy())


def _decode(file: Path) -> _Collector:
    collector = _Collector()
    with file.open("rb") as opened:
        decode(
            opened,
            limits=_LIMITS,
            frame_sinks=[collector],
            sample_sinks=[collector],
            report=lambda _: None,
        )
    return collector


def _pictures(file: Path, count: int, generator: np.random.Generator) -> Iterator[Stranger]:
    _, picture = _decode(file).frames[0]
    for number in range(count):
        frames = _distort([(0.0, picture)], generator, is_whole=number == 0)
        yield Stranger("real pictures, cropped", file.name, frames)


def _clips(file: Path, count: int, generator: np.random.Generator) -> Iterator[Stranger]:
    frames = _decode(file).frames
    length = round(CLIP_S / SAMPLE_PERIOD_S)
    for number in range(count):
        start = int(generator.integers(0, max(1, len(frames) - length + 1)))
        part = [(time_s - frames[start][0], f) for time_s, f in frames[start : start + length]]
        shown = _distort(part, generator, is_whole=number == 0)
        yield Stranger("real video, cropped", file.name, shown)


def _sounds(file: Path, count: int, generator: np.random.Generator) -> Iterator[Stranger]:
    samples = np.concatenate([np.zeros(0, np.float32), *_decode(file).pieces])
    for _ in range(count if len(samples) else 0):
        length = round(generator.uniform(5, SOUND_S) * SAMPLE_RATE_HZ)
        start = int(generator.integers(0, max(1, len(samples) - length)))
        part = samples[start : start + length]
        level = float(np.sqrt(np.mean(part**2)))
        hiss = generator.normal(0, level * generator.uniform(0, 0.5), len(part))
        yield Stranger("real sound with noise", file.name, (), (part + hiss).astype(np.float32))


def _distort(
    frames: Sequence[tuple[float, Luma]], generator: np.random.Generator, *, is_whole: bool
) -> tuple[tuple[float, Luma], ...]:
    """One random crop, flip and grade for all frames."""
    height, width = frames[0][1].shape
    least = 1.0 if is_whole else CROP_SHARE_MIN
    rows, columns = (max(32, round(side * generator.uniform(least, 1))) for side in (height, width))
    top, left = (
        int(generator.integers(0, max(1, side - part + 1)))
        for side, part in ((height, rows), (width, columns))
    )
    step = -1 if generator.random() < 0.5 else 1
    levels = 255 * (np.arange(256) / 255) ** generator.uniform(0.6, 1.6)
    return tuple(
        (time_s, levels.astype(np.uint8)[frame[top : top + rows, left : left + columns][:, ::step]])
        for time_s, frame in frames
    )


def _render(medium: Medium, seed: int) -> Stranger:
    source = f"rendered {seed}"
    if medium is Medium.SOUND:
        sound = resample_poly(draw_sound(seed, seconds=SOUND_S), SAMPLE_RATE_HZ, DRAWN_RATE_HZ)
        return Stranger("rendered sound", source, (), np.asarray(sound, np.float32))
    if medium is Medium.PICTURES:
        picture = cv2.cvtColor(draw_picture(seed, _SIZE), cv2.COLOR_RGB2GRAY)
        return Stranger("rendered pictures", source, ((0.0, np.asarray(picture, np.uint8)),))
    shown = draw_clip(seed, seconds=CLIP_S, fps=1 / SAMPLE_PERIOD_S, size=_CLIP_SIZE)
    frames = [np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8) for frame in shown]
    return Stranger("rendered video", source, _on_grid(frames))


def _noise(medium: Medium, generator: np.random.Generator, number: int) -> Stranger:
    source = f"noise {number}"
    if medium is Medium.SOUND:
        length = round(SOUND_S * SAMPLE_RATE_HZ)
        sound = _coloured((length,), 0.5 * generator.choice(_NOISE_SLOPES), generator)
        return Stranger("coloured noise", source, (), (0.1 * sound).astype(np.float32))
    width, height = _SIZE
    texture = 127 + 50 * _coloured((height, width), generator.choice(_NOISE_SLOPES), generator)
    picture = texture.clip(0, 255).astype(np.uint8)
    if medium is Medium.PICTURES:
        return Stranger("noise textures", source, ((0.0, picture),))
    drift = int(generator.integers(1, 12))
    frames = [np.roll(picture, drift * step, axis=1) for step in range(round(4 * CLIP_S))]
    return Stranger("drifting noise textures", source, _on_grid(frames))


def _coloured(
    shape: tuple[int, ...], slope: float, generator: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Noise whose amplitude falls with frequency to the power of ``slope``; deviation 1."""
    spectrum = np.fft.rfftn(generator.normal(size=shape))
    axes = [np.fft.fftfreq(side) for side in shape[:-1]] + [np.fft.rfftfreq(shape[-1])]
    frequency = np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij", sparse=True)))
    spectrum *= np.maximum(frequency, 1 / max(shape)) ** -slope
    noise = np.fft.irfftn(spectrum, shape, axes=range(len(shape)))
    return np.asarray((noise - noise.mean()) / noise.std(), np.float64)


def _on_grid(frames: Sequence[Luma]) -> tuple[tuple[float, Luma], ...]:
    return tuple((SAMPLE_PERIOD_S * row, frame) for row, frame in enumerate(frames))
