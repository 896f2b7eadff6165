"""Dossiers and evidence bundles as canonical JSON: the one unit in which evidence travels.

A snapshot is a list of bundles, a submission may hold some, the object store keeps dossiers.
"""

from __future__ import annotations

from typing import Final

from titledeed.canonical.attachments import (
    ALGORITHMS_MAX,
    encode_disclosure,
    encode_fingerprint,
    encode_rights,
    parse_disclosure,
    parse_fingerprint,
    parse_rights,
)
from titledeed.canonical.documents import Fields, Json, base64_text, hex_word
from titledeed.canonical.identifiers import parse_address
from titledeed.canonical.merkle import PATH_LENGTH_MAX, TREE_SIZE_MAX
from titledeed.canonical.records import encode_record, parse_record
from titledeed.models.evidence import (
    Anchor,
    Bundle,
    ChainIdentity,
    ChainKind,
    InclusionProof,
    StateProof,
)
from titledeed.models.primitives import (
    BlockHash,
    Keccak256,
    MerkleRoot,
    RegistrationId,
    Salt,
    TransactionHash,
)
from titledeed.models.record import Dossier, Salts

DOSSIER_SCHEMA: Final = "titledeed.dossier/1"
BUNDLE_SCHEMA: Final = "titledeed.bundle/1"
TRANSACTION_LENGTH_MAX: Final = 131_072
"""geth's pool takes no longer transaction."""

HEADER_LENGTH_MAX: Final = 4_096
"""Ethereum's are about 600 bytes; some chains write more into a header's extra data."""
PROOF_NODES_MAX: Final = 65
"""A path has 64 digits."""
PROOF_NODE_LENGTH_MAX: Final = 1_024
"""A node with 16 children has 532 bytes."""
TIMESTAMP_TOKEN_LENGTH_MAX: Final = 65_536
"""Some thousand bytes, most of them certificates."""


def encode_dossier(dossier: Dossier) -> dict[str, Json]:
    """JSON form of a dossier."""
    return {
        "schema": DOSSIER_SCHEMA,
        "registration_id": dossier.registration_id,
        "record": encode_record(dossier.record),
        "salts": {
            "content": hex_word(dossier.salts.content),
            "record": hex_word(dossier.salts.record),
        },
        "fingerprints": [encode_fingerprint(code) for code in dossier.fingerprints],
        "disclosure": encode_disclosure(dossier.disclosure),
        "rights": encode_rights(dossier.rights),
        "manifest_store": base64_text(dossier.manifest_store),
    }


def parse_dossier(fields: Fields) -> Dossier:
    """Inverse of ``encode_dossier``; checks form, not digests.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form.
    """
    fields.literal("schema", DOSSIER_SCHEMA)
    salts = fields.child("salts")
    dossier = Dossier(
        registration_id=RegistrationId(fields.text("registration_id", length_max=35)),
        record=parse_record(fields.child("record")),
        salts=Salts(content=Salt(salts.word("content")), record=Salt(salts.word("record"))),
        fingerprints=tuple(
            parse_fingerprint(item)
            for item in fields.children("fingerprints", items_max=ALGORITHMS_MAX)
        ),
        disclosure=parse_disclosure(fields.child("disclosure")),
        rights=parse_rights(fields.child("rights")),
        manifest_store=fields.blob("manifest_store"),
    )
    salts.done()
    fields.done()
    return dossier


def encode_bundle(bundle: Bundle) -> dict[str, Json]:
    """JSON form of an evidence bundle."""
    return {
        "schema": BUNDLE_SCHEMA,
        "dossier": encode_dossier(bundle.dossier),
        "proof": {
            "index": bundle.proof.index,
            "size": bundle.proof.size,
            "path": [hex_word(node) for node in bundle.proof.path],
        },
        "anchor": _encode_anchor(bundle.anchor),
        "chain": {
            "kind": bundle.chain.kind.value,
            "chain_id": bundle.chain.chain_id,
            "genesis_hash": hex_word(bundle.chain.genesis_hash),
            "contract": bundle.chain.contract,
        },
        "raw_transaction": hex_word(bundle.raw_transaction),
        "state_proof": _encode_state_proof(bundle.state_proof) if bundle.state_proof else None,
        "timestamp_token": base64_text(bundle.timestamp_token),
    }


