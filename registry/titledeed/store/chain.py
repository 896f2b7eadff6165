"""What was followed of the chain: recent blocks, and all events of each contract."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Final

from sqlalchemy import delete, insert, tuple_
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
from titledeed.proofs.events import NO_EVENTS
from titledeed.store import tables
from titledeed.store.database import Database
from titledeed.store.event_rows import event_columns, event_value
from titledeed.store.submissions import settle, unsettle

BLOCKS_KEPT: Final = 256
"""A fork is found among these; no chain was ever reorganised so deeply, and where one is, the
contracts' events are read again from the first."""

WORDS_AT_ONCE: Final = 10_000
"""SQLite takes 32,766 values in one statement."""

_HEIGHT_MAX: Final = 2**63 - 1


class SqlChain:
    """Implements ``ports.ChainRepository``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cursor(self, contract: Address) -> Cursor | None:
        """See the port."""
        with self._database.read() as session:
            row = session.get(tables.CursorRow, contract)
            if row is None:
                return None
            return Cursor(_block_value(row), *_head_at(session, contract, row.number))

    def list_blocks(self) -> list[Block]:
        """See the port."""
        with self._database.read() as session:
            return [_block_value(row) for row in _read_blocks(session, limit=None)]

    def advance(
        self,
        *,
        contracts: Collection[Address],
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
        last = blocks[-1].number if blocks else shared
        _require_span(shared, last, blocks, events)
        with self._database.write() as session:
            for contract in contracts:
                _require_followed(session, contract, shared)
            for row in session.exec(select(tables.CursorRow)).all():
                _rewind(session, row, shared, stays=bool(blocks) and row.contract in contracts)
            session.execute(delete(tables.BlockRow).where(col(tables.BlockRow.number) > shared))
            _require_links(_read_blocks(session, limit=1), blocks)
            _add_events(session, contracts, events)
            if blocks:
                _add_blocks(session, blocks, confirmations)
                _move_cursors(session, contracts, blocks[-1])
            settle(session)

    def catch_up(
        self,
        contract: Address,
        *,
        fork: int | None,
        block: Block,
        events: Sequence[LedgerEvent],
    ) -> None:
        """See the port.

        Raises:
            InvariantViolation: the block was not followed, or the events do not link; nothing was
                changed.
        """
        shared = -1 if fork is None else fork
        _require_span(shared, block.number, [block], events)
        with self._database.write() as session:
            newest = _read_blocks(session, limit=1)
            kept = session.get(tables.BlockRow, block.number)
            if not newest or block.number > (newest[0].number or 0):
                raise InvariantViolation(f"block {block.number} was not followed yet")
            if kept is not None and _block_value(kept) != block:
                raise InvariantViolation(f"another block {block.number} was followed")
            _require_followed(session, contract, shared)
            _forget_events(session, contract, above=shared)
            _add_events(session, [contract], events)
            _move_cursors(session, [contract], block)
            settle(session)

    def head_at(self, contract: Address, number: int) -> tuple[int, bytes]:
        """See the port."""
        with self._database.read() as session:
            return _head_at(session, contract, number)

    def list_events(self, contract: Address, *, after: int, limit: int) -> list[LedgerEvent]:
        """See the port."""
        with self._database.read() as session:
            rows = session.exec(
                select(tables.EventRow)
                .where(col(tables.EventRow.contract) == contract)
                .where(col(tables.EventRow.sequence) > after)
                .order_by(col(tables.EventRow.sequence))
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
        found: dict[tuple[int, Address, int], LedgerEvent] = {}
        with self._database.read() as session:
            for role, words in _chunk(mentions):
                mentioned = select(tables.MentionRow.contract, tables.MentionRow.sequence).where(
                    col(tables.MentionRow.role) == role.value,
                    col(tables.MentionRow.word).in_(words),
                )
                key = tuple_(col(tables.EventRow.contract), col(tables.EventRow.sequence))
                for row in session.exec(select(tables.EventRow).where(key.in_(mentioned))):
                    event = event_value(row)
                    found[event.place] = event
        return [found[place] for place in sorted(found)]


def _chunk(mentions: Sequence[Mention]) -> Iterator[tuple[MentionRole, list[bytes]]]:
    """The words of each role, each once, no more than one statement takes."""
    for role in MentionRole:
        words = sorted({mention.word for mention in mentions if mention.role is role})
        for start in range(0, len(words), WORDS_AT_ONCE):
            yield role, words[start : start + WORDS_AT_ONCE]


def _head_at(session: Session, contract: str, number: int) -> tuple[int, bytes]:
    last = session.exec(
        select(tables.EventRow.sequence, tables.EventRow.head)
        .where(col(tables.EventRow.contract) == contract)
        .where(col(tables.EventRow.block_number) <= number)
        .order_by(col(tables.EventRow.sequence).desc())
        .limit(1)
    ).first()
    return last if last is not None else NO_EVENTS


def _read_blocks(
    session: Session, *, limit: int | None, highest: int | None = None
) -> Sequence[tables.BlockRow]:
    """Newest first."""
    below = () if highest is None else (col(tables.BlockRow.number) <= highest,)
    newest_first = col(tables.BlockRow.number).desc()
    return session.exec(
        select(tables.BlockRow).where(*below).order_by(newest_first).limit(limit)
    ).all()


def _block_value(row: tables.BlockRow | tables.CursorRow) -> Block:
    return Block(
        number=row.number or 0,
        hash=BlockHash(Keccak256(row.hash)),
        parent_hash=BlockHash(Keccak256(row.parent_hash)),
        timestamp=row.timestamp,
    )


def _rewind(session: Session, row: tables.CursorRow, shared: int, *, stays: bool) -> None:
    """Forget what a contract logged above a height, and move its cursor below.

    Args:
        session: of the change.
        row: the cursor.
        shared: the height.
        stays: whether the caller moves the cursor itself.
    """
    if row.number <= shared:
        return
    _forget_events(session, row.contract, above=shared)
    if stays:
        return
    kept = _read_blocks(session, limit=1, highest=shared)
    if kept:
        landing = _block_value(kept[0])
        _forget_events(session, row.contract, above=landing.number)
        _move_cursors(session, [row.contract], landing)
    else:
        _forget_events(session, row.contract, above=-1)
        session.delete(row)
        session.flush()


def _forget_events(session: Session, contract: str, *, above: int) -> None:
    known, _ = _head_at(session, contract, above)
    unsettle(session, contract, after=known)
    session.execute(
        delete(tables.EventRow).where(
            col(tables.EventRow.contract) == contract, col(tables.EventRow.sequence) > known
        )
    )


def _move_cursors(session: Session, contracts: Collection[str], block: Block) -> None:
    for contract in contracts:
        session.merge(
            tables.CursorRow(
                contract=contract,
                number=block.number,
                hash=block.hash,
                parent_hash=block.parent_hash,
                timestamp=block.timestamp,
            )
        )
    session.flush()


def _add_events(
    session: Session, contracts: Collection[Address], events: Sequence[LedgerEvent]
) -> None:
    """What stands below was forgotten: each contract's go on where its last one is."""
    for contract in contracts:
        known, _ = _head_at(session, contract, _HEIGHT_MAX)
        _require_sequence(known, [event for event in events if event.contract == contract])
    foreign = {event.contract for event in events}.difference(contracts)
    if foreign:
        raise InvariantViolation(f"an event is of {min(foreign)}, which is not followed")
    if not events:
        return
    connection = session.connection()
    connection.execute(insert(tables.EventRow), [event_columns(event) for event in events])
    mentions = {
        (mention.role.value, mention.word, event.contract, event.sequence)
        for event in events
        for mention in kind_of(event.body).mentions(event.body)
    }
    if mentions:
        names = ("role", "word", "contract", "sequence")
        connection.execute(
            insert(tables.MentionRow), [dict(zip(names, row, strict=True)) for row in mentions]
        )


