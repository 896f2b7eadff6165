from __future__ import annotations

import json
from typing import Any

import pytest

from titledeed.errors import InvariantViolation, MalformedDocumentError
from titledeed.matching.thresholds import (
    CALIBRATION,
    FalseAccepts,
    Material,
    load_thresholds,
    parse_thresholds,
)


def describe(**changes: Any) -> bytes:
    document = {
        "schema": "titledeed/thresholds/1",
        "calibration": 3,
        "is_provisional": False,
        "confidence_percent": 95,
        "background": [{"material": "noise", "codes": 1000, "source_files": 4}],
        "thresholds": [
            {"kind": "frames", "thousandths": 4000},
            {"kind": "local", "thousandths": 12_500},
        ],
        "false_accepts": [
            {
                "medium": "video",
                "queries": 2000,
                "source_files": 40,
                "accepted": 1,
                "per_million_bound": 2370,
            }
        ],
    }
    return json.dumps(document | changes).encode()


def test_shipped_calibration_is_read() -> None:
    assert load_thresholds().calibration == CALIBRATION


def test_everything_the_file_says_is_kept() -> None:
    thresholds = parse_thresholds(describe())
    assert (thresholds.calibration, thresholds.is_provisional) == (3, False)
    assert thresholds.background == (Material("noise", 1000, 4),)
    assert dict(thresholds.by_kind) == {"frames": 4.0, "local": 12.5}
    assert dict(thresholds.false_accepts) == {"video": FalseAccepts(2000, 40, 1, 2370)}


def test_score_is_the_strongest_kind_in_units_of_its_threshold() -> None:
    thresholds = parse_thresholds(describe())
    assert thresholds.score({"frames": 2.0, "local": 25.0}) == 2.0
    assert thresholds.score({"frames": 3.0}) == 0.75
    assert thresholds.score({}) == 0.0


def test_uncalibrated_evidence_is_a_programming_error() -> None:
    with pytest.raises(InvariantViolation, match="smell"):
        parse_thresholds(describe()).score({"smell": 1.0})


KIND = {"kind": "frames", "thousandths": 4000}


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "titledeed/thresholds/2"},
        {"calibration": 0},
        {"confidence_percent": 100},
        {"thresholds": [KIND, KIND]},
        {"thresholds": [KIND | {"thousandths": 0}]},
        {"thresholds": [KIND | {"kind": ""}]},
        {"thresholds": [KIND | {"why": "taste"}]},
        {"false_accepts": [{"medium": "video"}]},
        {"background": [{"material": "noise", "codes": -1, "source_files": 0}]},
        {"more": 1},
    ],
)
def test_anything_odd_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedDocumentError):
        parse_thresholds(describe(**changes))


def test_more_accepted_than_asked_is_refused() -> None:
    rate = json.loads(describe())["false_accepts"][0] | {"accepted": 2001}
    with pytest.raises(MalformedDocumentError):
        parse_thresholds(describe(false_accepts=[rate]))
