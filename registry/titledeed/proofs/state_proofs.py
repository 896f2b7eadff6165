"""Storage proofs (EIP-1186): that the contract's storage held an anchor when a block was made.

Whoever has such a proof needs nothing of ours: the block's hash, which any explorer shows, binds
the header, the header binds the state, the state binds the contract's account, and that binds the
word which ``anchorOf`` reads. Checking asks nobody; the trie itself is py-trie's work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from titledeed.canonical.bundles import (
    HEADER_LENGTH_MAX,
    PROOF_NODE_LENGTH_MAX,
    PROOF_NODES_MAX,
)
from titledeed.canonical.documents import INTEGER_MAX, TIMESTAMP_MAX
from titledeed.canonical.hashing import keccak256, word
from titledeed.canonical.identifiers import address_bytes, address_word
from titledeed.errors import ProofError
from titledeed.models.evidence import Anchor, StateProof
from titledeed.models.ledger import Block
from titledeed.models.primitives import Address, BlockHash, Keccak256, MerkleRoot
from titledeed.proofs.contract import load_artifact
from titledeed.proofs.transactions import RlpItem, rlp_decode

ANCHORS_SLOT: Final = 1
"""Where the compiler put ``TitleDeed._anchors``; a test holds it against a chain."""

_FIXED_LENGTHS: Final = {0: 32, 1: 32, 2: 20, 3: 32, 4: 32, 5: 32, 6: 256, 13: 32, 14: 8}
_FIELDS_MIN: Final = 15


def anchor_slot(root: MerkleRoot, caller: Address) -> Keccak256:
    """Where the contract keeps the anchor of a root by a caller (Solidity's layout of mappings)."""
    return keccak256(address_word(caller), keccak256(root, word(ANCHORS_SLOT)))


def check_state_proof(proof: StateProof, *, contract: Address, anchor: Anchor) -> Block:
    """Check offline that the contract's storage holds the anchor in the block of the header.

    Returns:
        The block; that its hash is that of the chain, somebody must compare elsewhere.

    Raises:
        ProofError: header, proofs, time, sequence or block do not fit.
    """
    block, entry = open_state_proof(
        proof, contract=contract, root=anchor.root, caller=anchor.caller
    )
    # Block time and sequence, 48 bits each, above the running hash.
    timestamp, sequence = entry >> 208, (entry >> 160) & (2**48 - 1)
    if (timestamp, sequence) != (anchor.block_timestamp, anchor.sequence):
        raise ProofError("the contract's storage holds another time or sequence number")
    if block.number < anchor.block_number or block.timestamp < anchor.block_timestamp:
        raise ProofError("the proven block is older than the anchor")
    if block.number == anchor.block_number and (block.hash, block.timestamp) != (
        anchor.block_hash,
        anchor.block_timestamp,
    ):
        raise ProofError("the proven block is not the one that the anchor names")
    return block


def open_state_proof(
    proof: StateProof, *, contract: Address, root: MerkleRoot, caller: Address
) -> tuple[Block, int]:
    """The block, and the anchor's word in it; 0 where there is none.

    Raises:
        ProofError: header or proofs do not hold.
    """
    block, state_root = _open_header(proof.header)
    account = _decode(_look_up(state_root, address_bytes(contract), proof.account_proof))
    if isinstance(account, bytes) or len(account) != 4:
        raise ProofError("the account proof leads to no account")
    _, _, storage_root, code_hash = account
    # Another contract could keep any time in the same slot.
    if code_hash != load_artifact().runtime_hash:
        raise ProofError("the account proof leads to another contract than TitleDeed")
    if not isinstance(storage_root, bytes):
        raise ProofError("the account proof leads to no account")
    value = _look_up(storage_root, anchor_slot(root, caller), proof.storage_proof)
    return block, _number(_decode(value)) if value else 0


def _open_header(header: bytes) -> tuple[Block, bytes]:
    """The block and its state root."""
    fields = _decode(header) if len(header) <= HEADER_LENGTH_MAX else b""
    items = [item for item in fields if isinstance(item, bytes)]
    if isinstance(fields, bytes) or len(items) != len(fields) or len(items) < _FIELDS_MIN:
        raise ProofError("the block header has not the fields of a header")
    if any(len(items[at]) != length for at, length in _FIXED_LENGTHS.items()):
        raise ProofError("the block header has not the fields of a header")
    number, timestamp = _number(items[8]), _number(items[11])
    if number > INTEGER_MAX or timestamp > TIMESTAMP_MAX:
        raise ProofError("the block header's number or time is out of range")
    block = Block(
        number=number,
        hash=BlockHash(keccak256(header)),
        parent_hash=BlockHash(Keccak256(items[0])),
        timestamp=timestamp,
    )
    return block, items[3]


def _look_up(root: bytes, key: bytes, proof: Sequence[bytes]) -> bytes:
    """What a trie with hashed keys holds under a key; empty where it holds nothing.

    The nodes must be those on the way from the root, in this order, and no others.
    """
    # A quarter of a second, which only those pay who have a proof to check.
    from rlp.exceptions import RLPException  # type: ignore[import-untyped]  # it has no types
    from trie.exceptions import InvalidNode, MissingTrieNode
    from trie.hexary import HexaryTrie

    if len(proof) > PROOF_NODES_MAX or any(len(node) > PROOF_NODE_LENGTH_MAX for node in proof):
        raise ProofError("a storage proof is longer than any can be")
    for node in proof:
        _decode(node)  # so that the library meets no deep nesting
    nodes = _Nodes({keccak256(node): node for node in proof})
    try:
        value: RlpItem = HexaryTrie(nodes, root_hash=root).get(keccak256(key))
    except (
        RLPException,
        InvalidNode,
        MissingTrieNode,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        # Hostile nodes can make the library stumble anywhere.
        raise ProofError("the storage proof does not lead to the state of the block") from error
    if nodes.visited != list(proof):
        raise ProofError("the storage proof holds other nodes than those on its path")
    if not isinstance(value, bytes):
        raise ProofError("the storage proof leads to no value")
    return value


class _Nodes(dict[bytes, bytes]):
    """Nodes by their hash; remembers which were visited, in order."""

    def __init__(self, nodes: Mapping[bytes, bytes]) -> None:
        super().__init__(nodes)
        self.visited: list[bytes] = []

    def __getitem__(self, key: bytes) -> bytes:
        node = super().__getitem__(key)
        self.visited.append(node)
        return node


def _decode(data: bytes) -> RlpItem:
    try:
        return rlp_decode(data)
    except ProofError as error:
        raise ProofError("the storage proof is not canonical RLP") from error


def _number(item: RlpItem) -> int:
    if not isinstance(item, bytes) or len(item) > 32 or item[:1] == b"\0":
        raise ProofError("the storage proof holds a number in no canonical form")
    return int.from_bytes(item, "big")
