"""Following the chain: blocks and the contracts' events, exactly as the canonical chain has them.

What ``reading`` finds not to fit is refused, and nothing of it is stored.

All contracts of the home go on together: a step adds a bounded stretch of blocks and the events of
each in one transaction, together with the removal of what a reorganisation took away. A contract
that was added to the home later is brought up to the others first, from its own first block. So a
process may die between any two lines, and several may follow at once: whoever finds that another
has moved a cursor looks again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final

from titledeed.anchoring.reading import (
    STEP_BLOCKS,
    STRETCH_BLOCKS,
    Span,
    Stretch,
    is_canonical,
    read_stretch,
)
from titledeed.errors import InvariantViolation, LedgerError, LedgerUnavailableError
from titledeed.models.ledger import Block, Confirmations, Cursor, DeployedContract, LedgerEvent
from titledeed.models.primitives import Address
from titledeed.ports import ChainRepository, Ledger, Progress, no_progress
from titledeed.proofs.events import NO_EVENTS

NEAR_BLOCKS: Final = 64
"""At least so many are read one by one, by hash; older ones by number, many at once."""
PAGE: Final = 1_000
MOVES_MAX: Final = 5
"""How often the chain may be reorganised while one step is read."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was followed when a step began.

    Attributes:
        blocks: newest first.
        cursors: None for a contract that was not followed yet.
    """

    blocks: tuple[Block, ...]
    cursors: Mapping[DeployedContract, Cursor | None]

    @property
    def newest(self) -> Block | None:
        return self.blocks[0] if self.blocks else None

    def list_standing(self, fork: int | None) -> list[DeployedContract]:
        """Contracts that were followed to a height, or begin above it."""
        if fork is None:
            return list(self.cursors)
        return [one for one in self.cursors if self.reached(one) >= fork]

    def find_late(self) -> DeployedContract | None:
        """The first contract that is behind the others."""
        top = self.newest
        behind = (one for one in self.cursors if top and self.reached(one) < top.number)
        return next(behind, None)

    def reached(self, contract: DeployedContract) -> int:
        """The height up to which nothing of a contract is missing."""
        cursor = self.cursors[contract]
        return contract.first_block - 1 if cursor is None else cursor.block.number


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a step is about.

    Attributes:
        fork: above which it begins; None: above nothing that was followed.
        late: the contract that catches up, alone and up to what was followed; else all go on.
    """

    contracts: tuple[DeployedContract, ...]
    fork: int | None
    limit: Block
    late: DeployedContract | None = None


