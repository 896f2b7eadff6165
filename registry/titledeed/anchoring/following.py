"""Following the chain: blocks and the contract's events, exactly as the canonical chain has them.

A node is believed only as far as its answers fit: each near block names the one before it, and
each event carries the next sequence number and a running hash over all events before it, so that
one left out or made up shows. For the last events, which none follows, the contract itself is asked
at each head. What does not fit is refused, and nothing of it is stored.

A step adds a bounded stretch in one transaction, together with the removal of what a
reorganisation took away. So a process may die between any two lines, and several may follow at
once: whoever finds that another has moved the cursor looks again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from titledeed.errors import LedgerError, LedgerUnavailableError
from titledeed.models.ledger import Block, Confirmations, Cursor, LedgerEvent
from titledeed.ports import ChainRepository, Ledger, Progress, no_progress
from titledeed.proofs.events import NO_EVENTS, extend
from titledeed.proofs.rpc_values import OTHER_NODE

NEAR_BLOCKS: Final = 64
"""At least so many are read one by one, by hash; older ones by number, many at once."""
STEP_BLOCKS: Final = 256
STRETCH_BLOCKS: Final = 2_000
"""What nodes commonly allow one question about events to span."""
PAGE: Final = 1_000
MOVES_MAX: Final = 5
"""How often the chain may be reorganised while one step is read."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A stretch above ``fork`` (None: above nothing that was followed), ready to be stored."""

    fork: int | None
    blocks: tuple[Block, ...]
    events: tuple[LedgerEvent, ...]


class FollowingService:
    """Brings the index up to the node's head.

    Args:
        ledger: the chain.
        chain: what was followed so far.
        confirmations: of this chain.
        turn: keeps other followers of the same database out for the moment of storing. Whoever
            holds the same lock must not call this service.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        chain: ChainRepository,
        confirmations: Confirmations,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._ledger = ledger
        self._chain = chain
        self._confirmations = confirmations
        self._turn = turn
        self._near = max(NEAR_BLOCKS, confirmations.final)

    @property
    def is_live(self) -> bool:
        """See ``ports.Follower``."""
        return True

    def follow(self, progress: Progress = no_progress) -> Cursor:
        """Follow to the node's head.

        Raises:
            LedgerUnavailableError: the node is down, or behind what was followed, or its chain
                changes faster than it can be read.
            LedgerError: its answers do not fit together; nothing of them is stored.
        """
        ledger = self._ledger
        moves, is_rewound = 0, False
        while True:
            head, cursor = ledger.find_head(), self._chain.cursor()
            if cursor is not None and cursor.block.hash == head.hash:
                return cursor
            followed = self._chain.list_blocks()
            if followed[:1] != ([cursor.block] if cursor is not None else []):
                continue  # another follower was here meanwhile, perhaps up to this very head
            try:
                step = self._read(ledger, _find_fork(ledger, followed, head), head)
            except LedgerError as error:
                if not is_canonical(ledger, head):
                    moves += 1
                    if moves > MOVES_MAX:
                        raise LedgerUnavailableError(
                            "the chain changes faster than it can be read",
                            next_step="Try again later, or ask another node.",
                        ) from error
                    continue
                # An earlier answer may have left the last events out: once, read them again.
                if is_rewound or cursor is None:
                    raise
                is_rewound = True
                step = self._read(ledger, self._below_last_event(cursor), head)
            self._store(step, cursor)
            progress("Following the chain", step.blocks[-1].number / max(head.number, 1))

    def reread(self, number: int) -> Cursor:
        """Follow again from below a block of which an event seems to be missing.

        Raises:
            LedgerUnavailableError: as for ``follow``.
            LedgerError: as for ``follow``.
        """
        cursor = self.follow()
        self._store(self._read(self._ledger, number - 1, cursor.block), cursor)
        return self.follow()

    def is_final(self, number: int, cursor: Cursor) -> bool:
        """Whether so many blocks stand on top of a height that it counts as final."""
        return cursor.block.number - number >= self._confirmations.final

    def _read(self, ledger: Ledger, fork: int | None, head: Block) -> _Step:
        """The next stretch above a height, checked against what is stored up to there."""
        if fork is None:
            base, known = ledger.first_block() - 1, NO_EVENTS
        else:
            base, known = fork, self._chain.head_at(fork)
        if base >= head.number:
            raise LedgerUnavailableError(
                f"the node's chain ends at block {head.number}, before the contract was made",
                next_step="Wait until the node has caught up, or ask another.",
            )
        near, counted = head.number - self._near, None
        if base < near:
            last = min(base + STRETCH_BLOCKS, near)
            blocks = [_require_block(ledger, last)]
            events = ledger.list_events_between(base + 1, last)
        else:
            last = min(base + STEP_BLOCKS, head.number)
            # First, because a node soon forgets the state of a block that others stand on.
            counted = ledger.log_head(head) if last == head.number else None
            blocks = [_require_block(ledger, number) for number in range(base + 1, last)]
            blocks.append(head if last == head.number else _require_block(ledger, last))
            events = [event for block in blocks for event in ledger.list_events(block)]
        below = [block for block in self._chain.list_blocks() if block.number == base]
        _check_links(below + blocks)
        found = _check_events(events, known, blocks=blocks, span=(base + 1, last))
        if counted not in (None, found):
            raise LedgerError(
                f"the node shows {found[0]} events up to block {last}, which are not those that "
                "the contract counted",
                next_step=OTHER_NODE,
                block=last,
            )
        return _Step(fork, tuple(blocks), tuple(events))

    def _store(self, step: _Step, cursor: Cursor | None) -> None:
        with self._turn():
            # Another follower's work may be newer than ours: then look again.
            if self._chain.cursor() == cursor:
                self._chain.advance(
                    fork=step.fork,
                    blocks=step.blocks,
                    events=step.events,
                    confirmations=self._confirmations,
                )

    def _below_last_event(self, cursor: Cursor) -> int | None:
        last = self._chain.list_events(after=cursor.sequence - 1, limit=1)
        return last[0].block_number - 1 if last else None


class FollowedRows:
    """Implements ``ports.Follower`` where a home cannot be written: asks no chain.

    Args:
        chain: what was followed while the home could be written.
    """

    def __init__(self, chain: ChainRepository) -> None:
        self._chain = chain

    @property
    def is_live(self) -> bool:
        """See the port."""
        return False

    def follow(self, progress: Progress = no_progress) -> Cursor | None:
        """See the port."""
        del progress
        return self._chain.cursor()


def iter_events(chain: ChainRepository) -> Iterator[LedgerEvent]:
    """Every event that was followed, in order."""
    after = 0
    while page := chain.list_events(after=after, limit=PAGE):
        yield from page
        after = page[-1].sequence


def _find_fork(ledger: Ledger, followed: Sequence[Block], head: Block) -> int | None:
    """The highest followed height that the node's chain shares; None where there is none."""
    if not followed:
        return None
    for block in followed:
        if block.number < head.number:
            found = ledger.find_block(block.number)
            if found is not None and found.hash == block.hash:
                return block.number
        elif block.hash == head.hash:
            raise _behind(head, followed[0])
    if head.number < followed[-1].number:
        raise _behind(head, followed[0])
    return None


