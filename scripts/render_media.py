"""Small pictures, clips, sounds and films, drawn from a seed.

Everything is deterministic: the same arguments give the same frames. A seed decides a sequence of
shots, each a large coloured texture that is panned while three discs cross it, so that two seeds
look different, two moments of one clip look different, and a fingerprint has something to hold.
``plain`` footage is the opposite: one soft gradient that drifts slowly.

The container and its codecs follow the file name: H.264 and AAC in mp4, mov and mkv, VP8 and Opus
in webm; wav, mp3, flac and ogg (Opus) for sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from PIL import Image

Picture = npt.NDArray[np.uint8]
"""RGB, shape (height, width, 3)."""
Sound = npt.NDArray[np.float32]
"""Mono, shape (n,), -1 to 1, at ``SAMPLE_RATE_HZ``."""

SAMPLE_RATE_HZ = 48_000
SHOT_S = 1.75
DISCS = 3
EPSILON_S = 1e-6

_VIDEO_CODECS = {".webm": "libvpx"}
_AUDIO_CODECS = {
    ".webm": "libopus",
    ".ogg": "libopus",
    ".wav": "pcm_s16le",
    ".mp3": "libmp3lame",
    ".flac": "flac",
}
_VIDEO_OPTIONS = {
    "libx264": {"preset": "superfast", "bf": "2"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8", "b": "2M"},
}


@dataclass(frozen=True, slots=True)
class Plain:
    """Footage without anything to recognise, as a part of a film."""

    seconds: float
    seed: int = 0


def draw_picture(seed: int, size: tuple[int, int], *, roughness: float = 1.0) -> Picture:
    """A textured picture: random grids of five scales, each stretched to ``size`` and summed.

    Args:
        seed: decides everything.
        size: (width, height) in pixels.
        roughness: 1 for rich detail, near 0 for a soft gradient.
    """
    generator = np.random.default_rng(seed)
    total = np.zeros((size[1], size[0], 3), np.float32)
    for octave, cells in enumerate((3, 6, 12, 32, 96)):
        grid = generator.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        layer = Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC)
        weight = roughness**octave * 0.62**octave
        total += np.float32(weight) * (np.asarray(layer, np.float32) - 127.5)
    return _to_bytes(total * 0.75 + 127.5)


def _to_bytes(levels: npt.NDArray[np.float32]) -> Picture:
    picture: Picture = np.clip(levels, 0, 255).astype(np.uint8)
    return picture


def draw_clip(seed: int, *, seconds: float, fps: float, size: tuple[int, int]) -> Iterator[Picture]:
    """The frames of a clip: several shots, panned, with discs moving across."""
    width, height = size
    canvas = (width * 3 // 2, height * 3 // 2)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    shot, texture, discs = -1, np.zeros((1, 1, 3), np.uint8), np.zeros((DISCS, 8))
    for index in range(round(seconds * fps)):
        time_s = index / fps
        if int(time_s // SHOT_S) != shot:
            shot = int(time_s // SHOT_S)
            generator = np.random.default_rng((seed, shot))
            texture = draw_picture(int(generator.integers(2**31)), canvas)
            discs = generator.uniform(-1, 1, (DISCS, 8))
        moment = time_s % SHOT_S / SHOT_S
        left = round((0.5 + 0.5 * discs[0, 7] * (2 * moment - 1)) * (canvas[0] - width))
        top = round((0.5 + 0.5 * discs[1, 7] * (2 * moment - 1)) * (canvas[1] - height))
        frame = texture[top : top + height, left : left + width].copy()
        for disc in discs:
            x, y = (0.5 + 0.5 * disc[:2] + 0.9 * disc[2:4] * (moment - 0.5)) * size
            inside = (columns - x) ** 2 + (rows - y) ** 2 < (height / 6) ** 2
            frame[inside] = (127.5 * (1 + disc[4:7])).astype(np.uint8)
        yield frame


def draw_plain(
    seed: int, *, seconds: float, fps: float, size: tuple[int, int]
) -> Iterator[Picture]:
    """The frames of plain footage: one soft gradient whose brightness drifts slowly."""
    base = draw_picture(seed, size, roughness=0.05) // 2
    for index in range(round(seconds * fps)):
        yield base + np.uint8(64 + 63 * np.sin(index / fps / 8))


def draw_sound(seed: int, *, seconds: float) -> Sound:
    """A tune: a new note of three partials every 0.2 to 0.5 s over soft noise."""
    generator = np.random.default_rng(seed)
    sound = generator.normal(0, 0.01, round(seconds * SAMPLE_RATE_HZ)).astype(np.float32)
    start = 0
    while start < len(sound):
        length = min(int(generator.uniform(0.2, 0.5) * SAMPLE_RATE_HZ), len(sound) - start)
        phase = np.arange(length) / SAMPLE_RATE_HZ * 2 * np.pi
        pitch = 110 * 2 ** (generator.integers(0, 36) / 12)
        partials = (generator.uniform(0.05, 0.2) * np.sin(phase * pitch * k) for k in (1, 2, 3))
        fade = np.minimum(1, np.arange(length)[::-1] / (0.05 * SAMPLE_RATE_HZ))
        sound[start : start + length] += (sum(partials) * fade).astype(np.float32)
        start += length
    return np.clip(sound, -1, 1)


def write_clip(
    path: Path,
    frames: Iterable[Picture],
    *,
    fps: float,
    crf: int = 20,
    sound: Sound | None = None,
) -> Path:
    """Encode frames (all of one even size) and optionally a sound."""
    suffix = path.suffix.lower()
    codec = _VIDEO_CODECS.get(suffix, "libx264")
    rate = Fraction(fps).limit_denominator(1001)
    with av.open(path, "w", options={"fflags": "+bitexact"}) as container:
        options = _VIDEO_OPTIONS[codec] | {"crf": str(crf)}
        video = cast("VideoStream", container.add_stream(codec, rate=rate, options=options))
        audio = _add_sound(container, suffix) if sound is not None else None
        video.pix_fmt = "yuv420p"
        video.thread_count = 1
        for index, picture in enumerate(frames):
            if index == 0:
                video.height, video.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, 1 / rate
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None and sound is not None:
            _encode_sound(container, audio, sound)
    return path


def write_sound(path: Path, sound: Sound) -> Path:
    """Encode a sound."""
    with av.open(path, "w", options={"fflags": "+bitexact"}) as container:
        _encode_sound(container, _add_sound(container, path.suffix.lower()), sound)
    return path


def write_picture(path: Path, picture: Picture, *, image_format: str | None = None) -> Path:
    """Encode a picture; the format follows the file name unless one is given (``"PNG"`` …)."""
    Image.fromarray(picture).save(path, format=image_format, quality=90)
    return path


def render_clip(
    path: Path,
    *,
    seconds: float,
    seed: int,
    size: tuple[int, int] = (320, 240),
    fps: float = 24,
    audio: bool = False,
) -> Path:
    """Render a clip of the seed; returns ``path``."""
    frames = draw_clip(seed, seconds=seconds, fps=fps, size=size)
    sound = draw_sound(seed, seconds=seconds) if audio else None
    return write_clip(path, frames, fps=fps, sound=sound)


def render_picture(
    path: Path,
    *,
    seed: int,
    size: tuple[int, int] = (320, 240),
    image_format: str | None = None,
) -> Path:
    """Render a picture of the seed; returns ``path``."""
    return write_picture(path, draw_picture(seed, size), image_format=image_format)


def render_sound(path: Path, *, seconds: float, seed: int) -> Path:
    """Render a sound of the seed; returns ``path``."""
    return write_sound(path, draw_sound(seed, seconds=seconds))


def cut_clip(
    source: Path,
    dest: Path,
    *,
    start_s: float,
    end_s: float,
    scale: float | tuple[int, int] | None = None,
    crf: int = 23,
    mirror: bool = False,
    speed: float = 1.0,
    letterbox: bool = False,
) -> Path:
    """Cut a clip out of another and encode it anew, without sound and without credentials.

    Args:
        source: any clip.
        dest: its suffix decides the container.
        start_s: first second of the source that is kept.
        end_s: the source's second at which the cut ends.
        scale: a factor, or (width, height).
        crf: quality; more is worse.
        mirror: flip left and right.
        speed: 2 shows the cut twice as fast.
        letterbox: add black bars, a sixth of the picture's height, above and below.
    """
    fps, size = _probe(source)
    if isinstance(scale, tuple):
        size = scale
    elif scale is not None:
        size = (_even(size[0] * scale), _even(size[1] * scale))
    pictures = _read(source, fps=fps, size=size, start_s=start_s, end_s=end_s, speed=speed)
    return write_clip(
        dest, (_edit(p, mirror=mirror, letterbox=letterbox) for p in pictures), fps=fps, crf=crf
    )


def concat_film(
    dest: Path,
    parts: Sequence[Path | Plain],
    *,
    size: tuple[int, int] = (480, 270),
    fps: float = 24,
    crf: int = 23,
) -> list[tuple[float, float]]:
    """Cut a film together out of clips and plain footage; a clip is stretched to ``size``.

    Returns:
        For each part, its first and last second in the film.
    """
    spans: list[tuple[float, float]] = []

    def frames() -> Iterator[Picture]:
        count = 0
        for part in parts:
            first = count
            for picture in _part(part, size=size, fps=fps):
                count += 1
                yield picture
            spans.append((first / fps, count / fps))

    write_clip(dest, frames(), fps=fps, crf=crf)
    return spans


def _part(part: Path | Plain, *, size: tuple[int, int], fps: float) -> Iterator[Picture]:
    if isinstance(part, Plain):
        return draw_plain(part.seed, seconds=part.seconds, fps=fps, size=size)
    return _read(part, fps=fps, size=size, start_s=0, end_s=float("inf"), speed=1)


def _read(
    source: Path, *, fps: float, size: tuple[int, int], start_s: float, end_s: float, speed: float
) -> Iterator[Picture]:
    """The source's pictures between two seconds, shown ``speed`` times as fast, at ``fps``."""
    due_s = start_s
    for shown_s, hidden_s, frame in _spans(source, fps):
        picture: Picture | None = None
        while shown_s - EPSILON_S <= due_s < min(hidden_s, end_s) - EPSILON_S:
            if picture is None:
                picture = np.asarray(
                    frame.to_ndarray(format="rgb24", width=size[0], height=size[1]), np.uint8
                )
            yield picture
            due_s += speed / fps


