"""One process's replica of a development chain: an anvil that has mined the journal.

Blocks of the journal come out with the hashes they had, or the replica is refused. Every method
needs the lock that ``development`` holds.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from titledeed.canonical.documents import hex_word
from titledeed.canonical.evidence.bundles import TRANSACTION_LENGTH_MAX
from titledeed.canonical.hashing import keccak256
from titledeed.chain.development.anvil import Anvil
from titledeed.chain.development.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from titledeed.chain.development.journal import JOURNAL_NAME, Journal, JournalEntry
from titledeed.chain.pin import PIN_NAME, ChainPin, Genesis
from titledeed.chain.rpc import Node, RpcError, ask, fetch_block
from titledeed.errors import (
    ChainMismatchError,
    LedgerError,
    LedgerUnavailableError,
    MalformedDocumentError,
    StorageError,
)
from titledeed.models.primitives import BlockHash, Keccak256
from titledeed.proofs.rpc_values import parse_array, parse_bytes, parse_object, parse_quantity
from titledeed.proofs.transactions import hash_transaction

CHECKPOINT_INTERVAL: Final = 32
"""Blocks. A start replays fewer than these; the writer of each 32nd block waits for the dump."""

_REFUSED: Final = -32000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Replica:
    """An anvil that has mined all that its journal has read."""

    anvil: Anvil
    journal: Journal
    folder: Path
    checkpoint_interval: int

    def catch_up(self) -> None:
        """Mine what others have appended.

        Raises:
            ChainMismatchError: the blocks come out with other hashes than they had.
            LedgerUnavailableError: anvil does not answer.
            StorageError: the journal is damaged or cannot be read.
        """
        _replay(self.anvil.node, self.journal.read_new())

    def admit(self, raw: bytes) -> None:
        """Put a transaction into the empty pool, where the next block takes it, or refuse it.

        Raises:
            RpcError: it cannot be mined now, or not be journalled.
        """
        node = self.anvil.node
        if len(raw) > TRANSACTION_LENGTH_MAX:
            raise RpcError(_REFUSED, f"oversized data: at most {TRANSACTION_LENGTH_MAX} bytes")
        accepted = node.call("eth_sendRawTransaction", hex_word(raw))
        status = parse_object(node.call("txpool_status"))
        counts = (parse_quantity(status.get("pending")), parse_quantity(status.get("queued")))
        problem = ""
        if counts != (1, 0):
            problem = "nonce too high: the transactions before it are missing"
        elif accepted != hex_word(hash_transaction(raw)):  # anvil passes over bytes that follow
            problem = "the bytes are more than a transaction"
        if problem:
            node.call("anvil_dropAllTransactions")
            raise RpcError(_REFUSED, problem)

    def write_block(self, raw: bytes, *, timestamp: int) -> None:
        """Append a block with one admitted transaction, mine it, and compare the two.

        Args:
            raw: the transaction.
            timestamp: wished for; a block is at least one second later than its parent.

        Raises:
            LedgerError: anvil made something else of it.
            LedgerUnavailableError: anvil does not answer; the block may stand in the journal.
            StorageError: the journal cannot be written.
        """
        number = self.journal.number + 1
        entry = JournalEntry(
            number=number,
            timestamp=max(timestamp, self.journal.timestamp + 1),
            parent_hash=block_hash(self.anvil.node, number - 1),
            transactions=(raw,),
        )
        self.journal.append(entry)
        _mine(self.anvil.node, entry)
        _compare_head(self.anvil.node, entry)
        if number % self.checkpoint_interval == 0:
            self.save()

    def save(self) -> None:
        """Write a checkpoint of the head; a failure is logged, because all it costs is time."""
        node, number = self.anvil.node, self.journal.number
        try:
            checkpoint = Checkpoint(
                number=number,
                block_hash=block_hash(node, number),
                anvil=self.anvil.version,
                state=parse_bytes(ask(node, "anvil_dumpState")),
            )
            write_checkpoint(self.folder, checkpoint)
        except (LedgerError, LedgerUnavailableError, StorageError) as error:
            _log.warning("no checkpoint of block %d: %s", number, error.message)


def open_replica(
    *, folder: Path, pin: ChainPin, genesis: Genesis, binary: Path, checkpoint_interval: int
) -> Replica:
    """Start an anvil and bring it to the end of the journal, by the checkpoint if one fits.

    Raises:
        ChainMismatchError: anvil is another version, or makes other blocks than there were.
        LedgerUnavailableError: anvil does not start or answer.
        StorageError: the journal is damaged or cannot be read.
    """
    journal = Journal(folder / JOURNAL_NAME, genesis_timestamp=genesis.timestamp)
    entries = journal.read_new()
    checkpoint = _fitting_checkpoint(folder, entries, pin)
    anvil = _resume(checkpoint, entries, pin, genesis, binary) if checkpoint else None
    saved = checkpoint.number if checkpoint and anvil else 0
    if anvil is None:
        with _started(pin, genesis, binary) as anvil:
            _check_genesis(anvil, pin)
            _replay(anvil.node, entries)
    replica = Replica(anvil, journal, folder, checkpoint_interval)
    if len(entries) - saved >= checkpoint_interval:
        replica.save()
    return replica


def _fitting_checkpoint(
    folder: Path, entries: Sequence[JournalEntry], pin: ChainPin
) -> Checkpoint | None:
    try:
        checkpoint = read_checkpoint(folder)
    except (MalformedDocumentError, StorageError) as error:
        _log.warning("the checkpoint is not used: %s", error.message)
        return None
    if checkpoint is None:
        return None
    following = entries[checkpoint.number : checkpoint.number + 1]
    if (
        checkpoint.anvil == pin.anvil
        and checkpoint.number <= len(entries)
        and all(entry.parent_hash == checkpoint.block_hash for entry in following)
    ):
        return checkpoint
    _log.warning("the checkpoint is not used: it is of another chain or journal")
    return None


@contextmanager
def _started(pin: ChainPin, genesis: Genesis, binary: Path) -> Iterator[Anvil]:
    """An anvil at block 0, which runs on unless the block fails."""
    anvil = Anvil(binary=binary, chain_id=pin.identity.chain_id, genesis=genesis)
    with ExitStack() as on_failure:
        on_failure.callback(anvil.close)
        _check_program(anvil, pin, binary)
        yield anvil
        on_failure.pop_all()


def _resume(
    checkpoint: Checkpoint,
    entries: Sequence[JournalEntry],
    pin: ChainPin,
    genesis: Genesis,
    binary: Path,
) -> Anvil | None:
    """An anvil that went on from a checkpoint, or None where that did not fit the journal."""
    with _started(pin, genesis, binary) as anvil:
        try:
            _load(anvil, checkpoint, entries[checkpoint.number - 1])
            _check_genesis(anvil, pin)
            _replay(anvil.node, entries[checkpoint.number :])
        except (LedgerError, LedgerUnavailableError) as error:
            _log.warning("the checkpoint is not used: %s", error.message)
            anvil.close()
            return None
        return anvil


def _check_program(anvil: Anvil, pin: ChainPin, binary: Path) -> None:
    if anvil.version != pin.anvil:
        raise ChainMismatchError(
            f"this chain was made by {pin.anvil}, but {binary} is {anvil.version}, "
            "which may make other blocks of the same journal",
            next_step=f"Install {pin.anvil} (npm ci --ignore-scripts in the checkout).",
            chain_id=pin.identity.chain_id,
            what="anvil",
            expected=pin.anvil,
            found=anvil.version,
        )


def _check_genesis(anvil: Anvil, pin: ChainPin) -> None:
    found = block_hash(anvil.node, 0)
    if found != pin.identity.genesis_hash:
        raise ChainMismatchError(
            f"the genesis hash is {hex_word(found)}, but {PIN_NAME} pins "
            f"{hex_word(pin.identity.genesis_hash)}",
            next_step="Restore the home folder from a backup, or use the anvil it began with.",
            chain_id=pin.identity.chain_id,
            what="genesis hash",
            expected=hex_word(pin.identity.genesis_hash),
            found=hex_word(found),
        )


def _load(anvil: Anvil, checkpoint: Checkpoint, entry: JournalEntry) -> None:
    """Load a checkpoint, and hold its block to the journal and its state to its block."""
    node = anvil.node
    ask(node, "anvil_loadState", hex_word(checkpoint.state))
    _compare_head(node, entry)
    block = parse_object(fetch_block(node, entry.number))
    # The topmost node of any account's proof is the root of the whole state.
    proof = parse_object(ask(node, "eth_getProof", hex_word(bytes(20)), [], "latest"))
    top = next(iter(parse_array(proof.get("accountProof"))), None)
    if parse_bytes(block.get("hash")) != checkpoint.block_hash or parse_bytes(
        block.get("stateRoot")
    ) != keccak256(parse_bytes(top)):
        raise LedgerError("the checkpoint's state is not that of its block")


def _replay(node: Node, entries: Sequence[JournalEntry]) -> None:
    """Mine entries on an anvil that stands before the first of them.

    Each hash binds all blocks before it, so one comparison at the end covers them all.
    """
    try:
        for entry in entries:
            for raw in entry.transactions:
                node.call("eth_sendRawTransaction", hex_word(raw))
            _mine(node, entry)
    except RpcError as error:
        raise ChainMismatchError(
            f"anvil refuses a block of the journal: {error.message}",
            next_step="Restore the home folder from a backup.",
        ) from error
    if entries:
        _compare_head(node, entries[-1])


def _mine(node: Node, entry: JournalEntry) -> None:
    node.call("evm_mine", {"timestamp": entry.timestamp})


def _compare_head(node: Node, entry: JournalEntry) -> None:
    block = parse_object(fetch_block(node, "latest"))
    expected = [hex_word(hash_transaction(raw)) for raw in entry.transactions]
    if (
        parse_quantity(block.get("number")) != entry.number
        or parse_quantity(block.get("timestamp")) != entry.timestamp
        or parse_bytes(block.get("parentHash")) != entry.parent_hash
        or parse_array(block.get("transactions")) != expected
    ):
        raise ChainMismatchError(
            f"block {entry.number} is not what the journal says",
            next_step="Restore the home folder from a backup.",
            what="block",
            block=entry.number,
        )


def block_hash(node: Node, number: int) -> BlockHash:
    """The hash of a block that is there.

    Raises:
        LedgerError: it is not.
    """
    block = parse_object(fetch_block(node, number))
    return BlockHash(Keccak256(parse_bytes(block.get("hash"), length=32)))
