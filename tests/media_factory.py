"""Media for tests: the renderers of ``scripts/render_media.py``, and files that are broken."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
from render_media import (
    Plain,
    concat_film,
    cut_clip,
    render_clip,
    render_picture,
    render_sound,
)

from titledeed.media.decoding import MediaLimits

__all__ = [
    "LIMITS",
    "Frames",
    "Plain",
    "Samples",
    "concat_film",
    "cut_clip",
    "render_clip",
    "render_huge_png",
    "render_picture",
    "render_sound",
    "truncate",
]


LIMITS = MediaLimits(size_bytes_max=1 << 30, pixels_max=120_000_000, duration_s_max=3_600)


class Frames:
    """A frame sink that keeps the times, and the mean luma and shape of each frame."""

    def __init__(self) -> None:
        self.times_s: list[float] = []
        self.levels: list[float] = []
        self.shapes: list[tuple[int, ...]] = []
        self.last: npt.NDArray[np.uint8] = np.zeros((0, 0), np.uint8)

    def add_frame(self, time_s: float, luma: npt.NDArray[np.uint8]) -> None:
        assert luma.dtype == np.uint8
        self.times_s.append(time_s)
        self.levels.append(float(luma.mean()))
        self.shapes.append(luma.shape)
        self.last = luma.copy()


class Samples:
    """A sample sink that counts and remembers the loudest."""

    def __init__(self) -> None:
        self.count = 0
        self.peak = 0.0

    def add_samples(self, samples: npt.NDArray[np.float32]) -> None:
        assert samples.dtype == np.float32
        self.count += len(samples)
        self.peak = max(self.peak, float(np.abs(samples).max(initial=0)))


def truncate(path: Path, *, share: float) -> Path:
    """Keep only the first ``share`` of a file's bytes; returns ``path``."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def render_huge_png(path: Path, *, width: int = 30_000, height: int = 30_000) -> Path:
    """A small file that decodes to one enormous black picture, 1 bit per pixel."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width + 7) // 8 + 1) * height, 1)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", rows), _chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return path


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
