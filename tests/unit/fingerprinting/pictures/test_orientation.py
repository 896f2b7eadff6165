"""Codes of a turned picture are the stored codes rearranged."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import draw_scene, extract_frames

from titledeed.fingerprinting.base import Luma, hamming_distances
from titledeed.fingerprinting.pictures.local import Local
from titledeed.fingerprinting.pictures.local_features import orient_features
from titledeed.fingerprinting.pictures.orientation import (
    MIRRORED,
    ORIENTATIONS,
    UPRIGHT,
    Orientation,
    orient_codes,
)
from titledeed.fingerprinting.pictures.regions import WITH_BARS, Regions, orient_regions
from titledeed.fingerprinting.pictures.video_dct import VideoDct

(PICTURE,) = draw_scene(51, seconds=0.25)
ROUNDING_BITS_MAX = 2
SAME_POINT_SHARE_MIN = 0.6
"""The pyramid's odd sizes round differently when the picture is turned."""

every_orientation = pytest.mark.parametrize(
    "orientation", ORIENTATIONS, ids=lambda o: f"{o.turns}{'m' if o.mirrored else ''}"
)


def turn(picture: Luma, orientation: Orientation) -> Luma:
    shown = picture[:, ::-1] if orientation.mirrored else picture
    return np.ascontiguousarray(np.rot90(shown, orientation.turns))


def test_there_are_eight() -> None:
    assert len(set(ORIENTATIONS)) == 8
    assert ORIENTATIONS[:2] == (UPRIGHT, MIRRORED)


@every_orientation
def test_frame_codes_turn(orientation: Orientation) -> None:
    stored = extract_frames(VideoDct(), [PICTURE]).codes
    turned = extract_frames(VideoDct(), [turn(PICTURE, orientation)]).codes
    distance = hamming_distances(orient_codes(stored, orientation), turned)
    assert distance.max() <= ROUNDING_BITS_MAX


@every_orientation
def test_region_codes_turn_and_change_places(orientation: Orientation) -> None:
    turned = extract_frames(Regions(), [turn(PICTURE, orientation)])
    moved = orient_regions(extract_frames(Regions(), [PICTURE]), orientation)
    order = np.argsort(moved.regions)
    assert np.array_equal(moved.regions[order], turned.regions)
    distance = hamming_distances(moved.codes[order], turned.codes)
    assert distance.max() <= ROUNDING_BITS_MAX


def test_the_frame_with_its_bars_stays_that() -> None:
    barred = np.pad(PICTURE, ((30, 30), (0, 0)), constant_values=16)
    regions = extract_frames(Regions(), [barred])
    assert regions.regions.tolist() == list(range(WITH_BARS + 1))
    assert orient_regions(regions, MIRRORED).regions[-1] == WITH_BARS


@every_orientation
def test_local_features_turn(orientation: Orientation) -> None:
    moved = orient_features(extract_frames(Local(), [PICTURE]), orientation)
    turned = extract_frames(Local(), [turn(PICTURE, orientation)])
    assert np.allclose(moved.shapes, turned.shapes, atol=0.01)
    bits = hamming_distances(moved.descriptors[:, np.newaxis], turned.descriptors)
    nearest = bits.argmin(axis=1)
    same = bits.min(axis=1) <= Local.distance_max / 2
    assert same.mean() > SAME_POINT_SHARE_MIN
    misses = np.hypot(*(moved.points - turned.points[nearest])[same].T)
    assert np.median(misses) < 0.005
    angles = np.exp(1j * (moved.angles - turned.angles[nearest])[same])
    assert np.median(np.abs(np.angle(angles))) < 0.1
