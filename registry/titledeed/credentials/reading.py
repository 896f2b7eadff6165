"""Reads a manifest store with the C2PA library. Runs in a sandboxed child for foreign files."""

from __future__ import annotations

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
from titledeed.models.evidence import IntegrityCode, ManifestReport

REMOTE_MANIFEST_NOT_FETCHED: Final = "remote_manifest_not_fetched"
MANIFEST_UNREADABLE: Final = "manifest_unreadable"
STORE_TYPE: Final = "application/c2pa"


def read_manifest(
    file: BinaryIO, arguments: Mapping[str, Json], report: Callable[[float], None]
) -> dict[str, Json]:
    """The job of the child process; arguments and answer as ``C2paReader`` sends and takes them."""
    del report  # the library tells nothing on its way
    return encode_report(
        read_store(
            file, str(arguments["media_type"]), trust_anchors=str(arguments["trust_anchors"])
        )
    )


def read_store(file: BinaryIO, media_type: str, *, trust_anchors: str) -> ManifestReport:
    """Read in this process: in the child, or a file that we have just signed ourselves.

    Args:
        file: its position does not matter.
        media_type: a hint only, the library trusts the bytes more; or ``STORE_TYPE`` for a
            manifest store that lies alone in the file.
        trust_anchors: PEM that was validated before.
    """
    context = c2pa.Context.from_dict(build_settings(trust_anchors))
    try:
        with context, c2pa.Reader(media_type, file, None, context) as reader:
            return interpret_store(
                json.loads(reader.json()),
                json.loads(reader.detailed_json()),
                is_detached=media_type == STORE_TYPE,
            )
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
