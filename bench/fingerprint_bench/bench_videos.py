"""How well edited clips are found and timed: ours, over the files that the peers read too.

    PYTHONPATH=bench:scripts python -m fingerprint_bench.bench_videos MEDIA CACHE [--odd] [...]

Half of the media is registered, the other half goes through the same edits and must find nothing.
Animated GIFs count as clips: they are transcoded once, since a registry reads a GIF as a picture.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from fingerprint_bench.results import (
    Answer,
    Query,
    Trial,
    measure_recall,
    name_family,
    run_contest,
    split_media,
)
from fingerprint_bench.video_edits import (
    LISTED,
    ODD,
    QUERY_S_MAX,
    Clip,
    VideoEdit,
    edit_clip,
    read_clip,
    write_frames,
)

from titledeed.fingerprinting.pictures.local import Local
from titledeed.fingerprinting.pictures.regions import Regions
from titledeed.fingerprinting.pictures.shots import ShotReader
from titledeed.fingerprinting.pictures.video_dct import VideoDct
from titledeed.matching.pictures.codes import PictureCodes
from titledeed.matching.pictures.views import View, VisualSegment, look_up, view_query
from titledeed.matching.pictures.visual import match_work
from titledeed.matching.thresholds import Thresholds, load_thresholds
from titledeed.media.decoding import MediaLimits, decode
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.interval import Interval
from titledeed.models.match import Segment

FILL_SHARE: Final = 12
"""One file in so many is neither registered nor a stranger: it is the other footage."""

GIF_CRF: Final = 16

MOTION_SIZE: Final = (64, 36)
MOTION_MIN: Final = 3.0
"""Grey levels in a second; in stiller footage one offset is as right as another."""

LIMITS: Final = MediaLimits(size_bytes_max=2**40, pixels_max=2**30, duration_s_max=86_400)

ALGORITHMS: Final = (VideoDct(), Regions(), Local())


def build_queries(
    media: Path,
    cache: Path,
    *,
    share: float = 1.0,
    odd: bool = False,
    seconds_max: float = QUERY_S_MAX,
) -> tuple[list[Path], list[Query]]:
    """Registered files, and edited copies of these and of strangers, written where missing.

    Args:
        media: a folder with a subfolder ``video``.
        cache: where the edited files are kept; may be used again.
        share: of the files that are edited; all works are registered all the same.
        odd: the odd and combined edits instead of the listed ones.
        seconds_max: of the source in one query.
    """
    files = _list_files(media / "video", cache / "works")
    fills = [file for file in files if _draw(file.name) % FILL_SHARE == 0]
    # One film in two sizes is one work: either name would be a right answer.
    works, strangers = (
        list({name_family(file): file for file in half}.values())
        for half in split_media(file for file in files if file not in fills)
    )
    others = [read_clip(file, seconds_max=QUERY_S_MAX) for file in fills]
    queries = []
    for file in (*works, *strangers):
        if _draw(file.name) % 1000 >= 1000 * share:
            continue
        source = _Source(file, others, cache / "queries", seconds_max)
        edits = ODD if odd else LISTED
        queries += [source.edit(edit, is_registered=file in works) for edit in edits]
    return list(works), queries


def _list_files(folder: Path, transcoded: Path) -> list[Path]:
    transcoded.mkdir(parents=True, exist_ok=True)
    files = []
    for path in sorted(folder.iterdir()):
        if path.suffix != ".gif":
            files.append(path)
            continue
        file = transcoded / f"{path.stem}.mp4"
        if not file.exists():
            clip = read_clip(path)
            write_frames(file, iter(clip.frames), fps=clip.fps, crf=GIF_CRF)
        files.append(file)
    return files


def _draw(text: str) -> int:
    return zlib.crc32(text.encode())


class _Source:
    """One file and its edited copies; decoded only if a copy is missing."""

    def __init__(self, file: Path, others: list[Clip], folder: Path, seconds_max: float) -> None:
        self._file, self._others, self._folder = file, others, folder
        self._seconds_max = seconds_max
        self._clip: Clip | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def edit(self, edit: VideoEdit, *, is_registered: bool) -> Query:
        """Write the copy, unless it is there, and its truth beside it."""
        name = f"{self._file.stem}~{edit.name.replace('/', ' ')}~{self._seconds_max:g}"
        path, truth = self._folder / f"{name}.mp4", self._folder / f"{name}.json"
        if not truth.exists():
            self._clip = self._clip or read_clip(self._file)
            other = self._others[_draw(name) % len(self._others)]
            edited = edit_clip(
                edit, self._file.name, self._clip, other, seconds_max=self._seconds_max
            )
            edited.write(path)
            motion = measure_motion(self._clip)
            truth.write_text(json.dumps({"motion": motion, **asdict(edited.truth)}))
        fields = json.loads(truth.read_text())
        segment = Segment(
            query=Interval(**fields["query"]),
            work=Interval(**fields["work"]),
            speed=fields["speed"],
            mirrored=fields["mirrored"],
        )
        is_timed = fields["motion"] >= MOTION_MIN
        return Query(path, edit.name, self._file.name, is_registered, segment if is_timed else None)


def measure_motion(clip: Clip) -> float:
    """Median difference of what is shown 1 s apart, in grey levels of 255."""
    greys = [
        cv2.resize(cv2.cvtColor(clip.at(float(second)), cv2.COLOR_BGR2GRAY), MOTION_SIZE)
        for second in np.arange(0, clip.duration_s)
    ]
    pairs = itertools.pairwise(np.asarray(greys, np.float32))
    return round(statistics.median([float(np.abs(b - a).mean()) for a, b in pairs] or [0.0]), 2)


def fingerprint(path: Path) -> PictureCodes:
    """Decoded visual codes of a file, through the library's own decoding."""
    reader = ShotReader([algorithm.start_coder() for algorithm in ALGORITHMS])
    with path.open("rb") as file:
        decode(file, limits=LIMITS, frame_sinks=[reader], sample_sinks=[], report=lambda _: None)
    return decode_all([extraction.code for extraction in reader.finish()])


