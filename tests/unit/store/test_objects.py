"""The folder behind the object store: durability and full disks."""

from __future__ import annotations

import os
import string
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from titledeed.durability import PARTIAL_PATTERN
from titledeed.errors import StorageError
from titledeed.store.objects import LocalObjectStore

FULL_DISK = """
import resource, sys
from pathlib import Path
from titledeed.errors import StorageError
from titledeed.store.objects import LocalObjectStore
store = LocalObjectStore(folder=Path(sys.argv[1]))
store.put("dossiers/a.json", b"first")
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    store.put("dossiers/a.json", bytes(100_000))
except StorageError as error:
    print(error.next_step)
"""

FULL_DISK_FOR_MANY = """
import resource, sys
from pathlib import Path
from titledeed.errors import StorageError
from titledeed.store.objects import LocalObjectStore
store = LocalObjectStore(folder=Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
objects = {f"dossiers/{number}": bytes(1_000) for number in range(40)}
try:
    store.put_many(objects | {"dossiers/large": bytes(100_000)})
except StorageError as error:
    print(error.next_step)
"""


def test_locate_names_the_file(tmp_path: Path) -> None:
    store = LocalObjectStore(folder=tmp_path)
    store.put("bundles/a.json", b"1")
    assert Path(store.locate("bundles/a.json")).read_bytes() == b"1"


def test_full_disk_is_a_storage_error_and_keeps_the_old_object(tmp_path: Path) -> None:
    """A limit on file size stands for the disk: chmod does not stop root."""
    child = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Free space" in child.stdout
    assert LocalObjectStore(folder=tmp_path).get("dossiers/a.json") == b"first"
    assert _files(tmp_path) == ["dossiers/a.json"]


def test_file_in_place_of_the_folder_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "objects").write_bytes(b"")
    with pytest.raises(StorageError) as caught:
        LocalObjectStore(folder=tmp_path / "objects")
    assert "objects" in caught.value.message and caught.value.next_step


def test_file_in_place_of_a_prefix_is_a_storage_error(tmp_path: Path) -> None:
    store = LocalObjectStore(folder=tmp_path)
    (tmp_path / "dossiers").write_bytes(b"")
    with pytest.raises(StorageError) as caught:
        store.put("dossiers/a.json", b"1")
    assert "\n" not in caught.value.message
    assert _files(tmp_path) == ["dossiers"]


def test_folder_where_nothing_can_be_made_is_a_storage_error() -> None:
    with pytest.raises(StorageError):
        LocalObjectStore(folder=Path("/proc/titledeed"))


def test_object_is_synced_before_it_has_its_name_and_its_folders_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalObjectStore(folder=tmp_path / "objects")
    target = tmp_path / "objects" / "dossiers" / "a.json"
    synced: list[tuple[str, bool]] = []
    fsync = os.fsync

    def watch(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append((path.relative_to(tmp_path).parts[-1], target.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    store.put("dossiers/a.json", b"1")
    (staged,) = [named for name, named in synced if fnmatch(name, PARTIAL_PATTERN)]
    assert not staged
    assert [name for name, named in synced if named] == ["dossiers", "objects"]


def test_many_objects_share_one_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalObjectStore(folder=tmp_path)
    store.put("dossiers/a", b"old")
    synced: list[Path] = []
    monkeypatch.setattr(
        os,
        "fsync",
        lambda descriptor: synced.append(Path(f"/proc/self/fd/{descriptor}").readlink()),
    )
    store.put_many({f"dossiers/{name}": name.encode() for name in string.ascii_letters})
    assert store.get("dossiers/a") == b"a"
    assert len(store.keys("dossiers")) == len(string.ascii_letters)
    assert set(synced) == {tmp_path, tmp_path / "dossiers"}


def test_full_disk_leaves_no_part_under_a_name(tmp_path: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", FULL_DISK_FOR_MANY, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Free space" in child.stdout
    assert _files(tmp_path) == []


def _files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