class FollowingService:
    """Brings the index up to the node's head.

    Args:
        ledger: the chain.
        chain: what was followed so far.
        confirmations: of this chain.
        turn: keeps other followers of the same database out for the moment of storing. Whoever
            holds the same lock must not call this service.
        step_blocks: so many blocks that are read one by one make a step.
        stretch_blocks: so many that are read at once, by number.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        chain: ChainRepository,
        confirmations: Confirmations,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
        step_blocks: int = STEP_BLOCKS,
        stretch_blocks: int = STRETCH_BLOCKS,
    ) -> None:
        self._ledger = ledger
        self._chain = chain
        self._confirmations = confirmations
        self._turn = turn
        self._step_blocks = step_blocks
        self._stretch_blocks = stretch_blocks
        self._near = max(NEAR_BLOCKS, confirmations.final)

    @property
    def is_live(self) -> bool:
        """See ``ports.Follower``."""
        return True

    def follow(self, progress: Progress = no_progress) -> Cursor:
        """Follow to the node's head.

        Returns:
            The cursor of the core contract; all others stand at the same block.

        Raises:
            LedgerUnavailableError: the node is down, or behind what was followed, or its chain
                changes faster than it can be read.
            LedgerError: its answers do not fit together; nothing of them is stored.
        """
        moves, is_doubted = 0, False
        while True:
            head, seen = self._ledger.find_head(), self._look()
            if seen.newest is not None and seen.newest.hash == head.hash and not seen.find_late():
                return self._core_cursor(seen)
            plan, stretch, refusal = self._try(seen, head)
            if refusal is not None:
                if self._look() != seen:
                    continue  # another follower was here meanwhile, perhaps up to this very head
                if not is_canonical(self._ledger, head):
                    moves += 1
                    _require_patience(moves, refusal)
                    continue
                # An earlier answer may have left the last events out: once, read them again.
                if is_doubted or seen.newest is None:
                    raise refusal
                is_doubted = True
                plan = self._doubt(plan, seen, stretch.faults, head)
                stretch = self._read(plan, seen, head)
            self._store(plan, stretch, seen)
            progress("Following the chain", stretch.blocks[-1].number / max(head.number, 1))

    def reread(self, number: int) -> Cursor:
        """Follow again from below a block of which an event seems to be missing.

        Raises:
            LedgerUnavailableError: as for ``follow``.
            LedgerError: as for ``follow``.
        """
        head, seen = self.follow().block, self._look()
        plan = _Plan(tuple(seen.list_standing(number - 1)), number - 1, head)
        self._store(plan, self._read(plan, seen, head), seen)
        return self.follow()

    def is_final(self, number: int, cursor: Cursor) -> bool:
        """Whether so many blocks stand on top of a height that it counts as final."""
        return cursor.block.number - number >= self._confirmations.final

    def _look(self) -> _Seen:
        blocks = tuple(self._chain.list_blocks())
        return _Seen(
            blocks, {one: self._chain.cursor(one.address) for one in self._ledger.contracts}
        )

    def _core_cursor(self, seen: _Seen) -> Cursor:
        cursor = next(iter(seen.cursors.values()))
        if cursor is None:
            raise InvariantViolation("the chain was followed without the core contract")
        return cursor

    def _try(self, seen: _Seen, head: Block) -> tuple[_Plan, Stretch, LedgerError | None]:
        """The next step, and why it cannot be taken."""
        plan = _Plan(tuple(seen.cursors), None, head)
        try:
            plan = self._plan(seen, head)
            stretch = self._read(plan, seen, head)
        except LedgerError as error:
            return plan, Stretch((), (), {}), error
        return plan, stretch, next(iter(stretch.faults.values()), None)

    def _plan(self, seen: _Seen, head: Block) -> _Plan:
        """What comes next; a contract that is late first, unless the chain was reorganised."""
        newest, late = seen.newest, seen.find_late()
        is_at_head = newest is not None and newest.hash == head.hash
        fork = head.number if is_at_head else _find_fork(self._ledger, seen.blocks, head)
        if newest is not None and late is not None and fork == newest.number:
            reached = seen.reached(late)
            return _Plan((late,), reached if reached >= 0 else None, newest, late)
        return _Plan(tuple(seen.list_standing(fork)), fork, head)

    def _doubt(self, plan: _Plan, seen: _Seen, faults: Iterable[Address], head: Block) -> _Plan:
        """The same from below the last events of the contracts that do not fit."""
        doubted = [one for one in plan.contracts if one.address in faults] or plan.contracts
        below = [self._below_last_event(one, seen) for one in doubted]
        heights = [height for height in below if height is not None]
        fork = min(heights) if len(heights) == len(below) else None
        if plan.late is not None:
            return _Plan(plan.contracts, fork, plan.limit, plan.late)
        return _Plan(tuple(seen.list_standing(fork)), fork, head)

    def _below_last_event(self, contract: DeployedContract, seen: _Seen) -> int | None:
        cursor = seen.cursors[contract]
        if cursor is None or cursor.sequence == 0:
            return contract.first_block - 1 if contract.first_block > 0 else None
        (last,) = self._chain.list_events(contract.address, after=cursor.sequence - 1, limit=1)
        return last.block_number - 1

    def _read(self, plan: _Plan, seen: _Seen, head: Block) -> Stretch:
        """The next stretch of a plan, checked against what is stored up to there.

        Raises:
            LedgerUnavailableError: the node's chain ends before the contracts begin.
            LedgerError: the answers do not fit together.
        """
        fork, limit = plan.fork, plan.limit
        base = min(one.first_block for one in plan.contracts) - 1 if fork is None else fork
        if base >= limit.number:
            raise LedgerUnavailableError(
                f"the node's chain ends at block {limit.number}, before the contract was made",
                next_step="Wait until the node has caught up, or ask another.",
            )
        known = {
            one.address: NO_EVENTS if fork is None else self._chain.head_at(one.address, fork)
            for one in plan.contracts
        }
        # Of new blocks the first has to name the one below it, where that is kept.
        below = [block for block in seen.blocks if block.number == base]
        kept = below if plan.late is None else seen.blocks
        span = Span(
            base=base,
            limit=limit,
            near=self._near,
            known=known,
            followed={block.number: block for block in kept},
            is_counted=limit.hash == head.hash,
        )
        return read_stretch(
            self._ledger,
            span,
            step_blocks=self._step_blocks,
            stretch_blocks=self._stretch_blocks,
        )

    def _store(self, plan: _Plan, stretch: Stretch, seen: _Seen) -> None:
        for refusal in stretch.faults.values():
            raise refusal
        with self._turn():
            # Another follower's work may be newer than ours: then look again.
            if self._look() != seen:
                return
            if plan.late is not None:
                self._chain.catch_up(
                    plan.late.address,
                    fork=plan.fork,
                    block=stretch.blocks[-1],
                    events=stretch.events,
                )
            else:
                self._chain.advance(
                    contracts=[one.address for one in plan.contracts],
                    fork=plan.fork,
                    blocks=stretch.blocks,
                    events=stretch.events,
                    confirmations=self._confirmations,
                )


class FollowedRows:
    """Implements ``ports.Follower`` where a home cannot be written: asks no chain.

    Args:
        chain: what was followed while the home could be written.
        contract: the core contract.
    """

    def __init__(self, chain: ChainRepository, contract: Address) -> None:
        self._chain = chain
        self._contract = contract

    @property
    def is_live(self) -> bool:
        """See the port."""
        return False

    def follow(self, progress: Progress = no_progress) -> Cursor | None:
        """See the port."""
        del progress
        return self._chain.cursor(self._contract)


def iter_events(chain: ChainRepository, contract: Address) -> Iterator[LedgerEvent]:
    """Every event of a contract that was followed, in order."""
    after = 0
    while page := chain.list_events(contract, after=after, limit=PAGE):
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


def _require_patience(moves: int, refusal: LedgerError) -> None:
    if moves > MOVES_MAX:
        raise LedgerUnavailableError(
            "the chain changes faster than it can be read",
            next_step="Try again later, or ask another node.",
        ) from refusal


def _behind(head: Block, followed: Block) -> LedgerUnavailableError:
    return LedgerUnavailableError(
        f"the chain that the node shows ends at block {head.number}, but this home has followed it "
        f"to block {followed.number}",
        next_step="Wait until the node has caught up, or ask another; a development chain that was "
        "cut comes back from a backup alone.",
    )
