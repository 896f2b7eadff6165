"""Signed copies: files as large as films, so they are streamed and never whole in memory.

A copy has a location, which a row and a person name: in this home's own folder, or where the
claimant wanted it. Nobody outside opens a location by itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from titledeed.errors import InvalidRequestError, NotFoundError, StorageError
from titledeed.models.primitives import RegistrationId

NAME_BYTES_MAX: Final = 255
"""Of a file system that people have."""


class SignedCopies:
    """Signed copies of own registrations.

    Args:
        folder: this home's own; copies that were wanted elsewhere lie elsewhere.
    """

    def __init__(self, *, folder: Path) -> None:
        self._folder = folder

    @property
    def folder(self) -> str:
        """Where this home's own copies lie, for people and for whoever must not land there."""
        return str(self._folder)

    def locate(self, registration_id: RegistrationId, name: str, output: Path | None = None) -> str:
        """Where a new copy goes.

        Args:
            registration_id: whose copy it is.
            name: of the file, with its ending.
            output: the claimant's own folder; None for this home's.

        Raises:
            InvalidRequestError: no file can have so long a name.
        """
        wanted = (output or self._folder / registration_id) / name
        # Another file's signed copy, or a stranger's file, is never overwritten.
        if output is not None and os.path.lexists(wanted):
            wanted = wanted.with_stem(f"{wanted.stem}-{registration_id[3:11]}")
        if len(os.fsencode(wanted.name)) > NAME_BYTES_MAX:
            raise InvalidRequestError(
                f"the name is too long for a signed copy beside it: {wanted.name}",
                next_step="Give the file a shorter name, then register it again.",
            )
        return str(wanted)

    @contextmanager
    def writing(self, location: str) -> Iterator[Path]:
        """The file to be written for a new copy; it is kept once the block ends well."""
        path = Path(location)
        is_whole = False
        try:
            yield path
            is_whole = True
        finally:
            if not is_whole:
                with suppress(OSError):  # what stopped the writing is what is told
                    path.unlink(missing_ok=True)

    @contextmanager
    def reading(self, location: str) -> Iterator[Path]:
        """A local file with the bytes of a copy, for a program that wants one, as long as it reads.

        Raises:
            NotFoundError: it is not kept any more.
        """
        path = Path(location)
        if not path.is_file():
            raise _not_kept()
        yield path

    def open(self, location: str) -> BinaryIO:
        """The bytes of a copy; the caller closes it.

        Raises:
            NotFoundError: it is not kept any more.
        """
        try:
            return Path(location).open("rb")
        except OSError as error:
            raise NotFoundError(
                "the signed copy is not kept any more", what="signed_copy"
            ) from error

    def clear(self, registration_id: RegistrationId) -> None:
        """Delete this home's own copies of an id that no row names: a killed process left them."""
        for leftover in (self._folder / registration_id).glob("*"):
            leftover.unlink(missing_ok=True)

    def delete(self, location: str) -> None:
        """Delete a copy, wherever it lies; its absence is no error.

        Raises:
            StorageError: it cannot be deleted.
        """
        path = Path(location)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(
                f"the signed copy {path} cannot be deleted: {error.strerror}",
                next_step="Make its folder writable, then erase again.",
                path=path,
            ) from error
        if path.parent.parent == self._folder:
            with suppress(OSError):  # somebody put a file of their own there
                path.parent.rmdir()


def _not_kept() -> NotFoundError:
    return NotFoundError("the signed copy is not kept any more", what="signed_copy")
