"""Searches of several threads: none waits for another, and each sees the index of one moment."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from scenes import CodeSource, draw_scene, fingerprint

from titledeed.matching.embedded import EmbeddedIndex
from titledeed.models.match import Query
from titledeed.ports import IndexedWork

PATIENCE_S = 60.0
QUERIES = {name: fingerprint(draw_scene(70 + n, seconds=3)) for n, name in enumerate("abc")}


class HeldSource(CodeSource):
    """Lets the first reading of candidates wait until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.is_reading, self.may_go_on = Event(), Event()

    def find_works(self, positions: Collection[int]) -> dict[int, IndexedWork]:
        if not self.is_reading.is_set():
            self.is_reading.set()
            assert self.may_go_on.wait(PATIENCE_S)
        return super().find_works(positions)


def find(index: EmbeddedIndex, query: Query) -> list[str]:
    return [str(match.registration_id) for match in index.search(query)]


@pytest.fixture
def source() -> HeldSource:
    source = HeldSource()
    source.add("a", QUERIES["a"])
    source.add("b", QUERIES["b"])
    return source


def test_a_search_that_reads_its_candidates_holds_up_no_other(
    source: HeldSource, tmp_path: Path
) -> None:
    index = EmbeddedIndex(source=source, folder=tmp_path)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(find, index, QUERIES["a"])
        try:
            assert source.is_reading.wait(PATIENCE_S)
            assert find(index, QUERIES["b"]) == ["b"]
            source.add("c", QUERIES["c"])
            assert find(index, QUERIES["c"]) == ["c"]
            assert not slow.done()
        finally:
            source.may_go_on.set()
        assert slow.result(PATIENCE_S) == ["a"]


def test_what_is_written_and_erased_meanwhile_leaves_a_search_its_tables(
    source: HeldSource, tmp_path: Path
) -> None:
    EmbeddedIndex(source=source, folder=tmp_path).keep()
    index = EmbeddedIndex(source=source, folder=tmp_path)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(find, index, QUERIES["a"])
        try:
            assert source.is_reading.wait(PATIENCE_S)
            before = set((tmp_path / "visual-codes").glob("*.segment"))
            source.erase("b")
            index.keep()
            assert not before & set((tmp_path / "visual-codes").glob("*.segment"))
            assert find(index, QUERIES["b"]) == []
        finally:
            source.may_go_on.set()
        assert slow.result(PATIENCE_S) == ["a"]


def test_searches_and_writes_of_many_threads_agree(tmp_path: Path) -> None:
    source = CodeSource()
    index = EmbeddedIndex(source=source, folder=tmp_path)

    def register(number: int) -> list[str]:
        query = QUERIES["abc"[number % 3]]
        source.add(str(number), query)
        index.keep()
        return find(index, query)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(register, range(12)))
    assert all(str(number) in names for number, names in enumerate(found))
