"""Local features of keyframes: what survives when only a part of the picture is left.

A keyframe is taken at a cut, and where the picture has changed since the last one, on average one
per two seconds at most. A copy has the work's cuts, whenever it begins, so its keyframes show the
same moments. A lone picture has more features at a finer resolution.
"""

from __future__ import annotations

from typing import ClassVar, Final

import cv2
import numpy as np

from titledeed.fingerprinting.base import CodeKind, Extraction, FrameExample, Luma, SearchedAs
from titledeed.fingerprinting.pictures.examples import draw_spots
from titledeed.fingerprinting.pictures.keypoints import DESCRIPTOR_BYTES, Keypoints, describe
from titledeed.fingerprinting.pictures.local_features import (
    LocalFeatures,
    decode_local_features,
    encode_local_features,
)
from titledeed.fingerprinting.pictures.shots import VISUAL, ShotAlgorithm, ShotFrames
from titledeed.fingerprinting.pictures.spectrum import compute_spectra, have_evidence
from titledeed.models.asset import MediaKind

KEYFRAME_PX: Final = 32_000
KEYFRAME_BLOBS: Final = 84
"""Pixels and blobs of a keyframe: about 115 descriptors, 2.5 kB."""

STILL_PX: Final = 80_000
STILL_BLOBS: Final = 300

SIDE_MIN: Final = 16
"""Pixels of the shorter side; smaller pictures show nothing."""

FEATURES_MIN: Final = 8
"""Fewer are no evidence of a picture."""

GAP_S_MIN: Final = 1.0
GAP_S_MAX: Final = 4.0
GAP_S_MEAN: Final = 2.0
"""Seconds between keyframes at least; when nothing moves; and on average at least."""

CREDIT_S: Final = 2.0
"""By which keyframes at cuts may come before their time: one keyframe."""

CUT_MIN: Final = 12.0
CUT_RATIO: Final = 2.0
"""A cut changes as many grey levels on average, and so many times what the step before it changed:
an inset of 60 % has a third of its work's levels, and the same ratio."""

NOVELTY_MIN: Final = 8.0
"""Mean grey levels from the last keyframe at which a frame shows something new."""

TOLERANCE_S: Final = 0.01

_SMALL: Final = (32, 32)


class Local(ShotAlgorithm[LocalFeatures]):
    """128 bits per described blob.

    ``distance_max`` was measured on real pictures: of the points that 6 edits leave (JPEG, blur,
    noise, gamma, perspective, pasting) 76 to 94 % stay as near, and of points of unrelated pictures
    14 % have one of 390 others as near. Only several in one arrangement are evidence.
    """

    id: ClassVar[str] = "titledeed.local"
    version: ClassVar[int] = 1
    kinds: ClassVar[frozenset[MediaKind]] = frozenset({MediaKind.IMAGE, MediaKind.VIDEO})
    search: ClassVar[SearchedAs | None] = SearchedAs(CodeKind.FEATURES, VISUAL)
    code_bits: ClassVar[int] = 8 * DESCRIPTOR_BYTES
    distance_max: ClassVar[int] = 26

    def start_coder(self) -> LocalCoder:
        """A fresh coder for one file."""
        return LocalCoder(self)

    def decode(self, code: bytes) -> LocalFeatures:
        """Read an untrusted code."""
        return decode_local_features(code)

    def examples(self) -> tuple[FrameExample, ...]:
        """One picture made by formula."""
        code = bytes.fromhex(
            "010000000100000000ffffc8a0001dc51792ad9420e070f0cec0f1fc1e81c7bf3c0487873bc51792"
            "ad947b70e0fc1cf3f77e3c83c70e0cc3c70606c7d39a628c24c0e0fc0ec1f9fc3cc1c79f3c818707"
            "33c7d39a628cb970f07818f3f17c1883c79f1cc3c3cf0c17fd15ae7c24338783813cbfc7c11efcf1"
            "c14ef4e0c0ca209a6b8423c0f07c1ec1f1fc1cc1c71f3c81870f3dca209a6b84b1f0f07818c3f97c"
            "18c3c71f1cc3c38f0e1d191c9c841a99d9e1e0f8ffe1c1fefcf1c06460e00017e513487425330f87"
            "813c1fcfc11c7cf9c11c7cf0e017e5134874a40e0fc7c11c1fc7c11cfcf1c31878f0b3ca359a3c7c"
            "24e0f07838c1f97c1cc1cf1f1c83870f3eca359a3c7c9fe1f07838c1f1fc1cc1c79f1cc3870f0e18"
            "7c12ef6c243e0f87833c1fcfc11c7cf1c11c78f0e0187c12ef6ca30e0f87c11c1fc7c11cfcf1c338"
            "78f0e3cee999ce742de0f07838c1f1f818c1ffff1c81870f0ecee999ce7497e0f07838c1e7ff1cc1"
            "c78f0e83870f0e1a0a1161641b1e0f87830c0fc7c11cffffc13878f0c01a0a116164ac0e0f87811c"
            "ffd7c118f8f1c13878f0f1cf2997526c35e0f07838e1f17838c1f3ff1c81838f1ecf2997526c95c0"
            "e0f83cc1e7ff1cc1c78f0e83870f0ec6949f6b6cb5e0f07838c1f1f838c1f3ff1c81838f1ec54395"
            "906c23c0e0f878c1e1ff7cc1c3df1e8183870ed69292446c77e0e0e078c1e1f7ffc3c3c70f838307"
            "07167415645c371e8f83811cffe3c138f8f1e13878f0e0c6b69fe77417c0f07838c1f7ff1cc1c78f"
            "0e83870f0ec6b69fe774ade0f07838c1f1f818c1ffff1c81870f0ecef5a1996ca5c0e0f078c1e1fd"
            "7cc1c3df1f8183870fbed2a3ab6cf7e0e0e078c1e3e7ffc3c3c70f838307071c6c10d05c120e0f87"
            "830e8fc7c11effe3c13cf8e0c0"
        )
        return (FrameExample(((0.0, draw_spots()),), code),)