def _add_blocks(session: Session, blocks: Sequence[Block], confirmations: Confirmations) -> None:
    session.connection().execute(
        insert(tables.BlockRow),
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
    session.execute(delete(tables.BlockRow).where(col(tables.BlockRow.number) <= oldest))


def _require_followed(session: Session, contract: str, shared: int) -> None:
    """No block is left out; the sequence number tells of a contract that is new."""
    row = session.get(tables.CursorRow, contract)
    if row is not None and row.number < shared:
        raise InvariantViolation(
            f"{contract} was followed to block {row.number}, and not to {shared}"
        )


def _require_span(
    shared: int, last: int, blocks: Sequence[Block], events: Sequence[LedgerEvent]
) -> None:
    """Everything stands above the fork, and every event at or below the last block."""
    heights = [event.block_number for event in events]
    if any(block.number <= shared for block in blocks):
        raise InvariantViolation(f"a block to add stands at or below the fork {shared}")
    if heights != sorted(heights) or not all(shared < height <= last for height in heights):
        raise InvariantViolation(f"events must ascend above block {shared} up to block {last}")
    hashes = {block.number: block.hash for block in blocks}
    for event in events:
        if hashes.get(event.block_number, event.block_hash) != event.block_hash:
            raise InvariantViolation(f"event {event.sequence} is of another block than was added")


def _require_links(newest: Sequence[tables.BlockRow], blocks: Sequence[Block]) -> None:
    """Each block names the one before it; only the first may stand higher than that."""
    for parent, block in pairwise(blocks):
        if block.number != parent.number + 1 or block.parent_hash != parent.hash:
            raise InvariantViolation(f"block {block.number} does not stand on {parent.number}")
    for parent, block in zip(map(_block_value, newest), blocks[:1], strict=False):
        if block.number == parent.number + 1 and block.parent_hash != parent.hash:
            raise InvariantViolation(f"block {block.number} does not stand on the fork")


def _require_sequence(known: int, events: Sequence[LedgerEvent]) -> None:
    """No sequence number is left out."""
    for expected, event in enumerate(events, start=known + 1):
        if event.sequence != expected:
            raise InvariantViolation(f"event {event.sequence} came where {expected} was due")
