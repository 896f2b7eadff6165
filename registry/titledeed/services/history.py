"""What this home's chain says about registrations, as far as it was followed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from titledeed.canonical.identifiers import deed_word, derive_deed_id
from titledeed.models.claim import Claim
from titledeed.models.evidence import ChainIdentity, ClaimEntry
from titledeed.models.ledger import Cursor, EventBody, Issued, LedgerEvent
from titledeed.models.primitives import Address
from titledeed.models.principal import Principal
from titledeed.models.registration import Registration
from titledeed.ports import ChainRepository, Follower
from titledeed.proofs.entries import ClaimOnChain
from titledeed.proofs.event_kinds import actor_of, kind_of
from titledeed.proofs.judging import judge_entries
from titledeed.services.visibility import require_visible
from titledeed.vault.vault import Vault

OTHERS_MAX: Final = 20
"""Entries that do not count are shown up to here: anybody may write as many as they pay for."""


class HistoryService:
    """Reads and judges the entries about registrations."""

    def __init__(
        self,
        *,
        following: Follower,
        chain: ChainRepository,
        vault: Vault,
        identity: ChainIdentity,
    ) -> None:
        self._following = following
        self._chain = chain
        self._vault = vault
        self._identity = identity

    @property
    def is_live(self) -> bool:
        """Whether ``follow`` asks the chain; a home that cannot be written has rows alone."""
        return self._following.is_live

    def follow(self) -> Cursor | None:
        """Catch up with the chain.

        Returns:
            How far it was followed; None where it never was and cannot be.

        Raises:
            LedgerUnavailableError: it does not answer.
        """
        return self._following.follow()

    def cursor(self) -> Cursor | None:
        """How far the chain was followed; None before the first time."""
        return self._chain.cursor(self._identity.contract)

    def chain_time(self) -> int:
        """Of the block that was followed last, seconds since 1970; 0 before the first time."""
        cursor = self.cursor()
        return cursor.block.timestamp if cursor else 0

    def find_claim(self, registration: Registration) -> ClaimOnChain | None:
        """What entries about a registration are judged by; None where it is of another chain.

        Raises:
            NotFoundError: what opens the claim is not kept here any more.
        """
        claim = self._read_claim(registration)
        if claim is None:
            return None
        return ClaimOnChain(
            leaf=registration.leaf,
            deed=derive_deed_id(claim.claimant, claim.content_digest),
            claimant=claim.claimant,
            recovery_key=claim.recovery_key,
        )

    def list_entries(
        self,
        registration: Registration,
        principal: Principal,
        *,
        others_max: int | None = OTHERS_MAX,
    ) -> tuple[ClaimEntry, ...]:
        """The entries about a registration up to the block that was followed last.

        Args:
            registration: own or imported; there are none about one of another chain.
            principal: who asks.
            others_max: how many that do not count; None for all.

        Raises:
            NotFoundError: what opens the claim is not kept here any more, or the principal may not
                know of the registration.
        """
        require_visible(registration, principal)
        claim = self.find_claim(registration)
        if claim is None:
            return ()
        entries = judge_entries(claim, self._gather(claim))
        others = [entry.sequence for entry in entries if not entry.counts][:others_max]
        return tuple(entry for entry in entries if entry.counts or entry.sequence in others)

    def find_event(self, body: EventBody) -> LedgerEvent | None:
        """The first event that says exactly this."""
        like = self._of_core(self._chain.list_mentioning(kind_of(body).mentions(body)[:1]))
        return next((event for event in like if event.body == body), None)

    def read_event(self, sequence: int) -> LedgerEvent:
        """The event with this number, which was followed."""
        (event,) = self._chain.list_events(self._identity.contract, after=sequence - 1, limit=1)
        return event

    def list_declarations(self, key: Address) -> list[LedgerEvent]:
        """Everything that anybody declared about a key, in order."""
        return self._of_core(self._chain.list_declarations([key]))

    def _read_claim(self, registration: Registration) -> Claim | None:
        registration_id = registration.registration_id
        if registration.is_own:
            return self._vault.dossiers.read(registration_id).record.signed_claim.claim
        bundle = self._vault.bundles.read(registration_id)
        # The claim's domain alone would not do: a forged bundle may name our chain and contract.
        if bundle.own.chain != self._identity:
            return None
        return bundle.dossier.record.signed_claim.claim

    def _gather(self, claim: ClaimOnChain) -> Sequence[LedgerEvent]:
        about = self._of_core(self._chain.list_about(claim.subjects))
        parents = {
            parent
            for event in about
            if isinstance(event.body, Issued) and event.body.deed == claim.deed
            for parent in event.body.parents
        }
        if parents:
            words = [deed_word(parent) for parent in sorted(parents)]
            about += self._of_core(self._chain.list_about(words))
        speakers = {claim.claimant, claim.recovery_key} | {
            actor_of(event.body) for event in about if getattr(event.body, "by_holder", False)
        }
        declared = self._of_core(self._chain.list_declarations(sorted(speakers)))
        return list({event.place: event for event in [*about, *declared]}.values())

    def _of_core(self, events: Iterable[LedgerEvent]) -> list[LedgerEvent]:
        """Claims are of the core contract: what another one says under the same words is not."""
        return [event for event in events if event.contract == self._identity.contract]
