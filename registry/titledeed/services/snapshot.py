"""Snapshots: signed, dated files of published registrations, searched offline elsewhere.

A snapshot is UTF-8 text, one canonical JSON object a line: a header, one evidence bundle a line,
and a trailer with the exporter's signature over the SHA-256 of all bytes before it. Importing
checks that signature and every bundle's own evidence; it trusts the exporter for completeness
only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from titledeed.anchoring.completion import BundleCompletion
from titledeed.canonical.bundles import parse_bundle
from titledeed.canonical.documents import Fields, Json, encode_document, hex_word, parse_document
from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import parse_address
from titledeed.durability import replacing
from titledeed.errors import (
    MalformedDocumentError,
    ProofError,
    UnreadableInputError,
)
from titledeed.models.evidence import Bundle, ChainIdentity
from titledeed.models.primitives import Address, Keccak256, RegistrationId, Signature
from titledeed.models.principal import Principal, Scope
from titledeed.models.registration import Coverage, Registration
from titledeed.ports import (
    Clock,
    FingerprintIndex,
    KeyStore,
    Progress,
    RegistrationRepository,
    SnapshotRepository,
    no_progress,
)
from titledeed.proofs.bundles import BUNDLE_LENGTH_MAX
from titledeed.proofs.signatures import recover_signer
from titledeed.services.access import require_claimant
from titledeed.services.evidence import require_bundle
from titledeed.vault.imports import REGISTRATIONS_MAX, KeptImport
from titledeed.vault.listing import list_bundle
from titledeed.vault.vault import Vault

SNAPSHOT_SCHEMA: Final = "titledeed.snapshot/1"
SIGNATURE_PREFIX: Final = b"titledeed.snapshot.v1"


class SnapshotService:
    """Exports and imports snapshots."""

    def __init__(
        self,
        *,
        keys: KeyStore,
        registrations: RegistrationRepository,
        snapshots: SnapshotRepository,
        vault: Vault,
        completion: BundleCompletion,
        chain: ChainIdentity,
        index: FingerprintIndex,
        clock: Clock,
    ) -> None:
        self._keys = keys
        self._registrations = registrations
        self._snapshots = snapshots
        self._vault = vault
        self._completion = completion
        self._chain = chain
        self._index = index
        self._clock = clock

    def export(
        self, destination: Path, principal: Principal, progress: Progress = no_progress
    ) -> Coverage:
        """Write all own published and anchored registrations; the file appears whole or not.

        Raises:
            NotAuthorizedError: the principal has no account whose key could sign it.
            StorageError: the file cannot be written.
        """
        exporter = require_claimant(principal, Scope.REGISTER)
        self._completion.complete(progress)
        published = self._registrations.list_published()
        with replacing(destination) as file:
            return self._write(file, published, exporter, progress)

    def import_(self, source: Path, progress: Progress = no_progress) -> tuple[Coverage, int]:
        """Check a whole snapshot, then add what is new.

        Returns:
            What it covers, and how many registrations were new here.

        Raises:
            UnreadableInputError: the file cannot be read.
            MalformedDocumentError: it is no snapshot.
            VerificationError: a signature or a bundle does not hold; nothing was added.
        """
        try:
            with source.open("rb") as file:
                # Checked once whole and then read again: nothing of a bad file is ever added.
                coverage = read_coverage(file)
                file.seek(0)
                added = 0
                accepted: list[tuple[RegistrationId, int]] = []
                for position, bundle in enumerate(_iter_bundles(file), 1):
                    added += self._add(bundle, coverage)
                    accepted += self._list_accepted(bundle, coverage)
                    progress(source.name, position / coverage.registrations)
        except OSError as error:
            raise UnreadableInputError(
                f"{source} cannot be read: {error.strerror}",
                next_step="Check the path.",
                path=source,
            ) from error
        self._vault.imports.keep(KeptImport(coverage, tuple(accepted)))
        self._snapshots.add(coverage)
        self._index.keep()
        return coverage, added

    def list_imported(self) -> list[Coverage]:
        """All imports, oldest export first."""
        return self._snapshots.list_all()

    def _write(
        self,
        file: BinaryIO,
        published: list[Registration],
        exporter: Address,
        progress: Progress,
    ) -> Coverage:
        exported_at = self._clock()
        hasher = hashlib.sha256()
        header: dict[str, Json] = {
            "schema": SNAPSHOT_SCHEMA,
            "exported_at": exported_at,
            "exporter": exporter,
            "registrations": len(published),
            "chain_id": self._chain.chain_id,
        }
        _write_line(file, hasher, encode_document(header))
        for position, registration in enumerate(published, 1):
            _write_line(file, hasher, self._vault.bundles.read_bytes(registration.registration_id))
            progress("Exporting", position / len(published))
        signature = self._keys.sign_digest(_signed_digest(hasher.digest()), exporter)
        file.write(encode_document({"signature": hex_word(signature)}) + b"\n")
        return _parse_header(Fields(header, path="the snapshot"), hasher.hexdigest())

    def _add(self, bundle: Bundle, coverage: Coverage) -> bool:
        require_bundle(bundle)  # again: the file may have changed since it was checked whole
        registration = list_bundle(bundle, coverage.snapshot_id, accepted_at=self._clock())
        if self._registrations.find(registration.registration_id) is not None:
            return False
        self._vault.bundles.keep(bundle)
        return self._registrations.add_imported(registration, bundle.dossier.fingerprints)

    def _list_accepted(
        self, bundle: Bundle, coverage: Coverage
    ) -> Iterator[tuple[RegistrationId, int]]:
        """The registration, if it is this snapshot that brought it, now or in an earlier run."""
        found = self._registrations.find(bundle.dossier.registration_id)
        if found is not None and found.snapshot_id == coverage.snapshot_id:
            yield found.registration_id, found.accepted_at


def read_coverage(file: BinaryIO) -> Coverage:
    """Check a whole snapshot from its start: form, every bundle, the exporter's signature.

    Raises:
        MalformedDocumentError: it is no snapshot.
        VerificationError: a signature or a bundle does not hold.
    """
    hasher = hashlib.sha256()
    header = _read_line(file)
    hasher.update(header)
    fields = parse_document(header, what="the snapshot's header")
    expected = fields.integer("registrations", maximum=REGISTRATIONS_MAX)
    for _ in range(expected):
        line = _read_line(file)
        hasher.update(line)
        require_bundle(parse_bundle(parse_document(line, what="a bundle of the snapshot")))
    trailer = parse_document(_read_line(file), what="the snapshot's trailer")
    signature = Signature(trailer.hexadecimal("signature", length_max=65))
    trailer.done()
    if file.read(1):
        raise MalformedDocumentError(
            "something follows the snapshot's signature",
            next_step="Ask the exporter for the file again.",
        )
    coverage = _parse_header(parse_document(header, what="the snapshot"), hasher.hexdigest())
    if recover_signer(_signed_digest(hasher.digest()), signature) != coverage.exporter:
        raise ProofError(
            "the snapshot was changed after it was signed",
            next_step="Ask the exporter for the file again.",
        )
    return coverage


def _iter_bundles(file: BinaryIO) -> Iterator[Bundle]:
    header = parse_document(_read_line(file), what="the snapshot's header")
    for _ in range(header.integer("registrations", maximum=REGISTRATIONS_MAX)):
        yield parse_bundle(parse_document(_read_line(file), what="a bundle of the snapshot"))


def _parse_header(fields: Fields, digest: str) -> Coverage:
    fields.literal("schema", SNAPSHOT_SCHEMA)
    coverage = Coverage(
        snapshot_id=digest,
        exported_at=fields.timestamp("exported_at"),
        exporter=parse_address(fields.text("exporter")),
        registrations=fields.integer("registrations", maximum=REGISTRATIONS_MAX),
        chain_id=fields.integer("chain_id", minimum=1),
    )
    fields.done()
    return coverage


def _signed_digest(content: bytes) -> Keccak256:
    # The prefix keeps this signature from ever being a Claim's or a transaction's.
    return keccak256(SIGNATURE_PREFIX, content)


def _read_line(file: BinaryIO) -> bytes:
    line = file.readline(BUNDLE_LENGTH_MAX)
    if not line.endswith(b"\n"):
        raise MalformedDocumentError(
            "the snapshot ends too early or holds an overlong line",
            next_step="Copy the file again: it is probably cut.",
        )
    return line


def _write_line(file: BinaryIO, hasher: hashlib._Hash, line: bytes) -> None:
    file.write(line + b"\n")
    hasher.update(line + b"\n")
