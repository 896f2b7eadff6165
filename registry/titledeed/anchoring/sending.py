"""Sending to the chain, so that each call takes effect once, whatever fails in between.

One writer at a time signs. A call's nonce comes from the database, and its raw bytes are stored
before they are first sent; so a process that dies is taken up by the next, which sends the same
bytes again. Fees are raised under the same nonce: of all attempts at a call a chain can hold one.
Whether a call took effect is told by the followed chain alone, never by a node's acceptance.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from titledeed.anchoring.following import FollowingService
from titledeed.canonical.merkle import MerkleTree
from titledeed.errors import (
    InvariantViolation,
    LedgerError,
    LedgerUnavailableError,
    TransactionRevertedError,
)
from titledeed.models.evidence import SignedTransaction
from titledeed.models.ledger import (
    AnchorRoot,
    Call,
    Cursor,
    Receipt,
    RelayedAct,
    Submission,
    SubmissionState,
)
from titledeed.models.primitives import RegistrationId
from titledeed.models.registration import Batch
from titledeed.ports import Clock, Ledger, OutboxRepository
from titledeed.vault.batches import BATCH_LEAVES_MAX
from titledeed.vault.vault import Vault

ATTEMPTS_MAX: Final = 20
"""Each raises the fees by an eighth, all together to the ninefold: beyond that, somebody should
look at the chain instead."""

POLL_MIN_S: Final = 0.05
POLL_MAX_S: Final = 2.0

_NOTHING_LOST: Final = "Nothing is lost: try again later."


class SendingService:
    """Sends batches and acts from the account that pays.

    Args:
        ledger: the chain.
        outbox: keeps what is under way.
        vault: keeps what is signed of a batch a second time, for a rebuild of the database.
        following: tells what took effect.
        clock: tells how long a transaction has waited.
        replace_after_s: a transaction that no block holds after so long is signed again.
        in_flight_max: so many may be in no block; others wait their turn.
        inclusion_timeout_s: how long ``wait`` waits.
        attempts_max: so many transactions are signed for one call; fees are raised no further.
        batch_leaves_max: more leaves make another batch.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        outbox: OutboxRepository,
        vault: Vault,
        following: FollowingService,
        clock: Clock,
        replace_after_s: float,
        in_flight_max: int,
        inclusion_timeout_s: float,
        attempts_max: int = ATTEMPTS_MAX,
        batch_leaves_max: int = BATCH_LEAVES_MAX,
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._vault = vault
        self._following = following
        self._clock = clock
        self._replace_after_s = replace_after_s
        self._in_flight_max = in_flight_max
        self._inclusion_timeout_s = inclusion_timeout_s
        self._attempts_max = attempts_max
        self._batch_leaves_max = batch_leaves_max

    def submit_act(
        self, call: RelayedAct, *, label: str, registration_id: RegistrationId | None
    ) -> Submission:
        """Sign, store and send an act.

        Raises:
            TransactionRevertedError: the contract would refuse it; nothing was stored.
            LedgerUnavailableError: the chain is down or has no room; what was stored is sent later.
        """
        with self._turn():
            transaction = self._sign(call)
            submission = self._outbox.add_act(
                transaction,
                contract=self._ledger.identity.contract,
                sender=self._ledger.sender,
                label=label,
                registration_id=registration_id,
                sent_at=self._clock(),
            )
            self._ledger.broadcast(transaction)
        return submission

    def send_batch(self) -> Submission | None:
        """Anchor the oldest waiting leaves, as many as one batch may hold; None if none wait.

        Raises:
            LedgerUnavailableError: the chain is down or has no room; what was stored is sent later.
        """
        with self._turn():
            waiting = self._outbox.list_waiting(self._batch_leaves_max)
            if not waiting:
                return None
            ids, leaves = zip(*waiting, strict=True)
            tree = MerkleTree(leaves)
            transaction = self._sign(AnchorRoot(tree.root, tree.size))
            batch = Batch(tree.root, ids, self._ledger.sender, (transaction,))
            self._vault.batches.keep(batch, tree, leaves)
            submission = self._outbox.add_batch(
                batch, contract=self._ledger.identity.contract, sent_at=self._clock()
            )
            self._ledger.broadcast(transaction)
        return submission

    def settle(self) -> list[Submission]:
        """Follow the chain, and see to everything that is in no block.

        It is sent again; its fees are raised when it has waited long; and if a block holds it
        although no event tells of it, it is marked for what it came to.

        Returns:
            What is still pending.

        Raises:
            LedgerUnavailableError: the chain is down; nothing is lost.
            LedgerError: the node refuses a transaction, as when its nonce was used for one that is
                not ours; all others were seen to.
        """
        cursor = self._following.follow()
        problems: list[LedgerError] = []
        pending = self._outbox.list_pending()
        for submission in pending:
            try:
                self._see_to(submission, cursor)
            except LedgerError as error:
                problems.append(error)  # the others must not wait for this one
        if problems:
            raise problems[0]
        if pending:
            self._following.follow()
        return self._outbox.list_pending()

    def wait(self, submission: Submission) -> Submission:
        """Wait until the followed chain includes a call.

        Raises:
            TransactionRevertedError: the contract refused it.
            LedgerUnavailableError: the chain is down, or no block has included it for too long.
            LedgerError: as for ``settle``.
        """
        deadline = time.monotonic() + self._inclusion_timeout_s
        pause_s = POLL_MIN_S
        while True:
            self.settle()
            found = self._outbox.find_submission(submission.submission_id)
            if found is None:
                raise InvariantViolation(f"submission {submission.submission_id} vanished")
            if found.state is SubmissionState.INCLUDED:
                return found
            if found.state is SubmissionState.REVERTED:
                raise TransactionRevertedError(found.problem, reason=found.problem)
            if time.monotonic() > deadline:
                raise LedgerUnavailableError(
                    f"the {found.label} transaction is in no block yet",
                    next_step=_NOTHING_LOST,
                    transaction="0x" + found.attempts[-1].hash.hex(),
                )
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, POLL_MAX_S)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """The right to sign, once there is room and all nonces below are on their way."""
        deadline = time.monotonic() + self._inclusion_timeout_s
        while True:
            if self._outbox.list_pending():
                self.settle()
            with self._outbox.writer():
                if len(self._outbox.list_pending()) < self._in_flight_max:
                    yield
                    return
            if time.monotonic() > deadline:
                raise LedgerUnavailableError(
                    f"{self._in_flight_max} transactions are in no block yet",
                    next_step=_NOTHING_LOST,
                )
            time.sleep(POLL_MAX_S)

    def _sign(self, call: Call) -> SignedTransaction:
        ledger = self._ledger
        nonce = self._outbox.next_nonce(ledger.sender, ledger.count_transactions())
        return ledger.sign_call(call, nonce)

    def _see_to(self, submission: Submission, cursor: Cursor) -> None:
        receipt = self._find_receipt(submission)
        if receipt is None:
            self._send_again(submission)
        elif receipt.block_number <= cursor.block.number:
            self._close(submission, receipt)

    def _close(self, submission: Submission, receipt: Receipt) -> None:
        """See to a call that a followed block holds, although no event tells of it.

        It was refused, or it repeats what stands already; or an answer left its event out.
        """
        ledger = self._ledger
        cursor = self._following.reread(receipt.block_number)
        found = self._outbox.find_submission(submission.submission_id)
        if found is None or found.state is not SubmissionState.PENDING:
            return
        is_batch = found.root is not None
        if ledger.count_transactions() <= found.nonce or (is_batch and receipt.succeeded):
            raise LedgerError(
                f"the node says that block {receipt.block_number} holds the {found.label} "
                "transaction, and nothing else shows it",
                next_step="Ask another node: this one's answers do not fit together.",
                block=receipt.block_number,
                transaction="0x" + receipt.transaction.hex(),
            )
        if receipt.succeeded:
            self._outbox.mark_included(found)
        elif not is_batch or self._is_refused_for_good(found, receipt, cursor):
            problem = f"the contract refused the {found.label} transaction"
            self._outbox.mark_reverted(found, problem)

    def _is_refused_for_good(self, batch: Submission, receipt: Receipt, cursor: Cursor) -> bool:
        """Its leaves go into another batch: nothing may bring this one back then."""
        if batch.root is None or not self._following.is_final(receipt.block_number, cursor):
            return False
        return self._ledger.find_anchor_time(batch.root, batch.sender) is None

    def _find_receipt(self, submission: Submission) -> Receipt | None:
        for attempt in reversed(submission.attempts):
            receipt = self._ledger.find_receipt(attempt.hash)
            if receipt is not None:
                return receipt
        return None

    def _send_again(self, submission: Submission) -> None:
        ledger, refusal = self._ledger, None
        try:
            ledger.broadcast(submission.attempts[-1])
        except LedgerError as error:
            is_used = ledger.count_transactions() > submission.nonce
            if self._find_receipt(submission) is not None:
                return  # a block took one of them meanwhile
            if is_used:
                raise LedgerError(
                    f"the chain used nonce {submission.nonce} of {submission.sender} for a "
                    "transaction that is not of this home",
                    next_step="Let no other program send from this account.",
                ) from error
            refusal = error  # its fees may be too low by now
        if self._clock() - submission.sent_at < self._replace_after_s:
            return
        if len(submission.attempts) < self._attempts_max:
            self._replace(submission)
        elif refusal is not None:
            raise refusal

    def _replace(self, submission: Submission) -> None:
        with self._outbox.writer():
            if self._outbox.find_submission(submission.submission_id) != submission:
                return  # another process was here first
            transaction = self._ledger.sign_replacement(submission.attempts[-1])
            if submission.root is not None:
                self._vault.batches.keep_attempt(submission.root, transaction)
            self._outbox.add_attempt(submission, transaction, self._clock())
            self._ledger.broadcast(transaction)
