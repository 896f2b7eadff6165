from __future__ import annotations

import numpy as np
import pytest
from fingerprint_bench.picture_edits import ODD_PICTURE_EDITS, PICTURE_EDITS
from scenes import draw_scene

from titledeed.fingerprinting.algorithms import SHOT_ALGORITHMS
from titledeed.fingerprinting.base import Luma
from titledeed.fingerprinting.orientation import Orientation
from titledeed.fingerprinting.shots import ShotReader
from titledeed.matching.pictures import (
    FRAMES,
    LOCAL,
    REGIONS,
    PictureCodes,
    compare_pictures,
    read_picture_codes,
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
    turned = np.ascontiguousarray(np.rot90(PICTURE[:, ::-1]))
    evidence = compare_pictures(codes_of(turned), WORK)
    assert evidence.orientation == Orientation(3, mirrored=True) or (
        evidence.orientation == Orientation(1, mirrored=True)
    )
    assert evidence.placement is not None
    assert evidence.placement.orientation.mirrored


def test_missing_codes_give_no_number() -> None:
    nothing = PictureCodes(None, None, None)
    assert compare_pictures(nothing, WORK).numbers == {}
    only_frames = PictureCodes(WORK.frames, None, None)
    assert compare_pictures(only_frames, WORK).numbers == {FRAMES: 128}


def test_codes_of_other_algorithms_are_passed_over() -> None:
    assert read_picture_codes([FingerprintCode("pdq", 1, bytes(32))]) == PictureCodes(
        None, None, None
    )
