"""Tells a file's media type by its first bytes, never by its name."""

from __future__ import annotations

import re

from titledeed.errors import MalformedMediaError, UnsupportedMediaTypeError
from titledeed.models.asset import MediaType

HEAD_BYTES = 4_096
"""How much of a file ``sniff`` wants to see."""

_STARTS = (
    (b"\xff\xd8\xff", MediaType.JPEG),
    (b"\x89PNG\r\n\x1a\n", MediaType.PNG),
    (b"GIF87a", MediaType.GIF),
    (b"GIF89a", MediaType.GIF),
    (b"fLaC", MediaType.FLAC),
    (b"OggS\x00", MediaType.OGG),
)
_RIFF_FORMS = {b"WEBP": MediaType.WEBP, b"WAVE": MediaType.WAV}
_QUICKTIME_BOXES = frozenset({b"moov", b"mdat", b"wide", b"free"})
"""With which a QuickTime file older than ``ftyp`` begins."""
_FOREIGN_BRANDS = re.compile(rb"hei|hev|mif|msf|avi|jp|crx|M4A|M4B|M4P")
"""Major brands (mp4ra.org) of still pictures and of sound in a container like MP4's."""
_DOC_TYPE = re.compile(rb"\x42\x82([\x81-\x8f])")
"""The EBML element DocType (RFC 8794 11.2.7) and its one-byte length."""
_DOC_TYPES = {b"webm": MediaType.WEBM, b"matroska": MediaType.MKV}
_ID3 = re.compile(rb"ID3[\x02-\x04][^\xff].[\x00-\x7f]{4}", re.DOTALL)


def sniff(head: bytes) -> MediaType:
    """Media type of the file that begins with ``head`` (``HEAD_BYTES`` or the whole file).

    Raises:
        MalformedMediaError: the file is empty.
        UnsupportedMediaTypeError: it is none of the types that are read.
    """
    if not head:
        raise MalformedMediaError("the file is empty", next_step="Export it again.")
    found = _by_start(head) or _in_riff(head) or _in_boxes(head) or _in_ebml(head) or _mp3(head)
    if found is None:
        raise UnsupportedMediaTypeError(
            "its content is of no media type that is read, whatever its name says",
            next_step="Convert it to one of: "
            + ", ".join(
                kind.name.replace("WEBP", "WebP").replace("WEBM", "WebM") for kind in MediaType
            )
            + ".",
        )
    return found


def _by_start(head: bytes) -> MediaType | None:
    return next((kind for start, kind in _STARTS if head.startswith(start)), None)


def _in_riff(head: bytes) -> MediaType | None:
    return _RIFF_FORMS.get(head[8:12]) if head.startswith(b"RIFF") else None


def _in_boxes(head: bytes) -> MediaType | None:
    kind, brand = head[4:8], head[8:12]
    if kind == b"ftyp" and len(brand) == 4 and not _FOREIGN_BRANDS.match(brand):
        return MediaType.MOV if brand == b"qt  " else MediaType.MP4
    return MediaType.MOV if kind in _QUICKTIME_BOXES else None


def _in_ebml(head: bytes) -> MediaType | None:
    found = _DOC_TYPE.search(head) if head.startswith(b"\x1a\x45\xdf\xa3") else None
    if found is None:
        return None
    return _DOC_TYPES.get(head[found.end() :][: found[1][0] & 0x7F].rstrip(b"\0"))


def _mp3(head: bytes) -> MediaType | None:
    if _ID3.match(head):
        return MediaType.MP3
    length = _mp3_frame_length(head)
    # One sync word is 11 bits, which chance gives often; two frames in a row it does not.
    if length and _mp3_frame_length(head[length:]):
        return MediaType.MP3
    return None


_KBITS_V1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_KBITS_V2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def _mp3_frame_length(data: bytes) -> int:
    """Bytes of the MPEG audio layer III frame at the start (ISO 11172-3, 2.4.1.3); 0: none."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE6 != 0xE2:
        return 0
    version, rate_index = data[1] >> 3 & 3, data[2] >> 2 & 3
    kbits = (_KBITS_V1 if version == 3 else _KBITS_V2)[data[2] >> 4]
    if version == 1 or rate_index == 3 or not kbits:
        return 0
    samples_by_8 = 144 if version == 3 else 72
    return samples_by_8 * kbits * 1000 // _RATES_HZ[version][rate_index] + (data[2] >> 1 & 1)
