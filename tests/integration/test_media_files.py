from __future__ import annotations

from pathlib import Path

import media_factory
import pytest

from titledeed.errors import MalformedMediaError, MediaTooLargeError, UnsupportedMediaTypeError
from titledeed.models.asset import MediaKind, MediaType
from titledeed.sandbox import Sandbox, SandboxLimits

DECODE = "sandbox_jobs:decode_media"
KINDS = {"images": MediaKind.IMAGE, "audio": MediaKind.AUDIO, "video": MediaKind.VIDEO}
PARTS = 4
"""Each its own test, so that several workers share them."""


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(limits=SandboxLimits(timeout_s=60, memory_bytes_max=2 << 30))


@pytest.mark.media
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("folder", KINDS)
def test_every_real_file_decodes_in_the_sandbox(
    sandbox: Sandbox, shared: Path, folder: str, part: int
) -> None:
    files = sorted((shared / "media" / folder).iterdir())[part::PARTS]
    assert files
    for path in files:
        facts = sandbox.run(DECODE, path, {})
        media_type = MediaType(facts.text("media_type"))
        kind = MediaKind.IMAGE if path.suffix == ".gif" else KINDS[folder]
        assert media_type.kind is kind, path.name
        if kind is MediaKind.AUDIO:
            seconds = facts.integer("duration_ms", minimum=1) / 1000
            assert facts.integer("samples") / 16_000 == pytest.approx(seconds, abs=0.1), path.name
        else:
            assert facts.integer("frames", minimum=1)
            assert facts.integer("thumbnail_bytes", minimum=500), path.name
        if kind is MediaKind.VIDEO:
            # On the grid of four a second, unless the clip itself has fewer.
            grid = facts.integer("duration_ms") / 250
            assert facts.integer("frame_count") >= grid - 1, path.name


def test_picture_bomb_meets_the_memory_limit(tmp_path: Path) -> None:
    """Within the pixel limit, and still more than the child may have."""
    path = media_factory.render_huge_png(tmp_path / "bomb.png", width=10_000, height=10_000)
    small = Sandbox(limits=SandboxLimits(timeout_s=60, memory_bytes_max=64 << 20))
    with pytest.raises(MediaTooLargeError, match="64 MiB of memory"):
        small.run(DECODE, path, {})


def test_enormous_picture_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    path = media_factory.render_huge_png(tmp_path / "huge.png")
    with pytest.raises(MediaTooLargeError, match=r"^huge\.png: "):
        sandbox.run(DECODE, path, {})


def test_empty_truncated_and_misnamed_files_are_named(sandbox: Sandbox, tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.mp4", tmp_path / "text.mp4"
    empty.touch()
    text.write_text("text")
    cut = media_factory.render_clip(tmp_path / "cut.mp4", seconds=1, seed=1)
    media_factory.truncate(cut, share=0.5)
    with pytest.raises(MalformedMediaError, match=r"^empty\.mp4: the file is empty"):
        sandbox.run(DECODE, empty, {})
    with pytest.raises(UnsupportedMediaTypeError, match=r"^text\.mp4: "):
        sandbox.run(DECODE, text, {})
    with pytest.raises(MalformedMediaError, match=r"^cut\.mp4: the MP4 file is truncated"):
        sandbox.run(DECODE, cut, {})


def test_thumbnail_and_frames_come_from_one_child(sandbox: Sandbox, tmp_path: Path) -> None:
    path = media_factory.render_clip(tmp_path / "clip.mp4", seconds=2, seed=1, audio=True)
    told: list[float] = []
    facts = sandbox.run(DECODE, path, {}, progress=lambda label, fraction: told.append(fraction))
    assert (facts.integer("frames"), facts.integer("frame_count")) == (8, 48)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 3
