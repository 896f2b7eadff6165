from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from titledeed.matching.tables.frame_scan import scan_frames


def draw_codes(seed: int, rows: int, width: int) -> npt.NDArray[np.uint8]:
    """Codes in clusters, so that every distance occurs."""
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(0).integers(0, 256, (3, width), dtype=np.uint8)
    flips = generator.random((rows, width, 8)) < generator.random((rows, 1, 1)) / 2
    noise = np.packbits(flips, axis=2)[:, :, 0]
    result: npt.NDArray[np.uint8] = centres[generator.integers(0, 3, rows)] ^ noise
    return result


def scan_slowly(
    query: npt.NDArray[np.uint8], corpus: npt.NDArray[np.uint8], distance_max: int
) -> list[tuple[int, int, int]]:
    bits = [int.from_bytes(row.tobytes(), "big") for row in query]
    others = [int.from_bytes(row.tobytes(), "big") for row in corpus]
    pairs = [
        (i, j, (one ^ other).bit_count())
        for i, one in enumerate(bits)
        for j, other in enumerate(others)
    ]
    return [pair for pair in pairs if pair[2] <= distance_max]


@pytest.mark.parametrize("width", [8, 32])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.4, 1.0])
def test_scan_finds_what_the_obvious_loop_finds(width: int, share: float) -> None:
    query, corpus = draw_codes(1, 70, width), draw_codes(2, 90, width)
    distance_max = round(share * width * 8)
    hits = scan_frames(query, corpus, distance_max=distance_max)
    found = list(
        zip(hits.query.tolist(), hits.corpus.tolist(), hits.distance.tolist(), strict=True)
    )
    assert found == scan_slowly(query, corpus, distance_max)


def test_blocks_do_not_show() -> None:
    query, corpus = draw_codes(3, 50, 32), draw_codes(4, 61, 32)
    whole = scan_frames(query, corpus, distance_max=60)
    parts = scan_frames(query, corpus, distance_max=60, pairs_at_once=35, corpus_rows_max=7)
    assert len(whole.query) > 0
    assert np.array_equal(whole.query, parts.query)
    assert np.array_equal(whole.corpus, parts.corpus)
    assert np.array_equal(whole.distance, parts.distance)


def test_complement_is_far_not_equal() -> None:
    code = draw_codes(5, 1, 32)
    assert len(scan_frames(code, ~code, distance_max=255).query) == 0
    assert scan_frames(code, ~code, distance_max=256).distance.tolist() == [256]


def test_nothing_is_found_in_nothing() -> None:
    nothing = np.zeros((0, 32), np.uint8)
    for query, corpus in ((nothing, draw_codes(6, 3, 32)), (draw_codes(6, 3, 32), nothing)):
        assert len(scan_frames(query, corpus, distance_max=256).query) == 0


def test_flood_of_hits_keeps_the_closest() -> None:
    query, corpus = draw_codes(7, 60, 32), draw_codes(8, 60, 32)
    hits = scan_frames(query, corpus, distance_max=256, hits_max=100)
    every = sorted(distance for _, _, distance in scan_slowly(query, corpus, 256))
    assert sorted(hits.distance.tolist()) == every[:100]
