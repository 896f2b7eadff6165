"""Comparing two files: which seconds of one are which seconds of the other.

Neither has to be registered, and nothing is kept of either.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from titledeed.models.examination import Examination
from titledeed.models.match import MatchClass, WorkMatch
from titledeed.models.primitives import RegistrationId
from titledeed.ports import Examiner, IndexedWork, IndexWorks, Progress, no_progress

_OTHER: Final = RegistrationId("other")
"""A file that is compared has no id; only this module sees the name."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How one file relates to another.

    Attributes:
        match: segments with the first file as query and the second as work; None where the codes
            share nothing.
    """

    first: Examination
    second: Examination
    relation: MatchClass
    match: WorkMatch | None

    @property
    def shares_nothing(self) -> bool:
        """Whether neither bytes nor codes have anything in common."""
        return self.relation is MatchClass.NONE


def compare(
    examiner: Examiner,
    index_works: IndexWorks,
    first: Path,
    second: Path,
    progress: Progress = no_progress,
) -> Comparison:
    """Lay one file upon the other.

    Raises:
        InputError: a file is unreadable, unsupported, malformed or too large.
    """
    one, other = examiner.examine(first, progress), examiner.examine(second, progress)
    work = IndexedWork(_OTHER, other.query.duration_s, other.fingerprints)
    match = next(iter(index_works([work]).search(one.query)), None)
    if one.asset.content_digest == other.asset.content_digest:
        relation = MatchClass.SAME_FILE
    else:
        relation = match.relation if match else MatchClass.NONE
    return Comparison(one, other, relation, match)
