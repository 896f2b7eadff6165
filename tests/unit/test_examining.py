"""Reading a file whole, and what its path may hide."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from titledeed.errors import UnreadableInputError
from titledeed.media.digests import digest_file


@pytest.mark.parametrize("size", [0, 1, 262_144, 1_000_003])
def test_a_file_is_digested_whole(tmp_path: Path, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    path = tmp_path / "a.bin"
    path.write_bytes(data[:size])
    assert digest_file(path) == hashlib.sha256(data[:size]).digest()


@pytest.mark.parametrize("name", ["missing", ".", "missing/inside", "a\0b", "x" * 300])
def test_what_cannot_be_read_is_told_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableInputError) as raised:
        digest_file(tmp_path / name)
    assert raised.value.next_step


def test_a_loop_of_links_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    with pytest.raises(UnreadableInputError):
        digest_file(tmp_path / "one")
