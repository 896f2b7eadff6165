"""Reading a stretch of the chain: blocks and the contracts' events, checked against each other.

A node is believed only as far as its answers fit: each near block names the one before it, and
each event carries its contract's next sequence number and a running hash over all events before
it, so that one left out or made up shows. For the last events, which none follows, the contract
itself is asked at the head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from titledeed.errors import LedgerError
from titledeed.models.ledger import Block, LedgerEvent
from titledeed.models.primitives import Address
from titledeed.ports import Ledger
from titledeed.proofs.events import extend
from titledeed.proofs.rpc_values import OTHER_NODE

STEP_BLOCKS: Final = 256
STRETCH_BLOCKS: Final = 2_000
"""What nodes commonly allow one question about events to span."""

Known = tuple[int, bytes]
"""Sequence and running hash after the last event of a contract."""


@dataclass(frozen=True, slots=True)
class Span:
    """What is read next.

    Attributes:
        base: the height above which it begins.
        limit: the last block that may be read.
        near: so many blocks up to the limit are read one by one, by hash; older ones by number,
            many at once.
        known: what each contract had logged up to ``base``.
        followed: blocks that were read before, by height; they are not asked for again.
        is_counted: whether each contract is asked what it counted up to the limit. A node soon
            forgets the state of a block that others stand on.
    """

    base: int
    limit: Block
    near: int
    known: Mapping[Address, Known]
    followed: Mapping[int, Block]
    is_counted: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was read, and which contracts' events do not fit.

    Attributes:
        blocks: ascending; after a stretch by number only its last.
        faults: what is wrong, by contract; where there are any nothing here may be stored.
    """

    blocks: tuple[Block, ...]
    events: tuple[LedgerEvent, ...]
    faults: Mapping[Address, LedgerError]


def read_stretch(
    ledger: Ledger,
    span: Span,
    *,
    step_blocks: int = STEP_BLOCKS,
    stretch_blocks: int = STRETCH_BLOCKS,
) -> Stretch:
    """The next stretch of a span, as long as one step may be.

    Args:
        ledger: the chain.
        span: of which the first blocks are read.
        step_blocks: so many near blocks are read at most.
        stretch_blocks: so many older ones.

    Raises:
        LedgerUnavailableError: the node does not answer.
        LedgerError: the blocks do not fit together, or an event is of none of them.
    """
    contracts, far = list(span.known), span.limit.number - span.near
    counted: dict[Address, Known] = {}
    if span.base < far:
        last = min(span.base + stretch_blocks, far)
        blocks = [_find_block(ledger, span, last)]
        events = ledger.list_events_between(span.base + 1, last, contracts)
    else:
        last = min(span.base + step_blocks, span.limit.number)
        if span.is_counted and last == span.limit.number:
            counted = {one: ledger.log_head(one, span.limit) for one in contracts}
        blocks = [_find_block(ledger, span, number) for number in range(span.base + 1, last + 1)]
        events = [event for block in blocks for event in ledger.list_events(block, contracts)]
    below = span.followed.get(span.base)
    _check_links([below, *blocks] if below is not None else blocks)
    _check_heights(events, blocks=blocks, span=(span.base + 1, last))
    faults: dict[Address, LedgerError] = {}
    for contract, known in span.known.items():
        own = [event for event in events if event.contract == contract]
        try:
            _check_events(own, known, counted.get(contract), last=last)
        except LedgerError as error:
            faults[contract] = error
    return Stretch(tuple(blocks), tuple(events), faults)


def _find_block(ledger: Ledger, span: Span, number: int) -> Block:
    if number == span.limit.number:
        return span.limit
    return span.followed.get(number) or require_block(ledger, number)


def require_block(ledger: Ledger, number: int) -> Block:
    """The canonical block at a height below the node's head.

    Raises:
        LedgerUnavailableError: the node does not answer.
        LedgerError: it shows none.
    """
    block = ledger.find_block(number)
    if block is None or block.number != number:
        raise LedgerError(
            f"the node shows no block {number} below its own head", next_step=OTHER_NODE
        )
    return block


def is_canonical(ledger: Ledger, block: Block) -> bool:
    """Whether the node still shows this block at its height."""
    found = ledger.find_block(block.number)
    return found is not None and found.hash == block.hash


def _check_links(blocks: Sequence[Block]) -> None:
    """Each block names the one before it, where that one was read."""
    for parent, block in pairwise(blocks):
        if block.number == parent.number + 1 and block.parent_hash != parent.hash:
            raise LedgerError(
                f"the node's block {block.number} does not stand on block {parent.number}",
                next_step=OTHER_NODE,
            )


def _check_heights(
    events: Sequence[LedgerEvent], *, blocks: Sequence[Block], span: tuple[int, int]
) -> None:
    """Every event is of a block that was asked about, and they ascend."""
    read = {block.number: (block.hash, block.timestamp) for block in blocks}
    first, last = span
    for event in events:
        stands = (event.block_hash, event.block_timestamp)
        if (
            not first <= event.block_number <= last
            or read.get(event.block_number, stands) != stands
        ):
            raise LedgerError(
                f"the node's event {event.sequence} is of another block than was asked for",
                next_step=OTHER_NODE,
            )
        first = event.block_number


def _check_events(
    events: Sequence[LedgerEvent], known: Known, counted: Known | None, *, last: int
) -> None:
    """No sequence number is skipped, and each running hash follows from the one before."""
    for event in events:
        known = extend(known, event)
    if counted not in (None, known):
        raise LedgerError(
            f"the node shows {known[0]} events up to block {last}, which are not those that the "
            "contract counted",
            next_step=OTHER_NODE,
        )
