from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from fingerprint_bench.picture_edits import ODD_PICTURE_EDITS, PICTURE_EDITS
from scenes import draw_scene

from titledeed.fingerprinting.algorithms import SHOT_ALGORITHMS
from titledeed.fingerprinting.base import Luma
from titledeed.fingerprinting.pictures.orientation import Orientation
from titledeed.fingerprinting.pictures.shots import ShotReader
from titledeed.matching.pictures.codes import PictureCodes, read_picture_codes
from titledeed.matching.pictures.evidence import (
    FRAMES,
    LOCAL,
    REGIONS,
    compare_pictures,
)
from titledeed.models.fingerprint import FingerprintCode

PICTURE, STRANGER, OTHER = (draw_scene(seed, seconds=0.25)[0] for seed in (101, 102, 103))
ENOUGH = {FRAMES: 50, REGIONS: 60, LOCAL: 12}
"""Far above what the strangers below give."""


def codes_of(picture: Luma) -> PictureCodes:
    reader = ShotReader([algorithm.start_coder() for algorithm in SHOT_ALGORITHMS])
    reader.add_frame(0.0, picture)
    return read_picture_codes([found.code for found in reader.finish() if found.code])


WORK = codes_of(PICTURE)


@pytest.mark.parametrize("name", [*PICTURE_EDITS, *ODD_PICTURE_EDITS])
def test_edited_picture_gives_evidence(name: str) -> None:
    edit = {**PICTURE_EDITS, **ODD_PICTURE_EDITS}[name]
    coloured, other = (np.repeat(p[:, :, np.newaxis], 3, axis=2) for p in (PICTURE, OTHER))
    edited = np.ascontiguousarray(edit(coloured, other)[:, :, 1])
    numbers = compare_pictures(codes_of(edited), WORK).numbers
    assert any(numbers.get(kind, 0) > least for kind, least in ENOUGH.items())


def test_stranger_gives_little() -> None:
    numbers = compare_pictures(codes_of(STRANGER), WORK).numbers
    assert set(numbers) == {FRAMES, REGIONS, LOCAL}
    assert all(numbers[kind] < least for kind, least in ENOUGH.items())


def test_orientation_is_told() -> None:
    turned = codes_of(np.ascontiguousarray(np.rot90(PICTURE[:, ::-1])))
    evidence = compare_pictures(turned, WORK)
    assert evidence.orientation.mirrored
    assert evidence.placement is not None
    assert evidence.placement.orientation.mirrored
    by_codes = compare_pictures(replace(turned, local=None), WORK)
    assert by_codes.orientation in (Orientation(1, mirrored=True), Orientation(3, mirrored=True))


@pytest.mark.parametrize("mirrored", [False, True])
def test_orientation_is_that_of_the_surest_kind(*, mirrored: bool) -> None:
    height, width = PICTURE.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 23, 1)
    rotated = cv2.warpAffine(PICTURE, turn, (width, height))[16:-16, 24:-24]
    query = np.ascontiguousarray(rotated[:, ::-1] if mirrored else rotated, np.uint8)
    evidence = compare_pictures(codes_of(query), WORK)
    assert evidence.orientation.mirrored == mirrored


def test_copy_in_a_caption_bar_is_the_same_picture() -> None:
    bar = np.full((28, PICTURE.shape[1]), 255, np.uint8)
    cv2.putText(bar, "Seen today", (10, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 0, 2)
    assert compare_pictures(codes_of(np.vstack([bar, PICTURE])), WORK).is_same_picture


def test_picture_with_a_part_in_common_is_another() -> None:
    kin = PICTURE.copy()
    kin[:, : round(0.7 * kin.shape[1])] = STRANGER[:, : round(0.7 * kin.shape[1])]
    evidence = compare_pictures(codes_of(kin), WORK)
    assert evidence.numbers[LOCAL] > ENOUGH[LOCAL]
    assert not evidence.is_same_picture


def test_two_pictures_with_one_caption_are_not_the_same() -> None:
    bar = np.full((40, PICTURE.shape[1]), 255, np.uint8)
    for line in (18, 36):
        cv2.putText(bar, "SEEN TODAY", (4, line), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 0, 2)
    one, other = (codes_of(np.vstack([bar, picture])) for picture in (PICTURE, STRANGER))
    evidence = compare_pictures(one, other)
    assert evidence.placement is not None
    assert not evidence.is_same_picture


def test_codes_alone_tell_a_copy_that_lost_its_features() -> None:
    blurred = cv2.GaussianBlur(PICTURE, (0, 0), 6)
    found = codes_of(np.asarray(blurred, np.uint8))
    assert compare_pictures(replace(found, local=None), WORK).is_same_picture


def test_missing_codes_give_no_number() -> None:
    nothing = PictureCodes(None, None, None)
    assert compare_pictures(nothing, WORK).numbers == {}
    only_frames = PictureCodes(WORK.frames, None, None)
    assert compare_pictures(only_frames, WORK).numbers == {FRAMES: 128}


def test_codes_of_other_algorithms_are_passed_over() -> None:
    assert read_picture_codes([FingerprintCode("pdq", 1, bytes(32))]) == PictureCodes(
        None, None, None
    )
