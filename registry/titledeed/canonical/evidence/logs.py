"""Segments of a contract's log as canonical JSON: what was said since, and that none is missing."""

from __future__ import annotations

from typing import Final

from titledeed.canonical.documents import Fields, Json, hex_word, leave_out
from titledeed.canonical.evidence.chains import (
    encode_chain,
    encode_state_proof,
    parse_chain,
    parse_state_proof,
)
from titledeed.models.bundle import LoggedEvent, LogSegment
from titledeed.models.primitives import Keccak256

LOG: Final = "titledeed.log"
EVENTS_MAX: Final = 1_000_000
EVENT_LENGTH_MAX: Final = 65_536
HEAD_LENGTH: Final = 20
VERSION_MAX: Final = 65_535
SEQUENCE_MAX: Final = 2**48 - 1
"""The contracts count in 48 bits."""


def encode_log(log: LogSegment) -> dict[str, Json]:
    """JSON form; in a bundle, or as a line of a snapshot."""
    return leave_out(
        {
            "schema": f"{LOG}/1",
            "chain": encode_chain(log.chain),
            "contract": log.contract,
            "version": log.version,
            "sequence": log.sequence,
            "head": hex_word(log.head),
            "events": [_encode_event(event) for event in log.events],
            "state_proof": encode_state_proof(log.state_proof) if log.state_proof else None,
        }
    )


def parse_log(fields: Fields) -> LogSegment:
    """Inverse of ``encode_log``; checks form, not the running hash.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form.
    """
    fields.version(LOG, (1,))
    log = LogSegment(
        chain=parse_chain(fields.child("chain")),
        contract=fields.term("contract"),
        version=fields.integer("version", minimum=1, maximum=VERSION_MAX),
        sequence=fields.integer("sequence", maximum=SEQUENCE_MAX),
        head=fields.hexadecimal_of("head", length=HEAD_LENGTH),
        events=tuple(map(_parse_event, fields.listed("events", items_max=EVENTS_MAX))),
        state_proof=fields.stated(
            "state_proof", lambda name: parse_state_proof(fields.child(name))
        ),
    )
    if (log.sequence == 0) is any(log.head):
        raise fields.fail("head", "must be zeros before the first event, and there alone")
    if not log.events:
        raise fields.fail("events", "is missing")
    fields.done()
    return log


def _encode_event(event: LoggedEvent) -> dict[str, Json]:
    return leave_out(
        {
            "block_timestamp": event.block_timestamp,
            "hash": hex_word(event.hash) if event.hash else None,
            "kind": event.kind,
            "data": hex_word(event.data) if event.data else None,
        }
    )


def _parse_event(fields: Fields) -> LoggedEvent:
    closed = fields.stated("hash", fields.word)
    event = LoggedEvent(
        block_timestamp=fields.timestamp("block_timestamp"),
        hash=None if closed is None else Keccak256(closed),
        kind=fields.stated("kind", fields.term),
        data=fields.stated(
            "data", lambda name: fields.hexadecimal(name, length_max=EVENT_LENGTH_MAX)
        ),
    )
    stated = (event.hash is not None, event.kind is not None, event.data is not None)
    if stated not in {(True, False, False), (False, True, True)}:
        raise fields.fail("hash", "must be there, or kind and data instead")
    fields.done()
    return event
