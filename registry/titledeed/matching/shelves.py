"""All look-up tables of one registry, and how they keep up with it.

Every table remembers up to which position of the source it holds codes, so one that was damaged or
is of an older release can be deleted and fills itself again. What a process appends it also writes,
once it is worth a commit, unless another is writing just then: then a later search does. Until then
each process reads it from the source.
"""

from __future__ import annotations

import logging
import secrets
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Final, Protocol

from filelock import FileLock, Timeout

from titledeed.durability import write_durably
from titledeed.errors import ConflictError, MalformedDocumentError
from titledeed.matching.pictures.visual_index import CodeShelf, DescriptorShelf
from titledeed.matching.sound.shelf import SoundShelf
from titledeed.models.fingerprint import FingerprintCode
from titledeed.ports import FingerprintSource

ERASED: Final = "erased"

COMMIT_BYTES: Final = 1 << 21
"""Codes that wait, of 20 minutes of video. A commit takes a tenth of a second, mostly for syncing;
reading so many codes again, in a process that starts meanwhile, takes as long."""

READ_BYTES_MAX: Final = 1 << 26
"""Codes read before what was read of them is put on disk: they take some times that in memory."""

_log = logging.getLogger(__name__)


class Shelf(Protocol):
    """One table, filled from the codes of some algorithms."""

    @property
    def mark(self) -> int:
        """The position up to which what is on disk holds codes."""
        ...

    def refresh(self) -> bool:
        """See what another process wrote; if it did, what was private is gone."""
        ...

    def add(self, position: int, code: FingerprintCode) -> bool:
        """Add one stored code; False for those of other algorithms.

        Raises:
            MalformedDocumentError: it does not decode.
        """
        ...

    def list_owners(self) -> Collection[int]:
        """Positions whose codes it holds."""
        ...

    def remove(self, owners: Collection[int], /) -> None:
        """Drop the codes at these positions."""
        ...

    def commit(self, mark: int, *, compact: bool = False) -> None:
        """Write everything, durably."""
        ...


class Shelves:
    """The tables, brought up to date together.

    Args:
        source: where codes come from.
        folder: where the files lie; None keeps everything in memory.

    Raises:
        StorageError: a file is damaged.
    """

    def __init__(self, *, source: FingerprintSource, folder: Path | None) -> None:
        self._source = source
        self._folder = folder
        # Nothing is ever written there when there is no folder.
        place = folder or Path(tempfile.gettempdir()) / f"titledeed-{secrets.token_hex(8)}"
        self.codes = CodeShelf(place / "codes")
        self.descriptors = DescriptorShelf(place / "descriptors")
        self.sound = SoundShelf(place / "sound")
        self._shelves: tuple[Shelf, ...] = (self.codes, self.descriptors, self.sound)
        self._cursors = [shelf.mark for shelf in self._shelves]
        self._erased = self._read_erased()
        self._waiting_bytes = 0
        self._has_removed = False

    def refresh(self) -> None:
        """Hold every code that the source holds, and no other."""
        for number, shelf in enumerate(self._shelves):
            if shelf.refresh():
                self._cursors[number] = shelf.mark
                self._erased = self._read_erased()
        # Counted before reading: what is erased meanwhile is dropped by the next search.
        erased = self._source.count_erased()
        was_erased = erased != self._erased
        if was_erased:
            self._remove_erased()
        self._read()
        self._erased = erased
        if was_erased or self._has_removed or self._waiting_bytes >= COMMIT_BYTES:
            self._commit()

    def _read(self) -> None:
        for position, registration_id, code in self._source.iter_fingerprints(min(self._cursors)):
            for number, shelf in enumerate(self._shelves):
                if position <= self._cursors[number]:
                    continue
                self._cursors[number] = position
                try:
                    if shelf.add(position, code):
                        self._waiting_bytes += len(code.code)
                except MalformedDocumentError as error:
                    _log.warning("Left out of the search: %s of %s", error, registration_id)
            if self._waiting_bytes >= READ_BYTES_MAX:
                self._commit()

    def _read_erased(self) -> int | None:
        """How many erasures the files know of; comparing all that they hold takes long."""
        file = self._folder and self._folder / ERASED
        text = file.read_text("ascii", "replace") if file and file.exists() else ""
        return int(text) if text.isdecimal() else None

    def _remove_erased(self) -> None:
        held = {owner for shelf in self._shelves for owner in shelf.list_owners()}
        gone = held - self._source.find_present(held)
        for shelf in self._shelves:
            shelf.remove(gone)
        self._has_removed |= bool(gone)

    def _commit(self) -> None:
        folder = self._folder
        if folder is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(folder / "writer.lock", timeout=0):
                for shelf, cursor in zip(self._shelves, self._cursors, strict=True):
                    shelf.commit(cursor, compact=self._has_removed)
                self._waiting_bytes, self._has_removed = 0, False
                if self._erased != self._read_erased():
                    write_durably(folder / ERASED, str(self._erased).encode())
        except (Timeout, ConflictError):
            return  # another process writes the same, and this one sees it at its next search
