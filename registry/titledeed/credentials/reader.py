"""Reads manifest stores of untrusted files in a child process without network."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from titledeed.canonical.documents import Json
from titledeed.credentials.interpretation import report_without_store
from titledeed.credentials.report_document import parse_report
from titledeed.errors import MalformedMediaError, MediaTooLargeError, StorageError
from titledeed.models.asset import MediaType
from titledeed.models.evidence import READER_STOPPED, IntegrityCode, ManifestReport
from titledeed.sandbox import Sandbox

_JOB: Final = "titledeed.credentials.reading:read_manifest"
_STORE_TYPE: Final = "application/c2pa"


class C2paReader:
    """Adapter of ``ports.ManifestReader``.

    Args:
        sandbox: runs the library.
        trust_anchors: PEM of the roots that count, asked at each read.
    """

    def __init__(self, *, sandbox: Sandbox, trust_anchors: Callable[[], str]) -> None:
        self._sandbox = sandbox
        self._trust_anchors = trust_anchors

    def read(self, path: Path, media_type: MediaType) -> ManifestReport:
        """Read the manifest store embedded in the file.

        Raises:
            UnreadableInputError: the file cannot be opened.
            ConfigurationError: a trust list is damaged.
        """
        return self._run(path, media_type.value)

    def read_kept(self, manifest_store: bytes) -> ManifestReport:
        """Read a manifest store that was kept apart from its file.

        Raises:
            ConfigurationError: a trust list is damaged.
            StorageError: the temporary folder is full.
        """
        try:
            with tempfile.NamedTemporaryFile(prefix="titledeed-") as file:
                file.write(manifest_store)
                file.flush()
                return self._run(Path(file.name), _STORE_TYPE)
        except OSError as error:
            raise StorageError(
                f"the temporary folder cannot be written: {error.strerror}",
                next_step="Free some space, or set TMPDIR to another folder.",
            ) from error

    def _run(self, path: Path, media_type: str) -> ManifestReport:
        arguments: dict[str, Json] = {
            "media_type": media_type,
            "trust_anchors": self._trust_anchors(),
        }
        try:
            return parse_report(self._sandbox.run(_JOB, path, arguments, label="credentials"))
        except (MediaTooLargeError, MalformedMediaError):
            # A file that stops the reader must not keep its other evidence from being seen.
            return report_without_store(IntegrityCode.UNREADABLE, READER_STOPPED)
