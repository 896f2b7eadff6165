"""What the evidence of our picture codes is worth: each query against each work, exhaustively.

    PYTHONPATH=bench:scripts python -m fingerprint_bench.bench_pictures [--share S] [--odd]

No index and no calibration take part: each kind of evidence is judged alone by the loosest
threshold at which at most one in a thousand distractor queries finds anything, then all together.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from fingerprint_bench.queries import build_queries
from fingerprint_bench.results import (
    Answer,
    Medium,
    Query,
    Recall,
    judge,
    loosest_threshold,
    measure_recall,
)
from PIL import Image

from titledeed.fingerprinting.pictures.local import Local
from titledeed.fingerprinting.pictures.regions import Regions
from titledeed.fingerprinting.pictures.shots import ShotReader
from titledeed.fingerprinting.pictures.video_dct import VideoDct
from titledeed.matching.pictures.codes import PictureCodes, read_picture_codes
from titledeed.matching.pictures.evidence import (
    FRAMES,
    LOCAL,
    REGIONS,
    compare_pictures,
)
from titledeed.models.match import Query as SearchQuery

ROOT: Final = Path(__file__).resolve().parents[2]
FLOORS: Final = MappingProxyType({FRAMES: 40.0, REGIONS: 40.0, LOCAL: 3.0})
"""Less is told by no index: a third of the way from chance to equality; three points beyond two."""

ALL_KINDS: Final = "all kinds"

Best = Mapping[str, tuple[float, str]]
"""By kind, the strongest evidence and the work that gave it."""


class PictureExaminer:
    """Implements ``Examiner`` for pictures."""

    floors: Mapping[str, float] = FLOORS

    def __init__(self) -> None:
        self._works: dict[str, PictureCodes] = {}

    def register(self, work: Path) -> None:
        """Add a picture file."""
        self._works[work.name] = read_file(work)

    def examine(self, query: SearchQuery) -> Mapping[str, float]:
        """The strongest evidence that any work gives."""
        found = self.search(read_picture_codes(query.codes))
        return {kind: evidence for kind, (evidence, _) in found.items()}

    def search(self, query: PictureCodes) -> Best:
        """The strongest evidence above its floor, and whose it is."""
        best: dict[str, tuple[float, str]] = {}
        for name, work in self._works.items():
            for kind, evidence in compare_pictures(query, work).numbers.items():
                if evidence >= max(FLOORS[kind], best.get(kind, (0.0, ""))[0]):
                    best[kind] = (evidence, name)
        return best


@dataclass(frozen=True, slots=True)
class Finding:
    """What one query found."""

    query: Query
    best: Best


def read_file(path: Path) -> PictureCodes:
    """Our codes of a picture file."""
    with Image.open(path) as picture:
        luma = np.asarray(picture.convert("L"))
    reader = ShotReader([a.start_coder() for a in (VideoDct(), Regions(), Local())])
    reader.add_frame(0.0, luma)
    return read_picture_codes([found.code for found in reader.finish() if found.code])


def search_all(works: Iterable[Path], queries: Iterable[Query]) -> Iterator[Finding]:
    """Register the works, then search with every query."""
    examiner = PictureExaminer()
    for work in works:
        examiner.register(work)
    for query in queries:
        yield Finding(query, examiner.search(read_file(query.path)))


def measure_kinds(findings: list[Finding]) -> dict[str, Recall]:
    """Recall by each kind of evidence alone, and by the strongest in units of its threshold."""
    thresholds = {
        kind: loosest_threshold(
            [f.best.get(kind, (0.0, ""))[0] for f in findings if not f.query.is_registered]
        )
        for kind in FLOORS
    }
    single = {kind: {kind: max(limit, FLOORS[kind])} for kind, limit in thresholds.items()}
    together = {kind: limit for limits in single.values() for kind, limit in limits.items()}
    return {
        name: measure_recall([judge(name, f.query, answer(f.best, limits)) for f in findings])
        for name, limits in {**single, ALL_KINDS: together}.items()
    }


def answer(best: Best, thresholds: Mapping[str, float]) -> Answer:
    """The work with the strongest evidence in units of its threshold."""
    scores = [
        (best[kind][0] / limit, best[kind][1]) for kind, limit in thresholds.items() if kind in best
    ]
    score, work = max(scores, default=(0.0, ""))
    return Answer(work, score)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Evidence of picture codes, exhaustively.")
    parser.add_argument("--media", type=Path, default=ROOT.parent / "shared" / "media")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "fingerprint-bench")
    parser.add_argument("--share", type=float, default=1.0, help="of the source files, 0 to 1")
    parser.add_argument("--odd", action="store_true", help="other and combined edits")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    works, queries = build_queries(
        Medium.PICTURES,
        arguments.media,
        arguments.cache,
        share=arguments.share,
        odd=arguments.odd,
    )
    for name, recall in measure_kinds(list(search_all(works, queries))).items():
        weak = {edit: round(share, 2) for edit, share in recall.by_edit.items() if share < 1}
        print(
            f"{name}: mean {recall.mean:.4f}, threshold {recall.threshold:.2f},"
            f" {recall.false_accepts} of {recall.distractor_queries} accepted; {weak}"
        )


if __name__ == "__main__":
    main()
