"""Edited copies of moving pictures, each with the truth about its seconds.

The 18 listed edits are those the peers were measured on. The odd ones have other parameters or
combine several edits, so that nothing is tuned to the list. A query lasts at most 15 s and is
encoded with x264 superfast, 480 pixels wide.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
import numpy.typing as npt

from titledeed.models.interval import Interval

Picture = npt.NDArray[np.uint8]
"""BGR, shape (height, width, 3)."""

WIDTH_PX: Final = 480
QUERY_S_MAX: Final = 15.0
CUT_S_MIN: Final = 1.5
FPS_MAX: Final = 60.0
FILM_SIDE_S: Final = 6.0
EPSILON_S: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Moment:
    """What an edit may draw on beside the frame itself."""

    other: Picture
    generator: np.random.Generator


Paint = Callable[[Picture, Moment], Picture]


@dataclass(frozen=True, slots=True)
class Truth:
    """Which seconds of the edited file are which seconds of the source."""

    query: Interval
    work: Interval
    speed: float
    mirrored: bool


@dataclass(frozen=True, slots=True)
class VideoEdit:
    """What is done to a clip.

    Attributes:
        paint: what happens to each frame, in this order.
        share: of the source's duration, cut from its middle.
        seconds_max: of the query.
        in_film: whether other footage goes before and after.
        fps: None keeps the source's.
    """

    name: str
    paint: tuple[Paint, ...] = ()
    speed: float = 1.0
    fps: float | None = None
    crf: int = 23
    width: int = WIDTH_PX
    share: float = 1.0
    seconds_max: float = QUERY_S_MAX
    in_film: bool = False
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class Clip:
    """Decoded frames with the second each is shown from."""

    times_s: npt.NDArray[np.float64]
    frames: list[Picture]
    duration_s: float
    fps: float

    def at(self, time_s: float) -> Picture:
        """The frame on screen at that second."""
        row = int(np.searchsorted(self.times_s, time_s + EPSILON_S, side="right")) - 1
        return self.frames[max(0, row)]


def read_clip(path: Path, *, width: int = WIDTH_PX, seconds_max: float = 1e9) -> Clip:
    """Decode a clip at ``width`` pixels across; times count from its first frame."""
    times: list[float] = []
    frames: list[Picture] = []
    with av.open(path) as container:
        stream = container.streams.video[0]
        rate = float(stream.average_rate or stream.guessed_rate or 25)
        for frame in container.decode(stream):
            time_s = float(frame.time or 0.0)
            if times and time_s - times[0] > seconds_max:
                break
            height = _even(frame.height * width / frame.width)
            times.append(time_s)
            frames.append(
                np.asarray(frame.to_ndarray(format="bgr24", width=width, height=height), np.uint8)
            )
    shown_s = np.array(times) - times[0]
    step_s = float(np.median(np.diff(shown_s))) if len(shown_s) > 1 else 1 / rate
    return Clip(shown_s, frames, float(shown_s[-1]) + step_s, min(1 / step_s, FPS_MAX))


def write_frames(path: Path, frames: Iterator[Picture], *, fps: float, crf: int = 23) -> None:
    """Encode with x264; all frames are of the first one's size."""
    rate = Fraction(fps).limit_denominator(1001)
    with av.open(path, "w") as container:
        stream = container.add_stream(
            "libx264", rate=rate, options={"crf": str(crf), "preset": "superfast"}
        )
        stream.pix_fmt, stream.thread_count = "yuv420p", 1
        for index, picture in enumerate(frames):
            if index == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
            frame.pts, frame.time_base = index, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@dataclass(frozen=True, slots=True)
class EditedClip:
    """An edited copy, drawn frame by frame when asked.

    Attributes:
        truth: where the source lies in it.
        count: of frames.
    """

    edit: VideoEdit
    clip: Clip
    other: Clip
    truth: Truth
    fps: float
    count: int
    seed: int

    def draw(self, index: int) -> Picture:
        """One frame; the same index gives the same frame."""
        time_s = index / self.fps
        other = self.other.at(time_s % self.other.duration_s)
        if not self.truth.query.start_s <= time_s + EPSILON_S < self.truth.query.end_s:
            return _resize(other, self.edit.width, self.draw(self._first).shape[0])
        moment = Moment(other, np.random.default_rng((self.seed, index)))
        begun_s = time_s - self.truth.query.start_s
        picture = self.clip.at(self.truth.work.start_s + self.truth.speed * begun_s)
        for paint in self.edit.paint:
            picture = paint(picture, moment)
        height = _even(picture.shape[0] * self.edit.width / picture.shape[1])
        return _resize(picture, self.edit.width, height)

    @property
    def _first(self) -> int:
        return round(self.truth.query.start_s * self.fps)

    def write(self, path: Path) -> None:
        """Encode it."""
        frames = (self.draw(index) for index in range(self.count))
        write_frames(path, frames, fps=self.fps, crf=self.edit.crf)


