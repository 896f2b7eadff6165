"""Which entries on chain count for one claim, by the rules of ``entries``. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from titledeed.models.evidence import ClaimEntry
from titledeed.models.ledger import EventBody, LedgerEvent
from titledeed.proofs.entries import ClaimOnChain, ClaimState
from titledeed.proofs.event_kinds import actor_of, kind_of, name_kind


def judge_entries(claim: ClaimOnChain, events: Iterable[LedgerEvent]) -> tuple[ClaimEntry, ...]:
    """Every entry about a claim in the order of the chain, and whether it counts.

    Args:
        claim: the claim.
        events: of the contract, in any order: those about the leaf and the deed, those about the
            deeds that it names as parents, and declarations of the keys that made them. Others
            are passed over.
    """
    state = ClaimState(claim)
    judged = [
        (event, _judge(state, event.body))
        for event in sorted(events, key=lambda event: event.place)
    ]
    return tuple(
        _entry(state, event, fault) for event, fault in judged if is_about(claim, event.body)
    )


def _judge(state: ClaimState, body: EventBody) -> str:
    """Why an entry does not count; empty where it does."""
    of_claim = kind_of(body).of_claim
    if body in state.counted:
        return "it repeats an earlier entry"
    if actor_of(body) in state.lost:
        return "the key that made it had been declared lost or replaced"
    if of_claim is None:
        return "it is about no claim"
    fault = of_claim.find_fault(state, body)
    if not fault:
        state.counted.add(body)
        of_claim.settle(state, body)
    return fault


def is_about(claim: ClaimOnChain, body: EventBody) -> bool:
    """Whether an event is one of a claim's entries, whether it counts or not."""
    of_claim = kind_of(body).of_claim
    return of_claim is not None and of_claim.is_about(claim, body)


def _entry(state: ClaimState, event: LedgerEvent, fault: str) -> ClaimEntry:
    of_claim = kind_of(event.body).of_claim
    said = "" if of_claim is None else of_claim.describe(state, event.body)
    return ClaimEntry(
        kind=name_kind(event.body),
        at=event.block_timestamp,
        sequence=event.sequence,
        actor=actor_of(event.body),
        counts=not fault,
        detail=said + (f" It does not count: {fault}." if fault else ""),
    )
