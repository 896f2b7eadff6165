"""Decoded local features of keyframes, their stored form, and the same of a turned picture.

Layout, big endian: one byte of layout version (1), a 32-bit count of keyframes; per keyframe its
time in milliseconds (32 bits), width and height in 65535ths of the longer side and its count of
features (16 bits each); then per feature x and y in 65535ths of the longer side (16 bits each),
scale in sixteenths of an octave above 2**-12 of it and angle in 256ths of a turn (8 bits each),
and 128 bits of descriptor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from titledeed.errors import MalformedDocumentError
from titledeed.fingerprinting.pictures.keypoints import DESCRIPTOR_BYTES, DIRECTIONS, PATCH_CELLS
from titledeed.fingerprinting.pictures.orientation import Orientation

LAYOUT_VERSION: Final = 1

KEYFRAMES_MAX: Final = 21_601
"""Twelve hours, one per two seconds."""

FEATURES_MAX: Final = 512
"""Of one keyframe."""

KEYFRAME_MS_MIN: Final = 900

_UNIT: Final = 65_535
_SCALE_STEPS: Final = 16
_SCALE_MIN: Final = 2.0**-12
_ANGLE_STEPS: Final = 256
_HEADER_BYTES: Final = 5
_KEYFRAME: Final = np.dtype(
    [("time_ms", ">u4"), ("width", ">u2"), ("height", ">u2"), ("count", ">u2")]
)
_FEATURE: Final = np.dtype(
    [
        ("x", ">u2"),
        ("y", ">u2"),
        ("scale", "u1"),
        ("angle", "u1"),
        ("descriptor", "u1", DESCRIPTOR_BYTES),
    ]
)


@dataclass(frozen=True, slots=True)
class LocalFeatures:
    """Described points of keyframes. Lengths are in units of the keyframe's longer side.

    Attributes:
        times_s: seconds of the keyframes, shape (k,), rising.
        shapes: width and height of the keyframes, inside their bars; shape (k, 2).
        frame: keyframe of each feature, shape (n,), never falling.
        points: x to the right and y downwards, shape (n, 2).
        scales: radii, shape (n,).
        angles: main direction of the gradients, radians clockwise from the right, shape (n,).
        descriptors: shape (n, 16).
    """

    times_s: npt.NDArray[np.float64]
    shapes: npt.NDArray[np.float64]
    frame: npt.NDArray[np.int64]
    points: npt.NDArray[np.float64]
    scales: npt.NDArray[np.float64]
    angles: npt.NDArray[np.float64]
    descriptors: npt.NDArray[np.uint8]

    def keyframe(self, index: int) -> LocalFeatures:
        """One keyframe and its features alone."""
        start, stop = np.searchsorted(self.frame, (index, index + 1))
        rows = slice(int(start), int(stop))
        return LocalFeatures(
            self.times_s[index : index + 1],
            self.shapes[index : index + 1],
            np.zeros(int(stop - start), np.int64),
            self.points[rows],
            self.scales[rows],
            self.angles[rows],
            self.descriptors[rows],
        )


def orient_features(features: LocalFeatures, orientation: Orientation) -> LocalFeatures:
    """Features of the same pictures turned."""
    angles = np.pi - features.angles if orientation.mirrored else features.angles
    descriptors = features.descriptors
    if orientation.mirrored:
        descriptors = _MIRRORED_BYTES[descriptors[:, _MIRRORED_CELLS]]
    is_across = orientation.turns % 2 == 1
    return LocalFeatures(
        features.times_s,
        features.shapes[:, ::-1] if is_across else features.shapes,
        features.frame,
        orientation.move(features.points, features.shapes[features.frame]),
        features.scales,
        (angles - orientation.turns * np.pi / 2) % (2 * np.pi),
        descriptors,
    )


def _mirror_bytes() -> npt.NDArray[np.uint8]:
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1)
    return np.packbits(bits[:, -np.arange(DIRECTIONS) % DIRECTIONS], axis=1).ravel()


_MIRRORED_CELLS: Final = np.arange(DESCRIPTOR_BYTES).reshape(PATCH_CELLS, PATCH_CELLS)[::-1].ravel()
_MIRRORED_BYTES: Final = _mirror_bytes()
"""Mirroring a patch about its main direction: cells, and in each byte directions, change sides."""


def encode_local_features(features: LocalFeatures) -> bytes:
    """Bytes of the features; positions, scales and angles are rounded."""
    keyframes = np.zeros(len(features.times_s), _KEYFRAME)
    keyframes["time_ms"] = np.rint(features.times_s * 1000)
    keyframes["width"], keyframes["height"] = np.rint(features.shapes.T * _UNIT)
    keyframes["count"] = np.bincount(features.frame, minlength=len(keyframes))
    rows = np.zeros(len(features.frame), _FEATURE)
    limits = features.shapes[features.frame]
    rows["x"], rows["y"] = np.rint(np.clip(features.points, 0, limits).T * _UNIT)
    octaves = np.log2(np.maximum(features.scales, _SCALE_MIN) / _SCALE_MIN)
    rows["scale"] = np.minimum(np.rint(octaves * _SCALE_STEPS), 255)
    turns = features.angles * (_ANGLE_STEPS / (2 * np.pi))
    rows["angle"] = np.rint(turns).astype(np.int64) % _ANGLE_STEPS
    rows["descriptor"] = features.descriptors
    header = bytes([LAYOUT_VERSION]) + len(keyframes).to_bytes(4, "big")
    return header + keyframes.tobytes() + rows.tobytes()


def decode_local_features(code: bytes) -> LocalFeatures:
    """Read untrusted features.

    Raises:
        MalformedDocumentError: unknown layout, wrong length, no keyframe or too many, falling or
            crowded times, a keyframe without features or with too many or without a unit side, a
            point outside its keyframe.
    """
    count = int.from_bytes(code[1:_HEADER_BYTES], "big")
    body = code[_HEADER_BYTES:]
    if code[:1] != bytes([LAYOUT_VERSION]):
        raise MalformedDocumentError("the local features have an unknown layout")
    if not 1 <= count <= KEYFRAMES_MAX or len(body) < count * _KEYFRAME.itemsize:
        raise MalformedDocumentError(f"the local features do not hold {count} keyframes")
    keyframes = np.frombuffer(body, _KEYFRAME, count)
    counts = keyframes["count"].astype(np.int64)
    sides = np.stack([keyframes["width"], keyframes["height"]], axis=1).astype(np.int64)
    times_ms = keyframes["time_ms"].astype(np.int64)
    rows = body[count * _KEYFRAME.itemsize :]
    if counts.min() < 1 or counts.max() > FEATURES_MAX:
        raise MalformedDocumentError(f"a keyframe has 1 to {FEATURES_MAX} local features")
    if len(rows) != counts.sum() * _FEATURE.itemsize:
        raise MalformedDocumentError("the local features are of the wrong length")
    if np.any(sides.max(axis=1) != _UNIT) or sides.min() < 1:
        raise MalformedDocumentError("a keyframe's longer side is not one")
    if np.any(np.diff(times_ms) < KEYFRAME_MS_MIN):
        raise MalformedDocumentError("the keyframes are too dense or not in order of time")
    return _to_features(times_ms, sides, counts, np.frombuffer(rows, _FEATURE))


def _to_features(
    times_ms: npt.NDArray[np.int64],
    sides: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    rows: npt.NDArray[np.void],
) -> LocalFeatures:
    frame = np.repeat(np.arange(len(counts)), counts)
    points = np.stack([rows["x"], rows["y"]], axis=1).astype(np.int64)
    if np.any(points > sides[frame]):
        raise MalformedDocumentError("a local feature lies outside its keyframe")
    return LocalFeatures(
        times_ms / 1000,
        sides / _UNIT,
        frame,
        points / _UNIT,
        _SCALE_MIN * 2 ** (rows["scale"] / _SCALE_STEPS),
        rows["angle"] * (2 * np.pi / _ANGLE_STEPS),
        np.ascontiguousarray(rows["descriptor"]),
    )
