"""Files that appear whole or not at all, and stay when the power goes."""

from __future__ import annotations

import ctypes
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from titledeed.errors import StorageError

PARTIAL_PATTERN = ".titledeed-*.part"
"""Names of files that are being written; one that stays is what a killed process left."""

PRIVATE_MODE = 0o600
ORDINARY_MODE = 0o666
"""Before the umask."""

SyncAll = Callable[[int], None]
"""Waits until all of the file system of an open file is durable."""

SINGLY_MAX: Final = 16
"""Up to so many files are synced one by one: a wait for the whole file system also waits for what
other programs wrote."""


@contextmanager
def replacing(destination: Path, *, mode: int = ORDINARY_MODE) -> Iterator[BinaryIO]:
    """A new file beside the destination that takes its place when the block ends well.

    The destination's folder is made if need be.

    Yields:
        The temporary file, open for reading and writing. On any exception it is deleted and the
        destination stays as it was; else it is fsynced, renamed, and the folder fsynced.

    Raises:
        StorageError: the folder or disk refused; also from an ``OSError`` of the block itself.
    """
    temporary = destination.parent / PARTIAL_PATTERN.replace("*", secrets.token_hex(8))
    try:
        _make_folder(destination.parent)
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            with os.fdopen(descriptor, "w+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(destination)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(destination.parent)
    except OSError as error:
        raise StorageError(
            f"{destination} cannot be written: {error.strerror or error}",
            next_step="Free space there, or choose a folder that can be written.",
            path=destination,
        ) from error


def _make_folder(folder: Path) -> None:
    """Make a folder and its parents; each new name is durable too."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in missing:
        sync_folder(one.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(destination: Path, data: bytes, *, mode: int = ORDINARY_MODE) -> None:
    """Replace a file whole or not at all.

    Raises:
        StorageError: the folder or disk refused.
    """
    with replacing(destination, mode=mode) as file:
        file.write(data)


def write_all_durably(
    files: Mapping[Path, bytes],
    *,
    staging: Path,
    mode: int = ORDINARY_MODE,
    find_sync_all: Callable[[], SyncAll | None] | None = None,
) -> None:
    """Replace many files, each whole or not at all, with one wait for the disk.

    Args:
        files: destinations, in folders that are made if need be.
        staging: a folder of the same file system, made if need be, where they are written first;
            what a killed process leaves there has names of ``PARTIAL_PATTERN``.
        mode: of the new files, before the umask.
        find_sync_all: finds how this system waits for a whole file system, where it can; None
            asks the system.

    Raises:
        StorageError: a folder or the disk refused; some files may then be replaced, others not.
    """
    folders = {destination.parent for destination in files}
    staged: dict[str, Path] = {}
    try:
        for folder in (staging, *folders):
            _make_folder(folder)
        token = secrets.token_hex(8)
        try:
            for number, (destination, data) in enumerate(files.items()):
                temporary = f"{staging}/{PARTIAL_PATTERN.replace('*', f'{token}-{number}')}"
                staged[temporary] = destination
                _write_new(temporary, data, mode)
            _sync_contents(list(staged), staging, find_sync_all or _find_syncfs)
            for temporary in list(staged):
                os.replace(temporary, staged[temporary])  # noqa: PTH105 - thousands in a row
                del staged[temporary]
        finally:
            for temporary in staged:
                Path(temporary).unlink(missing_ok=True)
        for folder in folders:
            sync_folder(folder)
    except OSError as error:
        raise StorageError(
            f"{error.filename or staging} cannot be written: {error.strerror or error}",
            next_step="Free space there, or choose a folder that can be written.",
            path=Path(error.filename or staging),
        ) from error


def _write_new(path: str, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
    finally:
        os.close(descriptor)


def _sync_contents(
    paths: Sequence[str], folder: Path, find_sync_all: Callable[[], SyncAll | None]
) -> None:
    """Make the bytes of files of one file system durable."""
    sync_all = find_sync_all() if len(paths) > SINGLY_MAX else None
    for path in [str(folder)] if sync_all is not None else paths:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            (sync_all or os.fsync)(descriptor)
        finally:
            os.close(descriptor)


def _find_syncfs() -> SyncAll | None:
    """Linux's ``syncfs``, which Python does not offer; None on other systems.

    It tells of failed writes since Linux 5.8.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "syncfs"):
        return None

    def sync_all(descriptor: int) -> None:
        if library.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    return sync_all
