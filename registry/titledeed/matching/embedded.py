"""The embedded index: look-up tables beside the database, brought up to date before a search.

Look-ups among all works give candidates; each candidate's codes are read from the source and laid
upon the query; calibrated thresholds decide what is told.

A search takes a view of the tables under a short lock and goes on without it, so that searches of
several threads run side by side. It writes nothing: ``keep`` does.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from titledeed.errors import StorageError
from titledeed.fingerprinting.sound.peaks import SoundPeaks
from titledeed.matching.classes import Side, classify
from titledeed.matching.pictures.codes import read_picture_codes
from titledeed.matching.pictures.search import search_pictures
from titledeed.matching.pictures.views import VisualSegment, exclude
from titledeed.matching.shelves import COMMIT_BYTES, Shelves, TablesView, keep_tables
from titledeed.matching.sound.search import SoundMatch, search_sounds
from titledeed.matching.sound.shelf import SoundTable, read_peaks
from titledeed.matching.thresholds import load_thresholds
from titledeed.models.match import Channel, Query, Segment, WorkMatch
from titledeed.models.primitives import RegistrationId
from titledeed.ports import FingerprintSource, IndexedWork

SOUND: Final = "sound.peaks"
COMMON_SOUND_SHARE_MIN: Final = 0.65
"""Of two recordings' peaks, where both sound clearly: less is one stem that they have in common.

It tells the two apart imperfectly: of synthetic pairs that share a stem half lie above it, of
copies under a crowd at -6 dB a tenth lies below.
"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Found:
    """A segment, by which family, and how sure it is, in units of the calibrated thresholds."""

    segment: Segment
    family: str
    worth: float


class EmbeddedIndex:
    """Implements ``ports.FingerprintIndex``. Thread-safe; processes may share one folder.

    Args:
        source: read incrementally, so that what other processes registered is seen.
        folder: where the files lie; without one all is in memory, and gone with this object.
        commit_bytes: codes of so many bytes are worth writing; fewer wait for more.
    """

    def __init__(
        self,
        *,
        source: FingerprintSource,
        folder: Path | None = None,
        commit_bytes: int = COMMIT_BYTES,
    ) -> None:
        self._source = source
        self._folder = folder
        self._commit_bytes = commit_bytes
        self._lock = Lock()
        self._opened: Shelves | None = None

    def search(self, query: Query) -> list[WorkMatch]:
        """See the port.

        Raises:
            MalformedDocumentError: a code of the query does not decode.
            StorageError: a file of the index is damaged.
        """
        with self._lock:
            shelves = self._open()
            shelves.catch_up()
            tables = shelves.view()
        found: dict[RegistrationId, list[_Found]] = defaultdict(list)
        works: dict[RegistrationId, IndexedWork] = {}
        for work, segments in self._search(query, tables):
            works[work.registration_id] = work
            found[work.registration_id] += segments
        matches = [_tell(query, works[one], segments) for one, segments in found.items()]
        return sorted(matches, key=lambda match: (-match.score, match.registration_id))

    def keep(self) -> None:
        """See the port."""
        if self._folder is None:
            return
        try:
            with self._lock:
                is_worth_it = self._open().wants_writing()
            # By tables of its own, so that searches do not wait for the disk.
            if is_worth_it:
                keep_tables(
                    source=self._source, folder=self._folder, commit_bytes=self._commit_bytes
                )
        except StorageError as error:
            _log.warning("%s. %s", error.message, error.next_step)

    def _open(self) -> Shelves:
        self._opened = self._opened or Shelves(
            source=self._source, folder=self._folder, commit_bytes=self._commit_bytes
        )
        return self._opened

    def _search(
        self, query: Query, tables: TablesView
    ) -> Iterator[tuple[IndexedWork, list[_Found]]]:
        for visual in tables.pictures:
            codes = read_picture_codes(query.codes, visual.family)
            name = visual.family.name
            for work, segments in search_pictures(
                codes, query.duration_s, visual, self._source.find_works
            ):
                yield work, [_show(segment, name) for segment in segments]
        for sound in tables.sounds:
            yield from self._search_sounds(query, sound)

    def _search_sounds(
        self, query: Query, table: SoundTable
    ) -> Iterator[tuple[IndexedWork, list[_Found]]]:
        peaks = read_peaks(query.codes, table.family)
        if peaks is None:
            return
        works: dict[int, IndexedWork] = {}

        def read(owner: int) -> SoundPeaks | None:
            works.update(self._source.find_works([owner]))
            return read_peaks(works[owner].codes, table.family) if owner in works else None

        for match in search_sounds(peaks, table.postings.look_up, read):
            segments = _hear(match, table.family.name)
            if segments:
                yield works[match.owner], segments


def _show(segment: VisualSegment, family: str) -> _Found:
    told = Segment(
        segment.query,
        segment.work,
        speed=segment.speed,
        mirrored=segment.orientation.mirrored,
        is_same_recording=segment.is_same_recording,
    )
    return _Found(told, family, segment.worth)


def _hear(match: SoundMatch, family: str) -> list[_Found]:
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
            found.append(_Found(told, family, worth))
    return found


def _tell(query: Query, work: IndexedWork, found: Sequence[_Found]) -> WorkMatch:
    segments = tuple(one.segment for one in found if not _is_told_better(one, found))
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


def _is_told_better(one: _Found, found: Sequence[_Found]) -> bool:
    """Whether another family is surer of the same moments; of equally sure ones the first is."""
    own = found.index(one)
    return any(
        other.family != one.family
        and other.segment.channel is one.segment.channel
        and (other.worth, -place) > (one.worth, -own)
        and exclude(one.segment.query, other.segment.query)
        for place, other in enumerate(found)
    )
