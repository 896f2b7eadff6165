"""Every event of our contracts, once: its stored name, its ABI, what finds it, what it says. Pure.

A new event is a class in ``models.ledger`` and an entry here: the codec, the database and the
judgement of claims read this table. mypy finds a class without an entry (``kind_of``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Generic, TypeVar, assert_never

from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import ZERO_ADDRESS, address_bytes, deed_word
from titledeed.models.ledger import (
    Anchored,
    BindingPublished,
    EventBody,
    EventRecorded,
    Issued,
    KeyDeclared,
    Mention,
    MentionRole,
    Superseded,
    Withdrawn,
    WorkEvent,
)
from titledeed.models.primitives import Address, DeedId, Keccak256, MerkleRoot
from titledeed.proofs.entries import (
    NO_DOCUMENT,
    ClaimOnChain,
    ClaimState,
    EntryKind,
    kind_word,
    short_deed,
)
from titledeed.proofs.times import format_time

Body = TypeVar("Body", bound=EventBody)

_WORK_EVENTS: Final = {kind_word(kind): kind for kind in WorkEvent}
_CONFIRMED: Final = kind_word(WorkEvent.DERIVATIVE_CONFIRMED)


@dataclass(frozen=True)
class OfClaim(Generic[Body]):
    """What an event says of a claim.

    Attributes:
        is_about: whether it is one of the claim's entries.
        find_fault: why it does not count, beyond a repetition or a lost key; empty where it does.
        settle: what changes where it counts.
        describe: one sentence, once all entries have gone by.
    """

    is_about: Callable[[ClaimOnChain, Body], bool]
    find_fault: Callable[[ClaimState, Body], str]
    settle: Callable[[ClaimState, Body], None]
    describe: Callable[[ClaimState, Body], str]


@dataclass(frozen=True)
class EventKind(Generic[Body]):
    """One event.

    Attributes:
        body: its class, named as in Solidity; fields stand in the order of the arguments.
        name: in databases and in what people read; outlives the name of the class.
        types: of the arguments, without sequence and head, with spaces between.
        indexed: how many of them, from the first, are topics.
        actor: who made it.
        mentions: by which words it is found; at least one.
        of_claim: None where it is about no claim.
        label: what kind of entry it is, where that is not its name.
    """

    body: type[Body]
    name: str
    types: str
    indexed: int
    actor: Callable[[Body], Address]
    mentions: Callable[[Body], tuple[Mention, ...]]
    of_claim: OfClaim[Body] | None = None
    label: Callable[[Body], str] | None = None

    @cached_property
    def argument_types(self) -> tuple[str, ...]:
        """``types``, one by one."""
        return tuple(self.types.split())

    @cached_property
    def topic(self) -> Keccak256:
        """Topic 0 of its logs; every event of ours ends with sequence and running hash."""
        signature = f"{self.body.__name__}({','.join(self.argument_types)},uint64,bytes20)"
        return keccak256(signature.encode("ascii"))


def kind_of(body: EventBody) -> EventKind[Any]:
    """The entry of an event."""
    kind: EventKind[Any]
    match body:
        case Anchored():
            kind = _ANCHORED
        case Issued():
            kind = _ISSUED
        case Withdrawn():
            kind = _WITHDRAWN
        case Superseded():
            kind = _SUPERSEDED
        case EventRecorded():
            kind = _EVENT_RECORDED
        case KeyDeclared():
            kind = _KEY_DECLARED
        case BindingPublished():
            kind = _BINDING_PUBLISHED
        case _:
            assert_never(body)
    return kind


def name_kind(body: EventBody) -> str:
    """The kind of an entry, as ``ClaimEntry.kind`` names it; others by what they are."""
    kind = kind_of(body)
    return kind.name if kind.label is None else kind.label(body)


def actor_of(body: EventBody) -> Address:
    """Who made an entry."""
    return kind_of(body).actor(body)


def anchor_mention(root: MerkleRoot, caller: Address) -> Mention:
    """What finds an anchor: the contract keeps one for each root and caller."""
    return Mention(MentionRole.ANCHOR, root + address_bytes(caller))


def key_mention(key: Address) -> Mention:
    """What finds the declarations of a key."""
    return Mention(MentionRole.KEY, address_bytes(key))


def _about(*words: bytes) -> tuple[Mention, ...]:
    return tuple(Mention(MentionRole.ABOUT, word) for word in words)


def _find_issue_fault(state: ClaimState, body: Issued) -> str:
    is_ours = (body.deed, body.claimant) == (state.claim.deed, state.claim.claimant)
    return "" if is_ours else "it is the deed of another claim"


def _settle_issue(state: ClaimState, _body: Issued) -> None:
    state.is_issued, state.issued_withdrawn = True, state.is_withdrawn


def _describe_issue(state: ClaimState, body: Issued) -> str:
    parts = ["The deed was issued"]
    if body.leaf != state.claim.leaf:
        parts.append("from another leaf of the same claimant and content")
    if body.royalty:
        parts.append(f"with a royalty of {body.royalty / 100:g} %")
    if state.issued_withdrawn:
        parts.append("although the claim had been withdrawn, which it stays")
    parents = [
        f"{short_deed(parent)} ({'confirmed' if parent in state.confirmed else 'claimed only'})"
        for parent in body.parents
    ]
    if parents:
        parts.append(f"and names as parents {', '.join(parents)}")
    return " ".join(parts) + "."


def _settle_withdrawal(state: ClaimState, _body: Withdrawn) -> None:
    state.is_withdrawn = True


def _speaker(state: ClaimState, body: Withdrawn | Superseded | EventRecorded) -> str:
    return state.name_speaker(body.actor, by_holder=body.by_holder)


def _find_entry_fault(state: ClaimState, body: Withdrawn | Superseded) -> str:
    return state.find_fault(body.subject, body.actor, by_holder=body.by_holder)


def _is_subject(claim: ClaimOnChain, body: Withdrawn | Superseded | EventRecorded) -> bool:
    return body.subject in claim.subjects


def _find_event_fault(state: ClaimState, body: EventRecorded) -> str:
    confirms = body.kind == _CONFIRMED and _confirmed_child(body) == state.claim.deed
    return state.find_fault(body.subject, body.actor, by_holder=body.by_holder, confirms=confirms)


def _settle_event(state: ClaimState, body: EventRecorded) -> None:
    if not _is_subject(state.claim, body):
        state.confirmed.add(DeedId(int.from_bytes(body.subject, "big")))


def _describe_event(state: ClaimState, body: EventRecorded) -> str:
    speaker = _speaker(state, body)
    if body.kind == _CONFIRMED:
        child = short_deed(_confirmed_child(body))
        return f"{child} is confirmed as derived from this work by {speaker}."
    said = f"Recorded as {_label_event(body)} by {speaker}"
    if body.digest == NO_DOCUMENT:
        return f"{said}, without a document."
    return f"{said}; the document's SHA-256 is {body.digest.hex()}."


def _confirmed_child(body: EventRecorded) -> DeedId:
    """Where a parent's holder confirms a derivative, the digest is the derivative's deed."""
    return DeedId(int.from_bytes(body.digest, "big"))


def _label_event(body: EventRecorded) -> str:
    return _WORK_EVENTS.get(body.kind, f"0x{body.kind.hex()}")


def _find_declaration_fault(state: ClaimState, body: KeyDeclared) -> str:
    recovery = state.claim.recovery_key
    is_recovered = body.key == state.claim.claimant and body.actor == recovery != ZERO_ADDRESS
    if body.actor == body.key or is_recovered:
        return ""
    return "neither the key itself nor the recovery key that the claim names made it"


def _settle_declaration(state: ClaimState, body: KeyDeclared) -> None:
    state.lost.add(body.key)


def _describe_declaration(state: ClaimState, body: KeyDeclared) -> str:
    is_lost = body.successor == ZERO_ADDRESS
    return (
        f"The claimant's key is {'lost' if is_lost else f'replaced by {body.successor}'} since "
        f"{_format_declared(body.since)}, as {state.name_speaker(body.actor)} says; what it did "
        "before this entry stands."
    )


def _label_declaration(body: KeyDeclared) -> str:
    return EntryKind.KEY_LOST if body.successor == ZERO_ADDRESS else EntryKind.KEY_REPLACED


def _format_declared(seconds: int) -> str:
    """A time that somebody declared, which may be none that a calendar knows."""
    try:
        return format_time(seconds)
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"


def _settle_nothing(_state: ClaimState, _body: EventBody) -> None:
    """It counts, and changes nothing for the entries after it."""


_ANCHORED: Final = EventKind(
    body=Anchored,
    name="anchored",
    types="bytes32 address uint64",
    indexed=2,
    actor=lambda body: body.caller,
    mentions=lambda body: (anchor_mention(body.root, body.caller),),
)

_ISSUED: Final = EventKind(
    body=Issued,
    name="issued",
    types="uint256 bytes32 address bytes32 bytes32 address uint16 uint256[]",
    indexed=3,
    actor=lambda body: body.claimant,
    mentions=lambda body: _about(body.leaf, deed_word(body.deed)),
    of_claim=OfClaim(
        is_about=lambda claim, body: body.deed == claim.deed,
        find_fault=_find_issue_fault,
        settle=_settle_issue,
        describe=_describe_issue,
    ),
)

_WITHDRAWN: Final = EventKind[Withdrawn](
    body=Withdrawn,
    name="withdrawn",
    types="bytes32 address bool",
    indexed=2,
    actor=lambda body: body.actor,
    mentions=lambda body: _about(body.subject),
    of_claim=OfClaim(
        is_about=_is_subject,
        find_fault=_find_entry_fault,
        settle=_settle_withdrawal,
        describe=lambda state, body: (
            f"Withdrawn by {_speaker(state, body)}; this cannot be undone."
        ),
    ),
)

_SUPERSEDED: Final = EventKind[Superseded](
    body=Superseded,
    name="superseded",
    types="bytes32 address bytes32 bool",
    indexed=3,
    actor=lambda body: body.actor,
    mentions=lambda body: _about(body.subject, body.successor),
    of_claim=OfClaim(
        is_about=_is_subject,
        find_fault=_find_entry_fault,
        settle=_settle_nothing,
        describe=lambda state, body: (
            f"Superseded by 0x{body.successor.hex()}, as {_speaker(state, body)} says."
        ),
    ),
)

_EVENT_RECORDED: Final = EventKind(
    body=EventRecorded,
    name="event_recorded",
    types="bytes32 address bytes32 bytes32 bool",
    indexed=3,
    actor=lambda body: body.actor,
    mentions=lambda body: _about(body.subject),
    of_claim=OfClaim(
        is_about=_is_subject,
        find_fault=_find_event_fault,
        settle=_settle_event,
        describe=_describe_event,
    ),
    label=_label_event,
)

_KEY_DECLARED: Final = EventKind(
    body=KeyDeclared,
    name="key_declared",
    types="address address address uint64",
    indexed=3,
    actor=lambda body: body.actor,
    mentions=lambda body: (key_mention(body.key),),
    of_claim=OfClaim(
        is_about=lambda claim, body: body.key == claim.claimant,
        find_fault=_find_declaration_fault,
        settle=_settle_declaration,
        describe=_describe_declaration,
    ),
    label=_label_declaration,
)

_BINDING_PUBLISHED: Final = EventKind(
    body=BindingPublished,
    name="binding_published",
    types="bytes32 address string string",
    indexed=2,
    actor=lambda body: body.actor,
    mentions=lambda body: _about(body.binding_hash),
)

TITLE_DEED_EVENTS: Final[tuple[EventKind[Any], ...]] = (
    _ANCHORED,
    _ISSUED,
    _WITHDRAWN,
    _SUPERSEDED,
    _EVENT_RECORDED,
    _KEY_DECLARED,
    _BINDING_PUBLISHED,
)
"""What the core contract logs; it also logs the events of ERC-721, which carry no sequence."""

EVENT_KINDS: Final = TITLE_DEED_EVENTS
"""Of all contracts; a test holds them against ``EventBody``."""
