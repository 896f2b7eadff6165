"""An index that finds what it is told, behind ``ports.FingerprintIndex`` and ``ports.IndexWorks``.

Only real tables can keep what the port promises of searches; this says what a service makes of
their answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.interval import Interval
from titledeed.models.match import MatchClass, Query, Segment, WorkMatch
from titledeed.models.primitives import RegistrationId
from titledeed.ports import IndexedWork


class IndexSimulator:
    """See ``ports.FingerprintIndex``.

    Attributes:
        queries: what was searched with, in order.
        kept: how often it was asked to keep what changed.
    """

    def __init__(self) -> None:
        self._answers: dict[tuple[FingerprintCode, ...], list[WorkMatch]] = {}
        self.queries: list[Query] = []
        self.kept = 0

    def tell(self, codes: Sequence[FingerprintCode], *matches: WorkMatch) -> None:
        """Find these works, in any order, in whatever has these codes."""
        self._answers[tuple(codes)] = sorted(matches, key=lambda match: -match.score)

    def search(self, query: Query) -> list[WorkMatch]:
        self.queries.append(query)
        return self._answers.get(query.codes, [])

    def keep(self) -> None:
        self.kept += 1


class WorksIndexer:
    """See ``ports.IndexWorks``: finds every work at hand in whatever is searched with.

    Attributes:
        given: the works of which an index was made last.
    """

    def __init__(self) -> None:
        self.given: list[IndexedWork] = []

    def __call__(self, works: Iterable[IndexedWork]) -> _HeldWorks:
        self.given = list(works)
        return _HeldWorks(self.given)


class _HeldWorks:
    def __init__(self, works: Sequence[IndexedWork]) -> None:
        self._works = works

    def search(self, query: Query) -> list[WorkMatch]:
        return [match_of(work.registration_id, end_s=query.duration_s) for work in self._works]

    def keep(self) -> None:
        """Gone with the object."""


def match_of(
    registration_id: RegistrationId,
    *,
    score: float = 0.9,
    end_s: float = 0.0,
    is_same_recording: bool = True,
) -> WorkMatch:
    """A work that a query shows from its start to ``end_s``, or only shares something with."""
    time = Interval(0.0, end_s)
    segment = Segment(time, time, speed=1.0, mirrored=False, is_same_recording=is_same_recording)
    relation = MatchClass.COPY if is_same_recording else MatchClass.SHARES_CONTENT
    return WorkMatch(registration_id, score, relation, (segment,))
