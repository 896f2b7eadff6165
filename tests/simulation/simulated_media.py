"""Media files of a make-believe format, and the ``ports.Examiner`` that reads them.

A file says in its first line what it decodes to, so that no decoder is needed. What follows are the
bytes of one encoding: another encoding of the same content has other bytes and the same codes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from builders import build_fingerprints, seeded_bytes

from titledeed.canonical.documents import encode_document, parse_document
from titledeed.canonical.hashing import sha256
from titledeed.errors import (
    MalformedMediaError,
    UnreadableInputError,
    UnsupportedMediaTypeError,
)
from titledeed.models.asset import Asset, MediaFacts, MediaKind, MediaType
from titledeed.models.examination import Examination
from titledeed.models.fingerprint import FingerprintCode
from titledeed.ports import Progress, no_progress

DURATION_MS: Final = 4_000
"""Of everything that lasts."""

_START: Final = b"simulated "
_END: Final = b"\nend of media\n"

Fingerprint = Callable[[int, MediaKind], tuple[FingerprintCode, ...]]
"""What algorithms make of the content with a seed."""


def write_media(
    path: Path,
    seed: int,
    media_type: MediaType = MediaType.PNG,
    *,
    encoding: int = 0,
    notes: tuple[str, ...] = (),
) -> Path:
    """A file whose content is that of a seed; its folder is made.

    Args:
        path: of the file; its name says nothing.
        seed: of the content, and so of the fingerprints.
        media_type: what the bytes show.
        encoding: another one gives other bytes of the same content.
        notes: why algorithms find no evidence in it.
    """
    head = encode_document({"media_type": media_type.value, "seed": seed, "notes": list(notes)})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_START + head + b"\n" + seeded_bytes("encoding", encoding, 64) + _END)
    return path


class ExaminerSimulator:
    """See ``ports.Examiner``.

    Attributes:
        fingerprint: which codes the content with a seed has.
        examined: the files that were looked at, in order.
        meanwhile: called after each look, for what others do to the file in that time.
    """

    def __init__(self) -> None:
        self.fingerprint: Fingerprint = lambda seed, _kind: build_fingerprints(seed)
        self.examined: list[Path] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def examine(self, path: Path, progress: Progress = no_progress) -> Examination:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UnreadableInputError(f"{path} cannot be read", path=path) from error
        self.examined.append(path)
        if not data:
            raise MalformedMediaError("the file is empty", path=path)
        if not data.startswith(_START):
            raise UnsupportedMediaTypeError("no media type that is read", path=path)
        if _END not in data:
            raise MalformedMediaError("the file ends too soon", path=path)
        progress(path.name, 1.0)
        examination = self._decode(data)
        self.meanwhile()
        return examination

    def _decode(self, data: bytes) -> Examination:
        line = data.removeprefix(_START).partition(b"\n")[0]
        head = parse_document(line, what="a simulated file")
        media_type, seed = MediaType(head.text("media_type")), head.integer("seed")
        has_picture = media_type.kind is not MediaKind.AUDIO
        return Examination(
            asset=Asset(sha256(data), _facts(media_type, len(data))),
            fingerprints=self.fingerprint(seed, media_type.kind),
            thumbnail=b"thumbnail %d" % seed if has_picture else b"",
            notes=head.texts("notes"),
        )


def _facts(media_type: MediaType, size_bytes: int) -> MediaFacts:
    kind = media_type.kind
    has_picture = kind is not MediaKind.AUDIO
    is_still = kind is MediaKind.IMAGE
    return MediaFacts(
        media_type=media_type,
        size_bytes=size_bytes,
        width=640 if has_picture else 0,
        height=360 if has_picture else 0,
        duration_ms=0 if is_still else DURATION_MS,
        frame_count={MediaKind.IMAGE: 1, MediaKind.VIDEO: 96, MediaKind.AUDIO: 0}[kind],
        codec="simulated",
        audio_codec="" if is_still else "simulated",
    )
