"""The edits a picture's fingerprint must survive: the 28 that are reported, and odd ones.

An edit takes a picture (RGB, shape (height, width, 3)) and another one to paste it on; the
parameters are in the tables below. ``ODD`` holds other parameters and combinations, so that a
design tuned to the reported ones shows.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import reduce

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

Picture = npt.NDArray[np.uint8]
Edit = Callable[[Picture, Picture], Picture]

WHITE = (255, 255, 255)
BLACK = (0, 0, 0)


def _bytes(values: npt.NDArray[np.floating] | npt.NDArray[np.integer]) -> Picture:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def _scaled(picture: Picture, width: float, height: float) -> Picture:
    size = (max(1, round(width)), max(1, round(height)))
    shrinks = size[0] * size[1] < picture.shape[0] * picture.shape[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=interpolation), np.uint8)


def jpeg(quality: int) -> Edit:
    """Save as JPEG and read again."""

    def edit(picture: Picture, _: Picture) -> Picture:
        data = io.BytesIO()
        Image.fromarray(picture).save(data, "JPEG", quality=quality)
        with Image.open(data) as saved:
            return np.asarray(saved)

    return edit


def resize(across: float, down: float | None = None) -> Edit:
    """Scale width and height by these shares."""
    return lambda picture, _: _scaled(
        picture, picture.shape[1] * across, picture.shape[0] * (down or across)
    )


def crop(removed_area: float, *, left: float = 0.5, top: float = 0.5) -> Edit:
    """Keep the picture's shape; ``left`` and ``top`` tell how the loss is shared out."""

    def edit(picture: Picture, _: Picture) -> Picture:
        height, width = picture.shape[:2]
        side = np.sqrt(1 - removed_area)
        y, x = round(height * (1 - side) * top), round(width * (1 - side) * left)
        return picture[y : y + round(height * side), x : x + round(width * side)]

    return edit


def rotate(degrees: float) -> Edit:
    """Turn about the middle; the corners that appear are black."""

    def edit(picture: Picture, _: Picture) -> Picture:
        height, width = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
        return np.asarray(cv2.warpAffine(picture, matrix, (width, height)), np.uint8)

    return edit


def pad(
    left: float, top: float, right: float, bottom: float, colour: tuple[int, int, int] = BLACK
) -> Edit:
    """Put bars around the picture, shares of its width and height."""

    def edit(picture: Picture, _: Picture) -> Picture:
        height, width = picture.shape[:2]
        y, x = round(top * height), round(left * width)
        shape = (y + height + round(bottom * height), x + width + round(right * width), 3)
        result = np.full(shape, colour, np.uint8)
        result[y : y + height, x : x + width] = picture
        return result

    return edit


def _write(
    picture: Picture, text: str, *, left: float, base: float, size: float, outlined: bool = True
) -> None:
    """Draw a line of text in place, white on a black outline or plainly black; shares as sizes."""
    height, width = picture.shape[:2]
    scale = size * height / 22  # the font's capitals are 22 pixels high at scale 1
    origin = (round(left * width), round(base * height))
    thick = max(1, round(scale * 2))
    strokes = ((BLACK, thick * 2 + 1), (WHITE, thick)) if outlined else ((BLACK, thick),)
    for colour, weight in strokes:
        cv2.putText(
            picture, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, weight, cv2.LINE_AA
        )


def caption_bar(share: float = 0.22, *, below: bool = False) -> Edit:
    """A white bar above or below with two lines of text."""

    def edit(picture: Picture, other: Picture) -> Picture:
        top, bottom = (0.0, share) if below else (share, 0.0)
        result = pad(0, top, 0, bottom, WHITE)(picture, other)
        total = 1 + share
        start = 1 / total if below else 0.0
        for line, text in enumerate(("when you finally see it", "and cannot look away")):
            base = start + share / total * (0.42 + 0.42 * line)
            _write(result, text, left=0.04, base=base, size=0.2 * share, outlined=False)
        return result

    return edit


def overlay_text(picture: Picture, _: Picture) -> Picture:
    """Three lines of text over the picture."""
    result = picture.copy()
    for base, text in ((0.2, "BREAKING NEWS"), (0.55, "you will not believe"), (0.9, "what comes")):
        _write(result, text, left=0.05, base=base, size=0.07)
    return result


