"""Asking a node for storage proofs (EIP-1186): of an anchor, and of the end of a log."""

from __future__ import annotations

from typing import Final

from titledeed.canonical.documents import Json, hex_word
from titledeed.canonical.hashing import keccak256
from titledeed.chain.rpc import Node, RpcError, fetch_block
from titledeed.errors import LedgerUnavailableError, ProofError
from titledeed.models.evidence import StateProof
from titledeed.models.ledger import ContractName
from titledeed.models.primitives import Address, MerkleRoot
from titledeed.proofs.rpc_values import parse_array, parse_bytes, parse_object, parse_quantity
from titledeed.proofs.state_proofs import (
    anchor_slot,
    check_head_proof,
    head_slot,
    open_state_proof,
)
from titledeed.proofs.transactions import RlpItem, minimal_bytes, rlp_encode

_HEADER_FIELDS: Final = (
    "parentHash",
    "sha3Uncles",
    "miner",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "logsBloom",
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
    "baseFeePerGas",  # EIP-1559
    "withdrawalsRoot",  # EIP-4895
    "blobGasUsed",  # EIP-4844
    "excessBlobGas",
    "parentBeaconBlockRoot",  # EIP-4788
    "requestsHash",  # EIP-7685
)
"""Names of JSON-RPC in the order of the Yellow Paper, section 4.4, and of the EIPs after it."""
_NUMBERS: Final = frozenset(
    {"difficulty", "number", "gasLimit", "gasUsed", "timestamp"}
    | {"baseFeePerGas", "blobGasUsed", "excessBlobGas"}
)


def encode_header(block: dict[str, Json]) -> bytes:
    """RLP of the header of a block as ``eth_getBlockByNumber`` tells it.

    Whether it is the header shows when its Keccak-256 is the block's hash: a chain may have headers
    of another form.

    Raises:
        LedgerError: a field is in no form of JSON-RPC.
    """
    items: list[RlpItem] = []
    for name in _HEADER_FIELDS:
        value = block.get(name)
        if value is None:
            break
        items.append(
            minimal_bytes(parse_quantity(value)) if name in _NUMBERS else parse_bytes(value)
        )
    return rlp_encode(items)


def read_state_proof(
    node: Node, *, contract: Address, root: MerkleRoot, caller: Address
) -> StateProof | None:
    """Prove an anchor against the node's newest block, or None where the chain gives no such proof.

    That is so where the node does not know ``eth_getProof``, where headers or state have another
    form than Ethereum's, and where a node serves a proof that does not hold.

    Raises:
        LedgerUnavailableError: no answer, or the newest block does not hold the anchor yet.
        LedgerError: the answer is in no form of JSON-RPC.
    """
    proof = _fetch_proof(node, contract, anchor_slot(root, caller))
    if proof is None:
        return None
    try:
        _, entry = open_state_proof(proof, contract=contract, root=root, caller=caller)
    except ProofError:
        return None
    if not entry:
        raise LedgerUnavailableError(
            f"the node's newest block does not hold anchor {hex_word(root)} yet",
            next_step="Try again in a moment: the node lags behind.",
        )
    return proof


def read_head_proof(
    node: Node, *, contract: Address, name: ContractName = ContractName.TITLE_DEED
) -> StateProof | None:
    """Prove how far a contract's log has got in the node's newest block.

    None where the chain gives no such proof, as for ``read_state_proof``.

    Raises:
        LedgerUnavailableError: no answer.
        LedgerError: the answer is in no form of JSON-RPC.
    """
    proof = _fetch_proof(node, contract, head_slot())
    if proof is None:
        return None
    try:
        check_head_proof(proof, contract=contract, name=name)
    except ProofError:
        return None
    return proof


def _fetch_proof(node: Node, contract: Address, slot: bytes) -> StateProof | None:
    """What the node says of a slot in its newest block; nothing of it is checked but the header."""
    block = parse_object(fetch_block(node, "latest"))
    header = encode_header(block)
    if keccak256(header) != parse_bytes(block.get("hash"), length=32):
        return None
    try:
        answer = node.call("eth_getProof", contract, [hex_word(slot)], block.get("number"))
    except RpcError:
        return None
    account = parse_object(answer)
    storage = [parse_object(item) for item in parse_array(account.get("storageProof"))]
    return StateProof(
        header=header,
        account_proof=_read_nodes(account.get("accountProof")),
        storage_proof=_read_nodes(storage[0].get("proof") if storage else None),
    )


def _read_nodes(value: Json) -> tuple[bytes, ...]:
    return tuple(parse_bytes(node) for node in parse_array(value))
