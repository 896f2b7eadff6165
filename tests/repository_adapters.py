"""The databases that the contract suites run against, and steps that they share."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Final

import builders

from titledeed.canonical.hashing import keccak256
from titledeed.canonical.merkle import MerkleTree
from titledeed.models.bundle import Bundle
from titledeed.models.evidence import Anchor, SignedTransaction
from titledeed.models.ledger import (
    Anchored,
    Block,
    Confirmations,
    EventBody,
    LedgerEvent,
    Submission,
)
from titledeed.models.primitives import Address, BlockHash, TransactionHash
from titledeed.models.registration import Batch, Registration, Visibility
from titledeed.ports import Repositories
from titledeed.store.database import sqlite_url
from titledeed.store.repositories import SqlRepositories

SENDER: Final = builders.build_address(8_000)
CONTRACT: Final = builders.build_chain().contract
NEVER: Final = Confirmations(safe=10_000, final=20_000)
"""Everything stays ``included``."""


@cache
def empty_database() -> bytes:
    """The file of a database without rows: migrating once is enough for all tests of a process."""
    with tempfile.TemporaryDirectory() as folder:
        _connect(Path(folder)).close()
        return _database_path(Path(folder)).read_bytes()


def _database_path(folder: Path) -> Path:
    return folder / "store.sqlite3"


def _connect(folder: Path, *, writer_timeout_s: float = 0.2) -> SqlRepositories:
    return SqlRepositories(
        url=sqlite_url(_database_path(folder)),
        lock_path=folder / "locks" / "sender",
        writer_timeout_s=writer_timeout_s,
    )


def open_sqlite(folder: Path, *, writer_timeout_s: float = 0.2) -> SqlRepositories:
    """The database in a folder, which is made; an empty one the first time.

    Args:
        folder: of a home.
        writer_timeout_s: how long one who sends waits for another, where a test lets two send.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not _database_path(folder).exists():
        _database_path(folder).write_bytes(empty_database())
    return _connect(folder, writer_timeout_s=writer_timeout_s)


@contextmanager
def without_table(folder: Path, name: str) -> Iterator[None]:
    """A database that fails in the middle of the transactions that use this table."""

    def rename(old: str, new: str) -> None:
        with closing(sqlite3.connect(_database_path(folder))) as connection:
            connection.execute("PRAGMA legacy_alter_table = ON")
            connection.execute(f"ALTER TABLE {old} RENAME TO {new}")
            connection.commit()

    rename(name, "hidden")
    try:
        yield
    finally:
        rename("hidden", name)


@contextmanager
def _open_sqlite(folder: Path) -> Iterator[Repositories]:
    repositories = open_sqlite(folder)
    yield repositories
    repositories.close()


ADAPTERS: dict[str, Callable[[Path], AbstractContextManager[Repositories]]] = {
    "sqlite": _open_sqlite,
}


def accept(repositories: Repositories, *registrations: Registration) -> None:
    for registration in registrations:
        repositories.registrations.accept(registration, [])


def imported(bundle: Bundle, snapshot_id: str = "snapshot") -> Registration:
    return builders.build_registration(
        bundle.dossier,
        bundle=bundle,
        snapshot_id=snapshot_id,
        visibility=Visibility.PUBLISHED,
    )


def replacement(transaction: SignedTransaction, number: int = 1) -> SignedTransaction:
    """Another transaction of the same nonce."""
    raw = builders.seeded_bytes(f"replacement {number}", transaction.nonce, 120)
    return SignedTransaction(raw, TransactionHash(keccak256(raw)), transaction.nonce)


def batch_of(registrations: Sequence[Registration], *, nonce: int = 0) -> Batch:
    """A signed batch of these registrations, without an anchor."""
    return Batch(
        root=MerkleTree([registration.leaf for registration in registrations]).root,
        registration_ids=tuple(item.registration_id for item in registrations),
        sender=SENDER,
        attempts=(builders.build_transaction(nonce),),
    )


def block_at(number: int, *, branch: int = 0, fork: int = 0, timestamp: int = 0) -> Block:
    """A block of a branch that leaves branch 0 above block ``fork``."""
    return Block(
        number=number,
        hash=_block_hash(number, branch if number > fork else 0),
        parent_hash=_block_hash(number - 1, branch if number > fork + 1 else 0),
        timestamp=timestamp or builders.EPOCH + 10 * number,
    )


def blocks_between(first: int, last: int, *, branch: int = 0, fork: int = 0) -> list[Block]:
    return [block_at(number, branch=branch, fork=fork) for number in range(first, last + 1)]


def event_in(
    block: Block,
    sequence: int,
    body: EventBody,
    *,
    transaction: TransactionHash | None = None,
    contract: Address = CONTRACT,
) -> LedgerEvent:
    """An event in a block; its running hash is of no meaning, as the store does not judge it."""
    return LedgerEvent(
        body=body,
        contract=contract,
        sequence=sequence,
        head=builders.seeded_bytes(f"head {block.hash.hex()}", sequence, 20),
        transaction=transaction or TransactionHash(keccak256(block.hash, bytes([sequence % 256]))),
        block_number=block.number,
        block_hash=block.hash,
        block_timestamp=block.timestamp,
    )


def anchored_in(block: Block, sequence: int, batch: Batch) -> LedgerEvent:
    """The event of a batch, in the last of its attempts."""
    body = Anchored(batch.root, batch.sender, len(batch.registration_ids))
    return event_in(block, sequence, body, transaction=batch.attempts[-1].hash)


def anchor_of(event: LedgerEvent) -> Anchor:
    """The anchor that an ``Anchored`` event tells of."""
    assert isinstance(event.body, Anchored)
    return Anchor(
        root=event.body.root,
        size=event.body.size,
        caller=event.body.caller,
        sequence=event.sequence,
        transaction=event.transaction,
        block_number=event.block_number,
        block_hash=event.block_hash,
        block_timestamp=event.block_timestamp,
    )


def follow(
    repositories: Repositories,
    block: Block,
    *events: LedgerEvent,
    confirmations: Confirmations = NEVER,
) -> None:
    """Add one block above what was followed."""
    cursor = repositories.followed.cursor(CONTRACT)
    repositories.followed.advance(
        contracts=[CONTRACT],
        fork=cursor.block.number if cursor is not None else None,
        blocks=[block],
        events=events,
        confirmations=confirmations,
    )


def submit(repositories: Repositories, *registrations: Registration, nonce: int = 0) -> Submission:
    """Accept and batch registrations."""
    accept(repositories, *registrations)
    return add_batch(repositories, batch_of(registrations, nonce=nonce), builders.EPOCH)


def add_batch(repositories: Repositories, batch: Batch, sent_at: int = 1) -> Submission:
    """Store a batch that is anchored in the builders' contract."""
    return repositories.outbox.add_batch(batch, contract=CONTRACT, sent_at=sent_at)


def anchor(
    repositories: Repositories,
    *registrations: Registration,
    sequence: int = 1,
    timestamp: int = 0,
) -> Batch:
    """Batch accepted registrations and follow the block that holds their anchor."""
    batch = batch_of(registrations, nonce=sequence - 1)
    add_batch(repositories, batch, builders.EPOCH)
    block = block_at(100 + sequence, timestamp=timestamp)
    follow(repositories, block, anchored_in(block, sequence, batch))
    return batch


def _block_hash(number: int, branch: int) -> BlockHash:
    return BlockHash(keccak256(builders.seeded_bytes(f"block of {branch}", number)))
