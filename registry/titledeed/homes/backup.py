"""Backing up a home while it is used.

Order is what makes a backup consistent: first one state of the database, then the journal of the
chain up to its last whole line, then the objects. A home writes in the other direction, so nothing
in a backup names what is not in it. What was accepted after the database was copied is missing, and
nothing is there by half.

The manifest comes last: SHA-256 and size of each member. An archive without it was cut.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from titledeed.canonical.documents import base64_text, encode_document
from titledeed.chain.development.journal import JOURNAL_NAME
from titledeed.durability import PRIVATE_MODE, replacing
from titledeed.errors import (
    ConflictError,
    InvalidRequestError,
    StorageError,
)
from titledeed.homes.archive import PIECE, ArchiveWriter, Member
from titledeed.homes.layout import HomeLayout
from titledeed.models.primitives import Sha256
from titledeed.ports import Clock, Progress, no_progress

BACKUP_SCHEMA: Final = "titledeed.backup/1"
BACKUP_MANIFEST: Final = "BACKUP_MANIFEST"
_SUFFIXES: Final = (".tar", ".tar.gz", ".tgz")
_TAIL: Final = 65_536


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """What a backup holds.

    Attributes:
        created_at: seconds since 1970, by the clock of the home.
        version: of the release that wrote it.
        with_keys: whether the keystores and the signing identity are in it; a passphrase never is.
        members: files beside the manifest.
        size_bytes: of these files.
    """

    created_at: int
    version: str
    with_keys: bool
    members: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Source:
    """A file to be copied; whole, unless a length is given."""

    name: str
    path: Path
    size: int | None = None


class BackupService:
    """Backs up one home.

    Args:
        layout: of the home.
        version: of this release.
        copy_database: copies one state of the database to a new file.
        clock: dates the backup.
        turn: keeps registrations from being erased meanwhile.
    """

    def __init__(
        self,
        *,
        layout: HomeLayout,
        version: str,
        copy_database: Callable[[Path, Path], None],
        clock: Clock,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._layout = layout
        self._version = version
        self._copy_database = copy_database
        self._clock = clock
        self._turn = turn

    def back_up(
        self, destination: Path, *, with_keys: bool = True, progress: Progress = no_progress
    ) -> BackupSummary:
        """Write a backup; others may go on registering. It appears whole or not at all.

        Args:
            destination: a new file outside the home, ``.tar``, ``.tar.gz`` or ``.tgz``.
            with_keys: whether it can be used without keys from elsewhere.
            progress: told how far it has got.

        Raises:
            InvalidRequestError: the destination lies inside the home, or has another ending.
            ConflictError: the destination exists.
            StorageError: something cannot be read or written.
        """
        self._check_destination(destination)
        is_gzip = not destination.name.endswith(".tar")
        with (
            self._turn(),
            replacing(destination, mode=PRIVATE_MODE) as file,
            _compressed(file, is_gzip=is_gzip) as stream,
        ):
            return self._write(stream, destination.parent, progress, with_keys=with_keys)

    def _check_destination(self, destination: Path) -> None:
        if not destination.name.endswith(_SUFFIXES):
            raise InvalidRequestError(
                f"{destination.name} ends neither in .tar nor in .tar.gz",
                next_step="Choose one of both endings.",
                path=destination,
            )
        if self._layout.root.resolve() in destination.resolve().parents:
            raise InvalidRequestError(
                "a backup inside the home folder is lost with it",
                next_step="Choose a folder elsewhere, best on another disk.",
                path=destination,
            )
        if destination.exists():
            raise ConflictError(
                f"{destination} exists",
                next_step="Choose another name, or delete it first.",
                path=destination,
            )

    def _write(
        self, stream: BinaryIO, scratch: Path, progress: Progress, *, with_keys: bool
    ) -> BackupSummary:
        created_at = self._clock()
        archive = ArchiveWriter(stream, timestamp=created_at)
        written: list[tuple[Member, Sha256]] = []
        with tempfile.TemporaryDirectory(prefix=".titledeed-", dir=scratch) as folder:
            copy = Path(folder) / "database"
            progress("Copying the database", 0.0)
            self._copy_database(self._layout.database, copy)
            progress("Copying the database", 1.0)
            for source in (_Source(self._layout.database.name, copy), *self._list_chain()):
                written += _add(archive, source)
        # Listed only now: whatever the database and the journal name is there.
        rest = list(self._list_files(with_keys=with_keys))
        for done, source in enumerate(rest, 1):
            written += _add(archive, source)
            progress("Copying files", done / len(rest))
        summary = BackupSummary(
            created_at=created_at,
            version=self._version,
            with_keys=with_keys,
            members=len(written),
            size_bytes=sum(member.size for member, _ in written),
        )
        manifest = _encode_manifest(summary, self._layout.root, written)
        member = Member(BACKUP_MANIFEST, len(manifest))
        archive.start(member)
        archive.write(manifest)
        archive.finish(member)
        archive.close()
        return summary

    def _list_chain(self) -> Iterator[_Source]:
        folder = self._layout.chain
        journal = folder / JOURNAL_NAME
        if journal.exists():
            yield _Source(f"{folder.name}/{JOURNAL_NAME}", journal, _whole_lines(journal))
        for path in sorted(folder.glob("*.json")):
            yield _Source(f"{folder.name}/{path.name}", path)

    def _list_files(self, *, with_keys: bool) -> Iterator[_Source]:
        layout = self._layout
        folders = [layout.objects, layout.signed, layout.trust, layout.reports]
        if with_keys:
            folders.append(layout.keys)
        for folder in folders:
            for path in _walk(folder):
                yield _Source(path.relative_to(layout.root).as_posix(), path)


def _add(archive: ArchiveWriter, source: _Source) -> Iterator[tuple[Member, Sha256]]:
    """Copy one file, unless it is gone: what the database names is not deleted meanwhile."""
    try:
        file = source.path.open("rb")
    except FileNotFoundError:
        return
    with file:
        size = os.fstat(file.fileno()).st_size if source.size is None else source.size
        member = Member(source.name, size)
        digest = hashlib.sha256()
        archive.start(member)
        while size:
            piece = file.read(min(size, PIECE))
            if not piece:
                raise StorageError(
                    f"{source.path} became shorter while it was copied", path=source.path
                )
            size -= len(piece)
            digest.update(piece)
            archive.write(piece)
        archive.finish(member)
    yield member, Sha256(digest.digest())


def _encode_manifest(
    summary: BackupSummary, home: Path, written: list[tuple[Member, Sha256]]
) -> bytes:
    """One JSON object a line: a header, then each member."""
    header = encode_document(
        {
            "schema": BACKUP_SCHEMA,
            "version": summary.version,
            "created_at": summary.created_at,
            "with_keys": summary.with_keys,
            "members": summary.members,
            "size_bytes": summary.size_bytes,
            "home": base64_text(os.fsencode(home)),
        }
    )
    lines = [
        encode_document(
            {
                "name": base64_text(member.name.encode("utf-8", "surrogateescape")),
                "size": member.size,
                "sha256": digest.hex(),
            }
        )
        for member, digest in written
    ]
    return b"\n".join([header, *lines, b""])


def _walk(folder: Path) -> Iterator[Path]:
    """Regular files, in a stable order, but for what is just being written."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(root) / name
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path


def _whole_lines(path: Path) -> int:
    """The length of a file up to the end of its last whole line."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(end - _TAIL, 0)
            file.seek(start)
            _, newline, _ = (tail := file.read(end - start)).rpartition(b"\n")
            if newline:
                return start + tail.rindex(b"\n") + 1
            end = start
    return 0


@contextmanager
def _compressed(file: BinaryIO, *, is_gzip: bool) -> Iterator[BinaryIO]:
    if not is_gzip:
        yield file
        return
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=1, mtime=0) as stream:
        yield cast("BinaryIO", stream)
