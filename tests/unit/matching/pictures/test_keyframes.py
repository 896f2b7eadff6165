from __future__ import annotations

import numpy as np
import pytest

from titledeed.matching.pictures.keyframes import (
    GUIDED_MAX,
    KeyframeMatches,
    choose_pairs,
    guide_pairs,
    join_matches,
    vote_keyframes,
    weigh_keyframes,
)
from titledeed.matching.pictures.voting import TimeLine


def matches(rows: list[tuple[float, float, float]]) -> KeyframeMatches:
    """Rows of query second, work second, evidence."""
    query_s, work_s, evidence = np.array(rows, np.float64).T
    count = len(rows)
    transforms = np.repeat(np.eye(2, 3)[np.newaxis], count, axis=0)
    return KeyframeMatches(
        query_s, work_s, evidence, np.ones(count), np.zeros(count, np.bool_), transforms
    )


def test_line_lies_where_most_keyframes_agree() -> None:
    line = vote_keyframes(matches([(0, 5, 30), (2, 7, 30), (4, 9, 30), (2, 1, 40)]))
    assert (line.speed, line.offset_s) == pytest.approx((1.0, 5.0), abs=0.01)


def test_pairs_with_more_evidence_place_the_line() -> None:
    line = vote_keyframes(matches([(1, 4.0, 40), (1, 5.0, 5)]))
    assert line.offset_s == pytest.approx(3, abs=0.1)


def test_speed_of_a_long_run_is_told() -> None:
    line = vote_keyframes(matches([(q, 1.5 * q + 2, 30) for q in range(0, 16, 2)]))
    assert line.speed == pytest.approx(1.5, abs=0.05)


def test_two_keyframes_tell_no_speed() -> None:
    assert vote_keyframes(matches([(0, 0, 5), (2, 5, 4)])).speed == 1.0


def test_evidence_counts_each_keyframe_of_the_query_once() -> None:
    assert weigh_keyframes(matches([(0, 0, 3), (0, 2, 2), (2, 2, 10)])) == pytest.approx(5)


def test_one_lucky_keyframe_weighs_less_than_two_that_are_half_as_sure() -> None:
    lucky = matches([(0, 0, 30)])
    steady = matches([(0, 0, 15), (2, 2, 15)])
    assert weigh_keyframes(lucky) < weigh_keyframes(steady)


def test_promising_pairs_come_first() -> None:
    counts = np.zeros((10, 10), np.int64)
    counts[3, 4], counts[5, 6], counts[0, 0] = 50, 80, 2
    assert choose_pairs(counts) == [(5, 6), (3, 4)]


def test_short_run_keeps_the_speed_although_keyframes_fall_elsewhere() -> None:
    rows = [
        (0.0, 0.0, 16.0),
        (2.0, 2.25, 19.0),
        (4.0, 4.75, 18.0),
        (2.0, 4.75, 16.0),
        (4.0, 2.25, 17.0),
    ]
    assert vote_keyframes(matches(rows)).speed == 1.0


def test_line_says_which_further_pairs_to_look_at() -> None:
    query_s, work_s = np.arange(0.0, 10, 2), np.arange(0.0, 8, 2)
    pairs = guide_pairs(query_s, work_s, TimeLine(1.0, 2.4), np.array([2.0]))
    assert pairs == [(0, 1), (2, 3)]
    many_s = np.arange(0.0, 100, 2)
    assert len(guide_pairs(many_s, many_s, TimeLine(1.0, 0.0), np.array([50.0]))) == GUIDED_MAX


def test_joined_pairs_weigh_as_one_list() -> None:
    joined = join_matches(matches([(0, 0, 3)]), matches([(2, 2, 10)]))
    assert weigh_keyframes(joined) == pytest.approx(5)
