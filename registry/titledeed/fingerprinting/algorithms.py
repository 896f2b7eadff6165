"""The table of fingerprint algorithms: a new one is a class and a line here."""

from __future__ import annotations

from typing import Final

from titledeed.fingerprinting.base import (
    SAMPLE_PERIOD_S,
    Algorithm,
    Extraction,
    FrameCodes,
)
from titledeed.fingerprinting.pictures.image_pdq import ImagePdq
from titledeed.fingerprinting.pictures.image_phash import ImagePhash
from titledeed.fingerprinting.pictures.iscc_image import IsccImage
from titledeed.fingerprinting.pictures.local import Local
from titledeed.fingerprinting.pictures.regions import Regions
from titledeed.fingerprinting.pictures.shots import ShotReader
from titledeed.fingerprinting.pictures.video_dct import VideoDct
from titledeed.fingerprinting.sound.chromaprint import SoundChromaprint
from titledeed.fingerprinting.sound.iscc_audio import IsccAudio
from titledeed.fingerprinting.sound.landmarks import SoundLandmarks
from titledeed.models.asset import MediaKind
from titledeed.models.fingerprint import FingerprintCode
from titledeed.ports import FrameSink

SAMPLE_ROWS_MAX: Final = 256
"""Rows that stand for a long time line where there is no room for all of it."""

DURATION_S_MIN: Final = 1.0
"""A shorter video has too few frames to follow in time, and would match like a picture."""

SHOT_ALGORITHMS: Final = (VideoDct(), Regions(), Local())
STILL_ALGORITHMS: Final = (ImagePhash(), ImagePdq(), IsccImage())
SOUND_ALGORITHMS: Final = (SoundLandmarks(), SoundChromaprint(), IsccAudio())
ALGORITHMS: Final = (*SHOT_ALGORITHMS, *STILL_ALGORITHMS, *SOUND_ALGORITHMS)


class Extractors:
    """Fresh extractors of all algorithms for one file of a kind.

    Attributes:
        frame_sinks: get the frames of the decode pass.
        sample_sinks: get its sound; empty for pictures.
    """

    def __init__(self, kind: MediaKind) -> None:
        self._kind = kind
        self._shots = ShotReader([a.start_coder() for a in SHOT_ALGORITHMS if kind in a.kinds])
        self._stills = [a.start() for a in STILL_ALGORITHMS if kind in a.kinds]
        self.sample_sinks = [
            a.start() for a in SOUND_ALGORITHMS if kind in a.kinds and a.is_present()
        ]
        sinks: list[FrameSink] = [self._shots, *self._stills]
        self.frame_sinks = [] if kind is MediaKind.AUDIO else sinks

    def finish(self, *, has_sound: bool) -> list[Extraction]:
        """What each algorithm made of the file, in the order of the table.

        A video that is too short has no codes of its pictures, and says so once.

        Args:
            has_sound: whether there was any: a silent film lacks no evidence.
        """
        seen: list[Extraction] = []
        if self.frame_sinks:
            seen += self._shots.finish()
            seen += [still.finish() for still in self._stills]
        shortest_s = DURATION_S_MIN - SAMPLE_PERIOD_S / 2
        if self._kind is MediaKind.VIDEO and self._shots.duration_s < shortest_s:
            seen = [Extraction(None, f"the video is shorter than {DURATION_S_MIN:g} s")]
        if has_sound:
            seen += [sound.finish() for sound in self.sample_sinks]
        return seen


def algorithms_for(kind: MediaKind) -> tuple[Algorithm[object], ...]:
    """The algorithms that read media of this kind, as far as their libraries are installed."""
    absent = {algorithm.id for algorithm in SOUND_ALGORITHMS if not algorithm.is_present()}
    return tuple(a for a in ALGORITHMS if kind in a.kinds and a.id not in absent)


def find_algorithm(algorithm_id: str, version: int) -> Algorithm[object] | None:
    """The algorithm that made a code, or None when this release does not know it."""
    for algorithm in ALGORITHMS:
        if (algorithm.id, algorithm.version) == (algorithm_id, version):
            return algorithm
    return None


def sample_rows(code: FingerprintCode) -> bytes | None:
    """The bare rows of a code of frames, evenly thinned to ``SAMPLE_ROWS_MAX``, first one first.

    Returns:
        None where the code is no list of frames' codes, or of a release that knew another version.

    Raises:
        MalformedDocumentError: the bytes are no code of this algorithm.
    """
    algorithm = find_algorithm(code.algorithm, code.version)
    decoded = algorithm.decode(code.code) if algorithm else None
    if not isinstance(decoded, FrameCodes):
        return None
    stride = -(-len(decoded.codes) // SAMPLE_ROWS_MAX)
    return decoded.codes[::stride].tobytes()
