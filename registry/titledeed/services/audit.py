"""Auditing a submission: gathers the evidence, lets the pure audit and the rules judge it.

A submission is a folder: one ``film.*``, ``disclosure.yaml``, perhaps ``timeline.otio`` and
``bundles/``. Nothing is written into it, and nothing of it leaves this machine: the chain is not
asked, so that an audit gives the same report with the network off.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from titledeed.audit.document import audit_document
from titledeed.audit.facts import facts_of
from titledeed.audit.page import audit_page
from titledeed.audit.report import apply_rules, assess
from titledeed.canonical.hashing import sha256
from titledeed.disclosure.film import parse_film_disclosure
from titledeed.errors import (
    InputError,
    InvalidRequestError,
    UnreadableInputError,
    VerificationError,
)
from titledeed.media.digests import digest_file
from titledeed.models.audit import AuditReport, FilmEvidence, Timeline
from titledeed.models.bundle import Bundle
from titledeed.models.disclosure import FilmDisclosure
from titledeed.models.evidence import IntegrityCode
from titledeed.models.examination import Examination
from titledeed.models.match import WorkMatch
from titledeed.models.primitives import RegistrationId
from titledeed.models.principal import Principal, Scope
from titledeed.models.registration import Registration
from titledeed.policy.evaluation import evaluate
from titledeed.policy.packs import load_pack
from titledeed.ports import (
    Clock,
    IndexedWork,
    IndexWorks,
    ManifestReader,
    Progress,
    SnapshotRepository,
    no_progress,
)
from titledeed.ports.examiner import Examiner
from titledeed.proofs.bundles import BUNDLE_LENGTH_MAX, read_bundle_file
from titledeed.services.access import require_scope
from titledeed.services.evidence import require_bundle
from titledeed.services.search import SearchService
from titledeed.services.visibility import VisibleRegistrations
from titledeed.timeline.otio import read_timeline
from titledeed.vault.listing import list_bundle
from titledeed.vault.vault import Vault

DEFAULT_PACK: Final = "cambridge-significant"
BUNDLES_MAX: Final = 10_000
SUBMITTED: Final = "submission"
"""Stands for the snapshot id of registrations that came as bundles with the film."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AuditResult:
    """A report, and where its two forms lie."""

    report: AuditReport
    document: dict[str, object]
    json_path: str
    html_path: str


@dataclass(slots=True)
class _Submission:
    """What the folder holds, as far as it can be read; a reader fills each of the lists."""

    film: Path
    disclosures: list[FilmDisclosure] = field(default_factory=list)
    timelines: list[Timeline] = field(default_factory=list)
    bundles: list[Bundle] = field(default_factory=list)
    unassessed: list[str] = field(default_factory=list)

    @property
    def disclosure(self) -> FilmDisclosure | None:
        """The one that the audit compares with."""
        return next(iter(self.disclosures), None)

    @property
    def timeline(self) -> Timeline | None:
        """The one whose shots are counted."""
        return next(iter(self.timelines), None)


@dataclass(frozen=True, slots=True)
class _PartReader(Generic[T]):
    """How files of one kind are read.

    Attributes:
        pattern: which files of the folder; a name, or a folder and a pattern.
        parse: refuses what it cannot read.
        field: where the result goes.
        files_max: more of them are left out, and the report says so.
    """

    pattern: str
    parse: Callable[[bytes], T]
    field: Callable[[_Submission], list[T]]
    files_max: int = 1

    def read(self, folder: Path, submission: _Submission) -> None:
        """Read every such file; what cannot be read is left unassessed."""
        paths = self._list_paths(folder)
        if len(paths) > self.files_max:
            name = self.pattern.partition("/")[0]
            submission.unassessed.append(f"{name}: only the first {self.files_max} were read")
        for path in paths[: self.files_max]:
            try:
                self.field(submission).append(self.parse(_read_bytes(path)))
            except (InputError, VerificationError) as error:
                submission.unassessed.append(f"{path.name}: {error.message}")

    def _list_paths(self, folder: Path) -> list[Path]:
        """What stands under the pattern; links too, for the reader to refuse them by name."""
        name, _, inner = self.pattern.partition("/")
        path = folder / name
        if inner and not path.is_symlink():
            return sorted(path.glob(inner))
        return [path] if os.path.lexists(path) else []