def edit_clip(
    edit: VideoEdit, name: str, clip: Clip, other: Clip, *, seconds_max: float = QUERY_S_MAX
) -> EditedClip:
    """Lay out an edited copy.

    Args:
        edit: what to do.
        name: of the source; with the edit's name it seeds all that is random.
        clip: the source, whole.
        other: footage for the background and for the film around.
        seconds_max: of the query's part that is the source.
    """
    seed = zlib.crc32(f"{edit.name}/{name}".encode())
    longest_s = min(seconds_max, edit.seconds_max) * edit.speed
    work = _choose_part(edit.share, clip.duration_s, longest_s, np.random.default_rng(seed))
    fps = edit.fps or clip.fps
    count = max(1, int(work.duration_s / edit.speed * fps + EPSILON_S))
    side = round(FILM_SIDE_S * fps) if edit.in_film else 0
    truth = Truth(
        query=Interval(side / fps, (side + count) / fps),
        work=Interval(work.start_s, work.start_s + edit.speed * count / fps),
        speed=edit.speed,
        mirrored=edit.mirrored,
    )
    return EditedClip(edit, clip, other, truth, fps, count + 2 * side, seed)


def _choose_part(
    share: float, duration_s: float, longest_s: float, generator: np.random.Generator
) -> Interval:
    part_s = duration_s if share == 1 else min(duration_s, max(CUT_S_MIN, share * duration_s))
    length_s = min(part_s, longest_s)
    start_s = (duration_s - part_s) / 2 + float(generator.uniform(0, part_s - length_s))
    return Interval(start_s, start_s + length_s)


def crop(share: float, *, x: float = 0.5, y: float = 0.5) -> Paint:
    """Keep ``share`` of width and height; (0, 0) keeps the upper left corner."""

    def paint(picture: Picture, _: Moment) -> Picture:
        height, width = picture.shape[:2]
        rows, columns = round(height * share), round(width * share)
        top, left = round((height - rows) * y), round((width - columns) * x)
        return picture[top : top + rows, left : left + columns]

    return paint


def bars(*, rows: float = 0.0, columns: float = 0.0, level: int = 0) -> Paint:
    """Add bars on both sides, each a share of the picture's height or width."""

    def paint(picture: Picture, _: Moment) -> Picture:
        y, x = round(picture.shape[0] * rows), round(picture.shape[1] * columns)
        return np.pad(picture, ((y, y), (x, x), (0, 0)), constant_values=level)

    return paint


def flip(picture: Picture, _: Moment) -> Picture:
    """Left becomes right."""
    return np.ascontiguousarray(picture[:, ::-1])


def turn(degrees: float) -> Paint:
    """Rotate about the centre; the corners turn black."""

    def paint(picture: Picture, _: Moment) -> Picture:
        height, width = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
        return np.asarray(cv2.warpAffine(picture, matrix, (width, height)), np.uint8)

    return paint


def grade(*, contrast: float = 1.25, gamma: float = 0.8, warmth: float = 14) -> Paint:
    """Contrast, gamma, more red and less blue."""
    levels = np.arange(256) / 255
    curve = 255 * np.clip((levels**gamma - 0.5) * contrast + 0.5, 0, 1)
    table = np.stack([curve - warmth, curve, curve + warmth], axis=1)
    lookup = np.clip(table, 0, 255).astype(np.uint8)[:, np.newaxis]

    def paint(picture: Picture, _: Moment) -> Picture:
        return np.asarray(cv2.LUT(picture, lookup.reshape(1, 256, 3)), np.uint8)

    return paint


def camcorder(*, tilt: float = 0.05, noise: float = 8, sigma: float = 1.2) -> Paint:
    """Filmed off a screen: perspective, gamma, blur and noise."""
    darker = grade(contrast=0.9, gamma=1.3, warmth=6)

    def paint(picture: Picture, moment: Moment) -> Picture:
        height, width = picture.shape[:2]
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
        moved = corners + tilt * np.array([[1, 0.6], [-0.6, 1.2], [-1.2, -0.4], [0.5, -1]])
        size = np.array([width, height], np.float32)
        matrix = cv2.getPerspectiveTransform(corners * size, moved.astype(np.float32) * size)
        seen = cv2.warpPerspective(darker(picture, moment), matrix, (width, height))
        seen = cv2.GaussianBlur(seen, (0, 0), sigma)
        grain = moment.generator.standard_normal((height, width, 1), np.float32) * noise
        return np.clip(seen + grain, 0, 255).astype(np.uint8)

    return paint