def tone(*, gain: float = 1.0, lift: float = 0.0, gamma: float = 1.0) -> Edit:
    """Contrast about the middle grey, brightness, gamma."""

    def edit(picture: Picture, _: Picture) -> Picture:
        values = (picture.astype(np.float64) - 128) * gain + 128 + lift
        return _bytes(255 * (np.clip(values, 0, 255) / 255) ** gamma)

    return edit


def blur(sigma: float) -> Edit:
    """Gaussian blur."""
    return lambda picture, _: np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def noise(sigma: float) -> Edit:
    """Gaussian noise, each channel on its own."""

    def edit(picture: Picture, _: Picture) -> Picture:
        generator = np.random.default_rng(picture.size)
        return _bytes(picture + generator.normal(0, sigma, picture.shape))

    return edit


def grey(picture: Picture, _: Picture) -> Picture:
    """Without colour."""
    levels = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    return np.repeat(levels[:, :, np.newaxis], 3, axis=2)


def turn_hue(degrees: int) -> Edit:
    """Turn all colours about the grey axis."""

    def edit(picture: Picture, _: Picture) -> Picture:
        hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
        hsv[:, :, 0] = (hsv[:, :, 0].astype(np.int64) + degrees // 2) % 180
        return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)

    return edit


def sticker(diameter: float, *, x: float, y: float) -> Edit:
    """A round face; ``diameter`` and the centre in shares of the shorter side and the picture."""

    def edit(picture: Picture, _: Picture) -> Picture:
        result = picture.copy()
        height, width = picture.shape[:2]
        radius = diameter * min(height, width) / 2
        centre = (round(x * width), round(y * height))
        cv2.circle(result, centre, round(radius), (255, 204, 51), -1, cv2.LINE_AA)
        for side in (-0.35, 0.35):
            eye = (round(centre[0] + side * radius), round(centre[1] - 0.25 * radius))
            cv2.circle(result, eye, max(1, round(radius * 0.12)), (60, 40, 20), -1, cv2.LINE_AA)
        mouth = (max(1, round(radius * 0.55)),) * 2
        thick = max(1, round(radius * 0.1))
        cv2.ellipse(result, centre, mouth, 0, 20, 160, (60, 40, 20), thick, cv2.LINE_AA)
        return result

    return edit


