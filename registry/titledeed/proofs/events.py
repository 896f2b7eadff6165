"""The contracts' events: read from a node's logs, and bound by the running hash of each.

Nodes are untrusted. A log must be exactly what the contract writes for the event that it is read
as; whether the contract wrote it shows when the running hash fits. Pure, and quick to import.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from titledeed.canonical.documents import Json
from titledeed.canonical.hashing import keccak256, word
from titledeed.canonical.identifiers import address_from_bytes
from titledeed.errors import LedgerError
from titledeed.models.ledger import DeployedContract, EventBody, LedgerEvent
from titledeed.models.primitives import BlockHash, Keccak256, TransactionHash
from titledeed.proofs.abi import Words, encode_arguments, encode_value
from titledeed.proofs.contracts import contract_kind
from titledeed.proofs.event_kinds import EventKind, kind_of
from titledeed.proofs.rpc_values import (
    OTHER_NODE,
    parse_array,
    parse_bytes,
    parse_object,
    parse_quantity,
)

HEAD_LENGTH: Final = 20
EMPTY_HEAD: Final = bytes(HEAD_LENGTH)
"""The running hash before the first event."""

NO_EVENTS: Final = (0, EMPTY_HEAD)
"""Sequence and running hash before the first event."""

_SEQUENCE_MAX: Final = 2**63 - 1
"""The contract counts in 48 bits, databases in 63."""


def hash_event(body: EventBody) -> Keccak256:
    """What the running hash takes of an event: Keccak-256 over topic and arguments (ABI)."""
    return keccak256(encode_event(body))


def encode_event(body: EventBody) -> bytes:
    """What is hashed of an event: topic 0 and all arguments (ABI)."""
    return encode_arguments(kind_of(body).topic, *_arguments(body))


def next_head(head: bytes, event: LedgerEvent) -> bytes:
    """The running hash after an event, 20 bytes, from the one before it.

    Binds sequence number, block time and all arguments; ``event.head`` is not looked at.
    """
    return bind_event(head, event.sequence, event.block_timestamp, hash_event(event.body))


def bind_event(head: bytes, sequence: int, block_timestamp: int, event_hash: Keccak256) -> bytes:
    """The running hash after an event of which only the hash is known, 20 bytes."""
    return keccak256(_left(head), word(sequence), word(block_timestamp), event_hash)[:HEAD_LENGTH]


def extend(known: tuple[int, bytes], event: LedgerEvent) -> tuple[int, bytes]:
    """Sequence and running hash after an event, from those before it.

    Raises:
        LedgerError: it is not the next event, or does not fit the running hash.
    """
    sequence, running = known[0] + 1, next_head(known[1], event)
    if (event.sequence, event.head) != (sequence, running):
        raise LedgerError(
            f"the node's event {event.sequence} does not follow event {known[0]}",
            next_step=OTHER_NODE,
        )
    return sequence, running


def encode_log(body: EventBody, *, sequence: int, head: bytes) -> tuple[list[bytes], bytes]:
    """Topics and data that the contract logs for an event."""
    kind, arguments = kind_of(body), _arguments(body)
    data = encode_arguments(*arguments[kind.indexed :], word(sequence), _left(head))
    return [kind.topic, *arguments[: kind.indexed]], data


def list_topics(contracts: Iterable[DeployedContract]) -> list[bytes]:
    """Topic 0 of each event that contracts log of their own; some log those of ERC-721, too."""
    names = dict.fromkeys(contract.name for contract in contracts)
    return list(dict.fromkeys(topic for name in names for topic in contract_kind(name).by_topic))


def decode_log(
    log: Json, *, contracts: Iterable[DeployedContract], block_timestamp: int
) -> LedgerEvent:
    """Read a log of ``eth_getLogs``.

    Args:
        log: as the node answered it.
        contracts: whose logs were asked for.
        block_timestamp: of the block that the log names.

    Raises:
        LedgerError: it is of another contract, or not exactly what the contract writes.
    """
    values = parse_object(log)
    address = address_from_bytes(parse_bytes(values.get("address"), length=20))
    contract = next((one for one in contracts if one.address == address), None)
    if contract is None:
        raise LedgerError("the node answered with a log of another contract")
    if values.get("removed", False) is not False:
        raise LedgerError("the node answered with a log of a block that was replaced")
    topics = [parse_bytes(topic, length=32) for topic in parse_array(values.get("topics"))]
    kinds = contract_kind(contract.name).by_topic
    body, sequence, head = _decode(kinds, topics, parse_bytes(values.get("data")))
    transaction = parse_bytes(values.get("transactionHash"), length=32)
    return LedgerEvent(
        body=body,
        contract=address,
        sequence=sequence,
        head=head,
        transaction=TransactionHash(Keccak256(transaction)),
        block_number=parse_quantity(values.get("blockNumber")),
        block_hash=BlockHash(Keccak256(parse_bytes(values.get("blockHash"), length=32))),
        block_timestamp=block_timestamp,
    )


def _decode(
    kinds: Mapping[bytes, EventKind[Any]], topics: Sequence[bytes], data: bytes
) -> tuple[EventBody, int, bytes]:
    kind = kinds.get(topics[0]) if topics else None
    if kind is None:
        raise LedgerError("the node answered with a log that is no event of the contract's own")
    words = Words(topics[1:], data)
    try:
        body = kind.body(*map(words.read, kind.argument_types))
        sequence = int.from_bytes(words.read_word(), "big")
        head = words.read_word()[:HEAD_LENGTH]
    except ValueError as error:
        raise LedgerError(f"the node's {kind.body.__name__} event is damaged: {error}") from error
    # One check for every way of writing an event that the contract does not write.
    if sequence > _SEQUENCE_MAX or encode_log(body, sequence=sequence, head=head) != (topics, data):
        raise LedgerError(
            f"the node's {kind.body.__name__} event is not in the contract's own form"
        )
    return body, sequence, head


def _arguments(body: EventBody) -> list[bytes]:
    """In the order of declaration, without sequence and head."""
    values = (getattr(body, field.name) for field in fields(body))
    return list(map(encode_value, kind_of(body).argument_types, values))


def _left(head: bytes) -> bytes:
    """``bytes20`` as a word."""
    return head.ljust(32, b"\0")
