"""Writes what one bench run found: the goals' table, recall by edit, charts, and the JSON file."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from fingerprint_bench.charts import RECALL, Axis, draw_lines, draw_rows
from fingerprint_bench.peers import Absent
from fingerprint_bench.results import (
    Latency,
    Medium,
    Recall,
    Trial,
    measure_recall,
    trade_recall,
)

from titledeed.matching.thresholds import Thresholds

OURS: Final = "Titledeed"
MILLION: Final = 1_000_000

MEAN_RECALL_MIN: Final = {Medium.PICTURES: 0.97, Medium.VIDEO: 0.99, Medium.SOUND: 0.97}
WORST_EDIT_MIN: Final = {Medium.PICTURES: 0.85, Medium.VIDEO: 0.92, Medium.SOUND: 0.90}
FALSE_ACCEPTS: Final = Axis(
    "share of distractor queries that found something",
    0.0005,
    0.2,
    (0.001, 0.01, 0.1),
    is_logarithmic=True,
)


@dataclass(frozen=True)
class Bench:
    """All that one run measured; what was left out of it is empty.

    Attributes:
        trials: by medium and contestant, ours first.
        absent: peers that could not run here.
        figures: single numbers by the names of the JSON file; ``film_precision``,
            ``film_recall`` and ``film_segments`` beside them.
        latency: by size of the registry, rising.
        setting: how it was run, in sentences.
    """

    trials: Mapping[Medium, Mapping[str, Sequence[Trial]]]
    absent: Sequence[Absent]
    figures: Mapping[str, float]
    latency: Sequence[Latency]
    thresholds: Thresholds
    setting: Sequence[str] = field(default=())

    @cached_property
    def recalls(self) -> dict[Medium, dict[str, Recall]]:
        """Recall by medium and contestant."""
        return {
            medium: {name: measure_recall(trials) for name, trials in by_name.items()}
            for medium, by_name in self.trials.items()
        }

    @cached_property
    def end_errors_s(self) -> list[float]:
        """Of both ends of each video segment that we found."""
        trials = self.trials.get(Medium.VIDEO, {}).get(OURS, ())
        ends = ((trial.start_error_s, trial.end_error_s) for trial in trials)
        return [error for pair in ends for error in pair if error is not None]

    def latency_at(self, codes: int) -> Latency | None:
        """The measurement at one size."""
        return next((row for row in self.latency if row.codes == codes), None)


@dataclass(frozen=True, slots=True)
class Goal:
    """A line of the goals' table."""

    what: str
    goal: str
    ours: str
    is_met: bool | None
    best_peer: str = ""


def write_report(bench: Bench, page: Path) -> dict[Path, str]:
    """The page, its charts and the JSON file beside it, as text by path."""
    charts = draw_charts(bench)
    folder = page.with_suffix("")
    files = {folder / f"{name}.svg": chart for name, chart in charts.items()}
    files[page] = write_page(bench, [f"{folder.name}/{name}.svg" for name in charts])
    files[page.with_suffix(".json")] = json.dumps(summarize(bench), indent=2) + "\n"
    return files


def summarize(bench: Bench) -> dict[str, object]:
    """The JSON file; null for what the run left out."""
    recalls = bench.recalls
    ours = {medium: recalls.get(medium, {}).get(OURS) for medium in Medium}
    one, ten = bench.latency_at(MILLION), bench.latency_at(10 * MILLION)
    return {
        **{medium.value: _summarize_recall(recall) for medium, recall in ours.items()},
        "peers": {
            medium.value: {n: round(r.mean, 4) for n, r in by_name.items() if n != OURS}
            for medium, by_name in recalls.items()
        },
        "decode_ratio_720p": bench.figures.get("decode_ratio_720p"),
        "decode_ratio_360p": bench.figures.get("decode_ratio_360p"),
        "bytes_per_video_minute": bench.figures.get("bytes_per_video_minute"),
        "query_ms_p50_1m": one and one.p50_ms,
        "query_ms_p50_10m": ten and ten.p50_ms,
        "alignment_median_s": _quantile(bench.end_errors_s, 0.5),
        "distractor_queries": sum(recall.distractor_queries for recall in ours.values() if recall),
    }


def _summarize_recall(recall: Recall | None) -> dict[str, float] | None:
    if recall is None:
        return None
    return {"mean_recall": round(recall.mean, 4), "worst_edit": round(recall.worst[1], 4)}


def list_goals(bench: Bench) -> list[Goal]:
    """The goals that this run measured."""
    return [*_recall_goals(bench), *_alignment_goals(bench), *_cost_goals(bench)]


