"""One look at a file: decoding and fingerprinting in one sandboxed pass.

Only digests, codes, the thumbnail and facts leave the child process, never frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from titledeed.canonical.documents import Fields, Json, base64_text
from titledeed.canonical.evidence.records import encode_facts, parse_facts
from titledeed.canonical.fingerprints import encode_fingerprint, parse_fingerprint
from titledeed.errors import UnreadableInputError
from titledeed.fingerprinting.algorithms import Extractors
from titledeed.media.decoding import MediaLimits, decode
from titledeed.media.sniffing import HEAD_BYTES, sniff
from titledeed.models.asset import Asset
from titledeed.models.examination import Examination
from titledeed.ports import Progress, no_progress
from titledeed.sandbox import Sandbox


class SandboxedExaminer:
    """Adapter of ``ports.Examiner``: each file in a child process of its own."""

    def __init__(self, *, sandbox: Sandbox, limits: MediaLimits) -> None:
        self._sandbox = sandbox
        self._limits = limits

    def examine(self, path: Path, progress: Progress = no_progress) -> Examination:
        """See the port."""
        found = self._sandbox.run(
            "titledeed.examining:examine_job",
            path,
            asdict(self._limits),
            label=path.name,
            progress=progress,
        )
        return _parse_examination(found)


def examine_job(
    file: BinaryIO, arguments: Mapping[str, Json], report: Callable[[float], None]
) -> dict[str, Json]:
    """The part that runs in the child."""
    try:
        return _examine(file, Fields(arguments, path="limits"), report)
    except OSError as error:
        raise UnreadableInputError(
            f"it cannot be read to its end: {error.strerror or error}",
            next_step="Check the disk or the share that it lies on, or copy the file first.",
        ) from error


def _examine(file: BinaryIO, limits: Fields, report: Callable[[float], None]) -> dict[str, Json]:
    kind = sniff(file.read(HEAD_BYTES)).kind
    file.seek(0)
    extractors = Extractors(kind)
    media = decode(
        file,
        limits=MediaLimits(
            size_bytes_max=limits.integer("size_bytes_max"),
            pixels_max=limits.integer("pixels_max"),
            duration_s_max=limits.integer("duration_s_max"),
        ),
        frame_sinks=extractors.frame_sinks,
        sample_sinks=extractors.sample_sinks,
        report=report,
    )
    extractions = extractors.finish(has_sound=bool(media.asset.facts.audio_codec))
    return {
        "content_sha256": media.asset.content_digest.hex(),
        "media": encode_facts(media.asset.facts),
        "fingerprints": [encode_fingerprint(e.code) for e in extractions if e.code],
        "thumbnail": base64_text(media.thumbnail),
        "notes": list(dict.fromkeys(e.note for e in extractions if e.note)),
    }


def _parse_examination(found: Fields) -> Examination:
    return Examination(
        asset=Asset(found.sha256("content_sha256"), parse_facts(found.child("media"))),
        fingerprints=tuple(parse_fingerprint(i) for i in found.children("fingerprints")),
        thumbnail=found.blob("thumbnail"),
        notes=found.texts("notes"),
    )
