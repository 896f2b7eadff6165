"""One query among all works by what they show: look-ups give candidates, which are compared.

A code of a work that does not decode is left out and logged: it can only come from an import, and
one bad row must not stop every search.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from titledeed.errors import MalformedDocumentError
from titledeed.fingerprinting.algorithms import SearchFamily
from titledeed.fingerprinting.pictures.orientation import ORIENTATIONS
from titledeed.matching.pictures.codes import PictureCodes, read_picture_codes
from titledeed.matching.pictures.evidence import compare_pictures
from titledeed.matching.pictures.views import SEARCHED, View, VisualSegment, view_query
from titledeed.matching.pictures.visual import match_work
from titledeed.matching.pictures.visual_index import VisualHits, look_up
from titledeed.matching.pictures.visual_tables import VisualTables
from titledeed.models.interval import Interval
from titledeed.models.primitives import RegistrationId
from titledeed.ports import IndexedWork

GOING_ON_SHARE: Final = 0.5
"""Of the works compared last, that show something of the query: then those with fewer votes may
too, as where a registry holds many versions of one picture, or a film many works."""

NOWHERE: Final = Interval(0.0, 0.0)

_log = logging.getLogger(__name__)

FindWorks = Callable[[Collection[int]], Mapping[int, IndexedWork]]
"""The works that hold the codes at these positions: ``FingerprintSource.find_works``."""


def search_pictures(
    codes: PictureCodes, duration_s: float, tables: VisualTables, find_works: FindWorks
) -> Iterator[tuple[IndexedWork, list[VisualSegment]]]:
    """Works that the query shows, each as long as it really is, with the segments that match.

    Args:
        codes: of the query, of the family of the tables.
        duration_s: of the query; 0 for a still.
        tables: of all works.
        find_works: reads the candidates.
    """
    is_still = duration_s == 0
    views = view_query(codes, duration_s, ORIENTATIONS if is_still else SEARCHED)
    hits = look_up(tables, views)
    shown = _Shown(codes, views, hits, tables.family, is_still=is_still)
    compared: set[RegistrationId] = set()
    for batch in hits.batches:
        works = _group(find_works(batch), compared)
        answers = [shown.compare(work, positions) for work, positions in works]
        found = [(work, segments) for work, segments in answers if segments]
        yield from found
        if len(found) < GOING_ON_SHARE * len(works):
            return
        compared |= {work.registration_id for work, _ in works}


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a query shows, and what was found of it among all works."""

    codes: PictureCodes
    views: Sequence[View]
    hits: VisualHits
    family: SearchFamily
    is_still: bool

    def compare(
        self, work: IndexedWork, positions: Collection[int]
    ) -> tuple[IndexedWork, list[VisualSegment]]:
        """The work, as long as it really is, and where the query shows it."""
        theirs = _decode(work, self.family)
        if theirs is None:
            return work, []
        duration_s = 0.0 if _is_still(theirs) else work.duration_s
        if self.is_still and not duration_s:
            segments = [_compare_stills(self.codes, theirs)]
        else:
            view = View(theirs, duration_s=duration_s)
            lookups = self.hits.of_work(positions, self.views, view)
            segments = match_work(self.views, view, lookups)
        matching = [segment for segment in segments if segment.worth > 1]
        return replace(work, duration_s=duration_s), matching


def _group(
    works: Mapping[int, IndexedWork], compared: Collection[RegistrationId]
) -> list[tuple[IndexedWork, set[int]]]:
    """Each work once, with the positions of its codes, but for those that were compared."""
    positions: dict[RegistrationId, set[int]] = defaultdict(set)
    for position, work in works.items():
        positions[work.registration_id].add(position)
    by_id = {work.registration_id: work for work in works.values()}
    return [(by_id[one], positions[one]) for one in positions if one not in compared]


def _decode(work: IndexedWork, family: SearchFamily) -> PictureCodes | None:
    try:
        return read_picture_codes(work.codes, family)
    except MalformedDocumentError as error:
        _log.warning("Left out of the search: %s of %s", error, work.registration_id)
        return None


def _is_still(codes: PictureCodes) -> bool:
    """Of an animated picture only the first frame is coded."""
    return codes.frames is not None and len(codes.frames.times_s) == 1


def _compare_stills(codes: PictureCodes, theirs: PictureCodes) -> VisualSegment:
    evidence = compare_pictures(codes, theirs)
    return VisualSegment(
        NOWHERE,
        NOWHERE,
        speed=1.0,
        orientation=evidence.orientation,
        evidence=MappingProxyType(evidence.numbers),
        is_same_recording=evidence.is_same_picture,
    )
