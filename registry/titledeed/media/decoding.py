"""One decode pass over an untrusted file: digest, facts, thumbnail, frames and samples.

Runs in the sandbox's child. The file is sniffed, its container's structure checked, and then
decoded once, each frame and sample going to all sinks. The rules of sampling are in ``streams``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from titledeed.media.containers import check_container
from titledeed.media.limits import MediaLimits
from titledeed.media.pictures import decode_picture
from titledeed.media.sniffing import HEAD_BYTES, sniff
from titledeed.media.streams import GRID_HZ, SAMPLE_RATE_HZ, decode_streams
from titledeed.models.asset import Asset, MediaKind
from titledeed.models.primitives import Sha256
from titledeed.ports import FrameSink, SampleSink

READ_BYTES = 1024 * 1024

__all__ = ["GRID_HZ", "SAMPLE_RATE_HZ", "DecodedMedia", "MediaLimits", "decode"]


@dataclass(frozen=True, slots=True)
class DecodedMedia:
    """What one pass found.

    Attributes:
        thumbnail: JPEG, at most 320 pixels wide; empty for sound.
    """

    asset: Asset
    thumbnail: bytes


def decode(
    file: BinaryIO,
    *,
    limits: MediaLimits,
    frame_sinks: Sequence[FrameSink],
    sample_sinks: Sequence[SampleSink],
    report: Callable[[float], None],
) -> DecodedMedia:
    """Decode a file once.

    Args:
        file: seekable, open for reading.
        limits: checked before memory is spent.
        frame_sinks: get the luma of a still picture, or of a video ``GRID_HZ`` times a second.
        sample_sinks: get mono sound at ``SAMPLE_RATE_HZ``; without any, sound is not decoded.
        report: told which share is done.

    Raises:
        UnsupportedMediaTypeError: the bytes are no media that are read.
        MalformedMediaError: empty, truncated or broken.
        MediaTooLargeError: a limit was reached.
        MemoryError: the process may not have what the decoder needs.
    """
    media_type = sniff(file.read(HEAD_BYTES))
    size_bytes = file.seek(0, 2)
    limits.check_size(size_bytes)
    if media_type.kind is MediaKind.IMAGE:
        facts, thumbnail = decode_picture(
            file, media_type, size_bytes, limits=limits, frame_sinks=frame_sinks
        )
    else:
        check_container(file, media_type, size_bytes)
        facts, thumbnail = decode_streams(
            file,
            media_type,
            size_bytes,
            limits=limits,
            frame_sinks=frame_sinks,
            sample_sinks=sample_sinks,
            report=report,
        )
    file.seek(0)
    digest = hashlib.sha256()
    while data := file.read(READ_BYTES):
        digest.update(data)
    report(1.0)
    return DecodedMedia(Asset(Sha256(digest.digest()), facts), thumbnail)
