"""Content Credentials of a make-believe format, behind ``ports.ManifestSigner`` and ``…Reader``.

A manifest store is appended to the file, whatever that is, and binds all bytes before it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, cast

from titledeed.canonical.claims import encode_signed_claim, parse_signed_claim
from titledeed.canonical.documents import Fields, Json, encode_document, parse_document
from titledeed.canonical.hashing import sha256
from titledeed.credentials.interpretation import report_without_store
from titledeed.durability import replacing
from titledeed.errors import MalformedDocumentError, SigningError, UnreadableInputError
from titledeed.models.asset import MediaType
from titledeed.models.disclosure import source_type_uri
from titledeed.models.evidence import (
    READER_STOPPED,
    Credential,
    HistoryCode,
    IntegrityCode,
    ManifestReport,
    TrustCode,
)
from titledeed.ports import ManifestDraft, SignedCopy

STUDIO: Final = "Test Studio"
"""Signs everything, and is trusted, unless a test says otherwise."""

_START: Final = b"\nsimulated manifest store\n"
_END: Final = b"\nend of store\n"


class SignerSimulator:
    """See ``ports.ManifestSigner``.

    Args:
        name: of the signing certificate.

    Attributes:
        signed: the sources that were signed, in order.
        failures: what the next calls raise, each once its copy is half written.
        meanwhile: called with the source once a copy is written, for what others do in that time.
    """

    def __init__(self, name: str = STUDIO) -> None:
        self._name = name
        self.signed: list[Path] = []
        self.failures: list[Exception] = []
        self.meanwhile: Callable[[Path], object] = lambda _source: None

    def sign(self, source: Path, destination: Path, draft: ManifestDraft) -> SignedCopy:
        if not draft.media_type.carries_credentials:
            raise SigningError(f"{draft.media_type.value} carries no credentials", path=source)
        if destination.exists() and destination.samefile(source):
            raise SigningError(f"{destination} is the source itself", path=destination)
        body = _read_bytes(source)
        manifest_id = f"urn:c2pa:{sha256(body + self._name.encode()).hex()[:32]}"
        said: dict[str, Json] = {
            "manifest_id": manifest_id,
            "content_manifest_id": manifest_id,
            "signer": self._name,
            "title": draft.title,
            "source_types": [source_type_uri(draft.disclosure.source_type)],
            "claim": encode_signed_claim(draft.signed_claim),
        }
        store = _encode_store(body, said)
        signed = body + _START + store + _END
        with replacing(destination) as copy:
            copy.write(signed[: len(signed) // 2])
            if self.failures:
                raise self.failures.pop(0)
            copy.write(signed[len(signed) // 2 :])
        self.signed.append(source)
        self.meanwhile(source)
        return SignedCopy(Credential(sha256(signed), manifest_id, sha256(store)), store)


class ReaderSimulator:
    """See ``ports.ManifestReader``.

    Attributes:
        trusted: the signers on its trust list.
        read_files: the files that were read, in order.
        is_stopped: whether files stop it, as some do stop a library that reads them.
    """

    def __init__(self) -> None:
        self.trusted: Collection[str] = (STUDIO,)
        self.read_files: list[Path] = []
        self.is_stopped = False

    def read(self, path: Path, media_type: MediaType) -> ManifestReport:
        data = _read_bytes(path)
        self.read_files.append(path)
        if self.is_stopped:
            return report_without_store(IntegrityCode.UNREADABLE, READER_STOPPED)
        body, start, store = data.rpartition(_START)
        if not start:
            return report_without_store(IntegrityCode.NO_CREDENTIALS)
        return self._report(store.removesuffix(_END), sha256(body).hex())

    def read_kept(self, manifest_store: bytes) -> ManifestReport:
        return self._report(manifest_store, None)

    def _report(self, store: bytes, bound: str | None) -> ManifestReport:
        try:
            fields = parse_document(store, what="the simulated store")
            report = self._interpret(fields)
            is_bound = fields.text("bound_to") == bound
            fields.done()
        except MalformedDocumentError:
            return report_without_store(IntegrityCode.UNREADABLE, "claim.malformed")
        if bound is None or is_bound:
            return report
        mismatch = ("assertion.dataHash.mismatch",)
        return replace(report, integrity=IntegrityCode.ALTERED, failures=mismatch)

    def _interpret(self, fields: Fields) -> ManifestReport:
        signer = fields.text("signer")
        return replace(
            report_without_store(IntegrityCode.INTACT),
            trust=TrustCode.TRUSTED if signer in self.trusted else TrustCode.UNTRUSTED,
            history=HistoryCode.COMPLETE,
            signer=signer,
            manifest_id=fields.text("manifest_id"),
            content_manifest_id=fields.text("content_manifest_id"),
            title=fields.text("title"),
            source_types=fields.texts("source_types"),
            actions_complete=True,
            ai_disclosure=True,
            signed_claim=fields.optional(
                "claim", lambda name: parse_signed_claim(fields.child(name))
            ),
        )


def add_update_manifest(path: Path, *, signer: str = STUDIO, **changes: Json) -> None:
    """Append a manifest that leads to the last one, as a receipt does.

    Args:
        path: a signed file.
        signer: of the update.
        changes: of what else the store says, as a forger would have it.
    """
    data = path.read_bytes()
    last = data.rpartition(_START)[2].removesuffix(_END)
    said = cast("dict[str, Json]", parse_document(last, what="the last store").rest())
    said |= {"manifest_id": f"urn:c2pa:{sha256(data).hex()[:32]}", "signer": signer, **changes}
    append_store(path, _encode_store(data, said))


def append_store(path: Path, store: bytes) -> None:
    """Append whatever bytes in the place of a manifest store."""
    path.write_bytes(path.read_bytes() + _START + store + _END)


def strip_manifests(path: Path) -> None:
    """Take every manifest off, as platforms do."""
    path.write_bytes(path.read_bytes().partition(_START)[0])


def _encode_store(body: bytes, said: Mapping[str, Json]) -> bytes:
    return encode_document({**said, "bound_to": sha256(body).hex()})


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableInputError(f"{path} cannot be read", path=path) from error
