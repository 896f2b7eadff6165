from __future__ import annotations

import hashlib
import io
import struct
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import media_factory
import numpy as np
import pytest
import render_media
from av.video.stream import VideoStream
from media_factory import LIMITS, Frames, Samples
from PIL import Image

from titledeed.errors import MalformedMediaError, MediaTooLargeError
from titledeed.media.decoding import GRID_HZ, SAMPLE_RATE_HZ, DecodedMedia, MediaLimits, decode
from titledeed.models.asset import MediaFacts, MediaType


def _decode(
    path: Path,
    *,
    frames: Frames | None = None,
    samples: Samples | None = None,
    limits: MediaLimits = LIMITS,
) -> DecodedMedia:
    with path.open("rb") as file:
        return decode(
            file,
            limits=limits,
            frame_sinks=[frames] if frames else [],
            sample_sinks=[samples] if samples else [],
            report=lambda fraction: None,
        )


def _write_levels(
    path: Path,
    levels: list[int],
    *,
    fps: int = 24,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    full_range: bool = False,
) -> Path:
    """A clip of uniform frames with these luma codes, losslessly."""
    with av.open(path, "w") as container:
        stream = cast("VideoStream", container.add_stream(codec, rate=fps))
        stream.options = {"crf": "0"} if codec == "libx264" else {}
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixel_format
        if full_range:
            stream.codec_context.color_range = 2
        for index, level in enumerate(levels):
            frame = av.VideoFrame.from_ndarray(np.full((72, 64), level, np.uint8), "yuv420p")
            for plane in frame.planes[1:]:
                plane.update(bytes([128]) * plane.buffer_size)
            if pixel_format != "yuv420p":
                frame = frame.reformat(format=pixel_format)
            frame.color_range = 2 if full_range else 1
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("media_type", "codec", "audio_codec"),
    [
        (MediaType.MP4, "h264", "aac"),
        (MediaType.MOV, "h264", "aac"),
        (MediaType.MKV, "h264", "aac"),
        (MediaType.WEBM, "vp8", "opus"),
    ],
)
def test_clip(tmp_path: Path, media_type: MediaType, codec: str, audio_codec: str) -> None:
    path = media_factory.render_clip(
        tmp_path / f"clip.{media_type.extension}", seconds=2, seed=1, audio=True
    )
    frames, samples = Frames(), Samples()
    media = _decode(path, frames=frames, samples=samples)
    assert media.asset.content_digest == hashlib.sha256(path.read_bytes()).digest()
    facts = media.asset.facts
    assert facts.duration_ms == pytest.approx(2000, abs=2)
    assert facts == MediaFacts(
        media_type=media_type,
        size_bytes=path.stat().st_size,
        width=320,
        height=240,
        duration_ms=facts.duration_ms,
        frame_count=48,
        codec=codec,
        audio_codec=audio_codec,
    )
    assert frames.times_s == [index / GRID_HZ for index in range(8)]
    assert set(frames.shapes) == {(240, 320)}
    assert samples.count / SAMPLE_RATE_HZ == pytest.approx(2, abs=0.05)
    assert 0.1 < samples.peak <= 1
    with Image.open(io.BytesIO(media.thumbnail)) as thumbnail:
        assert (thumbnail.format, thumbnail.size) == ("JPEG", (320, 240))
    assert _decode(path) == media


@pytest.mark.parametrize(
    ("media_type", "codec"),
    [
        (MediaType.WAV, "pcm_s16le"),
        (MediaType.MP3, "mp3"),
        (MediaType.FLAC, "flac"),
        (MediaType.OGG, "opus"),
    ],
)
def test_sound(tmp_path: Path, media_type: MediaType, codec: str) -> None:
    path = media_factory.render_sound(tmp_path / f"sound.{media_type.extension}", seconds=3, seed=1)
    samples = Samples()
    media = _decode(path, samples=samples)
    facts = media.asset.facts
    assert facts.duration_ms == pytest.approx(3000, abs=10)
    assert (facts.codec, facts.audio_codec, facts.frame_count) == (codec, codec, 0)
    assert samples.count / SAMPLE_RATE_HZ == pytest.approx(3, abs=0.05)
    assert media.thumbnail == b""
    assert _decode(path) == media


