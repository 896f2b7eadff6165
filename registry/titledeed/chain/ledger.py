"""The ``Ledger`` port on any EVM chain that answers JSON-RPC, the development chain included."""

from __future__ import annotations

import threading
from typing import Final

from titledeed.canonical.documents import Json, hex_word
from titledeed.canonical.identifiers import address_from_bytes
from titledeed.chain.contract import (
    AnchoredEvent,
    decode_anchor_of,
    decode_anchored,
    encode_anchor,
    encode_anchor_of,
)
from titledeed.chain.deployment import check_pin
from titledeed.chain.pin import ChainPin
from titledeed.chain.rpc import (
    Node,
    RpcError,
    ask,
    fetch_block,
    parse_array,
    parse_bytes,
    parse_object,
    parse_quantity,
)
from titledeed.chain.sending import Sender, sign_call
from titledeed.errors import (
    ConfigurationError,
    LedgerError,
    TransactionRevertedError,
)
from titledeed.models.evidence import Anchor, ChainIdentity, ChainKind, SignedTransaction
from titledeed.models.primitives import (
    Address,
    BlockHash,
    Keccak256,
    MerkleRoot,
    TransactionHash,
)

DEVELOPMENT_ACCOUNTS: Final = frozenset(
    {
        "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
        "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
        "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
        "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
        "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
        "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
        "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
        "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
        "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
    }
)
"""Of the mnemonic that every anvil and hardhat starts with; everybody has their keys."""


class EvmLedger:
    """See ``ports.Ledger``.

    Args:
        node: the development chain, or an ``HttpNode``.
        pin: what the node is compared with on first use.
        sender: pays; its key is opened only to sign.

    Raises:
        ConfigurationError: the sender's key is one that everybody has, and the chain is public.
    """

    def __init__(self, *, node: Node, pin: ChainPin, sender: Sender) -> None:
        if pin.identity.kind is ChainKind.PUBLIC and sender.address in DEVELOPMENT_ACCOUNTS:
            raise ConfigurationError(
                f"the key of {sender.address} is public knowledge",
                next_step="Use an account of your own on a public chain.",
            )
        self._node = node
        self._pin = pin
        self._sender = sender
        self._is_checked = False
        self._lock = threading.Lock()

    @property
    def identity(self) -> ChainIdentity:
        """See ``ports.Ledger.identity``."""
        return self._pin.identity

    @property
    def sender(self) -> Address:
        """See ``ports.Ledger.sender``."""
        return self._sender.address

    def count_transactions(self) -> int:
        """See ``ports.Ledger.count_transactions``."""
        return parse_quantity(self._call("eth_getTransactionCount", self.sender, "latest"))

    def sign_anchor(self, root: MerkleRoot, size: int, nonce: int) -> SignedTransaction:
        """See ``ports.Ledger.sign_anchor``. Asks the node for fees and gas.

        Raises:
            TransactionRevertedError: the contract would refuse it.
        """
        self._check()
        return sign_call(
            self._node,
            sender=self._sender,
            chain_id=self.identity.chain_id,
            nonce=nonce,
            to=self.identity.contract,
            data=encode_anchor(root, size),
        )

    def broadcast(self, transaction: SignedTransaction) -> None:
        """See ``ports.Ledger.broadcast``.

        Raises:
            LedgerError: the node refuses the transaction and does not know it.
        """
        self._check()
        try:
            self._node.call("eth_sendRawTransaction", hex_word(transaction.raw))
        except RpcError as error:
            # "already known", "nonce too low" and the like: nodes agree on no words and no codes.
            if self._call("eth_getTransactionByHash", hex_word(transaction.hash)) is None:
                raise LedgerError(
                    f"the chain refuses transaction {hex_word(transaction.hash)}: {error.message}",
                    next_step=f"See that {self.sender} can pay for it.",
                ) from error

    def find_receipt(self, transaction: TransactionHash) -> Anchor | None:
        """See ``ports.Ledger.find_receipt``."""
        answer = self._call("eth_getTransactionReceipt", hex_word(transaction))
        if answer is None:
            return None
        receipt = parse_object(answer)
        if parse_quantity(receipt.get("status")) != 1:
            raise TransactionRevertedError(
                f"the contract refused transaction {hex_word(transaction)}"
            )
        event = self._anchored_event(receipt)
        if event is None:
            raise LedgerError(f"transaction {hex_word(transaction)} anchored nothing new")
        block_hash = BlockHash(Keccak256(parse_bytes(receipt.get("blockHash"), length=32)))
        block_number = parse_quantity(receipt.get("blockNumber"))
        block = fetch_block(self._node, block_number)
        if block is None or block.get("hash") != hex_word(block_hash):
            return None  # a reorganisation between the two calls
        return Anchor(
            root=event.root,
            size=event.size,
            caller=event.caller,
            sequence=event.sequence,
            transaction=transaction,
            block_number=block_number,
            block_hash=block_hash,
            block_timestamp=parse_quantity(block.get("timestamp")),
        )

    def find_anchor_time(self, root: MerkleRoot, caller: Address) -> int | None:
        """See ``ports.Ledger.find_anchor_time``."""
        request: dict[str, Json] = {
            "to": self.identity.contract,
            "data": hex_word(encode_anchor_of(root, caller)),
        }
        found = decode_anchor_of(parse_bytes(self._call("eth_call", request, "latest")))
        return found[0] if found else None

    def is_canonical(self, anchor: Anchor) -> bool:
        """See ``ports.Ledger.is_canonical``."""
        self._check()
        block = fetch_block(self._node, anchor.block_number)
        return block is not None and block.get("hash") == hex_word(anchor.block_hash)

    def close(self) -> None:
        """See ``ports.Ledger.close``."""
        self._node.close()

    def _call(self, method: str, *params: Json) -> Json:
        self._check()
        return ask(self._node, method, *params)

    def _check(self) -> None:
        with self._lock:
            if not self._is_checked:
                check_pin(self._node, self._pin)
                self._is_checked = True

    def _anchored_event(self, receipt: dict[str, Json]) -> AnchoredEvent | None:
        for item in parse_array(receipt.get("logs")):
            log = parse_object(item)
            address = address_from_bytes(parse_bytes(log.get("address"), length=20))
            if address != self.identity.contract:
                continue
            topics = [parse_bytes(topic, length=32) for topic in parse_array(log.get("topics"))]
            if event := decode_anchored(topics, parse_bytes(log.get("data"))):
                return event
        return None
