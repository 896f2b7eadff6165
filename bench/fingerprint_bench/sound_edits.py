"""Edits that a sound's fingerprint must survive: the fourteen of the table, odd and combined ones.

Every edit takes mono samples at ``RATE_HZ`` and a generator, and returns samples at that rate with
the line that tells where they came from. Codecs and time stretching are FFmpeg's, through PyAV.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.filter import Graph
from scipy import signal

RATE_HZ: Final = 44_100
QUERY_S_MAX: Final = 30.0

VOICE_STEP: Final = 4
"""Voices are drawn at 11 kHz."""

Samples = npt.NDArray[np.float32]
"""Mono, shape (n,), at ``RATE_HZ``."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of a sound: second ``t`` of it is second ``start_s + speed * t`` of the sound.

    Attributes:
        samples: what is heard.
        start_s: where it begins in the sound.
        speed: seconds of the sound per second of the excerpt.
    """

    samples: Samples
    start_s: float = 0.0
    speed: float = 1.0

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / RATE_HZ

    def heard(self, samples: Samples, *, speed: float = 1.0) -> Excerpt:
        """The same excerpt with other samples, perhaps played at another speed."""
        return Excerpt(samples, self.start_s, self.speed * speed)


Edit = Callable[[Excerpt, np.random.Generator], Excerpt]


def read_sound(file: Path | io.BytesIO, *, rate_hz: int = RATE_HZ) -> Samples:
    """Decode the first audio stream, mixed to mono; empty where there is none."""
    pieces = [np.zeros(0, np.float32)]
    with av.open(str(file) if isinstance(file, Path) else file, "r") as container:
        if container.streams.audio:
            resampler = av.AudioResampler("fltp", "mono", rate_hz)
            for frame in (*container.decode(audio=0), None):
                pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
    return np.concatenate(pieces).astype(np.float32)


def resample(samples: Samples, *, source_hz: int, target_hz: int) -> Samples:
    """The same sound at another sample rate."""
    ratio = Fraction(target_hz, source_hz)
    resampled = signal.resample_poly(samples, ratio.numerator, ratio.denominator)
    return np.asarray(resampled, np.float32)


def filter_sound(samples: Samples, *filters: tuple[str, str]) -> Samples:
    """Run samples through FFmpeg's filters, each a name and its arguments."""
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=RATE_HZ, format="fltp", layout="mono", time_base=Fraction(1, RATE_HZ)
    )
    nodes = [graph.add(name, arguments) for name, arguments in filters]
    sink = graph.add("abuffersink")
    graph.link_nodes(source, *nodes, sink).configure()
    source.push(_frame(samples))
    source.push(None)
    pieces = [np.zeros(0, np.float32)]
    while True:
        try:
            frame = sink.pull()
        except (EOFError, BlockingIOError):
            break
        if isinstance(frame, AudioFrame):
            pieces.append(frame.to_ndarray()[0])
    return np.concatenate(pieces).astype(np.float32)


def transcode(samples: Samples, *, codec: str, container: str, bit_rate: int) -> Samples:
    """Encode and decode again; the encoder's delay is cut away as players do."""
    file = io.BytesIO()
    rate_hz = 48_000 if codec == "libopus" else RATE_HZ
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate_hz)
        assert isinstance(stream, AudioStream)
        stream.bit_rate, stream.layout = bit_rate, "mono"
        resampler = av.AudioResampler(stream.format.name, "mono", rate_hz, stream.frame_size)
        for frame in (_frame(samples), None):
            for piece in resampler.resample(frame):
                output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    file.seek(0)
    return read_sound(file)[: len(samples)]


def mix(samples: Samples, other: Samples, *, decibels: float) -> Samples:
    """Add another sound, whose power lies so many decibels above (or below) the first."""
    added = np.resize(other, len(samples))
    gain = _level(samples) / max(_level(added), 1e-9) * 10 ** (decibels / 20)
    return np.asarray(np.clip(samples + gain * added, -1, 1), np.float32)


def draw_pink_noise(count: int, generator: np.random.Generator) -> Samples:
    """Noise whose power falls by 3 dB per octave."""
    spectrum = np.fft.rfft(generator.standard_normal(count))
    spectrum /= np.sqrt(np.maximum(1, np.arange(len(spectrum))))
    return np.asarray(np.fft.irfft(spectrum, count), np.float32)


