"""One long film that shows parts of many registered works.

    python scripts/fingerprint_bench/films.py MEDIA [--minutes M] [--works N]

The film is cut together out of parts of real clips and of rendered ones, each 2 to 8 s long and
some of them edited, with rendered footage between that is registered nowhere. Rendered works share
scenes in pairs: where the film shows such a scene, both works are right, and either is asked for.
Its frames go to the fingerprint algorithms as the decoder samples them, four a second, through
JPEG instead of a video codec: at 100 minutes the encoding would take longer than all the rest.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from fingerprint_bench.bench_videos import ALGORITHMS, decode_all
from fingerprint_bench.results import name_family
from fingerprint_bench.video_edits import LISTED, Clip, Moment, VideoEdit, read_clip
from render_media import draw_clip

from titledeed.fingerprinting.base import SAMPLE_PERIOD_S, Luma
from titledeed.fingerprinting.shots import ShotReader
from titledeed.matching.pictures import PictureCodes
from titledeed.matching.views import View, VisualSegment, look_up, view_query
from titledeed.matching.visual import match_work
from titledeed.models.interval import Interval

SIZE: Final = (480, 270)
SCENE_S: Final = 7.0
SEGMENT_S_MIN, SEGMENT_S_MAX = 2.0, 8.0
GAP_S_MAX: Final = 6.0
JPEG_QUALITY: Final = 70
EDITED_SHARE: Final = 0.5
OVERLAP_MIN: Final = 0.5
"""Of the shorter of two segments, for one to be the other."""

WINDOW_S: Final = 120.0
"""The film is laid upon each work in stretches of this length, which overlap."""

WINDOW_OVERLAP_S: Final = 16.0
STILL_EDITS: Final = tuple(e for e in LISTED if not e.in_film and e.share == 1 and e.speed == 1)


Stretch = tuple[tuple[View, ...], float]
"""A stretch of the film as a query, and its first second."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A part of the film and the works that show the same."""

    span: Interval
    works: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """A registered clip; ``sharing`` are the works with its first scene, itself included."""

    name: str
    view: View
    clip: Clip
    sharing: tuple[str, ...]


def measure_films(
    media: Path, *, minutes: float = 100.0, works: int = 1000, seed: int = 4
) -> dict[str, float]:
    """Precision and recall of segments of 2 s and more.

    Args:
        media: a folder with a subfolder ``video``.
        minutes: of the film.
        works: registered; real ones first, the rest rendered.
        seed: decides the film.
    """
    generator = np.random.default_rng(seed)
    registered = list(_register(sorted((media / "video").iterdir()), works))
    frames, planted = _assemble(registered, minutes * 60, generator)
    film = _cut(frames)
    found = [(work.name, segment) for work in registered for segment in _search(film, work.view)]
    return _rate(planted, found)


def _register(files: Sequence[Path], count: int) -> Iterator[Work]:
    for file in files[:count]:
        clip = read_clip(file, seconds_max=30)
        sharing = tuple(f.name for f in files if name_family(f) == name_family(file))
        yield Work(file.name, _view(_sample(clip), clip.duration_s), clip, sharing)
    for number in range(max(0, count - len(files))):
        pair = number // 2
        scenes = (("shared", pair), ("own", number))
        clip = _render([hash_seed(*scene) for scene in scenes])
        name = f"rendered {number}"
        sharing = (f"rendered {2 * pair}", f"rendered {2 * pair + 1}")
        yield Work(name, _view(_sample(clip), clip.duration_s), clip, sharing)


def hash_seed(kind: str, number: int) -> int:
    """A seed for one scene."""
    return 2 * number + (kind == "own")


def _render(seeds: Sequence[int]) -> Clip:
    frames = [
        np.ascontiguousarray(frame[:, :, ::-1])
        for seed in seeds
        for frame in draw_clip(seed, seconds=SCENE_S, fps=4, size=SIZE)
    ]
    times_s = np.arange(len(frames)) * SAMPLE_PERIOD_S
    return Clip(np.asarray(times_s, np.float64), frames, len(frames) * SAMPLE_PERIOD_S, 4.0)


def _sample(clip: Clip) -> Iterator[Luma]:
    for time_s in np.arange(0, clip.duration_s, SAMPLE_PERIOD_S):
        yield to_luma(clip.at(float(time_s)))


