"""The embedded index: memory-mapped files beside the database, brought up to date before a search.

Look-ups among all works give candidates; each candidate's codes are read from the source and laid
upon the query; calibrated thresholds decide what is told. A code that does not decode is left out
and logged: it can only come from an import, and one bad row must not stop every search.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from typing import Final

from titledeed.errors import MalformedDocumentError
from titledeed.fingerprinting.pictures.orientation import ORIENTATIONS
from titledeed.fingerprinting.sound.peaks import SoundPeaks
from titledeed.matching.classes import Side, classify
from titledeed.matching.pictures.evidence import PictureCodes, compare_pictures, read_picture_codes
from titledeed.matching.pictures.views import SEARCHED, Lookups, View, view_query
from titledeed.matching.pictures.visual import match_work
from titledeed.matching.pictures.visual_index import VisualHits, look_up
from titledeed.matching.shelves import Shelves
from titledeed.matching.sound.search import SoundMatch, search_sounds
from titledeed.matching.sound.shelf import read_peaks
from titledeed.matching.thresholds import load_thresholds
from titledeed.models.interval import Interval
from titledeed.models.match import Channel, Query, Segment, WorkMatch
from titledeed.models.primitives import RegistrationId
from titledeed.ports import FingerprintSource, IndexedWork

GOING_ON_SHARE: Final = 0.5
"""Of the works compared last, that show something of the query: then those with fewer votes may
too, as where a registry holds many versions of one picture, or a film many works."""

NOWHERE: Final = Interval(0.0, 0.0)
SOUND: Final = "sound.peaks"
COMMON_SOUND_SHARE_MIN: Final = 0.65
"""Of two recordings' peaks, where both sound clearly: less is one stem that they have in common.

It tells the two apart imperfectly: of synthetic pairs that share a stem half lie above it, of
copies under a crowd at -6 dB a tenth lies below.
"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Found:
    """A segment and how sure it is, in units of the calibrated thresholds."""

    segment: Segment
    worth: float