class AuditService:
    """Audits submissions.

    Args:
        examiner: looks at the film.
        reader: reads its credentials.
        works: finds what this home knows in it.
        index_works: finds what the submission's own bundles know in it.
        visible: registrations are counted, for the report.
        snapshots: named in the report.
        vault: keeps the report.
        clock: dates it.
        bundles_max: so many bundles of a submission are read.
    """

    def __init__(
        self,
        *,
        examiner: Examiner,
        reader: ManifestReader,
        works: SearchService,
        index_works: IndexWorks,
        visible: VisibleRegistrations,
        snapshots: SnapshotRepository,
        vault: Vault,
        clock: Clock,
        bundles_max: int = BUNDLES_MAX,
    ) -> None:
        self._examiner = examiner
        self._reader = reader
        self._works = works
        self._index_works = index_works
        self._visible = visible
        self._snapshots = snapshots
        self._vault = vault
        self._clock = clock
        self._bundles_max = bundles_max

    def audit(
        self,
        folder: Path,
        principal: Principal,
        *,
        pack: str = DEFAULT_PACK,
        output: Path | None = None,
        progress: Progress = no_progress,
    ) -> AuditResult:
        """Audit one submission and write its report.

        A film that cannot be read makes the outcome ``cannot_assess``; what else cannot be read
        is a question in the report. Neither is an error.

        Raises:
            NotAuthorizedError: the principal may not audit.
            InvalidRequestError: the folder holds no film, or the report would land in it.
            UnreadableInputError: there is no such folder.
            NotFoundError: there is no such rule pack.
            StorageError: the report cannot be written.
        """
        require_scope(principal, Scope.AUDIT)
        rules = load_pack(pack)
        submission = _read_submission(folder, self._bundles_max)
        evidence = self._gather(submission, principal, progress)
        report = assess(evidence)
        report = apply_rules(report, rules.info, evaluate(rules, facts_of(report)))
        document = audit_document(report)
        kept = self._vault.reports.keep(
            _report_name(folder, evidence, pack),
            json=json.dumps(document, indent=2).encode(),
            html=audit_page(report).encode(),
            away_from=folder,
            output=output,
        )
        return AuditResult(report, document, kept.json_location, kept.html_location)

    def read_report(self, location: str) -> bytes:
        """A report for people, HTML, where ``audit`` said that it lies.

        Raises:
            NotFoundError: it is not kept any more.
        """
        return self._vault.reports.read_html(location)

    def _gather(
        self, submission: _Submission, principal: Principal, progress: Progress
    ) -> FilmEvidence:
        film = submission.film
        examination = self._examine(submission, progress)
        matches: dict[RegistrationId, WorkMatch] = {}
        works: dict[RegistrationId, Registration] = {}
        source_types: tuple[str, ...] = ()
        if examination is not None:
            for match, work in self._find_works(examination, submission.bundles, principal):
                matches.setdefault(match.registration_id, match)
                works.setdefault(match.registration_id, work)
            manifest = self._reader.read(film, examination.media_type)
            if manifest.integrity is IntegrityCode.INTACT:
                source_types = manifest.source_types
        return FilmEvidence(
            film_name=film.name,
            film_digest=examination.asset.content_digest if examination else digest_file(film),
            duration_s=examination.asset.facts.duration_ms / 1000 if examination else 0.0,
            disclosure=submission.disclosure,
            timeline=submission.timeline,
            matches=tuple(matches.values()),
            works=works,
            coverages=tuple(self._snapshots.list_all()),
            own_registrations=self._visible.count_own(principal),
            submitted_bundles=len(submission.bundles),
            manifest_source_types=source_types,
            unassessed=tuple(submission.unassessed),
            as_of=self._clock(),
        )

    def _examine(self, submission: _Submission, progress: Progress) -> Examination | None:
        try:
            return self._examiner.examine(submission.film, progress)
        except UnreadableInputError:
            raise
        except InputError as error:
            submission.unassessed.append(f"The film: {error.message}")
            return None

    def _find_works(
        self, examination: Examination, bundles: Sequence[Bundle], principal: Principal
    ) -> Iterator[tuple[WorkMatch, Registration]]:
        yield from self._works.find_works(examination, principal)
        submitted = {
            work.registration_id: (work, bundle.dossier.fingerprints)
            for bundle in bundles
            for work in [list_bundle(bundle, SUBMITTED, accepted_at=self._clock())]
        }
        held = [
            IndexedWork(work.registration_id, work.duration_ms / 1000, codes)
            for work, codes in submitted.values()
        ]
        for match in self._index_works(held).search(examination.query):
            yield match, submitted[match.registration_id][0]


def _read_submission(folder: Path, bundles_max: int) -> _Submission:
    if not folder.is_dir():
        raise UnreadableInputError(
            f"{folder} is no folder",
            next_step="Name the folder that holds film.* and disclosure.yaml.",
            path=folder,
        )
    # A link could have a file of the auditor's own told to whoever reads the report.
    films = [path for path in folder.glob("film.*") if path.is_file() and not path.is_symlink()]
    if len(films) != 1:
        raise InvalidRequestError(
            f"{folder} holds {len(films)} files named film.*",
            next_step="Put exactly one film there, named film.mp4, film.mov or the like; "
            "links are not followed.",
            path=folder,
        )
    submission = _Submission(films[0])
    for reader in _list_readers(bundles_max):
        reader.read(folder, submission)
    return submission


def _read_bytes(path: Path) -> bytes:
    try:
        # Neither a pipe, which would hang, nor a link to a file of the auditor's.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnreadableInputError("it is no regular file")
            data = file.read(BUNDLE_LENGTH_MAX + 1)
    except OSError as error:
        is_link = error.errno == errno.ELOOP
        why = "is a link, which is not followed" if is_link else f"cannot be read: {error.strerror}"
        raise UnreadableInputError(f"it {why}") from error
    if len(data) > BUNDLE_LENGTH_MAX:
        raise UnreadableInputError("it is too long")
    return data


def _read_bundle(data: bytes) -> Bundle:
    bundle = read_bundle_file(data)
    require_bundle(bundle)
    return bundle


def _list_readers(bundles_max: int) -> tuple[_PartReader[Any], ...]:
    """One entry for each kind of file beside the film; unassessed ones are named in this order."""
    return (
        _PartReader("disclosure.yaml", parse_film_disclosure, lambda found: found.disclosures),
        _PartReader("timeline.otio", read_timeline, lambda found: found.timelines),
        _PartReader(
            "bundles/*.json", _read_bundle, lambda found: found.bundles, files_max=bundles_max
        ),
    )


def _report_name(folder: Path, evidence: FilmEvidence, pack: str) -> str:
    """Another disclosure or pack gives another report; the same audit again replaces its own."""
    disclosure = evidence.disclosure.digest if evidence.disclosure else b""
    audited = sha256(evidence.film_digest + disclosure + pack.encode("utf-8"))
    return f"{folder.resolve().name}-{audited.hex()[:8]}"
