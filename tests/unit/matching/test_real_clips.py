"""Edited cuts of real clips are found with their seconds; clips not registered are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from scenes import CodeSource, Scene, add_bars, crop, extract, extract_code, mirror

from titledeed.fingerprinting.video_dct import VideoDct
from titledeed.matching.embedded import EmbeddedIndex
from titledeed.models.match import WorkMatch

pytestmark = pytest.mark.media

VIDEO = VideoDct()
WIDTH_MAX = 320
FRAMES_MAX = 160
SECONDS_OFF_MAX = 0.5

REGISTERED = [
    "cogvideo__kitten.mp4",
    "ai_cogvideo__4.mp4",
    "ai_lumiere__sailboat.mp4",
    "ai_lumiere__northern_lights.mp4",
    "ai_lumiere__dog_headphones.mp4",
    "ai_lumiere__panda_bamboo.mp4",
    "ai_lumiere__pharaoh.mp4",
    "ai_lumiere__teddy_skating.mp4",
    "ai_lumiere__red_car.mp4",
    "ai_lumiere_sd__A_bear_dancing_in_3d_rendering_style.mp4",
    "mdn__elf.mp4",
    "tav__man-skiing.mp4",
]
QUERIED = [
    "cogvideo__kitten.mp4",
    "ai_lumiere__northern_lights.mp4",
    "mdn__elf.mp4",
]
STRANGERS = [
    "ai_cogvideo__3.mp4",
    "ai_lumiere__fire_snowy.mp4",
    "ai_lumiere__teddy_snow.mp4",
    "ai_lumiere__red_sunglasses_dog.mp4",
    "intel__book.mkv",
    "mdn__pig.mp4",
]


def halve(clip: Scene) -> Scene:
    height, width = clip[0].shape
    size = (width // 4 * 2, height // 4 * 2)
    return [np.asarray(cv2.resize(f, size, interpolation=cv2.INTER_AREA), np.uint8) for f in clip]


EDITS: dict[str, tuple[Callable[[Scene], Scene], float, bool]] = {
    "half the size": (halve, 1.0, False),
    "mirrored": (mirror, 1.0, True),
    "letterboxed": (lambda clip: add_bars(clip, rows=clip[0].shape[0] // 12 * 2), 1.0, False),
    "pillarboxed": (lambda clip: add_bars(clip, columns=clip[0].shape[1] // 12 * 2), 1.0, False),
    "cropped": (lambda clip: crop(clip, share=0.95), 1.0, False),
    "faster": (list, 1.1, False),
    "slower": (list, 0.8, False),
}
"""Name: what happens to the frames, the speed, and whether it mirrors."""


def read_clip(path: Path) -> tuple[Scene, float]:
    """Luma of all frames, shrunk, and frames per second."""
    clip = []
    with av.open(path) as container:
        rate = float(container.streams.video[0].average_rate or 25)
        for frame in container.decode(video=0):
            luma = frame.to_ndarray(format="gray")
            scale = min(1.0, WIDTH_MAX / luma.shape[1])
            size = (int(luma.shape[1] * scale) // 2 * 2, int(luma.shape[0] * scale) // 2 * 2)
            shrunk = cv2.resize(luma, size, interpolation=cv2.INTER_AREA)
            clip.append(np.asarray(shrunk, np.uint8))
            if len(clip) == FRAMES_MAX:
                break
    return clip, rate


def sample(clip: Iterable[np.ndarray], rate: float) -> Scene:
    """The frame on screen at each grid time."""
    frames = list(clip)
    count = int(len(frames) / rate * 4)
    return [np.asarray(frames[min(len(frames) - 1, int(i / 4 * rate))]) for i in range(count)]


def reencode(clip: Scene, rate: float, path: Path) -> Scene:
    """The frames after H.264 at CRF 35."""
    height, width = (side // 2 * 2 for side in clip[0].shape)
    chroma = np.full((height // 2, width), 128, np.uint8)
    with av.open(path, "w") as container:
        options = {"crf": "35", "preset": "superfast"}
        step = Fraction(rate).limit_denominator(1001)
        stream = container.add_stream("libx264", rate=step, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.thread_count = 1
        for frame in clip:
            planes = np.concatenate([frame[:height, :width], chroma])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
    with av.open(path) as container:
        frames = (frame.to_ndarray(format="gray") for frame in container.decode(video=0))
        return [np.asarray(frame, np.uint8) for frame in frames]


@pytest.fixture(scope="module")
def clips(shared: Path) -> Path:
    return shared / "media" / "video"


@pytest.fixture(scope="module")
def index(clips: Path) -> EmbeddedIndex:
    source = CodeSource()
    for name in REGISTERED:
        source.add(name, extract_code(VIDEO, sample(*read_clip(clips / name))))
    return EmbeddedIndex(source=source)


def search_copy(index: EmbeddedIndex, clip: Scene, rate: float, folder: Path) -> list[WorkMatch]:
    return index.search(
        extract(VIDEO, sample(reencode(clip, rate, folder / "copy.mp4"), rate)).views
    )


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("name", QUERIED)
def test_edited_cut_is_found_with_its_seconds(
    index: EmbeddedIndex, clips: Path, tmp_path: Path, name: str, edit: str
) -> None:
    apply, speed, mirrored = EDITS[edit]
    clip, rate = read_clip(clips / name)
    length = min(len(clip), round(4 * rate))
    start = (len(clip) - length) // 2
    copy = apply(clip[start : start + length])
    (match,) = search_copy(index, copy, rate * speed, tmp_path)
    assert match.registration_id == name
    (segment,) = match.segments
    assert segment.mirrored == mirrored
    assert segment.speed == pytest.approx(speed, abs=0.05)
    assert segment.work.start_s == pytest.approx(start / rate, abs=SECONDS_OFF_MAX)
    assert segment.work.end_s == pytest.approx((start + length) / rate, abs=SECONDS_OFF_MAX)
    assert segment.query.start_s == pytest.approx(0, abs=SECONDS_OFF_MAX)
    assert segment.query.end_s == pytest.approx(length / rate / speed, abs=SECONDS_OFF_MAX)


@pytest.mark.parametrize("name", STRANGERS)
def test_clip_that_is_not_registered_matches_nothing(
    index: EmbeddedIndex, clips: Path, tmp_path: Path, name: str
) -> None:
    clip, rate = read_clip(clips / name)
    assert search_copy(index, halve(clip), rate, tmp_path) == []
