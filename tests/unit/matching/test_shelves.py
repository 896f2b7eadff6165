"""The files of the embedded index: kept, shared between processes, cleaned and checked."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from threading import Timer

import pytest
from filelock import FileLock
from scenes import CodeSource, draw_scene, fingerprint

from titledeed.errors import StorageError
from titledeed.fingerprinting.algorithms import list_families
from titledeed.matching.embedded import EmbeddedIndex
from titledeed.matching.pictures.codes import PICTURE_KINDS
from titledeed.matching.pictures.visual_tables import CodeShelf
from titledeed.matching.shelves import COMMIT_BYTES, keep_tables
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.primitives import RegistrationId

QUERIES = {name: fingerprint(draw_scene(70 + n, seconds=3)) for n, name in enumerate("abc")}


class WatchedSource(CodeSource):
    """Remembers which codes were read, and what was compared."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[int] = []
        self.compared: list[Collection[int]] = []

    def find_present(self, positions: Collection[int]) -> set[int]:
        self.compared.append(positions)
        return super().find_present(positions)

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


def keep(source: WatchedSource, folder: Path, *, commit_bytes: int = COMMIT_BYTES) -> None:
    EmbeddedIndex(source=source, folder=folder, commit_bytes=commit_bytes).keep()
    source.read.clear()


def open_codes(folder: Path) -> CodeShelf:
    (family,) = list_families(PICTURE_KINDS)
    return CodeShelf(folder / "visual-codes", family)


def test_reopened_index_does_not_read_the_registry_again(
    source: WatchedSource, tmp_path: Path
) -> None:
    keep(source, tmp_path)
    reopened = EmbeddedIndex(source=source, folder=tmp_path)
    assert (find(reopened, "a"), find(reopened, "b")) == (["a"], ["b"])
    assert source.read == []


