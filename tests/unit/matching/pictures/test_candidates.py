from __future__ import annotations

import numpy as np

from titledeed.matching.pictures.candidates import (
    BATCH_SIZE,
    FIRST_COMPARED,
    STANDS_OUT,
    compare_with_crowd,
    rank_owners,
    split_batches,
)

Hit = tuple[int, float, float, float]
"""Owner, second of the query, second of the work, weight."""


def rank(hits: list[Hit], *, count: int = 10) -> list[int]:
    owners, query_s, work_s, weight = np.array(hits, np.float64).reshape(-1, 4).T
    return list(rank_owners(owners.astype(np.int64), query_s, work_s, weight, count=count))


def line(owner: int, moments: int, *, offset_s: float = 3.0, speed: float = 1.0) -> list[Hit]:
    return [(owner, float(n), speed * n + offset_s, 0.5) for n in range(moments)]


def test_no_hit_is_no_candidate() -> None:
    assert rank([]) == []


def test_agreement_on_a_line_goes_before_more_hits_anywhere() -> None:
    generator = np.random.default_rng(1)
    scattered = [(1, float(n), float(generator.uniform(0, 500)), 0.5) for n in range(15)]
    assert rank([*scattered, *line(2, 6)]) == [2, 1]


def test_a_moment_counts_once_by_its_closest_hit() -> None:
    repeated = [(1, 0.0, 3.0 + n / 100, 0.5) for n in range(40)]
    assert rank([*repeated, *line(2, 3)]) == [2, 1]
    assert rank([(1, 0.0, 3.0, 0.2), (2, 0.0, 3.0, 0.3), (1, 0.0, 3.1, 0.4)]) == [1, 2]


def test_a_clip_at_another_speed_stays_on_one_line() -> None:
    generator = np.random.default_rng(2)
    accidents = [
        (owner, float(n), float(generator.uniform(0, 60)), 0.5)
        for owner in range(2, 40)
        for n in range(15)
    ]
    assert rank([*line(1, 15, speed=1.1), *accidents])[0] == 1


def test_only_the_best_are_kept() -> None:
    hits = [hit for owner in range(9) for hit in line(owner, 1 + owner)]
    assert rank(hits, count=3) == [8, 7, 6]


def test_an_offset_before_the_work_begins_is_as_good() -> None:
    assert rank([*line(1, 5, offset_s=-40.0), *line(2, 4)]) == [1, 2]


def test_what_stands_out_from_the_crowd_is_compared_first() -> None:
    crowd = {owner: 2.0 - owner / 100 for owner in range(10, 30)}
    (first, *rest) = split_batches([compare_with_crowd({1: 9.0, 2: 6.0, **crowd})])
    assert first == [1, 2, 10, 11]
    assert [owner for batch in rest for owner in batch] == list(range(12, 30))
    assert max(map(len, rest)) == BATCH_SIZE


def test_every_one_that_stands_out_is_in_the_first_batch() -> None:
    works = dict.fromkeys(range(40), 2 * STANDS_OUT)
    (first, rest) = split_batches([compare_with_crowd({**works, 99: 1.0})])
    assert (first, rest) == (list(works), [99])


def test_the_first_few_of_each_look_up_are_compared_however_close_the_others_are() -> None:
    codes, descriptors = (dict.fromkeys(range(start, start + 20), 1.0) for start in (0, 100))
    (first, *_) = split_batches(map(compare_with_crowd, (codes, descriptors)))
    assert sorted(first) == [*range(FIRST_COMPARED), *range(100, 100 + FIRST_COMPARED)]


def test_no_candidates_are_no_batch() -> None:
    assert split_batches([compare_with_crowd({}), compare_with_crowd({})]) == []
