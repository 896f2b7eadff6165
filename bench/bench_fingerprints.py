"""Fingerprints and matching, ours and the peers, over the same edited files in one run.

    PYTHONPATH=scripts python bench/bench_fingerprints.py [--only MEDIUM] [--skip PART] [...]

Writes ``docs/explanation/fingerprints.md``, its charts and ``fingerprints.json``, and prints the
goals. Edited files and every answer are kept in the cache folder, so that a run can be interrupted;
answers are asked for again when the code that gave them has changed. A run over less than
everything prints only, unless ``--page`` names where to write.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final, TypeVar

from fingerprint_bench import costs, films, latency, ours
from fingerprint_bench.journal import Journal
from fingerprint_bench.ours import Titledeed
from fingerprint_bench.peers import Absent, find_peers
from fingerprint_bench.queries import build_queries
from fingerprint_bench.report import Bench, list_goals, write_report
from fingerprint_bench.results import Contestant, Latency, Medium, Query, Trial, judge
from generated_files import write_or_check

from titledeed.matching.thresholds import CALIBRATION, load_thresholds

T = TypeVar("T")

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "explanation" / "fingerprints.md"
BENCH: Final = Path(__file__).resolve().parent / "fingerprint_bench"
CORE: Final = ROOT / "registry" / "titledeed"
EDITS: Final = (*sorted(BENCH.glob("*_edits.py")), BENCH / "queries.py", BENCH / "results.py")
OUR_SOURCES: Final = (
    *(CORE / package for package in ("fingerprinting", "matching", "media")),
    CORE / "matching" / f"thresholds-{CALIBRATION}.json",
    BENCH / "ours.py",
    *EDITS,
)
PEER_SOURCES: Final = (BENCH / "peers.py", *EDITS)
SIZES: Final = (100_000, 1_000_000, 10_000_000)
PARTS: Final = ("peers", "costs", "films", "latency")


def main() -> None:
    """Parse the arguments, run, write, print; exit 1 if a goal is missed."""
    arguments = parse_arguments()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    bench = run(arguments)
    is_whole = set(arguments.only) == set(Medium) and not arguments.skip and not arguments.odd
    page = arguments.page or (PAGE if is_whole and arguments.share == 1 else None)
    if page is not None:
        write_or_check(write_report(bench, page), check=False)
    goals = list_goals(bench)
    for goal in goals:
        mark = {True: "ok  ", False: "MISS", None: "    "}[goal.is_met]
        print(f"{mark} {goal.what}: {goal.ours}; goal {goal.goal}; {goal.best_peer}".rstrip("; "))
    sys.exit(any(goal.is_met is False for goal in goals))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fingerprints and matching, ours and the peers.")
    parser.add_argument("--media", type=Path, default=ROOT.parent / "shared" / "media")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "fingerprint-bench")
    parser.add_argument("--only", type=Medium, action="append", choices=list(Medium))
    parser.add_argument("--skip", action="append", choices=PARTS, default=[])
    parser.add_argument("--share", type=float, default=1.0, help="of the source files, 0 to 1")
    parser.add_argument("--odd", action="store_true", help="other and combined edits")
    parser.add_argument("--page", type=Path, help="where to write; default: only a whole run does")
    arguments = parser.parse_args()
    arguments.only = arguments.only or list(Medium)
    return arguments


def run(arguments: argparse.Namespace) -> Bench:
    """All that was asked for."""
    trials: dict[Medium, dict[str, list[Trial]]] = {}
    absent: list[Absent] = []
    for medium in arguments.only:
        present, missing = ([], []) if "peers" in arguments.skip else find_peers(medium)
        absent += missing
        trials[medium] = run_medium(medium, [Titledeed(), *present], arguments)
    return Bench(
        trials=trials,
        absent=absent,
        figures=measure_figures(arguments),
        latency=measure_latency(arguments),
        thresholds=load_thresholds(),
        setting=[describe_setting(arguments, trials)],
    )


def run_medium(
    medium: Medium, contestants: Sequence[Contestant], arguments: argparse.Namespace
) -> dict[str, list[Trial]]:
    """Every contestant over the same works and queries."""
    works, built = build_queries(
        medium, arguments.media, arguments.cache, share=arguments.share, odd=arguments.odd
    )
    queries = list(show_progress(f"{medium}: edited files", built))
    answered = {}
    for contestant in contestants:
        name = f"{medium}-{contestant.name.lower().replace(' ', '-')}"
        sources = OUR_SOURCES if contestant.name == ours.NAME else PEER_SOURCES
        journal = Journal(arguments.cache / "trials", name, sources=sources)
        told = answer(contestant, works, queries, journal)
        answered[contestant.name] = list(show_progress(f"{medium}: {contestant.name}", told))
    return answered


def answer(
    contestant: Contestant, works: Sequence[Path], queries: Sequence[Query], journal: Journal
) -> Iterator[Trial]:
    """Trials of one contestant; what the journal holds is not asked again."""
    is_registered = False
    for query in queries:
        if query.path.name not in journal:
            if not is_registered:
                for work in works:
                    contestant.register(work)
                is_registered = True
            trial = judge(contestant.name, query, contestant.search(query.path))
            journal.add(query.path.name, asdict(trial))
        yield Trial(**journal[query.path.name])


def measure_figures(arguments: argparse.Namespace) -> dict[str, float]:
    """Costs and the long film, where video is asked for."""
    figures: dict[str, float] = {}
    if Medium.VIDEO in arguments.only and "costs" not in arguments.skip:
        figures |= costs.measure_costs(arguments.media, arguments.cache)
    if Medium.VIDEO in arguments.only and "films" not in arguments.skip:
        found = films.measure_films(arguments.media)
        figures |= {f"film_{name}": value for name, value in found.items()}
    return figures


def measure_latency(arguments: argparse.Namespace) -> list[Latency]:
    if "latency" in arguments.skip or Medium.VIDEO not in arguments.only:
        return []
    return latency.measure_latency(arguments.cache, SIZES, latency.read_seeds(arguments.media))


def describe_setting(
    arguments: argparse.Namespace, trials: dict[Medium, dict[str, list[Trial]]]
) -> str:
    """Which files, which machine."""
    counts = []
    for medium, by_name in trials.items():
        ours_first = next(iter(by_name.values()))
        sources = {(trial.source, trial.is_registered) for trial in ours_first}
        works = sum(is_registered for _, is_registered in sources)
        counts.append(f"{works} {medium} works and {len(sources) - works} strangers")
    edits = "other parameters and combined edits" if arguments.odd else "the listed edits"
    return (
        f"Sources that were edited: {', '.join(counts)}; {edits}. One thread, "
        f"{platform.machine()}, Python {platform.python_version()}."
    )


def show_progress(label: str, items: Iterator[T]) -> Iterator[T]:
    """Pass the items on and count them on the terminal."""
    count = 0
    for count, item in enumerate(items, 1):
        print(f"\r{label}: {count}", end="", file=sys.stderr, flush=True)
        yield item
    print(f"\r{label}: {count} done", file=sys.stderr)


if __name__ == "__main__":
    main()