def _require_block(ledger: Ledger, number: int) -> Block:
    block = ledger.find_block(number)
    if block is None or block.number != number:
        raise LedgerError(
            f"the node shows no block {number} below its own head",
            next_step=OTHER_NODE,
            block=number,
        )
    return block


def _check_links(blocks: Sequence[Block]) -> None:
    """Each block names the one before it, where that one was read."""
    for parent, block in pairwise(blocks):
        if block.number == parent.number + 1 and block.parent_hash != parent.hash:
            raise LedgerError(
                f"the node's block {block.number} does not stand on block {parent.number}",
                next_step=OTHER_NODE,
                block=block.number,
            )


def _check_events(
    events: Sequence[LedgerEvent],
    known: tuple[int, bytes],
    *,
    blocks: Sequence[Block],
    span: tuple[int, int],
) -> tuple[int, bytes]:
    """No sequence number is skipped, and each running hash follows from the one before.

    Returns:
        The last of both.
    """
    read = {block.number: (block.hash, block.timestamp) for block in blocks}
    first, last = span
    for event in events:
        known = extend(known, event)
        stands = (event.block_hash, event.block_timestamp)
        if (
            not first <= event.block_number <= last
            or read.get(event.block_number, stands) != stands
        ):
            raise LedgerError(
                f"the node's event {event.sequence} is of another block than was asked for",
                next_step=OTHER_NODE,
                block=event.block_number,
            )
        first = event.block_number
    return known


def is_canonical(ledger: Ledger, block: Block) -> bool:
    """Whether the node still shows this block at its height."""
    found = ledger.find_block(block.number)
    return found is not None and found.hash == block.hash


def _behind(head: Block, followed: Block) -> LedgerUnavailableError:
    return LedgerUnavailableError(
        f"the chain that the node shows ends at block {head.number}, but this home has followed it "
        f"to block {followed.number}",
        next_step="Wait until the node has caught up, or ask another; a development chain that was "
        "cut comes back from a backup alone.",
    )
