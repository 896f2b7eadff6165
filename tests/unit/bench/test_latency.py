from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fingerprint_bench.latency import (
    Bench,
    Effort,
    Footage,
    draw_clip,
    measure_latency,
    read_seeds,
)

from titledeed.fingerprinting.base import hamming_distances
from titledeed.matching.pictures.codes import read_picture_codes

LITTLE = Effort(clips_per_commit=4, minutes_alone=2, queries=3, warm_up=1)


@pytest.fixture(scope="module")
def footage() -> Footage:
    return read_seeds(Path("no-media"), count=6)


def test_a_drawn_clip_moves_as_its_seed_does_and_shows_something_else(footage: Footage) -> None:
    clips = [seed.clip for seed in footage.seeds]
    codes = draw_clip(footage, 5).frames.codes
    assert any(
        np.array_equal(codes ^ codes[0], clip.frames.codes ^ clip.frames.codes[0])
        and not np.array_equal(codes, clip.frames.codes)
        for clip in clips
    )
    assert np.array_equal(codes, draw_clip(footage, 5).frames.codes)


def test_an_edited_clip_is_near_the_one_that_is_registered(footage: Footage) -> None:
    clip, edited = (draw_clip(footage, 1, is_edited=edited) for edited in (False, True))
    assert 0 < hamming_distances(clip.frames.codes[0], edited.frames.codes[0]) < 100


def test_encoded_clips_are_codes_that_the_product_reads(footage: Footage) -> None:
    clip = draw_clip(footage, 1)
    codes = read_picture_codes(clip.encode())
    assert codes.frames is not None
    assert codes.local is not None
    assert np.array_equal(codes.frames.codes, clip.frames.codes)
    assert np.array_equal(codes.local.descriptors, clip.local.descriptors)


def test_registered_clips_are_found_in_the_database_and_each_stage_takes_time(
    footage: Footage, tmp_path: Path
) -> None:
    bench = Bench(tmp_path / "bench", footage, LITTLE)
    assert bench.grow(200) > 0
    assert np.isfinite(bench.add_minutes())
    spent = list(bench.search(registered=True))
    assert [one.is_right for one in spent] == [True] * 3
    assert all(one.search > one.read > 0 and one.look_up > 0 for one in spent)
    assert len(list(bench.search(registered=False))) == 3
    bench.close()


def test_every_size_is_measured_and_nothing_is_left_behind(
    footage: Footage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = measure_latency(tmp_path, [100, 900], footage, LITTLE)
    assert [row.codes for row in measured] == [100, 900]
    assert all(0 < row.p50_ms <= row.p99_ms and row.open_s > 0 for row in measured)
    assert "look-ups" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
