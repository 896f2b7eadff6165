"""A lock across processes, held as long as its holder lives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from titledeed.errors import DependencyError, StorageError


@contextmanager
def hold_lock(path: Path, *, timeout_s: float, purpose: str) -> Iterator[None]:
    """Hold the lock; it also excludes the other threads of this process and is not re-entrant.

    The operating system releases it when the process ends, however it ends.

    Args:
        path: the lock's file, made if absent and left in place.
        timeout_s: how long to wait for it.
        purpose: completes "waiting for another process …".

    Raises:
        DependencyError: another process or thread held it all that time.
        StorageError: the file cannot be made.
    """
    # A soft lock would outlive a killed process, so the fallback is refused.
    lock = FileLock(path, timeout=timeout_s, fallback_to_soft=False, preserve_lock_file=True)
    try:
        lock.acquire()
    except Timeout as error:
        raise DependencyError(
            f"gave up after {timeout_s:g} s of waiting for another process {purpose}",
            next_step="Try again when the other process is done.",
        ) from error
    except (OSError, NotImplementedError) as error:
        raise StorageError(
            f"the lock file {path} cannot be used: {error}",
            next_step="Check that the home folder exists, is writable and has free space.",
            path=path,
        ) from error
    try:
        yield
    finally:
        lock.release()
