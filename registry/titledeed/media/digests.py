"""SHA-256 of whole files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from titledeed.errors import UnreadableInputError
from titledeed.models.primitives import Sha256


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
            path=path,
        ) from error
