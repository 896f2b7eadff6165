from __future__ import annotations

from pathlib import Path

import media_factory
import pytest

from titledeed.errors import MalformedMediaError, UnsupportedMediaTypeError
from titledeed.media.sniffing import HEAD_BYTES, sniff
from titledeed.models.asset import MediaKind, MediaType


def _render(folder: Path, media_type: MediaType) -> Path:
    path = folder / f"file.{media_type.extension}"
    match media_type.kind:
        case MediaKind.IMAGE:
            return media_factory.render_picture(path, seed=1, size=(64, 48))
        case MediaKind.VIDEO:
            return media_factory.render_clip(path, seconds=0.5, seed=1, size=(64, 48))
        case MediaKind.AUDIO:
            return media_factory.render_sound(path, seconds=0.5, seed=1)


@pytest.mark.parametrize("media_type", MediaType)
def test_each_type_is_known_by_its_content(tmp_path: Path, media_type: MediaType) -> None:
    assert sniff(_render(tmp_path, media_type).read_bytes()[:HEAD_BYTES]) is media_type


def test_empty_file_is_malformed() -> None:
    with pytest.raises(MalformedMediaError, match="is empty"):
        sniff(b"")


@pytest.mark.parametrize(
    "head",
    [
        b"This is text, whatever the file is called.\n" * 50,
        "ÿû ÿó text that begins like a sound".encode("latin-1"),
        b"\xff\xfe" + "text in UTF-16".encode("utf-16-le") * 40,
        b"\xff\xfb\x90\x64" + bytes(4_000),
        b"RIFF\x10\x00\x00\x00AVI LIST",
        b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00",
        b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00",
        b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00",
        b"\x1a\x45\xdf\xa3\x84\x42\x82\x84text",
        b"#EXTM3U\n#EXT-X-VERSION:3\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"\x89PNG",
        b"\xff",
    ],
    ids=lambda head: repr(head[:12]),
)
def test_everything_else_is_unsupported(head: bytes) -> None:
    with pytest.raises(UnsupportedMediaTypeError) as caught:
        sniff(head)
    assert "JPEG, PNG, WebP, GIF, MP4, MOV, WebM, MKV, WAV, MP3, FLAC, OGG" in (
        caught.value.next_step
    )


def test_mp3_without_a_tag_is_known_by_two_frames(tmp_path: Path) -> None:
    data = _render(tmp_path, MediaType.MP3).read_bytes()
    assert data.startswith(b"ID3")
    frames = data[data.index(b"\xff\xfb") :]
    assert sniff(frames[:HEAD_BYTES]) is MediaType.MP3


@pytest.mark.parametrize(
    ("brand", "media_type"),
    [(b"isom", MediaType.MP4), (b"M4V ", MediaType.MP4), (b"qt  ", MediaType.MOV)],
)
def test_brand_tells_mp4_from_quicktime(brand: bytes, media_type: MediaType) -> None:
    assert sniff(b"\x00\x00\x00\x14ftyp" + brand + bytes(8)) is media_type
