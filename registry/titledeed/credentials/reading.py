"""Reads a manifest store with the C2PA library. Runs in a sandboxed child for foreign files."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import BinaryIO, Final

import c2pa

from titledeed.canonical.documents import Json
from titledeed.credentials.interpretation import interpret_store, report_without_store
from titledeed.credentials.library import (
    NO_MANIFEST,
    NOT_SUPPORTED,
    REMOTE_ONLY,
    build_settings,
    error_kind,
)
from titledeed.credentials.report_document import encode_report
from titledeed.models.asset import MediaType
from titledeed.models.evidence import IntegrityCode, ManifestReport

REMOTE_MANIFEST_NOT_FETCHED: Final = "remote_manifest_not_fetched"
MANIFEST_UNREADABLE: Final = "manifest_unreadable"


def read_manifest(
    file: BinaryIO, arguments: Mapping[str, Json], report: Callable[[float], None]
) -> dict[str, Json]:
    """The job of the child process; arguments and answer as ``C2paReader`` sends and takes them."""
    del report  # the library tells nothing on its way
    store = arguments["manifest_store"]
    return encode_report(
        read_store(
            file,
            MediaType(str(arguments["media_type"])),
            trust_anchors=str(arguments["trust_anchors"]),
            manifest_store=base64.b64decode(store) if isinstance(store, str) else None,
        )
    )


def read_store(
    file: BinaryIO,
    media_type: MediaType,
    *,
    trust_anchors: str,
    manifest_store: bytes | None = None,
) -> ManifestReport:
    """Read in this process: in the child, or a file that we have just signed ourselves.

    Args:
        file: its position does not matter.
        media_type: a hint only; the library trusts the bytes more.
        trust_anchors: PEM that was validated before.
        manifest_store: to be read instead of the embedded one.
    """
    context = c2pa.Context.from_dict(build_settings(trust_anchors))
    try:
        with context, c2pa.Reader(media_type.value, file, manifest_store, context) as reader:
            return interpret_store(json.loads(reader.json()), json.loads(reader.detailed_json()))
    except c2pa.C2paError as error:
        return _explain(error)
    except (ValueError, RecursionError):
        return report_without_store(IntegrityCode.UNREADABLE, MANIFEST_UNREADABLE)


def _explain(error: c2pa.C2paError) -> ManifestReport:
    kind = error_kind(error)
    if kind in {NO_MANIFEST, NOT_SUPPORTED}:
        return report_without_store(IntegrityCode.NO_CREDENTIALS)
    if kind == REMOTE_ONLY:
        return report_without_store(IntegrityCode.NO_CREDENTIALS, REMOTE_MANIFEST_NOT_FETCHED)
    return report_without_store(IntegrityCode.UNREADABLE, MANIFEST_UNREADABLE)
