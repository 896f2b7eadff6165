"""Fingerprinting registered works anew, after a release brought new algorithms or versions.

The codes that a Claim binds stay as they are; new ones are kept beside them, durably before the
database names them. A work is finished before the next begins, so that whoever interrupts loses
one work at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from titledeed.errors import InputError, NotFoundError, UnreadableInputError
from titledeed.fingerprinting.algorithms import algorithms_for
from titledeed.media.digests import digest_file
from titledeed.models.asset import MediaType
from titledeed.models.examination import Examination
from titledeed.models.primitives import RegistrationId, Sha256
from titledeed.models.registration import Registration
from titledeed.ports import (
    FingerprintIndex,
    FingerprintRepository,
    Progress,
    RegistrationRepository,
    no_progress,
)
from titledeed.ports.examiner import Examiner
from titledeed.vault.later_codes import LaterCodes
from titledeed.vault.vault import Vault

PAGE_SIZE: Final = 256


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A work that could not be fingerprinted anew, and why."""

    registration_id: RegistrationId
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reindexed:
    """What a run did.

    Attributes:
        fingerprinted: works that got codes.
        current: works that had all codes already.
    """

    fingerprinted: int
    current: int
    left_out: tuple[LeftOut, ...]


class ReindexingService:
    """Brings the fingerprints of this home's own registrations up to date."""

    def __init__(
        self,
        *,
        examiner: Examiner,
        registrations: RegistrationRepository,
        fingerprints: FingerprintRepository,
        vault: Vault,
        index: FingerprintIndex,
    ) -> None:
        self._examiner = examiner
        self._registrations = registrations
        self._fingerprints = fingerprints
        self._vault = vault
        self._index = index

    def reindex(self, media: Path | None = None, progress: Progress = no_progress) -> Reindexed:
        """Fingerprint every own work that lacks a code of a present algorithm.

        Args:
            media: a folder with registered files of which this home made no signed copy.
            progress: told of each work.

        Raises:
            UnreadableInputError: the folder cannot be read.
            StorageError: a code cannot be kept; the same call again goes on.
        """
        works = list(self._iter_own())
        by_digest = _find_files(media) if media else {}
        fingerprinted = current = 0
        left_out: list[LeftOut] = []
        for number, work in enumerate(works):
            progress(work.title, number / len(works))
            try:
                if self._reindex(work, by_digest):
                    fingerprinted += 1
                else:
                    current += 1
            except (InputError, NotFoundError) as error:
                left_out.append(LeftOut(work.registration_id, work.title, error.message))
        self._index.keep()
        progress("Fingerprinting", 1.0)
        return Reindexed(fingerprinted, current, tuple(left_out))

    def _reindex(self, work: Registration, by_digest: Mapping[Sha256, Path]) -> bool:
        dossier = self._vault.dossiers.read(work.registration_id)
        media_type = dossier.record.facts.media_type
        if media_type not in set(MediaType):
            raise NotFoundError(f"this release does not read {media_type[:60]!r}")
        wanted = {(a.id, a.version) for a in algorithms_for(MediaType(media_type).kind)}
        later = self._vault.later_fingerprints.read(work.registration_id)
        known = {(code.algorithm, code.version) for code in dossier.fingerprints} | later.examined
        if wanted <= known:
            return False
        examination = self._examine(work, by_digest)
        fresh = [c for c in examination.fingerprints if (c.algorithm, c.version) not in known]
        kept = LaterCodes(later.examined | (wanted - known), (*later.codes, *fresh))
        with self._registrations.hold(work.registration_id):
            if self._registrations.find(work.registration_id) is None:
                raise NotFoundError("it was erased meanwhile")
            self._vault.later_fingerprints.keep(work.registration_id, kept)
            self._fingerprints.add(work.registration_id, fresh)
        return True

    def _examine(self, work: Registration, by_digest: Mapping[Sha256, Path]) -> Examination:
        """Look at a file that is still the registered one, or its signed copy."""
        if work.signed_path is not None and work.signed_digest is not None:
            with (
                suppress(NotFoundError),
                self._vault.signed_copies.reading(work.signed_path) as path,
            ):
                if digest_file(path) == work.signed_digest:
                    return self._examiner.examine(path)
        for digest in (work.content_digest, work.signed_digest):
            if digest is not None and digest in by_digest:
                return self._examiner.examine(by_digest[digest])
        raise NotFoundError("neither its signed copy nor the registered file is at hand")

    def _iter_own(self) -> Iterator[Registration]:
        after = 0
        while page := self._registrations.list_own(after=after, limit=PAGE_SIZE):
            yield from (work for _, work in page)
            after = page[-1][0]


def _find_files(folder: Path) -> dict[Sha256, Path]:
    if not folder.is_dir():
        raise UnreadableInputError(
            f"{folder} is no folder",
            next_step="Name the folder that holds the registered files.",
            path=folder,
        )
    return {digest_file(path): path for path in sorted(folder.rglob("*")) if path.is_file()}
