from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scenes import add_bars, draw_flat, draw_scene, extract, extract_frames

from titledeed.errors import MalformedDocumentError
from titledeed.fingerprinting.base import Luma, hamming_distances
from titledeed.fingerprinting.pictures.keypoints import describe
from titledeed.fingerprinting.pictures.local import (
    GAP_S_MEAN,
    KEYFRAME_BLOBS,
    STILL_BLOBS,
    Local,
)
from titledeed.fingerprinting.pictures.local_features import (
    FEATURES_MAX,
    LocalFeatures,
    decode_local_features,
    encode_local_features,
)

LOCAL = Local()


def build_features() -> LocalFeatures:
    """Two keyframes of a wide picture, three features."""
    return LocalFeatures(
        times_s=np.array([0.5, 2.5]),
        shapes=np.array([[1.0, 0.4], [1.0, 0.4]]),
        frame=np.array([0, 0, 1]),
        points=np.array([[0.0, 0.0], [1.0, 0.4], [0.25, 0.2]]),
        scales=np.array([2.0**-12, 0.01, 0.5]),
        angles=np.array([0.0, 1.5, 6.2]),
        descriptors=np.arange(48, dtype=np.uint8).reshape(3, 16),
    )


def test_features_come_back_within_rounding() -> None:
    features = build_features()
    decoded = decode_local_features(encode_local_features(features))
    assert np.array_equal(decoded.times_s, features.times_s)
    assert np.array_equal(decoded.frame, features.frame)
    assert np.array_equal(decoded.descriptors, features.descriptors)
    assert np.allclose(decoded.points, features.points, atol=1 / 65_535)
    assert np.allclose(decoded.scales, features.scales, rtol=0.025)
    assert np.allclose(decoded.angles, features.angles, atol=np.pi / 256)


def test_a_keyframe_holds_its_own_features() -> None:
    features = build_features()
    assert [len(features.keyframe(index).scales) for index in (0, 1)] == [2, 1]
    second = features.keyframe(1)
    assert second.times_s.tolist() == [2.5]
    assert second.frame.tolist() == [0]
    assert np.array_equal(second.descriptors, features.descriptors[2:])


GOOD = encode_local_features(build_features())
NO_UNIT_SIDE = replace(build_features(), shapes=np.full((2, 2), 0.5))


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x02" + GOOD[1:], id="another layout"),
        pytest.param(b"\x01\x00\x00\x00\x00", id="no keyframe"),
        pytest.param(b"\x01\xff\xff\xff\xff" + GOOD[5:], id="too many keyframes"),
        pytest.param(GOOD[:20], id="half a table"),
        pytest.param(GOOD[:-1], id="last byte missing"),
        pytest.param(GOOD + b"\x00", id="a byte too many"),
        pytest.param(GOOD[:13] + b"\x00\x00" + GOOD[15:], id="keyframe without features"),
        pytest.param(
            GOOD[:13] + (FEATURES_MAX + 1).to_bytes(2, "big") + GOOD[15:], id="too many features"
        ),
        pytest.param(
            encode_local_features(replace(build_features(), times_s=np.array([0.5, 0.6]))),
            id="too dense",
        ),
        pytest.param(
            encode_local_features(replace(build_features(), times_s=np.array([2.5, 0.5]))),
            id="falling times",
        ),
        pytest.param(encode_local_features(NO_UNIT_SIDE), id="no side is one"),
        pytest.param(GOOD[:27] + b"\xff\xff" + GOOD[29:], id="point outside"),
    ],
)
def test_malformed_codes_are_refused(code: bytes) -> None:
    with pytest.raises(MalformedDocumentError, match=r"local feature|keyframe"):
        decode_local_features(code)


def test_keyframes_are_spread_where_the_picture_changes() -> None:
    features = extract_frames(LOCAL, draw_scene(81, seconds=12))
    gaps = np.diff(features.times_s)
    assert gaps.min() >= 1
    assert len(features.times_s) == 12 / GAP_S_MEAN
    counts = np.bincount(features.frame)
    assert counts.max() <= 3 * KEYFRAME_BLOBS // 2


def test_a_copy_that_begins_later_has_the_keyframes_of_its_work() -> None:
    shots = [draw_scene(90 + number, seconds=1.75, speed=0.1) for number in range(8)]
    film = [frame for shot in shots for frame in shot]
    work, copy = extract_frames(LOCAL, film), extract_frames(LOCAL, film[3:])
    assert work.times_s.tolist() == [1.75 * number for number in range(8)]
    assert len(copy.times_s) >= len(work.times_s) - 1
    assert np.isin(copy.times_s[1:] + 0.75, work.times_s).all()


def test_still_footage_has_fewer_keyframes() -> None:
    still = draw_scene(82, seconds=0.25) * 48
    assert extract_frames(LOCAL, still).times_s.tolist() == [0, 4, 8]


def test_a_lone_picture_has_more_features() -> None:
    scene = draw_scene(83, seconds=0.5)
    lone, film = (extract_frames(LOCAL, frames) for frames in (scene[:1], scene))
    assert len(film.keyframe(0).scales) < len(lone.scales) <= 3 * STILL_BLOBS // 2


def test_bars_are_left_out() -> None:
    scene = draw_scene(84, seconds=0.25)
    barred, plain = (
        extract_frames(LOCAL, frames) for frames in (add_bars(scene, columns=90), scene)
    )
    assert np.allclose(barred.shapes, plain.shapes, atol=0.02)


def test_sliver_and_grain_have_no_features() -> None:
    generator = np.random.default_rng(0)
    grain = np.clip(generator.normal(60, 5, (360, 640)), 0, 255).astype(np.uint8)
    for picture in (grain, grain[:10], draw_flat(16, seconds=0.25)[0]):
        assert extract(LOCAL, [picture]).code is None


@pytest.mark.parametrize("degrees", [7, 40, 130])
def test_rotated_picture_keeps_its_descriptors(degrees: float) -> None:
    (picture,) = draw_scene(85, seconds=0.25)
    size = (picture.shape[1], picture.shape[0])
    matrix = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), degrees, 1.0)
    rotated: Luma = np.asarray(cv2.warpAffine(picture, matrix, size), np.uint8)
    one, other = (describe(shown, count=100) for shown in (picture, rotated))
    bits = hamming_distances(one.descriptors[:, np.newaxis], other.descriptors)
    nearest = bits.argmin(axis=1)
    moved = one.points @ matrix[:, :2].T + matrix[:, 2]
    close = np.hypot(*(moved - other.points[nearest]).T) < 3
    assert (close & (bits.min(axis=1) <= LOCAL.distance_max)).sum() > 20
