"""One transaction: its gas and fees (EIP-1559), and the sender's signature.

A key management service is added by another ``Sender``: nothing else touches the key.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Protocol

from titledeed.canonical.documents import Json, hex_word
from titledeed.chain.rpc import Node, ask, fetch_block
from titledeed.errors import LedgerError
from titledeed.models.evidence import SignedTransaction
from titledeed.models.primitives import Address, Keccak256, Signature
from titledeed.proofs.rpc_values import parse_object, parse_quantity
from titledeed.proofs.signatures import recover_signer
from titledeed.proofs.transactions import (
    Transaction,
    decode_signed,
    encode_signed,
    hash_transaction,
    signing_digest,
)

GAS_MARGIN_PERCENT: Final = 125
"""Of the node's estimate: another anchor may come in between."""

BASE_FEES: Final = 2
"""The base fee at most doubles within six full blocks (EIP-1559)."""

COST_MAX: Final = 10**18
"""Wei that one transaction may cost at most, as in geth: a node that lies about fees must not make
the sender pay all that it has."""

REPLACEMENT: Final = (1_125, 1_000)
"""Both fees are raised by 12.5 %; geth's pool asks for 10 %."""


class Sender(Protocol):
    """The account that pays: a key file here, or a key that never leaves another machine."""

    @property
    def address(self) -> Address:
        """Answers without the passphrase."""
        ...

    def sign_digest(self, digest: Keccak256) -> Signature:
        """Sign with the account's key: 65 bytes r ‖ s ‖ v, s in the lower half, v 27 or 28."""
        ...


def sign_call(
    node: Node, *, sender: Sender, chain_id: int, nonce: int, to: Address | None, data: bytes
) -> SignedTransaction:
    """Sign a call of a contract, or its creation where ``to`` is None, without sending it.

    Raises:
        TransactionRevertedError: the contract would refuse the call.
        LedgerError: the node refuses to estimate, as when the sender cannot pay; or the call would
            cost more than ``COST_MAX``.
        LedgerUnavailableError: the node does not answer.
    """
    request: dict[str, Json] = {"from": sender.address, "data": hex_word(data)}
    if to is not None:
        request["to"] = to
    gas = parse_quantity(ask(node, "eth_estimateGas", request))
    tip, fee_max = _market_fees(node)
    transaction = Transaction(
        chain_id=chain_id,
        nonce=nonce,
        tip=tip,
        fee_max=fee_max,
        gas=gas * GAS_MARGIN_PERCENT // 100,
        to=to,
        value=0,
        data=data,
    )
    return _sign(transaction, sender)


def sign_replacement(
    node: Node, *, sender: Sender, transaction: SignedTransaction
) -> SignedTransaction:
    """Sign the same call and nonce with both fees raised, to the market's at least.

    Raises:
        LedgerError: another account signed the transaction, or it would cost more than
            ``COST_MAX``.
        LedgerUnavailableError: the node does not answer.
    """
    known, signature = decode_signed(transaction.raw)
    if recover_signer(signing_digest(known), signature) != sender.address:
        raise LedgerError(
            f"transaction {hex_word(transaction.hash)} is not of {sender.address}",
            next_step="Use the sender's key that this home began with until all is anchored.",
            transaction=hex_word(transaction.hash),
        )
    tip, fee_max = _market_fees(node)
    return _sign(
        replace(
            known,
            tip=max(_raised(known.tip), tip),
            fee_max=max(_raised(known.fee_max), fee_max),
        ),
        sender,
    )


def _market_fees(node: Node) -> tuple[int, int]:
    """Tip and highest fee of a transaction that is to be mined soon, in wei per gas."""
    tip = parse_quantity(ask(node, "eth_maxPriorityFeePerGas"))
    base_fee = parse_quantity(parse_object(fetch_block(node, "latest")).get("baseFeePerGas"))
    return tip, BASE_FEES * base_fee + tip


def _raised(fee: int) -> int:
    """Rounded up, and more than before even where that was nothing."""
    numerator, denominator = REPLACEMENT
    return max(-(-fee * numerator // denominator), fee + 1)


def _sign(transaction: Transaction, sender: Sender) -> SignedTransaction:
    if (cost := transaction.gas * transaction.fee_max) > COST_MAX:
        raise LedgerError(
            f"the transaction could cost {cost / 10**18:.3g} coins of the chain",
            next_step="Try again when fees are lower, or ask another node.",
        )
    raw = encode_signed(transaction, sender.sign_digest(signing_digest(transaction)))
    return SignedTransaction(raw=raw, hash=hash_transaction(raw), nonce=transaction.nonce)
