"""Thresholds of the matchers, from material that is registered nowhere.

    PYTHONPATH=scripts python bench/calibrate_fingerprints.py [--calibration N] [--share S]

Half of the real media are registered; the other half under random crops and grades, rendered
material and noise are searched for (see ``fingerprint_bench.background``). Writes
``registry/titledeed/matching/thresholds-N.json`` with the thresholds, the background they were
measured on, and the false accepts. Can be interrupted: what was observed is kept in the cache
folder until the code changes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

from fingerprint_bench.background import (
    Stranger,
    count_rows,
    draw_strangers,
    fingerprint_stranger,
)
from fingerprint_bench.calibration import (
    Observation,
    count_false_accepts,
    describe_calibration,
    find_thresholds,
    sum_up,
)
from fingerprint_bench.examiners import SoundExaminer, StillExaminer, VideoExaminer
from fingerprint_bench.journal import Journal
from fingerprint_bench.queries import FOLDERS
from fingerprint_bench.results import Examiner, Medium, split_media
from generated_files import write_or_check

from titledeed.matching.thresholds import CALIBRATION, FalseAccepts, Material

ROOT: Final = Path(__file__).resolve().parent.parent
CORE: Final = ROOT / "registry" / "titledeed"
BENCH: Final = Path(__file__).resolve().parent / "fingerprint_bench"
SOURCES: Final = (
    *(CORE / package for package in ("fingerprinting", "matching", "media")),
    *(BENCH / f"{name}.py" for name in ("background", "examiners", "results")),
    *sorted(BENCH.glob("bench_*.py")),
)
CODES_MIN: Final = 100_000
QUERIES: Final = {Medium.PICTURES: 3_000, Medium.VIDEO: 1_500, Medium.SOUND: 1_500}
EXAMINERS: Final[dict[Medium, Callable[[], Examiner]]] = {
    Medium.PICTURES: StillExaminer,
    Medium.VIDEO: VideoExaminer,
    Medium.SOUND: SoundExaminer,
}


def main() -> None:
    """Observe, calibrate, write."""
    parser = argparse.ArgumentParser(description="Thresholds from unregistered material.")
    parser.add_argument("--media", type=Path, default=ROOT.parent / "shared" / "media")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "fingerprint-bench")
    parser.add_argument("--calibration", type=int, default=CALIBRATION)
    parser.add_argument(
        "--share", type=float, default=1.0, help="of the queries; below 1 is provisional"
    )
    arguments = parser.parse_args()
    thresholds: dict[str, float] = {}
    false_accepts: dict[str, FalseAccepts] = {}
    background: list[Material] = []
    for medium in Medium:
        examiner = EXAMINERS[medium]()
        observations = list(observe(medium, examiner, arguments))
        thresholds |= find_thresholds(observations, examiner.floors)
        false_accepts[medium] = count_false_accepts(observations, examiner.floors)
        background += sum_up(observations)
    codes = sum(material.codes for material in background)
    if codes < CODES_MIN and arguments.share == 1:
        sys.exit(f"only {codes:,} codes of background; {CODES_MIN:,} are the least")
    document = describe_calibration(
        calibration=arguments.calibration,
        is_provisional=arguments.share < 1,
        background=background,
        thresholds=thresholds,
        false_accepts=false_accepts,
    )
    text = json.dumps(document, indent=2) + "\n"
    print(text)
    file = CORE / "matching" / f"thresholds-{arguments.calibration}.json"
    write_or_check({file: text}, check=False)


def observe(
    medium: Medium, examiner: Examiner, arguments: argparse.Namespace
) -> Iterator[Observation]:
    """What each stranger of one medium found."""
    works, files = split_folder(arguments.media, medium)
    if medium is Medium.PICTURES:
        works += split_folder(arguments.media, Medium.VIDEO)[0]
    count = round(QUERIES[medium] * arguments.share)
    journal = Journal(arguments.cache / "strangers", f"{medium}-{count}", sources=SOURCES)
    is_registered = False
    for number, stranger in enumerate(draw_strangers(medium, files, count=count)):
        if str(number) not in journal:
            if not is_registered:
                for work in works:
                    examiner.register(work)
                is_registered = True
            journal.add(str(number), asdict(examine(examiner, stranger)))
        print(f"\r{medium}: {number + 1}", end="", file=sys.stderr, flush=True)
        yield Observation(**journal[str(number)])
    print(file=sys.stderr)


def split_folder(media: Path, medium: Medium) -> tuple[list[Path], list[Path]]:
    """Works and strangers of one medium; an animated GIF would be registered as a picture."""
    files = (media / FOLDERS[medium]).iterdir()
    return split_media(file for file in files if file.suffix != ".gif")


def examine(examiner: Examiner, stranger: Stranger) -> Observation:
    """Search for one stranger."""
    query = fingerprint_stranger(stranger)
    return Observation(
        material=stranger.material,
        source=stranger.source,
        codes=count_rows(query),
        evidence=dict(examiner.examine(query)),
    )


if __name__ == "__main__":
    main()
