"""Events of the contract as rows: a kind and a JSON body.

Bodies hold numbers up to 2^256 and text that strangers wrote, half characters among it, so the
project's own canonical JSON cannot hold them. Here bytes are ``{"hex": …}``, numbers are written
out, and text is escaped to ASCII: every body has one text, and comes back from it unchanged.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, Final

from titledeed.models.ledger import EventBody, LedgerEvent
from titledeed.models.primitives import Address, BlockHash, Keccak256, TransactionHash
from titledeed.proofs.event_kinds import EVENT_KINDS, kind_of
from titledeed.store import tables

_CLASSES: Final = {kind.name: kind.body for kind in EVENT_KINDS}


def encode_body(body: EventBody) -> tuple[str, str]:
    """Kind and JSON text of a body."""
    values = {item.name: _encode(getattr(body, item.name)) for item in fields(body)}
    return kind_of(body).name, json.dumps(values, sort_keys=True, separators=(",", ":"))


def decode_body(kind: str, text: str) -> EventBody:
    """Inverse of ``encode_body``."""
    values: dict[str, Any] = json.loads(text)
    body: EventBody = _CLASSES[kind](**{name: _decode(value) for name, value in values.items()})
    return body


def event_columns(event: LedgerEvent) -> dict[str, object]:
    """What a new row of ``tables.EventRow`` holds."""
    kind, body = encode_body(event.body)
    return {
        "contract": event.contract,
        "sequence": event.sequence,
        "kind": kind,
        "body": body,
        "head": event.head,
        "transaction_hash": event.transaction,
        "block_number": event.block_number,
        "block_hash": event.block_hash,
        "block_timestamp": event.block_timestamp,
    }


def event_value(row: tables.EventRow) -> LedgerEvent:
    """The event in a row."""
    return LedgerEvent(
        body=decode_body(row.kind, row.body),
        contract=Address(row.contract),
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