def _recall_goals(bench: Bench) -> Iterable[Goal]:
    for medium, by_name in bench.recalls.items():
        ours = by_name[OURS]
        edit, worst = ours.worst
        peers = sorted((r.mean, name) for name, r in by_name.items() if name != OURS)
        mean_min, worst_min = MEAN_RECALL_MIN[medium], WORST_EDIT_MIN[medium]
        yield Goal(
            what=f"{medium.value}, mean recall over {len(ours.by_edit)} edits; worst edit",
            goal=f">= {mean_min}; >= {worst_min}",
            ours=f"{ours.mean:.3f}; {worst:.2f} ({edit})",
            is_met=ours.mean >= mean_min and worst >= worst_min,
            best_peer="{:.3f} ({})".format(*peers[-1]) if peers else "",
        )


def _alignment_goals(bench: Bench) -> Iterable[Goal]:
    median_s, late_s = (_quantile(bench.end_errors_s, share) for share in (0.5, 0.95))
    if median_s is not None and late_s is not None:
        yield Goal(
            what="ends of a found segment, median and 95th percentile of the error",
            goal="<= 0.15 s; <= 0.6 s",
            ours=f"{median_s:.2f} s; {late_s:.2f} s",
            is_met=median_s <= 0.15 and late_s <= 0.6,
            best_peer="none aligns",
        )
    if "film_precision" in bench.figures:
        precision, recall = bench.figures["film_precision"], bench.figures["film_recall"]
        yield Goal(
            what=f"{bench.figures['film_segments']:.0f} segments in one film, precision; recall",
            goal=">= 0.98; >= 0.97",
            ours=f"{precision:.3f}; {recall:.3f}",
            is_met=precision >= 0.98 and recall >= 0.97,
        )


_COSTS: Final = (
    ("decode_ratio_720p", "fingerprinting divided by decoding, 720p", 1.25, ""),
    ("decode_ratio_360p", "fingerprinting divided by decoding, 360p", 1.5, ""),
    ("bytes_per_video_minute", "bytes stored per video minute with sound", 200_000, ""),
    ("first_stage_bytes_per_minute", "bytes of the first stage per minute", 10_000, ""),
)


def _cost_goals(bench: Bench) -> Iterable[Goal]:
    for name, what, limit, peer in _COSTS:
        if name in bench.figures:
            value = bench.figures[name]
            yield Goal(what, f"<= {limit:,}", _figure(value), value <= limit, peer)
    for codes, p50_max, p99_max in ((MILLION, 60.0, 200.0), (10 * MILLION, 150.0, None)):
        row = bench.latency_at(codes)
        if row is not None:
            bounds = f"; p99 <= {p99_max:g}" if p99_max else ""
            yield Goal(
                what=f"query of a 15 s clip over {codes:,} frame codes, ms",
                goal=f"p50 <= {p50_max:g}{bounds}",
                ours=f"p50 {row.p50_ms:.0f}; p99 {row.p99_ms:.0f}",
                is_met=row.p50_ms <= p50_max and (p99_max is None or row.p99_ms <= p99_max),
            )
    if bench.latency:
        last = bench.latency[-1]
        yield Goal(
            what=f"adding a video minute; opening {last.codes:,} frame codes",
            goal="<= 20 ms; <= 1 s",
            ours=f"{last.add_ms:.1f} ms; {last.open_s:.2f} s",
            is_met=last.add_ms <= 20 and last.open_s <= 1,
        )


def draw_charts(bench: Bench) -> dict[str, str]:
    """SVG by name, in the order of the page."""
    charts = {}
    for medium, by_name in bench.recalls.items():
        edits = list(by_name[OURS].by_edit)
        charts[f"recall-{medium}"] = draw_rows(
            f"Recall by edit: {medium}",
            edits,
            {n: [r.by_edit.get(edit, 0.0) for edit in edits] for n, r in by_name.items()},
        )
        charts[f"false-accepts-{medium}"] = draw_lines(
            f"Mean recall against false accepts: {medium}",
            FALSE_ACCEPTS,
            RECALL,
            {name: trade_recall(trials) for name, trials in bench.trials[medium].items()},
        )
    if len(bench.latency) > 1:
        charts["latency"] = _draw_latency(bench.latency)
    return charts


def _draw_latency(rows: Sequence[Latency]) -> str:
    sizes = [row.codes for row in rows]
    slowest = max(row.p99_ms for row in rows)
    return draw_lines(
        "Query of a 15 s clip against the size of the registry",
        Axis("frame codes registered", sizes[0], sizes[-1], sizes, is_logarithmic=True),
        Axis("ms", 0, slowest, [round(slowest * part / 4) for part in range(5)]),
        {
            "p50": [(row.codes, row.p50_ms) for row in rows],
            "p99": [(row.codes, row.p99_ms) for row in rows],
        },
    )


