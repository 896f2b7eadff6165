"""What fingerprinting costs: processor time against pure decoding of the same file, and bytes.

The films are cut from the real clips, one shot after another, with real sound; each is decoded and
fingerprinted in turn, several times, and the median ratio counts.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from fingerprint_bench.ours import fingerprint_file
from fingerprint_bench.sound_edits import read_sound
from fingerprint_bench.video_edits import Picture, read_clip
from render_media import SAMPLE_RATE_HZ, write_clip

from titledeed.media.streams import THREADS_MAX

FILM_S: Final = 60
FPS: Final = 25
SHOT_S: Final = 5
ROUNDS: Final = 5
SIZES: Final = {"360p": (640, 360), "720p": (1280, 720)}
OUR_PREFIX: Final = "titledeed."
FIRST_STAGE: Final = "titledeed.dct256"


def measure_costs(media: Path, cache: Path) -> dict[str, float]:
    """Ratios and bytes by the names of the JSON file.

    Args:
        media: folder of the real media.
        cache: where the films are kept.
    """
    films = {name: cache / f"costs-{name}.mp4" for name in SIZES}
    for name, film in films.items():
        if not film.is_file():
            _write_film(film, media, SIZES[name])
    figures = {f"decode_ratio_{name}": _measure_ratio(film) for name, film in films.items()}
    film = films["720p"]
    codes = [c for c in fingerprint_file(film).codes if c.algorithm.startswith(OUR_PREFIX)]
    minutes = FILM_S / 60
    figures["bytes_per_video_minute"] = sum(len(c.code) for c in codes) / minutes
    figures["first_stage_bytes_per_minute"] = (
        sum(len(c.code) for c in codes if c.algorithm == FIRST_STAGE) / minutes
    )
    return figures


def _measure_ratio(film: Path) -> float:
    """Median over rounds of fingerprinting, decoding included, divided by decoding alone."""
    fingerprint_file(film)  # imports, caches
    ratios = []
    for _ in range(ROUNDS):
        decoding_s = _cpu_s(lambda: _decode(film))
        ratios.append(_cpu_s(lambda: fingerprint_file(film)) / decoding_s)
    return round(statistics.median(ratios), 3)


def _cpu_s(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _decode(film: Path) -> None:
    with av.open(film) as container:
        context = container.streams.video[0].codec_context
        context.thread_type, context.thread_count = "AUTO", THREADS_MAX
        for packet in container.demux():
            packet.decode()


def _write_film(path: Path, media: Path, size: tuple[int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sounds = [read_sound(f, rate_hz=SAMPLE_RATE_HZ) for f in sorted((media / "audio").iterdir())]
    partial = path.with_name(f"partial-{path.name}")
    write_clip(
        partial,
        islice(_pictures(media, size), FILM_S * FPS),
        fps=FPS,
        sound=np.concatenate(sounds)[: FILM_S * SAMPLE_RATE_HZ],
    )
    partial.rename(path)


def _pictures(media: Path, size: tuple[int, int]) -> Iterator[Picture]:
    """Shots of the real clips, each filling the frame."""
    for file in cycle(sorted((media / "video").iterdir())):
        clip = read_clip(file, width=size[0], seconds_max=SHOT_S)
        for index in range(int(min(clip.duration_s, SHOT_S) * FPS)):
            picture = cv2.resize(clip.at(index / FPS), size)
            yield np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
