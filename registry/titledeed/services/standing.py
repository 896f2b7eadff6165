"""Who may speak for a claim now: asked before anything is signed."""

from __future__ import annotations

from dataclasses import dataclass

from titledeed.errors import (
    ConflictError,
    InvalidRequestError,
    NotAuthorizedError,
    NotFoundError,
)
from titledeed.models.evidence import ClaimEntry
from titledeed.models.primitives import Address, RegistrationId, Subject
from titledeed.models.principal import Principal, Scope
from titledeed.models.registration import Registration
from titledeed.ports import Ledger
from titledeed.proofs.entries import ClaimOnChain, EntryKind
from titledeed.services.access import require_claimant
from titledeed.services.history import HistoryService
from titledeed.services.visibility import VisibleRegistrations


@dataclass(frozen=True, slots=True)
class Standing:
    """A claim for which an account speaks now.

    Attributes:
        principal: whose account that is.
        actor: the account.
        subject: what the contract takes an entry about it to be about.
        by_holder: whether its deed is issued, which the account then holds.
        entries: those that count.
    """

    registration: Registration
    claim: ClaimOnChain
    principal: Principal
    actor: Address
    subject: Subject
    by_holder: bool
    entries: tuple[ClaimEntry, ...]

    def find(self, *kinds: EntryKind) -> ClaimEntry | None:
        """The first entry of these kinds that counts."""
        return next((entry for entry in self.entries if entry.kind in kinds), None)

    def require_own(self) -> None:
        """Refuse what the holder of a bought deed cannot do.

        Raises:
            NotAuthorizedError: another home registered it.
        """
        if not self.registration.is_own:
            raise not_ours(self.registration, self.principal)


class Standings:
    """Finds claims, and whether an account speaks for them."""

    def __init__(
        self,
        *,
        history: HistoryService,
        visible: VisibleRegistrations,
        ledger: Ledger,
    ) -> None:
        self._history = history
        self._visible = visible
        self._ledger = ledger

    def require(self, registration_id: RegistrationId, principal: Principal) -> Standing:
        """The claim as it stands, after a look at the chain.

        Raises:
            NotFoundError: there is no such registration.
            InvalidRequestError: it is of another chain.
            ConflictError: it is in no block, or its key was declared lost.
            NotAuthorizedError: somebody else speaks for it.
            LedgerUnavailableError: the chain does not answer.
        """
        actor = require_claimant(principal, Scope.REGISTER)
        self.find_known(registration_id, principal)
        self._history.follow()
        registration, claim = self.find_known(registration_id, principal)
        _require_anchor(registration)
        holder = self._ledger.find_holder(claim.deed)
        _require_say(registration, holder, principal)
        entries = self._history.list_entries(registration, principal)
        standing = Standing(
            registration=registration,
            claim=claim,
            principal=principal,
            actor=actor,
            subject=claim.subjects[holder is not None],
            by_holder=holder is not None,
            entries=tuple(entry for entry in entries if entry.counts),
        )
        lost = standing.find(EntryKind.KEY_LOST, EntryKind.KEY_REPLACED)
        if lost is not None and claim.claimant == actor:
            raise ConflictError(
                f"the key {claim.claimant} was declared lost or replaced in entry {lost.sequence}; "
                "readers count nothing that it says since",
                next_step="Register with a new key; the anchors of the old one stand.",
                registration_id=registration.registration_id,
            )
        return standing

    def find_known(
        self, registration_id: RegistrationId, principal: Principal
    ) -> tuple[Registration, ClaimOnChain]:
        """A registration of this home's chain.

        Raises:
            NotFoundError: there is none.
            InvalidRequestError: it is of another chain.
        """
        registration = self._visible.find(registration_id, principal)
        if registration is None:
            raise NotFoundError(
                f"there is no registration {registration_id} here",
                next_step="`titledeed registration list` shows what this home registered.",
                what="registration",
                registration_id=registration_id,
            )
        claim = self._history.find_claim(registration)
        if claim is None:
            raise InvalidRequestError(
                f"{registration_id} is registered on another chain than this home follows",
                next_step="Use a home on that chain.",
            )
        return registration, claim

    def find_successor(self, registration_id: RegistrationId, principal: Principal) -> Subject:
        """What an entry names that makes this registration a successor.

        Raises:
            NotFoundError: there is no such registration.
            InvalidRequestError: it is of another chain.
            ConflictError: it is in no block, or withdrawn.
        """
        successor, claim = self.find_known(registration_id, principal)
        _require_anchor(successor)
        entries = self._history.list_entries(successor, principal)
        if any(entry.counts and entry.kind == EntryKind.WITHDRAWN for entry in entries):
            raise ConflictError(
                f"the successor {registration_id} was withdrawn itself",
                next_step="Name another registration.",
                registration_id=registration_id,
            )
        return claim.subjects[self._ledger.find_holder(claim.deed) is not None]


def not_ours(registration: Registration, principal: Principal) -> NotAuthorizedError:
    """Who speaks for a claim instead."""
    who = "this home" if principal.is_owner else principal.claimant
    return NotAuthorizedError(
        f"{registration.registration_id} is claimed by {registration.claimant}, not by {who}",
        next_step="Only the claimant speaks for it; what others write is not counted.",
        registration_id=registration.registration_id,
    )


def _require_say(registration: Registration, holder: Address | None, principal: Principal) -> None:
    if holder is None and not principal.speaks_for(registration.claimant):
        raise not_ours(registration, principal)
    if holder is not None and not principal.speaks_for(holder):
        raise NotAuthorizedError(
            f"{holder} holds the deed of {registration.registration_id} and speaks for it now",
            next_step="Ask the holder; what others write is not counted.",
        )


def _require_anchor(registration: Registration) -> None:
    if registration.anchor is None:
        raise ConflictError(
            f"{registration.registration_id} is in no block yet",
            next_step=f"Run `titledeed receipt {registration.registration_id}` first.",
            registration_id=registration.registration_id,
        )
