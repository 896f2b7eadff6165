"""A development chain's checkpoint: all that anvil holds after one block, beside the journal.

It saves replaying and nothing else. The journal stays the chain: whoever loads a checkpoint
compares it with the journal, and does without one that does not fit. The file is one JSON line,
then anvil's own dump (gzip); it appears whole or not at all.

Writing needs the lock that ``development`` holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from titledeed.canonical.documents import encode_document, hex_word, parse_document
from titledeed.canonical.hashing import sha256
from titledeed.durability import PARTIAL_PATTERN, PRIVATE_MODE, write_durably
from titledeed.errors import MalformedDocumentError, StorageError
from titledeed.models.primitives import BlockHash, Keccak256

CHECKPOINT_NAME: Final = "checkpoint"
CHECKPOINT_SCHEMA: Final = "titledeed.checkpoint/1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The chain after one block.

    Attributes:
        number: of the block, from 1; it is also the number of journal lines that are saved.
        block_hash: of the same.
        anvil: the program that made the dump, as ``web3_clientVersion`` names it.
        state: what ``anvil_dumpState`` answered: state, blocks, transactions and receipts.
    """

    number: int
    block_hash: BlockHash
    anvil: str
    state: bytes


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint, and remove what killed writers left.

    Raises:
        StorageError: the folder or disk refused; the old one stays.
    """
    head = encode_document(
        {
            "schema": CHECKPOINT_SCHEMA,
            "number": checkpoint.number,
            "block_hash": hex_word(checkpoint.block_hash),
            "anvil": checkpoint.anvil,
            "state_sha256": sha256(checkpoint.state).hex(),
        }
    )
    try:
        for abandoned in folder.glob(PARTIAL_PATTERN):
            abandoned.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"cannot tidy {folder}: {error.strerror}", path=folder) from error
    data = head + b"\n" + checkpoint.state
    write_durably(folder / CHECKPOINT_NAME, data, mode=PRIVATE_MODE)


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """The checkpoint, or None where none was written.

    Raises:
        MalformedDocumentError: it is damaged, or in a form of another time.
        StorageError: it cannot be read.
    """
    path = folder / CHECKPOINT_NAME
    try:
        head, _, state = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}", path=path) from error
    fields = parse_document(head, what=str(path))
    fields.literal("schema", CHECKPOINT_SCHEMA)
    checkpoint = Checkpoint(
        number=fields.integer("number", minimum=1),
        block_hash=BlockHash(Keccak256(fields.word("block_hash"))),
        anvil=fields.text("anvil"),
        state=state,
    )
    digest = fields.sha256("state_sha256")
    fields.done()
    if sha256(state) != digest:
        raise MalformedDocumentError(f"{path} is damaged: its state has another digest", path=path)
    return checkpoint