def to_luma(picture: Luma) -> Luma:
    """Luma of limited range, as the decoder gives it, after JPEG."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    _, data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    coded = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.float32)
    return np.asarray(np.rint(coded * (219 / 255) + 16), np.uint8)


def _codes(frames: Iterator[Luma]) -> PictureCodes:
    reader = ShotReader([algorithm.start_coder() for algorithm in ALGORITHMS])
    for index, frame in enumerate(frames):
        reader.add_frame(index * SAMPLE_PERIOD_S, frame)
    return decode_all([extraction.code for extraction in reader.finish()])


def _view(frames: Iterator[Luma], duration_s: float) -> View:
    return View(_codes(frames), duration_s=duration_s)


def _assemble(
    works: Sequence[Work], seconds: float, generator: np.random.Generator
) -> tuple[list[Luma], list[Planted]]:
    """The film's samples and what is planted in it."""
    frames: list[Luma] = []
    planted: list[Planted] = []
    while len(frames) * SAMPLE_PERIOD_S < seconds:
        gap_s = float(generator.uniform(0, GAP_S_MAX))
        stranger = draw_clip(10**6 + len(planted), seconds=gap_s, fps=4, size=SIZE)
        frames += [to_luma(np.ascontiguousarray(frame[:, :, ::-1])) for frame in stranger]
        work = works[int(generator.integers(len(works)))]
        edited = generator.random() < EDITED_SHARE
        edit = STILL_EDITS[int(generator.integers(len(STILL_EDITS)))] if edited else VideoEdit("")
        part = _choose(work.clip, generator)
        first_s = len(frames) * SAMPLE_PERIOD_S
        frames += list(_show(work.clip, part, edit, generator))
        span = Interval(first_s, len(frames) * SAMPLE_PERIOD_S)
        sharing = work.sharing if part.end_s <= SCENE_S else (work.name,)
        planted.append(Planted(span, sharing))
    return frames, planted


def _choose(clip: Clip, generator: np.random.Generator) -> Interval:
    """A part that stays within one scene of a rendered work."""
    length_s = min(clip.duration_s, float(generator.uniform(SEGMENT_S_MIN, SEGMENT_S_MAX)))
    is_rendered = clip.fps == 1 / SAMPLE_PERIOD_S and clip.duration_s == 2 * SCENE_S
    room_s = SCENE_S if is_rendered else clip.duration_s
    length_s = min(length_s, room_s)
    base_s = float(generator.integers(2)) * SCENE_S if is_rendered else 0.0
    start_s = base_s + float(generator.uniform(0, room_s - length_s))
    return Interval(start_s, start_s + length_s)


def _show(
    clip: Clip, part: Interval, edit: VideoEdit, generator: np.random.Generator
) -> Iterator[Luma]:
    for time_s in np.arange(part.start_s, part.end_s - SAMPLE_PERIOD_S / 2, SAMPLE_PERIOD_S):
        picture = clip.at(float(time_s))
        other = np.ascontiguousarray(picture[::-1, :, ::-1])
        for paint in edit.paint:
            picture = paint(picture, Moment(other, generator))
        yield to_luma(np.asarray(cv2.resize(picture, SIZE), np.uint8))


def _search(film: Sequence[Stretch], work: View) -> Iterator[VisualSegment]:
    """All segments of one work that count as matches, stretch by stretch."""
    for view, start_s in film:
        for segment in match_work(view, work, look_up(view, work)):
            if segment.worth >= 1 and segment.query.duration_s >= SEGMENT_S_MIN / 2:
                yield replace(segment, query=_shift(segment.query, start_s))


def _shift(span: Interval, seconds: float) -> Interval:
    return Interval(span.start_s + seconds, span.end_s + seconds)


def _cut(frames: Sequence[Luma]) -> list[Stretch]:
    """The film in stretches, each coded by itself."""
    length, step = (round(s / SAMPLE_PERIOD_S) for s in (WINDOW_S, WINDOW_S - WINDOW_OVERLAP_S))
    stretches = []
    for first in range(0, len(frames), step):
        part = frames[first : first + length]
        views = view_query(_codes(iter(part)), len(part) * SAMPLE_PERIOD_S)
        stretches.append((views, first * SAMPLE_PERIOD_S))
    return stretches


def _rate(
    planted: Sequence[Planted], found: Sequence[tuple[str, VisualSegment]]
) -> dict[str, float]:
    """A segment is right if it lies on a planted one that its work shows."""
    right = sum(
        any(name in part.works and _is_same(segment.query, part.span) for part in planted)
        for name, segment in found
    )
    seen = sum(
        any(name in part.works and _is_same(segment.query, part.span) for name, segment in found)
        for part in planted
    )
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