class EmbeddedIndex:
    """Implements ``ports.FingerprintIndex``. Thread-safe; processes may share one folder.

    Args:
        source: read incrementally, so that what other processes registered is seen.
        folder: where the files lie; without one all is in memory, and gone with this object.
    """

    def __init__(self, *, source: FingerprintSource, folder: Path | None = None) -> None:
        self._source = source
        self._lock = RLock()
        self._shelves = Shelves(source=source, folder=folder)

    def search(self, query: Query) -> list[WorkMatch]:
        """See the port.

        Raises:
            MalformedDocumentError: a code of the query does not decode.
        """
        codes = read_picture_codes(query.codes)
        peaks = read_peaks(query.codes)
        found: dict[RegistrationId, list[_Found]] = defaultdict(list)
        works: dict[RegistrationId, IndexedWork] = {}
        with self._lock:
            self._shelves.refresh()
            for work, segments in self._search_pictures(codes, query.duration_s):
                works[work.registration_id] = work
                found[work.registration_id] += segments
            for work, segments in self._search_sounds(peaks):
                works[work.registration_id] = work
                found[work.registration_id] += segments
        matches = [_tell(query, works[one], segments) for one, segments in found.items()]
        return sorted(matches, key=lambda match: (-match.score, match.registration_id))

    def size(self) -> int:
        """See the port."""
        return self._source.count_works()

    def _search_pictures(
        self, codes: PictureCodes, duration_s: float
    ) -> Iterable[tuple[IndexedWork, list[_Found]]]:
        is_still = duration_s == 0
        views = view_query(codes, duration_s, ORIENTATIONS if is_still else SEARCHED)
        hits = look_up(self._shelves.codes, self._shelves.descriptors, views)
        shown = _Shown(codes, views, hits, is_still=is_still)
        compared: set[RegistrationId] = set()
        for batch in hits.batches:
            works = _group(self._source.find_works(batch), compared)
            answers = [shown.compare(work, positions) for work, positions in works]
            found = [(work, segments) for work, segments in answers if segments]
            yield from found
            if len(found) < GOING_ON_SHARE * len(works):
                return
            compared |= {work.registration_id for work, _ in works}

    def _search_sounds(
        self, peaks: SoundPeaks | None
    ) -> Iterable[tuple[IndexedWork, list[_Found]]]:
        if peaks is None:
            return
        works: dict[int, IndexedWork] = {}

        def read(owner: int) -> SoundPeaks | None:
            works.update(self._source.find_works([owner]))
            return read_peaks(works[owner].codes) if owner in works else None

        for match in search_sounds(peaks, self._shelves.sound.lookup, read):
            segments = _hear(match)
            if segments:
                yield works[match.owner], segments


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a query shows, and what was found of it among all works."""

    codes: PictureCodes
    views: Sequence[View]
    hits: VisualHits
    is_still: bool

    def compare(
        self, work: IndexedWork, positions: Collection[int]
    ) -> tuple[IndexedWork, list[_Found]]:
        """The work, as long as it really is, and where the query shows it."""
        theirs = _decode(work)
        if theirs is None:
            return work, []
        duration_s = 0.0 if _is_still(theirs) else work.duration_s
        if self.is_still and not duration_s:
            return replace(work, duration_s=0.0), _compare_stills(self.codes, theirs)
        view = View(theirs, duration_s=duration_s)
        segments = _match(self.views, view, self.hits.of_work(positions, self.views, view))
        return replace(work, duration_s=duration_s), segments


def _group(
    works: Mapping[int, IndexedWork], compared: Collection[RegistrationId]
) -> list[tuple[IndexedWork, set[int]]]:
    """Each work once, with the positions of its codes, but for those that were compared."""
    positions: dict[RegistrationId, set[int]] = defaultdict(set)
    for position, work in works.items():
        positions[work.registration_id].add(position)
    by_id = {work.registration_id: work for work in works.values()}
    return [(by_id[one], positions[one]) for one in positions if one not in compared]


def _decode(work: IndexedWork) -> PictureCodes | None:
    try:
        return read_picture_codes(work.codes)
    except MalformedDocumentError as error:
        _log.warning("Left out of the search: %s of %s", error, work.registration_id)
        return None


def _is_still(codes: PictureCodes) -> bool:
    """Of an animated picture only the first frame is coded."""
    return codes.frames is not None and len(codes.frames.times_s) == 1


def _compare_stills(codes: PictureCodes, theirs: PictureCodes) -> list[_Found]:
    evidence = compare_pictures(codes, theirs)
    worth = load_thresholds().score(evidence.numbers)
    segment = Segment(
        NOWHERE,
        NOWHERE,
        speed=1.0,
        mirrored=evidence.orientation.mirrored,
        is_same_recording=evidence.is_same_picture,
    )
    return [_Found(segment, worth)] if worth > 1 else []


def _match(views: Sequence[View], work: View, lookups: Lookups) -> list[_Found]:
    found = []
    for segment in match_work(views, work, lookups):
        if segment.worth > 1:
            told = Segment(
                segment.query,
                segment.work,
                speed=segment.speed,
                mirrored=segment.orientation.mirrored,
                is_same_recording=segment.is_same_recording,
            )
            found.append(_Found(told, segment.worth))
    return found


def _hear(match: SoundMatch) -> list[_Found]:
    found = []
    for segment in match.segments:
        worth = load_thresholds().score({SOUND: segment.evidence})
        if worth > 1:
            told = Segment(
                segment.query,
                segment.work,
                speed=round(segment.speed, 4),
                mirrored=False,
                channel=Channel.SOUND,
                is_same_recording=segment.common_share >= COMMON_SOUND_SHARE_MIN,
            )
            found.append(_Found(told, worth))
    return found


def _tell(query: Query, work: IndexedWork, found: Sequence[_Found]) -> WorkMatch:
    segments = tuple(one.segment for one in found)
    return WorkMatch(
        registration_id=work.registration_id,
        score=1 - 0.5 ** max(one.worth for one in found),
        relation=classify(
            segments,
            query=Side.of(query.codes, query.duration_s),
            work=Side.of(work.codes, work.duration_s),
        ),
        segments=segments,
    )
