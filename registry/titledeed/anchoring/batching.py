"""From accepted leaves to anchors: company, batches, time-stamps, and the bundles that result.

Every step can be repeated after a crash: leaves wait in the outbox until a stored batch holds
them, a batch keeps the raw transaction that is broadcast again, and a bundle is derived.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Final

from titledeed.anchoring.sending import SendingService
from titledeed.canonical.bundles import encode_bundle, parse_bundle
from titledeed.canonical.documents import encode_document, parse_document
from titledeed.canonical.hashing import sha256
from titledeed.canonical.merkle import root_of_proof
from titledeed.errors import (
    DependencyError,
    InvariantViolation,
    LedgerError,
    NotFoundError,
    TransactionRevertedError,
)
from titledeed.models.evidence import Anchor, Bundle, ClaimStatus, StateProof
from titledeed.models.ledger import Submission
from titledeed.models.primitives import MerkleRoot, RegistrationId
from titledeed.models.registration import Registration
from titledeed.ports import (
    Clock,
    Ledger,
    ObjectStore,
    OutboxRepository,
    Progress,
    TimestampAuthority,
    no_progress,
)
from titledeed.vault.batches import (
    BATCH_LEAVES_MAX,
    parse_path,
    read_batch,
    read_paths,
    token_key,
)
from titledeed.vault.dossiers import read_dossier

COMPANY_POLL_S: Final = 0.5
"""How often a registration that waits for company looks whether somebody sent it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the bundles of one batch have in common.

    Attributes:
        status: a proof against a block that may still be replaced is asked for again later.
    """

    anchor: Anchor
    status: ClaimStatus
    paths: tuple[str, ...]
    raw_transaction: bytes
    state_proof: StateProof | None
    timestamp_token: bytes


class AnchoringService:
    """Anchors what was accepted.

    Args:
        ledger: the chain.
        outbox: leaves that wait.
        objects: dossiers, batches, proofs, tokens, bundles.
        sending: sends the batches.
        clock: tells how long a leaf has waited.
        batch_wait_s: how long a leaf may wait for others to share its anchor.
        waiting_max: so many may wait; more are refused for a while.
        timestamps: asked once for each anchor, where there is one.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        outbox: OutboxRepository,
        objects: ObjectStore,
        sending: SendingService,
        clock: Clock,
        batch_wait_s: float = 0,
        waiting_max: int = 1_000_000,
        timestamps: TimestampAuthority | None = None,
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._objects = objects
        self._sending = sending
        self._clock = clock
        self._batch_wait_s = batch_wait_s
        self._waiting_max = waiting_max
        self._timestamps = timestamps
        self._shared: _Shared | None = None

    def require_ledger(self) -> None:
        """Ask the chain once, so that an unreachable or foreign one stops work before it starts.

        Raises:
            LedgerUnavailableError: it does not answer.
            ChainMismatchError: it is not the pinned chain.
        """
        self._ledger.count_transactions()

    def require_room(self, count: int) -> None:
        """Refuse new registrations while too many wait for an anchor.

        Raises:
            DependencyError: they do; retryable.
        """
        waiting, _ = self._outbox.count_waiting()
        if waiting + count > self._waiting_max:
            raise DependencyError(
                f"{waiting} registrations wait for an anchor already",
                next_step="Run `titledeed anchor`, then try again.",
            )

    def anchor_waiting(self, progress: Progress = no_progress) -> None:
        """Put everything that waits on chain, in company, and wait until blocks include it.

        Whoever waits here shares a batch with all others that wait, threads and processes alike.

        Raises:
            LedgerUnavailableError: the chain is down or too slow; the next call goes on.
            TransactionRevertedError: the contract refused a batch; its leaves wait again.
        """
        if self._outbox.count_waiting()[0] or self._outbox.list_pending():
            self._wait_for_company(progress)
            self.anchor_now(progress)

    def anchor_now(self, progress: Progress = no_progress) -> None:
        """The same without waiting for company; what a reorganisation took back is sent again.

        Raises:
            LedgerUnavailableError: as for ``anchor_waiting``.
            TransactionRevertedError: as for ``anchor_waiting``.
        """
        progress("Anchoring", 0.0)
        self._sending.settle()
        under_way = {}
        while (sent := self._sending.send_batch()) is not None:
            under_way[sent.submission_id] = sent
        under_way |= {one.submission_id: one for one in self._outbox.list_pending()}
        batches = [one for one in under_way.values() if one.root is not None]
        refusal: TransactionRevertedError | None = None
        for done, batch in enumerate(batches):
            progress("Anchoring", done / len(batches))
            self._stamp(batch)
            try:
                self._sending.wait(batch)
            except TransactionRevertedError as error:
                refusal = error  # the other batches must not wait for this one
        if refusal is not None:
            raise refusal
        progress("Anchoring", 1.0)

    def complete_bundle(self, registration: Registration) -> Bundle:
        """The evidence bundle of an own, anchored registration.

        It is stored; until the registration is final it is made anew each time, since its block
        may still be replaced.

        Raises:
            NotFoundError: the registration is in no block yet.
            LedgerUnavailableError: the chain is asked for a proof and does not answer.
        """
        anchor, index = registration.anchor, registration.leaf_index
        if anchor is None or index is None:
            raise NotFoundError(
                f"{registration.registration_id} is in no block yet",
                next_step=f"Run `titledeed receipt {registration.registration_id}`.",
            )
        if registration.status is ClaimStatus.FINAL:
            stored = self._find_bundle(registration.registration_id)
            if stored is not None and self._is_whole(stored, anchor):
                return stored
        shared = self._share(anchor, registration.status)
        proof = parse_path(shared.paths, index)
        if root_of_proof(registration.leaf, proof) != anchor.root:
            raise InvariantViolation(f"the kept paths do not lead to {anchor.root.hex()}")
        bundle = Bundle(
            dossier=read_dossier(self._objects, registration.registration_id),
            proof=proof,
            anchor=anchor,
            chain=self._ledger.identity,
            raw_transaction=shared.raw_transaction,
            state_proof=shared.state_proof,
            timestamp_token=shared.timestamp_token,
        )
        key = bundle_key(registration.registration_id)
        self._objects.put(key, encode_document(encode_bundle(bundle)))
        return bundle

    def _wait_for_company(self, progress: Progress) -> None:
        while True:
            waiting, oldest = self._outbox.count_waiting()
            if oldest is None or waiting >= BATCH_LEAVES_MAX:
                return
            left_s = oldest + self._batch_wait_s - self._clock()
            if left_s <= 0:
                return
            progress("Waiting for company", 1 - min(left_s / self._batch_wait_s, 1))
            time.sleep(min(left_s, COMPANY_POLL_S))

    def _find_bundle(self, registration_id: RegistrationId) -> Bundle | None:
        try:
            return read_bundle(self._objects, registration_id)
        except NotFoundError:
            return None

    def _is_whole(self, stored: Bundle, anchor: Anchor) -> bool:
        # One that was imported before this home registered the same work is of another anchor.
        has_token = bool(stored.timestamp_token) or self._timestamps is None
        return has_token and stored.anchor == anchor

    def _share(self, anchor: Anchor, status: ClaimStatus) -> _Shared:
        """What the bundles of one batch have in common; they are asked for in a row."""
        shared = self._shared
        if shared is None or (shared.anchor, shared.status) != (anchor, status):
            shared = self._shared = _Shared(
                anchor=anchor,
                status=status,
                paths=read_paths(self._objects, anchor.root),
                raw_transaction=_raw_transaction(self._objects, anchor),
                state_proof=self._ledger.prove_anchor(anchor.root, anchor.caller),
                timestamp_token=self._token(anchor.root),
            )
        return shared

    def _stamp(self, batch: Submission) -> None:
        if batch.root is not None:
            self._token(batch.root)

    def _token(self, root: MerkleRoot) -> bytes:
        """The RFC 3161 token over a root's SHA-256; empty where there is none to be had."""
        try:
            return self._objects.get(token_key(root))
        except NotFoundError:
            if self._timestamps is None:
                return b""
        try:
            token = self._timestamps.stamp(sha256(root))
        except DependencyError as error:
            # An anchor without a token is an anchor; the next bundle asks again.
            _log.warning("no time-stamp for 0x%s: %s", root.hex(), error.message)
            return b""
        self._objects.put(token_key(root), token)
        return token


def _raw_transaction(objects: ObjectStore, anchor: Anchor) -> bytes:
    for attempt in read_batch(objects, anchor.root).batch.attempts:
        if attempt.hash == anchor.transaction:
            return attempt.raw
    raise LedgerError(
        f"this home signed no transaction 0x{anchor.transaction.hex()}",
        next_step="Another program anchored the same batch from this home's account.",
    )


def bundle_key(registration_id: RegistrationId) -> str:
    """Where the object store keeps an evidence bundle."""
    return f"bundles/{registration_id}.json"


def read_bundle(objects: ObjectStore, registration_id: RegistrationId) -> Bundle:
    """The stored bundle of an own or imported registration.

    Raises:
        NotFoundError: none was completed or imported.
    """
    key = bundle_key(registration_id)
    return parse_bundle(parse_document(objects.get(key), what=key))
