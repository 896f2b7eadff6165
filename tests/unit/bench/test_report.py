from __future__ import annotations

import json
import math
from pathlib import Path
from xml.etree import ElementTree

from fingerprint_bench.peers import Absent
from fingerprint_bench.report import OURS, Bench, list_goals, summarize, write_report
from fingerprint_bench.results import Latency, Medium, Trial

from titledeed.matching.thresholds import load_thresholds

KEYS = {
    "pictures",
    "video",
    "sound",
    "peers",
    "decode_ratio_720p",
    "decode_ratio_360p",
    "bytes_per_video_minute",
    "query_ms_p50_1m",
    "query_ms_p50_10m",
    "alignment_median_s",
    "distractor_queries",
}


def draw_trials(name: str, *, hits: int) -> list[Trial]:
    """Ten queries of each edit of which so many hit, and ten distractors that find nothing."""
    return [
        *(
            Trial(name, edit, f"{n}", is_registered=True, is_right=n < hits, score=2.0,
                  start_error_s=0.1, end_error_s=0.14)
            for edit in ("flip", "crop & <bars>")
            for n in range(10)
        ),
        *(Trial(name, "flip", f"s{n}", False, False, -math.inf) for n in range(10)),
    ]  # fmt: skip


def draw_bench() -> Bench:
    trials = {OURS: draw_trials(OURS, hits=10), "PDQ": draw_trials("PDQ", hits=4)}
    return Bench(
        trials={Medium.PICTURES: trials, Medium.VIDEO: trials},
        absent=[Absent("vPDQ", "the package vpdq is not installed")],
        figures={"decode_ratio_720p": 1.31, "film_precision": 1, "film_recall": 1,
                 "film_segments": 40},
        latency=[Latency(1_000_000, 40.0, 90.0, 5.0, 0.1), Latency(10_000_000, 90, 210, 6, 0.2)],
        thresholds=load_thresholds(),
    )  # fmt: skip


def test_json_file_has_exactly_the_keys_that_are_read_elsewhere() -> None:
    found = json.loads(json.dumps(summarize(draw_bench())))
    assert found.keys() == KEYS
    assert found["pictures"] == {"mean_recall": 1.0, "worst_edit": 1.0}
    assert found["sound"] is None
    assert found["peers"] == {"pictures": {"PDQ": 0.4}, "video": {"PDQ": 0.4}}
    assert (found["query_ms_p50_1m"], found["query_ms_p50_10m"]) == (40.0, 90)
    assert found["alignment_median_s"] == 0.12
    assert found["distractor_queries"] == 20


def test_goals_say_what_was_missed() -> None:
    goals = {goal.what: goal for goal in list_goals(draw_bench())}
    missed = [what for what, goal in goals.items() if goal.is_met is False]
    assert missed == ["fingerprinting divided by decoding, 720p"]
    pictures = next(goal for what, goal in goals.items() if what.startswith("pictures"))
    assert pictures.best_peer == "0.400 (PDQ)"


def test_page_names_its_charts_and_each_is_wellformed() -> None:
    page = Path("docs") / "fingerprints.md"
    files = write_report(draw_bench(), page)
    text = files.pop(page)
    files.pop(page.with_suffix(".json"))
    assert len(files) == 5
    for path, chart in files.items():
        assert f"({path.relative_to('docs')})" in text
        ElementTree.fromstring(chart)
    assert "the package vpdq is not installed" in text
    assert "| crop & <bars> | 1.00 | 0.40 |" in text


def test_same_run_gives_the_same_files() -> None:
    page = Path("fingerprints.md")
    assert write_report(draw_bench(), page) == write_report(draw_bench(), page)


def test_nothing_measured_is_reported_as_nothing() -> None:
    empty = Bench({}, [], {}, [], load_thresholds())
    assert list_goals(empty) == []
    assert summarize(empty)["query_ms_p50_1m"] is None
