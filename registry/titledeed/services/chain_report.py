"""What is known about the chain, and whether its answers hold together from the first event on."""

from __future__ import annotations

from dataclasses import dataclass

from titledeed.anchoring.reading import STRETCH_BLOCKS, is_canonical
from titledeed.errors import LedgerError, LedgerUnavailableError
from titledeed.models.evidence import ChainIdentity
from titledeed.models.ledger import (
    Block,
    Confirmations,
    Cursor,
    DeployedContract,
    LedgerEvent,
    Submission,
)
from titledeed.models.primitives import Address
from titledeed.ports import ChainRepository, Ledger, OutboxRepository, Progress, no_progress
from titledeed.proofs.events import NO_EVENTS, extend
from titledeed.proofs.rpc_values import OTHER_NODE


@dataclass(frozen=True, slots=True)
class ChainStatus:
    """How this home stands to its chain.

    Attributes:
        head: the node's newest block.
        cursor: how far this home has followed; None before the first block.
        waiting: registrations in no batch.
        pending: calls in no followed block, oldest first.
    """

    identity: ChainIdentity
    sender: Address
    head: Block
    cursor: Cursor | None
    confirmations: Confirmations
    waiting: int
    pending: tuple[Submission, ...]

    @property
    def lag(self) -> int:
        """Blocks that the node has and this home has not followed."""
        return self.head.number - (self.cursor.block.number if self.cursor else 0)


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """Every event of the contract was read again, and they fit what the contract says of them.

    Attributes:
        block: as of which.
        sequence: of the last event.
        running_hash: after it, 20 bytes.
    """

    identity: ChainIdentity
    block: Block
    sequence: int
    running_hash: bytes


class ChainReportService:
    """Answers for the chain.

    Args:
        ledger: the chain.
        chain: what was followed.
        outbox: what is under way.
        confirmations: of this chain.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        chain: ChainRepository,
        outbox: OutboxRepository,
        confirmations: Confirmations,
    ) -> None:
        self._ledger = ledger
        self._chain = chain
        self._outbox = outbox
        self._confirmations = confirmations

    @property
    def sender(self) -> Address:
        """The account that pays for this home's transactions."""
        return self._ledger.sender

    def count_waiting(self) -> int:
        """How many registrations wait for an anchor; asks no node."""
        return self._outbox.count_waiting()[0]

    def status(self) -> ChainStatus:
        """Ask the node for its head; follows nothing.

        Raises:
            LedgerUnavailableError: the chain does not answer.
            ChainMismatchError: it is not the pinned one.
        """
        ledger = self._ledger
        ledger.count_transactions()  # compares the pin
        return ChainStatus(
            identity=ledger.identity,
            sender=self.sender,
            head=ledger.find_head(),
            cursor=self._chain.cursor(ledger.identity.contract),
            confirmations=self._confirmations,
            waiting=self.count_waiting(),
            pending=tuple(self._outbox.list_pending()),
        )

    def list_events(self, *, after: int, limit: int) -> list[LedgerEvent]:
        """Followed events of the core contract after a sequence number, ascending."""
        core = self._ledger.identity.contract
        return self._chain.list_events(core, after=after, limit=limit)

    def verify(self, progress: Progress = no_progress) -> ChainCheck:
        """Read every event from the chain again, and compare with the contracts and the database.

        Returns:
            What was found of the core contract.

        Raises:
            LedgerUnavailableError: the chain does not answer, or was reorganised meanwhile.
            ChainMismatchError: it is not the pinned one.
            LedgerError: an event is missing or made up.
        """
        ledger = self._ledger
        ledger.count_transactions()
        block = ledger.find_head()
        found = [self._verify(contract, block, progress) for contract in ledger.contracts]
        return ChainCheck(ledger.identity, block, *found[0])

    def _verify(
        self, contract: DeployedContract, block: Block, progress: Progress
    ) -> tuple[int, bytes]:
        """Sequence and running hash of a contract, which all that is known of it fits."""
        ledger, first = self._ledger, contract.first_block
        cursor = self._chain.cursor(contract.address)
        known = followed = NO_EVENTS
        for start in range(first, block.number + 1, STRETCH_BLOCKS):
            stop = min(start + STRETCH_BLOCKS - 1, block.number)
            for event in ledger.list_events_between(start, stop, [contract.address]):
                known = extend(known, event)
                if cursor is not None and event.block_number <= cursor.block.number:
                    followed = known
            progress("Reading events", (stop - first + 1) / (block.number - first + 1))
        _require_canonical(ledger, block)
        if ledger.log_head(contract.address, block) != known:
            raise LedgerError(
                f"the node shows {known[0]} events, which are not those that the contract counted",
                next_step=OTHER_NODE,
            )
        if cursor is not None and is_canonical(ledger, cursor.block):
            # Else a reorganisation took the block back, and the next follower rolls back.
            _require_followed(cursor, followed)
        return known


def _require_canonical(ledger: Ledger, block: Block) -> None:
    if not is_canonical(ledger, block):
        raise LedgerUnavailableError(
            "the chain was reorganised while it was read", next_step="Try again."
        )


def _require_followed(cursor: Cursor, found: tuple[int, bytes]) -> None:
    if (cursor.sequence, cursor.head) != found:
        raise LedgerError(
            "the database holds other events than the chain",
            next_step="Run `titledeed index rebuild`.",
        )
