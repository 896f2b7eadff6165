"""What the object store keeps of a batch: enough to rebuild it, and the proofs of its leaves.

The order of leaves and the signed transactions are nowhere else than in the database; without them
no path could be rebuilt and no transaction be shown, so they are stored before the database names
the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from titledeed.canonical.documents import Fields, Json, encode_document, hex_word, parse_document
from titledeed.canonical.evidence.bundles import TRANSACTION_LENGTH_MAX
from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import parse_address
from titledeed.canonical.merkle import MerkleTree
from titledeed.errors import MalformedDocumentError, NotFoundError
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

KEPT_ATTEMPTS_MAX: Final = 64
_FOLDER: Final = "batches/"
_SUFFIX: Final = ".json"


@dataclass(frozen=True, slots=True)
class KeptBatch:
    """A batch as the object store keeps it: the chain tells its anchor.

    Attributes:
        leaves: in the order of ``batch.registration_ids``.
    """

    batch: Batch
    leaves: tuple[LeafHash, ...]


@dataclass(frozen=True, slots=True)
class AuditPaths:
    """The audit paths of all leaves of one batch, as they are kept: hexadecimal, by index."""

    paths: tuple[str, ...]

    def prove(self, index: int) -> InclusionProof:
        """The proof of one leaf; whether it leads to the root is for ``root_of_proof`` to tell."""
        raw = bytes.fromhex(self.paths[index].removeprefix("0x"))
        nodes = tuple(Keccak256(raw[at : at + 32]) for at in range(0, len(raw), 32))
        return InclusionProof(index, len(self.paths), nodes)


class Batches:
    """Batches, their audit paths, and the time-stamps over their roots."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def name(self, root: MerkleRoot) -> str:
        """What the order of a batch's leaves and its transactions are called, for people."""
        return f"{_FOLDER}{root.hex()}{_SUFFIX}"

    def name_paths(self, root: MerkleRoot) -> str:
        """What the audit paths of all leaves of a batch are called, for people."""
        return f"proofs/{root.hex()}.json"

    def list_names(self) -> list[str]:
        """All batches that are kept, sorted."""
        return [key for key in self._objects.keys(_FOLDER) if key.endswith(_SUFFIX)]

    def read(self, root: MerkleRoot) -> KeptBatch:
        """The batch with this root.

        Raises:
            NotFoundError: none is kept.
            MalformedDocumentError: the object is damaged.
        """
        return self.read_named(self.name(root))

    def read_named(self, name: str) -> KeptBatch:
        """The batch of this name.

        Raises:
            NotFoundError: none is kept.
            MalformedDocumentError: the object is damaged, or is named for another root.
        """
        kept = _parse_batch(parse_document(self._objects.get(name), what=name))
        if self.name(kept.batch.root) != name:
            raise MalformedDocumentError(f"{name} is named for another root")
        return kept

    def keep(self, batch: Batch, tree: MerkleTree, leaves: Sequence[LeafHash]) -> None:
        """Keep a signed batch and its paths, beside what an earlier attempt at its root left."""
        try:
            earlier = self.read(batch.root).batch.attempts
        except NotFoundError:
            earlier = ()
        kept = KeptBatch(
            batch=replace(batch, attempts=_union(earlier, batch.attempts)), leaves=tuple(leaves)
        )
        self._objects.put_many(
            {
                self.name(batch.root): _encode_batch(kept),
                self.name_paths(batch.root): _encode_paths(tree),
            }
        )

    def keep_attempt(self, root: MerkleRoot, transaction: SignedTransaction) -> None:
        """Add a signed transaction to a kept batch.

        Raises:
            NotFoundError: no such batch is kept.
        """
        kept = self.read(root)
        attempts = _union(kept.batch.attempts, (transaction,))
        changed = replace(kept, batch=replace(kept.batch, attempts=attempts))
        self._objects.put(self.name(root), _encode_batch(changed))

    def read_paths(self, root: MerkleRoot) -> AuditPaths:
        """The audit paths of a batch.

        Raises:
            NotFoundError: none are kept.
            MalformedDocumentError: the object is damaged.
        """
        name = self.name_paths(root)
        fields = parse_document(self._objects.get(name), what=name)
        fields.literal("schema", PROOFS_SCHEMA)
        if fields.word("root") != root:
            raise fields.fail("root", "belongs to another batch")
        paths = fields.texts("paths", items_max=BATCH_LEAVES_MAX)
        fields.done()
        return AuditPaths(paths)

    def has_paths(self, tree: MerkleTree) -> bool:
        """Whether the kept paths are those of the tree.

        Raises:
            NotFoundError: none are kept.
        """
        return self._objects.get(self.name_paths(tree.root)) == _encode_paths(tree)

    def keep_paths(self, tree: MerkleTree) -> None:
        """Keep the paths of a tree in the place of what was there."""
        self._objects.put(self.name_paths(tree.root), _encode_paths(tree))

    def find_token(self, root: MerkleRoot) -> bytes:
        """The RFC 3161 token (DER) over a root; empty where none is kept."""
        try:
            return self._objects.get(self._name_token(root))
        except NotFoundError:
            return b""

    def keep_token(self, root: MerkleRoot, token: bytes) -> None:
        """Keep the token over a root."""
        self._objects.put(self._name_token(root), token)

    def _name_token(self, root: MerkleRoot) -> str:
        return f"{_FOLDER}{root.hex()}.tst"


def _encode_batch(kept: KeptBatch) -> bytes:
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


def _parse_batch(fields: Fields) -> KeptBatch:
    fields.literal("schema", BATCH_SCHEMA)
    ids = fields.texts("registration_ids", items_max=BATCH_LEAVES_MAX)
    kept = KeptBatch(
        batch=Batch(
            root=MerkleRoot(Keccak256(fields.word("root"))),
            sender=parse_address(fields.text("sender")),
            registration_ids=tuple(map(RegistrationId, ids)),
            attempts=tuple(
                _parse_attempt(item)
                for item in fields.children("attempts", items_max=KEPT_ATTEMPTS_MAX)
            ),
        ),
        leaves=tuple(
            LeafHash(Keccak256(leaf)) for leaf in fields.words("leaves", items_max=BATCH_LEAVES_MAX)
        ),
    )
    if len(kept.leaves) != len(ids):
        raise fields.fail("leaves", "must be one for each registration")
    fields.done()
    return kept


def _encode_paths(tree: MerkleTree) -> bytes:
    """All audit paths of a tree, by index: each the nodes one after the other, bottom first."""
    paths = (tree.prove(index).path for index in range(tree.size))
    return encode_document(
        {
            "schema": PROOFS_SCHEMA,
            "root": hex_word(tree.root),
            "paths": [hex_word(b"".join(path)) for path in paths],
        }
    )


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
