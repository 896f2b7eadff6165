"""What stands of each claim: when it counts from, by which evidence, and what was said since.

Reads only: bundles are completed by whoever anchors. The chain is followed once a call at most, and
what was followed is bound by the contract's own count, so no claim needs a question of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from titledeed.errors import MalformedDocumentError, NotFoundError, VerificationError
from titledeed.models.bundle import Bundle
from titledeed.models.claim import SignedClaim
from titledeed.models.evidence import (
    Anchor,
    Answer,
    ChainIdentity,
    ChainKind,
    TimeCode,
    VisibleClaim,
)
from titledeed.models.ledger import Cursor, LedgerEvent
from titledeed.models.primitives import Address, RegistrationId
from titledeed.models.principal import Principal
from titledeed.models.registration import Registration
from titledeed.ports import ChainRepository, RegistrationRepository
from titledeed.proofs.bundles import BundleChecker
from titledeed.proofs.event_kinds import anchor_mention
from titledeed.proofs.signatures import check_claim
from titledeed.proofs.times import format_time
from titledeed.services.history import HistoryService
from titledeed.vault.assembly import Assembly
from titledeed.vault.vault import Vault


class ClaimService:
    """Implements ``ports.ClaimReader``."""

    def __init__(
        self,
        *,
        registrations: RegistrationRepository,
        history: HistoryService,
        events: ChainRepository,
        vault: Vault,
        checker: BundleChecker,
        chain: ChainIdentity,
    ) -> None:
        self._registrations = registrations
        self._history = history
        self._events = events
        self._vault = vault
        self._checker = checker
        self._chain = chain

    def begin(self, principal: Principal) -> ClaimsOfOneCall:
        """See the port."""
        return ClaimsOfOneCall(self, principal)

    def find_signer(self, signed: SignedClaim) -> Address | None:
        """See the port."""
        try:
            check_claim(signed)
        except VerificationError:
            return None
        return signed.claim.claimant

    def read_manifest_store(self, registration: Registration) -> bytes:
        """See the port."""
        try:
            if registration.is_own:
                return self._vault.dossiers.read(registration.registration_id).manifest_store
            return self._vault.bundles.read(registration.registration_id).dossier.manifest_store
        except NotFoundError:
            return b""

    def refresh(self, registration: Registration) -> Registration:
        """The registration as the followed chain has it now."""
        return self._registrations.find(registration.registration_id) or registration

    def follow(self) -> Cursor | None:
        """Catch up with the chain, where this home can."""
        return self._history.follow()

    def find_bundle(self, registration: Registration) -> Bundle | None:
        """The bundle of an anchored registration; put together from what is kept if need be."""
        if registration.anchor is None:
            return None
        if registration.has_bundle:
            return self._vault.bundles.read(registration.registration_id)
        return Assembly(
            self._vault,
            registration.anchor,
            self._chain,
            state_proof=None,
            timestamp_token=self._vault.batches.find_token(registration.anchor.root),
        ).assemble(registration)

    def find_evidence(self, registration: Registration) -> Bundle | Answer | None:
        """The bundle; or, where what was kept is lost or damaged, the answer that says so.

        One lost object must not hide what is known of all other claims.
        """
        try:
            return self.find_bundle(registration)
        except (NotFoundError, MalformedDocumentError) as error:
            return _lost(error)

    def is_followed(self, evidence: Bundle | Answer | None) -> bool:
        """Whether this home follows the chain of a bundle.

        The claim's domain alone would not do: a forged bundle may name our chain id and contract.
        """
        return isinstance(evidence, Bundle) and evidence.own.chain == self._chain

    def tell(
        self,
        registration: Registration,
        evidence: Bundle | Answer | None,
        principal: Principal,
        cursor: Cursor | None,
    ) -> VisibleClaim:
        """One claim, judged by its bundle and by what was followed."""
        time, asked = self._judge(registration, evidence, cursor)
        try:
            entries = self._history.list_entries(registration, principal) if asked else ()
        except (NotFoundError, MalformedDocumentError) as error:
            # Without its entries a claim may count for more than it does: it is not told as proven.
            time, asked, entries = _lost(error), False, ()
        anchor = None if time.code == TimeCode.NONE else registration.anchor
        return VisibleClaim(
            registration_id=registration.registration_id,
            title=registration.title,
            claimant=registration.claimant,
            time=time,
            at=anchor.block_timestamp if anchor else None,
            asked=asked,
            status=registration.status,
            mine=principal.speaks_for(registration.claimant),
            entries=entries,
        )

    def _judge(
        self,
        registration: Registration,
        evidence: Bundle | Answer | None,
        cursor: Cursor | None,
    ) -> tuple[Answer, bool]:
        """Evidence of time for one claim, and whether the chain that gives it was asked."""
        if isinstance(evidence, Answer):
            return evidence, False
        if registration.anchor is None or evidence is None:
            waits = "The claim waits for its block; only its own clock speaks."
            return Answer(TimeCode.CLAIMED_ONLY, waits), False
        try:
            self._checker.require(evidence)
        except VerificationError as error:
            wrong = f"The stored proof does not hold: {error.message}"
            return Answer(TimeCode.NONE, wrong), False
        if not self.is_followed(evidence):
            return _judge_foreign(evidence.own.chain, registration.anchor), False
        return self._judge_followed(registration.anchor, cursor), cursor is not None

    def _find_anchored(self, anchor: Anchor) -> LedgerEvent | None:
        found = self._events.list_mentioning([anchor_mention(anchor.root, anchor.caller)])
        return next((one for one in found if one.contract == self._chain.contract), None)

    def _judge_followed(self, anchor: Anchor, cursor: Cursor | None) -> Answer:
        when = format_time(anchor.block_timestamp)
        if cursor is None:
            return Answer(
                TimeCode.CLAIMED_ONLY,
                f"Its bundle names {when}; the chain was not asked, because this home cannot be "
                "written and never followed it.",
            )
        event = self._find_anchored(anchor)
        as_of = (
            ""
            if self._history.is_live
            else (
                f" The chain was not asked, because this home cannot be written: as of block "
                f"{cursor.block.number}."
            )
        )
        if event is None or event.block_timestamp != anchor.block_timestamp:
            return Answer(
                TimeCode.NONE, f"The chain does not hold the anchor of this claim.{as_of}"
            )
        if self._chain.kind is ChainKind.DEVELOPMENT:
            return Answer(
                TimeCode.SELF_KEPT,
                f"It existed by {when}, by a development chain that this home keeps itself: "
                f"order inside this home only.{as_of}",
            )
        return Answer(
            TimeCode.PUBLIC_CHAIN,
            f"It existed by {when}, by chain {self._chain.chain_id}.{as_of}",
        )


@dataclass(slots=True)
class ClaimsOfOneCall:
    """Implements ``ports.ClaimReading``."""

    claims: ClaimService
    principal: Principal
    told: dict[RegistrationId, VisibleClaim] = field(default_factory=dict)
    _cursor: Cursor | None = None
    _has_followed: bool = False

    def tell(self, registrations: Iterable[Registration]) -> list[VisibleClaim]:
        """See the port."""
        wanted = list(registrations)
        fresh = [one for one in wanted if one.registration_id not in self.told]
        found = [(one, self.claims.find_evidence(one)) for one in fresh]
        if not self._has_followed and any(self.claims.is_followed(known) for _, known in found):
            self._follow()
            found = [self._refresh(one, known) for one, known in found]
        for one, known in found:
            self.told[one.registration_id] = self.claims.tell(
                one, known, self.principal, self._cursor
            )
        return [self.told[one.registration_id] for one in wanted]

    def _refresh(
        self, before: Registration, evidence: Bundle | Answer | None
    ) -> tuple[Registration, Bundle | Answer | None]:
        """A reorganisation may just have put an anchor into another block."""
        now = self.claims.refresh(before)
        is_as_before = (now.anchor, now.has_bundle) == (before.anchor, before.has_bundle)
        return now, evidence if is_as_before else self.claims.find_evidence(now)

    def _follow(self) -> None:
        self._cursor = self.claims.follow()
        self._has_followed = True


def _lost(error: NotFoundError | MalformedDocumentError) -> Answer:
    return Answer(
        TimeCode.NONE, f"What was kept of this claim cannot be read, so it proves nothing: {error}"
    )


def _judge_foreign(chain: ChainIdentity, anchor: Anchor) -> Answer:
    when = format_time(anchor.block_timestamp)
    if chain.kind is ChainKind.DEVELOPMENT:
        return Answer(
            TimeCode.SELF_KEPT,
            f"{when} by a development chain that another home keeps itself; it proves "
            "order inside that home only and was not asked.",
        )
    return Answer(
        TimeCode.CLAIMED_ONLY,
        f"Its bundle names {when} on chain {chain.chain_id}, which this home does not "
        "ask: compare the block hash on any explorer.",
    )
