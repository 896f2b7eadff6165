from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from fingerprint_bench.background import CLIP_S, Stranger, draw_strangers
from fingerprint_bench.results import Medium
from render_media import render_clip, render_picture, render_sound


@pytest.fixture
def files(tmp_path: Path) -> dict[Medium, list[Path]]:
    return {
        Medium.PICTURES: [render_picture(tmp_path / "a.png", size=(200, 160), seed=1)],
        Medium.VIDEO: [render_clip(tmp_path / "a.mp4", seconds=2, seed=1, size=(160, 120))],
        Medium.SOUND: [render_sound(tmp_path / "a.wav", seconds=8, seed=1)],
    }


def describe(stranger: Stranger) -> tuple[object, ...]:
    pixels = tuple((time_s, luma.tobytes()) for time_s, luma in stranger.frames)
    return (stranger.material, stranger.source, pixels, stranger.samples.tobytes())


@pytest.mark.parametrize("medium", Medium)
def test_half_is_real_and_the_rest_rendered_or_noise(
    medium: Medium, files: dict[Medium, list[Path]]
) -> None:
    strangers = list(draw_strangers(medium, files[medium], count=4))
    sources = [stranger.source.split()[0] for stranger in strangers]
    assert sources.count(files[medium][0].name) == 2
    assert sources.count("rendered") == sources.count("noise") == 1
    assert len({describe(stranger) for stranger in strangers}) == 4


@pytest.mark.parametrize("medium", Medium)
def test_seed_decides_everything(medium: Medium, files: dict[Medium, list[Path]]) -> None:
    once, again, other = (
        [describe(s) for s in draw_strangers(medium, files[medium], count=2, seed=seed)]
        for seed in (1, 1, 2)
    )
    assert once == again != other


def test_clips_lie_on_the_grid_and_have_one_size(files: dict[Medium, list[Path]]) -> None:
    for stranger in draw_strangers(Medium.VIDEO, files[Medium.VIDEO], count=4):
        times = [time_s for time_s, _ in stranger.frames]
        assert times[0] == 0 and times[-1] < CLIP_S
        assert all(late - early == 0.25 for early, late in pairwise(times))
        assert len({luma.shape for _, luma in stranger.frames}) == 1
        assert np.std(stranger.frames[0][1]) > 1
