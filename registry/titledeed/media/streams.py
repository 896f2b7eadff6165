"""Decodes video and sound with FFmpeg's libraries, through PyAV.

The demuxer is forced from the sniffed type and reads the given file object only: no playlist, no
reference to another file, no protocol.

Sampling, on which fingerprints rest:

* Seconds count from the first frame shown. At each grid time ``k / GRID_HZ`` the sinks get the
  frame shown then, but no frame twice. A clip shorter than one step yields its last frame too.
* Luma is 8-bit and of limited range (black 16, white 235) whatever the file has, and upright: a
  clip's rotation is applied. For the usual formats it is a view of the decoder's own memory.
* Sound is the first audio stream, mixed to mono at ``SAMPLE_RATE_HZ``.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from titledeed.errors import MalformedMediaError
from titledeed.media.containers import truncated
from titledeed.media.limits import MediaLimits
from titledeed.media.pictures import THUMBNAIL_WIDTH, encode_thumbnail
from titledeed.models.asset import MediaFacts, MediaKind, MediaType
from titledeed.ports import FrameSink, SampleSink

GRID_HZ = 4
SAMPLE_RATE_HZ = 16_000
THUMBNAIL_TIME_S = 1.0
"""The first frame is often black."""
THREADS_MAX = 4
STREAM_BUFFER_BYTES = 256 * 1024
EPSILON_S = 1e-6
DURATION_TOLERANCE_S = 0.1
"""By which the packets of sound may differ from what the file declares: priming and padding."""

_DEMUXERS = {
    MediaType.MP4: "mov",
    MediaType.MOV: "mov",
    MediaType.WEBM: "matroska",
    MediaType.MKV: "matroska",
    MediaType.WAV: "wav",
    MediaType.MP3: "mp3",
    MediaType.FLAC: "flac",
    MediaType.OGG: "ogg",
}
_LUMA_FIRST = frozenset(
    {"yuv420p", "yuv422p", "yuv444p", "yuv440p", "yuv411p", "yuv410p", "nv12", "nv16", "nv21"}
)
"""Pixel formats whose first plane is 8-bit luma."""
_FULL_RANGE = 2
"""``AVCOL_RANGE_JPEG`` of libavutil."""


def decode_streams(
    file: BinaryIO,
    media_type: MediaType,
    size_bytes: int,
    *,
    limits: MediaLimits,
    frame_sinks: Sequence[FrameSink],
    sample_sinks: Sequence[SampleSink],
    report: Callable[[float], None],
) -> tuple[MediaFacts, bytes]:
    """Feed frames and samples to the sinks; return facts and thumbnail (empty for sound).

    Raises:
        MalformedMediaError: truncated, broken, or without the stream its type promises.
        MediaTooLargeError: a frame or the duration passes its limit.
    """
    with _opened(file, media_type) as container:
        sounds = [stream for stream in container.streams.audio if _has_decoder(stream)]
        sound = _Sound(sounds[0], limits, sample_sinks) if sounds else None
        if media_type.kind is MediaKind.VIDEO:
            picture = _Picture(_find_video(container, media_type), limits, frame_sinks)
            tracks: list[_Picture | _Sound] = [picture]
            if sound is not None and sample_sinks:
                tracks.append(sound)
            _run(container, tracks, media_type, size_bytes, report)
            facts = picture.facts(media_type, size_bytes, sound.codec if sound else "")
            return facts, picture.thumbnail()
        if sound is None:
            raise MalformedMediaError(
                f"the {media_type.name} file holds no sound that can be decoded",
                media_type=media_type.value,
            )
        _run(container, [sound], media_type, size_bytes, report)
        return sound.facts(media_type, size_bytes), b""


@contextmanager
def _opened(file: BinaryIO, media_type: MediaType) -> Iterator[InputContainer]:
    file.seek(0)
    try:
        with av.open(
            file,
            "r",
            format=_DEMUXERS[media_type],
            container_options={"protocol_whitelist": "none"},
            metadata_errors="replace",
            buffer_size=STREAM_BUFFER_BYTES,
        ) as container:
            yield container
    except MemoryError:
        raise
    except FFmpegError as error:
        raise MalformedMediaError(
            f"the {media_type.name} file is broken: {error.strerror}",
            next_step="Export or download the file again.",
            media_type=media_type.value,
        ) from error


def _find_video(container: InputContainer, media_type: MediaType) -> VideoStream:
    for stream in container.streams.video:
        if _has_decoder(stream) and not stream.disposition & Disposition.attached_pic:
            return stream
    raise MalformedMediaError(
        f"the {media_type.name} file holds no moving picture that can be decoded",
        media_type=media_type.value,
    )


def _has_decoder(stream: Stream) -> bool:
    # PyAV leaves None there for a codec that FFmpeg does not know, whatever its types say.
    return getattr(stream, "codec_context", None) is not None


def _run(
    container: InputContainer,
    tracks: Sequence[_Picture | _Sound],
    media_type: MediaType,
    size_bytes: int,
    report: Callable[[float], None],
) -> None:
    by_index = {track.stream.index: track for track in tracks}
    for packet in container.demux([track.stream for track in tracks]):
        if packet.is_corrupt and media_type.kind is MediaKind.VIDEO:
            raise truncated(media_type.name)
        by_index[packet.stream.index].take(packet)
        if packet.pos:
            report(packet.pos / size_bytes)
    for track in tracks:
        track.finish(media_type)


class _Picture:
    """Samples a video stream on the grid."""

    def __init__(
        self, stream: VideoStream, limits: MediaLimits, sinks: Sequence[FrameSink]
    ) -> None:
        self.stream, self._limits, self._sinks = stream, limits, sinks
        limits.check_picture(stream.width, stream.height)
        context = stream.codec_context
        context.thread_type = "AUTO"
        context.thread_count = min(THREADS_MAX, len(os.sched_getaffinity(0)))
        context.options = {"max_pixels": str(limits.pixels_max)}
        self._step_s = float(1 / (stream.average_rate or stream.guessed_rate or 25))
        self._tick_s = float(stream.time_base or 0)
        self._origin_s: float | None = None
        self._held: VideoFrame | None = None
        self._held_s = 0.0
        self._due = 0
        self._count = self._sampled = 0
        self._first: VideoFrame | None = None
        self._chosen: VideoFrame | None = None
        self._end_s = 0.0

    def take(self, packet: Packet[Stream]) -> None:
        for frame in self.stream.codec_context.decode(packet):
            self._limits.check_picture(frame.width, frame.height)
            time_s = self._time(frame)
            self._limits.check_duration(time_s)
            self._show_until(time_s)
            self._held, self._held_s = frame, time_s
            self._first = self._first or frame
            self._count += 1

    def finish(self, media_type: MediaType) -> None:
        if self._held is None:
            raise MalformedMediaError(
                f"no frame of the {media_type.name} file can be decoded",
                next_step="Export or download the file again.",
                media_type=media_type.value,
            )
        self._end_s = self._held_s + (self._held.duration * self._tick_s or self._step_s)
        before = self._sampled
        self._show_until(self._end_s)
        if self._sampled == before == 1:
            self._sample(self._held, self._held_s)

    def facts(self, media_type: MediaType, size_bytes: int, audio_codec: str) -> MediaFacts:
        frame = self._first
        if frame is None:
            raise MalformedMediaError("no frame was decoded", media_type=media_type.value)
        shown = (frame.width, frame.height)
        width, height = shown if _quarter_turns(frame) % 2 == 0 else shown[::-1]
        return MediaFacts(
            media_type=media_type,
            size_bytes=size_bytes,
            width=width,
            height=height,
            duration_ms=round(self._end_s * 1000),
            frame_count=self._count,
            codec=self.stream.codec_context.codec.canonical_name,
            audio_codec=audio_codec,
        )

    def thumbnail(self) -> bytes:
        frame = self._chosen
        if frame is None:
            return b""
        turns = _quarter_turns(frame)
        across = frame.width if turns % 2 == 0 else frame.height
        share = min(1.0, THUMBNAIL_WIDTH / across)
        small = frame.reformat(
            width=max(1, round(frame.width * share)),
            height=max(1, round(frame.height * share)),
            format="rgb24",
        )
        picture = Image.fromarray(small.to_ndarray())
        return encode_thumbnail(picture.rotate(90 * turns, expand=True))

    def _time(self, frame: VideoFrame) -> float:
        if frame.pts is None:
            return self._held_s + self._step_s if self._held else 0.0
        time_s = frame.pts * self._tick_s
        if self._origin_s is None:
            self._origin_s = time_s
        return max(time_s - self._origin_s, self._held_s)

    def _show_until(self, time_s: float) -> None:
        """The held frame is on screen until then: sample it if a grid time falls into that."""
        if self._held is not None and self._due / GRID_HZ < time_s - EPSILON_S:
            self._sample(self._held, self._due / GRID_HZ)
            self._due = math.ceil((time_s - EPSILON_S) * GRID_HZ)

    def _sample(self, frame: VideoFrame, time_s: float) -> None:
        self._sampled += 1
        if self._chosen is None or self._due / GRID_HZ <= THUMBNAIL_TIME_S:
            self._chosen = frame
        if self._sinks:
            luma = _luma(frame)
            for sink in self._sinks:
                sink.add_frame(time_s, luma)


def _luma(frame: VideoFrame) -> npt.NDArray[np.uint8]:
    """Luma of limited range, upright; shape (height, width)."""
    if frame.format.name not in _LUMA_FIRST or frame.color_range == _FULL_RANGE:
        frame = frame.reformat(format="yuv420p", dst_color_range="MPEG")
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    luma = rows[: frame.height, : frame.width]
    turns = _quarter_turns(frame)
    return np.ascontiguousarray(np.rot90(luma, turns)) if turns else luma


def _quarter_turns(frame: VideoFrame) -> int:
    """Quarter turns counter-clockwise that make the frame upright."""
    return round(frame.rotation / 90) % 4


class _Sound:
    """Times an audio stream, and decodes it where somebody listens."""

    def __init__(
        self, stream: AudioStream, limits: MediaLimits, sinks: Sequence[SampleSink]
    ) -> None:
        self.stream, self._limits, self._sinks = stream, limits, sinks
        self.codec = stream.codec_context.codec.canonical_name
        self._resampler = av.AudioResampler("fltp", "mono", SAMPLE_RATE_HZ)
        self._start_s: float | None = None
        self._end_s = self._duration_s = 0.0

    def take(self, packet: Packet[Stream]) -> None:
        if packet.pts is not None and packet.duration is not None:
            start_s = float(packet.pts * packet.time_base)
            self._start_s = start_s if self._start_s is None else self._start_s
            self._end_s = max(self._end_s, start_s + float(packet.duration * packet.time_base))
            self._limits.check_duration(self._end_s - self._start_s)
        if self._sinks:
            for frame in self.stream.codec_context.decode(packet):
                self._feed(frame)

    def finish(self, media_type: MediaType) -> None:
        if self._start_s is None:
            raise MalformedMediaError(
                f"the {media_type.name} file holds no sound", media_type=media_type.value
            )
        self._duration_s = self._end_s - self._start_s
        declared_s = float((self.stream.duration or 0) * (self.stream.time_base or 0))
        if abs(declared_s - self._duration_s) <= DURATION_TOLERANCE_S:
            self._duration_s = declared_s
        elif declared_s > self._duration_s and media_type is MediaType.FLAC:
            raise truncated(media_type.name)  # other types only estimate
        if self._sinks:
            self._feed(None)

    def facts(self, media_type: MediaType, size_bytes: int) -> MediaFacts:
        return MediaFacts(
            media_type=media_type,
            size_bytes=size_bytes,
            width=0,
            height=0,
            duration_ms=round(self._duration_s * 1000),
            frame_count=0,
            codec=self.codec,
            audio_codec=self.codec,
        )

    def _feed(self, frame: AudioFrame | None) -> None:
        for piece in self._resampler.resample(frame):
            samples = piece.to_ndarray()[0].astype(np.float32, copy=False)
            for sink in self._sinks:
                sink.add_samples(samples)
