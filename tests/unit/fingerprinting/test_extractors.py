from __future__ import annotations

import pytest
from scenes import draw_scene

from titledeed.fingerprinting.algorithms import Extractors
from titledeed.fingerprinting.base import SAMPLE_PERIOD_S
from titledeed.models.asset import MediaKind


def extract_all(kind: MediaKind, seconds: float) -> tuple[int, list[str]]:
    """How many codes there are, and why there are no others."""
    extractors = Extractors(kind)
    for index, frame in enumerate(draw_scene(101, seconds=seconds)):
        for sink in extractors.frame_sinks:
            sink.add_frame(0.033 + index * SAMPLE_PERIOD_S, frame)
    found = extractors.finish(has_sound=False)
    return sum(one.code is not None for one in found), [one.note for one in found if one.note]


@pytest.mark.parametrize("seconds", [0.25, 0.5, 0.75])
def test_video_under_a_second_has_no_code_and_says_why(seconds: float) -> None:
    assert extract_all(MediaKind.VIDEO, seconds) == (0, ["the video is shorter than 1 s"])


def test_video_of_a_second_has_codes() -> None:
    codes, notes = extract_all(MediaKind.VIDEO, 1.0)
    assert codes >= 3
    assert notes == []


def test_picture_is_not_too_short() -> None:
    codes, _ = extract_all(MediaKind.IMAGE, 0.25)
    assert codes >= 3
