"""One long film that shows parts of many registered works.

    PYTHONPATH=bench:scripts python -m fingerprint_bench.films MEDIA [--minutes M] [--works N]

The film is cut together out of parts of real clips and of rendered ones, each 2 to 8 s long and
some of them edited, with rendered footage between that is registered nowhere. Rendered works share
scenes in pairs: where the film shows such a scene, both works are right, and either is asked for.
Its frames go to the fingerprint algorithms as the decoder samples them, four a second, through
JPEG instead of a video codec: at 100 minutes the encoding would take longer than all the rest.

The whole film is one query to the index that the product uses.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import cv2
import numpy as np
from fingerprint_bench.bench_videos import ALGORITHMS
from fingerprint_bench.results import name_family, name_side
from fingerprint_bench.video_edits import LISTED, Clip, Moment, Picture, VideoEdit, read_clip
from render_media import draw_clip

from titledeed.fingerprinting.base import SAMPLE_PERIOD_S, Luma
from titledeed.fingerprinting.pictures.shots import ShotReader
from titledeed.matching.embedded import EmbeddedIndex
from titledeed.matching.held_codes import HeldCodes
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.interval import Interval
from titledeed.models.match import Query, Segment
from titledeed.models.primitives import RegistrationId
from titledeed.ports import IndexedWork

SIZE: Final = (480, 270)
DRAWN_SIZE: Final = (320, 180)
"""Of rendered footage before it is stretched; drawing takes most of the time."""

SCENE_S: Final = 7.0
SEGMENT_S_MIN, SEGMENT_S_MAX = 2.0, 8.0
CLIP_S_MAX: Final = 30.0
"""Of a real clip; the longer ones would take most of the memory."""

GAP_S_MAX: Final = 6.0
JPEG_QUALITY: Final = 70
EDITED_SHARE: Final = 0.5
OVERLAP_MIN: Final = 0.5
"""Of the shorter of two segments, for one to be the other."""

FIRST_STRANGER: Final = 1_000_000
STILL_EDITS: Final = tuple(e for e in LISTED if not e.in_film and e.share == 1 and e.speed == 1)


@dataclass(frozen=True, slots=True)
class Scene:
    """A part of a work that is without a cut to anything else.

    Attributes:
        span: seconds of the work, or more.
        works: names of those that show it.
        related: names of those that may have something in common with it.
    """

    span: Interval
    works: frozenset[str]
    related: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Work:
    """A clip to register; it is read, or rendered, whenever it is needed."""

    name: str
    read: Callable[[], Clip]
    scenes: tuple[Scene, ...]


@dataclass(frozen=True, slots=True)
class Planted:
    """A part of the film and the scene that it shows."""

    span: Interval
    scene: Scene
    edit: str

    def shows(self, name: str, segment: Segment) -> bool:
        """Whether a segment of that work lies here."""
        return name in self.scene.works and _is_same(segment.query, self.span)

    def allows(self, name: str, segment: Segment) -> bool:
        """Whether it does, or lies here and says no more than that something is in common."""
        is_common = name in self.scene.related and not segment.is_same_recording
        return self.shows(name, segment) or (is_common and _is_same(segment.query, self.span))


def measure_films(
    media: Path, *, minutes: float = 100.0, works: int = 1000, seed: int = 4
) -> dict[str, float]:
    """Precision and recall of segments of 2 s and more, and the CPU time of the one query.

    Args:
        media: a folder with a subfolder ``video``.
        minutes: of the film.
        works: registered; real ones first, the rest rendered.
        seed: decides the film.
    """
    chosen = list_works(sorted((media / "video").iterdir()), works)
    planted: list[Planted] = []
    film = fingerprint(show_film(chosen, minutes * 60, np.random.default_rng(seed), planted))
    found, cpu_s = search([fingerprint_work(work) for work in chosen], film)
    return rate(planted, found) | {"query_cpu_s": round(cpu_s, 1)}


def list_works(files: Sequence[Path], count: int) -> list[Work]:
    """Real works, and rendered ones of two scenes each, the first shared with a neighbour."""
    return [
        *(_real_work(file, files) for file in files[:count]),
        *(_rendered_work(number) for number in range(max(0, count - len(files)))),
    ]


def _real_work(file: Path, files: Sequence[Path]) -> Work:
    def read() -> Clip:
        return read_clip(file, seconds_max=CLIP_S_MAX)

    works = frozenset(f.name for f in files if name_family(f) == name_family(file))
    related = frozenset(f.name for f in files if name_side(f) == name_side(file)) - works
    return Work(file.name, read, (Scene(Interval(0.0, CLIP_S_MAX), works, related),))


def _rendered_work(number: int) -> Work:
    def read() -> Clip:
        return _render([number // 2 * 2, 2 * FIRST_STRANGER + number])

    pair = number // 2
    sharing = frozenset({f"rendered {2 * pair}", f"rendered {2 * pair + 1}"})
    name = f"rendered {number}"
    shared = Scene(Interval(0.0, SCENE_S), sharing)
    return Work(name, read, (shared, Scene(Interval(SCENE_S, 2 * SCENE_S), frozenset({name}))))


def _render(seeds: Iterable[int]) -> Clip:
    frames = [frame for seed in seeds for frame in _draw(seed, SCENE_S)]
    times_s = np.asarray(np.arange(len(frames)) * SAMPLE_PERIOD_S, np.float64)
    return Clip(times_s, frames, len(frames) * SAMPLE_PERIOD_S, 1 / SAMPLE_PERIOD_S)


@lru_cache(maxsize=2)
def _draw(seed: int, seconds: float) -> list[Picture]:
    drawn = draw_clip(seed, seconds=seconds, fps=1 / SAMPLE_PERIOD_S, size=DRAWN_SIZE)
    return [np.ascontiguousarray(frame[:, :, ::-1]) for frame in drawn]


def fingerprint_work(work: Work) -> IndexedWork:
    """The work's codes, as the index reads them."""
    clip = work.read()
    samples = (
        to_luma(clip.at(float(time_s))) for time_s in np.arange(0, clip.duration_s, SAMPLE_PERIOD_S)
    )
    return IndexedWork(RegistrationId(work.name), clip.duration_s, fingerprint(samples).codes)