def write_page(bench: Bench, charts: Sequence[str]) -> str:
    """The Markdown page."""
    parts = [
        "# Fingerprints: ours and the peers, measured",
        _INTRODUCTION,
        *bench.setting,
        "## Goals",
        _table(
            ("", "goal", "ours", "met", "best peer in this run"),
            [
                (goal.what, goal.goal, goal.ours, _MET[goal.is_met], goal.best_peer)
                for goal in list_goals(bench)
            ],
        ),
        *(f"## Recall by edit: {m}\n\n{_recall_table(r)}" for m, r in bench.recalls.items()),
        "## At the shipped thresholds",
        _shipped(bench),
        "## Charts",
        *(f"![{Path(chart).stem}]({chart})" for chart in charts),
        *_growth(bench.latency),
        "## Calibration",
        *_calibration(bench.thresholds),
        "## Peers that did not run",
        "\n".join(f"- {peer.name}: {peer.reason}" for peer in bench.absent) or "None.",
    ]
    return "\n\n".join(parts) + "\n"


_INTRODUCTION: Final = (
    "Written by `make bench-fingerprints`; do not edit. All contestants read the same files in one "
    "run. A hit counts only if the right work is first and its score beats the threshold, and the "
    "threshold of each contestant is the loosest one at which at most 0.1 % of its distractor "
    "queries (files registered nowhere, through the same edits) return anything."
)
_SHIPPED: Final = (
    "The tables above fit every contestant's threshold to the distractors of this run. With the "
    "thresholds of the calibration instead, which knows other material:"
)
_MET: Final = {True: "yes", False: "no", None: ""}


def _recall_table(recalls: Mapping[str, Recall]) -> str:
    edits = list(recalls[OURS].by_edit)
    rows = [(edit, *(_share(r.by_edit.get(edit)) for r in recalls.values())) for edit in edits]
    return _table(
        ("edit", *recalls),
        [
            *rows,
            ("**mean**", *(f"**{recall.mean:.3f}**" for recall in recalls.values())),
            ("distractor queries", *(f"{r.distractor_queries:,}" for r in recalls.values())),
            ("of them accepted", *(str(r.false_accepts) for r in recalls.values())),
        ],
    )


def _shipped(bench: Bench) -> str:
    """What users get: every answer of ours counts, no threshold is fitted to this run."""
    rows = []
    for medium, trials in bench.trials.items():
        ours = trials[OURS]
        strangers = [trial for trial in ours if not trial.is_registered]
        found = [trial for trial in strangers if trial.score > -math.inf]
        recall = measure_recall(ours, share_max=1.0)
        sources = len({trial.source for trial in found})
        rows.append(
            (medium, f"{recall.mean:.3f}", f"{len(found)} of {len(strangers)}", f"{sources}")
        )
    header = ("medium", "mean recall", "distractor queries answered", "of so many files")
    return f"{_SHIPPED}\n\n{_table(header, rows)}"


_GROWTH: Final = (
    "CPU time of one thread for the query of a 15 s clip, all stages but the decoding of its "
    "media; edited clips and strangers alike. Comparing the candidates costs the same at any size, "
    "since only those are compared that have more votes than the crowd. The look-ups grow with the "
    "number of segments, which is at most the logarithm of the rows to base 3, and with the share "
    "of the tables that no cache holds; each bucket holds as few rows at any size, until a segment "
    "has 16 million of them and is merged no more: from there on the look-ups grow with the rows."
)


def _growth(rows: Sequence[Latency]) -> Iterable[str]:
    if not rows:
        return
    yield "## Latency against size"
    yield _GROWTH
    header = ("frame codes", "p50 ms", "p99 ms", "add a minute, ms", "open, s")
    yield _table(
        header,
        [
            (
                f"{r.codes:,}",
                f"{r.p50_ms:.1f}",
                f"{r.p99_ms:.1f}",
                f"{r.add_ms:.1f}",
                f"{r.open_s:.2f}",
            )
            for r in rows
        ],
    )


def _calibration(thresholds: Thresholds) -> Iterable[str]:
    if thresholds.is_provisional:
        yield "The thresholds in use are provisional: no calibration has run."
        return
    yield (
        f"Calibration {thresholds.calibration}: thresholds from queries with material that is "
        "registered nowhere, false accepts of each half of the source files counted at the "
        "thresholds of the other half. Queries made of one file are no independent witnesses, so "
        "the number of files bounds what the rate can prove."
    )
    yield _table(
        ("material", "codes", "source files"),
        [
            (item.name, f"{item.codes:,}", f"{item.source_files:,}")
            for item in thresholds.background
        ],
    )
    yield _table(
        ("medium", "queries", "source files", "accepted", "rate", "upper bound"),
        [
            (
                medium,
                f"{rate.queries:,}",
                f"{rate.source_files:,}",
                str(rate.accepted),
                f"{rate.accepted / rate.queries:.5f}",
                f"{rate.per_million_bound / MILLION:.5f}",
            )
            for medium, rate in thresholds.false_accepts.items()
        ],
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["-"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _quantile(values: Sequence[float], share: float) -> float | None:
    return round(float(np.quantile(values, share)), 3) if values else None
