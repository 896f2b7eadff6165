"""What every ``Examiner`` promises."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from credential_builders import render_media
from media_factory import LIMITS
from simulation.simulated_media import ExaminerSimulator, write_media

from titledeed.errors import (
    InputError,
    MalformedMediaError,
    UnreadableInputError,
    UnsupportedMediaTypeError,
)
from titledeed.examining import SandboxedExaminer
from titledeed.media.digests import digest_file
from titledeed.models.asset import MediaKind, MediaType
from titledeed.ports import Examiner
from titledeed.sandbox import Sandbox, SandboxLimits


@dataclass(frozen=True)
class Adapter:
    """An examiner, and how to make a file that it reads."""

    examiner: Examiner
    render: Callable[[Path, MediaType], Path]


def _sandboxed() -> Adapter:
    limits = SandboxLimits(timeout_s=60, memory_bytes_max=512 << 20)
    return Adapter(SandboxedExaminer(sandbox=Sandbox(limits=limits), limits=LIMITS), render_media)


def _simulated() -> Adapter:
    return Adapter(
        ExaminerSimulator(),
        lambda folder, kind: write_media(folder / f"source.{kind.extension}", 1, kind),
    )


@pytest.fixture(scope="module", params=[_sandboxed, _simulated])
def adapter(request: pytest.FixtureRequest) -> Adapter:
    build: Callable[[], Adapter] = request.param
    return build()


@pytest.mark.parametrize("media_type", [MediaType.PNG, MediaType.MP4, MediaType.WAV])
def test_a_file_is_what_its_bytes_show(
    adapter: Adapter, tmp_path: Path, media_type: MediaType
) -> None:
    path = adapter.render(tmp_path, media_type).rename(tmp_path / "no hint")
    found = adapter.examiner.examine(path)
    facts = found.asset.facts
    assert found.asset.content_digest == digest_file(path)
    assert (found.media_type, facts.size_bytes) == (media_type, path.stat().st_size)
    assert (facts.duration_ms == 0) is (media_type.kind is MediaKind.IMAGE)
    assert (facts.width == 0) is (media_type.kind is MediaKind.AUDIO)
    assert bool(found.thumbnail) is (media_type.kind is not MediaKind.AUDIO)
    assert found.query.codes == found.fingerprints


def test_the_same_bytes_are_found_the_same(adapter: Adapter, tmp_path: Path) -> None:
    path = adapter.render(tmp_path, MediaType.PNG)
    assert adapter.examiner.examine(path) == adapter.examiner.examine(path)


def test_it_leaves_the_file_alone(adapter: Adapter, tmp_path: Path) -> None:
    path = adapter.render(tmp_path, MediaType.JPEG)
    before = path.read_bytes()
    adapter.examiner.examine(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_progress_is_told_by_the_name_of_the_file(adapter: Adapter, tmp_path: Path) -> None:
    path = adapter.render(tmp_path, MediaType.MP4)
    told: list[tuple[str, float]] = []
    adapter.examiner.examine(path, lambda label, fraction: told.append((label, fraction)))
    assert {label for label, _ in told} <= {path.name}
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert all(0 <= fraction <= 1 for fraction in fractions)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (None, UnreadableInputError),
        (b"", MalformedMediaError),
        (b"no medium at all, but enough bytes to tell\n" * 4, UnsupportedMediaTypeError),
    ],
    ids=["missing", "empty", "text"],
)
def test_what_is_no_medium_is_refused(
    adapter: Adapter, tmp_path: Path, content: bytes | None, error: type[InputError]
) -> None:
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error):
        adapter.examiner.examine(path)


def test_half_a_file_is_malformed(adapter: Adapter, tmp_path: Path) -> None:
    path = adapter.render(tmp_path, MediaType.PNG)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(MalformedMediaError):
        adapter.examiner.examine(path)


def test_threads_share_one(adapter: Adapter, tmp_path: Path) -> None:
    path = adapter.render(tmp_path, MediaType.PNG)
    alone = adapter.examiner.examine(path)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(adapter.examiner.examine, [path] * 4)) == {alone}
