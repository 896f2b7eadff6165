"""Accepting works: claim, signed copy, dossier, and the commit that makes it count.

The order of steps is what makes a crash harmless: an intent before anything is signed, the signed
copy before the dossier, the dossier (durable) before the row and its outbox entry, and those two
in one transaction. From that commit on the registration is *accepted* and survives anything;
before it, the same call simply starts the file again. One file and ten thousand signed claims take
the same last two steps, ``Acceptance.accept_many``.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from titledeed.anchoring.batching import AnchoringService
from titledeed.canonical.claims import hash_domain, identify_claim
from titledeed.canonical.composition import compose_claim
from titledeed.canonical.disclosures import encode_disclosure, parse_disclosure
from titledeed.canonical.documents import Fields, Json, base64_text, encode_document, parse_document
from titledeed.canonical.identifiers import derive_registration_id
from titledeed.canonical.lineages import encode_lineage, parse_lineage
from titledeed.canonical.rights import TITLE_LENGTH_MAX, encode_rights, parse_rights
from titledeed.errors import (
    DependencyError,
    InvalidRequestError,
    InvariantViolation,
    MalformedDocumentError,
    NotAuthorizedError,
    StorageError,
    UnreadableInputError,
)
from titledeed.fingerprinting.algorithms import sample_rows
from titledeed.media.digests import digest_file
from titledeed.models.asset import MediaFacts
from titledeed.models.claim import SignedClaim, SigningDomain
from titledeed.models.disclosure import AssetDisclosure
from titledeed.models.evidence import Credential
from titledeed.models.examination import Examination
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.lineage import Lineage
from titledeed.models.primitives import Address, RegistrationId, Salt
from titledeed.models.record import Dossier, Record, Salts
from titledeed.models.registration import Registration, SigningIntent, Visibility
from titledeed.models.rights import RightsStatement
from titledeed.ports import (
    Clock,
    KeyStore,
    ManifestDraft,
    ManifestSigner,
    RegistrationRepository,
    SignedCopy,
    SoftBinding,
)
from titledeed.rights.statements import state_sole_rights
from titledeed.vault.dossiers import KeptDossier
from titledeed.vault.listing import list_dossier
from titledeed.vault.vault import Vault

SALT_LENGTH: Final = 32
NO_LINEAGE: Final = Lineage()


@dataclass(frozen=True, slots=True)
class Statement:
    """What the claimant says about a file.

    Attributes:
        title: None for the file's name.
        lineage: from which works it was made.
        output: folder for the signed copy; None for the home's own.
    """

    disclosure: AssetDisclosure
    title: str | None
    credits: tuple[str, ...]
    visibility: Visibility
    output: Path | None
    lineage: Lineage = NO_LINEAGE


@dataclass(frozen=True, slots=True)
class SignedWork:
    """A work whose Claim is signed: all that is accepted, but for the salts.

    Attributes:
        credential: of the signed copy; None for types that carry no manifest.
        manifest_store: embedded in the signed copy; empty without one.
        thumbnail: JPEG; empty for sound.
        signed_path: where this home put the signed copy; None when there is none.
    """

    claim: SignedClaim
    credential: Credential | None
    manifest_store: bytes
    facts: MediaFacts
    fingerprints: tuple[FingerprintCode, ...]
    disclosure: AssetDisclosure
    rights: RightsStatement
    lineage: Lineage
    thumbnail: bytes
    visibility: Visibility
    signed_path: str | None


def check_statement(statement: Statement, claimant: Address) -> None:
    """Refuse what no reader of the documents would accept, before anything is signed.

    Raises:
        InvalidRequestError: a text is too long, is half a character, or there are too many.
    """
    try:
        rights = state_sole_rights(statement.title or "untitled", claimant, statement.credits)
        parse_rights(_read_back(encode_rights(rights)))
        parse_disclosure(_read_back(encode_disclosure(statement.disclosure)))
        parse_lineage(_read_back(encode_lineage(statement.lineage)))
    except (MalformedDocumentError, ValueError) as error:
        raise InvalidRequestError(
            f"this cannot be stated: {error}", next_step="Shorten it, or leave it out."
        ) from error


def _read_back(document: Mapping[str, Json]) -> Fields:
    return parse_document(encode_document(document), what="the statement")


class Acceptance:
    """Turns examined files and signed claims into accepted registrations."""

    def __init__(
        self,
        *,
        keys: KeyStore,
        signer: ManifestSigner,
        registrations: RegistrationRepository,
        vault: Vault,
        anchoring: AnchoringService,
        domain: SigningDomain,
        recovery_key: Address,
        clock: Clock,
    ) -> None:
        self._keys = keys
        self._signer = signer
        self._registrations = registrations
        self._vault = vault
        self._anchoring = anchoring
        self._domain = domain
        self._recovery_key = recovery_key
        self._clock = clock

    def require_key(self, claimant: Address) -> None:
        """Refuse to claim for an account whose key lies elsewhere, before a file is looked at.

        Raises:
            NotAuthorizedError: the claimant's key is not kept here.
        """
        if not self._keys.holds(claimant):
            raise NotAuthorizedError(
                f"the key of {claimant} is not kept here",
                next_step="Register where it is kept.",
            )

    def accept(
        self, path: Path, examination: Examination, statement: Statement, claimant: Address
    ) -> tuple[Registration, bool]:
        """Sign, record and accept one file of a claimant, unless another process just did.

        Returns:
            The registration, and whether it is new.

        Raises:
            NotAuthorizedError: the claimant's key is not kept here.
            SigningError: no signed copy could be made.
            StorageError: the disk is full or damaged.
            UnreadableInputError: the file changed since it was examined.
            DependencyError: another process registers the same file and does not end.
        """
        registration_id = derive_registration_id(
            hash_domain(self._domain), claimant, examination.asset.content_digest
        )
        # Two processes with the same file would each write a dossier, with salts of its own.
        with self._registrations.hold(registration_id):
            known = self._find_own(registration_id)
            if known is not None:
                return known, False
            self._vault.signed_copies.clear(registration_id)
            return self._accept(registration_id, path, examination, statement, claimant), True

    def accept_many(self, works: Sequence[SignedWork]) -> list[Registration]:
        """Keep the dossiers of signed works, then accept all of them in one transaction.

        Args:
            works: of different ids, each held by the caller (``registrations.hold``) and found not
                to be accepted yet: a second dossier would have other salts than the leaf.

        Raises:
            DependencyError: too many registrations wait for an anchor; nothing was done.
            StorageError: the disk is full or damaged; none is accepted.
        """
        self._anchoring.require_room(len(works))
        accepted_at = self._clock()
        kept: list[tuple[KeptDossier, bytes]] = []
        entries: list[tuple[Registration, Sequence[FingerprintCode]]] = []
        for work in works:
            dossier = _open_dossier(work)
            one = KeptDossier(dossier, work.visibility, accepted_at, work.signed_path)
            kept.append((one, work.thumbnail))
            registration = list_dossier(
                dossier,
                visibility=work.visibility,
                accepted_at=accepted_at,
                signed_path=work.signed_path,
            )
            entries.append((registration, work.fingerprints))
        self._vault.keep_accepted(kept)
        accepted = self._registrations.accept_many(entries)
        if any(
            found.leaf != entry.leaf for found, (entry, _) in zip(accepted, entries, strict=True)
        ):
            raise InvariantViolation("a registration was accepted twice without being held")
        return accepted

    def _find_own(self, registration_id: RegistrationId) -> Registration | None:
        known = self._registrations.find(registration_id)
        return known if known is not None and known.is_own else None

    def _accept(
        self,
        registration_id: RegistrationId,
        path: Path,
        examination: Examination,
        statement: Statement,
        claimant: Address,
    ) -> Registration:
        # A file name need not be Unicode, a title must be.
        stem = path.stem.encode("utf-8", "replace").decode("utf-8")
        title = statement.title or stem[:TITLE_LENGTH_MAX]
        rights = state_sole_rights(title, claimant, statement.credits)
        claim = self._sign_claim(examination, statement, rights, claimant)
        location = self._choose_location(registration_id, path, examination, statement)
        self._registrations.save_intent(SigningIntent(registration_id, str(path), location))
        copy = None
        if location is not None:
            draft = ManifestDraft(
                title=rights.title,
                media_type=examination.media_type,
                signed_claim=claim,
                disclosure=statement.disclosure,
                soft_bindings=bind_softly(examination.fingerprints),
            )
            copy = self._sign_copy(path, location, draft)
        work = SignedWork(
            claim=claim,
            credential=copy.credential if copy else None,
            manifest_store=copy.manifest_store if copy else b"",
            facts=examination.asset.facts,
            fingerprints=examination.fingerprints,
            disclosure=statement.disclosure,
            rights=rights,
            lineage=statement.lineage,
            thumbnail=examination.thumbnail,
            visibility=statement.visibility,
            signed_path=location,
        )
        try:
            (registration,) = self.accept_many((work,))
        except (StorageError, DependencyError):
            if location is not None and self._find_own(registration_id) is None:
                self._vault.signed_copies.delete(location)
            raise
        return registration

    def _sign_claim(
        self,
        examination: Examination,
        statement: Statement,
        rights: RightsStatement,
        claimant: Address,
    ) -> SignedClaim:
        claim = compose_claim(
            claimant,
            examination.asset.content_digest,
            fingerprints=examination.fingerprints,
            disclosure=statement.disclosure,
            rights=rights,
            lineage=statement.lineage,
            recovery_key=self._recovery_key,
            claimed_at=self._clock(),
        )
        return self._keys.sign_claim(claim, self._domain)

    def _sign_copy(self, path: Path, location: str, draft: ManifestDraft) -> SignedCopy:
        with self._vault.signed_copies.writing(location) as destination:
            copy = self._signer.sign(path, destination, draft)
            if digest_file(path) != draft.signed_claim.claim.content_digest:
                raise UnreadableInputError(
                    f"{path} changed while it was registered",
                    next_step="Register it again once nothing writes to it.",
                    path=path,
                )
        return copy

    def _choose_location(
        self,
        registration_id: RegistrationId,
        path: Path,
        examination: Examination,
        statement: Statement,
    ) -> str | None:
        if not examination.media_type.carries_credentials:
            return None
        name = f"{path.stem}.{examination.media_type.extension}"
        return self._vault.signed_copies.locate(registration_id, name, statement.output)


def _open_dossier(work: SignedWork) -> Dossier:
    """A dossier with salts of its own."""
    return Dossier(
        registration_id=identify_claim(work.claim.claim, work.claim.domain),
        record=Record(work.claim, work.credential, work.facts),
        salts=_draw_salts(),
        fingerprints=work.fingerprints,
        disclosure=work.disclosure,
        rights=work.rights,
        lineage=work.lineage,
        manifest_store=work.manifest_store,
    )


def bind_softly(codes: Iterable[FingerprintCode]) -> tuple[SoftBinding, ...]:
    """Codes of frames as C2PA soft bindings; a film's are thinned, since a manifest has limits."""
    return tuple(
        SoftBinding(
            algorithm=f"org.titledeed.{code.algorithm.removeprefix('titledeed.')}.{code.version}",
            value=base64_text(rows),
        )
        for code in codes
        if (rows := sample_rows(code)) is not None
    )


def _draw_salts() -> Salts:
    return Salts(
        content=Salt(secrets.token_bytes(SALT_LENGTH)),
        record=Salt(secrets.token_bytes(SALT_LENGTH)),
    )
