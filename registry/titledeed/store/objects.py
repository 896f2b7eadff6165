"""Named bytes in a folder, through obstore so that S3 can take the folder's place.

obstore writes to a name of its own and renames, but syncs nothing (seen with strace), so a power
cut could leave an empty object under a name that was acknowledged. So objects are written by
``durability``: under a staging name, synced, renamed, and the folders that name them are synced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from titledeed.durability import sync_folder, write_all_durably
from titledeed.errors import InvalidRequestError, NotFoundError, StorageError

KEY_LENGTH_MAX: Final = 200
_SEGMENT: Final = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*"
_KEY: Final = re.compile(rf"{_SEGMENT}(/{_SEGMENT})*")
_STAGING: Final = ".staging"
"""No key begins with a dot, so no key meets a staged object."""


class LocalObjectStore:
    """Implements ``ports.ObjectStore`` in one folder. Thread-safe, also across processes.

    A key is segments of letters, digits, ``_``, ``-`` and ``.`` joined by ``/``; no segment begins
    with a dot. Any other key is refused with ``InvalidRequestError``.

    Args:
        folder: created if absent.

    Raises:
        StorageError: the folder cannot be made.
    """

    def __init__(self, *, folder: Path) -> None:
        self._folder = folder.absolute()
        with _own_errors(str(self._folder)):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._store = LocalStore(self._folder)

    def put(self, key: str, data: bytes) -> None:
        """See the port."""
        self.put_many({key: data})

    def put_many(self, objects: Mapping[str, bytes]) -> None:
        """See the port."""
        files = {self._path(key): data for key, data in objects.items()}
        write_all_durably(files, staging=self._folder / _STAGING)
        with _own_errors(str(self._folder)):
            for folder in self._list_upper_folders(files):
                sync_folder(folder)

    def get(self, key: str) -> bytes:
        """See the port."""
        self._path(key)
        with _own_errors(key):
            try:
                return bytes(obstore.get(self._store, key).bytes())
            except FileNotFoundError as error:
                raise NotFoundError(
                    f"no object {key!r} is stored", what="object", name=key
                ) from error

    def delete(self, key: str) -> None:
        """See the port."""
        path = self._path(key)
        with _own_errors(key):
            with suppress(FileNotFoundError):
                obstore.delete(self._store, key)
            # Also when it was gone: a crash may have come between the removal and this.
            if path.parent.is_dir():
                sync_folder(path.parent)

    def keys(self, prefix: str) -> list[str]:
        """See the port. A prefix is a folder, as ``dossiers`` or ``dossiers/``; empty is all."""
        folder = prefix.removesuffix("/")
        if prefix:
            self._path(folder)
        with _own_errors(prefix):
            found = [
                entry["path"]
                for page in obstore.list(self._store, folder or None)
                for entry in page
            ]
        return sorted(key for key in found if not key.startswith(f"{_STAGING}/"))

    def locate(self, key: str) -> str:
        """See the port: the path of the file."""
        return str(self._path(key))

    def _list_upper_folders(self, files: Iterable[Path]) -> set[Path]:
        """What names the files' folders: another process may just have made, not yet synced one."""
        folders = {file.parent for file in files}
        return {
            upper
            for folder in folders
            for upper in folder.parents
            if upper == self._folder or self._folder in upper.parents
        }

    def _path(self, key: str) -> Path:
        if len(key) > KEY_LENGTH_MAX or not _KEY.fullmatch(key):
            raise InvalidRequestError(f"{key[:60]!r} is not the name of an object")
        return self._folder / key


@contextmanager
def _own_errors(name: str) -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise StorageError(
            f"the object {name!r} cannot be stored or read: {reason}",
            next_step="Check the free space and the permissions of the home folder.",
        ) from error
