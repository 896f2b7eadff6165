"""The files of the embedded index: kept, shared between processes, cleaned and checked."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from scenes import CodeSource, draw_scene, fingerprint

from titledeed.errors import StorageError
from titledeed.matching import shelves
from titledeed.matching.embedded import EmbeddedIndex
from titledeed.matching.pictures.visual_index import CodeShelf
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.match import Query
from titledeed.models.primitives import RegistrationId

QUERIES = {name: fingerprint(draw_scene(70 + n, seconds=3)) for n, name in enumerate("abc")}


class WatchedSource(CodeSource):
    """Remembers which codes were read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[int] = []

    def iter_fingerprints(
        self, after: int
    ) -> Iterator[tuple[int, RegistrationId, FingerprintCode]]:
        for position, registration_id, code in super().iter_fingerprints(after):
            self.read.append(position)
            yield position, registration_id, code

    def register(self, *names: str) -> None:
        for name in names:
            self.add(name, QUERIES[name])


@pytest.fixture
def source() -> WatchedSource:
    source = WatchedSource()
    source.register("a", "b")
    return source


def find(index: EmbeddedIndex, name: str) -> list[str]:
    return [str(match.registration_id) for match in index.search(QUERIES[name])]


def test_reopened_index_does_not_read_the_registry_again(
    source: WatchedSource, tmp_path: Path
) -> None:
    assert find(EmbeddedIndex(source=source, folder=tmp_path), "a") == ["a"]
    assert source.read
    source.read.clear()
    reopened = EmbeddedIndex(source=source, folder=tmp_path)
    assert (find(reopened, "a"), find(reopened, "b")) == (["a"], ["b"])
    assert source.read == []


def test_what_another_process_wrote_is_seen_and_not_read_again(
    source: WatchedSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "COMMIT_BYTES", 0)
    one, other = (EmbeddedIndex(source=source, folder=tmp_path) for _ in range(2))
    assert find(one, "a") == ["a"]
    source.register("c")
    assert find(other, "c") == ["c"]
    source.read.clear()
    assert find(one, "c") == ["c"]
    assert source.read == []


def test_little_is_read_by_each_process_and_written_with_more(
    source: WatchedSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (EmbeddedIndex(source=source, folder=tmp_path) for _ in range(2))
    assert find(one, "a") == ["a"]
    source.register("c")
    mark = CodeShelf(tmp_path / "codes").mark
    assert (find(one, "c"), find(other, "c")) == (["c"], ["c"])
    assert CodeShelf(tmp_path / "codes").mark == mark
    monkeypatch.setattr(shelves, "COMMIT_BYTES", 1)
    assert find(other, "c") == ["c"]
    assert CodeShelf(tmp_path / "codes").mark > mark
    source.read.clear()
    assert (find(one, "c"), find(one, "a")) == (["c"], ["a"])
    assert source.read == []


def test_much_is_written_while_it_is_read(
    source: WatchedSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "READ_BYTES_MAX", 1)
    index = EmbeddedIndex(source=source, folder=tmp_path)
    assert (find(index, "a"), find(index, "b")) == (["a"], ["b"])
    assert CodeShelf(tmp_path / "codes").mark == max(source.read)


def test_erased_work_leaves_the_files_once_the_other_process_has_written(
    source: WatchedSource, tmp_path: Path
) -> None:
    index = EmbeddedIndex(source=source, folder=tmp_path)
    assert find(index, "b") == ["b"]
    rows = len(CodeShelf(tmp_path / "codes"))
    source.erase("b")
    with FileLock(tmp_path / "writer.lock"):
        assert find(index, "b") == []
    assert len(CodeShelf(tmp_path / "codes")) == rows
    assert find(index, "b") == []
    assert 0 < len(CodeShelf(tmp_path / "codes")) < rows


def test_while_another_process_writes_searches_go_on_and_write_later(
    source: WatchedSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "COMMIT_BYTES", 0)
    index = EmbeddedIndex(source=source, folder=tmp_path)
    with FileLock(tmp_path / "writer.lock"):
        assert find(index, "a") == ["a"]
        assert not (tmp_path / "codes" / "manifest.json").exists()
    source.register("c")
    assert find(index, "c") == ["c"]
    source.read.clear()
    assert find(EmbeddedIndex(source=source, folder=tmp_path), "b") == ["b"]
    assert source.read == []


def test_erased_work_is_removed_from_the_files(source: WatchedSource, tmp_path: Path) -> None:
    index = EmbeddedIndex(source=source, folder=tmp_path)
    assert find(index, "b") == ["b"]
    rows = len(CodeShelf(tmp_path / "codes"))
    source.erase("b")
    assert find(index, "b") == []
    shelf = CodeShelf(tmp_path / "codes")
    assert shelf.list_owners() <= set(range(1, len(QUERIES["a"].codes) + 1))
    assert 0 < len(shelf) < rows
    assert len(list((tmp_path / "codes").glob("*.codes"))) == 1


def test_work_erased_while_the_index_was_closed_is_found_no_more(
    source: WatchedSource, tmp_path: Path
) -> None:
    assert find(EmbeddedIndex(source=source, folder=tmp_path), "b") == ["b"]
    source.erase("b")
    reopened = EmbeddedIndex(source=source, folder=tmp_path)
    assert (find(reopened, "b"), find(reopened, "a")) == ([], ["a"])


def test_reopened_index_compares_nothing_when_nothing_was_erased(
    source: WatchedSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find(EmbeddedIndex(source=source, folder=tmp_path), "a")
    compared: list[Collection[int]] = []
    monkeypatch.setattr(source, "find_present", compared.append)
    assert find(EmbeddedIndex(source=source, folder=tmp_path), "a") == ["a"]
    assert compared == []


@pytest.mark.parametrize("table", ["codes", "descriptors", "sound"])
def test_damaged_file_is_told_with_what_to_do(
    source: WatchedSource, tmp_path: Path, table: str
) -> None:
    find(EmbeddedIndex(source=source, folder=tmp_path), "a")
    (tmp_path / table / "manifest.json").write_bytes(b"{")
    with pytest.raises(StorageError) as caught:
        EmbeddedIndex(source=source, folder=tmp_path)
    assert table in str(caught.value)
    assert "Delete the folder" in caught.value.next_step


def test_deleted_table_fills_itself_again(source: WatchedSource, tmp_path: Path) -> None:
    find(EmbeddedIndex(source=source, folder=tmp_path), "a")
    for file in (tmp_path / "codes").iterdir():
        file.unlink()
    assert find(EmbeddedIndex(source=source, folder=tmp_path), "b") == ["b"]


def test_without_a_folder_nothing_is_written(
    source: WatchedSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert find(EmbeddedIndex(source=source), "a") == ["a"]
    assert list(tmp_path.iterdir()) == []


def test_query_of_nothing_still_brings_the_files_up_to_date(
    source: WatchedSource, tmp_path: Path
) -> None:
    assert EmbeddedIndex(source=source, folder=tmp_path).search(Query((), 1.0)) == []
    assert CodeShelf(tmp_path / "codes").mark == max(source.read)
