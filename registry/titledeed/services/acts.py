"""Acts on claims: what a claimant, or the holder of a deed, puts on chain after the anchor.

The actor's key signs each act and this home's sender pays for it. What readers would not count is
refused before anything is sent; what is on record already is answered, not sent again.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from titledeed.anchoring.recording import ActRecorder, RecordedAct
from titledeed.anchoring.sending import SendingService
from titledeed.canonical.evidence.records import digest_record
from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import deed_word
from titledeed.canonical.leaves import commit_record
from titledeed.errors import (
    ConflictError,
    InvalidRequestError,
    InvariantViolation,
    LedgerError,
)
from titledeed.media.digests import digest_file
from titledeed.models.evidence import ChainIdentity, ClaimEntry
from titledeed.models.ledger import (
    Act,
    BindingPublished,
    EventBody,
    EventRecorded,
    Issued,
    IssueDeed,
    PublishBinding,
    RecordEvent,
    Supersede,
    Superseded,
    WithdrawDeed,
    WithdrawLeaf,
    Withdrawn,
    WorkEvent,
)
from titledeed.models.primitives import Address, DeedId, RegistrationId, Sha256
from titledeed.models.principal import Principal, Scope
from titledeed.models.registration import Registration, Visibility
from titledeed.ports import AccountKeyStore, Clock, KeyStore, Ledger
from titledeed.proofs.contracts import core_domain
from titledeed.proofs.entries import (
    NO_DOCUMENT,
    EntryKind,
    describe_terms,
    kind_word,
    short_deed,
)
from titledeed.proofs.times import format_time
from titledeed.services.acceptance import bind_softly
from titledeed.services.access import require_claimant
from titledeed.services.declarations import KeyDeclarations
from titledeed.services.history import HistoryService
from titledeed.services.standing import Standing, Standings
from titledeed.services.visibility import VisibleRegistrations
from titledeed.vault.vault import Vault

ROYALTY_MAX: Final = 10_000
PARENTS_MAX: Final = 16
KIND_LENGTH_MAX: Final = 64
ENDPOINT_LENGTH_MAX: Final = 512


class ActService:
    """Issues deeds, withdraws and supersedes claims, records what happened to works."""

    def __init__(
        self,
        *,
        keys: KeyStore,
        sending: SendingService,
        history: HistoryService,
        visible: VisibleRegistrations,
        vault: Vault,
        ledger: Ledger,
        identity: ChainIdentity,
        clock: Clock,
    ) -> None:
        self._keys = keys
        self._history = history
        self._vault = vault
        self._ledger = ledger
        self._recorder = ActRecorder(
            sending=sending,
            find_event=history.find_event,
            domain=core_domain(identity),
            clock=clock,
            chain_time=history.chain_time,
        )
        self._standings = Standings(history=history, visible=visible, ledger=ledger)
        self._declarations = KeyDeclarations(
            recorder=self._recorder, history=history, visible=visible, clock=clock
        )

    def issue(
        self,
        registration_id: RegistrationId,
        *,
        principal: Principal,
        royalty: int = 0,
        parents: Sequence[RegistrationId | DeedId] = (),
    ) -> RecordedAct:
        """Mint the deed (ERC-721) of an own claim to its claimant.

        Args:
            registration_id: an own registration that a block includes.
            principal: the claimant.
            royalty: of later sales, in basis points (ERC-2981).
            parents: works that it derives from; each must have its deed.

        A deed is issued once. Whoever has a signature by the claimant can send it until its
        deadline, also one with other terms; then those stand.

        Raises:
            NotFoundError: there is no such registration or parent.
            InvalidRequestError: royalty or parents cannot be.
            ConflictError: the claim is withdrawn, in no block, or has a deed with other terms; it
                says with which.
            NotAuthorizedError: the principal does not speak for it.
            TransactionRevertedError: the contract refused it.
            LedgerUnavailableError: the chain does not answer.
        """
        standing = self._standings.require(registration_id, principal)
        standing.require_own()
        deeds = self._name_parents(standing, parents)
        if not 0 <= royalty <= ROYALTY_MAX:
            raise InvalidRequestError(f"a royalty of {royalty} basis points: 0 to {ROYALTY_MAX}")
        withdrawn = standing.find(EntryKind.WITHDRAWN)
        issued = standing.find(EntryKind.ISSUED)
        if withdrawn is not None and issued is None:
            raise ConflictError(
                f"{registration_id} was withdrawn; every reader keeps it so, deed or not",
                next_step="Register another version of the work, and name it as the successor.",
                registration_id=registration_id,
            )
        if issued is not None:
            return self._answer_issued(standing, issued, royalty, deeds)
        act = self._open_leaf(standing.registration, royalty, deeds)
        expected = Issued(
            deed=standing.claim.deed,
            leaf=act.leaf,
            claimant=standing.claim.claimant,
            content_digest=act.content_digest,
            root=act.root,
            anchored_by=act.anchored_by,
            royalty=royalty,
            parents=deeds,
        )
        try:
            return self._record(standing, act, expected, label="issue")
        except LedgerError:
            # Another signature of the claimant may have been faster.
            issued = self._find_issue(standing)
            if issued is None:
                raise
            return self._answer_issued(standing, issued, royalty, deeds)

    def withdraw(self, registration_id: RegistrationId, *, principal: Principal) -> RecordedAct:
        """Withdraw a claim, for ever: its leaf, or its deed once that is issued.

        Raises:
            NotFoundError: there is no such registration.
            ConflictError: it is in no block.
            NotAuthorizedError: the principal does not speak for it.
            LedgerUnavailableError: the chain does not answer.
        """
        standing = self._standings.require(registration_id, principal)
        withdrawn = standing.find(EntryKind.WITHDRAWN)
        if withdrawn is not None:
            return RecordedAct(self._history.read_event(withdrawn.sequence), is_new=False)
        claim = standing.claim
        act = WithdrawDeed(claim.deed) if standing.by_holder else WithdrawLeaf(claim.leaf)
        expected = Withdrawn(standing.subject, standing.actor, standing.by_holder)
        return self._record(standing, act, expected, label="withdraw")

    def supersede(
        self,
        registration_id: RegistrationId,
        successor_id: RegistrationId,
        *,
        principal: Principal,
    ) -> RecordedAct:
        """Name another registration that takes the place of a claim.

        Raises:
            NotFoundError: there is no such registration.
            InvalidRequestError: it would supersede itself, or names one of another chain.
            ConflictError: one of both is in no block, or the successor is withdrawn.
            NotAuthorizedError: the principal does not speak for it.
            LedgerUnavailableError: the chain does not answer.
        """
        if registration_id == successor_id:
            raise InvalidRequestError("a registration cannot supersede itself")
        standing = self._standings.require(registration_id, principal)
        successor = self._standings.find_successor(successor_id, principal)
        expected = Superseded(standing.subject, standing.actor, successor, standing.by_holder)
        act = Supersede(standing.subject, successor)
        return self._record(standing, act, expected, label="supersede")

    def record_event(
        self,
        registration_id: RegistrationId,
        kind: WorkEvent | str,
        document: Path | None = None,
        *,
        principal: Principal,
    ) -> RecordedAct:
        """Record that something happened to a work.

        The same kind with the same document, or twice with none, is one event.

        Args:
            registration_id: a registration for which the principal speaks.
            kind: one of ``WorkEvent``, or a word of one's own.
            document: tells more; its SHA-256 alone is recorded.
            principal: the claimant, or the holder of the deed.

        Raises:
            NotFoundError: there is no such registration.
            InvalidRequestError: the word is empty or too long, or needs ``confirm_derivative``.
            UnreadableInputError: the document cannot be read.
            ConflictError: it is in no block.
            NotAuthorizedError: the principal does not speak for it.
            LedgerUnavailableError: the chain does not answer.
        """
        if kind == WorkEvent.DERIVATIVE_CONFIRMED:
            raise InvalidRequestError(
                "that word confirms a derivative work, which must be named",
                next_step="Run `titledeed registration confirm`.",
            )
        if not 0 < len(kind.strip()) <= KIND_LENGTH_MAX:
            raise InvalidRequestError(f"a kind of event has 1 to {KIND_LENGTH_MAX} characters")
        digest = NO_DOCUMENT if document is None else digest_file(document)
        standing = self._standings.require(registration_id, principal)
        return self._record_event(standing, kind, digest)

    def confirm_derivative(
        self, parent_id: RegistrationId, child: RegistrationId | DeedId, *, principal: Principal
    ) -> RecordedAct:
        """Confirm, as holder of a parent's deed, that another work derives from it.

        Raises:
            NotFoundError: there is no such registration.
            ConflictError: the parent has no deed.
            NotAuthorizedError: somebody else holds it.
            LedgerUnavailableError: the chain does not answer.
        """
        standing = self._standings.require(parent_id, principal)
        if not standing.by_holder:
            raise ConflictError(
                f"{parent_id} has no deed yet, so that none can name it as a parent",
                next_step=f"Run `titledeed registration issue {parent_id}`.",
                registration_id=parent_id,
            )
        deed = self._deed_of(child, principal)
        if deed == standing.claim.deed:
            raise InvalidRequestError("a work does not derive from itself")
        digest = Sha256(deed_word(deed))
        return self._record_event(standing, WorkEvent.DERIVATIVE_CONFIRMED, digest)

    def declare_key(
        self,
        *,
        principal: Principal,
        successor: Address | None = None,
        since: int | None = None,
        key: Address | None = None,
        by: AccountKeyStore | None = None,
    ) -> RecordedAct:
        """Declare a claimant's key lost or replaced; what it did before stands.

        Args:
            principal: who declares it.
            successor: the key that replaces it; None declares it lost.
            since: seconds since 1970; None for now.
            key: None for the principal's account.
            by: the recovery key that the Claims name; None for the key itself.

        Raises:
            NotAuthorizedError: the principal has no account.
            InvalidRequestError: no claim of this home names the recovery key; or the successor is
                the key itself; or the time is to come.
            ConflictError: the key declared something else before.
            LedgerUnavailableError: the chain does not answer.
        """
        account = require_claimant(principal, Scope.REGISTER)
        return self._declarations.declare(
            key or account,
            actor=by.address if by else account,
            keys=by or self._keys,
            principal=principal,
            successor=successor,
            since=since,
        )

    def publish_binding(
        self, registration_id: RegistrationId, endpoint: str, *, principal: Principal
    ) -> tuple[RecordedAct, ...]:
        """Publish where the soft bindings of a published registration lead (C2PA 2.4, section 2).

        The binding hash is the Keccak-256 of the value's bytes, which the manifest has in base64.

        Args:
            registration_id: an own, published registration.
            endpoint: base URL of a Soft Binding Resolution API that knows the manifest.
            principal: the claimant.

        Returns:
            One act for each soft binding of the manifest.

        Raises:
            NotFoundError: there is no such registration.
            InvalidRequestError: the URL cannot be, or the registration has no manifest.
            ConflictError: the registration is private or withdrawn, or in no block.
            LedgerUnavailableError: the chain does not answer.
        """
        _check_endpoint(endpoint)
        standing = self._standings.require(registration_id, principal)
        registration = standing.registration
        standing.require_own()
        if registration.visibility is not Visibility.PUBLISHED:
            raise ConflictError(
                f"{registration_id} is private; a binding would tell everybody about it",
                next_step=f"Run `titledeed publish {registration_id}` first.",
                registration_id=registration_id,
            )
        if standing.find(EntryKind.WITHDRAWN):
            raise ConflictError(f"{registration_id} was withdrawn", registration_id=registration_id)
        if registration.manifest_id is None:
            raise InvalidRequestError(f"{registration_id} has no manifest to be found")
        dossier = self._vault.dossiers.read(registration_id)
        values = [binding.value for binding in bind_softly(dossier.fingerprints)]
        hashes = dict.fromkeys(keccak256(b64decode(value)) for value in values)
        return tuple(
            self._record(
                standing,
                PublishBinding(binding, endpoint, registration.manifest_id),
                BindingPublished(binding, standing.actor, endpoint, registration.manifest_id),
                label="publish-binding",
            )
            for binding in hashes
        )

    def _deed_of(self, work: RegistrationId | DeedId, principal: Principal) -> DeedId:
        if isinstance(work, int):
            return work
        return self._standings.find_known(work, principal)[1].deed

    def _name_parents(
        self, standing: Standing, parents: Sequence[RegistrationId | DeedId]
    ) -> tuple[DeedId, ...]:
        deeds = tuple(sorted({self._deed_of(parent, standing.principal) for parent in parents}))
        if standing.claim.deed in deeds:
            raise InvalidRequestError("a work does not derive from itself")
        if len(deeds) > PARENTS_MAX:
            raise InvalidRequestError(f"{len(deeds)} parents; at most {PARENTS_MAX} can be named")
        for deed in deeds:
            if self._ledger.find_holder(deed) is None:
                raise ConflictError(
                    f"{short_deed(deed)} is not issued, so that it cannot be named as a parent",
                    next_step="Ask its claimant to issue it first.",
                )
        return deeds

    def _answer_issued(
        self, standing: Standing, issued: ClaimEntry, royalty: int, parents: tuple[DeedId, ...]
    ) -> RecordedAct:
        registration_id = standing.registration.registration_id
        event = self._history.read_event(issued.sequence)
        body = event.body
        if not isinstance(body, Issued):
            raise InvariantViolation(f"event {issued.sequence} issues no deed")
        if (body.royalty, body.parents) != (royalty, parents):
            raise ConflictError(
                f"{registration_id} has a deed already, with "
                f"{describe_terms(body.royalty, body.parents)}, since "
                f"{format_time(event.block_timestamp)} (event {event.sequence}); that stands for "
                f"ever, and not {describe_terms(royalty, parents)}",
                next_step=f"`titledeed registration history {registration_id}` shows it.",
                registration_id=registration_id,
            )
        return RecordedAct(event, is_new=False)

    def _find_issue(self, standing: Standing) -> ClaimEntry | None:
        """What the chain says by now of the issue of a claim's deed."""
        self._history.follow()
        entries = self._history.list_entries(standing.registration, standing.principal)
        issues = (entry for entry in entries if entry.counts and entry.kind == EntryKind.ISSUED)
        return next(issues, None)

    def _open_leaf(
        self, registration: Registration, royalty: int, parents: tuple[DeedId, ...]
    ) -> IssueDeed:
        anchor, index = registration.anchor, registration.leaf_index
        if anchor is None or index is None:
            raise InvariantViolation(f"{registration.registration_id} has no anchor")
        dossier = self._vault.dossiers.read(registration.registration_id)
        proof = self._vault.batches.read_paths(anchor.root).prove(index)
        return IssueDeed(
            content_digest=registration.content_digest,
            content_salt=dossier.salts.content,
            record_part=commit_record(digest_record(dossier.record), dossier.salts.record),
            leaf=registration.leaf,
            root=anchor.root,
            anchored_by=anchor.caller,
            index=proof.index,
            size=proof.size,
            path=proof.path,
            royalty=royalty,
            parents=parents,
        )

    def _record_event(
        self, standing: Standing, kind: WorkEvent | str, digest: Sha256
    ) -> RecordedAct:
        word = kind_word(kind)
        return self._record(
            standing,
            RecordEvent(standing.subject, word, digest),
            EventRecorded(standing.subject, standing.actor, word, digest, standing.by_holder),
            label="event",
        )

    def _record(
        self, standing: Standing, act: Act, expected: EventBody, *, label: str
    ) -> RecordedAct:
        return self._recorder.record(
            act,
            expected,
            actor=standing.actor,
            keys=self._keys,
            label=label,
            registration_id=standing.registration.registration_id,
        )


def _check_endpoint(endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
    except ValueError:
        parts = urlsplit("")
    is_plain = endpoint.isascii() and endpoint.isprintable() and " " not in endpoint
    if (
        parts.scheme != "https"
        or not parts.netloc
        or not is_plain
        or len(endpoint) > ENDPOINT_LENGTH_MAX
    ):
        raise InvalidRequestError(
            f"{endpoint[:60]!r} is no https URL of at most {ENDPOINT_LENGTH_MAX} characters",
            next_step="Give the base address of a Soft Binding Resolution API.",
        )
