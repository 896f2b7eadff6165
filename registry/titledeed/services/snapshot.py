"""Snapshots: signed, dated files of published registrations, searched offline elsewhere.

``canonical.evidence.snapshots`` describes the file. Importing checks the exporter's signature and
every line's own evidence; it trusts the exporter for completeness only.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from titledeed.anchoring.completion import BundleCompletion
from titledeed.canonical.documents import TERM_LENGTH_MAX, Fields, encode_document, parse_document
from titledeed.canonical.evidence.bundles import BUNDLE, parse_bundle
from titledeed.canonical.evidence.logs import LOG, parse_log
from titledeed.canonical.evidence.snapshots import (
    SnapshotHeader,
    encode_header,
    encode_trailer,
    hash_snapshot,
    parse_header,
    parse_trailer,
)
from titledeed.canonical.evidence.words import WORD, parse_word
from titledeed.durability import replacing
from titledeed.errors import MalformedDocumentError, ProofError, UnreadableInputError
from titledeed.models.bundle import Bundle
from titledeed.models.evidence import ChainIdentity
from titledeed.models.primitives import Address, RegistrationId
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
from titledeed.proofs.logs import check_log
from titledeed.proofs.signatures import recover_signer
from titledeed.proofs.stored_words import check_stored_word
from titledeed.services.access import require_claimant
from titledeed.services.evidence import require_bundle
from titledeed.vault.imports import KeptImport
from titledeed.vault.listing import list_bundle
from titledeed.vault.vault import Vault

KINDS_MAX: Final = 100
OTHER_KINDS: Final = "other kinds"


class Imported(NamedTuple):
    """What an import brought.

    Attributes:
        added: how many registrations were new here.
        unused: what else the exporter signed, and this release does not use: fields of the header,
            and how many lines of which schema.
    """

    coverage: Coverage
    added: int
    unused: tuple[str, ...]


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

    def import_(self, source: Path, progress: Progress = no_progress) -> Imported:
        """Check a whole snapshot, then add what is new.

        Raises:
            UnreadableInputError: the file cannot be read.
            MalformedDocumentError: it is no snapshot.
            VerificationError: a signature or a bundle does not hold; nothing was added.
        """
        try:
            with source.open("rb") as file:
                # Checked once whole and then read again: nothing of a bad file is ever added.
                coverage, unused = read_coverage(file)
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
        return Imported(coverage, added, unused)

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
        header = SnapshotHeader(
            exported_at=self._clock(),
            exporter=exporter,
            chain_id=self._chain.chain_id,
            lines=len(published),
            registrations=len(published),
        )
        hasher = hashlib.sha256()
        _write_line(file, hasher, encode_document(encode_header(header)))
        for position, registration in enumerate(published, 1):
            _write_line(file, hasher, self._vault.bundles.read_bytes(registration.registration_id))
            progress("Exporting", position / len(published))
        digest = hash_snapshot(hasher.digest(), header.version)
        signature = self._keys.sign_digest(digest, exporter)
        file.write(encode_document(encode_trailer(signature)) + b"\n")
        return _cover(header, hasher.hexdigest())

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


def read_coverage(file: BinaryIO) -> tuple[Coverage, tuple[str, ...]]:
    """Check a whole snapshot from its start: form, every line, the exporter's signature.

    Lines of a schema that this release does not know are signed all the same, and passed over.

    Returns:
        What it covers, and what of it this release does not use, as ``Imported.unused`` says.

    Raises:
        MalformedDocumentError: it is no snapshot.
        VerificationError: a signature or a line does not hold.
    """
    hasher = hashlib.sha256()
    header = _read_header(file, hasher)
    lines: Counter[str] = Counter()
    for _ in range(header.lines):
        line = _read_line(file)
        hasher.update(line)
        fields = parse_document(line, what="a line of the snapshot")
        kind = fields.schema_id[:TERM_LENGTH_MAX]
        lines[kind if kind in lines or len(lines) < KINDS_MAX else OTHER_KINDS] += 1
        _check_line(fields, header)
    bundles = [kind for kind in lines if kind.rpartition("/")[0] == BUNDLE]
    if sum(map(lines.pop, bundles)) != header.registrations:
        raise MalformedDocumentError(
            f"the snapshot does not hold the {header.registrations} registrations that it names",
            next_step="Ask the exporter for the file again.",
        )
    signature = parse_trailer(parse_document(_read_line(file), what="the snapshot's trailer"))
    if file.read(1):
        raise MalformedDocumentError(
            "something follows the snapshot's signature",
            next_step="Ask the exporter for the file again.",
        )
    if recover_signer(hash_snapshot(hasher.digest(), header.version), signature) != header.exporter:
        raise ProofError(
            "the snapshot was changed after it was signed",
            next_step="Ask the exporter for the file again.",
        )
    unused = [field.name for field in header.unread]
    if header.since is not None:
        unused.append(f"since {header.since}: it holds only what changed after that snapshot")
    unused += [f"{count} of {kind or 'no schema'}" for kind, count in sorted(lines.items())]
    return _cover(header, hasher.hexdigest()), tuple(unused)


def _check_line(fields: Fields, header: SnapshotHeader) -> None:
    """A line that this release reads must hold."""
    if fields.schema == BUNDLE:
        require_bundle(parse_bundle(fields))
    elif header.version == 1:
        raise fields.fail("schema", "is no evidence bundle's")
    elif fields.schema == LOG:
        check_log(parse_log(fields))
    elif fields.schema == WORD:
        check_stored_word(parse_word(fields))


def _iter_bundles(file: BinaryIO) -> Iterator[Bundle]:
    for _ in range(_read_header(file, hashlib.sha256()).lines):
        fields = parse_document(_read_line(file), what="a bundle of the snapshot")
        if fields.schema == BUNDLE:
            yield parse_bundle(fields)


def _read_header(file: BinaryIO, hasher: hashlib._Hash) -> SnapshotHeader:
    line = _read_line(file)
    hasher.update(line)
    return parse_header(parse_document(line, what="the snapshot's header"))


def _cover(header: SnapshotHeader, digest: str) -> Coverage:
    return Coverage(
        snapshot_id=digest,
        exported_at=header.exported_at,
        exporter=header.exporter,
        registrations=header.registrations,
        chain_id=header.chain_id,
    )


def _read_line(file: BinaryIO) -> bytes:
    line = file.readline(BUNDLE_LENGTH_MAX + 1)
    if not line.endswith(b"\n"):
        raise MalformedDocumentError(
            "the snapshot ends too early or holds an overlong line",
            next_step="Copy the file again: it is probably cut.",
        )
    return line


def _write_line(file: BinaryIO, hasher: hashlib._Hash, line: bytes) -> None:
    file.write(line + b"\n")
    hasher.update(line + b"\n")
