"""Registering: from a file to an accepted registration, its anchor and its bundle.

The order of steps is what makes a crash harmless: an intent before anything is signed, the signed
copy before the dossier, the dossier (durable) before the row and its outbox entry, and those two
in one transaction. From that commit on the registration is *accepted* and survives anything;
before it, the same command simply starts the file again.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from titledeed.canonical.attachments import (
    TITLE_LENGTH_MAX,
    digest_fingerprints,
    encode_disclosure,
    encode_rights,
)
from titledeed.canonical.bundles import encode_dossier
from titledeed.canonical.claims import identify_claim
from titledeed.canonical.documents import digest_document, encode_document
from titledeed.canonical.identifiers import ZERO_ADDRESS
from titledeed.canonical.leaves import leaf_of_record
from titledeed.errors import (
    InputError,
    InvalidRequestError,
    InvariantViolation,
    NotFoundError,
    SigningError,
    TitledeedError,
    UnreadableInputError,
    UnsupportedMediaTypeError,
)
from titledeed.fingerprinting.algorithms import soft_binding_of
from titledeed.models.claim import Claim, SignedClaim, SigningDomain
from titledeed.models.disclosure import AssetDisclosure
from titledeed.models.evidence import ClaimStatus, IntegrityCode
from titledeed.models.match import WorkMatch
from titledeed.models.primitives import RegistrationId, Salt
from titledeed.models.record import Dossier, Record, Salts
from titledeed.models.registration import Registration, SigningIntent, Viewer, Visibility
from titledeed.models.rights import RightsStatement
from titledeed.ports import (
    Clock,
    FingerprintIndex,
    KeyStore,
    ManifestDraft,
    ManifestReader,
    ManifestSigner,
    ObjectStore,
    Progress,
    RegistrationRepository,
    SignedCopy,
    no_progress,
)
from titledeed.rights.statements import state_sole_rights
from titledeed.services.anchoring import AnchoringService, bundle_key, dossier_key
from titledeed.services.intake import Examination, Intake, digest_file

SALT_LENGTH: Final = 32
SIMILAR_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class RegisterRequest:
    """What to register, and what the claimant says about it.

    Attributes:
        sources: files, or folders that are walked recursively.
        title: of a single file; file names are used otherwise.
        output: folder for the signed copies; None for the home's own.
        wait: whether to wait until a block includes the claims.
    """

    sources: tuple[Path, ...]
    disclosure: AssetDisclosure
    title: str | None = None
    credits: tuple[str, ...] = ()
    visibility: Visibility = Visibility.PRIVATE
    output: Path | None = None
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
    """

    source: str
    registration: Registration
    bundle_path: str | None
    similar: tuple[SimilarWork, ...]
    notes: tuple[str, ...]
    created: bool


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
        intake: Intake,
        keys: KeyStore,
        signer: ManifestSigner,
        reader: ManifestReader,
        registrations: RegistrationRepository,
        objects: ObjectStore,
        index: FingerprintIndex,
        anchoring: AnchoringService,
        domain: SigningDomain,
        signed_folder: Path,
        clock: Clock,
    ) -> None:
        self._intake = intake
        self._keys = keys
        self._signer = signer
        self._reader = reader
        self._registrations = registrations
        self._objects = objects
        self._index = index
        self._anchoring = anchoring
        self._domain = domain
        self._signed_folder = signed_folder
        self._clock = clock

    def register(
        self, request: RegisterRequest, progress: Progress = no_progress
    ) -> list[RegisteredFile | RefusedFile]:
        """Register files in one batch: all share one anchor.

        A file that cannot be registered does not stop the others.

        Raises:
            InvalidRequestError: the request contradicts itself; nothing was done.
            UnreadableInputError: a source does not exist; nothing was done.
                LedgerUnavailableError: before anything was done, the chain is down; or, everything is
                accepted, but no block includes it yet.
        """
        files = _list_files(request.sources)
        _check_output(request.output or self._signed_folder, request.sources)
        if request.title is not None and len(files) > 1:
            raise InvalidRequestError(
                "one title cannot name several files",
                next_step="Leave the title out: each file is then titled by its name.",
            )
        if request.wait:
            self._anchoring.require_ledger()
        outcomes: list[RegisteredFile | RefusedFile] = []
        for path in files:
            try:
                outcomes.append(self._register_file(path, request, progress))
            except UnsupportedMediaTypeError as error:
                # In a walked folder, files that are no media are none of our business.
                if path in request.sources:
                    outcomes.append(RefusedFile(str(path), error))
            except (InputError, SigningError) as error:
                outcomes.append(RefusedFile(str(path), error))
        if not request.wait:
            return outcomes
        self._anchoring.anchor_waiting(progress)
        return [self._with_bundle(outcome) for outcome in outcomes]

    def complete(
        self, registration_id: RegistrationId, progress: Progress = no_progress
    ) -> RegisteredFile:
        """Wait for the block of an accepted registration and write its bundle.

        Raises:
            NotFoundError: this home has no own registration with this id.
            LedgerUnavailableError: no block includes it yet.
        """
        registration = self._require_own(registration_id)
        if registration.anchor is None:
            self._anchoring.anchor_waiting(progress)
        found = RegisteredFile("", registration, None, (), (), created=False)
        completed = self._with_bundle(found)
        if isinstance(completed, RefusedFile):
            raise completed.error
        return completed

    def get(self, registration_id: RegistrationId, viewer: Viewer) -> Registration:
        """One registration, as far as the viewer may see it.

        Raises:
            NotFoundError: there is none, or the viewer may not know of it.
        """
        registration = self._registrations.find(registration_id)
        if registration is None or not is_visible(registration, viewer):
            raise NotFoundError(f"there is no registration {registration_id} to be seen here")
        return registration

    def bundle_path(self, registration: Registration) -> str | None:
        """Where the bundle of a registration lies, once a block includes it."""
        if registration.anchor is None:
            return None
        if registration.snapshot_id is None:
            self._anchoring.complete_bundle(registration)
        return self._objects.locate(bundle_key(registration.registration_id))

    def thumbnail(self, registration: Registration) -> bytes:
        """The JPEG thumbnail; empty for sound and for imported registrations."""
        try:
            return self._objects.get(thumbnail_key(registration.registration_id))
        except NotFoundError:
            return b""

    def set_visibility(
        self, registration_id: RegistrationId, visibility: Visibility
    ) -> Registration:
        """Publish or unpublish an own registration.

        Raises:
            NotFoundError: this home has no own registration with this id.
        """
        self._require_own(registration_id)
        self._registrations.set_visibility(registration_id, visibility)
        return self._require_own(registration_id)

    def _require_own(self, registration_id: RegistrationId) -> Registration:
        registration = self._registrations.find(registration_id)
        if registration is None or registration.snapshot_id is not None:
            raise NotFoundError(
                f"this home registered nothing as {registration_id}",
                next_step="`titledeed verify FILE` shows the id of a registered file.",
            )
        return registration

    def _with_bundle(self, outcome: RegisteredFile | RefusedFile) -> RegisteredFile | RefusedFile:
        if isinstance(outcome, RefusedFile):
            return outcome
        registration = self._registrations.find(outcome.registration.registration_id)
        if registration is None:
            raise InvariantViolation(f"{outcome.registration.registration_id} vanished")
        return replace(
            outcome, registration=registration, bundle_path=self.bundle_path(registration)
        )

    def _register_file(
        self, path: Path, request: RegisterRequest, progress: Progress
    ) -> RegisteredFile:
        progress(path.name, 0.0)
        examination = self._intake.examine(path, progress)
        known = self._find_own(path, examination)
        if known is None:
            similar = self._find_similar(examination)
            registration = self._accept(path, examination, request)
        else:
            registration, similar = self._apply_visibility(known, request), ()
        progress(path.name, 1.0)
        return RegisteredFile(
            source=str(path),
            registration=registration,
            bundle_path=None,
            similar=similar,
            notes=examination.notes,
            created=known is None,
        )

    def _find_own(self, path: Path, examination: Examination) -> Registration | None:
        """The same bytes, or an intact file that carries our manifest, are registered already."""
        found = self._registrations.find_by_digest(examination.asset.content_digest)
        if not found and examination.media_type.carries_credentials:
            report = self._reader.read(path, examination.media_type)
            if report.integrity is IntegrityCode.INTACT and report.content_manifest_id:
                found = self._registrations.find_by_manifest(report.content_manifest_id)
        return next((r for r in found if self._is_mine(r)), None)

    def _is_mine(self, registration: Registration) -> bool:
        return (
            registration.claimant == self._keys.claimant and registration.snapshot_id is None
        )

    def _apply_visibility(self, known: Registration, request: RegisterRequest) -> Registration:
        """Registering again with ``--publish`` publishes; without it nothing is taken back."""
        if request.visibility is not Visibility.PUBLISHED:
            return known
        return self.set_visibility(known.registration_id, Visibility.PUBLISHED)

    def _find_similar(self, examination: Examination) -> tuple[SimilarWork, ...]:
        digest = examination.asset.content_digest
        same = [(r, None) for r in self._registrations.find_by_digest(digest)]
        matched = [
            (registration, match)
            for match in self._index.search(examination.views)
            if (registration := self._registrations.find(match.registration_id))
        ]
        return tuple(
            SimilarWork(registration, match, mine=self._is_mine(registration))
            for registration, match in [*same, *matched][:SIMILAR_MAX]
        )

    def _accept(
        self, path: Path, examination: Examination, request: RegisterRequest
    ) -> Registration:
        title = request.title or path.stem[:TITLE_LENGTH_MAX]
        rights = state_sole_rights(title, self._keys.claimant, request.credits)
        claim = self._sign_claim(examination, request.disclosure, rights)
        registration_id = identify_claim(claim.claim, claim.domain)
        signed_path = self._choose_signed_path(registration_id, path, examination, request)
        location = str(signed_path) if signed_path else None
        self._registrations.save_intent(SigningIntent(registration_id, str(path), location))
        copy = None
        if signed_path is not None:
            draft = ManifestDraft(
                title=rights.title,
                media_type=examination.media_type,
                signed_claim=claim,
                disclosure=request.disclosure,
                soft_bindings=tuple(map(soft_binding_of, examination.fingerprints)),
            )
            copy = self._sign_copy(path, signed_path, draft)
        dossier = Dossier(
            registration_id=registration_id,
            record=Record(claim, copy.credential if copy else None, examination.asset.facts),
            salts=_draw_salts(),
            fingerprints=examination.fingerprints,
            disclosure=request.disclosure,
            rights=rights,
            manifest_store=copy.manifest_store if copy else b"",
        )
        self._objects.put(thumbnail_key(registration_id), examination.thumbnail)
        self._objects.put(dossier_key(registration_id), encode_document(encode_dossier(dossier)))
        registration = list_dossier(
            dossier,
            visibility=request.visibility,
            accepted_at=self._clock(),
            signed_path=location,
        )
        return self._registrations.accept(registration, dossier.fingerprints)

    def _sign_claim(
        self, examination: Examination, disclosure: AssetDisclosure, rights: RightsStatement
    ) -> SignedClaim:
        claim = Claim(
            claimant=self._keys.claimant,
            content_digest=examination.asset.content_digest,
            fingerprints_digest=digest_fingerprints(examination.fingerprints),
            disclosure_digest=digest_document(encode_disclosure(disclosure)),
            rights_digest=digest_document(encode_rights(rights)),
            recovery_key=ZERO_ADDRESS,
            claimed_at=self._clock(),
        )
        return self._keys.sign_claim(claim, self._domain)

    def _sign_copy(self, path: Path, signed_path: Path, draft: ManifestDraft) -> SignedCopy:
        copy = self._signer.sign(path, signed_path, draft)
        if digest_file(path) != draft.signed_claim.claim.content_digest:
            signed_path.unlink()
            raise UnreadableInputError(
                f"{path} changed while it was registered",
                next_step="Register it again once nothing writes to it.",
            )
        return copy

    def _choose_signed_path(
        self,
        registration_id: RegistrationId,
        path: Path,
        examination: Examination,
        request: RegisterRequest,
    ) -> Path | None:
        if not examination.media_type.carries_credentials:
            return None
        intent = self._registrations.find_intent(registration_id)
        if intent is not None and intent.signed_path is not None and request.output is None:
            return Path(intent.signed_path)
        extension = examination.media_type.extension
        if request.output is None:
            return self._signed_folder / registration_id / f"{path.stem}.{extension}"
        wanted = request.output / f"{path.stem}.{extension}"
        # Another file's signed copy, or a stranger's file, is never overwritten.
        return wanted.with_stem(f"{path.stem}-{registration_id[3:11]}") if wanted.exists() else wanted