def screenshot(*, dark: bool = False, margin: float = 0.0) -> Edit:
    """A phone's screen: status line, name, the picture across the screen, buttons, text."""

    def edit(picture: Picture, _: Picture) -> Picture:
        width, height = 540, 1100
        back, ink = ((24, 24, 28), (230, 230, 230)) if dark else ((250, 250, 250), (30, 30, 30))
        screen = np.full((height, width, 3), back, np.uint8)
        across = width * (1 - 2 * margin)
        down = min(across * picture.shape[0] / picture.shape[1], 760)
        shown = _scaled(picture, down * picture.shape[1] / picture.shape[0], down)
        top, left = 170, (width - shown.shape[1]) // 2
        screen[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(screen, "09:41", (24, 40), font, 0.8, ink, 2, cv2.LINE_AA)
        cv2.circle(screen, (60, 115), 34, (90, 140, 220), -1, cv2.LINE_AA)
        cv2.putText(screen, "somebody_online", (110, 125), font, 0.8, ink, 2, cv2.LINE_AA)
        below = top + shown.shape[0]
        for index in range(4):
            cv2.circle(screen, (45 + 70 * index, below + 45), 20, ink, 3, cv2.LINE_AA)
        for line, text in enumerate(("1,204 likes", "look at this one", "View all 88 comments")):
            where = (24, below + 115 + 45 * line)
            cv2.putText(screen, text, where, font, 0.75, ink, 2, cv2.LINE_AA)
        return screen

    return edit


def narrow(shape: float) -> Edit:
    """Squeeze or stretch to this width divided by height; the height stays."""
    return lambda picture, _: _scaled(picture, picture.shape[0] * shape, picture.shape[0])


def photograph(strength: float) -> Edit:
    """A photograph taken at an angle, on a grey wall."""

    def edit(picture: Picture, _: Picture) -> Picture:
        height, width = picture.shape[:2]
        source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
        moves = np.array([(0.6, 0.7), (-0.2, 0.1), (-0.8, -0.3), (0.15, -0.9)]) * strength
        target = (source + moves * (width, height)).astype(np.float32)
        matrix = cv2.getPerspectiveTransform(source, target)
        shown = cv2.warpPerspective(picture, matrix, (width, height), borderValue=(96, 96, 96))
        return np.asarray(shown, np.uint8)

    return edit


def paste(share: float, *, x: float = 0.5, y: float = 0.5) -> Edit:
    """On another picture of the same size, at this share of width and height."""

    def edit(picture: Picture, other: Picture) -> Picture:
        height, width = picture.shape[:2]
        result = _scaled(other, width, height).copy()
        inset = _scaled(picture, width * share, height * share)
        top = round((height - inset.shape[0]) * y)
        left = round((width - inset.shape[1]) * x)
        result[top : top + inset.shape[0], left : left + inset.shape[1]] = inset
        return result

    return edit


def flip(picture: Picture, _: Picture) -> Picture:
    """Left and right change places."""
    return np.ascontiguousarray(picture[:, ::-1])


def turn(quarters: int) -> Edit:
    """Quarter turns counter-clockwise."""
    return lambda picture, _: np.ascontiguousarray(np.rot90(picture, quarters))


def chain(*edits: Edit) -> Edit:
    """One edit after another."""
    return lambda picture, other: reduce(lambda shown, edit: edit(shown, other), edits, picture)


PICTURE_EDITS: Mapping[str, Edit] = {
    "jpeg50": jpeg(50),
    "jpeg20": jpeg(20),
    "resize50": resize(0.5),
    "resize25": resize(0.25),
    "crop10": crop(0.10),
    "crop25": crop(0.25),
    "crop50": crop(0.50),
    "crop25 off centre": crop(0.25, left=0.0, top=0.85),
    "flip": flip,
    "rotate2": rotate(2),
    "rotate5": rotate(5),
    "rotate90": turn(1),
    "letterbox": pad(0, 0.15, 0, 0.15),
    "caption bar": caption_bar(),
    "text": overlay_text,
    "brightness": tone(lift=50),
    "contrast": tone(gain=1.6),
    "gamma": tone(gamma=0.5),
    "blur": blur(3),
    "noise": noise(15),
    "grey": grey,
    "hue": turn_hue(80),
    "logo": sticker(0.24, x=0.86, y=0.86),
    "sticker": sticker(0.56, x=0.5, y=0.5),
    "screenshot": screenshot(),
    "aspect": narrow(3 / 4),
    "perspective": photograph(0.12),
    "pasted": paste(0.6, x=0.4, y=0.6),
}
"""The 28 that are reported."""

ODD_PICTURE_EDITS: Mapping[str, Edit] = {
    "crop35 off centre": crop(0.35, left=0.8, top=0.1),
    "crop65": crop(0.65, left=0.3, top=0.6),
    "flip + letterbox": chain(flip, pad(0, 0.2, 0, 0.2)),
    "flip + crop25": chain(flip, crop(0.25, left=0.2)),
    "rotate7": rotate(7),
    "rotate12": rotate(-12),
    "rotate40": rotate(40),
    "rotate270 + crop10": chain(turn(3), crop(0.1)),
    "half turn": turn(2),
    "pillarbox white": pad(0.2, 0, 0.2, 0, WHITE),
    "window box": pad(0.1, 0.2, 0.1, 0.12),
    "caption below + crop10": chain(crop(0.1), caption_bar(0.3, below=True)),
    "caption + flip + jpeg30": chain(flip, caption_bar(0.18), jpeg(30)),
    "blur2 + crop25": chain(blur(2), crop(0.25, left=0.3, top=0.4)),
    "resize35 + crop20": chain(resize(0.35), crop(0.2)),
    "noise + grey + gamma": chain(noise(20), grey, tone(gamma=1.8)),
    "sticker off centre": sticker(0.5, x=0.3, y=0.35),
    "screenshot dark": screenshot(dark=True, margin=0.06),
    "screenshot + crop25": chain(crop(0.25, left=0.7), screenshot()),
    "aspect 16:10 squeezed": narrow(1.1),
    "perspective strong": photograph(0.2),
    "photograph of a screen": chain(photograph(0.1), tone(gamma=1.3), noise(10), blur(1)),
    "pasted 50": paste(0.5, x=0.9, y=0.1),
    "pasted 75 + flip": chain(flip, paste(0.75, x=0.2, y=0.5)),
    "pasted 45": paste(0.45, x=0.5, y=0.4),
    "everything mild": chain(crop(0.12), tone(gamma=0.8), overlay_text, rotate(1.5), jpeg(40)),
}
"""Other parameters and combinations."""
