from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from code_rows import draw_codes

from titledeed.durability import PARTIAL_PATTERN
from titledeed.errors import StorageError
from titledeed.matching.tables import segment_folder
from titledeed.matching.tables.code_table import CodeTable

CODES = draw_codes(1, 100)


def open_index(folder: Path) -> CodeTable:
    return CodeTable(folder, code_bytes=32, bit_order=range(256))


def fill(folder: Path, *, owner: int = 1) -> CodeTable:
    index = open_index(folder)
    index.append(owner, np.arange(100), np.zeros(100, np.int64), CODES)
    return index


@pytest.mark.parametrize(
    "damage",
    [b"", b"[]", b"{", b'{"layout": 2}', b'{"mark": 1}'],
)
def test_a_damaged_manifest_is_told(tmp_path: Path, damage: bytes) -> None:
    fill(tmp_path).commit(1)
    (tmp_path / "manifest.json").write_bytes(damage)
    with pytest.raises(StorageError):
        open_index(tmp_path)


@pytest.mark.parametrize(
    "other",
    [
        b'{"layout": 1, "content": "codes", "mark": 1, "segments": []}',
        b'{"layout": 2, "content": "other", "mark": 1, "erased": 0, "segments": []}',
    ],
)
def test_what_another_release_wrote_counts_as_nothing_and_is_replaced(
    tmp_path: Path, other: bytes
) -> None:
    fill(tmp_path).commit(1)
    (tmp_path / "manifest.json").write_bytes(other)
    index = open_index(tmp_path)
    assert (len(index), index.mark, index.erased) == (0, 0, None)
    fill(tmp_path, owner=2).commit(2, erased=0)
    assert open_index(tmp_path).list_owners() == {2}
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "entry", ["../x.segment", ["../x.segment", []], ["0" * 16 + ".segment", 1]]
)
def test_an_entry_that_names_no_segment_is_told(tmp_path: Path, entry: object) -> None:
    fill(tmp_path).commit(1)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_bytes()) | {"segments": [entry]}))
    with pytest.raises(StorageError):
        open_index(tmp_path)


@pytest.mark.parametrize("size", [0, 1, 31, 32, 4096, -1])
def test_a_segment_cut_short_or_overlong_is_told(tmp_path: Path, size: int) -> None:
    fill(tmp_path).commit(1)
    (segment,) = tmp_path.glob("*.segment")
    whole = segment.read_bytes()
    segment.write_bytes(whole[:size] if size >= 0 else whole + b"\0")
    with pytest.raises(StorageError):
        open_index(tmp_path)


@pytest.mark.parametrize("position", [0, 8, 16, 24])
def test_a_changed_header_is_told(tmp_path: Path, position: int) -> None:
    fill(tmp_path).commit(1)
    (segment,) = tmp_path.glob("*.segment")
    data = bytearray(segment.read_bytes())
    data[position] ^= 1
    segment.write_bytes(data)
    with pytest.raises(StorageError):
        open_index(tmp_path)


def test_a_missing_segment_is_told(tmp_path: Path) -> None:
    fill(tmp_path).commit(1)
    (segment,) = tmp_path.glob("*.segment")
    segment.unlink()
    with pytest.raises(StorageError):
        open_index(tmp_path)


@pytest.mark.parametrize("moment", ["write_durably", "_sync"])
def test_a_process_killed_while_committing_leaves_the_state_before(
    tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, owner=1).commit(1)
    child = os.fork()
    if child == 0:

        def die(*_: object, **__: object) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        monkeypatch.setattr(segment_folder, moment, die)
        fill(tmp_path, owner=2).commit(2)
        os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    (tmp_path / PARTIAL_PATTERN.replace("*", "left")).touch()
    assert len(list(tmp_path.glob("*.segment"))) == 2
    index = open_index(tmp_path)
    assert index.view().search(CODES[:1], radius=0, limit=9).owner.tolist() == [1]
    index.commit(3)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_disk_that_refuses_leaves_the_state_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = fill(tmp_path, owner=1)
    index.commit(1)
    index.append(2, np.arange(100), np.zeros(100, np.int64), CODES)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", refuse)
        with pytest.raises(StorageError, match="No space left"):
            index.commit(2)
    assert len(list(tmp_path.iterdir())) == 2
    assert index.view().search(CODES[:1], radius=0, limit=9).owner.tolist() == [1, 2]
    index.commit(2)
    assert open_index(tmp_path).view().search(CODES[:1], radius=0, limit=9).owner.tolist() == [1, 2]