def list_dossier(
    dossier: Dossier, *, visibility: Visibility, accepted_at: int, signed_path: str | None
) -> Registration:
    """How the index lists a dossier that no block includes yet."""
    record = dossier.record
    claim = record.signed_claim.claim
    return Registration(
        registration_id=dossier.registration_id,
        domain=record.signed_claim.domain,
        claimant=claim.claimant,
        content_digest=claim.content_digest,
        signed_digest=record.credential.signed_digest if record.credential else None,
        manifest_id=record.credential.manifest_id if record.credential else None,
        title=dossier.rights.title,
        source_type=dossier.disclosure.source_type,
        status=ClaimStatus.PENDING,
        visibility=visibility,
        snapshot_id=None,
        signed_path=signed_path,
        leaf=leaf_of_record(record, dossier.salts),
        leaf_index=None,
        anchor=None,
        duration_ms=record.facts.duration_ms,
        claimed_at=claim.claimed_at,
        accepted_at=accepted_at,
    )


def _draw_salts() -> Salts:
    return Salts(
        content=Salt(secrets.token_bytes(SALT_LENGTH)),
        record=Salt(secrets.token_bytes(SALT_LENGTH)),
    )


def _list_files(sources: Sequence[Path]) -> list[Path]:
    """Files as given, folders walked recursively in a stable order, each file once."""
    files: dict[Path, None] = {}
    for source in sources:
        if source.is_dir():
            files.update(dict.fromkeys(p for p in sorted(source.rglob("*")) if p.is_file()))
        elif source.exists():
            files[source] = None
        else:
            raise UnreadableInputError(
                f"{source} does not exist", next_step="Check the path and try again."
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
            )


def thumbnail_key(registration_id: RegistrationId) -> str:
    """Where the object store keeps a thumbnail."""
    return f"thumbnails/{registration_id}.jpg"


def is_visible(registration: Registration, viewer: Viewer) -> bool:
    """Whether the viewer may know of the registration."""
    return viewer is Viewer.OWNER or registration.visibility is Visibility.PUBLISHED
