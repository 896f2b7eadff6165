"""A state proof that holds, made without a chain: for golden vectors and for tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trie.hexary import HexaryTrie

from titledeed.canonical.documents import hex_word
from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import address_bytes
from titledeed.chain.state_proofs import encode_header
from titledeed.models.evidence import Anchor, StateProof
from titledeed.models.primitives import Address, Keccak256
from titledeed.proofs.contract import load_artifact
from titledeed.proofs.state_proofs import anchor_slot
from titledeed.proofs.transactions import RlpItem, rlp_encode


def build_state_proof(
    anchor: Anchor,
    contract: Address,
    *,
    code_hash: Keccak256 | None = None,
    elapsed_s: int = 24,
) -> StateProof:
    """A proof that holds, against the header of a later block, which no chain has.

    Args:
        anchor: what the storage holds.
        contract: whose storage it is.
        code_hash: of the account, where it is not to be that of ``TitleDeed``.
        elapsed_s: from the anchor's block to the proven one.
    """
    entry = anchor.block_timestamp << 208 | anchor.sequence << 160 | 7
    slot = anchor_slot(anchor.root, anchor.caller)
    storage_root, storage_proof = _prove_in_trie(slot, rlp_encode(entry.to_bytes(30, "big")))
    code = code_hash or load_artifact().runtime_hash
    account = rlp_encode([b"\x01", b"", storage_root, code])
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


def _prove_in_trie(key: bytes, value: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """Root and proof of one entry among others in a trie with hashed keys."""
    trie = HexaryTrie({})
    for other in range(40):
        trie[keccak256(b"other %d" % other)] = rlp_encode(b"%d" % other)
    trie[keccak256(key)] = value
    prove: Callable[[bytes], Sequence[RlpItem]] = trie.get_proof
    return trie.root_hash, tuple(map(rlp_encode, prove(keccak256(key))))
