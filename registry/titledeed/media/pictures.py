"""Decodes still pictures with Pillow, and the first frame of animated ones.

Luma is full range, 0 to 255, of the picture as it is shown: turned as EXIF says, and laid on white
where it is transparent.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from PIL import GifImagePlugin, Image, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from titledeed.errors import MalformedMediaError, MediaTooLargeError
from titledeed.media.containers import check_png, time_gif, time_webp
from titledeed.media.limits import MediaLimits
from titledeed.models.asset import MediaFacts, MediaType
from titledeed.ports import FrameSink

THUMBNAIL_WIDTH = 320
THUMBNAIL_HEIGHT_MAX = 640
THUMBNAIL_QUALITY = 80

# Pillow imports its plug-ins when they are first needed, which would be anew in every child.
Image.preinit()
_DECODERS = {
    MediaType.JPEG: JpegImagePlugin.JpegImageFile,
    MediaType.PNG: PngImagePlugin.PngImageFile,
    MediaType.WEBP: WebPImagePlugin.WebPImageFile,
    MediaType.GIF: GifImagePlugin.GifImageFile,
}
_CODECS = {
    MediaType.JPEG: "mjpeg",
    MediaType.PNG: "png",
    MediaType.WEBP: "webp",
    MediaType.GIF: "gif",
}
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
)
"""All that Pillow's decoders let through on broken input."""


def decode_picture(
    file: BinaryIO,
    media_type: MediaType,
    size_bytes: int,
    *,
    limits: MediaLimits,
    frame_sinks: Sequence[FrameSink],
) -> tuple[MediaFacts, bytes]:
    """Feed the picture to the sinks; return its facts and thumbnail.

    Raises:
        MalformedMediaError: truncated or broken.
        MediaTooLargeError: more pixels than allowed; found before they are decoded.
    """
    frames, duration_ms = 1, 0
    match media_type:
        case MediaType.GIF:
            frames, duration_ms = time_gif(file)
        case MediaType.WEBP:
            frames, duration_ms = time_webp(file, size_bytes)
        case MediaType.PNG:
            check_png(file, size_bytes)
        case _:
            pass  # a JPEG file states no length; its decoder misses what is missing
    limits.check_duration(duration_ms / 1000)
    shown = _load(file, media_type, limits)
    luma = np.asarray(shown.convert("L"))
    for sink in frame_sinks:
        sink.add_frame(0.0, luma)
    facts = MediaFacts(
        media_type=media_type,
        size_bytes=size_bytes,
        width=shown.width,
        height=shown.height,
        duration_ms=duration_ms,
        frame_count=frames,
        codec=_CODECS[media_type],
        audio_codec="",
    )
    return facts, encode_thumbnail(shown)


def encode_thumbnail(picture: Image.Image) -> bytes:
    """JPEG of at most ``THUMBNAIL_WIDTH`` by ``THUMBNAIL_HEIGHT_MAX`` pixels, without metadata."""
    small = picture.convert("RGB")
    small.thumbnail((THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT_MAX))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=THUMBNAIL_QUALITY)
    return out.getvalue()


def _load(file: BinaryIO, media_type: MediaType, limits: MediaLimits) -> Image.Image:
    file.seek(0)
    with warnings.catch_warnings():
        # Ours is the limit; what Pillow refuses outright beyond it stays refused.
        warnings.simplefilter("ignore")
        try:
            with Image.open(file, formats=[str(_DECODERS[media_type].format)]) as picture:
                limits.check_picture(*picture.size)
                return _flatten(ImageOps.exif_transpose(picture))
        except Image.DecompressionBombError as error:
            raise MediaTooLargeError(
                "the picture has too many pixels",
                next_step="Scale the picture down.",
                setting="media.pixels_max",
            ) from error
        except _DECODER_ERRORS as error:
            raise MalformedMediaError(
                f"the {media_type.name} picture is truncated or broken",
                next_step="Export the picture again.",
                media_type=media_type.value,
            ) from error


def _flatten(picture: Image.Image) -> Image.Image:
    """RGB or L; 16-bit greys keep their upper byte, transparency shows white."""
    if picture.mode.startswith("I"):
        greys = np.asarray(picture).astype(np.int64)
        return Image.fromarray((greys >> 8).clip(0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")
    return picture.convert("L" if picture.mode in {"L", "1"} else "RGB")