def test_samples_are_the_sound(tmp_path: Path) -> None:
    tone = np.sin(np.arange(48_000) / 48_000 * 2 * np.pi * 440).astype(np.float32) * 0.5
    path = render_media.write_sound(tmp_path / "tone.wav", tone)
    heard: list[np.ndarray] = []

    class _Ear:
        def add_samples(self, samples: np.ndarray) -> None:
            heard.append(samples)

    with path.open("rb") as file:
        decode(file, limits=LIMITS, frame_sinks=[], sample_sinks=[_Ear()], report=lambda _: None)
    spectrum = np.abs(np.fft.rfft(np.concatenate(heard)))
    assert spectrum.argmax() / len(spectrum) * SAMPLE_RATE_HZ / 2 == pytest.approx(440, abs=2)
    assert np.abs(np.concatenate(heard)).max() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("fps", [5, 24, 30])
def test_grid_shows_the_frame_of_its_time(tmp_path: Path, fps: int) -> None:
    levels = [20 + 2 * index for index in range(fps * 2)]
    path = _write_levels(tmp_path / "levels.mp4", levels, fps=fps)
    frames = Frames()
    _decode(path, frames=frames)
    assert frames.times_s == [index / GRID_HZ for index in range(2 * GRID_HZ)]
    assert frames.levels == [levels[int(time_s * fps + 1e-6)] for time_s in frames.times_s]


def test_slow_clip_gives_no_frame_twice(tmp_path: Path) -> None:
    path = _write_levels(tmp_path / "slow.mp4", [50, 100, 150], fps=1)
    frames = Frames()
    facts = _decode(path, frames=frames).asset.facts
    assert (frames.times_s, frames.levels) == ([0.0, 1.0, 2.0], [50.0, 100.0, 150.0])
    assert facts.duration_ms == 3000


def test_clip_shorter_than_the_grid_gives_its_last_frame_too(tmp_path: Path) -> None:
    path = _write_levels(tmp_path / "short.mp4", [50, 60, 70, 80], fps=24)
    frames = Frames()
    _decode(path, frames=frames)
    assert frames.times_s == [0.0, pytest.approx(0.125)]
    assert frames.levels == [50.0, 80.0]


def test_clip_of_one_frame_gives_it_once(tmp_path: Path) -> None:
    frames = Frames()
    _decode(_write_levels(tmp_path / "one.mp4", [50]), frames=frames)
    assert (frames.times_s, frames.levels) == ([0.0], [50.0])


@pytest.mark.parametrize(
    ("codec", "pixel_format"),
    [("libx264", "yuv420p10le"), ("libx264", "yuv444p"), ("ffv1", "bgr0"), ("ffv1", "gray")],
)
def test_every_pixel_format_gives_the_same_luma(
    tmp_path: Path, codec: str, pixel_format: str
) -> None:
    path = _write_levels(
        tmp_path / "format.mkv", [16, 126, 235], fps=4, codec=codec, pixel_format=pixel_format
    )
    frames = Frames()
    _decode(path, frames=frames)
    assert frames.levels == pytest.approx([16, 126, 235], abs=2)


def test_full_range_gives_the_luma_of_limited_range(tmp_path: Path) -> None:
    path = _write_levels(
        tmp_path / "full.mp4", [0, 128, 255], fps=4, pixel_format="yuvj420p", full_range=True
    )
    with av.open(path) as container:
        assert next(container.decode(video=0)).color_range == 2
    frames = Frames()
    _decode(path, frames=frames)
    assert frames.levels == pytest.approx([16, 126, 235], abs=2)


_MATRICES = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


