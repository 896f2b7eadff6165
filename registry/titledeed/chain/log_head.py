"""What the contract itself says of its events: how many, and the running hash over all of them."""

from __future__ import annotations

from titledeed.canonical.documents import Json, hex_word
from titledeed.chain.rpc import Node, ask
from titledeed.errors import LedgerError
from titledeed.models.ledger import Block
from titledeed.models.primitives import Address
from titledeed.proofs.abi import selector
from titledeed.proofs.rpc_values import parse_bytes


def read_log_head(node: Node, contract: Address, block: Block) -> tuple[int, bytes]:
    """Sequence number and running hash after the last event up to a block.

    Raises:
        LedgerError: the node refuses, or answers something else.
        LedgerUnavailableError: it does not answer.
    """
    call: dict[str, Json] = {"to": contract, "data": hex_word(selector("head()"))}
    where: dict[str, Json] = {"blockHash": hex_word(block.hash)}
    answer = parse_bytes(ask(node, "eth_call", call, where), length=64)
    sequence, running, padding = answer[:32], answer[32:52], answer[52:]
    if any(sequence[:24]) or any(padding):
        raise LedgerError("the node's answer for the contract's head is out of form")
    return int.from_bytes(sequence, "big"), running
