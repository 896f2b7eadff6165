"""From accepted leaves to anchors: company, batches, and the bundles that result.

Every step can be repeated after a crash: leaves wait in the outbox until a stored batch holds
them, a batch keeps the raw transaction that is broadcast again, and a bundle is derived.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from titledeed.anchoring.completion import BundleCompletion
from titledeed.anchoring.sending import SendingService
from titledeed.errors import (
    DependencyError,
    TransactionRevertedError,
)
from titledeed.ports import (
    Clock,
    Ledger,
    OutboxRepository,
    Progress,
    no_progress,
)
from titledeed.vault.batches import BATCH_LEAVES_MAX

COMPANY_POLL_S: Final = 0.5
"""How often a registration that waits for company looks whether somebody sent it."""


class AnchoringService:
    """Anchors what was accepted.

    Args:
        ledger: the chain.
        outbox: leaves that wait.
        sending: sends the batches.
        completion: completes bundles once blocks include them.
        clock: tells how long a leaf has waited.
        batch_wait_s: how long a leaf may wait for others to share its anchor.
        waiting_max: so many may wait; more are refused for a while.
        company_max: so many wait for no more.
        company_poll_s: how often one that waits looks whether somebody sent it.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        outbox: OutboxRepository,
        sending: SendingService,
        completion: BundleCompletion,
        clock: Clock,
        batch_wait_s: float = 0,
        waiting_max: int = 1_000_000,
        company_max: int = BATCH_LEAVES_MAX,
        company_poll_s: float = COMPANY_POLL_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._sending = sending
        self._completion = completion
        self._clock = clock
        self._batch_wait_s = batch_wait_s
        self._waiting_max = waiting_max
        self._company_max = company_max
        self._company_poll_s = company_poll_s
        self._sleep = sleep

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
        else:  # another process may have been faster, and not have got so far
            self._completion.complete(progress)

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
        batches = [(one, one.root) for one in under_way.values() if one.root is not None]
        refusal: TransactionRevertedError | None = None
        for done, (batch, root) in enumerate(batches):
            progress("Anchoring", done / len(batches))
            self._completion.stamp(root)
            try:
                self._sending.wait(batch)
            except TransactionRevertedError as error:
                refusal = error  # the other batches must not wait for this one
        self._completion.complete(progress)
        if refusal is not None:
            raise refusal
        progress("Anchoring", 1.0)

    def _wait_for_company(self, progress: Progress) -> None:
        while True:
            waiting, oldest = self._outbox.count_waiting()
            if oldest is None or waiting >= self._company_max:
                return
            left_s = oldest + self._batch_wait_s - self._clock()
            if left_s <= 0:
                return
            progress("Waiting for company", 1 - min(left_s / self._batch_wait_s, 1))
            self._sleep(min(left_s, self._company_poll_s))