def decode_all(codes: Iterable[FingerprintCode | None]) -> PictureCodes:
    """The visual codes among those of a file, decoded."""
    by_id = {code.algorithm: code.code for code in codes if code is not None}
    frames, regions, local = ALGORITHMS
    return PictureCodes(
        frames.decode(by_id[frames.id]) if frames.id in by_id else None,
        regions.decode(by_id[regions.id]) if regions.id in by_id else None,
        local.decode(by_id[local.id]) if local.id in by_id else None,
    )


class TitledeedVideos:
    """Ours, by exhaustive comparison with every work."""

    name = "Titledeed"

    def __init__(self) -> None:
        self._works: dict[str, View] = {}
        self._thresholds = load_thresholds()

    def register(self, work: Path) -> None:
        """Add a work."""
        self._works[work.name] = View(fingerprint(work))

    def search(self, query: Path) -> Answer:
        """The best work and its strongest segment."""
        views = view_query(fingerprint(query))
        best = Answer()
        for name, work in self._works.items():
            for segment in match_work(views, work, look_up(views, work)):
                score = score_segment(segment, self._thresholds)
                if score > best.score:
                    best = Answer(name, score, _to_segment(segment))
        return best


def score_segment(segment: VisualSegment, thresholds: Thresholds) -> float:
    """The calibrated score, or a provisional one before there is a calibration."""
    if set(segment.evidence) <= set(thresholds.by_kind):
        return thresholds.score(segment.evidence)
    return segment.worth


def _to_segment(segment: VisualSegment) -> Segment:
    return Segment(
        query=segment.query,
        work=segment.work,
        speed=segment.speed,
        mirrored=segment.orientation.mirrored,
        is_same_recording=segment.is_same_recording,
    )


class VideoExaminer:
    """The strongest raw evidence of each kind that anything registered gives to a query."""

    floors: Mapping[str, float] = dict.fromkeys(load_thresholds().by_kind, 0.0)

    def __init__(self) -> None:
        self._works: list[View] = []

    def register(self, path: Path) -> None:
        """Add a work."""
        self._works.append(View(fingerprint(path)))

    def examine(self, codes: Sequence[FingerprintCode]) -> dict[str, float]:
        """Raw evidence by kind, the strongest over all works."""
        strongest = dict(self.floors)
        views = view_query(decode_all(codes))
        for work in self._works:
            for segment in match_work(views, work, look_up(views, work)):
                for kind, value in segment.evidence.items():
                    strongest[kind] = max(strongest[kind], value)
        return strongest


def measure_alignment(trials: Sequence[Trial]) -> dict[str, float]:
    """Errors of the worse end of the segments found, in seconds.

    Args:
        trials: of clips with motion; in still footage every offset is as right as any other.
    """
    errors = sorted(
        max(trial.start_error_s, trial.end_error_s)
        for trial in trials
        if trial.start_error_s is not None and trial.end_error_s is not None
    )
    return {
        "alignment_median_s": round(statistics.median(errors), 3),
        "alignment_p95_s": round(errors[int(0.95 * (len(errors) - 1))], 3),
    }


def run(media: Path, cache: Path, *, share: float, odd: bool) -> Iterator[Trial]:
    """All trials of ours."""
    works, queries = build_queries(media, cache, share=share, odd=odd)
    yield from run_contest(TitledeedVideos(), works, queries)


def main() -> None:
    """Print recall by edit and the alignment errors."""
    parser = argparse.ArgumentParser(description="How well edited clips are found and timed.")
    parser.add_argument("media", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--odd", action="store_true")
    arguments = parser.parse_args()
    trials = list(run(arguments.media, arguments.cache, share=arguments.share, odd=arguments.odd))
    recall = measure_recall(trials)
    for edit, found in recall.by_edit.items():
        print(f"{edit:28} {found:5.3f}")
    print(f"mean {recall.mean:.3f}, threshold {recall.threshold:.3f}", measure_alignment(trials))


if __name__ == "__main__":
    main()
