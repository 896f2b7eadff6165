from __future__ import annotations

import numpy as np
import pytest
from code_walks import draw_codes, draw_walk, flip_bits, on_grid

from titledeed.fingerprinting.base import FrameCodes
from titledeed.matching.pictures.codes import PictureCodes
from titledeed.matching.pictures.views import View, VisualSegment, look_up, view_query
from titledeed.matching.pictures.visual import match_work
from titledeed.models.interval import Interval

NOWHERE = Interval(0.0, 0.0)


def codes(frames: FrameCodes) -> PictureCodes:
    return PictureCodes(frames, None, None)


def still(code: np.ndarray) -> PictureCodes:
    return codes(FrameCodes(np.zeros(1), code[np.newaxis]))


def match(query: PictureCodes, work: PictureCodes) -> list[VisualSegment]:
    views, other = view_query(query), View(work)
    return match_work(views, other, look_up(views, other))


VIDEO = on_grid(draw_walk(np.random.default_rng(1), 40, drift=0.1))


def test_frame_of_a_video_is_found_at_its_second() -> None:
    (found,) = match(still(flip_bits(VIDEO.codes[20:21], 12)[0]), codes(VIDEO))
    assert found.query == NOWHERE
    assert found.work == Interval(5.0, 5.0)
    assert found.evidence["picture.frames"] == 128 - 12


def test_still_on_screen_is_found_for_as_long_as_it_is_shown() -> None:
    picture = draw_codes(2, 1)
    shown = VIDEO.codes.copy()
    shown[8:20] = picture
    (found,) = match(codes(on_grid(shown)), still(picture[0]))
    assert found.query.start_s == pytest.approx(2.0, abs=0.13)
    assert found.query.end_s == pytest.approx(5.0, abs=0.13)
    assert found.work == NOWHERE


def test_still_shown_twice_has_two_showings() -> None:
    picture = draw_codes(2, 1)
    shown = VIDEO.codes.copy()
    shown[4:10] = shown[20:30] = picture
    first, second = match(codes(on_grid(shown)), still(picture[0]))
    assert first.query.end_s < 3 < 4.5 < second.query.start_s


def test_held_frame_of_a_video_is_one_moment_of_it() -> None:
    held = on_grid(np.repeat(flip_bits(VIDEO.codes[20:21], 12), 16, axis=0))
    (found,) = match(codes(held), codes(VIDEO))
    assert (found.query.start_s, found.query.end_s) == pytest.approx((0, 4), abs=0.13)
    assert found.work == Interval(5.0, 5.0)


def test_two_pictures_have_no_seconds() -> None:
    picture = draw_codes(3, 1)
    (found,) = match(still(flip_bits(picture, 30)[0]), still(picture[0]))
    assert (found.query, found.work) == (NOWHERE, NOWHERE)
    assert found.is_same_recording


def test_unrelated_pictures_share_nothing() -> None:
    one, other = draw_codes(4, 2)
    assert match(still(one), still(other)) == []