def to_luma(picture: Picture) -> Luma:
    """Luma of limited range, as the decoder gives it, after JPEG."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    _, data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    coded = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.float32)
    return np.asarray(np.rint(coded * (219 / 255) + 16), np.uint8)


def fingerprint(samples: Iterable[Luma]) -> Query:
    """All visual codes of samples that are taken four a second."""
    reader = ShotReader([algorithm.start_coder() for algorithm in ALGORITHMS])
    for index, sample in enumerate(samples):
        reader.add_frame(index * SAMPLE_PERIOD_S, sample)
    codes: list[FingerprintCode | None] = [extraction.code for extraction in reader.finish()]
    return Query(tuple(code for code in codes if code is not None), reader.duration_s)


def show_film(
    works: Sequence[Work],
    seconds: float,
    generator: np.random.Generator,
    planted: list[Planted],
) -> Iterator[Luma]:
    """The film's samples, one after another.

    Args:
        works: what parts are taken from.
        seconds: it ends with the part that reaches so far.
        generator: decides everything.
        planted: what is in it is added here as it goes.
    """
    count = 0
    while count * SAMPLE_PERIOD_S < seconds:
        gap_s = float(generator.uniform(SAMPLE_PERIOD_S, GAP_S_MAX))
        gap = _draw(FIRST_STRANGER + len(planted), gap_s)
        work = works[int(generator.integers(len(works)))]
        scene = work.scenes[int(generator.integers(len(work.scenes)))]
        edited = generator.random() < EDITED_SHARE
        edit = STILL_EDITS[int(generator.integers(len(STILL_EDITS)))] if edited else VideoEdit("")
        clip = work.read()
        part_s = _choose(scene.span.start_s, min(scene.span.end_s, clip.duration_s), generator)
        part = list(_show(clip, part_s, edit, gap, generator))
        for picture in (*gap, *part):
            yield to_luma(np.asarray(cv2.resize(picture, SIZE), np.uint8))
        first, count = count + len(gap), count + len(gap) + len(part)
        span = Interval(first * SAMPLE_PERIOD_S, count * SAMPLE_PERIOD_S)
        planted.append(Planted(span, scene, edit.name))


def _choose(first_s: float, last_s: float, generator: np.random.Generator) -> Interval:
    length_s = min(last_s - first_s, float(generator.uniform(SEGMENT_S_MIN, SEGMENT_S_MAX)))
    start_s = float(generator.uniform(first_s, last_s - length_s))
    return Interval(start_s, start_s + length_s)


def _show(
    clip: Clip,
    part: Interval,
    edit: VideoEdit,
    others: Sequence[Picture],
    generator: np.random.Generator,
) -> Iterator[Picture]:
    times_s = np.arange(part.start_s, part.end_s - SAMPLE_PERIOD_S / 2, SAMPLE_PERIOD_S)
    for index, time_s in enumerate(times_s):
        picture = clip.at(float(time_s))
        for paint in edit.paint:
            picture = paint(picture, Moment(others[index % len(others)], generator))
        yield picture


def search(works: Sequence[IndexedWork], film: Query) -> tuple[list[tuple[str, Segment]], float]:
    """All segments with the names of their works, and the CPU seconds of the one query."""
    with TemporaryDirectory() as folder:
        index = EmbeddedIndex(source=HeldCodes(works), folder=Path(folder))
        index.keep()
        index.search(Query((), 0.0))  # Opens what was kept.
        start_s = time.process_time()
        matches = index.search(film)
        cpu_s = time.process_time() - start_s
    return [(str(m.registration_id), segment) for m in matches for segment in m.segments], cpu_s


def rate(planted: Sequence[Planted], found: Sequence[tuple[str, Segment]]) -> dict[str, float]:
    """A segment is right if it lies on a planted one that its work shows."""
    right = sum(any(part.allows(name, one) for part in planted) for name, one in found)
    seen = sum(any(part.shows(name, one) for name, one in found) for part in planted)
    return {
        "precision": round(right / max(1, len(found)), 4),
        "recall": round(seen / max(1, len(planted)), 4),
        "segments": len(planted),
    }


def _is_same(span: Interval, other: Interval) -> bool:
    return span.overlap_s(other) >= OVERLAP_MIN * min(span.duration_s, other.duration_s)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="One long film that shows many works.")
    parser.add_argument("media", type=Path)
    parser.add_argument("--minutes", type=float, default=100.0)
    parser.add_argument("--works", type=int, default=1000)
    arguments = parser.parse_args()
    rates = measure_films(arguments.media, minutes=arguments.minutes, works=arguments.works)
    print(json.dumps(rates))
