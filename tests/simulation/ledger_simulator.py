"""A chain in memory that implements ``ports.Ledger`` and misbehaves on demand.

Each fault is one that real nodes have; a lie is one that the adapter of a real node cannot see
through by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from chain_builders import PlainSender, sender_of
from simulation.contract_model import ContractModel
from simulation.simulated_chain import (
    BLOCK_TIME_S,
    CHAIN_ID,
    Fate,
    Market,
    MinedBlock,
    SimulatedChain,
)

from titledeed.canonical.documents import hex_word
from titledeed.canonical.hashing import keccak256
from titledeed.chain.sending import sign_replacement
from titledeed.errors import LedgerError, LedgerUnavailableError
from titledeed.models.evidence import ChainKind, SignedTransaction, StateProof
from titledeed.models.ledger import (
    Block,
    Call,
    DeployedContract,
    EventRecorded,
    LedgerEvent,
    Receipt,
)
from titledeed.models.primitives import (
    Address,
    BlockHash,
    DeedId,
    MerkleRoot,
    Sha256,
    Subject,
    TransactionHash,
)
from titledeed.proofs.events import NO_EVENTS

__all__ = ["BLOCK_TIME_S", "Fate", "LedgerSimulator", "Lie", "silent_ledger"]


class Lie(Enum):
    """What a node may answer although it is not so.

    ``SKIP`` leaves the last event of an answer out, ``REPEAT`` gives it twice, ``REORDER`` reverses
    the events, ``ALTER`` changes one, ``INVENT`` adds one. ``FAILED`` says that what succeeded was
    refused, and the reverse; ``MINED`` that a transaction in the pool is in the newest block.
    ``PARENT`` gives blocks another parent. ``MISCOUNT`` says that the contract does not count its
    last event; together with ``SKIP`` nothing shows it before the next block.
    """

    SKIP = auto()
    REPEAT = auto()
    REORDER = auto()
    ALTER = auto()
    INVENT = auto()
    FAILED = auto()
    MINED = auto()
    PARENT = auto()
    MISCOUNT = auto()


@dataclass
class Faults:
    """What is wrong at the moment; counted down by answers or broadcasts.

    Attributes:
        miscounts: the contract that miscounts; None for whichever is asked first.
    """

    is_down: bool = False
    silent: int = 0
    is_mining_stopped: bool = False
    lag: int = 0
    drops: int = 0
    mute_broadcasts: int = 0
    delays: int = 0
    delayed: list[bytes] = field(default_factory=list)
    lies: list[Lie] = field(default_factory=list)
    miscounts: Address | None = None


class LedgerSimulator(SimulatedChain):
    """See ``ports.Ledger``; everything else is for the test that holds it.

    Args:
        sender: pays.
        mines_at_once: every broadcast makes a block, as a development chain does.
        kind: who makes its time, as its identity says.
        chain_id: as its identity says.
    """

    def __init__(
        self,
        *,
        sender: PlainSender | None = None,
        mines_at_once: bool = False,
        kind: ChainKind = ChainKind.DEVELOPMENT,
        chain_id: int = CHAIN_ID,
    ) -> None:
        super().__init__(mines_at_once=mines_at_once, kind=kind, chain_id=chain_id)
        self._sender = sender or sender_of("simulated sender")
        self._followed = [self.deployed[0]]
        self.faults = Faults()

    @property
    def contracts(self) -> tuple[DeployedContract, ...]:
        return tuple(self._followed)

    def add_contract(self, contract: DeployedContract) -> None:
        """Let the home follow one more, as an operator does who pins a module."""
        self._followed.append(contract)

    @property
    def sender(self) -> Address:
        return self._sender.address

    def count_transactions(self) -> int:
        return self._seen()[-1].nonces.get(self.sender, 0)

    def sign_call(self, call: Call, nonce: int) -> SignedTransaction:
        self._answer()
        return self.sign_as(self._sender, call, nonce)

    def sign_replacement(self, transaction: SignedTransaction) -> SignedTransaction:
        self._answer()
        return sign_replacement(Market(self), sender=self._sender, transaction=transaction)

    def broadcast(self, transaction: SignedTransaction) -> None:
        self._answer()
        faults = self.faults
        if faults.drops:
            faults.drops -= 1
        elif faults.delays:
            faults.delays -= 1
            faults.delayed.append(transaction.raw)
        else:
            self.receive(transaction.raw)
            self.deliver_delayed()
        if faults.mute_broadcasts:
            faults.mute_broadcasts -= 1
            raise _unavailable()

    def find_receipt(self, transaction: TransactionHash) -> Receipt | None:
        seen = self._seen()
        found = next(
            (mined.receipts[transaction] for mined in seen if transaction in mined.receipts), None
        )
        return self._lie_about_receipt(found, transaction, seen[-1].block)

    def find_head(self) -> Block:
        return self._lie_about_block(self._seen()[-1].block)

    def find_block(self, number: int) -> Block | None:
        seen = self._seen()
        return self._lie_about_block(seen[number].block) if 0 <= number < len(seen) else None

    def list_events(self, block: Block, contracts: Collection[Address]) -> list[LedgerEvent]:
        return self._lie_about_events(_of(self._up_to(block)[-1:], contracts))

    def list_events_between(
        self, first: int, last: int, contracts: Collection[Address]
    ) -> list[LedgerEvent]:
        seen = self._seen()
        if last >= len(seen):
            raise LedgerError(f"the node's chain ends at block {len(seen) - 1}, below {last}")
        return self._lie_about_events(_of(seen[first : last + 1], contracts))

    def log_head(self, contract: Address, block: Block) -> tuple[int, bytes]:
        events = _of(self._up_to(block), [contract])
        is_lied_about = self.faults.miscounts in (None, contract)
        if events and is_lied_about and self._next_lie(Lie.MISCOUNT):
            events.pop()
        return (events[-1].sequence, events[-1].head) if events else NO_EVENTS

    def find_anchor_time(self, root: MerkleRoot, caller: Address) -> int | None:
        timestamp, sequence = self._core.anchors.get((root, caller), (0, 0))
        return timestamp if sequence else None

    def find_holder(self, deed: DeedId) -> Address | None:
        known = self._core.deeds.get(deed)
        return known.holder if known else None

    def prove_anchor(self, root: MerkleRoot, caller: Address) -> StateProof | None:
        del root, caller
        self._answer()
        return None

    def close(self) -> None:
        """Nothing to release."""

    def mine(self, count: int = 1) -> None:
        if not self.faults.is_mining_stopped:
            super().mine(count)

    def go_down(self) -> None:
        """Answer nothing until ``come_back``."""
        self.faults.is_down = True

    def come_back(self) -> None:
        self.faults.is_down = False

    def fall_silent(self, answers: int) -> None:
        """Answer nothing for so many questions."""
        self.faults.silent = answers

    def stop_mining(self) -> None:
        """``mine`` makes no block until ``resume_mining``."""
        self.faults.is_mining_stopped = True

    def resume_mining(self) -> None:
        self.faults.is_mining_stopped = False

    def lag(self, blocks: int) -> None:
        """Answer as if so many of the newest blocks were not there; 0 ends it."""
        self.faults.lag = blocks

    def drop_broadcasts(self, count: int = 1) -> None:
        """Take the next transactions and forget them."""
        self.faults.drops = count

    def mute_broadcasts(self, count: int = 1) -> None:
        """Take the next transactions, and let the answer get lost."""
        self.faults.mute_broadcasts = count

    def delay_broadcasts(self, count: int = 1) -> None:
        """Let the next transactions arrive after a later one, or at ``deliver_delayed``."""
        self.faults.delays = count

    def deliver_delayed(self) -> None:
        waiting, self.faults.delayed = self.faults.delayed, []
        for raw in reversed(waiting):
            try:
                self.receive(raw)
            except LedgerError:
                continue  # its sender hears nothing of it

    def lie(self, kind: Lie, answers: int = 1) -> None:
        """Tell a lie in the next answers in which there is something to lie about."""
        self.faults.lies += [kind] * answers

    def heal(self) -> None:
        """End all faults; what was delayed arrives."""
        delayed, self.faults = self.faults.delayed, Faults()
        self.faults.delayed = delayed
        self.deliver_delayed()

    def _answer(self) -> None:
        if self.faults.silent:
            self.faults.silent -= 1
            raise _unavailable()
        if self.faults.is_down:
            raise _unavailable()

    def _seen(self) -> list[MinedBlock]:
        self._answer()
        return self.chain[: max(1, len(self.chain) - self.faults.lag)]

    @property
    def _core(self) -> ContractModel:
        return self._seen()[-1].contracts.get(self.identity.contract, ContractModel())

    def _up_to(self, block: Block) -> list[MinedBlock]:
        """The seen chain with this block as its last."""
        seen = self._seen()
        if not 0 <= block.number < len(seen) or seen[block.number].block.hash != block.hash:
            raise LedgerError(f"the node does not know block {hex_word(block.hash)}")
        return seen[: block.number + 1]

    def _next_lie(self, *kinds: Lie) -> Lie | None:
        for kind in self.faults.lies:
            if kind in kinds:
                self.faults.lies.remove(kind)
                return kind
        return None

    def _lie_about_block(self, block: Block) -> Block:
        if block.number and self._next_lie(Lie.PARENT):
            return replace(block, parent_hash=BlockHash(keccak256(block.parent_hash)))
        return block

    def _lie_about_receipt(
        self, receipt: Receipt | None, transaction: TransactionHash, head: Block
    ) -> Receipt | None:
        if receipt is not None:
            if self._next_lie(Lie.FAILED):
                return replace(receipt, succeeded=not receipt.succeeded)
        elif self._next_lie(Lie.MINED):
            return Receipt(transaction, head.number, head.hash, succeeded=True)
        return receipt

    def _lie_about_events(self, events: list[LedgerEvent]) -> list[LedgerEvent]:
        if not events:
            return events
        last = events[-1]
        changed = EventRecorded(
            Subject(keccak256(b"made up")), self.sender, keccak256(b""), Sha256(bytes(32)), False
        )
        answers: dict[Lie, Callable[[], list[LedgerEvent]]] = {
            Lie.SKIP: lambda: events[:-1],
            Lie.REPEAT: lambda: [*events, last],
            Lie.REORDER: lambda: events[::-1],
            Lie.ALTER: lambda: [*events[:-1], replace(last, body=changed)],
            Lie.INVENT: lambda: [*events, replace(last, body=changed, sequence=last.sequence + 1)],
        }
        kind = self._next_lie(*answers)
        return answers[kind]() if kind else events


def _of(blocks: Iterable[MinedBlock], contracts: Collection[Address]) -> list[LedgerEvent]:
    return [event for mined in blocks for event in mined.events if event.contract in contracts]


def silent_ledger() -> LedgerSimulator:
    """A chain for tests of what asks none: it answers nothing."""
    ledger = LedgerSimulator()
    ledger.go_down()
    return ledger


def _unavailable() -> LedgerUnavailableError:
    return LedgerUnavailableError("the simulated chain does not answer")
