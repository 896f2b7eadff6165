from __future__ import annotations

import numpy as np
import pytest
from scenes import add_bars, draw_scene

from titledeed.fingerprinting.base import Extraction, Luma
from titledeed.fingerprinting.pictures.shots import SHOT_FRAMES_MAX, ShotFrames, ShotReader, halve


class Shots:
    """A coder that keeps its shots."""

    def __init__(self) -> None:
        self.shots: list[ShotFrames] = []

    def add_shot(self, shot: ShotFrames) -> None:
        self.shots.append(shot)

    def finish(self) -> Extraction:
        return Extraction(None, f"{len(self.shots)} shots")


def read(frames: list[Luma]) -> list[ShotFrames]:
    coder = Shots()
    reader = ShotReader([coder])
    for index, frame in enumerate(frames):
        buffer = frame.copy()
        reader.add_frame(index / 4, buffer)
        buffer.fill(0)
    reader.finish()
    return coder.shots


def test_a_cut_ends_a_shot() -> None:
    one, other = (draw_scene(seed, seconds=0.25) * 4 for seed in (111, 112))
    shots = read([*one, *other])
    assert [shot.times_s for shot in shots] == [(0, 0.25, 0.5, 0.75), (1, 1.25, 1.5, 1.75)]


def test_a_change_of_size_ends_a_shot() -> None:
    (frame,) = draw_scene(113, seconds=0.25)
    assert len(read([frame, frame[:-9], frame])) == 3


def test_an_endless_shot_is_cut() -> None:
    shots = read(draw_scene(114, seconds=0.25) * (2 * SHOT_FRAMES_MAX + 1))
    assert [len(shot.frames) for shot in shots] == [SHOT_FRAMES_MAX, SHOT_FRAMES_MAX, 1]


def test_bars_are_those_of_the_shot() -> None:
    plain = draw_scene(115, seconds=0.25) * 3
    height, width = plain[0].shape
    wide = [np.pad(frame, ((20, 20), (0, 0)), mode="reflect") for frame in plain]
    barred, whole = read([*add_bars(plain, rows=20), *wide])
    assert barred.content == ((20, 20 + height), (0, width))
    assert whole.content == whole.whole == ((0, height + 40), (0, width))


def test_every_coder_gets_every_shot() -> None:
    coders = [Shots(), Shots()]
    reader = ShotReader(coders)
    reader.add_frame(0.0, draw_scene(116, seconds=0.25)[0])
    assert [found.note for found in reader.finish()] == ["1 shots", "1 shots"]
    assert coders[0].shots == coders[1].shots


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((720, 1280), (180, 320)),
        ((360, 511), (360, 511)),
        ((513, 512), (256, 256)),
        ((1, 900), (1, 900)),
    ],
)
def test_frames_are_halved(shape: tuple[int, int], expected: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    small = halve(picture)
    assert small.shape == expected
    assert not np.shares_memory(small, picture)
    assert small.mean() == pytest.approx(picture.mean(), abs=1)
