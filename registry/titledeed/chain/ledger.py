"""The ``Ledger`` port on any EVM chain, the development chain included, over JSON-RPC.

Nodes are untrusted. What one answer can show to be wrong is refused here: a value of the wrong
form, a log of another block or contract, a receipt of another transaction. What only several
answers show, such as an event that was left out, is the follower's to see.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from typing import Final

from titledeed.canonical.documents import Json, hex_word
from titledeed.canonical.hashing import word
from titledeed.canonical.identifiers import address_from_bytes, address_word
from titledeed.chain.calls import encode_call
from titledeed.chain.deployment import check_pin
from titledeed.chain.known_accounts import refuse_known_account
from titledeed.chain.log_head import read_log_head
from titledeed.chain.pin import ChainPin
from titledeed.chain.rpc import Node, RpcError, ask, fetch_block
from titledeed.chain.sending import Sender, sign_call, sign_replacement
from titledeed.chain.state_proofs import read_state_proof
from titledeed.errors import LedgerError, TransactionRevertedError
from titledeed.models.evidence import ChainIdentity, SignedTransaction, StateProof
from titledeed.models.ledger import Block, Call, DeployedContract, LedgerEvent, Receipt
from titledeed.models.primitives import (
    Address,
    BlockHash,
    DeedId,
    Keccak256,
    MerkleRoot,
    TransactionHash,
)
from titledeed.proofs.abi import selector
from titledeed.proofs.events import decode_log, list_topics
from titledeed.proofs.rpc_values import (
    OTHER_NODE,
    parse_array,
    parse_bytes,
    parse_object,
    parse_quantity,
)

_HEIGHT_MAX: Final = 2**63 - 1


class EvmLedger:
    """See ``ports.Ledger``.

    Args:
        node: the development chain, or an ``HttpNode``.
        pin: what the node is compared with on first use.
        sender: pays; its key is opened only to sign.
        claimant: whom this home claims for, where it does.

    Raises:
        ConfigurationError: from any method that asks the node, where everybody has the key of
            sender or claimant and the chain is public.
    """

    def __init__(
        self, *, node: Node, pin: ChainPin, sender: Sender, claimant: Address | None = None
    ) -> None:
        self._unchecked_node = node
        self._pin = pin
        self._sender = sender
        self._claimant = claimant
        self._is_checked = False
        self._lock = threading.Lock()

    @property
    def identity(self) -> ChainIdentity:
        """See ``ports.Ledger.identity``."""
        return self._pin.identity

    @property
    def contracts(self) -> tuple[DeployedContract, ...]:
        """See ``ports.Ledger.contracts``."""
        return tuple(pinned.deployed for pinned in self._pin.contracts)

    @property
    def sender(self) -> Address:
        """See ``ports.Ledger.sender``."""
        return self._sender.address

    def count_transactions(self) -> int:
        """See ``ports.Ledger.count_transactions``."""
        return parse_quantity(ask(self._node, "eth_getTransactionCount", self.sender, "latest"))

    def sign_call(self, call: Call, nonce: int) -> SignedTransaction:
        """See ``ports.Ledger.sign_call``. Asks the node for fees and gas."""
        return sign_call(
            self._node,
            sender=self._sender,
            chain_id=self.identity.chain_id,
            nonce=nonce,
            to=self.identity.contract,
            data=encode_call(call),
        )

    def sign_replacement(self, transaction: SignedTransaction) -> SignedTransaction:
        """See ``ports.Ledger.sign_replacement``. Fees are those of the market at least."""
        return sign_replacement(self._node, sender=self._sender, transaction=transaction)

    def broadcast(self, transaction: SignedTransaction) -> None:
        """See ``ports.Ledger.broadcast``."""
        node, known_as = self._node, hex_word(transaction.hash)
        try:
            node.call("eth_sendRawTransaction", hex_word(transaction.raw))
        except RpcError as refusal:
            # "already known", "nonce too low" and the like: nodes agree on no words or codes.
            if ask(node, "eth_getTransactionByHash", known_as) is None:
                raise LedgerError(
                    f"the chain refuses transaction {known_as}: {refusal.message}",
                    next_step=f"See that {self.sender} can pay for it.",
                    transaction=known_as,
                ) from refusal

    def find_receipt(self, transaction: TransactionHash) -> Receipt | None:
        """See ``ports.Ledger.find_receipt``."""
        answer = ask(self._node, "eth_getTransactionReceipt", hex_word(transaction))
        if answer is None:
            return None
        fields = parse_object(answer)
        if parse_bytes(fields.get("transactionHash")) != transaction:
            raise LedgerError(
                f"the node shows the receipt of another transaction than {hex_word(transaction)}",
                next_step=OTHER_NODE,
                transaction=hex_word(transaction),
            )
        receipt = Receipt(
            transaction=transaction,
            block_number=_parse_height(fields.get("blockNumber")),
            block_hash=_parse_hash(fields.get("blockHash")),
            succeeded=parse_quantity(fields.get("status")) == 1,
        )
        block = self.find_block(receipt.block_number)
        # The block may have been replaced since, and some nodes keep receipts of blocks that were.
        return receipt if block and block.hash == receipt.block_hash else None

    def find_head(self) -> Block:
        """See ``ports.Ledger.find_head``."""
        return _parse_block(fetch_block(self._node, "latest"))

    def find_block(self, number: int) -> Block | None:
        """See ``ports.Ledger.find_block``.

        Raises:
            LedgerError: the node answers with a block of another height.
        """
        answer = fetch_block(self._node, number)
        if answer is None:
            return None
        block = _parse_block(answer)
        if block.number != number:
            raise LedgerError(
                f"the node shows block {block.number} as block {number}",
                next_step=OTHER_NODE,
                block=number,
            )
        return block

    def list_events(self, block: Block, contracts: Collection[Address]) -> list[LedgerEvent]:
        """See ``ports.Ledger.list_events``."""
        asked = self._find(contracts)
        wanted = {"blockHash": hex_word(block.hash), **_filter(asked)}
        events = [
            decode_log(log, contracts=asked, block_timestamp=block.timestamp)
            for log in _in_order(parse_array(ask(self._node, "eth_getLogs", wanted)))
        ]
        for event in events:
            if (event.block_hash, event.block_number) != (block.hash, block.number):
                raise LedgerError(
                    f"the node answers about another block than {hex_word(block.hash)}",
                    next_step=OTHER_NODE,
                    block=block.number,
                )
        return events

    def list_events_between(
        self, first: int, last: int, contracts: Collection[Address]
    ) -> list[LedgerEvent]:
        """See ``ports.Ledger.list_events_between``.

        Nodes limit how much one answer may hold, each in its own way: a stretch that is refused is
        asked for in halves.
        """
        asked = self._find(contracts)
        logs = self._list_logs(first, last, _filter(asked))
        head = self.find_head().number
        if head < last:
            raise LedgerError(
                f"the node's chain ends at block {head}, below block {last} that was asked about",
                next_step="Wait until the node has caught up, or ask another.",
                block=last,
            )
        blocks: dict[int, Block] = {}
        dated = ((log, self._require_block(log, blocks, first, last)) for log in logs)
        return [_decode_dated(log, asked, block) for log, block in dated]

    def log_head(self, contract: Address, block: Block) -> tuple[int, bytes]:
        """See ``ports.Ledger.log_head``."""
        return read_log_head(self._node, contract, block)

    def find_anchor_time(self, root: MerkleRoot, caller: Address) -> int | None:
        """See ``ports.Ledger.find_anchor_time``."""
        answer = self._view("anchorOf(bytes32,address)", root, address_word(caller), words=2)
        timestamp, sequence = answer[:32], answer[32:]
        return int.from_bytes(timestamp, "big") if any(sequence) else None

    def find_holder(self, deed: DeedId) -> Address | None:
        """See ``ports.Ledger.find_holder``."""
        try:
            answer = self._view("ownerOf(uint256)", word(deed), words=1)
        except TransactionRevertedError:
            return None  # as ERC-721 has it for a token that does not exist
        return address_from_bytes(answer[12:])

    def prove_anchor(self, root: MerkleRoot, caller: Address) -> StateProof | None:
        """See ``ports.Ledger.prove_anchor``."""
        return read_state_proof(
            self._node, contract=self.identity.contract, root=root, caller=caller
        )

    def close(self) -> None:
        """See ``ports.Ledger.close``."""
        self._unchecked_node.close()

    @property
    def _node(self) -> Node:
        """The node, once it was compared with the pin; making a ledger asks nobody."""
        with self._lock:
            if not self._is_checked:
                for account in filter(None, (self._claimant, self.sender)):
                    refuse_known_account(account, self.identity.kind)
                check_pin(self._unchecked_node, self._pin)
                self._is_checked = True
        return self._unchecked_node

    def _find(self, addresses: Collection[Address]) -> tuple[DeployedContract, ...]:
        return tuple(one for one in self.contracts if one.address in addresses)

    def _view(self, signature: str, *arguments: bytes, words: int) -> bytes:
        data = hex_word(selector(signature) + b"".join(arguments))
        call: dict[str, Json] = {"to": self.identity.contract, "data": data}
        return parse_bytes(ask(self._node, "eth_call", call, "latest"), length=32 * words)

    def _list_logs(self, first: int, last: int, wanted: dict[str, Json]) -> list[dict[str, Json]]:
        span: dict[str, Json] = {"fromBlock": hex(first), "toBlock": hex(last), **wanted}
        try:
            return _in_order(parse_array(self._node.call("eth_getLogs", span)))
        except RpcError as refusal:
            if first == last:
                raise LedgerError(
                    f"the node refuses to list the events of block {first}: {refusal.message}",
                    block=first,
                ) from refusal
        middle = (first + last) // 2
        below = self._list_logs(first, middle, wanted)
        return below + self._list_logs(middle + 1, last, wanted)

    def _require_block(
        self, log: dict[str, Json], blocks: dict[int, Block], first: int, last: int
    ) -> Block:
        """The block that a log is of; each is asked for once."""
        number = _parse_height(log.get("blockNumber"))
        block = blocks.get(number) or self.find_block(number)
        if block is None or not first <= number <= last:
            raise LedgerError(
                f"the node shows an event of block {number}, outside {first} to {last}",
                next_step=OTHER_NODE,
                block=number,
            )
        blocks[number] = block
        return block


def _filter(contracts: Sequence[DeployedContract]) -> dict[str, Json]:
    """Which logs are asked for."""
    addresses: list[Json] = [contract.address for contract in contracts]
    topics: list[Json] = [hex_word(topic) for topic in list_topics(contracts)]
    return {"address": addresses, "topics": [topics]}


def _decode_dated(
    log: dict[str, Json], contracts: Sequence[DeployedContract], block: Block
) -> LedgerEvent:
    """The event in a log, with the time of its block."""
    event = decode_log(log, contracts=contracts, block_timestamp=block.timestamp)
    if event.block_hash != block.hash:
        raise LedgerError(
            f"the node shows an event of another block {block.number} than its own",
            next_step=OTHER_NODE,
            block=block.number,
        )
    return event


def _parse_block(answer: Json) -> Block:
    fields = parse_object(answer)
    return Block(
        number=_parse_height(fields.get("number")),
        hash=_parse_hash(fields.get("hash")),
        parent_hash=_parse_hash(fields.get("parentHash")),
        timestamp=_parse_height(fields.get("timestamp")),
    )


def _parse_hash(value: Json) -> BlockHash:
    return BlockHash(Keccak256(parse_bytes(value, length=32)))


def _parse_height(value: Json) -> int:
    """A number or time of a block, as a database can hold it."""
    number = parse_quantity(value)
    if number > _HEIGHT_MAX:
        raise LedgerError(f"the node answered {number:#x} where a block's number or time belongs")
    return number


def _in_order(logs: Sequence[Json]) -> list[dict[str, Json]]:
    """Nodes need not sort their logs."""

    def place(log: dict[str, Json]) -> tuple[int, int]:
        return parse_quantity(log.get("blockNumber")), parse_quantity(log.get("logIndex"))

    return sorted(map(parse_object, logs), key=place)
