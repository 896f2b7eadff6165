"""A disk that is nearly full, without a file system of its own."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def full_disk(size_bytes_max: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes.

    Writing fails with an error of its own in the middle of a file, wherever the writer stands.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes_max, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
