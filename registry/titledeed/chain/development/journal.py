"""The journal of a development chain: what its blocks were mined from, one JSON line each.

A line is durable (fsync) before its block is mined anywhere. The journal is the chain: any process
replays it and gets the same block hashes. A torn last line was acknowledged to nobody, so readers
pass over it and the next writer cuts it off; damage anywhere else is an error.

Appending needs the lock that ``development`` holds; reading whole lines needs none.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from titledeed.canonical.documents import (
    Fields,
    Json,
    digest_document,
    encode_document,
    hex_word,
    parse_document,
)
from titledeed.canonical.evidence.bundles import TRANSACTION_LENGTH_MAX
from titledeed.durability import PRIVATE_MODE, sync_folder
from titledeed.errors import MalformedDocumentError, StorageError
from titledeed.models.primitives import BlockHash, Keccak256

JOURNAL_NAME: Final = "journal.jsonl"
TRANSACTIONS_MAX: Final = 500
"""In one block, so that a replay never leaves more than these unmined in anvil's pool. Our own
blocks hold one."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One block to be mined.

    Attributes:
        number: of the block, from 1 without a gap.
        timestamp: of the block, seconds since 1970; later than its parent's.
        parent_hash: binds the entry to everything before it.
        transactions: raw bytes, in order.
    """

    number: int
    timestamp: int
    parent_hash: BlockHash
    transactions: tuple[bytes, ...]


class Journal:
    """One reader's and writer's place in a journal file.

    Attributes:
        number: of the last entry read or appended; 0 before the first.
        timestamp: of the same.
    """

    def __init__(self, path: Path, *, genesis_timestamp: int) -> None:
        self._path = path
        self._offset = 0
        self.number = 0
        self.timestamp = genesis_timestamp

    def has_news(self) -> bool:
        """Whether bytes follow the last entry that was read.

        Raises:
            StorageError: the file cannot be read, or is shorter than it was.
        """
        try:
            length = self._path.stat().st_size
        except FileNotFoundError:
            length = 0
        except OSError as error:
            raise StorageError(
                f"cannot read {self._path}: {error.strerror}", path=self._path
            ) from error
        if length < self._offset:
            raise StorageError(
                f"{self._path} is shorter than it was",
                next_step="Restore the home folder from a backup.",
                path=self._path,
            )
        return length > self._offset

    def read_new(self) -> list[JournalEntry]:
        """The whole lines that follow, oldest first.

        Raises:
            StorageError: a whole line is damaged, or the file cannot be read.
        """
        if not self.has_news():
            return []
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                lines, _, _ = file.read().rpartition(b"\n")
        except OSError as error:
            raise StorageError(
                f"cannot read {self._path}: {error.strerror}", path=self._path
            ) from error
        entries = []
        for line in lines.split(b"\n") if lines else ():
            entry = self._parse(line)
            entries.append(entry)
            self._advance(entry, len(line) + 1)
        return entries

    def append(self, entry: JournalEntry) -> None:
        """Add an entry after the last one read, durably, and cut off a torn line there.

        Raises:
            StorageError: the disk is full or read-only; the entry may then stand torn.
        """
        line = encode_document(_seal(entry)) + b"\n"
        try:
            is_new = not self._path.exists()
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, PRIVATE_MODE)
            with os.fdopen(descriptor, "r+b") as file:
                file.truncate(self._offset)
                file.seek(self._offset)
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            if is_new:
                sync_folder(self._path.parent)
        except OSError as error:
            raise StorageError(
                f"cannot write {self._path}: {error.strerror}",
                next_step="Free some disk space, then try again.",
                path=self._path,
            ) from error
        self._advance(entry, len(line))

    def _advance(self, entry: JournalEntry, length: int) -> None:
        self._offset += length
        self.number, self.timestamp = entry.number, entry.timestamp

    def _parse(self, line: bytes) -> JournalEntry:
        where = f"block {self.number + 1} of {self._path}"
        try:
            entry = _open(parse_document(line, what=where))
        except MalformedDocumentError as error:
            raise _damaged(error.message) from error
        if entry.number != self.number + 1 or entry.timestamp <= self.timestamp:
            raise _damaged(f"{where} does not follow the block before it")
        return entry


def _damaged(message: str) -> StorageError:
    return StorageError(
        f"the journal is damaged: {message}", next_step="Restore the home folder from a backup."
    )


def _encode(entry: JournalEntry) -> dict[str, Json]:
    return {
        "number": entry.number,
        "timestamp": entry.timestamp,
        "parent_hash": hex_word(entry.parent_hash),
        "transactions": [{"raw": hex_word(raw)} for raw in entry.transactions],
    }


def _seal(entry: JournalEntry) -> dict[str, Json]:
    document = _encode(entry)
    return document | {"checksum": digest_document(document).hex()}


def _open(fields: Fields) -> JournalEntry:
    checksum = fields.sha256("checksum")
    entry = JournalEntry(
        number=fields.integer("number", minimum=1),
        timestamp=fields.integer("timestamp"),
        parent_hash=BlockHash(Keccak256(fields.word("parent_hash"))),
        transactions=tuple(
            _parse_transaction(item)
            for item in fields.children("transactions", items_max=TRANSACTIONS_MAX)
        ),
    )
    fields.done()
    if digest_document(_encode(entry)) != checksum:
        raise fields.fail("checksum", "does not fit the line")
    return entry


def _parse_transaction(fields: Fields) -> bytes:
    raw = fields.hexadecimal("raw", length_max=TRANSACTION_LENGTH_MAX)
    fields.done()
    return raw