def _turn(path: Path, degrees: int) -> Path:
    """Write the display matrix of a phone held ``degrees`` clockwise into the track header."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in _MATRICES[degrees])
    data[matrix : matrix + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotated_clip_is_upright(tmp_path: Path, degrees: int) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32] = 255
    path = render_media.write_clip(tmp_path / "phone.mp4", [picture] * 4, fps=4)
    frames = Frames()
    media = _decode(_turn(path, degrees), frames=frames)
    upright = np.rot90(picture[..., 0], -degrees // 90)
    assert (media.asset.facts.height, media.asset.facts.width) == upright.shape
    assert frames.last.shape == upright.shape
    assert np.abs((frames.last > 126).astype(int) - upright // 255).mean() < 0.02
    with Image.open(io.BytesIO(media.thumbnail)) as thumbnail:
        assert thumbnail.size == upright.shape[::-1]
        bright = np.asarray(thumbnail.convert("L")) > 126
    assert np.abs(bright.astype(int) - upright // 255).mean() < 0.1


def test_webm_without_length_and_duration_is_timed_by_its_frames(tmp_path: Path) -> None:
    source = media_factory.render_clip(tmp_path / "a.webm", seconds=2, seed=1, size=(64, 48))
    path = tmp_path / "live.webm"
    with av.open(source) as old, av.open(path, "w", options={"live": "1"}) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    with av.open(path) as container:
        assert container.duration is None
    assert _decode(path).asset.facts.duration_ms == pytest.approx(2000, abs=2)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9, 0.999])
def test_truncated_clip_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    path = media_factory.render_clip(
        tmp_path / f"cut.{suffix}", seconds=2, seed=1, size=(64, 48), audio=True
    )
    media_factory.truncate(path, share=share)
    with pytest.raises(MalformedMediaError):
        _decode(path)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_truncated_sound_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    path = media_factory.render_sound(tmp_path / f"cut.{suffix}", seconds=2, seed=1)
    media_factory.truncate(path, share=share)
    with pytest.raises(MalformedMediaError):
        _decode(path)


def test_truncated_mp4_with_its_index_in_front_is_refused(tmp_path: Path) -> None:
    source = media_factory.render_clip(tmp_path / "a.mp4", seconds=2, seed=1)
    path = tmp_path / "fast.mp4"
    with av.open(source) as old, av.open(path, "w", options={"movflags": "faststart"}) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat")
    assert _decode(path).asset.facts.frame_count == 48
    media_factory.truncate(path, share=0.9)
    with pytest.raises(MalformedMediaError, match="truncated"):
        _decode(path)


def test_frames_that_cannot_be_decoded_are_refused(tmp_path: Path) -> None:
    path = media_factory.render_clip(tmp_path / "noise.mp4", seconds=1, seed=1)
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    end = data.index(b"moov") - 4
    data[start:end] = bytes(end - start)
    path.write_bytes(data)
    with pytest.raises(MalformedMediaError):
        _decode(path)


def test_mp4_without_pictures_is_refused(tmp_path: Path) -> None:
    path = render_media.write_sound(tmp_path / "sound.mp4", render_media.draw_sound(1, seconds=1))
    with pytest.raises(MalformedMediaError, match="no moving picture"):
        _decode(path)


def test_mp4_header_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "header.mp4"
    path.write_bytes(b"\x00\x00\x00\x14ftypisom\x00\x00\x02\x00isom")
    with pytest.raises(MalformedMediaError, match="truncated"):
        _decode(path)


@pytest.mark.parametrize("suffix", ["mp4", "wav"])
def test_duration_limit_ends_the_decoding(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"long.{suffix}"
    if suffix == "wav":
        media_factory.render_sound(path, seconds=3, seed=1)
    else:
        media_factory.render_clip(path, seconds=3, seed=1, size=(64, 48))
    limits = MediaLimits(size_bytes_max=1 << 30, pixels_max=1 << 20, duration_s_max=2)
    with pytest.raises(MediaTooLargeError, match="longer than 2 s"):
        _decode(path, limits=limits)


def test_pixel_limit_holds_for_video(tmp_path: Path) -> None:
    path = media_factory.render_clip(tmp_path / "clip.mp4", seconds=0.5, seed=1)
    limits = MediaLimits(size_bytes_max=1 << 30, pixels_max=320 * 240 - 1, duration_s_max=60)
    with pytest.raises(MediaTooLargeError, match="320 x 240"):
        _decode(path, limits=limits)
