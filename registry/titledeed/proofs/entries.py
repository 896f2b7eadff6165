"""What entries on chain about one claim are judged by: the claim, and who speaks for it. Pure.

Anybody may write about any leaf, and the contract cannot know whom a leaf names. So readers judge,
in the order of the contract's own sequence:

* before the deed is issued, only the claimant speaks, and about the leaf; afterwards only whoever
  holds the deed, as the contract saw it, and about the deed;
* a key that was declared lost or replaced, by itself or by the recovery key that the Claim names,
  says nothing from that entry on; what it did before stands, its anchors too;
* the same entry twice, as when somebody relays it again, counts once;
* a withdrawal is for ever: a deed that is issued later does not undo it.

``event_kinds`` says for each event how these rules meet it, ``judging`` applies them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import deed_word
from titledeed.models.ledger import EventBody, WorkEvent
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


@dataclass(slots=True)
class ClaimState:
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

    def find_fault(
        self, subject: Subject, actor: Address, *, by_holder: bool, confirms: bool = False
    ) -> str:
        """Why an entry about a leaf or a deed does not count; empty where it does.

        Args:
            subject: what it is about.
            actor: who made it.
            by_holder: whether the contract saw that the actor holds the deed.
            confirms: whether it is about a parent and confirms that this claim derives from it.
        """
        about_leaf, about_deed = (subject == own for own in self.claim.subjects)
        if about_leaf:
            if self.is_issued:
                return "only the holder of the deed speaks for the claim once it is issued"
            is_claimant = actor == self.claim.claimant
            return "" if is_claimant else "somebody else than the claimant made it"
        if about_deed and not self.is_issued:
            return "the deed was not issued then"
        if not by_holder:
            return "who made it did not hold the deed"
        return "" if about_deed or confirms else "it is about another claim"

    def name_speaker(self, actor: Address, *, by_holder: bool = False) -> str:
        """Whom an entry is of, for a sentence."""
        if by_holder:
            return "the holder of the deed"
        if actor == self.claim.claimant:
            return "the claimant"
        is_recovery = actor == self.claim.recovery_key
        return "the recovery key" if is_recovery else "somebody else"


def kind_word(kind: WorkEvent | str) -> Keccak256:
    """What the chain holds for the kind of an event."""
    return keccak256(kind.encode("utf-8"))


def describe_terms(royalty: int, parents: Sequence[DeedId]) -> str:
    """What an issue fixes for ever; the royalty is in basis points."""
    share = f"a royalty of {royalty / 100:g} %" if royalty else "no royalty"
    named = f"as parents {', '.join(map(short_deed, parents))}" if parents else "no parents"
    return f"{share} and {named}"


def short_deed(deed: DeedId) -> str:
    """A deed id, short enough for a sentence."""
    digits = f"{deed:064x}"
    return f"deed 0x{digits[:8]}…{digits[-8:]}"
