"""What the object store keeps of a batch: enough to rebuild it, and the proofs of its leaves.

The order of leaves and the signed transactions are nowhere else than in the database; without them
no path could be rebuilt and no transaction be shown, so they are stored before the database names
the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from titledeed.canonical.bundles import TRANSACTION_LENGTH_MAX
from titledeed.canonical.documents import (
    Fields,
    Json,
    encode_document,
    hex_word,
    parse_document,
)
from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import parse_address
from titledeed.canonical.merkle import MerkleTree
from titledeed.errors import NotFoundError
from titledeed.models.evidence import InclusionProof, SignedTransaction
from titledeed.models.primitives import (
    Keccak256,
    LeafHash,
    MerkleRoot,
    RegistrationId,
    TransactionHash,
)
from titledeed.models.registration import Batch
from titledeed.ports import ObjectStore

BATCH_SCHEMA: Final = "titledeed.batch/1"
PROOFS_SCHEMA: Final = "titledeed.proofs/1"
BATCH_LEAVES_MAX: Final = 2**15
"""Bounds the memory of one tree and its proofs (34 MB); more leaves make more anchors."""

ATTEMPTS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class KeptBatch:
    """A batch as the object store keeps it: without its anchor, which the chain tells.

    Attributes:
        leaves: in the order of ``batch.registration_ids``.
    """

    batch: Batch
    leaves: tuple[LeafHash, ...]


def batch_key(root: MerkleRoot) -> str:
    """Where the object store keeps the order of a batch's leaves and its transactions."""
    return f"batches/{root.hex()}.json"


def token_key(root: MerkleRoot) -> str:
    """Where the object store keeps the RFC 3161 token (DER) over a root."""
    return f"batches/{root.hex()}.tst"


def proofs_key(root: MerkleRoot) -> str:
    """Where the object store keeps the audit paths of all leaves of a batch."""
    return f"proofs/{root.hex()}.json"


def encode_batch(kept: KeptBatch) -> bytes:
    """Canonical bytes of a batch."""
    batch = kept.batch
    return encode_document(
        {
            "schema": BATCH_SCHEMA,
            "root": hex_word(batch.root),
            "sender": batch.sender,
            "registration_ids": list[Json](batch.registration_ids),
            "leaves": [hex_word(leaf) for leaf in kept.leaves],
            "attempts": [
                {"nonce": attempt.nonce, "raw": hex_word(attempt.raw)} for attempt in batch.attempts
            ],
        }
    )


def read_batch(objects: ObjectStore, root: MerkleRoot) -> KeptBatch:
    """The batch with this root.

    Raises:
        NotFoundError: none is kept.
        MalformedDocumentError: the object is damaged.
    """
    key = batch_key(root)
    fields = parse_document(objects.get(key), what=key)
    fields.literal("schema", BATCH_SCHEMA)
    ids = fields.texts("registration_ids", items_max=BATCH_LEAVES_MAX)
    kept = KeptBatch(
        batch=Batch(
            root=MerkleRoot(Keccak256(fields.word("root"))),
            sender=parse_address(fields.text("sender")),
            registration_ids=tuple(map(RegistrationId, ids)),
            attempts=tuple(
                _parse_attempt(item) for item in fields.children("attempts", items_max=ATTEMPTS_MAX)
            ),
            anchor=None,
        ),
        leaves=tuple(
            LeafHash(Keccak256(leaf)) for leaf in fields.words("leaves", items_max=BATCH_LEAVES_MAX)
        ),
    )
    if kept.batch.root != root or len(kept.leaves) != len(ids):
        raise fields.fail("root", "belongs to another batch")
    fields.done()
    return kept


def keep_batch(
    objects: ObjectStore, batch: Batch, tree: MerkleTree, leaves: Sequence[LeafHash]
) -> None:
    """Keep a signed batch and its proofs, beside what an earlier attempt at the same root left."""
    try:
        earlier = read_batch(objects, batch.root).batch.attempts
    except NotFoundError:
        earlier = ()
    kept = KeptBatch(
        batch=replace(batch, attempts=_union(earlier, batch.attempts)), leaves=tuple(leaves)
    )
    objects.put_many(
        {batch_key(batch.root): encode_batch(kept), proofs_key(batch.root): encode_proofs(tree)}
    )


def keep_attempt(objects: ObjectStore, root: MerkleRoot, transaction: SignedTransaction) -> None:
    """Add a signed transaction to a kept batch.

    Raises:
        NotFoundError: no such batch is kept.
    """
    kept = read_batch(objects, root)
    attempts = _union(kept.batch.attempts, (transaction,))
    changed = replace(kept, batch=replace(kept.batch, attempts=attempts))
    objects.put(batch_key(root), encode_batch(changed))


def encode_proofs(tree: MerkleTree) -> bytes:
    """All audit paths of a tree, by index: each the nodes one after the other, bottom first."""
    paths = (tree.prove(index).path for index in range(tree.size))
    return encode_document(
        {
            "schema": PROOFS_SCHEMA,
            "root": hex_word(tree.root),
            "paths": [hex_word(b"".join(path)) for path in paths],
        }
    )


def read_paths(objects: ObjectStore, root: MerkleRoot) -> tuple[str, ...]:
    """The audit paths of a batch as ``encode_proofs`` wrote them.

    Raises:
        NotFoundError: none are kept.
        MalformedDocumentError: the object is damaged.
    """
    key = proofs_key(root)
    fields = parse_document(objects.get(key), what=key)
    fields.literal("schema", PROOFS_SCHEMA)
    if fields.word("root") != root:
        raise fields.fail("root", "belongs to another batch")
    paths = fields.texts("paths", items_max=BATCH_LEAVES_MAX)
    fields.done()
    return paths


def parse_path(paths: Sequence[str], index: int) -> InclusionProof:
    """The proof of one leaf; whether it leads to the root is for ``root_of_proof`` to tell."""
    raw = bytes.fromhex(paths[index].removeprefix("0x"))
    nodes = tuple(Keccak256(raw[at : at + 32]) for at in range(0, len(raw), 32))
    return InclusionProof(index, len(paths), nodes)


def _union(
    earlier: Sequence[SignedTransaction], later: Sequence[SignedTransaction]
) -> tuple[SignedTransaction, ...]:
    return tuple(dict.fromkeys((*earlier, *later)))


def _parse_attempt(fields: Fields) -> SignedTransaction:
    raw = fields.hexadecimal("raw", length_max=TRANSACTION_LENGTH_MAX)
    transaction = SignedTransaction(
        raw=raw, hash=TransactionHash(keccak256(raw)), nonce=fields.integer("nonce")
    )
    fields.done()
    return transaction
