"""Walks the structure of containers without decoding.

Decoders forgive a file that ends early and play what there is. A registry may not: half a clip is
another work. Each container that states its own length is held to it here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from titledeed.errors import MalformedMediaError
from titledeed.models.asset import MediaType

UNKNOWN_RIFF_SIZES = (0, 0xFFFF_FFFF)
"""What writes to a pipe, and cannot go back to fill in the length, leaves there."""
GIF_DELAY_MS = 10
"""Unit of a GIF's delays."""


def truncated(what: str) -> MalformedMediaError:
    """The error of a file that ends early."""
    return MalformedMediaError(
        f"the {what} file is truncated", next_step="Copy or download the file again."
    )


def check_container(file: BinaryIO, media_type: MediaType, size_bytes: int) -> None:
    """Refuse a video or sound container that ends before it says.

    Raises:
        MalformedMediaError: it is truncated, or its structure is broken.
    """
    file.seek(0)
    match media_type:
        case MediaType.MP4 | MediaType.MOV:
            _check_boxes(file, media_type.name, size_bytes)
        case MediaType.WEBM | MediaType.MKV:
            _check_segment(file, media_type.name, size_bytes)
        case MediaType.WAV:
            _check_riff(file, "WAV", size_bytes)
        case _:
            pass  # frame after frame, without a length


def _check_boxes(file: BinaryIO, what: str, size_bytes: int) -> None:
    """ISO 14496-12 4.2: each top-level box lies within the file, and the index is there."""
    seen: set[bytes] = set()
    start = 0
    while start < size_bytes:
        file.seek(start)
        header = file.read(16)
        if len(header) < 8:
            raise truncated(what)
        length, kind = struct.unpack_from(">I4s", header)
        if length == 1 and len(header) == 16:
            (length,) = struct.unpack_from(">Q", header, 8)
        elif length == 0:
            length = size_bytes - start
        if length < 8 or start + length > size_bytes:
            raise truncated(what)
        seen.add(kind)
        start += length
    if b"moov" not in seen:
        raise truncated(what)


def _check_segment(file: BinaryIO, what: str, size_bytes: int) -> None:
    """RFC 8794 4 and 6: the Segment behind the EBML header ends with the file."""
    file.seek(4)
    header_bytes = _read_length(file)
    if header_bytes is None:
        raise MalformedMediaError(f"the {what} file's header is broken")
    file.seek(header_bytes, 1)
    if file.read(4) != b"\x18\x53\x80\x67":
        raise truncated(what)
    segment_bytes = _read_length(file)
    if segment_bytes is not None and file.tell() + segment_bytes > size_bytes:
        raise truncated(what)


def _read_length(file: BinaryIO) -> int | None:
    """An EBML variable-length integer; None where all its bits are set: unknown."""
    first = file.read(1)
    if not first or not first[0]:
        raise MalformedMediaError("an element's length is broken")
    width = 9 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] & (0xFF >> width)]) + file.read(width - 1), "big")
    return None if value == (1 << 7 * width) - 1 else value


def _check_riff(file: BinaryIO, what: str, size_bytes: int) -> None:
    (length,) = struct.unpack("<4xI", file.read(8))
    if length not in UNKNOWN_RIFF_SIZES and length + 8 > size_bytes:
        raise truncated(what)


def check_png(file: BinaryIO, size_bytes: int) -> None:
    """Refuse a PNG file without its last chunk (W3C PNG 5.3, 11.2.5).

    Raises:
        MalformedMediaError: it is truncated.
    """
    start, kind = 8, b""
    while kind != b"IEND":
        file.seek(start)
        header = file.read(8)
        if len(header) < 8:
            raise truncated("PNG")
        length, kind = struct.unpack(">I4s", header)
        start += length + 12
        if start > size_bytes:
            raise truncated("PNG")


def time_webp(file: BinaryIO, size_bytes: int) -> tuple[int, int]:
    """Frames and milliseconds of a WebP file; a still picture has one frame and lasts 0 ms.

    Raises:
        MalformedMediaError: it is truncated.
    """
    file.seek(0)
    _check_riff(file, "WebP", size_bytes)
    frames, duration_ms, start = 0, 0, 12
    while start + 8 <= size_bytes:
        file.seek(start)
        kind, length = struct.unpack("<4sI", file.read(8))
        if start + 8 + length > size_bytes:
            raise truncated("WebP")
        if kind == b"ANMF":
            # 24-bit fields: x, y, width, height, duration (developers.google.com/speed/webp).
            frames += 1
            duration_ms += int.from_bytes(file.read(15)[12:], "little")
        start += 8 + length + length % 2
    return (frames, duration_ms) if frames > 1 else (1, 0)


def time_gif(file: BinaryIO) -> tuple[int, int]:
    """Frames and milliseconds of a GIF file; a still picture has one frame and lasts 0 ms.

    Raises:
        MalformedMediaError: it is truncated or broken.
    """
    file.seek(6)
    _skip_palette(file, _read(file, 7)[4])
    frames, duration_ms = 0, 0
    while (mark := _read(file, 1)) != b";":
        if mark == b"!":
            label, block = _read(file, 1), b"".join(_blocks(file, keep=4))
            if label == b"\xf9" and len(block) >= 3:
                duration_ms += struct.unpack_from("<H", block, 1)[0] * GIF_DELAY_MS
        elif mark == b",":
            frames += 1
            _skip_palette(file, _read(file, 9)[8])
            _read(file, 1)
            for _ in _blocks(file, keep=0):
                pass
        else:
            raise MalformedMediaError("the GIF file's blocks are broken")
    if not frames:
        raise MalformedMediaError("the GIF file holds no picture")
    return (frames, duration_ms) if frames > 1 else (1, 0)


def _skip_palette(file: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        _read(file, 3 << (flags & 7) + 1)


def _blocks(file: BinaryIO, *, keep: int) -> Iterator[bytes]:
    while length := _read(file, 1)[0]:
        yield _read(file, length)[:keep]


def _read(file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) < length:
        raise truncated("GIF")
    return data
