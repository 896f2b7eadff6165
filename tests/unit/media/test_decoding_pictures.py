from __future__ import annotations

import hashlib
import io
import time
from pathlib import Path

import media_factory
import numpy as np
import pytest
import render_media
from media_factory import LIMITS, Frames
from PIL import Image

from titledeed.errors import MalformedMediaError, MediaTooLargeError, UnsupportedMediaTypeError
from titledeed.media.decoding import DecodedMedia, MediaLimits, decode
from titledeed.models.asset import MediaFacts, MediaType


def _decode(path: Path, frames: Frames, *, limits: MediaLimits = LIMITS) -> DecodedMedia:
    with path.open("rb") as file:
        return decode(
            file, limits=limits, frame_sinks=[frames], sample_sinks=[], report=lambda _: None
        )


@pytest.mark.parametrize(
    ("media_type", "codec"),
    [
        (MediaType.JPEG, "mjpeg"),
        (MediaType.PNG, "png"),
        (MediaType.WEBP, "webp"),
        (MediaType.GIF, "gif"),
    ],
)
def test_still_picture(tmp_path: Path, media_type: MediaType, codec: str) -> None:
    path = media_factory.render_picture(
        tmp_path / f"picture.{media_type.extension}", seed=3, size=(400, 300)
    )
    frames = Frames()
    media = _decode(path, frames)
    data = path.read_bytes()
    assert media.asset.content_digest == hashlib.sha256(data).digest()
    assert media.asset.facts == MediaFacts(
        media_type=media_type,
        size_bytes=len(data),
        width=400,
        height=300,
        duration_ms=0,
        frame_count=1,
        codec=codec,
        audio_codec="",
    )
    assert (frames.times_s, frames.shapes) == ([0.0], [(300, 400)])
    grey = np.asarray(Image.fromarray(render_media.draw_picture(3, (400, 300))).convert("L"))
    assert np.abs(frames.last.astype(int) - grey).mean() < 8
    with Image.open(io.BytesIO(media.thumbnail)) as thumbnail:
        assert (thumbnail.format, thumbnail.size) == ("JPEG", (320, 240))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    levels = np.repeat(np.repeat(np.array([[0, 80], [160, 240]], np.uint8), 40, 0), 60, 1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.png"
    Image.fromarray(levels).save(path, exif=exif)
    frames = Frames()
    facts = _decode(path, frames).asset.facts
    upright = {
        1: levels,
        2: np.fliplr(levels),
        3: np.rot90(levels, 2),
        4: np.flipud(levels),
        5: levels.T,
        6: np.rot90(levels, -1),
        7: np.rot90(levels, 2).T,
        8: np.rot90(levels),
    }[orientation]
    assert (facts.height, facts.width) == upright.shape
    assert np.array_equal(frames.last, upright)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparency_shows_white(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "clear.png"
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).convert("RGBA" if mode == "PA" else mode).save(path)
    frames = Frames()
    _decode(path, frames)
    assert frames.levels == [255.0]


def test_sixteen_bit_greys_keep_their_upper_byte(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    Image.fromarray(np.full((4, 4), 0x80FF, np.uint16)).save(path)
    frames = Frames()
    _decode(path, frames)
    assert frames.levels == [128.0]


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_animation_counts_frames_and_feeds_the_first(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"moving.{suffix}"
    shades = [Image.new("RGB", (32, 32), (level, level, level)) for level in (40, 120, 200)]
    shades[0].save(
        path, save_all=True, append_images=shades[1:], duration=[100, 250, 150], lossless=True
    )
    frames = Frames()
    facts = _decode(path, frames).asset.facts
    assert (facts.frame_count, facts.duration_ms) == (3, 500)
    assert frames.levels == [pytest.approx(40, abs=1)]


def test_enormous_picture_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = media_factory.render_huge_png(tmp_path / "huge.png")
    started = time.process_time()
    with pytest.raises(MediaTooLargeError):
        _decode(path, Frames())
    assert time.process_time() - started < 0.5


def test_pixel_limit_counts_what_is_decoded(tmp_path: Path) -> None:
    path = media_factory.render_picture(tmp_path / "p.png", seed=1, size=(100, 100))
    limits = MediaLimits(size_bytes_max=1 << 20, pixels_max=9_999, duration_s_max=1)
    with pytest.raises(MediaTooLargeError, match="100 x 100"):
        _decode(path, Frames(), limits=limits)


def test_size_limit_counts_bytes(tmp_path: Path) -> None:
    path = media_factory.render_picture(tmp_path / "p.png", seed=1)
    limits = MediaLimits(size_bytes_max=1_000, pixels_max=1 << 20, duration_s_max=1)
    with pytest.raises(MediaTooLargeError, match="more than 1,000"):
        _decode(path, Frames(), limits=limits)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_truncated_picture_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    path = media_factory.render_picture(tmp_path / f"cut.{suffix}", seed=1)
    media_factory.truncate(path, share=share)
    with pytest.raises(MalformedMediaError, match="truncated"):
        _decode(path, Frames())


def test_truncated_animation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.gif"
    shades = [Image.fromarray(render_media.draw_picture(seed, (64, 64))) for seed in range(3)]
    shades[0].save(path, save_all=True, append_images=shades[1:])
    media_factory.truncate(path, share=0.6)
    with pytest.raises(MalformedMediaError, match="truncated"):
        _decode(path, Frames())


def test_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.png"
    path.touch()
    with pytest.raises(MalformedMediaError, match="empty"):
        _decode(path, Frames())


def test_text_with_a_video_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.mp4"
    path.write_text("no video at all\n" * 100)
    with pytest.raises(UnsupportedMediaTypeError):
        _decode(path, Frames())
