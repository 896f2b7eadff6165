"""Our matchers without their thresholds, for calibration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Final

from fingerprint_bench.bench_pictures import FLOORS as PICTURE_FLOORS
from fingerprint_bench.bench_pictures import PictureExaminer
from fingerprint_bench.bench_sounds import extract_peaks
from fingerprint_bench.bench_videos import fingerprint
from fingerprint_bench.queries import FOLDERS
from fingerprint_bench.results import Medium

from titledeed.fingerprinting.pictures.orientation import ORIENTATIONS
from titledeed.fingerprinting.sound.landmarks import SoundLandmarks
from titledeed.fingerprinting.sound.peaks import SoundPeaks
from titledeed.matching.pictures.codes import read_picture_codes
from titledeed.matching.pictures.views import View, look_up, view_query
from titledeed.matching.pictures.visual import match_work
from titledeed.matching.sound.search import EVIDENCE_MIN, index_entries, search_sounds
from titledeed.matching.tables.posting_table import PostingTable
from titledeed.matching.thresholds import load_thresholds
from titledeed.models.match import Query

PEAKS: Final = "sound.peaks"
VIDEO_FLOORS: Final = MappingProxyType(
    {
        kind: threshold / 2
        for kind, threshold in load_thresholds().by_kind.items()
        if kind.startswith("video.")
    }
)
"""Half of what is a match by the calibration before."""


class StillExaminer:
    """Implements ``Examiner`` for pictures: each against pictures, and against whole clips.

    A clip shows many pictures, so a stranger has many chances with it.
    """

    floors: Mapping[str, float] = PICTURE_FLOORS

    def __init__(self) -> None:
        self._pictures = PictureExaminer()
        self._clips: list[View] = []

    def register(self, work: Path) -> None:
        """Add a picture, or a clip from the folder of clips."""
        if work.parent.name == FOLDERS[Medium.VIDEO]:
            self._clips.append(View(fingerprint(work)))
        else:
            self._pictures.register(work)

    def examine(self, query: Query) -> Mapping[str, float]:
        """The strongest evidence that any work gives."""
        views = view_query(read_picture_codes(query.codes), query.duration_s, ORIENTATIONS)
        return _find_strongest(views, self._clips, self._pictures.examine(query))


class VideoExaminer:
    """Implements ``Examiner`` for moving pictures: each query against each work."""

    floors: Mapping[str, float] = VIDEO_FLOORS

    def __init__(self) -> None:
        self._works: list[View] = []

    def register(self, work: Path) -> None:
        """Add a clip."""
        self._works.append(View(fingerprint(work)))

    def examine(self, query: Query) -> Mapping[str, float]:
        """The strongest evidence that any segment of any work gives."""
        views = view_query(read_picture_codes(query.codes), query.duration_s)
        return _find_strongest(views, self._works, {})


class SoundExaminer:
    """Implements ``Examiner`` for sound."""

    floors: Mapping[str, float] = MappingProxyType({PEAKS: EVIDENCE_MIN})

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self._index = PostingTable(Path(self._folder.name))
        self._works: list[SoundPeaks] = []

    def register(self, work: Path) -> None:
        """Add a sound; one without evidence is never found."""
        peaks = extract_peaks(work)
        if peaks is not None:
            self._index.append(len(self._works), *index_entries(peaks))
            self._works.append(peaks)

    def examine(self, query: Query) -> Mapping[str, float]:
        """The strongest evidence that any work gives."""
        landmarks = SoundLandmarks()
        matches = [
            match
            for code in query.codes
            if code.algorithm == landmarks.id
            for match in search_sounds(
                landmarks.decode(code.code), self._index.view().look_up, self._works.__getitem__
            )
        ]
        return {PEAKS: max((match.evidence for match in matches), default=0.0)}


def _find_strongest(
    views: Sequence[View], works: Iterable[View], known: Mapping[str, float]
) -> Mapping[str, float]:
    """What is known, and what any segment of any work gives beyond it."""
    strongest = dict(known)
    for work in works:
        for segment in match_work(views, work, look_up(views, work)):
            for kind, value in segment.evidence.items():
                strongest[kind] = max(strongest.get(kind, 0.0), value)
    return strongest
