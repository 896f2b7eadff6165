"""The chain, and who stamps time."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from titledeed.models.evidence import (
    ChainIdentity,
    SignedTransaction,
    StateProof,
)
from titledeed.models.ledger import (
    Block,
    Call,
    Cursor,
    DeployedContract,
    LedgerEvent,
    Receipt,
)
from titledeed.models.primitives import (
    Address,
    DeedId,
    MerkleRoot,
    Sha256,
    TransactionHash,
)
from titledeed.ports.progress import Progress, no_progress


class Ledger(Protocol):
    """A chain that holds ``TitleDeed``, and perhaps other contracts of ours.

    Every method may block for the network.

    Raises:
        LedgerUnavailableError: from any method, when the chain does not answer; retryable.
        ChainMismatchError: on first use, when it is not the pinned chain.
    """

    @property
    def identity(self) -> ChainIdentity:
        """The pinned chain; answers without the network."""
        ...

    @property
    def contracts(self) -> tuple[DeployedContract, ...]:
        """Whose events are followed, that of ``identity`` first; answers without the network."""
        ...

    @property
    def sender(self) -> Address:
        """The account that pays; it claims nothing."""
        ...

    def count_transactions(self) -> int:
        """The sender's nonce on the canonical chain; the outbox knows better what is under way."""
        ...

    def sign_call(self, call: Call, nonce: int) -> SignedTransaction:
        """Sign a call without sending it. Needs the sender's key.

        Raises:
            TransactionRevertedError: the contract would refuse it now.
        """
        ...

    def sign_replacement(self, transaction: SignedTransaction) -> SignedTransaction:
        """Sign the same call and nonce with both fees raised by at least 12.5 %."""
        ...

    def broadcast(self, transaction: SignedTransaction) -> None:
        """Send the raw bytes. Idempotent: bytes already known or already mined are no error.

        Raises:
            LedgerError: the node refuses them and does not know them, as when another transaction
                with this nonce was mined.
        """
        ...

    def find_receipt(self, transaction: TransactionHash) -> Receipt | None:
        """What became of a transaction, or None while no block of the canonical chain holds it."""
        ...

    def find_head(self) -> Block:
        """The newest block."""
        ...

    def find_block(self, number: int) -> Block | None:
        """The canonical block at a height, or None above the head."""
        ...

    def list_events(self, block: Block, contracts: Collection[Address]) -> list[LedgerEvent]:
        """The events of these contracts in one block, asked for by its hash, in order.

        Raises:
            LedgerError: the node no longer knows the block, or answers about another.
        """
        ...

    def list_events_between(
        self, first: int, last: int, contracts: Collection[Address]
    ) -> list[LedgerEvent]:
        """The events of these contracts in the canonical blocks ``first`` to ``last``, in order.

        For the distant past only: by number, so a reorganisation could mix two chains.

        Raises:
            LedgerError: the node's own head is below ``last``.
        """
        ...

    def log_head(self, contract: Address, block: Block) -> tuple[int, bytes]:
        """What a contract itself keeps of its events up to a block, asked for by its hash.

        For new blocks only: few nodes keep the state of old ones.

        Returns:
            Sequence number and running hash after the last event.

        Raises:
            LedgerError: the node does not know the block or its state.
        """
        ...

    def find_anchor_time(self, root: MerkleRoot, caller: Address) -> int | None:
        """Block time under which the contract keeps the root for the caller, or None."""
        ...

    def find_holder(self, deed: DeedId) -> Address | None:
        """Who holds a deed now, or None while it is not issued."""
        ...

    def prove_anchor(self, root: MerkleRoot, caller: Address) -> StateProof | None:
        """Storage proof of an anchor against the newest block; None where the chain gives none."""
        ...

    def close(self) -> None:
        """Release processes and connections; idempotent."""
        ...


class Follower(Protocol):
    """Keeps the rows at the chain's head."""

    @property
    def is_live(self) -> bool:
        """Whether the chain is asked at all."""
        ...

    def follow(self, progress: Progress = no_progress) -> Cursor | None:
        """Follow to the node's head.

        Returns:
            How far the chain was followed; None where it never was and cannot be.

        Raises:
            LedgerUnavailableError: the chain does not answer.
            LedgerError: its answers do not fit together.
        """
        ...


class TimestampAuthority(Protocol):
    """A time-stamp authority (RFC 3161)."""

    def stamp(self, digest: Sha256) -> bytes:
        """A time-stamp token (DER) over a SHA-256 digest.

        Raises:
            DependencyError: the authority does not answer, or refuses.
        """
        ...
