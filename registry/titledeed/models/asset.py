"""What a file is: its media type and its technical facts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from titledeed.models.primitives import Sha256


class MediaKind(StrEnum):
    """The three kinds of media."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


class MediaType(StrEnum):
    """The media types that Titledeed reads, by their IANA names."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    GIF = "image/gif"
    MP4 = "video/mp4"
    MOV = "video/quicktime"
    WEBM = "video/webm"
    MKV = "video/x-matroska"
    WAV = "audio/wav"
    MP3 = "audio/mpeg"
    FLAC = "audio/flac"
    OGG = "audio/ogg"

    @property
    def kind(self) -> MediaKind:
        """Image, video or audio. An animated GIF or WebP counts as an image here."""
        return MediaKind(self.value.partition("/")[0])

    @property
    def extension(self) -> str:
        """The usual file name ending, without a dot."""
        return _EXTENSIONS[self]

    @property
    def carries_credentials(self) -> bool:
        """Whether we sign C2PA manifests into files of this type."""
        return self in _SIGNED


_EXTENSIONS = {
    MediaType.JPEG: "jpg",
    MediaType.PNG: "png",
    MediaType.WEBP: "webp",
    MediaType.GIF: "gif",
    MediaType.MP4: "mp4",
    MediaType.MOV: "mov",
    MediaType.WEBM: "webm",
    MediaType.MKV: "mkv",
    MediaType.WAV: "wav",
    MediaType.MP3: "mp3",
    MediaType.FLAC: "flac",
    MediaType.OGG: "ogg",
}

_SIGNED = frozenset(
    {
        MediaType.JPEG,
        MediaType.PNG,
        MediaType.WEBP,
        MediaType.WAV,
        MediaType.MP3,
        MediaType.MP4,
        MediaType.MOV,
    }
)


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """Technical facts of one file. Integers only, so that they encode canonically.

    Attributes:
        media_type: of ``MediaType``, or another that a later release registered.
        size_bytes: length of the file.
        width: of the first picture or video stream, pixels, as shown (rotation applied); 0 for
            sound.
        height: as width.
        duration_ms: 0 for a still picture.
        frame_count: frames decoded; 1 for a still picture, 0 for sound.
        codec: FFmpeg's name of the main stream's codec.
        audio_codec: empty when there is no sound.
    """

    media_type: str
    size_bytes: int
    width: int
    height: int
    duration_ms: int
    frame_count: int
    codec: str
    audio_codec: str


@dataclass(frozen=True, slots=True)
class Asset:
    """A file's identity: the digest of its bytes and what they decode to."""

    content_digest: Sha256
    facts: MediaFacts
