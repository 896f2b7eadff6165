from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from titledeed.errors import ConflictError, StorageError
from titledeed.matching.tables.posting_table import Postings, PostingTable
from titledeed.matching.tables.segment_folder import MANIFEST

OWNERS = st.integers(0, 4)
KEYS = st.lists(st.sampled_from([0, 1, 7, 2**31, 2**32 - 1]), max_size=8)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), OWNERS, KEYS),
        st.tuples(st.just("remove"), OWNERS, st.just([])),
        st.tuples(st.sampled_from(["commit", "reopen"]), st.just(0), st.just([])),
    ),
    max_size=25,
)
Row = tuple[int, int, int]


def rows(found: Postings) -> list[Row]:
    parts = (found.rows.tolist(), found.owners.tolist(), found.values.tolist())
    return sorted(zip(*parts, strict=True))


def scan(postings: Sequence[Row], wanted: Sequence[int]) -> list[Row]:
    """The oracle: every posting against every key."""
    return sorted(
        (row, owner, value)
        for row, key in enumerate(wanted)
        for owner, posted, value in postings
        if posted == key
    )


@settings(deadline=None, max_examples=60)
@given(steps=STEPS, wanted=KEYS)
def test_lookup_finds_exactly_what_a_scan_finds(
    steps: list[tuple[str, int, list[int]]], wanted: list[int]
) -> None:
    postings: list[Row] = []
    with TemporaryDirectory() as folder:
        index = PostingTable(Path(folder))
        for number, (step, owner, keys) in enumerate(steps):
            if step == "append":
                values = [2**40 + number * 100 + place for place in range(len(keys))]
                postings += [(owner, k, v) for k, v in zip(keys, values, strict=True)]
                index.append(owner, np.array(keys, np.uint32), np.array(values, np.uint64))
            elif step == "remove":
                postings = [row for row in postings if row[0] != owner]
                index.remove([owner])
            else:
                index.commit(1)
                index = PostingTable(Path(folder)) if step == "reopen" else index
            found = index.view().look_up(np.array(wanted, np.uint32), 10_000)
            assert rows(found) == scan(postings, wanted)


def test_another_process_sees_what_was_committed(tmp_path: Path) -> None:
    writer, reader = PostingTable(tmp_path), PostingTable(tmp_path)
    keys = np.array([5, 6], np.uint32)
    writer.append(3, keys, np.array([50, 60], np.uint64))
    writer.commit(7)
    assert rows(reader.view().look_up(keys, 10)) == []
    assert reader.refresh()
    assert (reader.mark, reader.refresh()) == (7, False)
    assert rows(reader.view().look_up(keys, 10)) == [(0, 3, 50), (1, 3, 60)]


def test_crowded_keys_give_way_to_rare_ones(tmp_path: Path) -> None:
    index = PostingTable(tmp_path)
    index.append(1, np.array([9] * 100 + [4], np.uint32), np.arange(101, dtype=np.uint64))
    assert rows(index.view().look_up(np.array([9, 4], np.uint32), 50)) == [(1, 1, 100)]


def test_segments_stay_few(tmp_path: Path) -> None:
    index = PostingTable(tmp_path)
    for owner in range(60):
        index.append(owner, np.arange(20, dtype=np.uint32), np.zeros(20, np.uint64))
        index.commit(1)
    assert len(list(tmp_path.glob("*.segment"))) <= 6
    assert len(index) == 60 * 20


def test_broken_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_bytes(b"{}")
    with pytest.raises(StorageError):
        PostingTable(tmp_path)


def test_who_missed_a_commit_may_not_commit(tmp_path: Path) -> None:
    one, other = PostingTable(tmp_path), PostingTable(tmp_path)
    keys, values = np.array([5], np.uint32), np.array([50], np.uint64)
    one.append(3, keys, values)
    one.commit(1)
    other.append(4, keys, values)
    with pytest.raises(ConflictError):
        other.commit(1)
    assert other.refresh()
    assert rows(other.view().look_up(keys, 10)) == [(0, 3, 50)]


def test_a_compacted_index_is_one_segment(tmp_path: Path) -> None:
    index = PostingTable(tmp_path)
    for owner in range(3):
        index.append(
            owner, np.arange(20 * 5**owner, dtype=np.uint32), np.zeros(20 * 5**owner, np.uint64)
        )
        index.commit(owner)
    index.remove([1])
    index.commit(4, compact=True)
    assert len(list(tmp_path.glob("*.segment"))) == 1
    assert index.list_owners() == {0, 2}
