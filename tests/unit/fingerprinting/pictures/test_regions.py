from __future__ import annotations

import numpy as np
import pytest
from scenes import add_bars, crop, draw_flat, draw_scene, extract_frames

from titledeed.errors import MalformedDocumentError
from titledeed.fingerprinting.base import hamming_distances
from titledeed.fingerprinting.pictures.regions import (
    REGION_BOXES,
    REGION_ROWS_MAX,
    WITH_BARS,
    RegionCodes,
    Regions,
    decode_region_codes,
    encode_region_codes,
)

REGIONS = Regions()


def build_code(*rows: tuple[int, int]) -> bytes:
    """Rows of milliseconds and region numbers."""
    times_ms, numbers = np.array(rows).T
    codes = np.zeros((len(rows), 32), np.uint8)
    return encode_region_codes(RegionCodes(times_ms / 1000, numbers.astype(np.uint8), codes))


def test_one_moment_a_second_is_coded() -> None:
    regions = extract_frames(REGIONS, draw_scene(61, seconds=3))
    assert np.unique(regions.times_s).tolist() == [0, 1, 2]
    assert regions.regions.tolist() == 3 * list(range(len(REGION_BOXES)))


def test_cuts_add_no_moments() -> None:
    film = [frame for seed in range(8) for frame in draw_scene(70 + seed, seconds=0.25)]
    assert np.unique(extract_frames(REGIONS, film).times_s).tolist() == [0, 1]


def test_bars_add_the_frame_with_its_bars() -> None:
    scene = draw_scene(64, seconds=0.25)
    barred = extract_frames(REGIONS, add_bars(scene, rows=24))
    plain = extract_frames(REGIONS, scene)
    assert barred.regions.tolist() == list(range(WITH_BARS + 1))
    assert hamming_distances(barred.codes[:-1], plain.codes).max() <= 4


def test_flat_regions_are_left_out() -> None:
    (frame,) = draw_scene(65, seconds=0.25)
    half = np.full_like(frame, 90)
    half[:, 130:] = frame[:, 130:]
    left_corner = int(np.flatnonzero((REGION_BOXES == (0, 0, 0.71, 0.71)).all(axis=1))[0])
    shown = extract_frames(REGIONS, [np.concatenate([half[:, :1].repeat(300, axis=1), half], 1)])
    assert left_corner not in shown.regions


@pytest.mark.parametrize("side", [0.86, 0.71])
def test_a_crop_is_near_one_of_the_regions(side: float) -> None:
    scene = draw_scene(66, seconds=0.25)
    cropped = extract_frames(REGIONS, crop(scene, share=side)).frames().codes
    stored = extract_frames(REGIONS, scene)
    distances = hamming_distances(stored.codes, cropped)
    assert distances.min() < REGIONS.distance_max / 2
    assert REGION_BOXES[stored.regions[distances.argmin()], 2] == side


def test_pictures_of_one_line_are_coded_or_declined() -> None:
    for shape in ((1, 400), (400, 1), (2, 3)):
        extractor = REGIONS.start()
        extractor.add_frame(0.0, np.arange(np.prod(shape), dtype=np.uint8).reshape(shape))
        extractor.finish()


def test_flat_film_has_no_code() -> None:
    extractor = REGIONS.start()
    extractor.add_frame(0.0, draw_flat(90, seconds=0.25)[0])
    assert extractor.finish().code is None


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x02" + build_code((0, 0))[1:], id="another layout"),
        pytest.param(b"\x01\x00\x00\x00\x00", id="no row"),
        pytest.param(build_code((0, 0))[:-1], id="last byte missing"),
        pytest.param(b"\x01" + (REGION_ROWS_MAX + 1).to_bytes(4, "big"), id="too many rows"),
        pytest.param(build_code((0, WITH_BARS + 1)), id="unknown region"),
        pytest.param(build_code((0, 3), (0, 3)), id="region twice"),
        pytest.param(build_code((1000, 0), (0, 0)), id="falling times"),
        pytest.param(build_code(*((i, 0) for i in range(100))), id="too dense"),
    ],
)
def test_malformed_codes_are_refused(code: bytes) -> None:
    with pytest.raises(MalformedDocumentError, match="region codes"):
        decode_region_codes(code)
