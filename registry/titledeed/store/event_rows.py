"""Events of the contract as rows: a kind, a JSON body, and the words that it is found by.

Bodies hold numbers up to 2^256 and text that strangers wrote, half characters among it, so the
project's own canonical JSON cannot hold them. Here bytes are ``{"hex": …}``, numbers are written
out, and text is escaped to ASCII: every body has one text, and comes back from it unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, Final, assert_never

from titledeed.canonical.identifiers import address_bytes, deed_word
from titledeed.errors import InvariantViolation
from titledeed.models.ledger import (
    Anchored,
    BindingPublished,
    EventBody,
    EventRecorded,
    Issued,
    KeyDeclared,
    LedgerEvent,
    Superseded,
    Withdrawn,
)
from titledeed.models.primitives import (
    Address,
    BlockHash,
    Keccak256,
    MerkleRoot,
    TransactionHash,
)
from titledeed.store import tables
from titledeed.store.tables import Role

KINDS: Final[Mapping[str, Callable[..., EventBody]]] = {
    "anchored": Anchored,
    "issued": Issued,
    "withdrawn": Withdrawn,
    "superseded": Superseded,
    "event_recorded": EventRecorded,
    "key_declared": KeyDeclared,
    "binding_published": BindingPublished,
}
"""Stored names, which outlive the names of the classes."""

_NAMES: Final = {body: kind for kind, body in KINDS.items()}


def encode_body(body: EventBody) -> tuple[str, str]:
    """Kind and JSON text of a body."""
    values = {item.name: _encode(getattr(body, item.name)) for item in fields(body)}
    return _NAMES[type(body)], json.dumps(values, sort_keys=True, separators=(",", ":"))


def decode_body(kind: str, text: str) -> EventBody:
    """Inverse of ``encode_body``."""
    values: dict[str, Any] = json.loads(text)
    return KINDS[kind](**{name: _decode(value) for name, value in values.items()})


def list_mentions(body: EventBody) -> Iterator[tuple[Role, bytes]]:
    """The words by which ``ports.ChainRepository`` and the outbox find an event."""
    match body:
        case Anchored():
            yield Role.ANCHOR, anchor_word(body.root, body.caller)
        case Issued():
            yield Role.ABOUT, body.leaf
            yield Role.ABOUT, deed_word(body.deed)
        case Withdrawn() | EventRecorded():
            yield Role.ABOUT, body.subject
        case Superseded():
            yield Role.ABOUT, body.subject
            yield Role.ABOUT, body.successor
        case KeyDeclared():
            yield Role.KEY, address_bytes(body.key)
        case BindingPublished():
            yield Role.ABOUT, body.binding_hash
        case _:
            assert_never(body)


def anchor_word(root: MerkleRoot, caller: Address) -> bytes:
    """The contract keeps one anchor for each root and caller."""
    return root + address_bytes(caller)


def event_columns(event: LedgerEvent) -> dict[str, object]:
    """What a new row of ``tables.Event`` holds."""
    kind, body = encode_body(event.body)
    return {
        "sequence": event.sequence,
        "kind": kind,
        "body": body,
        "head": event.head,
        "transaction_hash": event.transaction,
        "block_number": event.block_number,
        "block_hash": event.block_hash,
        "block_timestamp": event.block_timestamp,
    }


def event_value(row: tables.Event) -> LedgerEvent:
    """The event in a row."""
    if row.sequence is None:
        raise InvariantViolation("a stored event has no sequence number")
    return LedgerEvent(
        body=decode_body(row.kind, row.body),
        sequence=row.sequence,
        head=row.head,
        transaction=TransactionHash(Keccak256(row.transaction_hash)),
        block_number=row.block_number,
        block_hash=BlockHash(Keccak256(row.block_hash)),
        block_timestamp=row.block_timestamp,
    )


def _encode(value: object) -> object:
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    return value


def _decode(value: Any) -> Any:
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"])
    return tuple(value) if isinstance(value, list) else value
