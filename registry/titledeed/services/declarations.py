"""Declaring what became of a key, so that readers stop counting what it says."""

from __future__ import annotations

from titledeed.anchoring.recording import ActRecorder, RecordedAct
from titledeed.canonical.identifiers import ZERO_ADDRESS
from titledeed.errors import ConflictError, InvalidRequestError
from titledeed.models.ledger import DeclareKey, KeyDeclared
from titledeed.models.primitives import Address
from titledeed.models.principal import Principal
from titledeed.ports import Clock, KeyStore
from titledeed.services.history import HistoryService
from titledeed.services.visibility import VisibleRegistrations


class KeyDeclarations:
    """Declares keys lost or replaced."""

    def __init__(
        self,
        *,
        recorder: ActRecorder,
        history: HistoryService,
        visible: VisibleRegistrations,
        clock: Clock,
    ) -> None:
        self._recorder = recorder
        self._history = history
        self._visible = visible
        self._clock = clock

    def declare(
        self,
        key: Address,
        *,
        actor: Address,
        keys: KeyStore,
        principal: Principal,
        successor: Address | None,
        since: int | None,
    ) -> RecordedAct:
        """See ``ActService.declare_key``."""
        now = self._clock()
        wanted = KeyDeclared(
            key=key,
            actor=actor,
            successor=successor or ZERO_ADDRESS,
            since=now if since is None else since,
        )
        self._check(wanted, now, principal)
        self._history.follow()
        for event in self._history.list_declarations(key):
            body = event.body
            if not isinstance(body, KeyDeclared) or body.actor != wanted.actor:
                continue
            if body.successor == wanted.successor and since in {None, body.since}:
                return RecordedAct(event, is_new=False)
            if wanted.actor == key:
                raise ConflictError(
                    f"{key} declared itself lost or replaced before; nothing that it says later "
                    "counts",
                    next_step="Declare it with the recovery key that the claims name.",
                )
        act = DeclareKey(key, wanted.successor, wanted.since)
        return self._recorder.record(
            act, wanted, actor=actor, keys=keys, label="declare-key", registration_id=None
        )

    def _check(self, wanted: KeyDeclared, now: int, principal: Principal) -> None:
        if wanted.successor == wanted.key:
            raise InvalidRequestError("a key does not replace itself")
        if not 0 < wanted.since <= now:
            raise InvalidRequestError("a key cannot be lost at a time that is to come")
        if wanted.actor != wanted.key and not self._is_recovery_key(wanted, principal):
            raise InvalidRequestError(
                f"no claim of {wanted.key} here names {wanted.actor} as its recovery key, so that "
                "no reader would count it",
                next_step="Use the recovery key that was given when the works were registered.",
            )

    def _is_recovery_key(self, wanted: KeyDeclared, principal: Principal) -> bool:
        claims = map(self._history.find_claim, self._visible.iter_own(principal))
        return any(
            (claim.claimant, claim.recovery_key) == (wanted.key, wanted.actor)
            for claim in claims
            if claim
        )
