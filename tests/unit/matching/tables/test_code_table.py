from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from code_rows import draw_codes, flip_bits, guaranteed_radius, list_hits

from titledeed.errors import ConflictError, InvariantViolation
from titledeed.fingerprinting.base import Codes
from titledeed.matching.tables.code_segment import BUCKET_ROWS_MAX
from titledeed.matching.tables.code_table import CodeTable

CODES = draw_codes(1, 300)


def open_index(folder: Path, width: int = 32) -> CodeTable:
    return CodeTable(folder, code_bytes=width, bit_order=range(8 * width))


def append(index: CodeTable, owner: int, codes: Codes) -> None:
    rows = np.arange(len(codes))
    index.append(owner, 250 * rows, rows % 7, codes)


def find_owners(index: CodeTable, codes: Codes) -> set[int]:
    return set(index.view().search(codes, radius=9, limit=1000).owner.tolist())


def list_files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_was_appended_is_found_by_the_next_search(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    assert list_hits(index.view().search(CODES[:2], radius=60, limit=9)) == []
    append(index, 7, CODES)
    hits = index.view().search(flip_bits(CODES[100:101], 5), radius=5, limit=9)
    assert list_hits(hits) == [(0, 5, 7, 25_000, 100 % 7)]
    assert hits.complete.tolist() == [True]
    assert list_hits(hits.take(hits.distance > 5)) == []


def test_closest_rows_come_first_and_no_more_than_asked_for(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    for bits in range(8):
        append(index, bits, flip_bits(CODES[:1], 7 - bits, seed=bits))
    hits = index.view().search(np.repeat(CODES[:1], 2, axis=0), radius=6, limit=3)
    assert hits.owner.tolist() == [7, 6, 5, 7, 6, 5]
    assert hits.distance.tolist() == [0, 1, 2, 0, 1, 2]
    assert hits.query.tolist() == [0, 0, 0, 1, 1, 1]


def test_a_commit_is_there_for_who_opens_the_folder_next(tmp_path: Path) -> None:
    index = open_index(tmp_path / "made" / "here")
    append(index, 1, CODES)
    index.commit(41)
    append(index, 2, CODES)
    again = open_index(tmp_path / "made" / "here")
    assert (len(again), again.mark) == (300, 41)
    assert find_owners(again, CODES[:5]) == {1}
    assert find_owners(index, CODES[:5]) == {1, 2}


def test_a_reader_sees_a_commit_when_it_refreshes_and_drops_its_own_rows(tmp_path: Path) -> None:
    writer, reader = open_index(tmp_path), open_index(tmp_path)
    append(writer, 1, CODES)
    append(reader, 2, CODES)
    assert not reader.refresh()
    assert find_owners(reader, CODES[:5]) == {2}
    writer.commit(5)
    assert find_owners(reader, CODES[:5]) == {2}
    assert reader.refresh()
    assert find_owners(reader, CODES[:5]) == {1}
    assert reader.mark == 5


def test_a_search_that_began_before_a_commit_keeps_its_segments(tmp_path: Path) -> None:
    writer, reader = open_index(tmp_path), open_index(tmp_path)
    append(writer, 1, CODES)
    writer.commit(1)
    reader.refresh()
    append(writer, 2, CODES)
    writer.commit(2, compact=True)
    assert find_owners(reader, CODES[:5]) == {1}


def test_who_has_not_seen_the_last_commit_may_not_commit(tmp_path: Path) -> None:
    one, other = open_index(tmp_path), open_index(tmp_path)
    append(one, 1, CODES)
    one.commit(1)
    with pytest.raises(ConflictError):
        other.commit(2)
    other.refresh()
    other.commit(2)
    assert open_index(tmp_path).mark == 2


@pytest.mark.parametrize("is_saved", [True, False])
def test_removed_works_are_not_found_and_may_come_back(tmp_path: Path, *, is_saved: bool) -> None:
    index = open_index(tmp_path)
    append(index, 1, CODES)
    append(index, 2, CODES)
    if is_saved:
        index.commit(1)
    index.remove({1, 99})
    assert find_owners(index, CODES[:5]) == {2}
    index.commit(2)
    assert find_owners(open_index(tmp_path), CODES[:5]) == {2}
    append(index, 1, CODES)
    assert find_owners(index, CODES[:5]) == {1, 2}


def test_compaction_leaves_one_segment_and_no_removed_code_on_disk(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    for owner, times in enumerate((4, 1, 1)):
        append(index, owner, np.repeat(CODES ^ np.uint8(owner), times, axis=0))
        index.commit(owner)
    assert len(list(tmp_path.glob("*.segment"))) == 2
    index.remove({1})
    index.commit(3, compact=True)
    (segment,) = tmp_path.glob("*.segment")
    assert (CODES[9] ^ np.uint8(0)).tobytes() in segment.read_bytes()
    assert (CODES[9] ^ np.uint8(1)).tobytes() not in segment.read_bytes()
    assert len(index) == 1500
    index.commit(4, compact=True)
    assert set(tmp_path.glob("*.segment")) == {segment}
    index.remove({0, 2})
    index.commit(5, compact=True)
    assert list_files(tmp_path) == {"manifest.json"}
    assert len(open_index(tmp_path)) == 0


def test_segments_of_like_size_are_merged(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    for owner in range(30):
        append(index, owner, CODES[:70] ^ np.uint8(owner))
        index.commit(owner)
    assert len(list(tmp_path.glob("*.segment"))) <= 4
    assert len(index) == 30 * 70
    for owner in range(30):
        assert find_owners(index, CODES[:3] ^ np.uint8(owner)) == {owner}


def test_many_rows_get_tables_before_anyone_searches(tmp_path: Path) -> None:
    index = CodeTable(tmp_path, code_bytes=32, bit_order=range(256), pending_rows_max=250)
    append(index, 1, CODES)
    append(index, 2, CODES[:0])
    append(index, 3, CODES[:10])
    assert len(index) == 310
    assert find_owners(index, CODES[:5]) == {1, 3}


def test_full_segments_are_merged_no_more(tmp_path: Path) -> None:
    index = CodeTable(tmp_path, code_bytes=32, bit_order=range(256), segment_rows_max=300)
    for owner in range(6):
        append(index, owner, CODES)
        index.commit(owner)
    index.commit(6, compact=True)
    assert len(list(tmp_path.glob("*.segment"))) == 6
    index.remove({2})
    index.commit(7, compact=True)
    assert find_owners(index, CODES[:5]) == {0, 1, 3, 4, 5}
    assert len(index) == 1500


def test_a_crowded_bucket_is_sampled_over_all_works_and_said(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    for owner in range(BUCKET_ROWS_MAX):
        append(index, owner, np.repeat(CODES[:1], 4, axis=0))
    hits = index.view().search(np.concatenate([CODES[:1], ~CODES[:1]]), radius=9, limit=1000)
    assert hits.complete.tolist() == [False, True]
    assert len(hits.owner) == BUCKET_ROWS_MAX
    assert len(set(hits.owner.tolist())) == BUCKET_ROWS_MAX


def test_the_order_of_the_bits_changes_neither_distance_nor_guarantee(tmp_path: Path) -> None:
    order = np.random.default_rng(3).permutation(128).tolist()
    codes = draw_codes(4, 200, width=16)
    index = CodeTable(tmp_path, code_bytes=16, bit_order=order)
    append(index, 5, codes)
    assert [guaranteed_radius(16, flips) for flips in range(3)] == [4, 9, 14]
    hits = index.view().search(flip_bits(codes, 14), radius=14, limit=1, flips=2)
    assert hits.query.tolist() == list(range(200))
    index.commit(1)
    assert len(open_index(tmp_path, width=16)) == 0


def test_orders_that_leave_out_bits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvariantViolation):
        CodeTable(tmp_path, code_bytes=16, bit_order=range(127))
    with pytest.raises(InvariantViolation):
        CodeTable(tmp_path, code_bytes=12, bit_order=range(96))
    index = open_index(tmp_path)
    append(index, 1, CODES)
    with pytest.raises(InvariantViolation):
        index.view().search(CODES[:1], radius=9, limit=1, flips=3)
