from __future__ import annotations

import numpy as np
import pytest
from scenes import add_bars, draw_flat, draw_scene

from titledeed.fingerprinting.pictures.borders import find_content_box

SCENE = draw_scene(11, seconds=2)
HEIGHT, WIDTH = SCENE[0].shape


@pytest.mark.parametrize(
    ("rows", "columns"), [(20, 0), (0, 30), (10, 24)], ids=["letter", "pillar", "window"]
)
@pytest.mark.parametrize("level", [0, 16, 235])
def test_bars_are_found(rows: int, columns: int, level: int) -> None:
    box = find_content_box(add_bars(SCENE, rows=rows, columns=columns, level=level))
    assert box == (slice(rows, rows + HEIGHT), slice(columns, columns + WIDTH))


def test_noise_of_compression_in_the_bars_is_tolerated() -> None:
    frames = np.stack(add_bars(SCENE, rows=20)).astype(int)
    frames += np.random.default_rng(0).integers(-4, 5, frames.shape)
    box = find_content_box(list(np.clip(frames, 0, 255).astype(np.uint8)))
    assert box == (slice(20, 20 + HEIGHT), slice(0, WIDTH))


def test_full_picture_has_no_bars() -> None:
    assert find_content_box(SCENE) is None


def test_bar_in_part_of_a_shot_is_content() -> None:
    frames = [*add_bars(SCENE, rows=20)[:4], *draw_scene(12, seconds=1)]
    padded = [np.resize(frame, (HEIGHT + 40, WIDTH)) for frame in frames]
    assert find_content_box(padded) is None


def test_soft_sky_is_no_bar() -> None:
    sky = np.repeat(np.linspace(200, 90, 40).astype(np.uint8), WIDTH).reshape(40, WIDTH)
    frames = [np.concatenate([sky, frame]) for frame in SCENE]
    box = find_content_box(frames)
    assert box is None or box[0].start < 5


def test_flat_frames_have_no_bars() -> None:
    assert find_content_box(draw_flat(40, seconds=1)) is None


def test_sliver_of_content_is_not_cut_out() -> None:
    frames = np.full((4, 128, 128), 16, np.uint8)
    frames[:, 60:68] = 200
    assert find_content_box(list(frames)) is None