def parse_bundle(fields: Fields) -> Bundle:
    """Inverse of ``encode_bundle``; checks form, not evidence.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form.
    """
    fields.literal("schema", BUNDLE_SCHEMA)
    bundle = Bundle(
        dossier=parse_dossier(fields.child("dossier")),
        proof=_parse_proof(fields.child("proof")),
        anchor=_parse_anchor(fields.child("anchor")),
        chain=_parse_chain(fields.child("chain")),
        raw_transaction=fields.hexadecimal("raw_transaction", length_max=TRANSACTION_LENGTH_MAX),
        state_proof=fields.optional(
            "state_proof", lambda name: _parse_state_proof(fields.child(name))
        ),
        timestamp_token=fields.blob("timestamp_token", length_max=TIMESTAMP_TOKEN_LENGTH_MAX),
    )
    fields.done()
    return bundle


def _encode_state_proof(proof: StateProof) -> dict[str, Json]:
    return {
        "header": hex_word(proof.header),
        "account_proof": [hex_word(node) for node in proof.account_proof],
        "storage_proof": [hex_word(node) for node in proof.storage_proof],
    }


def _parse_state_proof(fields: Fields) -> StateProof:
    proof = StateProof(
        header=fields.hexadecimal("header", length_max=HEADER_LENGTH_MAX),
        account_proof=_parse_nodes(fields, "account_proof"),
        storage_proof=_parse_nodes(fields, "storage_proof"),
    )
    fields.done()
    return proof


def _parse_nodes(fields: Fields, name: str) -> tuple[bytes, ...]:
    return fields.hexadecimals(name, items_max=PROOF_NODES_MAX, length_max=PROOF_NODE_LENGTH_MAX)


def _encode_anchor(anchor: Anchor) -> dict[str, Json]:
    return {
        "root": hex_word(anchor.root),
        "size": anchor.size,
        "caller": anchor.caller,
        "sequence": anchor.sequence,
        "transaction": hex_word(anchor.transaction),
        "block_number": anchor.block_number,
        "block_hash": hex_word(anchor.block_hash),
        "block_timestamp": anchor.block_timestamp,
    }


def _parse_anchor(fields: Fields) -> Anchor:
    anchor = Anchor(
        root=MerkleRoot(Keccak256(fields.word("root"))),
        size=fields.integer("size", minimum=1, maximum=TREE_SIZE_MAX),
        caller=parse_address(fields.text("caller")),
        sequence=fields.integer("sequence", minimum=1),
        transaction=TransactionHash(Keccak256(fields.word("transaction"))),
        block_number=fields.integer("block_number"),
        block_hash=BlockHash(Keccak256(fields.word("block_hash"))),
        block_timestamp=fields.timestamp("block_timestamp"),
    )
    fields.done()
    return anchor


def _parse_proof(fields: Fields) -> InclusionProof:
    proof = InclusionProof(
        index=fields.integer("index", maximum=TREE_SIZE_MAX - 1),
        size=fields.integer("size", minimum=1, maximum=TREE_SIZE_MAX),
        path=tuple(Keccak256(node) for node in fields.words("path", items_max=PATH_LENGTH_MAX)),
    )
    fields.done()
    return proof


def _parse_chain(fields: Fields) -> ChainIdentity:
    kind = fields.text("kind")
    if kind not in set(ChainKind):
        raise fields.fail("kind", "must be development or public")
    chain = ChainIdentity(
        kind=ChainKind(kind),
        chain_id=fields.integer("chain_id", minimum=1),
        genesis_hash=BlockHash(Keccak256(fields.word("genesis_hash"))),
        contract=parse_address(fields.text("contract")),
    )
    fields.done()
    return chain
