"""Edited cuts of real clips are found with their seconds; clips not registered are not."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import scenes
from fingerprint_bench.films import to_luma
from fingerprint_bench.video_edits import (
    Clip,
    EditedClip,
    VideoEdit,
    bars,
    caption,
    crop,
    edit_clip,
    flip,
    inset,
    read_clip,
    turn,
)

from titledeed.fingerprinting.base import SAMPLE_PERIOD_S
from titledeed.matching.embedded import EmbeddedIndex
from titledeed.models.match import Query

pytestmark = pytest.mark.media

REGISTERED = [
    "cogvideo__kitten.mp4",
    "ai_lumiere__panda_bamboo.mp4",
    "ai_lumiere__teddy_skating.mp4",
    "tav__man-skiing.mp4",
]
STRANGERS = ["ai_lumiere__teddy_snow.mp4", "intel__book.mkv", "mdn__pig.mp4"]
OTHER = "ai_lumiere__northern_lights.mp4"

WHOLE = VideoEdit("whole")
EDITS = [
    VideoEdit("cut", seconds_max=3.0),
    VideoEdit("letterboxed, mirrored", (flip, bars(rows=0.14)), mirrored=True),
    VideoEdit("cropped off-centre", (crop(0.75, x=0.2, y=0.7),)),
    VideoEdit("captioned", (caption(top=0.7),)),
    VideoEdit("inset", (inset(0.65, x=0.3, y=0.6),)),
    VideoEdit("turned by 5°", (turn(5),)),
    VideoEdit("faster", speed=1.17),
    VideoEdit("in a film", (bars(rows=0.1),), seconds_max=2.5, in_film=True),
]
SECONDS_MAX = 6.0
MIDDLE_OFF_MAX_S = 0.8


@cache
def read(path: Path) -> Clip:
    return read_clip(path, seconds_max=SECONDS_MAX)


def edited(folder: Path, name: str, edit: VideoEdit) -> EditedClip:
    clip, other = read(folder / name), read(folder / OTHER)
    return edit_clip(edit, name, clip, other, seconds_max=SECONDS_MAX)


def fingerprint(clip: EditedClip) -> Query:
    times_s = np.arange(0, clip.count / clip.fps - 1e-6, SAMPLE_PERIOD_S)
    return scenes.fingerprint([to_luma(clip.draw(int(t * clip.fps + 1e-6))) for t in times_s])


@pytest.fixture(scope="module")
def clips(shared: Path) -> Path:
    return shared / "media" / "video"


@pytest.fixture(scope="module")
def index(clips: Path) -> EmbeddedIndex:
    source = scenes.CodeSource()
    for name in REGISTERED:
        source.add(name, fingerprint(edited(clips, name, WHOLE)))
    return EmbeddedIndex(source=source)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
@pytest.mark.parametrize("name", REGISTERED[:2])
def test_edited_copy_is_found_with_its_seconds(
    index: EmbeddedIndex, clips: Path, name: str, edit: VideoEdit
) -> None:
    clip = edited(clips, name, edit)
    (match,) = index.search(fingerprint(clip))
    assert match.registration_id == name
    segment = max(match.segments, key=lambda segment: segment.query.duration_s)
    assert segment.mirrored == edit.mirrored
    truth = clip.truth
    middle_s = (segment.query.start_s + segment.query.end_s) / 2
    expected_s = truth.work.start_s + truth.speed * (middle_s - truth.query.start_s)
    assert (segment.work.start_s + segment.work.end_s) / 2 == pytest.approx(
        expected_s, abs=MIDDLE_OFF_MAX_S
    )


@pytest.mark.parametrize("name", STRANGERS)
def test_clip_that_is_not_registered_matches_nothing(
    index: EmbeddedIndex, clips: Path, name: str
) -> None:
    assert index.search(fingerprint(edited(clips, name, EDITS[0]))) == []
