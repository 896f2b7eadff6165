"""Finding works in the content of a file, by its fingerprints alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from titledeed.models.examination import Examination
from titledeed.models.match import MatchClass, WorkMatch
from titledeed.models.principal import Principal, Scope
from titledeed.models.registration import Registration
from titledeed.ports import (
    Examiner,
    FingerprintIndex,
    Progress,
    no_progress,
)
from titledeed.services.access import require_scope
from titledeed.services.visibility import VisibleRegistrations


class SearchService:
    """Finds registered works."""

    def __init__(
        self,
        *,
        examiner: Examiner,
        index: FingerprintIndex,
        visible: VisibleRegistrations,
    ) -> None:
        self._examiner = examiner
        self._index = index
        self._visible = visible

    def search(
        self, path: Path, principal: Principal, progress: Progress = no_progress
    ) -> tuple[Examination, list[tuple[WorkMatch, Registration]]]:
        """Visible works found in the content of a file.

        Raises:
            NotAuthorizedError: the principal may not ask.
            InputError: the file is unreadable, unsupported, malformed or too large.
        """
        require_scope(principal, Scope.READ)
        progress(path.name, 0.0)
        examination = self._examiner.examine(path, progress)
        found = self.find_works(examination, principal)
        progress(path.name, 1.0)
        return examination, found

    def find_works(
        self, examination: Examination, principal: Principal
    ) -> list[tuple[WorkMatch, Registration]]:
        """Visible works found in the content: those that it shows first, best match first."""
        found = [
            (_name_same_file(match, work, examination), work)
            for match in self._index.search(examination.query)
            if (work := self._visible.find(match.registration_id, principal))
        ]
        return sorted(found, key=lambda pair: not pair[0].shown)


def _name_same_file(match: WorkMatch, work: Registration, examination: Examination) -> WorkMatch:
    """Only digests tell a file from its copies."""
    digests = (work.content_digest, work.signed_digest)
    is_same = examination.asset.content_digest in digests
    return replace(match, relation=MatchClass.SAME_FILE) if is_same else match
