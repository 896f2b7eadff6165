"""Registering: files and folders in one batch, and answers about registrations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from titledeed.anchoring.batching import AnchoringService
from titledeed.errors import (
    ConflictError,
    InputError,
    InvalidRequestError,
    LedgerUnavailableError,
    NotFoundError,
    SigningError,
    TitledeedError,
    UnreadableInputError,
    UnsupportedMediaTypeError,
)
from titledeed.models.evidence import ChainKind, TimeCode
from titledeed.models.examination import Examination
from titledeed.models.match import WorkMatch
from titledeed.models.primitives import RegistrationId
from titledeed.models.principal import Principal, Scope
from titledeed.models.registration import Registration, Visibility
from titledeed.ports import (
    FingerprintIndex,
    ManifestReader,
    Progress,
    RegistrationRepository,
    no_progress,
)
from titledeed.ports.examiner import Examiner
from titledeed.services.acceptance import Acceptance, Statement, check_statement
from titledeed.services.access import require_claimant
from titledeed.services.recovery import recover_intents
from titledeed.services.standing import not_ours
from titledeed.services.visibility import VisibleRegistrations
from titledeed.vault.vault import Vault

SIMILAR_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class RegisterRequest:
    """What to register, and what the claimant says about it.

    Attributes:
        sources: files, or folders that are walked recursively.
        statement: the same for every file; a title names a single one.
        wait: whether to wait until a block includes the claims.
    """

    sources: tuple[Path, ...]
    statement: Statement
    wait: bool = True


@dataclass(frozen=True, slots=True)
class SimilarWork:
    """An earlier registration that resembles the new one; shown, never silently passed over."""

    registration: Registration
    match: WorkMatch | None
    mine: bool


@dataclass(frozen=True, slots=True)
class RegisteredFile:
    """One file that is registered now, or was before.

    Attributes:
        bundle_path: where the evidence bundle lies; None until a block includes the claim.
        time_code: what the chain's time is worth: ``self_kept`` on a development chain.
    """

    source: str
    registration: Registration
    bundle_path: str | None
    similar: tuple[SimilarWork, ...]
    notes: tuple[str, ...]
    created: bool
    time_code: TimeCode


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """One file that was not registered, and why; the others of the batch were."""

    source: str
    error: TitledeedError


class RegistrationService:
    """Registers files and answers for registrations."""

    def __init__(
        self,
        *,
        examiner: Examiner,
        acceptance: Acceptance,
        reader: ManifestReader,
        registrations: RegistrationRepository,
        visible: VisibleRegistrations,
        vault: Vault,
        index: FingerprintIndex,
        anchoring: AnchoringService,
        chain_kind: ChainKind,
    ) -> None:
        self._examiner = examiner
        self._acceptance = acceptance
        self._reader = reader
        self._registrations = registrations
        self._visible = visible
        self._vault = vault
        self._index = index
        self._anchoring = anchoring
        self._chain_kind = chain_kind

    def register(
        self, request: RegisterRequest, principal: Principal, progress: Progress = no_progress
    ) -> list[RegisteredFile | RefusedFile]:
        """Register files in one batch: all share one anchor.

        A file that cannot be registered does not stop the others.

        Raises:
            NotAuthorizedError: the principal may not register, or their key lies elsewhere; nothing
                was done.
            InvalidRequestError: the request contradicts itself; nothing was done.
            UnreadableInputError: a source does not exist; nothing was done.
            DependencyError: too many registrations wait for an anchor.
            LedgerUnavailableError: the chain is down and nothing was done; or everything is
                accepted, but no block includes it yet.
        """
        claimant = require_claimant(principal, Scope.REGISTER)
        self._acceptance.require_key(claimant)
        check_statement(request.statement, claimant)
        files = _list_files(request.sources)
        _check_output(
            request.statement.output or Path(self._vault.signed_copies.folder), request.sources
        )
        if request.statement.title is not None and len(files) > 1:
            raise InvalidRequestError(
                "one title cannot name several files",
                next_step="Leave the title out: each file is then titled by its name.",
            )
        self._anchoring.require_room(len(files))
        recover_intents(self._registrations, self._vault, self._reader)
        if request.wait:
            self._anchoring.require_ledger()
        outcomes: list[RegisteredFile | RefusedFile] = []
        for path in files:
            try:
                outcomes.append(self._register_file(path, request.statement, principal, progress))
            except UnsupportedMediaTypeError as error:
                # In a walked folder, files that are no media are none of our business.
                if path in request.sources:
                    outcomes.append(RefusedFile(str(path), error))
            except (InputError, SigningError) as error:
                outcomes.append(RefusedFile(str(path), error))
        self._index.keep()
        if not request.wait:
            return [self._with_bundle(o, principal) if _is_anchored(o) else o for o in outcomes]
        try:
            self._anchoring.anchor_waiting(progress)
        except LedgerUnavailableError as error:
            raise LedgerUnavailableError(
                error.message,
                next_step=f"Nothing is lost. {_name_waiting(outcomes)}",
                endpoint=error.endpoint,
                transaction=error.transaction,
            ) from error
        return [self._with_bundle(outcome, principal) for outcome in outcomes]

    def complete(
        self,
        registration_id: RegistrationId,
        principal: Principal,
        progress: Progress = no_progress,
    ) -> RegisteredFile:
        """Wait for the block of an accepted registration and write its bundle.

        Raises:
            NotFoundError: this home has no own registration with this id.
            NotAuthorizedError: it is another claimant's.
            LedgerUnavailableError: no block includes it yet.
        """
        registration = self._require_own(registration_id, principal)
        if not registration.has_bundle:
            self._anchoring.anchor_waiting(progress)
        found = RegisteredFile(
            source="",
            registration=registration,
            bundle_path=None,
            similar=(),
            notes=(),
            created=False,
            time_code=self._time_code(registration),
        )
        completed = self._with_bundle(found, principal)
        if isinstance(completed, RefusedFile):
            raise completed.error
        return completed

    def get(self, registration_id: RegistrationId, principal: Principal) -> Registration:
        """One registration, as far as the principal may see it.

        Raises:
            NotFoundError: there is none, or the principal may not know of it.
        """
        return self._visible.get(registration_id, principal)

    def bundle_path(self, registration: Registration) -> str | None:
        """Where the bundle of a registration lies, once it is completed."""
        if not registration.has_bundle:
            return None
        return self._vault.bundles.locate(registration.registration_id)

    def read_bundle(self, registration: Registration) -> bytes:
        """The evidence bundle's bytes.

        Raises:
            NotFoundError: it was not completed yet.
        """
        if not registration.has_bundle:
            raise NotFoundError(
                f"{registration.registration_id} has no evidence bundle yet",
                next_step="It comes with the block that includes the claim: ask again later.",
                what="bundle",
                registration_id=registration.registration_id,
            )
        return self._vault.bundles.read_bytes(registration.registration_id)

    def has_signed_copy(self, registration: Registration, principal: Principal) -> bool:
        """Whether there is a signed copy, and the principal may have it: its claimant alone."""
        return registration.signed_path is not None and registration.belongs_to(principal)

    def open_signed_copy(self, registration: Registration, principal: Principal) -> BinaryIO:
        """The signed copy of an own registration; the caller closes it.

        Raises:
            NotFoundError: there is none for this principal, or it is not kept any more.
        """
        if registration.signed_path is None or not registration.belongs_to(principal):
            raise NotFoundError(
                f"{registration.registration_id} has no signed copy here",
                what="signed_copy",
                registration_id=registration.registration_id,
            )
        return self._vault.signed_copies.open(registration.signed_path)

    def thumbnail(self, registration: Registration) -> bytes:
        """The JPEG thumbnail; empty for sound and for imported registrations."""
        return self._vault.thumbnails.read(registration.registration_id)

    def set_visibility(
        self, registration_id: RegistrationId, visibility: Visibility, principal: Principal
    ) -> Registration:
        """Publish or unpublish an own registration.

        Raises:
            NotFoundError: this home has no own registration with this id.
            NotAuthorizedError: it is another claimant's.
        """
        self._require_own(registration_id, principal)
        self._vault.dossiers.change_visibility(registration_id, visibility)
        self._registrations.set_visibility(registration_id, visibility)
        return self._require_own(registration_id, principal)

    def _require_own(self, registration_id: RegistrationId, principal: Principal) -> Registration:
        require_claimant(principal, Scope.REGISTER)
        registration = self._visible.find(registration_id, principal)
        if registration is None or not registration.is_own:
            raise NotFoundError(
                f"this home registered nothing as {registration_id}",
                next_step="`titledeed verify FILE` shows the id of a registered file.",
                what="registration",
                registration_id=registration_id,
            )
        if not registration.belongs_to(principal):
            raise not_ours(registration, principal)
        return registration

    def _with_bundle(
        self, outcome: RegisteredFile | RefusedFile, principal: Principal
    ) -> RegisteredFile | RefusedFile:
        if isinstance(outcome, RefusedFile):
            return outcome
        registration = self._visible.find(outcome.registration.registration_id, principal)
        if registration is None:
            return RefusedFile(outcome.source, _erased_meanwhile(outcome.registration))
        return replace(
            outcome,
            registration=registration,
            bundle_path=self.bundle_path(registration),
            time_code=self._time_code(registration),
        )

    def _time_code(self, registration: Registration) -> TimeCode:
        if registration.anchor is None:
            return TimeCode.CLAIMED_ONLY
        return self._chain_kind.time_code

    def _register_file(
        self, path: Path, statement: Statement, principal: Principal, progress: Progress
    ) -> RegisteredFile:
        progress(path.name, 0.0)
        examination = self._examiner.examine(path, _first_part(progress))
        same = self._visible.find_by_digest(examination.asset.content_digest, principal)
        known, created = self._find_own(path, examination, same, principal), False
        similar: tuple[SimilarWork, ...] = ()
        if known is None:
            similar = self._find_similar(examination, same, principal)
            claimant = require_claimant(principal, Scope.REGISTER)
            known, created = self._acceptance.accept(path, examination, statement, claimant)
        registration = known if created else self._apply_visibility(known, statement, principal)
        progress(path.name, 1.0)
        return RegisteredFile(
            source=str(path),
            registration=registration,
            bundle_path=None,
            similar=similar,
            notes=_note(examination, created=created),
            created=created,
            time_code=self._time_code(registration),
        )

    def _find_own(
        self,
        path: Path,
        examination: Examination,
        same: Sequence[Registration],
        principal: Principal,
    ) -> Registration | None:
        """The same bytes, or an intact file that carries our manifest, are registered already."""
        mine = _find_mine(same, principal)
        if mine is not None or not examination.media_type.carries_credentials:
            return mine
        manifest = self._reader.read(path, examination.media_type)
        return _find_mine(self._visible.find_carried(manifest, principal), principal)

    def _apply_visibility(
        self, known: Registration, statement: Statement, principal: Principal
    ) -> Registration:
        """Registering again with ``--publish`` publishes; without it nothing is taken back."""
        if statement.visibility is not Visibility.PUBLISHED:
            return known
        return self.set_visibility(known.registration_id, Visibility.PUBLISHED, principal)

    def _find_similar(
        self, examination: Examination, same: Sequence[Registration], principal: Principal
    ) -> tuple[SimilarWork, ...]:
        matched: list[tuple[Registration, WorkMatch | None]] = [
            (registration, match)
            for match in self._index.search(examination.query)
            if (registration := self._visible.find(match.registration_id, principal))
        ]
        found = [*((work, None) for work in same), *matched]
        works = {work.registration_id: (work, match) for work, match in found}
        return tuple(
            SimilarWork(work, match, mine=_is_mine(work, principal))
            for work, match in list(works.values())[:SIMILAR_MAX]
        )


def _find_mine(found: Sequence[Registration], principal: Principal) -> Registration | None:
    return next((r for r in found if _is_mine(r, principal)), None)


def _is_mine(registration: Registration, principal: Principal) -> bool:
    return registration.is_own and principal.speaks_for(registration.claimant)


def _erased_meanwhile(registration: Registration) -> ConflictError:
    return ConflictError(
        f"{registration.registration_id} was erased while it waited for its block",
        next_step="Register the file again if that was not meant.",
    )


def _first_part(progress: Progress) -> Progress:
    """Looking at a file is most of the work, and never the last of it."""
    return lambda label, fraction: progress(label, fraction * 0.8)


def _is_anchored(outcome: RegisteredFile | RefusedFile) -> bool:
    return isinstance(outcome, RegisteredFile) and outcome.registration.anchor is not None


def _note(examination: Examination, *, created: bool) -> tuple[str, ...]:
    notes = dict.fromkeys(examination.notes)
    if not examination.media_type.carries_credentials:
        notes["registry only: this type carries no credentials"] = None
    if not created:
        notes["registered before: the title and disclosure of then stand"] = None
    return tuple(notes)


def _name_waiting(outcomes: Sequence[RegisteredFile | RefusedFile]) -> str:
    ids = [o.registration.registration_id for o in outcomes if isinstance(o, RegisteredFile)]
    named = ", ".join(ids[:SIMILAR_MAX])
    more = f" and {len(ids) - SIMILAR_MAX} more" if len(ids) > SIMILAR_MAX else ""
    return f"Run `titledeed receipt ID` later for {named}{more}."


def _is_own_file(path: Path) -> bool:
    # A link in somebody's folder could name any file of ours and have it published.
    return path.is_file() and not path.is_symlink()


def _list_files(sources: Sequence[Path]) -> list[Path]:
    """Files as given, folders walked recursively in a stable order, each file once."""
    files: dict[Path, None] = {}
    for source in sources:
        if source.is_dir():
            files.update(dict.fromkeys(p for p in sorted(source.rglob("*")) if _is_own_file(p)))
        elif source.exists():
            files[source] = None
        else:
            raise UnreadableInputError(
                f"{source} does not exist", next_step="Check the path and try again.", path=source
            )
    return list(files)


def _check_output(output: Path, sources: Sequence[Path]) -> None:
    """Signed copies never land among the inputs: they would be registered as new works."""
    target = output.resolve()
    for source in sources:
        folder = (source if source.is_dir() else source.parent).resolve()
        inside = folder in target.parents if source.is_dir() else False
        if target == folder or inside:
            raise InvalidRequestError(
                f"the signed copies would land in the input folder {folder}",
                next_step="Choose another folder with --output.",
                path=folder,
            )
