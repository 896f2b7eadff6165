"""Segments of a contract's log: that no event is left out, and what those that are opened say.

Pure. A segment binds its events to each other by the running hash; a storage proof binds the last
of them to a block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from titledeed.canonical.hashing import keccak256
from titledeed.errors import ProofError
from titledeed.models.bundle import LoggedEvent, LogSegment
from titledeed.models.ledger import Block, ContractName, EventBody
from titledeed.models.primitives import Keccak256
from titledeed.proofs.abi import Words
from titledeed.proofs.contracts import contract_kind
from titledeed.proofs.event_kinds import EventKind
from titledeed.proofs.events import bind_event, hash_event
from titledeed.proofs.state_proofs import check_head_proof
from titledeed.proofs.versions import is_known


@dataclass(frozen=True, slots=True)
class CheckedEvent:
    """An event that its segment opens.

    Attributes:
        body: what it says; None where this release knows neither contract nor event.
    """

    sequence: int
    block_timestamp: int
    kind: str
    body: EventBody | None


@dataclass(frozen=True, slots=True)
class CheckedLog:
    """A segment that holds.

    Attributes:
        sequence: of its last event.
        head: the running hash after it, 20 bytes.
        opened: its opened events, in order.
        block: whose state was proven to hold sequence and running hash; None without a proof, or
            where nothing is known of the contract.
        is_known: whether this release knows this version of the contract.
    """

    sequence: int
    head: bytes
    opened: tuple[CheckedEvent, ...]
    block: Block | None
    is_known: bool


def check_log(log: LogSegment) -> CheckedLog:
    """Follow the running hash through a segment, and check the proof of its end.

    Raises:
        ProofError: an event is not what its kind says, time runs backwards, or the proof is of
            another log.
    """
    sequence, head, time = log.sequence, log.head, 0
    opened = []
    known = is_known(log.contract, log.version)
    kinds = contract_kind(ContractName(log.contract)).by_topic if known else None
    for event in log.events:
        sequence += 1
        if event.block_timestamp < time:
            raise ProofError(f"event {sequence} is older than the one before it")
        time = event.block_timestamp
        head = bind_event(head, sequence, time, _hash(event))
        if event.data is not None and event.kind is not None:
            body = _open(event.data, event.kind, kinds, sequence)
            opened.append(CheckedEvent(sequence, time, event.kind, body))
    block = _prove(log, sequence, head, time) if known else None
    return CheckedLog(sequence, head, tuple(opened), block, known)


def _hash(event: LoggedEvent) -> Keccak256:
    return keccak256(event.data or b"") if event.hash is None else event.hash


def _open(
    data: bytes, kind: str, kinds: Mapping[bytes, EventKind[Any]] | None, sequence: int
) -> EventBody | None:
    if kinds is None:
        return None
    found = kinds.get(data[:32])
    if found is None or found.body.__name__ != kind:
        raise ProofError(f"event {sequence} is no {kind[:100]!r} of the contract")
    words = Words([], data)
    words.read_word()
    try:
        body: EventBody = found.body(*map(words.read, found.argument_types))
    except ValueError as error:
        raise ProofError(f"event {sequence} is damaged: {error}") from error
    if hash_event(body) != keccak256(data):
        raise ProofError(f"event {sequence} is not in the contract's own form")
    return body


def _prove(log: LogSegment, sequence: int, head: bytes, time: int) -> Block | None:
    if log.state_proof is None:
        return None
    proven = check_head_proof(
        log.state_proof, contract=log.chain.contract, name=ContractName(log.contract)
    )
    if proven.version.number != log.version:
        raise ProofError(f"the proof is of version {proven.version.number} of {log.contract}")
    if (proven.sequence, proven.running_hash) != (sequence, head):
        raise ProofError("the contract's storage holds another sequence or running hash")
    if proven.block.timestamp < time:
        raise ProofError("the proven block is older than the log's last event")
    return proven.block
