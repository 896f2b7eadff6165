"""Signs manifests into new files. Never in place: the library would truncate its own source."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, ParamSpec, TypeVar

from titledeed.canonical.hashing import sha256
from titledeed.credentials.authority import SigningIdentity
from titledeed.credentials.library import (
    LARGE_FILE_BYTES,
    NO_MANIFEST,
    NOT_SUPPORTED,
    REMOTE_ONLY,
    build_settings,
    error_kind,
)
from titledeed.credentials.manifest import build_definition, build_parent
from titledeed.durability import replacing
from titledeed.errors import SigningError, TitledeedError, UnreadableInputError
from titledeed.models.evidence import Credential, IntegrityCode
from titledeed.models.primitives import Sha256
from titledeed.ports import ManifestDraft, SignedCopy

if TYPE_CHECKING:
    import c2pa

P = ParamSpec("P")
T = TypeVar("T")

_CHUNK_BYTES: Final = 1024 * 1024


class C2paSigner:
    """Adapter of ``ports.ManifestSigner``.

    Args:
        identity: opens the signing key; asked once per file.
        trust_anchors: PEM, for what is recorded of a source's own credentials.
        generator_version: of Titledeed, named in the manifest.
        large_file_bytes: above this memory is kept flat, at the price of speed.
    """

    def __init__(
        self,
        *,
        identity: Callable[[], SigningIdentity],
        trust_anchors: Callable[[], str],
        generator_version: str,
        large_file_bytes: int = LARGE_FILE_BYTES,
    ) -> None:
        self._identity = identity
        self._trust_anchors = trust_anchors
        self._generator_version = generator_version
        self._large_file_bytes = large_file_bytes

    def sign(self, source: Path, destination: Path, draft: ManifestDraft) -> SignedCopy:
        """Write a signed copy.

        A source that carries credentials keeps them: its manifest becomes the parent ingredient,
        and the first action is ``c2pa.opened`` instead of ``c2pa.created``.

        Raises:
            SigningError: the library refused, the media type carries no manifest, the source's own
                credentials cannot be read, or both paths name the same file.
            UnreadableInputError: the source cannot be read.
            StorageError: the disk is full or read-only.
            PassphraseError: the signing key cannot be opened.
        """
        if not draft.media_type.carries_credentials:
            raise SigningError(
                f"{draft.media_type.value} files carry no Content Credentials", path=source
            )
        with _open_source(source) as original:
            _refuse_same_file(original, destination)
            with replacing(destination) as copy:
                return self._write(original, copy, draft)

    def _write(self, original: BinaryIO, copy: BinaryIO, draft: ManifestDraft) -> SignedCopy:
        import c2pa

        identity = self._identity()
        anchors = self._trust_anchors()
        reading, signing, writing = _Watch(), _Watch(), _Watch()
        sign = signing.function(identity.sign)
        settings = build_settings(
            anchors, size_bytes=_size(original), large_file_bytes=self._large_file_bytes
        )
        try:
            with (
                c2pa.Context.from_dict(settings) as context,
                c2pa.Signer.from_callback(
                    sign, c2pa.C2paSigningAlg.ES256, identity.chain_pem
                ) as signer,
            ):
                store = self._embed(
                    reading.file(original), writing.file(copy), draft, signer, context
                )
            copy.flush()
        except c2pa.C2paError as error:
            raise _explain(error, reading, signing, writing) from error
        return SignedCopy(_read_back(copy, store, draft, anchors), store)

    def _embed(
        self,
        original: _WatchedFile,
        copy: _WatchedFile,
        draft: ManifestDraft,
        signer: c2pa.Signer,
        context: c2pa.Context,
    ) -> bytes:
        import c2pa

        media_type = draft.media_type.value
        has_parent = _has_credentials(original, media_type, context)
        definition = build_definition(
            draft, generator_version=self._generator_version, has_parent=has_parent
        )
        with c2pa.Builder(definition, context) as builder:
            if has_parent:
                original.seek(0)
                builder.add_ingredient(build_parent(draft), media_type, original)
            original.seek(0)
            return bytes(builder.sign(signer, media_type, original, copy))


class _Watch:
    """Keeps the exception that the library would swallow on its way through native code."""

    def __init__(self) -> None:
        self.cause: Exception | None = None

    def function(self, call: Callable[P, T]) -> Callable[P, T]:
        """The same function, watched."""

        def watched(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return call(*args, **kwargs)
            except Exception as error:
                self.cause = self.cause or error
                raise

        return watched

    def file(self, file: BinaryIO) -> _WatchedFile:
        """The same file, watched."""
        return _WatchedFile(file, self)


class _WatchedFile:
    """The part of a file that the library uses."""

    def __init__(self, file: BinaryIO, watch: _Watch) -> None:
        self.read = watch.function(file.read)
        self.write = watch.function(file.write)
        self.seek = watch.function(file.seek)
        self.tell = watch.function(file.tell)
        self.flush = watch.function(file.flush)


def _open_source(source: Path) -> BinaryIO:
    try:
        return source.open("rb")
    except OSError as error:
        raise UnreadableInputError(
            f"{source} cannot be read: {error.strerror}", path=source
        ) from error


def _refuse_same_file(original: BinaryIO, destination: Path) -> None:
    try:
        is_same = os.path.samestat(os.fstat(original.fileno()), destination.stat())
    except OSError:
        return  # nothing there yet
    if is_same:
        raise SigningError(
            f"{destination} is the source itself",
            next_step="Name another file: Titledeed never changes a source.",
            path=destination,
        )


def _has_credentials(original: _WatchedFile, media_type: str, context: c2pa.Context) -> bool:
    import c2pa

    try:
        c2pa.Reader(media_type, original, None, context).close()
    except c2pa.C2paError as error:
        if error_kind(error) in {NO_MANIFEST, NOT_SUPPORTED}:
            return False  # signing refuses what it does not support
        if error_kind(error) == REMOTE_ONLY:
            return True
        raise SigningError(
            f"the file or its own Content Credentials cannot be read: {error}"[:500],
            next_step="Check that it opens; credentials that are damaged must be removed first.",
        ) from error
    return True


def _explain(error: Exception, reading: _Watch, signing: _Watch, writing: _Watch) -> Exception:
    """What really went wrong; an ``OSError`` of writing becomes a ``StorageError`` outside."""
    if reading.cause:
        return UnreadableInputError(f"the source cannot be read to its end: {reading.cause}")
    if isinstance(signing.cause, TitledeedError):
        return signing.cause
    if writing.cause:
        return writing.cause
    if f"os error {errno.ENOSPC}" in str(error):
        # The library spools large files to the temporary folder and tells errors only as text.
        return OSError(errno.ENOSPC, "the temporary folder is full")
    return SigningError(
        f"Content Credentials could not be made: {signing.cause or error}"[:500],
        next_step="Check that the file plays and that the signing certificate has not expired.",
    )


def _read_back(copy: BinaryIO, store: bytes, draft: ManifestDraft, anchors: str) -> Credential:
    """Read what was signed, as anybody would, before it gets its name."""
    from titledeed.credentials.reading import read_store

    copy.seek(0)
    report = read_store(copy, draft.media_type.value, trust_anchors=anchors)
    if (
        report.integrity is not IntegrityCode.INTACT
        or report.signed_claim != draft.signed_claim
        or report.manifest_id is None
    ):
        raise SigningError(
            f"the signed copy does not read back: {report.integrity.value},"
            f" {', '.join(report.failures) or 'no failure named'}"[:500],
            next_step="Credentials that the file came with may be damaged: remove them first.",
        )
    return Credential(
        signed_digest=_digest(copy),
        manifest_id=report.manifest_id,
        manifest_digest=sha256(store),
    )


def _digest(file: BinaryIO) -> Sha256:
    file.seek(0)
    state = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        state.update(chunk)
    return Sha256(state.digest())


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
