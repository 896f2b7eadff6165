"""One transaction: its gas and fees (EIP-1559), and the sender's signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from titledeed.chain.evm import own_errors
from titledeed.chain.transactions import (
    Transaction,
    encode_signed,
    hash_transaction,
    signing_digest,
)
from titledeed.models.evidence import SignedTransaction
from titledeed.models.primitives import Address, Keccak256, Signature

if TYPE_CHECKING:
    from web3 import Web3
    from web3.types import TxParams

GAS_MARGIN_PERCENT: Final = 125
"""Of the node's estimate: another anchor may come in between."""

BASE_FEES: Final = 2
"""The base fee at most doubles within six full blocks (EIP-1559)."""


class Sender(Protocol):
    """The account that pays."""

    @property
    def address(self) -> Address:
        """Answers without the passphrase."""
        ...

    def sign_digest(self, digest: Keccak256) -> Signature:
        """Sign with the account's key."""
        ...


def sign_call(
    web3: Web3, *, sender: Sender, chain_id: int, nonce: int, to: Address | None, data: bytes
) -> SignedTransaction:
    """Sign a call of a contract, or its creation where ``to`` is None, without sending it.

    Raises:
        TransactionRevertedError: the contract would refuse the call.
        LedgerError: the node refuses to estimate, as when the sender cannot pay.
        LedgerUnavailableError: the node does not answer.
    """
    request: TxParams = {"from": sender.address, "data": data}
    if to is not None:
        request["to"] = to
    with own_errors("to estimate a transaction"):
        gas = web3.eth.estimate_gas(request)
        tip = web3.eth.max_priority_fee
        latest: dict[str, Any] = {**web3.eth.get_block("latest")}
        base_fee = int(latest["baseFeePerGas"])
    transaction = Transaction(
        chain_id=chain_id,
        nonce=nonce,
        tip=tip,
        fee_max=BASE_FEES * base_fee + tip,
        gas=gas * GAS_MARGIN_PERCENT // 100,
        to=to,
        value=0,
        data=data,
    )
    raw = encode_signed(transaction, sender.sign_digest(signing_digest(transaction)))
    return SignedTransaction(raw=raw, hash=hash_transaction(raw), nonce=nonce)
