"""Storage proofs (EIP-1186): what the contract's storage held when a block was made.

Whoever has such a proof needs nothing of ours: the block's hash, which any explorer shows, binds
the header, the header binds the state, the state binds the contract's account, and that binds the
word which ``anchorOf`` or ``head`` reads. Checking asks nobody; the trie itself is py-trie's work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from titledeed.canonical.documents import INTEGER_MAX, TIMESTAMP_MAX
from titledeed.canonical.evidence.chains import (
    HEADER_LENGTH_MAX,
    PROOF_NODE_LENGTH_MAX,
    PROOF_NODES_MAX,
)
from titledeed.canonical.hashing import keccak256, word
from titledeed.canonical.identifiers import address_bytes, address_word
from titledeed.errors import ProofError
from titledeed.models.evidence import Anchor, StateProof
from titledeed.models.ledger import Block, ContractName
from titledeed.models.primitives import Address, BlockHash, Keccak256, MerkleRoot
from titledeed.proofs.transactions import RlpItem, rlp_decode
from titledeed.proofs.versions import ContractVersion, find_version

HEAD_SLOT: Final = 0
ANCHORS_SLOT: Final = 1
"""The slots that are read here, as the compiler laid out the versions that are known so far; tests
hold them against a chain."""

_TIMESTAMP_SHIFT: Final = 208
_SEQUENCE_SHIFT: Final = 160
_HEAD_LENGTH: Final = 20
_FIXED_LENGTHS: Final = {0: 32, 1: 32, 2: 20, 3: 32, 4: 32, 5: 32, 6: 256, 13: 32, 14: 8}
_FIELDS_MIN: Final = 15


@dataclass(frozen=True, slots=True)
class ProvenHead:
    """How far the log of a contract had got in the state of a block.

    Attributes:
        block: that its hash is that of the chain, somebody must compare elsewhere.
        sequence: number of the contract's events up to the block; 0 before the first.
        running_hash: over all of them, 20 bytes; zeros before the first.
        version: of the contract, as the hash of its code tells.
    """

    block: Block
    sequence: int
    running_hash: bytes
    version: ContractVersion


@dataclass(frozen=True, slots=True)
class ProvenWord:
    """What a slot of a contract held in the state of a block.

    Attributes:
        value: 32 bytes; zero where nothing was ever stored.
        version: of the contract, as the hash of its code tells.
    """

    block: Block
    value: bytes
    version: ContractVersion


def anchor_slot(root: MerkleRoot, caller: Address) -> Keccak256:
    """Where the contract keeps the anchor of a root by a caller (Solidity's layout of mappings)."""
    return keccak256(address_word(caller), keccak256(root, word(ANCHORS_SLOT)))


def head_slot() -> bytes:
    """Where a contract of ours keeps number and running hash of its last event."""
    return word(HEAD_SLOT)


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
    timestamp, sequence, _ = _split(entry)
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


def check_head_proof(
    proof: StateProof, *, contract: Address, name: ContractName = ContractName.TITLE_DEED
) -> ProvenHead:
    """Check offline how many events a contract of ours had logged by the block of the header.

    Whoever has so many events that lead to this running hash has all of them, up to that block.

    Args:
        proof: its storage proof is one of ``head_slot``.
        contract: the account whose log it is.
        name: what the contract must be, in any version.

    Raises:
        ProofError: header or proofs do not hold, or the account is no such contract.
    """
    state = _open_account(proof, contract)
    if state.version.name is not name or state.version.head_slot != HEAD_SLOT:
        raise ProofError(f"the account proof leads to another contract than {name}")
    timestamp, sequence, running_hash = _split(state.read(head_slot(), proof.storage_proof))
    if timestamp > state.block.timestamp:
        raise ProofError("the contract's last event is later than the proven block")
    return ProvenHead(state.block, sequence, running_hash, state.version)


def check_slot_proof(
    proof: StateProof, *, contract: Address, slot: bytes, name: ContractName
) -> ProvenWord:
    """Check offline what a slot of a contract of ours held in the block of the header.

    Args:
        proof: its storage proof is one of the slot.
        contract: the account whose storage it is.
        slot: 32 bytes.
        name: what the contract must be, in any version.

    Raises:
        ProofError: header or proofs do not hold, or the account is no such contract.
    """
    state = _open_account(proof, contract)
    if state.version.name is not name:
        raise ProofError(f"the account proof leads to another contract than {name}")
    value = word(state.read(slot, proof.storage_proof))
    return ProvenWord(state.block, value, state.version)


def open_state_proof(
    proof: StateProof, *, contract: Address, root: MerkleRoot, caller: Address
) -> tuple[Block, int]:
    """The block, and the anchor's word in it; 0 where there is none.

    Raises:
        ProofError: header or proofs do not hold, or the account is no contract that keeps anchors.
    """
    state = _open_account(proof, contract)
    if state.version.anchors_slot != ANCHORS_SLOT:
        raise ProofError("the account proof leads to another contract than TitleDeed")
    return state.block, state.read(anchor_slot(root, caller), proof.storage_proof)


@dataclass(frozen=True, slots=True)
class _AccountState:
    """A contract of ours in the state of a block."""

    block: Block
    version: ContractVersion
    storage_root: bytes

    def read(self, slot: bytes, proof: Sequence[bytes]) -> int:
        """The word in a slot; 0 where it was never written."""
        value = _look_up(self.storage_root, slot, proof)
        return _number(_decode(value)) if value else 0


def _open_account(proof: StateProof, contract: Address) -> _AccountState:
    block, state_root = _open_header(proof.header)
    account = _decode(_look_up(state_root, address_bytes(contract), proof.account_proof))
    if isinstance(account, bytes) or len(account) != 4:
        raise ProofError("the account proof leads to no account")
    _, _, storage_root, code_hash = account
    if not isinstance(storage_root, bytes) or not isinstance(code_hash, bytes):
        raise ProofError("the account proof leads to no account")
    # Another contract could keep any word in the same slot.
    version = find_version(code_hash)
    if version is None:
        raise ProofError("the account proof leads to another contract than those of Titledeed")
    return _AccountState(block, version, storage_root)


def _split(entry: int) -> tuple[int, int, bytes]:
    """Block time and sequence, 48 bits each, above the running hash."""
    sequence = (entry >> _SEQUENCE_SHIFT) & (2**48 - 1)
    running_hash = (entry & (2**_SEQUENCE_SHIFT - 1)).to_bytes(_HEAD_LENGTH, "big")
    return entry >> _TIMESTAMP_SHIFT, sequence, running_hash


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
