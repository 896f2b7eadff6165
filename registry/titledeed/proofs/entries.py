"""Which entries on chain count for one claim. Pure.

Anybody may write about any leaf, and the contract cannot know whom a leaf names. So readers judge,
in the order of the contract's own sequence:

* before the deed is issued, only the claimant speaks, and about the leaf; afterwards only whoever
  holds the deed, as the contract saw it, and about the deed;
* a key that was declared lost or replaced, by itself or by the recovery key that the Claim names,
  says nothing from that entry on; what it did before stands, its anchors too;
* the same entry twice, as when somebody relays it again, counts once;
* a withdrawal is for ever: a deed that is issued later does not undo it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import ZERO_ADDRESS, deed_word
from titledeed.models.evidence import ClaimEntry
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
    WorkEvent,
)
from titledeed.models.primitives import Address, DeedId, Keccak256, LeafHash, Sha256, Subject

NO_DOCUMENT: Final = Sha256(bytes(32))
"""The digest of an event that no document tells more about."""


class EntryKind(StrEnum):
    """Kinds of entries that change what a claim is worth; the others are words of ``WorkEvent``."""

    ISSUED = "issued"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    KEY_LOST = "key_lost"
    KEY_REPLACED = "key_replaced"


@dataclass(frozen=True, slots=True)
class ClaimOnChain:
    """What the entries about one claim are judged by.

    Attributes:
        deed: the id that its deed has, or would have.
        recovery_key: as the Claim names it; the zero address names none.
    """

    leaf: LeafHash
    deed: DeedId
    claimant: Address
    recovery_key: Address

    @property
    def deed_subject(self) -> Subject:
        """What entries after the issue are about."""
        return deed_word(self.deed)

    @property
    def subjects(self) -> tuple[Subject, Subject]:
        """What entries about the claim may be about."""
        return Subject(self.leaf), self.deed_subject


def kind_word(kind: WorkEvent | str) -> Keccak256:
    """What the chain holds for the kind of an event."""
    return keccak256(kind.encode("utf-8"))


_WORK_EVENTS: Final = {kind_word(kind): kind for kind in WorkEvent}
_KINDS: Final[dict[type[EventBody], str]] = {
    Anchored: "anchored",
    Issued: EntryKind.ISSUED,
    Withdrawn: EntryKind.WITHDRAWN,
    Superseded: EntryKind.SUPERSEDED,
    BindingPublished: "binding_published",
}
_CONFIRMED: Final = kind_word(WorkEvent.DERIVATIVE_CONFIRMED)


def judge_entries(claim: ClaimOnChain, events: Iterable[LedgerEvent]) -> tuple[ClaimEntry, ...]:
    """Every entry about a claim in the order of the chain, and whether it counts.

    Args:
        claim: the claim.
        events: of the contract, in any order: those about the leaf and the deed, those about the
            deeds that it names as parents, and declarations of the keys that made them. Others
            are passed over.
    """
    standing = _Standing(claim)
    judged = [
        (event, standing.judge(event.body))
        for event in sorted(events, key=lambda event: event.sequence)
    ]
    return tuple(
        ClaimEntry(
            kind=name_kind(event.body),
            at=event.block_timestamp,
            sequence=event.sequence,
            actor=actor_of(event.body),
            counts=not fault,
            detail=standing.describe(event) + (f" It does not count: {fault}." if fault else ""),
        )
        for event, fault in judged
        if _is_about(claim, event.body)
    )


@dataclass(slots=True)
class _Standing:
    """Who may speak for a claim, as its entries go by.

    Attributes:
        lost: keys that were declared lost or replaced.
        counted: what counted so far.
        is_issued: whether a deed was issued, so that its holder speaks.
        confirmed: parents whose holder confirmed that the deed derives from theirs.
        issued_withdrawn: whether the claim had been withdrawn when its deed was issued.
    """

    claim: ClaimOnChain
    lost: set[Address] = field(default_factory=set)
    counted: set[EventBody] = field(default_factory=set)
    is_issued: bool = False
    confirmed: set[DeedId] = field(default_factory=set)
    is_withdrawn: bool = False
    issued_withdrawn: bool = False

    def judge(self, body: EventBody) -> str:
        """Why an entry does not count; empty where it does."""
        fault = self._find_fault(body)
        if fault:
            return fault
        self.counted.add(body)
        match body:
            case KeyDeclared(key=key):
                self.lost.add(key)
            case Issued():
                self.is_issued, self.issued_withdrawn = True, self.is_withdrawn
            case Withdrawn():
                self.is_withdrawn = True
            case EventRecorded(subject=subject) if not _is_about(self.claim, body):
                self.confirmed.add(DeedId(int.from_bytes(subject, "big")))
            case _:
                pass
        return ""

    def _find_fault(self, body: EventBody) -> str:
        if body in self.counted:
            return "it repeats an earlier entry"
        if actor_of(body) in self.lost:
            return "the key that made it had been declared lost or replaced"
        match body:
            case KeyDeclared(key=key, actor=actor):
                return self._fault_of_declaration(key, actor)
            case Issued(deed=deed, claimant=claimant):
                is_ours = (deed, claimant) == (self.claim.deed, self.claim.claimant)
                return "" if is_ours else "it is the deed of another claim"
            case Withdrawn() | Superseded() | EventRecorded():
                return self._fault_of_entry(body)
            case _:
                return "it is about no claim"

    def _fault_of_declaration(self, key: Address, actor: Address) -> str:
        recovery = self.claim.recovery_key
        if actor == key or (key == self.claim.claimant and actor == recovery != ZERO_ADDRESS):
            return ""
        return "neither the key itself nor the recovery key that the claim names made it"

    def _fault_of_entry(self, body: Withdrawn | Superseded | EventRecorded) -> str:
        claim = self.claim
        about_leaf, about_deed = (body.subject == subject for subject in claim.subjects)
        if about_leaf:
            if self.is_issued:
                return "only the holder of the deed speaks for the claim once it is issued"
            return "" if body.actor == claim.claimant else "somebody else than the claimant made it"
        if about_deed and not self.is_issued:
            return "the deed was not issued then"
        if not body.by_holder:
            return "who made it did not hold the deed"
        if about_deed or self._confirms(body):
            return ""
        return "it is about another claim"

    def _confirms(self, body: Withdrawn | Superseded | EventRecorded) -> bool:
        return (
            isinstance(body, EventRecorded)
            and body.kind == _CONFIRMED
            and DeedId(int.from_bytes(body.digest, "big")) == self.claim.deed
        )

    def describe(self, event: LedgerEvent) -> str:
        """One sentence about an entry, once all have gone by."""
        body = event.body
        match body:
            case Issued():
                return self._describe_issue(body)
            case Withdrawn():
                return f"Withdrawn by {self._who(body)}; this cannot be undone."
            case Superseded(successor=successor):
                return f"Superseded by 0x{successor.hex()}, as {self._who(body)} says."
            case EventRecorded():
                return self._describe_event(body)
            case KeyDeclared(successor=successor):
                what = "lost" if successor == ZERO_ADDRESS else f"replaced by {successor}"
                return (
                    f"The claimant's key is {what} since {_format_declared(body.since)}, as "
                    f"{self._who(body)} says; what it did before this entry stands."
                )
            case _:
                return ""

    def _describe_issue(self, body: Issued) -> str:
        parts = ["The deed was issued"]
        if body.leaf != self.claim.leaf:
            parts.append("from another leaf of the same claimant and content")
        if body.royalty:
            parts.append(f"with a royalty of {body.royalty / 100:g} %")
        if self.issued_withdrawn:
            parts.append("although the claim had been withdrawn, which it stays")
        parents = [
            f"{short_deed(parent)} ({'confirmed' if parent in self.confirmed else 'claimed only'})"
            for parent in body.parents
        ]
        if parents:
            parts.append(f"and names as parents {', '.join(parents)}")
        return " ".join(parts) + "."

    def _describe_event(self, body: EventRecorded) -> str:
        if body.kind == _CONFIRMED:
            child = short_deed(DeedId(int.from_bytes(body.digest, "big")))
            return f"{child} is confirmed as derived from this work by {self._who(body)}."
        said = f"Recorded as {name_kind(body)} by {self._who(body)}"
        if body.digest == NO_DOCUMENT:
            return f"{said}, without a document."
        return f"{said}; the document's SHA-256 is {body.digest.hex()}."

    def _who(self, body: Withdrawn | Superseded | EventRecorded | KeyDeclared) -> str:
        if not isinstance(body, KeyDeclared) and body.by_holder:
            return "the holder of the deed"
        if body.actor == self.claim.claimant:
            return "the claimant"
        is_recovery = body.actor == self.claim.recovery_key
        return "the recovery key" if is_recovery else "somebody else"


def name_kind(body: EventBody) -> str:
    """The kind of an entry, as ``ClaimEntry.kind`` names it; others by what they are."""
    match body:
        case KeyDeclared(successor=successor):
            return EntryKind.KEY_LOST if successor == ZERO_ADDRESS else EntryKind.KEY_REPLACED
        case EventRecorded(kind=kind):
            return _WORK_EVENTS.get(kind, f"0x{kind.hex()}")
        case _:
            return _KINDS[type(body)]


def actor_of(body: EventBody) -> Address:
    """Who made an entry."""
    match body:
        case Issued(claimant=claimant):
            return claimant
        case Anchored(caller=caller):
            return caller
        case _:
            return body.actor


def short_deed(deed: DeedId) -> str:
    """A deed id, short enough for a sentence."""
    digits = f"{deed:064x}"
    return f"deed 0x{digits[:8]}…{digits[-8:]}"


def _is_about(claim: ClaimOnChain, body: EventBody) -> bool:
    match body:
        case KeyDeclared(key=key):
            return key == claim.claimant
        case Issued(deed=deed):
            return deed == claim.deed
        case Withdrawn(subject=subject) | Superseded(subject=subject):
            return subject in claim.subjects
        case EventRecorded(subject=subject):
            return subject in claim.subjects
        case _:
            return False


def _format_declared(seconds: int) -> str:
    """A time that somebody declared, which may be none that a calendar knows."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"
