"""Who uses a home's database: many share it, or one has it for itself.

A database file that takes another's place would leave those who have the old one open writing into
a file that nobody reads again.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from titledeed.errors import DependencyError, StorageError


@contextmanager
def occupy(path: Path, *, alone: bool) -> Iterator[None]:
    """Use what a file stands for until the block ends, or the process does.

    Args:
        path: made if absent, with its folder, and left in place.
        alone: whether nobody else may use it; also excludes other users in this process.

    Raises:
        DependencyError: somebody uses it alone, or anybody does and we want to.
        StorageError: the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(
            f"the lock file {path} cannot be made: {error.strerror}",
            next_step="Check that the home folder exists and is writable.",
            path=path,
        ) from error
    try:
        _lock(descriptor, alone=alone)
        yield
    finally:
        os.close(descriptor)  # which also unlocks


def _lock(descriptor: int, *, alone: bool) -> None:
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError as error:
        what = "another process uses this home" if alone else "this home is being rebuilt"
        raise DependencyError(
            what, next_step="Stop `titledeed serve`, or wait until the other process is done."
        ) from error