class LocalCoder:
    """Chooses keyframes and describes them, one shot at a time."""

    def __init__(self, algorithm: Local) -> None:
        self._algorithm = algorithm
        self._times: list[float] = []
        self._features: list[LocalFeatures] = []
        self._last = self._before = np.zeros(_SMALL[::-1], np.uint8)
        self._step = 0.0
        self._still: Luma | None = None
        self._frames = 0

    def add_shot(self, shot: ShotFrames) -> None:
        """Describe the shot's keyframes."""
        rows, columns = (slice(*span) for span in shot.content)
        for time_s, frame in zip(shot.times_s, shot.frames, strict=True):
            self._take(time_s, frame[rows, columns])

    def finish(self) -> Extraction:
        """The features of all keyframes."""
        if self._frames == 1 and self._still is not None:
            self._features = _describe(self._still, 0.0, pixels=STILL_PX, blobs=STILL_BLOBS)
        if not self._features:
            return Extraction(None, "no frame has enough local features")
        code = encode_local_features(_join(self._features))
        return Extraction(self._algorithm.wrap(code), "")

    def _take(self, time_s: float, picture: Luma) -> None:
        self._frames += 1
        small = np.asarray(cv2.resize(picture, _SMALL), np.uint8)
        step = _differ(self._before, small)
        is_cut = step > max(CUT_MIN, CUT_RATIO * self._step)
        self._before, self._step = small, step
        if self._is_keyframe(time_s, small, is_cut=is_cut):
            self._still = picture if self._frames == 1 else None
            self._last = small
            self._times.append(time_s)
            self._features += _describe(picture, time_s, pixels=KEYFRAME_PX, blobs=KEYFRAME_BLOBS)

    def _is_keyframe(self, time_s: float, small: Luma, *, is_cut: bool) -> bool:
        if not self._times:
            return True
        gap_s = time_s - self._times[-1] + TOLERANCE_S
        early_s = len(self._times) * GAP_S_MEAN - time_s - TOLERANCE_S
        if gap_s < GAP_S_MIN or early_s > CREDIT_S:
            return False
        if is_cut:
            return True
        return early_s <= 0 and (gap_s >= GAP_S_MAX or _differ(self._last, small) > NOVELTY_MIN)


def _differ(some: Luma, others: Luma) -> float:
    return float(cv2.absdiff(some, others).mean())


def _describe(picture: Luma, time_s: float, *, pixels: int, blobs: int) -> list[LocalFeatures]:
    """The features of one picture at a standard size; none where they are no evidence."""
    height, width = picture.shape
    if min(height, width) < SIDE_MIN:
        return []
    if not have_evidence(compute_spectra(picture, [((0, height), (0, width))])).all():
        return []
    share = (pixels / (height * width)) ** 0.5
    size = [max(SIDE_MIN, round(side * share)) for side in (width, height)]
    kind = cv2.INTER_CUBIC if share > 1 else cv2.INTER_LINEAR
    scaled = np.asarray(cv2.resize(picture, size, interpolation=kind), np.uint8)
    keypoints = describe(scaled, count=blobs)
    return [_place(keypoints, time_s, scaled)] if len(keypoints.scales) >= FEATURES_MIN else []


def _place(keypoints: Keypoints, time_s: float, picture: Luma) -> LocalFeatures:
    longer = max(picture.shape)
    return LocalFeatures(
        np.array([time_s]),
        np.array([picture.shape[::-1]]) / longer,
        np.zeros(len(keypoints.scales), np.int64),
        keypoints.points / longer,
        keypoints.scales / longer,
        keypoints.angles,
        keypoints.descriptors,
    )


def _join(keyframes: list[LocalFeatures]) -> LocalFeatures:
    counts = [len(keyframe.scales) for keyframe in keyframes]
    return LocalFeatures(
        np.concatenate([keyframe.times_s for keyframe in keyframes]),
        np.concatenate([keyframe.shapes for keyframe in keyframes]),
        np.repeat(np.arange(len(keyframes)), counts),
        np.concatenate([keyframe.points for keyframe in keyframes]),
        np.concatenate([keyframe.scales for keyframe in keyframes]),
        np.concatenate([keyframe.angles for keyframe in keyframes]),
        np.concatenate([keyframe.descriptors for keyframe in keyframes]),
    )
