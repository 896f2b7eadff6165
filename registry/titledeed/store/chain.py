"""What was followed of the chain: recent blocks, and all events of the contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from sqlalchemy import delete, insert
from sqlmodel import Session, col, select

from titledeed.errors import InvariantViolation
from titledeed.models.ledger import (
    Block,
    Confirmations,
    Cursor,
    LedgerEvent,
    Mention,
    MentionRole,
)
from titledeed.models.primitives import Address, BlockHash, Keccak256
from titledeed.proofs.event_kinds import key_mention, kind_of
from titledeed.store import tables
from titledeed.store.database import Database
from titledeed.store.event_rows import event_columns, event_value
from titledeed.store.submissions import settle, unsettle

BLOCKS_KEPT: Final = 256
"""A fork is found among these; no chain was ever reorganised so deeply, and where one is, the
contract's events are read again from the first."""

WORDS_AT_ONCE: Final = 10_000
"""SQLite takes 32,766 values in one statement."""

_NO_HEAD: Final = bytes(20)


class SqlChain:
    """Implements ``ports.ChainRepository``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cursor(self) -> Cursor | None:
        """See the port."""
        with self._database.read() as session:
            newest = _read_blocks(session, limit=1)
            if not newest:
                return None
            return Cursor(newest[0], *_head_at(session, newest[0].number))

    def list_blocks(self) -> list[Block]:
        """See the port."""
        with self._database.read() as session:
            return _read_blocks(session, limit=None)

    def advance(
        self,
        *,
        fork: int | None,
        blocks: Sequence[Block],
        events: Sequence[LedgerEvent],
        confirmations: Confirmations,
    ) -> None:
        """See the port.

        Raises:
            InvariantViolation: blocks or events do not link; nothing was changed.
        """
        shared = -1 if fork is None else fork
        _require_span(shared, blocks, events)
        with self._database.write() as session:
            known, _ = _head_at(session, shared)
            _forget(session, number=shared, sequence=known)
            _require_links(_read_blocks(session, limit=1), blocks)
            _require_sequence(known, events)
            _add_events(session, events)
            _add_blocks(session, blocks, confirmations)
            settle(session)

    def head_at(self, number: int) -> tuple[int, bytes]:
        """See the port."""
        with self._database.read() as session:
            return _head_at(session, number)

    def list_events(self, *, after: int, limit: int) -> list[LedgerEvent]:
        """See the port."""
        with self._database.read() as session:
            rows = session.exec(
                select(tables.Event)
                .where(col(tables.Event.sequence) > after)
                .order_by(col(tables.Event.sequence))
                .limit(limit)
            )
            return [event_value(row) for row in rows]

    def list_about(self, subjects: Sequence[bytes]) -> list[LedgerEvent]:
        """See the port."""
        return self.list_mentioning([Mention(MentionRole.ABOUT, word) for word in subjects])

    def list_declarations(self, keys: Sequence[Address]) -> list[LedgerEvent]:
        """See the port."""
        return self.list_mentioning([key_mention(key) for key in keys])

    def list_mentioning(self, mentions: Sequence[Mention]) -> list[LedgerEvent]:
        """See the port."""
        found: dict[int, LedgerEvent] = {}
        with self._database.read() as session:
            for role, words in _chunk(mentions):
                mentioned = select(tables.Mention.sequence).where(
                    col(tables.Mention.role) == role.value, col(tables.Mention.word).in_(words)
                )
                for row in session.exec(
                    select(tables.Event).where(col(tables.Event.sequence).in_(mentioned))
                ):
                    event = event_value(row)
                    found[event.sequence] = event
        return [found[sequence] for sequence in sorted(found)]


def _chunk(mentions: Sequence[Mention]) -> Iterator[tuple[MentionRole, list[bytes]]]:
    """The words of each role, each once, no more than one statement takes."""
    for role in MentionRole:
        words = sorted({mention.word for mention in mentions if mention.role is role})
        for start in range(0, len(words), WORDS_AT_ONCE):
            yield role, words[start : start + WORDS_AT_ONCE]


def _head_at(session: Session, number: int) -> tuple[int, bytes]:
    last = session.exec(
        select(tables.Event.sequence, tables.Event.head)
        .where(col(tables.Event.block_number) <= number)
        .order_by(col(tables.Event.sequence).desc())
        .limit(1)
    ).first()
    if last is None:
        return 0, _NO_HEAD
    sequence, head = last
    return sequence or 0, head


def _read_blocks(session: Session, *, limit: int | None) -> list[Block]:
    rows = session.exec(select(tables.Block).order_by(col(tables.Block.number).desc()).limit(limit))
    return [
        Block(
            number=row.number or 0,
            hash=BlockHash(Keccak256(row.hash)),
            parent_hash=BlockHash(Keccak256(row.parent_hash)),
            timestamp=row.timestamp,
        )
        for row in rows
    ]


def _forget(session: Session, *, number: int, sequence: int) -> None:
    """Forget blocks above a height and events after a sequence number."""
    unsettle(session, after=sequence)
    session.execute(delete(tables.Event).where(col(tables.Event.sequence) > sequence))
    session.execute(delete(tables.Block).where(col(tables.Block.number) > number))


def _add_events(session: Session, events: Sequence[LedgerEvent]) -> None:
    if not events:
        return
    connection = session.connection()
    connection.execute(insert(tables.Event), [event_columns(event) for event in events])
    mentions = {
        (mention.role.value, mention.word, event.sequence)
        for event in events
        for mention in kind_of(event.body).mentions(event.body)
    }
    if mentions:
        names = ("role", "word", "sequence")
        connection.execute(
            insert(tables.Mention), [dict(zip(names, row, strict=True)) for row in mentions]
        )


def _add_blocks(session: Session, blocks: Sequence[Block], confirmations: Confirmations) -> None:
    if not blocks:
        return
    session.connection().execute(
        insert(tables.Block),
        [
            {
                "number": block.number,
                "hash": block.hash,
                "parent_hash": block.parent_hash,
                "timestamp": block.timestamp,
                "safe_number": block.number - confirmations.safe,
                "final_number": block.number - confirmations.final,
            }
            for block in blocks[-BLOCKS_KEPT:]
        ],
    )
    oldest = blocks[-1].number - BLOCKS_KEPT
    session.execute(delete(tables.Block).where(col(tables.Block.number) <= oldest))


def _require_span(shared: int, blocks: Sequence[Block], events: Sequence[LedgerEvent]) -> None:
    """Everything stands above the fork, and every event at or below the last block."""
    last = blocks[-1].number if blocks else shared
    heights = [event.block_number for event in events]
    if any(block.number <= shared for block in blocks):
        raise InvariantViolation(f"a block to add stands at or below the fork {shared}")
    if heights != sorted(heights) or not all(shared < height <= last for height in heights):
        raise InvariantViolation(f"events must ascend above block {shared} up to block {last}")
    hashes = {block.number: block.hash for block in blocks}
    for event in events:
        if hashes.get(event.block_number, event.block_hash) != event.block_hash:
            raise InvariantViolation(f"event {event.sequence} is of another block than was added")


def _require_links(newest: Sequence[Block], blocks: Sequence[Block]) -> None:
    """Each block names the one before it; only the first may stand higher than that."""
    for parent, block in pairwise(blocks):
        if block.number != parent.number + 1 or block.parent_hash != parent.hash:
            raise InvariantViolation(f"block {block.number} does not stand on {parent.number}")
    for parent, block in zip(newest, blocks[:1], strict=False):
        if block.number == parent.number + 1 and block.parent_hash != parent.hash:
            raise InvariantViolation(f"block {block.number} does not stand on the fork")


def _require_sequence(known: int, events: Sequence[LedgerEvent]) -> None:
    """No sequence number is left out."""
    for expected, event in enumerate(events, start=known + 1):
        if event.sequence != expected:
            raise InvariantViolation(f"event {event.sequence} came where {expected} was due")
