from __future__ import annotations

import math
from pathlib import Path

import pytest
from fingerprint_bench.results import (
    Answer,
    Query,
    Trial,
    judge,
    loosest_threshold,
    measure_recall,
    split_media,
    trade_recall,
)

from titledeed.models.interval import Interval
from titledeed.models.match import Segment


def try_edit(edit: str, score: float, *, is_registered: bool, is_right: bool = True) -> Trial:
    return Trial("ours", edit, "a", is_registered, is_registered and is_right, score)


def strangers(*scores: float) -> list[Trial]:
    return [try_edit("flip", score, is_registered=False) for score in scores]


def test_threshold_lets_no_stranger_pass_among_few() -> None:
    assert loosest_threshold([0.1, 0.7, 0.3]) == 0.7


def test_threshold_lets_one_in_a_thousand_pass() -> None:
    scores = [index / 2000 for index in range(2000)]
    assert sum(score > loosest_threshold(scores) for score in scores) == 2


def test_threshold_without_strangers_accepts_all() -> None:
    assert loosest_threshold([]) == -math.inf


def test_hit_must_be_right_and_beat_the_strangers() -> None:
    trials = [
        try_edit("flip", 0.9, is_registered=True),
        try_edit("flip", 0.5, is_registered=True),
        try_edit("crop", 0.9, is_registered=True, is_right=False),
        *strangers(0.5, -math.inf),
    ]
    recall = measure_recall(trials)
    assert recall.by_edit == {"flip": 0.5, "crop": 0.0}
    assert (recall.mean, recall.worst) == (0.25, ("crop", 0.0))
    assert (recall.distractor_queries, recall.false_accepts) == (2, 0)


def test_recall_rises_with_the_false_accepts_allowed() -> None:
    trials = [
        *(try_edit("flip", score, is_registered=True) for score in (0.2, 0.4, 0.6, 0.8)),
        *strangers(0.3, 0.5),
    ]
    assert trade_recall(trials) == [(0.0, 0.5), (0.5, 0.75)]


def test_answer_is_judged_with_the_ends_of_its_segment() -> None:
    truth = Segment(Interval(0, 4), Interval(10, 14), 1.0, mirrored=False)
    found = Segment(Interval(1, 4), Interval(11, 14.25), 1.0, mirrored=False)
    query = Query(Path("q.mp4"), "trim", "a.mp4", is_registered=True, truth=truth)
    trial = judge("ours", query, Answer("a.mp4", 3.0, found))
    assert trial.is_right
    assert (trial.start_error_s, trial.end_error_s) == (1.0, 0.25)


def test_answer_to_a_stranger_is_never_right() -> None:
    query = Query(Path("q.mp4"), "trim", "a.mp4", is_registered=False)
    assert not judge("ours", query, Answer("a.mp4", 3.0)).is_right


def test_sizes_of_one_film_stay_on_one_side() -> None:
    names = ["rabbit.mp4", "rabbit320.mp4", "pig.mp4", "x__1.mp4", "x__2.mp4", "y.mp4"]
    works, others = split_media([Path(name) for name in names])
    assert sorted([*works, *others]) == sorted(Path(name) for name in names)
    assert abs(len(works) - len(others)) <= 1
    side = works if Path("rabbit.mp4") in works else others
    assert Path("rabbit320.mp4") in side


def test_takes_of_one_room_stay_on_one_side() -> None:
    names = ["intel__again.mkv", "intel__help.mkv", "a.mp4", "b.mp4"]
    works, others = split_media([Path(name) for name in names])
    side = works if Path(names[0]) in works else others
    assert {Path(name) for name in names[:2]} <= set(side)


@pytest.mark.parametrize("order", [1, -1])
def test_split_does_not_depend_on_the_order_of_files(order: int) -> None:
    files = [Path(f"{name}.png") for name in "abcdef"]
    assert split_media(files[::order]) == split_media(files)