def caption(*, top: float = 0.72, height: float = 0.2, lines: int = 2) -> Paint:
    """A dark, half-opaque box across the picture with lines of white text."""

    def paint(picture: Picture, _: Moment) -> Picture:
        rows, columns = picture.shape[:2]
        result = picture.copy()
        first, last = round(rows * top), round(rows * (top + height))
        result[first:last] = (result[first:last] * 0.35).astype(np.uint8)
        step = (last - first) / lines
        for line in range(lines):
            cv2.putText(
                result,
                ("wait for the very end", "you will not believe it")[line % 2],
                (round(columns * 0.06), round(first + step * (line + 0.75))),
                cv2.FONT_HERSHEY_SIMPLEX,
                min(step / 30, columns / 420),
                (255, 255, 255),
                max(1, round(step / 14)),
                cv2.LINE_AA,
            )
        return result

    return paint


def inset(share: float, *, x: float = 0.5, y: float = 0.5) -> Paint:
    """Picture-in-picture: ``share`` of the size, on other footage."""

    def paint(picture: Picture, moment: Moment) -> Picture:
        height, width = picture.shape[:2]
        result = _resize(moment.other, width, height).copy()
        rows, columns = round(height * share), round(width * share)
        top, left = round((height - rows) * y), round((width - columns) * x)
        result[top : top + rows, left : left + columns] = _resize(picture, columns, rows)
        return result

    return paint


def _resize(picture: Picture, width: int, height: int) -> Picture:
    if picture.shape[:2] == (height, width):
        return picture
    shrinks = height < picture.shape[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.uint8)


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)


LISTED: Final = (
    VideoEdit("crf 35", crf=35),
    VideoEdit("240p", width=320),
    VideoEdit("15 fps", fps=15),
    VideoEdit("30 fps", fps=30),
    VideoEdit("trim 25 %", share=0.25),
    VideoEdit("crop to 90 %", (crop(0.9),)),
    VideoEdit("crop to 77.5 %", (crop(0.775),)),
    VideoEdit("letterbox", (bars(rows=0.15),)),
    VideoEdit("pillarbox", (bars(columns=0.17),)),
    VideoEdit("horizontal flip", (flip,), mirrored=True),
    VideoEdit("speed 1.1", speed=1.1),
    VideoEdit("speed 0.8", speed=0.8),
    VideoEdit("grade", (grade(),)),
    VideoEdit("camcorder", (camcorder(),)),
    VideoEdit("caption", (caption(),)),
    VideoEdit("crop, flip, caption", (crop(0.85), flip, caption()), mirrored=True),
    VideoEdit("picture in picture 60 %", (inset(0.6, x=0.7, y=0.3),)),
    VideoEdit("segment in a film", (bars(rows=0.15),), seconds_max=4.0, in_film=True),
)
"""The edits of the peers' table."""

ODD: Final = (
    VideoEdit("rotation 7°", (turn(7),)),
    VideoEdit("crop to 65 % off-centre", (crop(0.65, x=0.1, y=0.8),)),
    VideoEdit("picture in picture 45 %", (inset(0.45, x=0.1, y=0.9),)),
    VideoEdit("picture in picture 75 %", (inset(0.75, x=1.0, y=0.2),)),
    VideoEdit("speed 1.07", speed=1.07),
    VideoEdit("speed 0.63, grade", (grade(gamma=1.4),), speed=0.63),
    VideoEdit("speed 1.63, crop", (crop(0.93),), speed=1.63),
    VideoEdit("white letterbox, flip", (flip, bars(rows=0.22, level=235)), mirrored=True),
    VideoEdit("caption, crop to 80 %", (crop(0.8, x=0.3), caption(top=0.05))),
    VideoEdit("window box, caption", (caption(), bars(rows=0.1, columns=0.12))),
    VideoEdit("strong camcorder", (camcorder(tilt=0.09, noise=14, sigma=1.8),)),
    VideoEdit("flip in a film", (flip,), seconds_max=2.5, in_film=True, mirrored=True),
    VideoEdit("inset 70 %, flip", (flip, inset(0.7, x=0.2, y=0.5)), mirrored=True, fps=12),
    VideoEdit("cut of 2 s, crf 38", crf=38, seconds_max=2.0),
)
"""Other parameters and combinations."""
