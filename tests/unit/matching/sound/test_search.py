from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sound_scenes import RATE_HZ, draw_music, draw_noise, extract_peaks

from titledeed.fingerprinting.sound.peaks import SoundPeaks
from titledeed.matching.sound.search import (
    SoundMatch,
    SoundSegment,
    index_entries,
    search_sounds,
)
from titledeed.matching.tables.posting_table import PostingTable

WORKS = {number: extract_peaks(draw_music(number, seconds=40)) for number in range(6)}
SURE = 40.0
"""Far above what unrelated sounds reach."""


@pytest.fixture
def index(tmp_path: Path) -> PostingTable:
    index = PostingTable(tmp_path)
    for owner, peaks in WORKS.items():
        index.append(owner, *index_entries(peaks))
    return index


def search(index: PostingTable, query: SoundPeaks) -> list[SoundMatch]:
    return search_sounds(query, index.view().look_up, WORKS.__getitem__)


def compare(query: SoundPeaks, work: SoundPeaks) -> tuple[SoundSegment, ...]:
    """Which seconds of one sound are which seconds of another."""
    table = PostingTable(None)
    table.append(0, *index_entries(work))
    matches = search_sounds(query, table.view().look_up, lambda _: work)
    return matches[0].segments if matches else ()


@pytest.mark.parametrize(
    ("speed", "pitch"),
    [(1.0, 1.0), (1.037, 1.037), (0.93, 0.93), (1.0, 0.985), (1.07, 1.0), (0.95, 1.03)],
)
def test_cut_is_found_with_its_times_speed_and_pitch(
    index: PostingTable, speed: float, pitch: float
) -> None:
    whole = draw_music(2, seconds=40, speed=speed, pitch=pitch)
    first = round(13 / speed * RATE_HZ)
    cut = whole[first : first + 10 * RATE_HZ]
    best = search(index, extract_peaks(cut))[0]
    (segment,) = best.segments
    assert best.owner == 2
    assert best.evidence > SURE
    assert segment.speed == pytest.approx(speed, abs=0.003)
    assert segment.pitch == pytest.approx(1 / pitch, rel=0.01)
    at_start_s = segment.work.start_s - speed * segment.query.start_s
    at_end_s = segment.work.end_s + speed * (10 - segment.query.end_s)
    assert at_start_s == pytest.approx(13, abs=0.15)
    assert at_end_s == pytest.approx(13 + 10 * speed, abs=0.15)
    assert segment.query.duration_s > 9


def test_sound_of_no_work_finds_nothing_sure(index: PostingTable) -> None:
    for seed in range(100, 110):
        matches = search(index, extract_peaks(draw_music(seed, seconds=20)))
        assert all(match.evidence < SURE for match in matches)


def test_noise_over_a_copy_leaves_it_found(index: PostingTable) -> None:
    copy = draw_music(3, seconds=40)[5 * RATE_HZ : 15 * RATE_HZ]
    matches = search(index, extract_peaks(copy + draw_noise(1, seconds=10, level=0.05)))
    assert matches[0].owner == 3
    assert matches[0].evidence > SURE


def test_several_works_in_one_sound_are_told_apart(index: PostingTable) -> None:
    stranger = draw_music(50, seconds=10)
    pieces = [draw_music(seed, seconds=40)[8 * RATE_HZ : 16 * RATE_HZ] for seed in (4, 1)]
    query = extract_peaks(np.concatenate([stranger, pieces[0], stranger, pieces[1]]))
    found = {m.owner: m.segments for m in search(index, query) if m.evidence > SURE}
    assert set(found) == {1, 4}
    assert found[4][0].query.start_s == pytest.approx(10, abs=0.3)
    assert found[4][0].query.end_s == pytest.approx(18, abs=0.3)
    assert found[1][0].query.start_s == pytest.approx(28, abs=0.3)


def test_common_stem_shows_in_the_clear_peaks_of_both() -> None:
    stem, one, other = (draw_music(seed, seconds=20) for seed in (60, 61, 62))
    work = extract_peaks(stem + one)
    (copy,) = compare(extract_peaks(stem + one + draw_noise(1, seconds=20, level=0.02)), work)
    shared = max(compare(extract_peaks(stem + other), work), key=lambda one: one.evidence)
    assert shared.evidence > SURE
    assert shared.common_share < 0.8 < copy.common_share


def test_work_that_is_gone_is_left_out(index: PostingTable) -> None:
    assert search_sounds(WORKS[2], index.view().look_up, lambda _: None) == []


def test_pair_is_compared() -> None:
    (segment,) = compare(WORKS[0], WORKS[0])
    assert segment.query.start_s == pytest.approx(segment.work.start_s, abs=0.02)
    assert segment.query_share == 1.0
    assert compare(extract_peaks(draw_music(70, seconds=2)), WORKS[0]) == ()
