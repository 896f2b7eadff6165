"""One look at a file: decoding and fingerprinting in one sandboxed pass.

Only digests, codes, the thumbnail and facts leave the child process, never frames.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from titledeed.canonical.attachments import encode_fingerprint, parse_fingerprint
from titledeed.canonical.documents import Fields, Json, base64_text
from titledeed.canonical.records import encode_facts, parse_facts
from titledeed.errors import UnreadableInputError
from titledeed.fingerprinting.algorithms import Extractors
from titledeed.media.decoding import MediaLimits, decode
from titledeed.media.sniffing import HEAD_BYTES, sniff
from titledeed.models.asset import Asset, MediaKind, MediaType
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.match import Query
from titledeed.models.primitives import Sha256
from titledeed.ports import Progress, no_progress
from titledeed.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Examination:
    """What one look at a file found.

    Attributes:
        fingerprints: to be stored; empty where the media carry no evidence (one colour, black).
        thumbnail: JPEG; empty for sound.
        notes: why an algorithm found no evidence, one line each.
    """

    asset: Asset
    fingerprints: tuple[FingerprintCode, ...]
    thumbnail: bytes
    notes: tuple[str, ...]

    @property
    def media_type(self) -> MediaType:
        """The type that the bytes show."""
        return self.asset.facts.media_type

    @property
    def query(self) -> Query:
        """What a search needs to know of the file."""
        is_still = self.media_type.kind is MediaKind.IMAGE
        return Query(self.fingerprints, 0.0 if is_still else self.asset.facts.duration_ms / 1000)


def digest_file(path: Path) -> Sha256:
    """SHA-256 of a file, read in blocks.

    Raises:
        UnreadableInputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return Sha256(hashlib.file_digest(file, "sha256").digest())
    except (OSError, ValueError) as error:
        problem = error.strerror if isinstance(error, OSError) else error
        raise UnreadableInputError(
            f"{str(path)!r} cannot be read: {problem}",
            next_step="Check that the file exists and that you may read it.",
        ) from error


class Intake:
    """Examines files in child processes."""

    def __init__(self, *, sandbox: Sandbox, limits: MediaLimits) -> None:
        self._sandbox = sandbox
        self._limits = limits

    def examine(self, path: Path, progress: Progress = no_progress) -> Examination:
        """Decode and fingerprint one file.

        Raises:
            InputError: the file is unreadable, unsupported, malformed or too large.
        """
        found = self._sandbox.run(
            "titledeed.services.intake:examine_job",
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
