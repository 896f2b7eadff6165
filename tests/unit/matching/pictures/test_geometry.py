from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scenes import draw_scene, extract_frames

from titledeed.fingerprinting.base import Luma
from titledeed.fingerprinting.pictures.local import Local
from titledeed.fingerprinting.pictures.local_features import LocalFeatures, orient_features
from titledeed.fingerprinting.pictures.orientation import MIRRORED, UPRIGHT
from titledeed.matching.pictures.geometry import verify, verify_oriented

PICTURES = [draw_scene(seed, seconds=0.25)[0] for seed in range(90, 98)]
EVIDENCE_OF_A_COPY = 20
EVIDENCE_BY_ACCIDENT_MAX = 8


def features(picture: Luma) -> LocalFeatures:
    return extract_frames(Local(), [picture])


def paste(picture: Luma, back: Luma, *, share: float, left: int, top: int) -> Luma:
    result = back.copy()
    inset = cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    result[top : top + inset.shape[0], left : left + inset.shape[1]] = inset
    return result


def test_a_picture_lies_in_itself() -> None:
    one = features(PICTURES[0])
    match = verify(one, one)
    assert match is not None
    assert match.evidence > EVIDENCE_OF_A_COPY
    assert np.allclose(match.transform, [[1, 0, 0], [0, 1, 0]], atol=1e-3)


def test_unrelated_pictures_share_no_arrangement() -> None:
    known = [features(picture) for picture in PICTURES[:4]]
    strangers = [features(picture) for picture in PICTURES[4:]]
    found = [verify_oriented(one, other) for one in known for other in strangers]
    assert max(f.match.evidence for f in found if f) < EVIDENCE_BY_ACCIDENT_MAX


def test_pasted_picture_is_placed() -> None:
    query = paste(PICTURES[0], PICTURES[1], share=0.6, left=40, top=30)
    match = verify(features(query), features(PICTURES[0]))
    assert match is not None
    assert match.evidence > EVIDENCE_OF_A_COPY
    assert match.scale == pytest.approx(1 / 0.6, rel=0.02)
    longer = max(query.shape)
    corner = match.transform @ np.array([40 / longer, 30 / longer, 1])
    assert np.allclose(corner, 0, atol=0.02)


def test_mirrored_picture_is_found_mirrored() -> None:
    found = verify_oriented(features(PICTURES[0][:, ::-1].copy()), features(PICTURES[0]))
    assert found is not None
    assert found.orientation == MIRRORED
    assert found.match.evidence > EVIDENCE_OF_A_COPY


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_picture_needs_no_orientation_of_its_own(turns: int) -> None:
    turned = np.ascontiguousarray(np.rot90(PICTURES[0], turns))
    found = verify_oriented(features(turned), features(PICTURES[0]))
    assert found is not None
    assert found.orientation == UPRIGHT
    assert found.match.evidence > EVIDENCE_OF_A_COPY


def first_points(whole: LocalFeatures, count: int) -> LocalFeatures:
    return replace(
        whole,
        frame=whole.frame[:count],
        points=whole.points[:count],
        scales=whole.scales[:count],
        angles=whole.angles[:count],
        descriptors=whole.descriptors[:count],
    )


def share_a_fifth(picture: Luma, other: Luma) -> Luma:
    """The other picture, with the right fifth of the first."""
    kin, width = picture.copy(), round(0.8 * picture.shape[1])
    kin[:, :width] = other[:, :width]
    return kin


def test_stretched_picture_is_fitted_by_an_affine_transform() -> None:
    picture = PICTURES[0]
    squeezed = cv2.resize(picture, (picture.shape[1] * 3 // 4, picture.shape[0]))
    match = verify(features(np.asarray(squeezed, np.uint8)), features(picture))
    assert match is not None
    assert match.evidence > EVIDENCE_OF_A_COPY
    across, down = match.transform[0, 0], match.transform[1, 1]
    assert across / down == pytest.approx(4 / 3, rel=0.05)


def test_evidence_falls_with_the_points_left() -> None:
    one = features(PICTURES[0])
    few = first_points(one, 12)
    whole, part = verify(one, one), verify(few, one)
    assert whole is not None and part is not None
    assert whole.evidence > part.evidence


def test_most_of_a_copy_agrees_and_little_of_two_with_a_part_in_common() -> None:
    picture, width = PICTURES[0], PICTURES[0].shape[1]
    kin = share_a_fifth(picture, PICTURES[1])
    inset = paste(picture, PICTURES[2], share=0.8, left=30, top=20)
    captioned = np.vstack([np.full((28, width), 255, np.uint8), picture])
    alike, placed, copied = (
        verify(features(p), features(picture)) for p in (kin, inset, captioned)
    )
    assert alike is not None and placed is not None and copied is not None
    assert alike.share < 0.2 < 0.3 < placed.share
    assert copied.share > 0.9


def test_evidence_is_less_where_few_of_the_common_points_agree() -> None:
    picture, width = PICTURES[0], PICTURES[0].shape[1]
    kin = share_a_fifth(picture, PICTURES[1])
    part = np.ascontiguousarray(picture[:, round(0.8 * width) :])
    alike, alone = (verify(features(p), features(picture)) for p in (kin, part))
    assert alike is not None and alone is not None
    assert alike.share < alone.share
    assert alike.evidence / alike.inliers < alone.evidence / alone.inliers


def test_only_the_same_view_is_in_place() -> None:
    one, cropped = features(PICTURES[0]), features(PICTURES[0][8:-8, 12:-12].copy())
    same, cut = verify(one, one), verify(cropped, one)
    assert same is not None and cut is not None
    assert same.is_in_place
    assert not cut.is_in_place


def test_two_points_are_no_arrangement() -> None:
    one = features(PICTURES[0])
    two = first_points(one, 2)
    assert verify(two, one) is None
    assert verify_oriented(orient_features(two, MIRRORED), one) is None
