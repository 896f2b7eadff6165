from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import media_factory
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from titledeed.errors import InputError, MalformedMediaError, UnsupportedMediaTypeError
from titledeed.media.sniffing import sniff
from titledeed.models.asset import MediaKind, MediaType
from titledeed.sandbox import Sandbox, SandboxLimits

SANDBOX = Sandbox(limits=SandboxLimits(timeout_s=30, memory_bytes_max=1 << 30))


@cache
def _sound_bytes(media_type: MediaType) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"file.{media_type.extension}"
        match media_type.kind:
            case MediaKind.IMAGE:
                media_factory.render_picture(path, seed=1, size=(48, 32))
            case MediaKind.VIDEO:
                media_factory.render_clip(path, seconds=0.5, seed=1, size=(48, 32), audio=True)
            case MediaKind.AUDIO:
                media_factory.render_sound(path, seconds=0.3, seed=1)
        return path.read_bytes()


@given(st.binary(min_size=1, max_size=200))
def test_sniffing_knows_or_refuses(head: bytes) -> None:
    with suppress(UnsupportedMediaTypeError):
        assert sniff(head) in MediaType


@given(st.text(min_size=1))
def test_text_is_no_media(text: str) -> None:
    with pytest.raises(UnsupportedMediaTypeError):
        sniff(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=15, deadline=None)
@pytest.mark.parametrize("media_type", MediaType)
@given(data=st.data())
def test_damaged_media_decode_or_are_refused(media_type: MediaType, data: st.DataObject) -> None:
    """Whatever a decoder does with broken bytes, only errors of the input come out."""
    content = bytearray(_sound_bytes(media_type))
    places = st.integers(0, len(content) - 1)
    for place, value in data.draw(
        st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=12)
    ):
        content[place] = value
    with TemporaryDirectory() as folder:
        path = Path(folder) / "damaged"
        path.write_bytes(content)
        with suppress(InputError):
            assert SANDBOX.run("sandbox_jobs:decode_media", path, {}).text("media_type")


@settings(max_examples=15, deadline=None)
@pytest.mark.parametrize("media_type", [MediaType.MP4, MediaType.MOV, MediaType.PNG, MediaType.GIF])
@given(data=st.data())
def test_no_beginning_of_a_file_passes_for_the_file(
    media_type: MediaType, data: st.DataObject
) -> None:
    content = _sound_bytes(media_type)
    length = data.draw(st.integers(1, len(content) - 1))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cut"
        path.write_bytes(content[:length])
        with pytest.raises((MalformedMediaError, UnsupportedMediaTypeError)):
            SANDBOX.run("sandbox_jobs:decode_media", path, {})
