from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import grid_s

from titledeed.fingerprinting.base import Codes, FrameCodes
from titledeed.matching.alignment import align
from titledeed.matching.frame_scan import scan_frames
from titledeed.matching.voting import TimedHits

DISTANCE_MAX = 84
SEEDS = st.integers(0, 2**32 - 1)


def draw_walk(generator: np.random.Generator, count: int, *, drift: float) -> Codes:
    """Codes that drift from one to the next, as those of a moving shot do."""
    flips = generator.random((count, 256)) < drift
    flips[0] = generator.random(256) < 0.5
    return np.packbits(np.logical_xor.accumulate(flips), axis=1)


def find_hits(query: FrameCodes, work: FrameCodes) -> TimedHits:
    hits = scan_frames(query.codes, work.codes, distance_max=DISTANCE_MAX)
    return TimedHits(query.times_s[hits.query], work.times_s[hits.corpus], 1 - hits.distance / 256)


@settings(deadline=None, max_examples=60)
@given(
    seed=SEEDS,
    speed=st.one_of(st.just(1.0), st.floats(0.55, 1.9)),
    start_s=st.floats(0, 8),
    before_s=st.integers(0, 40),
    noise=st.floats(0, 0.15),
)
def test_copy_among_noise_is_found_where_it_is(
    seed: int, speed: float, start_s: float, before_s: int, noise: float
) -> None:
    """The work is drawn 20 times finer than the grid, so that every speed has its frames."""
    generator = np.random.default_rng(seed)
    fine = draw_walk(generator, 20 * 80, drift=0.006)
    work = FrameCodes(grid_s(80), fine[::20])
    count = int(min(24, (19 - start_s) / speed / 0.25))
    places = np.round((start_s + speed * np.arange(count) * 0.25) * 80).astype(int)
    copy = fine[places] ^ np.packbits(generator.random((count, 256)) < noise, axis=1)
    others = generator.integers(0, 256, (4 * before_s, 32), dtype=np.uint8)
    codes = np.concatenate([others, copy, others])
    query = FrameCodes(grid_s(len(codes)), codes)
    found = align(query, work, find_hits(query, work))
    assert found
    best = max(found, key=lambda alignment: alignment.frames)
    middle_s = (best.query.start_s + best.query.end_s) / 2
    expected_s = start_s + speed * (middle_s - before_s)
    assert abs((best.work.start_s + best.work.end_s) / 2 - expected_s) <= 0.3
    for alignment in found:
        assert alignment.query.start_s >= before_s - 0.25
        assert alignment.query.end_s <= before_s + count * 0.25 + 0.25


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, count=st.integers(1, 400))
def test_random_hits_alone_make_no_segment(seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    query = FrameCodes(grid_s(400), draw_walk(generator, 400, drift=0.1))
    work = FrameCodes(grid_s(80), draw_walk(generator, 80, drift=0.1))
    hits = TimedHits(
        generator.choice(query.times_s, count),
        generator.choice(work.times_s, count),
        generator.uniform(0.67, 1, count),
    )
    assert align(query, work, hits) == []