def _spans(source: Path, fps: float) -> Iterator[tuple[float, float, av.VideoFrame]]:
    """Each frame with the second from which it is shown and the one at which it is replaced."""
    with av.open(source) as container:
        frames = container.decode(video=0)
        frame = next(frames)
        for following in frames:
            yield frame.time or 0.0, following.time or 0.0, frame
            frame = following
        yield frame.time or 0.0, (frame.time or 0.0) + 1 / fps, frame


def _edit(picture: Picture, *, mirror: bool, letterbox: bool) -> Picture:
    if mirror:
        picture = np.ascontiguousarray(picture[:, ::-1])
    if letterbox:
        bar = _even(picture.shape[0] / 6)
        picture = np.pad(picture, ((bar, bar), (0, 0), (0, 0)))
    return picture


def _probe(source: Path) -> tuple[float, tuple[int, int]]:
    with av.open(source) as container:
        stream = container.streams.video[0]
        return float(stream.average_rate or 24), (_even(stream.width), _even(stream.height))


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)


def _add_sound(container: OutputContainer, suffix: str) -> AudioStream:
    codec = _AUDIO_CODECS.get(suffix, "aac")
    stream = cast("AudioStream", container.add_stream(codec, rate=SAMPLE_RATE_HZ))
    stream.layout = "mono"
    return stream


def _encode_sound(container: OutputContainer, stream: AudioStream, sound: Sound) -> None:
    frame = av.AudioFrame.from_ndarray(sound[np.newaxis], format="fltp", layout="mono")
    frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, 0
    resampler = av.AudioResampler(
        stream.format.name, "mono", SAMPLE_RATE_HZ, frame_size=stream.frame_size or 1024
    )
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(piece))
    container.mux(stream.encode(None))
