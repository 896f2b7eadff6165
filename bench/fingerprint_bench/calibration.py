"""Thresholds from strangers: what evidence material gives that is registered nowhere.

Each kind of evidence gets an equal part of the false accepts allowed. The published thresholds use
all queries; the published rate is cross-fitted: the strangers of one half of the source files are
tried at thresholds that the other half gave, and the other way round.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fingerprint_bench.results import FALSE_ACCEPT_SHARE_MAX, loosest_threshold
from scipy.stats import beta

from titledeed.canonical.documents import Json
from titledeed.matching.thresholds import MILLION, THRESHOLDS_SCHEMA, FalseAccepts, Material

CONFIDENCE_PERCENT: Final = 95


@dataclass(frozen=True, slots=True)
class Observation:
    """What one stranger found.

    Attributes:
        material: what kind of thing it is.
        source: the file, or the seed, it was made of.
        codes: how many it had.
        evidence: the strongest that any work gave, by kind.
    """

    material: str
    source: str
    codes: int
    evidence: Mapping[str, float]


def find_thresholds(
    observations: Sequence[Observation],
    floors: Mapping[str, float],
    share_max: float = FALSE_ACCEPT_SHARE_MAX,
) -> dict[str, float]:
    """The evidence of each kind that must be exceeded.

    Args:
        observations: of strangers.
        floors: by kind, what no threshold falls below.
        share_max: of the strangers that may exceed any of them.
    """
    return {
        kind: max(
            floor,
            loosest_threshold(
                [observation.evidence.get(kind, 0.0) for observation in observations],
                share_max / len(floors),
            ),
        )
        for kind, floor in floors.items()
    }


def count_false_accepts(
    observations: Sequence[Observation], floors: Mapping[str, float]
) -> FalseAccepts:
    """Strangers accepted at thresholds that other source files gave.

    Args:
        observations: of strangers, of at least two sources.
        floors: as for ``find_thresholds``.
    """
    sources = sorted({observation.source for observation in observations})
    first = set(sources[::2])
    halves = (
        [item for item in observations if item.source in first],
        [item for item in observations if item.source not in first],
    )
    accepted = 0
    for tried, others in (halves, halves[::-1]):
        thresholds = find_thresholds(others, floors)
        accepted += sum(_is_accepted(item, thresholds) for item in tried)
    return FalseAccepts(
        queries=len(observations),
        source_files=len(sources),
        accepted=accepted,
        per_million_bound=math.ceil(bound_share(accepted, len(observations)) * MILLION),
    )


def _is_accepted(observation: Observation, thresholds: Mapping[str, float]) -> bool:
    return any(observation.evidence.get(kind, 0.0) > limit for kind, limit in thresholds.items())


def bound_share(accepted: int, queries: int) -> float:
    """Upper end of the one-sided Clopper-Pearson interval."""
    if accepted >= queries:
        return 1.0
    return float(beta.ppf(CONFIDENCE_PERCENT / 100, accepted + 1, queries - accepted))


def sum_up(observations: Sequence[Observation]) -> list[Material]:
    """Codes and distinct sources by material."""
    by_name: dict[str, list[Observation]] = {}
    for item in observations:
        by_name.setdefault(item.material, []).append(item)
    return [
        Material(name, sum(item.codes for item in items), len({item.source for item in items}))
        for name, items in by_name.items()
    ]


def describe_calibration(
    *,
    calibration: int,
    is_provisional: bool,
    background: Sequence[Material],
    thresholds: Mapping[str, float],
    false_accepts: Mapping[str, FalseAccepts],
) -> dict[str, Json]:
    """The calibration file as a document; thresholds are rounded up."""
    return {
        "schema": THRESHOLDS_SCHEMA,
        "calibration": calibration,
        "is_provisional": is_provisional,
        "confidence_percent": CONFIDENCE_PERCENT,
        "background": [
            {"material": item.name, "codes": item.codes, "source_files": item.source_files}
            for item in background
        ],
        "thresholds": [
            {"kind": kind, "thousandths": math.ceil(value * 1000)}
            for kind, value in thresholds.items()
        ],
        "false_accepts": [
            {
                "medium": medium,
                "queries": rate.queries,
                "source_files": rate.source_files,
                "accepted": rate.accepted,
                "per_million_bound": rate.per_million_bound,
            }
            for medium, rate in false_accepts.items()
        ],
    }
