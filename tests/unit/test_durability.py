"""Files appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from titledeed.durability import PRIVATE_MODE, SINGLY_MAX, replacing, write_all_durably
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


@pytest.mark.parametrize("count", [0, 1, SINGLY_MAX, SINGLY_MAX + 1])
def test_many_files_take_their_places(tmp_path: Path, count: int) -> None:
    files = {tmp_path / f"new {n % 3}" / str(n): b"%d" % n for n in range(count)}
    for path in list(files)[:2]:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"a longer old version")
    write_all_durably(files, staging=tmp_path / "staging", mode=PRIVATE_MODE)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files
    assert {path.stat().st_mode & 0o777 for path in files} <= {PRIVATE_MODE}


@pytest.mark.parametrize("count", [2, SINGLY_MAX + 1])
def test_all_contents_are_durable_before_the_first_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """Without a wait for a whole file system each file is synced."""
    names: list[list[str]] = []
    fsync = os.fsync

    def watch(descriptor: int) -> None:
        names.append(sorted(path.name for path in (tmp_path / "there").iterdir()))
        fsync(descriptor)

    (tmp_path / "there").mkdir()
    (tmp_path / "staging").mkdir()
    monkeypatch.setattr(os, "fsync", watch)
    files = {tmp_path / "there" / str(n): b"1" for n in range(count)}
    write_all_durably(files, staging=tmp_path / "staging", find_sync_all=lambda: None)
    assert names == [[]] * count + [sorted(map(str, range(count)))]


def test_disk_that_fails_to_sync_is_a_storage_error_and_names_nothing(tmp_path: Path) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    files = {tmp_path / str(n): b"1" for n in range(SINGLY_MAX + 1)}
    with pytest.raises(StorageError, match="Input/output error"):
        write_all_durably(files, staging=tmp_path / "staging", find_sync_all=lambda: fail)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
