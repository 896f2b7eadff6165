"""Which chain evidence is of, and proofs against its state, as canonical JSON."""

from __future__ import annotations

from typing import Final

from titledeed.canonical.documents import Fields, Json, hex_word
from titledeed.canonical.field_values import read_address
from titledeed.models.evidence import ChainIdentity, ChainKind, StateProof
from titledeed.models.primitives import BlockHash, Keccak256

HEADER_LENGTH_MAX: Final = 4_096
"""Ethereum's are about 600 bytes; some chains write more into a header's extra data."""
PROOF_NODES_MAX: Final = 65
"""A path has 64 digits."""
PROOF_NODE_LENGTH_MAX: Final = 1_024
"""A node with 16 children has 532 bytes."""


def encode_chain(chain: ChainIdentity) -> dict[str, Json]:
    """JSON form."""
    return {
        "kind": chain.kind.value,
        "chain_id": chain.chain_id,
        "genesis_hash": hex_word(chain.genesis_hash),
        "contract": chain.contract,
    }


def parse_chain(fields: Fields) -> ChainIdentity:
    """Inverse of ``encode_chain``.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form.
    """
    kind = fields.text("kind")
    if kind not in set(ChainKind):
        raise fields.fail("kind", "must be development or public")
    chain = ChainIdentity(
        kind=ChainKind(kind),
        chain_id=fields.integer("chain_id", minimum=1),
        genesis_hash=BlockHash(Keccak256(fields.word("genesis_hash"))),
        contract=read_address(fields, "contract"),
    )
    fields.done()
    return chain


def encode_state_proof(proof: StateProof) -> dict[str, Json]:
    """JSON form."""
    return {
        "header": hex_word(proof.header),
        "account_proof": [hex_word(node) for node in proof.account_proof],
        "storage_proof": [hex_word(node) for node in proof.storage_proof],
    }


def parse_state_proof(fields: Fields) -> StateProof:
    """Inverse of ``encode_state_proof``.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form.
    """
    proof = StateProof(
        header=fields.hexadecimal("header", length_max=HEADER_LENGTH_MAX),
        account_proof=_parse_nodes(fields, "account_proof"),
        storage_proof=_parse_nodes(fields, "storage_proof"),
    )
    fields.done()
    return proof


def _parse_nodes(fields: Fields, name: str) -> tuple[bytes, ...]:
    return fields.hexadecimals(name, items_max=PROOF_NODES_MAX, length_max=PROOF_NODE_LENGTH_MAX)
