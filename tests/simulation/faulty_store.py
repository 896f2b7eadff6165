"""An object store whose disk fills up, or whose process dies, when a test says so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from titledeed.errors import StorageError
from titledeed.store.objects import LocalObjectStore


class FaultyStore(LocalObjectStore):
    """See ``ports.ObjectStore``: a real one, until ``fail``.

    Args:
        folder: created if absent.
    """

    def __init__(self, *, folder: Path) -> None:
        super().__init__(folder=folder)
        self._failures: dict[str, BaseException] = {}
        self._deletions: dict[str, BaseException] = {}

    def fail(self, prefix: str, error: BaseException | None = None) -> None:
        """Refuse to write the next object whose key begins so; a full disk by default."""
        self._failures[prefix] = error or StorageError("no space left on the simulated disk")

    def fail_deletion(self, prefix: str, error: BaseException | None = None) -> None:
        """Refuse to delete the next object whose key begins so."""
        self._deletions[prefix] = error or StorageError("the simulated disk is read-only")

    def delete(self, key: str) -> None:
        for prefix in [one for one in self._deletions if key.startswith(one)]:
            raise self._deletions.pop(prefix)
        super().delete(key)

    def put(self, key: str, data: bytes) -> None:
        self.put_many({key: data})

    def put_many(self, objects: Mapping[str, bytes]) -> None:
        for prefix in [one for one in self._failures if any(k.startswith(one) for k in objects)]:
            raise self._failures.pop(prefix)
        super().put_many(objects)
