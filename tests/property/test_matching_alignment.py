from __future__ import annotations

import numpy as np
from code_walks import FINE, align_frames, draw_walk, grid_times
from hypothesis import given, settings
from hypothesis import strategies as st

from titledeed.fingerprinting.base import FrameCodes
from titledeed.matching.pictures.alignment import WHOLE, align
from titledeed.matching.pictures.views import gather_hits
from titledeed.matching.pictures.voting import TimedHits
from titledeed.models.interval import Interval

SEEDS = st.integers(0, 2**32 - 1)


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
    generator = np.random.default_rng(seed)
    fine = draw_walk(generator, FINE * 80, drift=0.006)
    work = FrameCodes(grid_times(80), fine[::FINE])
    count = int(min(24, (19 - start_s) / speed / 0.25))
    places = np.round((start_s + speed * np.arange(count) * 0.25) * 4 * FINE).astype(int)
    copy = fine[places] ^ np.packbits(generator.random((count, 256)) < noise, axis=1)
    others = generator.integers(0, 256, (4 * before_s, 32), dtype=np.uint8)
    codes = np.concatenate([others, copy, others])
    found = align_frames(FrameCodes(grid_times(len(codes)), codes), work)
    assert found
    best = max(found, key=lambda alignment: alignment.strength)
    middle_s = (best.query.start_s + best.query.end_s) / 2
    expected_s = start_s + speed * (middle_s - before_s)
    assert abs((best.work.start_s + best.work.end_s) / 2 - expected_s) <= 0.3
    sample_off_s = 0.3 / min(speed, 1.0)
    for alignment in found:
        assert alignment.query.start_s >= before_s - sample_off_s
        assert alignment.query.end_s <= before_s + count * 0.25 + sample_off_s


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, count=st.integers(1, 400))
def test_random_hits_alone_make_no_segment(seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    query = FrameCodes(grid_times(400), draw_walk(generator, 400, drift=0.1))
    work = FrameCodes(grid_times(80), draw_walk(generator, 80, drift=0.1))
    timed = TimedHits(
        generator.choice(query.times_s, count),
        generator.choice(work.times_s, count),
        generator.uniform(0.67, 1, count),
    )
    whole = np.zeros(count, np.int64)
    hits = gather_hits(whole, whole, whole, timed)
    spans = (Interval(0, 100), Interval(0, 20))
    assert align([{WHOLE: query}], {WHOLE: work}, hits, spans) == []
