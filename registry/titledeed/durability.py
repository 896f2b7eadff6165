"""Files that appear whole or not at all, and stay when the power goes."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from titledeed.errors import StorageError

PARTIAL_PATTERN = ".titledeed-*.part"
"""Names of files that are being written; one that stays is what a killed process left."""

PRIVATE_MODE = 0o600
ORDINARY_MODE = 0o666
"""Before the umask."""


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
