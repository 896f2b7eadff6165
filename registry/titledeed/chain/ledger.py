"""The ``Ledger`` port on any EVM chain, the development chain included, through web3."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from titledeed.canonical.documents import hex_word
from titledeed.canonical.identifiers import parse_address
from titledeed.chain.contract import encode_anchor
from titledeed.chain.deployment import check_pin
from titledeed.chain.evm import (
    checksum_address,
    import_ethereum,
    open_contract,
    open_web3,
    own_errors,
)
from titledeed.chain.pin import ChainPin
from titledeed.chain.rpc import Node
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

if TYPE_CHECKING:
    from web3 import Web3
    from web3.contract import Contract
    from web3.types import EventData, TxReceipt

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
        with own_errors("to count transactions"):
            return self._web3.eth.get_transaction_count(checksum_address(self.sender))

    def sign_anchor(self, root: MerkleRoot, size: int, nonce: int) -> SignedTransaction:
        """See ``ports.Ledger.sign_anchor``. Asks the node for fees and gas.

        Raises:
            TransactionRevertedError: the contract would refuse it.
        """
        return sign_call(
            self._web3,
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
        import_ethereum()
        from hexbytes import HexBytes
        from web3.exceptions import TransactionNotFound, Web3RPCError

        with own_errors("to take a transaction"):
            eth = self._web3.eth
            try:
                eth.send_raw_transaction(transaction.raw)
            except Web3RPCError as refusal:
                # "already known", "nonce too low" and the like: nodes agree on no words or codes.
                try:
                    eth.get_transaction(HexBytes(transaction.hash))
                except TransactionNotFound:
                    raise LedgerError(
                        f"the chain refuses transaction {hex_word(transaction.hash)}: {refusal}",
                        next_step=f"See that {self.sender} can pay for it.",
                    ) from refusal

    def find_receipt(self, transaction: TransactionHash) -> Anchor | None:
        """See ``ports.Ledger.find_receipt``."""
        import_ethereum()
        from hexbytes import HexBytes
        from web3.exceptions import TransactionNotFound

        with own_errors("to show a receipt"):
            try:
                receipt = self._web3.eth.get_transaction_receipt(HexBytes(transaction))
            except TransactionNotFound:
                return None
            if receipt["status"] != 1:
                raise TransactionRevertedError(
                    f"the contract refused transaction {hex_word(transaction)}"
                )
            event = self._anchored_event(receipt)
            block: dict[str, Any] = {**self._web3.eth.get_block(receipt["blockNumber"])}
            if block["hash"] != receipt["blockHash"]:
                return None  # a reorganisation between the two calls
            return Anchor(
                root=MerkleRoot(Keccak256(event["args"]["root"])),
                size=event["args"]["size"],
                caller=parse_address(event["args"]["caller"]),
                sequence=event["args"]["sequence"],
                transaction=transaction,
                block_number=receipt["blockNumber"],
                block_hash=BlockHash(Keccak256(bytes(receipt["blockHash"]))),
                block_timestamp=block["timestamp"],
            )

    def find_anchor_time(self, root: MerkleRoot, caller: Address) -> int | None:
        """See ``ports.Ledger.find_anchor_time``."""
        with own_errors("to look up an anchor"):
            timestamp, sequence = self._contract.functions.anchorOf(root, caller).call()
        return int(timestamp) if sequence else None

    def is_canonical(self, anchor: Anchor) -> bool:
        """See ``ports.Ledger.is_canonical``."""
        import_ethereum()
        from web3.exceptions import BlockNotFound

        with own_errors("to show a block"):
            try:
                block: dict[str, Any] = {**self._web3.eth.get_block(anchor.block_number)}
            except BlockNotFound:
                return False
            return bytes(block["hash"]) == anchor.block_hash

    def close(self) -> None:
        """See ``ports.Ledger.close``."""
        self._node.close()

    @property
    def _web3(self) -> Web3:
        """web3 on a node that was compared with the pin."""
        with self._lock:
            if not self._is_checked:
                check_pin(self._node, self._pin)
                self._is_checked = True
        return self._unchecked_web3

    @cached_property
    def _unchecked_web3(self) -> Web3:
        return open_web3(self._node)

    @property
    def _contract(self) -> Contract:
        return open_contract(self._web3, self.identity.contract)

    def _anchored_event(self, receipt: TxReceipt) -> EventData:
        from web3.logs import DISCARD

        found: Iterable[EventData] = self._contract.events.Anchored().process_receipt(
            receipt, errors=DISCARD
        )
        for event in found:
            if event["address"] == checksum_address(self.identity.contract):
                return event
        raise LedgerError(f"transaction 0x{receipt['transactionHash'].hex()} anchored nothing new")
