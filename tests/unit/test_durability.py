"""Files appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from titledeed.durability import PRIVATE_MODE, replacing
from titledeed.errors import StorageError


def test_file_takes_its_place_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with replacing(target, mode=PRIVATE_MODE) as file:
        file.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == PRIVATE_MODE
    assert list(tmp_path.iterdir()) == [target]


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with pytest.raises(TypeError), replacing(target) as file:
        file.writelines([b"new", None])  # type: ignore[list-item]  # fails half-way
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    with replacing(tmp_path / "new" / "file") as file:
        file.write(b"here")
    assert (tmp_path / "new" / "file").read_bytes() == b"here"


def test_a_file_in_place_of_the_folder_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "no").touch()
    with pytest.raises(StorageError, match="cannot be written"), replacing(tmp_path / "no" / "f"):
        pytest.fail("the block must not run")


def test_operating_system_error_of_the_block_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No space left"), replacing(tmp_path / "file"):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())
