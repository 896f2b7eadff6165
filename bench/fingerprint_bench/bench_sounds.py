"""Recall, alignment and cost of our sound fingerprints alone: fast, for work on the algorithm.

The table that is published comes from ``bench_fingerprints.py``, where ours and the peers answer
the same queries.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time
from typing import Final

from fingerprint_bench.queries import build_queries
from fingerprint_bench.results import (
    Answer,
    Medium,
    Trial,
    measure_recall,
    run_contest,
)
from fingerprint_bench.sound_edits import read_sound

from titledeed.fingerprinting.sound.landmarks import SoundLandmarks
from titledeed.fingerprinting.sound.peaks import SAMPLE_RATE_HZ, SoundPeaks
from titledeed.matching.sound.search import index_entries, search_sounds
from titledeed.matching.tables.posting_table import PostingTable
from titledeed.models.match import Channel, Segment

MINUTE_S: Final = 60.0


class SoundContestant:
    """Implements ``Contestant`` with nothing but peaks; the score is the bare evidence."""

    name = "titledeed.landmarks"

    def __init__(self, folder: Path) -> None:
        self._index = PostingTable(folder)
        self._works: list[tuple[str, SoundPeaks]] = []

    def register(self, work: Path) -> None:
        """Add a work; one without evidence is never found."""
        peaks = extract_peaks(work)
        if peaks is not None:
            self._index.append(len(self._works), *index_entries(peaks))
            self._works.append((work.name, peaks))

    def search(self, query: Path) -> Answer:
        """The work with the most evidence, and its surest segment."""
        peaks = extract_peaks(query)
        matches = (
            search_sounds(peaks, self._index.view().look_up, self._read)
            if peaks is not None
            else []
        )
        if not matches:
            return Answer()
        best = max(matches[0].segments, key=lambda segment: segment.evidence)
        segment = Segment(best.query, best.work, best.speed, mirrored=False, channel=Channel.SOUND)
        return Answer(self._works[matches[0].owner][0], best.evidence, segment)

    def _read(self, owner: int) -> SoundPeaks:
        return self._works[owner][1]


def extract_peaks(path: Path) -> SoundPeaks | None:
    """Decoded code of a file, or None where its sound carries no evidence."""
    extractor = SoundLandmarks().start()
    extractor.add_samples(read_sound(path, rate_hz=SAMPLE_RATE_HZ))
    code = extractor.finish().code
    return None if code is None else SoundLandmarks().decode(code.code)


def run_sounds(media: Path, cache: Path, *, share: float = 1.0, odd: bool) -> Iterator[Trial]:
    """Our trials over the edits of the table, or the odd ones."""
    works, queries = build_queries(Medium.SOUND, media, cache, share=share, odd=odd)
    with TemporaryDirectory() as folder:
        yield from run_contest(SoundContestant(Path(folder)), works, queries)


def measure_sound_costs(media: Path) -> dict[str, float]:
    """Bytes per minute, and milliseconds of processor time per second of sound."""
    seconds = size = spent_s = 0.0
    for file in sorted((media / "audio").iterdir()):
        samples = read_sound(file, rate_hz=SAMPLE_RATE_HZ)
        began_s = process_time()
        extractor = SoundLandmarks().start()
        extractor.add_samples(samples)
        code = extractor.finish().code
        spent_s += process_time() - began_s
        seconds += len(samples) / SAMPLE_RATE_HZ
        size += len(code.code) if code is not None else 0
    return {
        "sound_bytes_per_minute": size / seconds * MINUTE_S,
        "sound_ms_per_second": 1000 * spent_s / seconds,
    }


def main() -> None:
    """Print recall by edit: ``python -m fingerprint_bench.bench_sounds MEDIA CACHE``."""
    media, cache = Path(sys.argv[1]), Path(sys.argv[2])
    for odd in (False, True):
        trials = list(run_sounds(media, cache, odd=odd))
        recall = measure_recall(trials)
        for edit, found in recall.by_edit.items():
            print(f"{edit:30} {found:.3f}")
        ends = [e for t in trials for e in (t.start_error_s, t.end_error_s) if e is not None]
        print(
            f"mean {recall.mean:.3f}, worst {recall.worst}, evidence over {recall.threshold:.1f}, "
            f"{recall.false_accepts} of {recall.distractor_queries} strangers accepted, "
            f"ends off by {median(ends):.3f} s (median)\n"
        )
    print(measure_sound_costs(media))


if __name__ == "__main__":
    main()
