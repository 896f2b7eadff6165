"""All look-up tables of one registry, and how they keep up with it.

Which there are follows from the table of algorithms. Each remembers up to which position of the
source it holds codes, so one that was damaged or is of an older release can be deleted and fills
itself again. What is not on disk yet each process reads from the source and holds in memory;
``keep_tables`` puts it there, once that is worth a commit, unless another process is at it.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from filelock import FileLock, Timeout

from titledeed.errors import MalformedDocumentError, StorageError
from titledeed.fingerprinting.algorithms import list_families
from titledeed.matching.pictures.codes import PICTURE_KINDS
from titledeed.matching.pictures.visual_tables import CodeShelf, DescriptorShelf, VisualTables
from titledeed.matching.sound.shelf import SOUND_KINDS, SoundShelf, SoundTable
from titledeed.matching.tables.segment_folder import MANIFEST
from titledeed.models.fingerprint import FingerprintCode
from titledeed.ports import FingerprintSource

COMMIT_BYTES: Final = 1 << 21
"""Codes that wait, of 20 minutes of video. A commit takes a tenth of a second, mostly for syncing;
reading so many codes again, in a process that starts meanwhile, takes as long."""

READ_BYTES_MAX: Final = 1 << 26
"""Codes read before what was read of them is put on disk: they take some times that in memory."""

ERASURE_PATIENCE_S: Final = 30.0
"""How long an erasure waits for another process that writes, which may not have seen it."""

_log = logging.getLogger(__name__)


class Shelf(Protocol):
    """One table, filled from the codes of some algorithms; see ``tables.segment_table``."""

    @property
    def folder(self) -> Path | None:
        """Where its files lie."""
        ...

    @property
    def mark(self) -> int:
        """The position up to which what is on disk holds codes."""
        ...

    @property
    def erased(self) -> int | None:
        """How many erasures what is on disk has seen; None where nothing is."""
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

    def commit(self, mark: int, *, erased: int | None, compact: bool) -> None:
        """Write everything, durably."""
        ...


@dataclass
class _Place:
    """A shelf, and how far it has followed the source.

    Attributes:
        cursor: the position up to which it holds codes.
        erased: the erasures it has seen.
        waiting_bytes: of codes that it holds and the disk does not.
        has_removed: whether the disk holds codes that it has dropped.
    """

    shelf: Shelf
    cursor: int = 0
    erased: int | None = None
    waiting_bytes: int = 0
    has_removed: bool = False

    def __post_init__(self) -> None:
        self.start_from_disk()

    def start_from_disk(self) -> None:
        self.cursor, self.erased = self.shelf.mark, self.shelf.erased
        self.waiting_bytes, self.has_removed = 0, False


@dataclass(frozen=True, slots=True)
class TablesView:
    """All tables as they were at one moment; any number of threads may search them.

    Attributes:
        pictures: one pair of tables for each family.
        sounds: one for each family.
    """

    pictures: tuple[VisualTables, ...]
    sounds: tuple[SoundTable, ...]


class Shelves:
    """The tables, brought up to date together; for one thread at a time. Writes only when told to.

    Args:
        source: where codes come from.
        folder: where the files lie; it may be missing. None keeps everything in memory.
        commit_bytes: codes of so many bytes are worth writing.

    Raises:
        StorageError: a file is damaged.
    """

    def __init__(
        self,
        *,
        source: FingerprintSource,
        folder: Path | None,
        commit_bytes: int = COMMIT_BYTES,
    ) -> None:
        self._source = source
        self._commit_bytes = commit_bytes
        self._erased = 0

        def locate(name: str) -> Path | None:
            return folder and folder / name

        self._pictures = tuple(
            (
                family,
                CodeShelf(locate(f"{family.name}-codes"), family),
                DescriptorShelf(locate(f"{family.name}-descriptors"), family),
            )
            for family in list_families(PICTURE_KINDS)
        )
        self._sounds = tuple(
            (family, SoundShelf(locate(f"{family.name}-peaks"), family))
            for family in list_families(SOUND_KINDS)
        )
        shelves: list[Shelf] = []
        for _, codes, descriptors in self._pictures:
            shelves += [codes, descriptors]
        shelves += [shelf for _, shelf in self._sounds]
        self._places = [_Place(shelf) for shelf in shelves]

    @property
    def folders(self) -> set[Path]:
        """Of the tables; empty where they are in memory."""
        return {place.shelf.folder for place in self._places if place.shelf.folder}

    def catch_up(self, bytes_max: int | None = None) -> bool:
        """Hold every code that the source holds, and no other.

        Args:
            bytes_max: stop once codes of so many bytes wait to be written.

        Returns:
            Whether it stopped so; there may be more.
        """
        for place in self._places:
            if place.shelf.refresh():
                place.start_from_disk()
        # Counted before reading: what is erased meanwhile is dropped by the next call.
        self._erased = self._source.count_erased()
        self._remove_erased()
        cursor = min(place.cursor for place in self._places)
        for position, registration_id, code in self._source.iter_fingerprints(cursor):
            for place in self._places:
                if position > place.cursor:
                    place.cursor = position
                    try:
                        if place.shelf.add(position, code):
                            place.waiting_bytes += len(code.code)
                    except MalformedDocumentError as error:
                        _log.warning("Left out of the search: %s of %s", error, registration_id)
            if bytes_max is not None and self._waiting_bytes >= bytes_max:
                return True
        return False

    def view(self) -> TablesView:
        """What the tables hold now."""
        return TablesView(
            tuple(
                VisualTables(family, codes.view(), descriptors.view())
                for family, codes, descriptors in self._pictures
            ),
            tuple(SoundTable(family, shelf.view()) for family, shelf in self._sounds),
        )

    def wants_writing(self) -> bool:
        """Catch up as far as it takes to tell whether writing is worth it, and tell."""
        self.catch_up(self._commit_bytes)
        return self.is_worth_writing

    @property
    def is_worth_writing(self) -> bool:
        """Whether much waits, or the disk may hold what was erased; as of the last ``catch_up``."""
        has_erased = any(place.shelf.erased != self._erased for place in self._places)
        return has_erased or self._waiting_bytes >= self._commit_bytes

    def write(self, *, compact: bool = False) -> None:
        """Put everything on disk. The caller sees to it that only one process does.

        Args:
            compact: make one segment of each table, as where something was removed.

        Raises:
            ConflictError: another process did since the last ``catch_up``.
            StorageError: the disk refused.
        """
        compact = compact or any(place.has_removed for place in self._places)
        for place in self._places:
            place.shelf.commit(place.cursor, erased=place.erased, compact=compact)
            place.waiting_bytes, place.has_removed = 0, False

    @property
    def _waiting_bytes(self) -> int:
        return sum(place.waiting_bytes for place in self._places)

    def _remove_erased(self) -> None:
        """Comparing all that the tables hold takes long, so only where the count tells of news."""
        behind = [place for place in self._places if place.erased != self._erased]
        held = {owner for place in behind for owner in place.shelf.list_owners()}
        gone = held - self._source.find_present(held) if held else set()
        for place in behind:
            place.erased = self._erased
            if gone:
                place.shelf.remove(gone)
                place.has_removed = True


def keep_tables(
    *,
    source: FingerprintSource,
    folder: Path,
    patience_s: float = 0.0,
    commit_bytes: int = COMMIT_BYTES,
    read_bytes_max: int = READ_BYTES_MAX,
) -> None:
    """Write what the source holds beyond the files, if that is worth it, and drop what was erased.

    Args:
        source: where codes come from.
        folder: where the files lie; made if it is missing.
        patience_s: how long to wait for another process that writes; then it is left to that one.
        commit_bytes: codes of so many bytes are worth writing.
        read_bytes_max: codes of so many bytes are written before more are read.

    Raises:
        StorageError: a file is damaged, or the disk refused; what was there still stands.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "writer.lock", timeout=patience_s):
            shelves = Shelves(source=source, folder=folder, commit_bytes=commit_bytes)
            while shelves.catch_up(read_bytes_max):
                shelves.write()
            if shelves.is_worth_writing:
                shelves.write()
                _drop_retired(folder, shelves.folders)
    except Timeout:
        _log.debug("Another process writes to %s", folder)
    except OSError as error:
        raise StorageError(
            f"the index in {folder} cannot be written: {error.strerror or error}",
            next_step="Free space there, or choose a home that can be written.",
        ) from error


def _drop_retired(folder: Path, tables: Collection[Path]) -> None:
    """Delete tables that no algorithm feeds any more: nothing erased is ever dropped from them."""
    for manifest in folder.glob("*/" + MANIFEST):
        if manifest.parent not in tables:
            shutil.rmtree(manifest.parent)
