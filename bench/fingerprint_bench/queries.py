"""The edited files that all contestants are asked about, written once to a folder.

Half of the real media are works, half strangers; both go through the same edits. What is pasted
beside or behind a source is always a stranger, so that it can be no match itself.
"""

from __future__ import annotations

import json
import re
import wave
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Final

import av
import numpy as np
from fingerprint_bench import bench_videos, picture_edits, sound_edits, video_edits
from fingerprint_bench.journal import digest_sources
from fingerprint_bench.results import Medium, Query, split_media
from PIL import Image, ImageOps

from titledeed.models.interval import Interval
from titledeed.models.match import Segment

FOLDERS: Final = {Medium.PICTURES: "images", Medium.VIDEO: "video", Medium.SOUND: "audio"}
SUFFIXES: Final = {Medium.PICTURES: ".png", Medium.SOUND: ".wav"}
SOUNDTRACK_S_MIN: Final = 5.0

_Write = Callable[[Path], Segment | None]
"""Writes an edited file; tells where the source lies in it, if that can be told."""

_OPENED_MAX: Final = 2
"""Sources kept: one goes through all edits, and the other one behind a picture."""


def build_queries(
    medium: Medium, media: Path, cache: Path, *, share: float = 1.0, odd: bool = False
) -> tuple[list[Path], Iterator[Query]]:
    """The works, and the queries, each written when it is asked for.

    Args:
        medium: of works and queries.
        media: folder of the real media.
        cache: where edited files are kept; what exists is made again only if the edits change.
        share: of the sources that are edited; all works are registered all the same.
        odd: other parameters and combined edits instead of the listed ones.
    """
    folder = cache / f"{medium}-{digest_sources([_EDITS[medium]])}"
    if medium is Medium.VIDEO:
        clips, copies = bench_videos.build_queries(media, folder, share=share, odd=odd)
        return clips, iter(copies)
    works, strangers = split_media((media / FOLDERS[medium]).iterdir())
    others = strangers
    if medium is Medium.SOUND:
        strangers = strangers + [v for v in sorted((media / "video").iterdir()) if _hums(v)]
    sources = [(w, True) for w in _thin(works, share)]
    sources += [(stranger, False) for stranger in _thin(strangers, share)]
    return works, _iter_queries(medium, sources, others, folder, odd=odd)


def _thin(files: Sequence[Path], share: float) -> list[Path]:
    count = max(1, round(len(files) * share))
    return [files[round(row)] for row in np.linspace(0, len(files) - 1, count)]


def _hums(video: Path) -> bool:
    with av.open(video) as container:
        tracks = container.streams.audio
        return bool(tracks) and (container.duration or 0) / av.time_base >= SOUNDTRACK_S_MIN


def _iter_queries(
    medium: Medium,
    sources: Iterable[tuple[Path, bool]],
    others: Sequence[Path],
    folder: Path,
    *,
    odd: bool,
) -> Iterator[Query]:
    folder.mkdir(parents=True, exist_ok=True)
    for number, (source, is_registered) in enumerate(sources):
        other = next(file for file in (*others[number % len(others) :], *others) if file != source)
        for name, write in _EDIT[medium](source, other, odd=odd).items():
            path = folder / f"{_slug(name)}--{source.stem}{SUFFIXES[medium]}"
            told = path.with_suffix(".json")
            if not told.is_file():
                truth = write(path)
                told.write_text(json.dumps(truth and asdict(truth)))
            yield Query(path, name, source.name, is_registered, read_truth(told))


def read_truth(file: Path) -> Segment | None:
    """Where the source lies in an edited file, as it was told when that was written."""
    fields = json.loads(file.read_text())
    if fields is None:
        return None
    return Segment(
        query=Interval(**fields["query"]),
        work=Interval(**fields["work"]),
        speed=fields["speed"],
        mirrored=fields["mirrored"],
    )


def _slug(name: str) -> str:
    words = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-")
    return f"{words}-{zlib.crc32(name.encode()):08x}"


def _edit_picture(source: Path, other: Path, *, odd: bool) -> Mapping[str, _Write]:
    edits = picture_edits.ODD_PICTURE_EDITS if odd else picture_edits.PICTURE_EDITS

    def writes(edit: picture_edits.Edit) -> _Write:
        def write(path: Path) -> None:
            edited = edit(_open_picture(source), _open_picture(other))
            Image.fromarray(edited).save(path, compress_level=1)

        return write

    return {name: writes(edit) for name, edit in edits.items()}


@lru_cache(_OPENED_MAX)
def _open_picture(path: Path) -> picture_edits.Picture:
    with Image.open(path) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))


def _edit_sound(source: Path, other: Path, *, odd: bool) -> Mapping[str, _Write]:  # noqa: ARG001
    edits = sound_edits.ODD_EDITS if odd else sound_edits.EDITS

    def writes(name: str, edit: sound_edits.Edit) -> _Write:
        def write(path: Path) -> Segment:
            whole = sound_edits.Excerpt(_open_sound(source))
            generator = np.random.default_rng(zlib.crc32(f"{name}/{source.name}".encode()))
            excerpt = edit(sound_edits.cut(sound_edits.QUERY_S_MAX)(whole, generator), generator)
            _write_sound(path, excerpt)
            return _truth(excerpt, whole.duration_s)

        return write

    return {name: writes(name, edit) for name, edit in edits.items()}


@lru_cache(_OPENED_MAX)
def _open_sound(path: Path) -> sound_edits.Samples:
    return sound_edits.read_sound(path)


def _truth(excerpt: sound_edits.Excerpt, duration_s: float) -> Segment:
    """Second t of the excerpt is second ``start_s + speed * t`` of the sound, where it has one."""
    work = Interval(
        max(0.0, excerpt.start_s),
        min(duration_s, excerpt.start_s + excerpt.speed * excerpt.duration_s),
    )
    start_s, end_s = ((s - excerpt.start_s) / excerpt.speed for s in (work.start_s, work.end_s))
    return Segment(Interval(start_s, end_s), work, excerpt.speed, mirrored=False)


def _write_sound(path: Path, excerpt: sound_edits.Excerpt) -> None:
    levels = np.rint(np.clip(excerpt.samples, -1, 1) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sound_edits.RATE_HZ)
        file.writeframes(levels.tobytes())


_EDITS: Final = {
    Medium.PICTURES: Path(picture_edits.__file__),
    Medium.VIDEO: Path(video_edits.__file__),
    Medium.SOUND: Path(sound_edits.__file__),
}
_EDIT: Final[dict[Medium, Callable[..., Mapping[str, _Write]]]] = {
    Medium.PICTURES: _edit_picture,
    Medium.SOUND: _edit_sound,
}
