from __future__ import annotations

from itertools import product

import cv2
import numpy as np
import pytest
from scenes import SIZE, Scene, draw_scene

from titledeed.fingerprinting.algorithms import SHOT_ALGORITHMS
from titledeed.fingerprinting.pictures.shots import ShotReader
from titledeed.matching.pictures.codes import read_picture_codes
from titledeed.matching.pictures.keyframes import KeyframeMatches, find_pairs
from titledeed.matching.pictures.local_segments import PROBES, locate, verify
from titledeed.matching.pictures.placements import hold_placement
from titledeed.matching.pictures.views import View
from titledeed.matching.pictures.voting import TimeLine
from titledeed.models.interval import Interval

SECONDS = 10.0
ROOM, ACTOR, UNDERSTUDY, STRANGER = (draw_scene(s, seconds=SECONDS) for s in (11, 12, 13, 14))


def view(scene: Scene) -> View:
    reader = ShotReader([algorithm.start_coder() for algorithm in SHOT_ALGORITHMS])
    for index, frame in enumerate(scene):
        reader.add_frame(index / 4, frame)
    return View(
        read_picture_codes([found.code for found in reader.finish() if found.code]),
        duration_s=len(scene) / 4,
    )


def stage(actor: Scene) -> Scene:
    """The same empty room behind, at the right, and somebody in front of it."""
    width = round(0.75 * SIZE[0])
    takes = [ROOM[0].copy() for _ in actor]
    for take, frame in zip(takes, actor, strict=True):
        take[:, :width] = frame[:, :width]
    return takes


def inset(scene: Scene, share: float) -> Scene:
    shown = []
    for frame, back in zip(scene, STRANGER, strict=True):
        small = cv2.resize(frame, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        picture = back.copy()
        picture[20 : 20 + small.shape[0], 30 : 30 + small.shape[1]] = small
        shown.append(picture)
    return shown


def locate_in(query: View, work: View) -> list[tuple[bool, float]]:
    assert query.local is not None and work.local is not None
    matches = verify(query, work, find_pairs(query.local, work.local))
    assert matches is not None
    return [(s.is_same_recording, s.query.duration_s) for s in locate(query, work, matches)]


def test_inset_is_the_same_recording_all_along() -> None:
    [(is_same, duration_s)] = locate_in(view(inset(ACTOR, 0.75)), view(ACTOR))
    assert is_same
    assert duration_s == pytest.approx(SECONDS, abs=0.3)


def test_two_takes_in_one_room_share_it_and_are_not_the_same() -> None:
    found = locate_in(view(stage(ACTOR)), view(stage(UNDERSTUDY)))
    assert found
    assert not any(is_same for is_same, _ in found)


def test_unrelated_clips_share_nothing() -> None:
    assert locate_in(view(ACTOR), view(STRANGER)) == []


def hold(query: View, work: View) -> KeyframeMatches:
    """What the surest pair of keyframes says of the others."""
    assert query.local is not None and work.local is not None
    matches = verify(query, work, find_pairs(query.local, work.local))
    assert matches is not None and len(matches.evidence)
    return hold_placement(query.local, work.local, matches, TimeLine(1.0, 0.0))


def test_small_inset_keeps_its_place_from_keyframe_to_keyframe() -> None:
    held = hold(view(inset(ACTOR, 0.6)), view(ACTOR))
    assert len(held.evidence) >= 2
    assert held.query_s == pytest.approx(held.work_s)


def test_what_stands_still_is_no_further_evidence() -> None:
    still = [ACTOR[0]] * len(ACTOR)
    assert not len(hold(view(still), view(still)).evidence)


def test_placement_of_one_moment_holds_in_no_other_clip() -> None:
    other = [*ACTOR[:4], *STRANGER[4:]]
    assert not len(hold(view(other), view(ACTOR)).evidence)


def test_pairs_that_are_explained_take_no_place_of_others() -> None:
    query = work = view(ACTOR)
    assert query.local is not None
    count = len(query.local.times_s)
    early = [(0, column) for column in range(count)] * 20
    matches = verify(query, work, [*early, (count - 1, count - 1)], [Interval(0.0, 1.0)])
    assert matches is not None
    assert matches.query_s.tolist() == [query.local.times_s[-1]]


def test_work_is_given_up_when_its_most_promising_pairs_share_nothing() -> None:
    query, work = view(ACTOR), view(ACTOR[:8] + STRANGER[8:])
    assert query.local is not None and work.local is not None
    rows = np.flatnonzero(query.local.times_s > 2)
    columns = np.flatnonzero(work.local.times_s > 2)
    vain = list(product(rows.tolist(), columns.tolist()))[:PROBES]
    assert len(vain) == PROBES
    found = verify(query, work, [*vain, (0, 0)])
    assert found is not None and 0.0 not in found.query_s
