"""Restoring a home from a backup: all of it, checked, or nothing."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final, cast

from titledeed.canonical.documents import parse_document
from titledeed.durability import PRIVATE_MODE, sync_folder
from titledeed.errors import (
    ConflictError,
    MalformedDocumentError,
    StorageError,
    UnreadableInputError,
)
from titledeed.homes.archive import MEMBER_NAME_LENGTH_MAX, ArchiveReader, Member
from titledeed.homes.backup import BACKUP_MANIFEST, BACKUP_SCHEMA, BackupSummary
from titledeed.homes.layout import HomeLayout
from titledeed.models.primitives import Sha256
from titledeed.ports import Progress, no_progress

MEMBERS_MAX: Final = 20_000_000
SPARE_BYTES: Final = 64 * 1024 * 1024
"""Left free on the disk that is restored to."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_LINE_LENGTH_MAX: Final = 65_536
_LAYOUT: Final = HomeLayout(Path())
_PARTS: Final = frozenset(
    path.name
    for path in (
        _LAYOUT.database,
        _LAYOUT.chain,
        _LAYOUT.objects,
        _LAYOUT.signed,
        _LAYOUT.trust,
        _LAYOUT.reports,
        _LAYOUT.keys,
    )
)
"""What a backup may hold, beside the manifest."""


def restore_backup(
    source: Path,
    home: Path,
    *,
    check_database: Callable[[Path], None],
    move_signed_copies: Callable[[Path, Path, Path], None],
    progress: Progress = no_progress,
    spare_bytes: int = SPARE_BYTES,
) -> BackupSummary:
    """Unpack a backup into a new home, once all of it was checked.

    Args:
        source: what ``BackupService.back_up`` wrote; untrusted.
        home: absent, or an empty folder.
        check_database: reads a whole database file.
        move_signed_copies: lets a database file name signed copies below another folder.
        progress: told how far it has got.
        spare_bytes: left free on the disk.

    Raises:
        ConflictError: the folder is not empty.
        UnreadableInputError: the backup cannot be read.
        MalformedDocumentError: it is none, or a member is not what the manifest says.
        StorageError: the folder cannot be written, or the disk is too small.
    """
    home = home.absolute()
    if home.exists() and not (home.is_dir() and not any(home.iterdir())):
        raise ConflictError(
            f"{home} is not empty", next_step="Restore into a new folder, then use that.", path=home
        )
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{home.name}.restoring-", dir=home.parent))
    except OSError as error:
        raise StorageError(f"{home} cannot be made: {error.strerror}", path=home) from error
    try:
        summary, old_home = _unpack(source, partial, progress, spare_bytes)
        layout = HomeLayout(partial)
        check_database(layout.database)
        move_signed_copies(layout.database, HomeLayout(old_home).signed, HomeLayout(home).signed)
        _sync_folders(partial)
        partial.replace(home)
        sync_folder(home.parent)
    except OSError as error:
        raise StorageError(
            f"{home} cannot be written: {error.strerror or error}", path=home
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return summary


def _unpack(
    source: Path, folder: Path, progress: Progress, spare_bytes: int
) -> tuple[BackupSummary, Path]:
    try:
        raw = source.open("rb")
    except OSError as error:
        raise UnreadableInputError(
            f"{source} cannot be read: {error.strerror}", next_step="Check the path.", path=source
        ) from error
    with raw:
        try:
            return _unpack_stream(raw, source, folder, progress, spare_bytes)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise MalformedDocumentError(
                f"{source} is damaged: {error}",
                next_step="Use another copy of the backup.",
                path=source,
            ) from error


def _unpack_stream(
    raw: BinaryIO, source: Path, folder: Path, progress: Progress, spare_bytes: int
) -> tuple[BackupSummary, Path]:
    total = source.stat().st_size or 1
    is_gzip = raw.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    raw.seek(0)
    archive = ArchiveReader(cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if is_gzip else raw)
    found: dict[str, tuple[int, Sha256]] = {}
    for member in archive:
        if member.name == BACKUP_MANIFEST:
            _require_room(member, folder, spare_bytes)
            with tempfile.TemporaryFile(dir=folder) as manifest:
                for piece in archive.pieces(member):
                    manifest.write(piece)
                manifest.seek(0)
                return _check_manifest(manifest, found)
        if member.name in found or len(found) >= MEMBERS_MAX:
            raise MalformedDocumentError(f"the archive holds {member.name[:200]!r} twice")
        found[member.name] = (member.size, _extract(archive, member, folder, spare_bytes))
        progress("Unpacking", min(raw.tell() / total, 1.0))
    raise MalformedDocumentError(
        "the archive has no manifest", next_step="Use a file that `titledeed backup` wrote."
    )


def _extract(archive: ArchiveReader, member: Member, folder: Path, spare_bytes: int) -> Sha256:
    if member.name.partition("/")[0] not in _PARTS:
        raise MalformedDocumentError(f"the archive holds {member.name[:200]!r}, which no home has")
    _require_room(member, folder, spare_bytes)
    path = folder / os.fsdecode(member.name.encode("utf-8", "surrogateescape"))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        for piece in archive.pieces(member):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return Sha256(digest.digest())


def _require_room(member: Member, folder: Path, spare_bytes: int) -> None:
    """A few bytes of a compressed archive can stand for more than any disk holds."""
    if member.size + spare_bytes > shutil.disk_usage(folder).free:
        raise StorageError(
            f"the disk has no room for {member.name[:200]!r}",
            next_step="Free some space, or restore to another disk.",
        )


def _check_manifest(
    manifest: BinaryIO, found: dict[str, tuple[int, Sha256]]
) -> tuple[BackupSummary, Path]:
    fields = parse_document(manifest.readline(_LINE_LENGTH_MAX), what="the manifest")
    fields.literal("schema", BACKUP_SCHEMA)
    summary = BackupSummary(
        created_at=fields.timestamp("created_at"),
        version=fields.text("version", length_max=100),
        with_keys=fields.boolean("with_keys"),
        members=fields.integer("members", maximum=MEMBERS_MAX),
        size_bytes=fields.integer("size_bytes"),
    )
    home = Path(os.fsdecode(fields.blob("home", length_max=MEMBER_NAME_LENGTH_MAX)))
    fields.done()
    named = 0
    while line := manifest.readline(_LINE_LENGTH_MAX):
        item = parse_document(line, what="a line of the manifest")
        name = item.blob("name", length_max=MEMBER_NAME_LENGTH_MAX).decode(
            "utf-8", "surrogateescape"
        )
        expected = (item.integer("size"), item.sha256("sha256"))
        item.done()
        if found.pop(name, None) != expected:
            raise MalformedDocumentError(
                f"{name[:200]!r} is missing or damaged", next_step="Use another copy of the backup."
            )
        named += 1
    if found or named != summary.members:
        raise MalformedDocumentError("the archive holds files that the manifest does not name")
    return summary, home


def _sync_folders(folder: Path) -> None:
    for root, _, _ in os.walk(folder):
        sync_folder(Path(root))
