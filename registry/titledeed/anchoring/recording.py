"""Putting an act on chain once: signed by its actor, paid by this home's sender."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from titledeed.anchoring.sending import SendingService
from titledeed.chain.relays import hash_act
from titledeed.errors import LedgerError, TransactionRevertedError
from titledeed.models.claim import SigningDomain
from titledeed.models.ledger import Act, EventBody, LedgerEvent, RelayedAct
from titledeed.models.primitives import Address, RegistrationId
from titledeed.ports import Clock, KeyStore
from titledeed.proofs.times import format_time

DEADLINE_S: Final = 3_600
"""An act that no block holds after an hour is void: until then whoever saw its signature can send
it, also when its actor has changed his mind."""


@dataclass(frozen=True, slots=True)
class RecordedAct:
    """An act that the followed chain holds.

    Attributes:
        is_new: False where it was on record before, so that nothing was sent.
    """

    event: LedgerEvent
    is_new: bool


FindEvent = Callable[[EventBody], LedgerEvent | None]
"""Finds the first followed event that says exactly this."""


class ActRecorder:
    """Signs, sends and finds acts.

    Args:
        sending: sends them.
        find_event: finds what the followed chain holds.
        domain: what signatures are bound to.
        clock: tells what the time is.
        chain_time: of the block that was followed last, seconds since 1970. A development chain
            that makes blocks faster than one a second is ahead of the clock.
    """

    def __init__(
        self,
        *,
        sending: SendingService,
        find_event: FindEvent,
        domain: SigningDomain,
        clock: Clock,
        chain_time: Callable[[], int],
    ) -> None:
        self._sending = sending
        self._find_event = find_event
        self._domain = domain
        self._clock = clock
        self._chain_time = chain_time

    def record(
        self,
        act: Act,
        expected: EventBody,
        *,
        actor: Address,
        keys: KeyStore,
        label: str,
        registration_id: RegistrationId | None,
    ) -> RecordedAct:
        """Put an act on chain, unless what it says stands there already.

        Args:
            act: what is signed.
            expected: the entry that it leaves; the chain was followed before.
            actor: whose act it is.
            keys: hold the actor's.
            label: the kind of act, for people.
            registration_id: what it is about; None for keys.

        Raises:
            NotAuthorizedError: the actor's key is not among the keys.
            TransactionRevertedError: the contract refused it, or its time ran out before a block
                took it.
            LedgerUnavailableError: the chain does not answer, or no block holds it yet.
        """
        known = self._find_event(expected)
        if known is not None:
            return RecordedAct(known, is_new=False)
        deadline = max(self._clock(), self._chain_time()) + DEADLINE_S
        digest = hash_act(act, actor=actor, deadline=deadline, domain=self._domain)
        call = RelayedAct(act, actor, deadline, keys.sign_digest(digest, actor))
        submission = self._sending.submit_act(call, label=label, registration_id=registration_id)
        try:
            self._sending.wait(submission)
        except TransactionRevertedError as refusal:
            if self._chain_time() <= deadline:
                raise
            raise _expired(label, deadline) from refusal
        recorded = self._find_event(expected)
        if recorded is None:
            raise LedgerError(
                f"the chain took the {label} transaction and shows no entry of it",
                next_step="`titledeed registration history` tells what it shows.",
            )
        return RecordedAct(recorded, is_new=True)


def _expired(label: str, deadline: int) -> TransactionRevertedError:
    return TransactionRevertedError(
        f"the contract refused the {label} act, whose signature was good until "
        f"{format_time(deadline)}; that time has passed",
        next_step="Run the command again: it is signed anew.",
        reason="DeadlinePassed",
    )
