"""The embedded index: all codes in memory, exact, brought up to date before every search."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import numpy.typing as npt

from titledeed.errors import MalformedDocumentError
from titledeed.fingerprinting.algorithms import find_algorithm
from titledeed.fingerprinting.base import Codes, FingerprintAlgorithm, FrameCodes
from titledeed.matching.alignment import Alignment, align, select_keys
from titledeed.matching.frame_scan import Hits, scan_frames
from titledeed.matching.voting import TimedHits
from titledeed.models.fingerprint import FingerprintCode, FingerprintView
from titledeed.models.interval import Interval
from titledeed.models.match import Segment, WorkMatch
from titledeed.models.primitives import RegistrationId
from titledeed.ports import FingerprintSource

_log = logging.getLogger(__name__)

VOTING_HITS_MAX = 50_000
"""Hits of one work that vote, the closest; the line is followed through all frames anyway."""


@dataclass(frozen=True, slots=True)
class _Corpus:
    """The works of one algorithm; only their key frames are scanned.

    Attributes:
        codes: the key frames of all works, one after another.
        owner: the work of each row.
        times_s: the second of its work of each row.
    """

    works: tuple[tuple[RegistrationId, FrameCodes], ...]
    codes: Codes
    owner: npt.NDArray[np.int64]
    times_s: npt.NDArray[np.float64]


@dataclass(slots=True)
class _Shelf:
    """Collects the works of one algorithm and lays them out when they are next searched."""

    algorithm: FingerprintAlgorithm
    works: list[tuple[RegistrationId, FrameCodes]] = field(default_factory=list)
    keys: list[FrameCodes] = field(default_factory=list)
    corpus: _Corpus | None = None

    def add(self, registration_id: RegistrationId, frames: FrameCodes) -> None:
        keys = select_keys(frames.codes)
        self.works.append((registration_id, frames))
        self.keys.append(FrameCodes(frames.times_s[keys], frames.codes[keys]))
        self.corpus = None

    def lay_out(self) -> _Corpus:
        if self.corpus is None:
            self.corpus = _Corpus(
                works=tuple(self.works),
                codes=np.concatenate([frames.codes for frames in self.keys]),
                owner=np.repeat(
                    np.arange(len(self.keys)), [len(frames.times_s) for frames in self.keys]
                ),
                times_s=np.concatenate([frames.times_s for frames in self.keys]),
            )
        return self.corpus


@dataclass(frozen=True, slots=True)
class _Finding:
    alignment: Alignment
    mirrored: bool


class EmbeddedIndex:
    """Implements ``ports.FingerprintIndex`` in one process.

    A code that does not decode is left out and logged: it can only come from an import, and one
    bad row must not stop every search.

    Args:
        source: read incrementally, so that what other processes registered is seen.
    """

    def __init__(self, *, source: FingerprintSource) -> None:
        self._source = source
        self._lock = Lock()
        self._cursor = 0
        self._erased = 0
        self._shelves: dict[tuple[str, int], _Shelf] = {}
        self._registrations: set[RegistrationId] = set()

    def search(self, views: Sequence[FingerprintView]) -> list[WorkMatch]:
        """Works of which the query holds at least one segment, best score first.

        Raises:
            MalformedDocumentError: a view does not decode.
        """
        findings: dict[RegistrationId, list[_Finding]] = {}
        for view in views:
            shelved = self._find_corpus(view.code)
            if shelved is None:
                continue
            algorithm, corpus = shelved
            query = algorithm.decode(view.code.code)
            search = _search_timed if algorithm.is_timed else _search_still
            for registration_id, alignment in search(algorithm, query, corpus):
                finding = _Finding(alignment, view.mirrored)
                findings.setdefault(registration_id, []).append(finding)
        matches = [_merge(work, found) for work, found in findings.items()]
        return sorted(matches, key=lambda match: (-match.score, match.registration_id))

    def size(self) -> int:
        """How many works are indexed."""
        with self._lock:
            self._refresh()
            return len(self._registrations)

    def _find_corpus(self, code: FingerprintCode) -> tuple[FingerprintAlgorithm, _Corpus] | None:
        with self._lock:
            self._refresh()
            shelf = self._shelves.get((code.algorithm, code.version))
            return None if shelf is None else (shelf.algorithm, shelf.lay_out())

    def _refresh(self) -> None:
        # Counted before reading: what is erased meanwhile is dropped by the next search.
        erased = self._source.count_erased()
        if erased != self._erased:
            self._erased, self._cursor = erased, 0
            self._shelves.clear()
            self._registrations.clear()
        for position, registration_id, code in self._source.iter_fingerprints(self._cursor):
            self._cursor = position
            self._registrations.add(registration_id)
            algorithm = find_algorithm(code.algorithm, code.version)
            if algorithm is None:
                continue
            try:
                frames = algorithm.decode(code.code)
            except MalformedDocumentError as error:
                _log.warning("Left out of the search: %s of %s", error, registration_id)
                continue
            key = (code.algorithm, code.version)
            self._shelves.setdefault(key, _Shelf(algorithm)).add(registration_id, frames)


def _search_timed(
    algorithm: FingerprintAlgorithm, query: FrameCodes, corpus: _Corpus
) -> Iterable[tuple[RegistrationId, Alignment]]:
    rows = np.flatnonzero(select_keys(query.codes))
    hits = scan_frames(query.codes[rows], corpus.codes, distance_max=algorithm.distance_max)
    for work, its_hits in _by_work(hits, corpus):
        registration_id, frames = corpus.works[work]
        timed = TimedHits(
            query_s=query.times_s[rows[its_hits.query]],
            work_s=corpus.times_s[its_hits.corpus],
            weight=1 - its_hits.distance / algorithm.code_bits,
        )
        for alignment in align(query, frames, timed):
            yield registration_id, alignment


def _search_still(
    algorithm: FingerprintAlgorithm, query: FrameCodes, corpus: _Corpus
) -> Iterable[tuple[RegistrationId, Alignment]]:
    """Closeness is 1 for equal codes and 0 at chance, half of the bits."""
    nowhere = Interval(0.0, 0.0)
    hits = scan_frames(query.codes, corpus.codes, distance_max=algorithm.distance_max)
    for row, distance in zip(hits.corpus, hits.distance, strict=True):
        registration_id, _ = corpus.works[corpus.owner[row]]
        score = 1 - 2 * float(distance) / algorithm.code_bits
        yield registration_id, Alignment(nowhere, nowhere, speed=1.0, frames=1, score=score)


def _by_work(hits: Hits, corpus: _Corpus) -> Iterable[tuple[int, Hits]]:
    order = np.lexsort((hits.distance, corpus.owner[hits.corpus]))
    owners, starts = np.unique(corpus.owner[hits.corpus[order]], return_index=True)
    stops = np.append(starts, len(order))[1:]
    for owner, start, stop in zip(owners, starts, stops, strict=True):
        yield int(owner), hits.take(order[start : min(stop, start + VOTING_HITS_MAX)])


def _merge(registration_id: RegistrationId, findings: list[_Finding]) -> WorkMatch:
    """Keep the best finding wherever several explain the same moment of the query."""
    kept: list[_Finding] = []
    for finding in sorted(findings, key=_strength, reverse=True):
        span = finding.alignment.query
        if not any(_explains_same(span, other.alignment.query) for other in kept):
            kept.append(finding)
    kept.sort(key=lambda finding: finding.alignment.query)
    segments = tuple(
        Segment(
            query=finding.alignment.query,
            work=finding.alignment.work,
            speed=finding.alignment.speed,
            mirrored=finding.mirrored,
        )
        for finding in kept
    )
    return WorkMatch(registration_id, max(f.alignment.score for f in kept), segments)


def _strength(finding: _Finding) -> tuple[float, bool]:
    return finding.alignment.frames * finding.alignment.score, not finding.mirrored


def _explains_same(span: Interval, other: Interval) -> bool:
    shorter_s = min(span.duration_s, other.duration_s)
    return shorter_s == 0 or span.overlap_s(other) > shorter_s / 2
