from __future__ import annotations

import json

import pytest
from fingerprint_bench.calibration import (
    Observation,
    bound_share,
    count_false_accepts,
    describe_calibration,
    find_thresholds,
    sum_up,
)

from titledeed.matching.thresholds import Material, parse_thresholds

FLOORS = {"frames": 2.0, "local": 5.0}


def observe(source: str, **evidence: float) -> Observation:
    return Observation("noise", source, codes=3, evidence=evidence)


def test_threshold_is_what_the_strangers_reach() -> None:
    observations = [observe("a", frames=3.0, local=9.0), observe("b", frames=7.0)]
    assert find_thresholds(observations, FLOORS) == {"frames": 7.0, "local": 9.0}


def test_threshold_never_falls_below_the_floor() -> None:
    assert find_thresholds([observe("a")], FLOORS) == FLOORS


def test_kinds_share_the_false_accepts_allowed() -> None:
    observations = [observe(str(n), frames=float(n), local=float(n)) for n in range(4000)]
    thresholds = find_thresholds(observations, FLOORS)
    assert thresholds == {"frames": 3997.0, "local": 3997.0}


def test_rate_is_counted_at_thresholds_of_other_sources() -> None:
    quiet = [observe(f"source {n}", frames=1.0) for n in range(9)]
    rate = count_false_accepts([*quiet, observe("source 9", frames=50.0)], FLOORS)
    assert (rate.queries, rate.source_files, rate.accepted) == (10, 10, 1)


def test_queries_of_one_source_stay_in_one_half() -> None:
    loud = [observe("a", frames=50.0)] * 20
    rate = count_false_accepts([*loud, observe("b", frames=1.0)], FLOORS)
    assert (rate.source_files, rate.accepted) == (2, 20)


def test_bound_follows_the_rule_of_three_and_covers_everything_at_last() -> None:
    assert bound_share(0, 1000) == pytest.approx(3 / 1000, rel=0.01)
    assert bound_share(5, 1000) > 5 / 1000
    assert bound_share(7, 7) == 1.0


def test_material_is_summed_up_by_name() -> None:
    observations = [observe("a"), observe("a"), observe("b")]
    assert sum_up(observations) == [Material("noise", 9, 2)]


def test_calibration_is_written_as_it_is_read() -> None:
    observations = [observe("a", frames=3.0004), observe("b")]
    document = describe_calibration(
        calibration=2,
        is_provisional=True,
        background=sum_up(observations),
        thresholds=find_thresholds(observations, FLOORS),
        false_accepts={"video": count_false_accepts(observations, FLOORS)},
    )
    read = parse_thresholds(json.dumps(document).encode())
    assert read.is_provisional
    assert dict(read.by_kind) == {"frames": 3.001, "local": 5.0}
    assert read.background == (Material("noise", 6, 2),)
    assert read.false_accepts["video"].accepted == 1
