"""The table of fingerprint algorithms: a new one is a class and a line here, searched or not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from titledeed.errors import InvariantViolation
from titledeed.fingerprinting.base import (
    SAMPLE_PERIOD_S,
    Algorithm,
    CodeKind,
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


@dataclass(frozen=True, slots=True)
class SearchFamily:
    """Algorithms whose codes are compared with each other.

    Attributes:
        name: stable; look-up tables are named by it.
        members: one algorithm of each kind at most.
    """

    name: str
    members: Mapping[CodeKind, Algorithm[object]]

    def list_names(self, kinds: Iterable[CodeKind]) -> list[str]:
        """Names, with versions, of the members of these kinds."""
        return [f"{a.id}/{a.version}" for kind, a in self.members.items() if kind in kinds]

    def decode(self, code: FingerprintCode, kinds: Iterable[CodeKind]) -> object | None:
        """A code of one of these kinds; None for all others.

        Raises:
            MalformedDocumentError: the bytes are no code of its algorithm.
        """
        for kind in kinds:
            member = self.members.get(kind)
            if member and (member.id, member.version) == (code.algorithm, code.version):
                return member.decode(code.code)
        return None


def list_families(kinds: Iterable[CodeKind]) -> tuple[SearchFamily, ...]:
    """The searched algorithms of these kinds by family, in the order of the table.

    Raises:
        InvariantViolation: two of one kind say that they are of one family.
    """
    wanted = set(kinds)
    families: dict[str, dict[CodeKind, Algorithm[object]]] = defaultdict(dict)
    for algorithm in ALGORITHMS:
        search = algorithm.search
        if search is None or search.kind not in wanted:
            continue
        if search.kind in families[search.family]:
            raise InvariantViolation(f"two algorithms are the {search.kind} of {search.family}")
        families[search.family][search.kind] = algorithm
    return tuple(SearchFamily(name, members) for name, members in families.items())


def is_of_sound(code: FingerprintCode) -> bool:
    """Whether a code was heard and not seen."""
    return any(algorithm.id == code.algorithm for algorithm in SOUND_ALGORITHMS)


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
