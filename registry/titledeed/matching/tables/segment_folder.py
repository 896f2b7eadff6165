"""A folder of immutable segments and the manifest that says which of them count.

A segment is written whole and synced before a manifest names it, and a manifest is replaced whole:
a crash leaves the old state or the new one, and perhaps a file that nobody names, which the next
commit deletes. Only one process writes at a time; readers keep what they mapped, and reading
changes nothing, so that it works where nothing may be written.

What another release laid out otherwise, or filled from other algorithms, counts as nothing: all of
it can be made again from the registry, and the next commit puts that in its place.
"""

from __future__ import annotations

import json
import mmap
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic

import numpy as np

from titledeed.durability import PARTIAL_PATTERN, PRIVATE_MODE, write_durably
from titledeed.errors import StorageError
from titledeed.matching.tables.segments import Allocate, Buffer, RowLayout, SegmentT

_LAYOUT: Final = 2
MANIFEST: Final = "manifest.json"
_SUFFIX: Final = ".segment"
_NAME: Final = re.compile(r"[0-9a-f]{16}\.segment")
_OPEN_ATTEMPTS: Final = 8
"""A commit deletes the segments it replaced; who read the manifest just before reads it again."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What counts.

    Attributes:
        mark: the position of the source up to which the segments hold its rows.
        erased: how many erasures of the source they have seen; None before the first commit.
        segments: by name, in order of age; the owners whose rows in it no longer count.
    """

    mark: int = 0
    erased: int | None = None
    segments: Mapping[str, frozenset[int]] = field(default_factory=dict)


class SegmentFolder(Generic[SegmentT]):
    """Reads and writes one folder.

    Args:
        folder: of this table alone; it may be missing.
        layout: of the rows in it.
    """

    def __init__(self, folder: Path, layout: RowLayout[Any, SegmentT]) -> None:
        self._folder = folder
        self._layout = layout

    def open_newer(self, known: Manifest) -> tuple[Manifest, list[SegmentT]] | None:
        """The manifest and its segments, mapped; None when it is the known one.

        Raises:
            StorageError: something is damaged or cannot be read.
        """
        for _ in range(_OPEN_ATTEMPTS):
            try:
                manifest = self._read_manifest()
                if manifest == known:
                    return None
                return manifest, [self.open_segment(name) for name in manifest.segments]
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StorageError(
                    f"the index in {self._folder} cannot be read: {error.strerror or error}",
                    next_step="Let this account read it, or delete it: it is built again.",
                ) from error
        raise _damaged(self._folder)

    def open_segment(self, name: str) -> SegmentT:
        """Map a segment.

        Raises:
            FileNotFoundError: a commit has replaced it.
            StorageError: it is damaged.
        """
        try:
            with (self._folder / name).open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:
            raise _damaged(self._folder) from error
        return self._layout.read(np.frombuffer(mapped, np.uint8))

    @contextmanager
    def create(self) -> Iterator[tuple[str, Allocate]]:
        """A name for a new segment, and what allocates its file.

        Raises:
            StorageError: the disk refused.
        """
        name = secrets.token_hex(8) + _SUFFIX
        path = self._folder / name
        is_whole = False
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            yield name, lambda size: _map_new(path, size)
            if path.exists():
                _sync(path)
            is_whole = True
        except OSError as error:
            raise StorageError(
                f"{path} cannot be written: {error.strerror or error}",
                next_step="Free space there, or choose a folder that can be written.",
                path=path,
            ) from error
        finally:
            if not is_whole:
                path.unlink(missing_ok=True)

    def publish(self, manifest: Manifest) -> None:
        """Make a manifest the one that counts, then delete what it does not name.

        Raises:
            StorageError: the disk refused; the manifest before it may still count.
        """
        document = {
            "layout": _LAYOUT,
            "content": self._layout.content,
            "mark": manifest.mark,
            "erased": manifest.erased,
            "segments": [[name, sorted(removed)] for name, removed in manifest.segments.items()],
        }
        write_durably(self._folder / MANIFEST, json.dumps(document).encode(), mode=PRIVATE_MODE)
        for pattern in ("*" + _SUFFIX, PARTIAL_PATTERN):
            for path in self._folder.glob(pattern):
                if path.name not in manifest.segments:
                    path.unlink(missing_ok=True)

    def _read_manifest(self) -> Manifest:
        try:
            document = json.loads((self._folder / MANIFEST).read_bytes())
        except FileNotFoundError:
            return Manifest()
        except ValueError as error:
            raise _damaged(self._folder) from error
        match document:
            case {
                "layout": 2,
                "content": self._layout.content,
                "mark": int(mark),
                "erased": int() | None as erased,
                "segments": [*segments],
            }:
                return Manifest(mark, erased, dict(map(self._read_entry, segments)))
            case {"layout": 2, "content": str(content)} if content != self._layout.content:
                return Manifest()
            case {"layout": int(layout)} if layout != _LAYOUT:
                return Manifest()
        raise _damaged(self._folder)

    def _read_entry(self, entry: object) -> tuple[str, frozenset[int]]:
        match entry:
            case [str(name), [*removed]] if _NAME.fullmatch(name):
                return name, frozenset(owner for owner in removed if isinstance(owner, int))
        raise _damaged(self._folder)


def _map_new(path: Path, size: int) -> Buffer:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_MODE)
    try:
        os.ftruncate(descriptor, size)
        # A full disk must show now: writing to a mapped hole would end the process.
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        return np.frombuffer(mmap.mmap(descriptor, size), np.uint8)
    finally:
        os.close(descriptor)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _damaged(folder: Path) -> StorageError:
    return StorageError(
        f"the index in {folder} is damaged",
        next_step="Delete the folder; the index is built again from the registry.",
        path=folder,
    )
