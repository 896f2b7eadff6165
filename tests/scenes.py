"""Moving scenes as luma frames, edits of them, and a source of codes in memory.

Everything is drawn by formula from a seed: two seeds look different, two moments differ, and a
moment may lie anywhere between the samples, so that changed speeds are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeVar

import cv2
import numpy as np

from titledeed.fingerprinting.algorithms import Extractors
from titledeed.fingerprinting.base import (
    SAMPLE_PERIOD_S,
    Extraction,
    FingerprintAlgorithm,
    Luma,
)
from titledeed.models.asset import MediaKind
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.match import Query
from titledeed.models.primitives import RegistrationId
from titledeed.ports import IndexedWork

DecodedT = TypeVar("DecodedT")

Scene = list[Luma]
"""Frames on the grid of four per second, from 0 s."""

SIZE = (192, 128)
"""Width and height."""


def draw_scene(seed: int, *, seconds: float, start_s: float = 0.0, speed: float = 1.0) -> Scene:
    """Seconds of the seed's scene from ``start_s`` on, played at ``speed``."""
    generator = np.random.default_rng(seed)
    width, height = SIZE
    textures = [
        cv2.resize(
            generator.integers(0, 256, (20, 30), dtype=np.uint8),
            (2 * width, 2 * height),
            interpolation=cv2.INTER_CUBIC,
        ).astype(np.float32)
        for _ in range(2)
    ]
    phases = generator.uniform(0, 6, 4)
    frames = []
    for index in range(round(seconds / SAMPLE_PERIOD_S)):
        moment = start_s + speed * index * SAMPLE_PERIOD_S
        layers = [
            cv2.getRectSubPix(
                texture,
                SIZE,
                (
                    float(width + width / 2 * np.sin(0.31 * moment + phases[2 * layer])),
                    float(height + height / 2 * np.sin(0.23 * moment + phases[2 * layer + 1])),
                ),
            )
            for layer, texture in enumerate(textures)
        ]
        share = 0.5 + 0.4 * np.sin(0.9 * moment + phases[0])
        blend = share * layers[0] + (1 - share) * layers[1]
        frames.append(np.clip(blend, 16, 235).astype(np.uint8))
    return frames


def draw_flat(level: int, *, seconds: float) -> Scene:
    """Frames of one grey level."""
    count = round(seconds / SAMPLE_PERIOD_S)
    return [np.full(SIZE[::-1], level, np.uint8) for _ in range(count)]


def mirror(scene: Scene) -> Scene:
    """Flip left and right."""
    return [np.ascontiguousarray(frame[:, ::-1]) for frame in scene]


def degrade(scene: Scene, *, seed: int = 0, quality: int = 40) -> Scene:
    """Half the size, noise, and JPEG of low quality."""
    generator = np.random.default_rng(seed)
    result = []
    for frame in scene:
        half = cv2.resize(frame, (SIZE[0] // 2, SIZE[1] // 2), interpolation=cv2.INTER_AREA)
        noisy = np.clip(half + generator.normal(0, 3, half.shape), 0, 255).astype(np.uint8)
        _, data = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, quality])
        result.append(np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8))
    return result


def add_bars(scene: Scene, *, rows: int = 0, columns: int = 0, level: int = 16) -> Scene:
    """Letterbox by rows above and below, pillarbox by columns left and right."""
    return [
        np.pad(frame, ((rows, rows), (columns, columns)), constant_values=level) for frame in scene
    ]


def crop(scene: Scene, *, share: float) -> Scene:
    """The middle of the picture, ``share`` of its width and height."""
    height, width = scene[0].shape
    top, left = round(height * (1 - share) / 2), round(width * (1 - share) / 2)
    return [np.ascontiguousarray(f[top : height - top, left : width - left]) for f in scene]


EDITS: dict[str, Callable[[Scene], Scene]] = {
    "degraded": degrade,
    "letterboxed": lambda scene: degrade(add_bars(scene, rows=20)),
    "pillarboxed": lambda scene: degrade(add_bars(scene, columns=30)),
    "window-boxed": lambda scene: degrade(add_bars(scene, rows=14, columns=18, level=235)),
    "cropped": lambda scene: crop(scene, share=0.92),
}
"""Edits that keep the sides of the picture."""


def extract(algorithm: FingerprintAlgorithm[object], scene: Sequence[Luma]) -> Extraction:
    """Feed a scene to the algorithm; the buffer is reused as a decoder would."""
    extractor = algorithm.start()
    for index, frame in enumerate(scene):
        buffer = frame.copy()
        extractor.add_frame(index * SAMPLE_PERIOD_S, buffer)
        buffer.fill(0)
    return extractor.finish()


def extract_code(algorithm: FingerprintAlgorithm[object], scene: Sequence[Luma]) -> FingerprintCode:
    """The code of a scene that has one."""
    code = extract(algorithm, scene).code
    assert code is not None
    return code


def extract_frames(algorithm: FingerprintAlgorithm[DecodedT], scene: Sequence[Luma]) -> DecodedT:
    """The decoded code of a scene that has one."""
    return algorithm.decode(extract_code(algorithm, scene).code)


def fingerprint(scene: Sequence[Luma]) -> Query:
    """What a search is made with: a clip, or a still picture where there is one frame."""
    kind = MediaKind.IMAGE if len(scene) == 1 else MediaKind.VIDEO
    extractors = Extractors(kind)
    for index, frame in enumerate(scene):
        for sink in extractors.frame_sinks:
            sink.add_frame(index * SAMPLE_PERIOD_S, frame)
    found = extractors.finish(has_sound=False)
    codes = tuple(extraction.code for extraction in found if extraction.code)
    return Query(codes, 0.0 if len(scene) == 1 else len(scene) * SAMPLE_PERIOD_S)


class CodeSource:
    """A ``FingerprintSource`` in memory."""

    def __init__(self) -> None:
        self._rows: dict[int, tuple[IndexedWork, FingerprintCode]] = {}
        self._added = 0
        self._erased = 0

    def add(self, name: str, query: Query) -> None:
        work = IndexedWork(RegistrationId(name), query.duration_s, query.codes)
        for code in query.codes:
            self._added += 1
            self._rows[self._added] = work, code

    def erase(self, name: str) -> None:
        self._rows = {
            position: row for position, row in self._rows.items() if row[0].registration_id != name
        }
        self._erased += 1

    def count_erased(self) -> int:
        return self._erased

    def find_present(self, positions: Collection[int]) -> set[int]:
        return set(positions) & self._rows.keys()

    def find_works(self, positions: Collection[int]) -> dict[int, IndexedWork]:
        return {one: self._rows[one][0] for one in positions if one in self._rows}

    def iter_fingerprints(
        self, after: int
    ) -> Iterator[tuple[int, RegistrationId, FingerprintCode]]:
        for position, (work, code) in list(self._rows.items()):
            if position > after:
                yield position, work.registration_id, code
