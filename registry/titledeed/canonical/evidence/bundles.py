"""Evidence bundles as canonical JSON: the one unit in which evidence travels.

A snapshot is a list of bundles, a submission may hold some, the object store keeps them.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from titledeed.canonical.documents import Fields, Json, base64_text, hex_word, leave_out
from titledeed.canonical.evidence.chains import (
    encode_chain,
    encode_state_proof,
    parse_chain,
    parse_state_proof,
)
from titledeed.canonical.evidence.dossiers import encode_dossier, parse_dossier
from titledeed.canonical.evidence.logs import encode_log, parse_log
from titledeed.canonical.evidence.words import encode_word, parse_word
from titledeed.canonical.field_values import read_address
from titledeed.canonical.merkle import PATH_LENGTH_MAX, TREE_SIZE_MAX
from titledeed.models.bundle import AnchorEvidence, Bundle
from titledeed.models.evidence import Anchor, InclusionProof
from titledeed.models.primitives import BlockHash, Keccak256, MerkleRoot, TransactionHash

BUNDLE: Final = "titledeed.bundle"
BUNDLE_ANCHORS_MAX: Final = 16
LOGS_MAX: Final = 100
STORED_WORDS_MAX: Final = 100
TRANSACTION_LENGTH_MAX: Final = 131_072
"""geth's pool takes no longer transaction."""

TIMESTAMP_TOKEN_LENGTH_MAX: Final = 65_536
"""Some thousand bytes, most of them certificates."""


def encode_bundle(bundle: Bundle) -> dict[str, Json]:
    """JSON form: version 2, whatever the versions of the documents in it."""
    return leave_out(
        {
            "schema": f"{BUNDLE}/2",
            "dossier": encode_dossier(bundle.dossier),
            "anchors": [_encode_evidence(one) for one in bundle.anchors],
            "logs": [encode_log(log) for log in bundle.logs],
            "words": [encode_word(state) for state in bundle.words],
        }
    )


def parse_bundle(fields: Fields) -> Bundle:
    """Inverse of ``encode_bundle``; checks form, not evidence.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form.
    """
    is_first = fields.version(BUNDLE, (1, 2)) == 1
    dossier = parse_dossier(fields.child("dossier"))
    if is_first:
        return Bundle(dossier, (_parse_evidence(fields, is_first=True),))
    bundle = Bundle(
        dossier,
        anchors=tuple(map(_parse_evidence, fields.listed("anchors", items_max=BUNDLE_ANCHORS_MAX))),
        logs=tuple(map(parse_log, fields.listed("logs", items_max=LOGS_MAX))),
        words=tuple(map(parse_word, fields.listed("words", items_max=STORED_WORDS_MAX))),
    )
    if not bundle.anchors:
        raise fields.fail("anchors", "is missing")
    fields.done()
    return bundle


def _encode_evidence(one: AnchorEvidence) -> dict[str, Json]:
    return leave_out(
        {
            "chain": encode_chain(one.chain),
            "proof": {
                "index": one.proof.index,
                "size": one.proof.size,
                "path": [hex_word(node) for node in one.proof.path],
            },
            "anchor": _encode_anchor(one.anchor),
            "raw_transaction": hex_word(one.raw_transaction),
            "state_proof": encode_state_proof(one.state_proof) if one.state_proof else None,
            "timestamp_token": base64_text(one.timestamp_token) or None,
        }
    )


def _parse_evidence(fields: Fields, *, is_first: bool = False) -> AnchorEvidence:
    """One of ``anchors``; in version 1 its fields stand in the bundle itself."""
    unstated = fields.nullable if is_first else fields.stated
    read_token = partial(
        fields.blob if is_first else fields.filled_blob, length_max=TIMESTAMP_TOKEN_LENGTH_MAX
    )
    evidence = AnchorEvidence(
        chain=parse_chain(fields.child("chain")),
        proof=_parse_proof(fields.child("proof")),
        anchor=_parse_anchor(fields.child("anchor")),
        raw_transaction=fields.hexadecimal("raw_transaction", length_max=TRANSACTION_LENGTH_MAX),
        state_proof=unstated("state_proof", lambda name: parse_state_proof(fields.child(name))),
        timestamp_token=(
            read_token("timestamp_token")
            if is_first
            else fields.stated("timestamp_token", read_token) or b""
        ),
    )
    fields.done()
    return evidence


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
        caller=read_address(fields, "caller"),
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