def draw_voice(count: int, generator: np.random.Generator) -> Samples:
    """Speech-like: gliding harmonics under two wandering formants, in syllables."""
    drawn = count // VOICE_STEP + 2
    seconds = count / RATE_HZ
    knots = max(4, round(5 * seconds))
    at = np.linspace(0, knots - 1, drawn)

    def wander(low: float, high: float) -> Samples:
        return np.interp(at, np.arange(knots), generator.uniform(low, high, knots)).astype("f4")

    pitch_hz = np.float32(generator.uniform(90, 240)) * wander(0.8, 1.25)
    phase = (2 * np.pi * np.cumsum(pitch_hz, dtype=np.float64) * VOICE_STEP / RATE_HZ) % (2 * np.pi)
    tone = np.exp(1j * phase).astype(np.complex64)
    formants = wander(300, 900), wander(1_000, 2_600)
    harmonic, voice = np.ones_like(tone), np.zeros(drawn, np.float32)
    for number in range(1, 16):
        harmonic *= tone
        for peak_hz in formants:
            voice += harmonic.imag / (1 + ((number * pitch_hz - peak_hz) / 120) ** 2)
    voice += 0.2 * generator.standard_normal(drawn, np.float32) * (wander(0, 1) > 0.8)
    voice *= np.maximum(0, wander(-0.6, 1))
    return resample(voice, source_hz=RATE_HZ // VOICE_STEP, target_hz=RATE_HZ)[:count]


def draw_crowd(count: int, generator: np.random.Generator, *, voices: int = 12) -> Samples:
    """Many voices at once."""
    return np.asarray(sum(draw_voice(count, generator) for _ in range(voices)), np.float32)


def cut(seconds: float) -> Edit:
    """An edit that keeps so many seconds, from anywhere."""

    def edit(excerpt: Excerpt, generator: np.random.Generator) -> Excerpt:
        spare_s = max(0.0, excerpt.duration_s - seconds)
        first = round(generator.uniform(0, spare_s) * RATE_HZ)
        samples = excerpt.samples[first : first + round(seconds * RATE_HZ)]
        start_s = excerpt.start_s + excerpt.speed * first / RATE_HZ
        return replace(excerpt, samples=samples, start_s=start_s)

    return edit


def change_speed(factor: float) -> Edit:
    """An edit that plays faster, and higher with it."""
    return _filtered(
        ("asetrate", f"{RATE_HZ * factor:.0f}"), ("aresample", f"{RATE_HZ}"), speed=factor
    )


def change_tempo(factor: float) -> Edit:
    """An edit that plays faster at the same pitch."""
    return _filtered(("atempo", f"{factor}"), speed=factor)


def change_pitch(factor: float) -> Edit:
    """An edit that plays higher at the same speed."""
    return _filtered(
        ("asetrate", f"{RATE_HZ * factor:.0f}"),
        ("aresample", f"{RATE_HZ}"),
        ("atempo", f"{1 / factor}"),
    )


def encode(codec: str, container: str, bit_rate: int) -> Edit:
    """An edit that loses what a codec leaves out."""

    def edit(excerpt: Excerpt, generator: np.random.Generator) -> Excerpt:  # noqa: ARG001
        coded = transcode(excerpt.samples, codec=codec, container=container, bit_rate=bit_rate)
        return excerpt.heard(coded)

    return edit


def add(draw: Callable[[int, np.random.Generator], Samples], decibels: float) -> Edit:
    """An edit that mixes something drawn into the sound."""

    def edit(excerpt: Excerpt, generator: np.random.Generator) -> Excerpt:
        other = draw(len(excerpt.samples), generator)
        return excerpt.heard(mix(excerpt.samples, other, decibels=decibels))

    return edit


def surround(before_s: float, after_s: float) -> Edit:
    """An edit that hides the sound between other speech; it begins later in the result."""

    def edit(excerpt: Excerpt, generator: np.random.Generator) -> Excerpt:
        ends = [draw_voice(round(s * RATE_HZ), generator) for s in (before_s, after_s)]
        level = _level(excerpt.samples)
        before, after = (end * (level / max(_level(end), 1e-9)) for end in ends)
        samples = np.concatenate([before, excerpt.samples, after]).astype(np.float32)
        return replace(excerpt, samples=samples, start_s=excerpt.start_s - excerpt.speed * before_s)

    return edit


def combine(*edits: Edit) -> Edit:
    """One edit after the other."""

    def edit(excerpt: Excerpt, generator: np.random.Generator) -> Excerpt:
        for one in edits:
            excerpt = one(excerpt, generator)
        return excerpt

    return edit


def _reverberate(excerpt: Excerpt, generator: np.random.Generator) -> Excerpt:
    times_s = np.arange(round(0.6 * RATE_HZ)) / RATE_HZ
    echo = 0.05 * generator.standard_normal(len(times_s)) * np.exp(-6.9 * times_s / 0.6)
    echo[0] = 1.0
    wet = signal.fftconvolve(excerpt.samples, echo)[: len(excerpt.samples)]
    return excerpt.heard(np.asarray(np.clip(wet / np.sqrt(np.sum(echo**2)), -1, 1), np.float32))


def _clip_loud(excerpt: Excerpt, generator: np.random.Generator) -> Excerpt:  # noqa: ARG001
    limit = 1.2 * _level(excerpt.samples)
    return excerpt.heard(np.asarray(np.clip(excerpt.samples, -limit, limit), np.float32))


def _filtered(*filters: tuple[str, str], speed: float = 1.0) -> Edit:
    def edit(excerpt: Excerpt, generator: np.random.Generator) -> Excerpt:  # noqa: ARG001
        return excerpt.heard(filter_sound(excerpt.samples, *filters), speed=speed)

    return edit


def _frame(samples: Samples) -> AudioFrame:
    frame = AudioFrame.from_ndarray(
        np.ascontiguousarray(samples[np.newaxis]), format="fltp", layout="mono"
    )
    frame.sample_rate, frame.time_base, frame.pts = RATE_HZ, Fraction(1, RATE_HZ), 0
    return frame


def _level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


_MP3_64K = encode("libmp3lame", "mp3", 64_000)
_MP3_32K = encode("libmp3lame", "mp3", 32_000)
_PINK = add(draw_pink_noise, -6.0)
_CROWD = add(draw_crowd, -6.0)

EDITS: Final[dict[str, Edit]] = {
    "mp3 64k": _MP3_64K,
    "mp3 32k": _MP3_32K,
    "cut 10 s": cut(10),
    "cut 5 s": cut(5),
    "pink noise": _PINK,
    "pitch +2 %": change_pitch(1.02),
    "pitch -2 %": change_pitch(0.98),
    "tempo +5 %": change_tempo(1.05),
    "speed +5 %": change_speed(1.05),
    "speed -5 %": change_speed(0.95),
    "crowd -6 dB": _CROWD,
    "EQ": _filtered(
        ("equalizer", "f=150:t=o:w=1.5:g=-10"),
        ("equalizer", "f=1000:t=o:w=1:g=8"),
        ("equalizer", "f=4000:t=o:w=1.5:g=-9"),
    ),
    "low-pass, compressor": _filtered(
        ("lowpass", "f=3000"),
        ("acompressor", "threshold=0.05:ratio=8:attack=5:release=80:makeup=4"),
    ),
    "cut 10 s, speed +3 %, mp3": combine(cut(10), change_speed(1.03), _MP3_64K),
}
"""The fourteen of the table; queries are at most ``QUERY_S_MAX`` long."""

ODD_EDITS: Final[dict[str, Edit]] = {
    "speed 1.037": change_speed(1.037),
    "speed 0.93": change_speed(0.93),
    "speed 1.1": change_speed(1.1),
    "speed 0.87": change_speed(0.87),
    "pitch 0.985": change_pitch(0.985),
    "pitch 1.045": change_pitch(1.045),
    "tempo 0.93": change_tempo(0.93),
    "tempo 1.12": change_tempo(1.12),
    "tempo 1.04, pitch 0.97": combine(change_tempo(1.04), change_pitch(0.97)),
    "cut 3 s": cut(3),
    "opus 16k": encode("libopus", "ogg", 16_000),
    "telephone": _filtered(("highpass", "f=300"), ("lowpass", "f=3400"), ("lowpass", "f=3400")),
    "room": _reverberate,
    "clipped": _clip_loud,
    "pink noise 0 dB": add(draw_pink_noise, 0.0),
    "crowd 0 dB": add(draw_crowd, 0.0),
    "between speech": combine(cut(8), surround(6, 6)),
    "cut 7 s, speed 1.07, crowd": combine(cut(7), change_speed(1.07), _CROWD),
    "pink noise, pitch 1.03, mp3": combine(_PINK, change_pitch(1.03), _MP3_32K),
    "room, telephone, tempo 0.96": combine(
        _reverberate, _filtered(("highpass", "f=300"), ("lowpass", "f=3400")), change_tempo(0.96)
    ),
}
"""Other parameters and combinations, so that a design tuned to the table shows."""