def test_a_search_writes_nothing(source: WatchedSource, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    index = EmbeddedIndex(source=source, folder=folder)
    assert find(index, "a") == ["a"]
    source.erase("a")
    assert find(index, "a") == []
    assert not folder.exists()


def test_a_search_of_a_folder_that_cannot_be_written_sees_news_and_erasures(
    source: WatchedSource, tmp_path: Path
) -> None:
    keep(source, tmp_path)
    before = {path: path.stat() for path in tmp_path.rglob("*")}
    source.register("c")
    source.erase("b")
    for path in before:
        path.chmod(0o500 if path.is_dir() else 0o400)
    tmp_path.chmod(0o500)
    try:
        index = EmbeddedIndex(source=source, folder=tmp_path)
        assert [find(index, name) for name in "abc"] == [["a"], [], ["c"]]
        after = {path: path.stat() for path in tmp_path.rglob("*")}
        assert {path: stat.st_mtime_ns for path, stat in after.items()} == {
            path: stat.st_mtime_ns for path, stat in before.items()
        }
    finally:
        for path in (tmp_path, *before):
            path.chmod(0o700)


def test_what_is_new_is_read_once_by_a_process_that_only_searches(
    source: WatchedSource, tmp_path: Path
) -> None:
    index = EmbeddedIndex(source=source, folder=tmp_path)
    find(index, "a")
    first = list(source.read)
    source.register("c")
    assert find(index, "c") == ["c"]
    assert find(index, "a") == ["a"]
    assert source.read == sorted(set(source.read))
    assert set(first) < set(source.read)


def test_what_another_process_kept_is_seen_and_not_read_again(
    source: WatchedSource, tmp_path: Path
) -> None:
    index = EmbeddedIndex(source=source, folder=tmp_path)
    assert find(index, "a") == ["a"]
    source.register("c")
    keep(source, tmp_path, commit_bytes=0)
    assert (find(index, "c"), find(index, "a")) == (["c"], ["a"])
    assert source.read == []


def test_little_waits_until_there_is_more(source: WatchedSource, tmp_path: Path) -> None:
    keep(source, tmp_path)
    mark = open_codes(tmp_path).mark
    source.register("c")
    keep(source, tmp_path)
    assert open_codes(tmp_path).mark == mark
    keep(source, tmp_path, commit_bytes=1)
    assert open_codes(tmp_path).mark > mark


def test_much_is_written_while_it_is_read(tmp_path: Path) -> None:
    written: list[int] = []

    class Source(WatchedSource):
        def iter_fingerprints(
            self, after: int
        ) -> Iterator[tuple[int, RegistrationId, FingerprintCode]]:
            written.append(open_codes(tmp_path).mark)
            return super().iter_fingerprints(after)

    source = Source()
    source.register("a", "b")
    keep_tables(source=source, folder=tmp_path, read_bytes_max=1)
    assert len(written) > 4
    assert written == sorted(set(written))
    assert open_codes(tmp_path).mark == max(source.read)
    index = EmbeddedIndex(source=source, folder=tmp_path)
    assert (find(index, "a"), find(index, "b")) == (["a"], ["b"])


def test_while_another_process_writes_keeping_is_left_to_it(
    source: WatchedSource, tmp_path: Path
) -> None:
    index = EmbeddedIndex(source=source, folder=tmp_path)
    with FileLock(tmp_path / "writer.lock"):
        index.keep()
        assert find(index, "a") == ["a"]
    assert not (tmp_path / "visual-codes").exists()
    index.keep()
    assert open_codes(tmp_path).mark == max(source.read)


def test_an_erasure_waits_for_another_process_that_writes(
    source: WatchedSource, tmp_path: Path
) -> None:
    keep(source, tmp_path)
    source.erase("b")
    lock = FileLock(tmp_path / "writer.lock", thread_local=False)
    lock.acquire()
    release = Timer(0.2, lock.release)
    release.start()
    keep_tables(source=source, folder=tmp_path, patience_s=30)
    release.join()
    assert open_codes(tmp_path).list_owners() <= set(range(1, len(QUERIES["a"].codes) + 1))


def test_erased_work_leaves_the_files(source: WatchedSource, tmp_path: Path) -> None:
    index = EmbeddedIndex(source=source, folder=tmp_path)
    index.keep()
    assert find(index, "b") == ["b"]
    rows = len(open_codes(tmp_path))
    source.erase("b")
    assert find(index, "b") == []
    assert len(open_codes(tmp_path)) == rows
    index.keep()
    shelf = open_codes(tmp_path)
    assert shelf.list_owners() <= set(range(1, len(QUERIES["a"].codes) + 1))
    assert 0 < len(shelf) < rows
    assert len(list((tmp_path / "visual-codes").glob("*.segment"))) == 1


def test_work_erased_while_the_index_was_closed_is_found_no_more(
    source: WatchedSource, tmp_path: Path
) -> None:
    keep(source, tmp_path)
    source.erase("b")
    reopened = EmbeddedIndex(source=source, folder=tmp_path)
    assert (find(reopened, "b"), find(reopened, "a")) == ([], ["a"])


def test_reopened_index_compares_nothing_when_nothing_was_erased(
    source: WatchedSource, tmp_path: Path
) -> None:
    keep(source, tmp_path)
    source.compared.clear()
    assert find(EmbeddedIndex(source=source, folder=tmp_path), "a") == ["a"]
    assert source.compared == []


@pytest.mark.parametrize("table", ["visual-codes", "visual-descriptors", "landmarks-peaks"])
def test_damaged_file_is_told_with_what_to_do(
    source: WatchedSource, tmp_path: Path, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    keep(source, tmp_path)
    (tmp_path / table / "manifest.json").write_bytes(b"{")
    index = EmbeddedIndex(source=source, folder=tmp_path)
    with pytest.raises(StorageError) as caught:
        find(index, "a")
    assert table in str(caught.value)
    assert "Delete the folder" in caught.value.next_step
    index.keep()
    assert "Delete the folder" in caplog.text


def test_deleted_table_fills_itself_again(source: WatchedSource, tmp_path: Path) -> None:
    keep(source, tmp_path)
    for file in (tmp_path / "visual-codes").iterdir():
        file.unlink()
    index = EmbeddedIndex(source=source, folder=tmp_path)
    assert find(index, "b") == ["b"]
    index.keep()
    assert open_codes(tmp_path).mark == max(source.read)


def test_tables_that_nothing_feeds_any_more_are_deleted(
    source: WatchedSource, tmp_path: Path
) -> None:
    for name in ("codes", "sound"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text('{"layout": 1}')
        (tmp_path / name / "0.codes").write_bytes(b"of a work that may be erased")
    (tmp_path / "other").mkdir()
    keep(source, tmp_path)
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {
        "landmarks-peaks",
        "other",
        "visual-codes",
        "visual-descriptors",
    }


def test_without_a_folder_nothing_is_written(
    source: WatchedSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    index = EmbeddedIndex(source=source)
    index.keep()
    assert find(index, "a") == ["a"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_made_is_logged(
    source: WatchedSource, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(0o500)
    index = EmbeddedIndex(source=source, folder=tmp_path / "index")
    index.keep()
    assert "cannot be written" in caplog.text
    assert find(index, "a") == ["a"]


def test_a_folder_that_is_a_file_is_logged(
    source: WatchedSource, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "index").touch()
    EmbeddedIndex(source=source, folder=tmp_path / "index").keep()
    assert "index" in caplog.text
