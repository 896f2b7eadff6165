"""State proofs that hold, made without a chain: for golden vectors and for tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from trie.hexary import HexaryTrie

from titledeed.canonical.documents import hex_word
from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import address_bytes
from titledeed.chain.state_proofs import encode_header
from titledeed.models.evidence import Anchor, StateProof
from titledeed.models.ledger import ContractName
from titledeed.models.primitives import Address, Keccak256
from titledeed.proofs.state_proofs import anchor_slot
from titledeed.proofs.transactions import RlpItem, minimal_bytes, rlp_encode
from titledeed.proofs.versions import list_versions

SAMPLE_VERSION: Final = list_versions(ContractName.TITLE_DEED)[0]
"""The golden vectors were made of its code, and stay."""


def build_state_proof(
    anchor: Anchor,
    contract: Address,
    *,
    code_hash: Keccak256 = SAMPLE_VERSION.code_hash,
    elapsed_s: int = 24,
) -> StateProof:
    """A proof that holds, against the header of a later block, which no chain has.

    Args:
        anchor: what the storage holds.
        contract: whose storage it is.
        code_hash: of the account.
        elapsed_s: from the anchor's block to the proven one.
    """
    entry = anchor.block_timestamp << 208 | anchor.sequence << 160 | 7
    slot = anchor_slot(anchor.root, anchor.caller)
    return build_slot_proof(anchor, contract, slot, entry, code_hash=code_hash, elapsed_s=elapsed_s)


def build_slot_proof(
    anchor: Anchor,
    contract: Address,
    slot: bytes,
    entry: int,
    *,
    code_hash: Keccak256 = SAMPLE_VERSION.code_hash,
    elapsed_s: int = 24,
) -> StateProof:
    """A proof of any word in any slot, against a block after that of the anchor; 0 is no word."""
    value = rlp_encode(minimal_bytes(entry)) if entry else None
    storage_root, storage_proof = _prove_in_trie(slot, value)
    account = rlp_encode([b"\x01", b"", storage_root, code_hash])
    state_root, account_proof = _prove_in_trie(address_bytes(contract), account)
    header = encode_header(
        {
            "parentHash": hex_word(anchor.block_hash),
            "sha3Uncles": hex_word(keccak256(rlp_encode([]))),
            "miner": hex_word(bytes(20)),
            "stateRoot": hex_word(state_root),
            "transactionsRoot": hex_word(keccak256(rlp_encode(b""))),
            "receiptsRoot": hex_word(keccak256(rlp_encode(b""))),
            "logsBloom": hex_word(bytes(256)),
            "difficulty": "0x0",
            "number": hex(anchor.block_number + 2),
            "gasLimit": hex(30_000_000),
            "gasUsed": "0x0",
            "timestamp": hex(anchor.block_timestamp + elapsed_s),
            "extraData": "0x",
            "mixHash": hex_word(bytes(32)),
            "nonce": hex_word(bytes(8)),
            "baseFeePerGas": hex(10**9),
        }
    )
    return StateProof(header, account_proof, storage_proof)


def _prove_in_trie(key: bytes, value: bytes | None) -> tuple[bytes, tuple[bytes, ...]]:
    """Root and proof of one entry, or of its absence, among others in a trie of hashed keys."""
    trie = HexaryTrie({})
    for other in range(40):
        trie[keccak256(b"other %d" % other)] = rlp_encode(b"%d" % other)
    if value is not None:
        trie[keccak256(key)] = value
    prove: Callable[[bytes], Sequence[RlpItem]] = trie.get_proof
    return trie.root_hash, tuple(map(rlp_encode, prove(keccak256(key))))
