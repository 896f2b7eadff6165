"""From accepted leaves to anchors: batching, sending, settling, and the bundles that result.

Every step can be repeated after a crash: leaves wait in the outbox until a stored batch holds
them, a batch keeps the raw transaction that is broadcast again, and a bundle is derived.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from titledeed.canonical.bundles import encode_bundle, parse_bundle, parse_dossier
from titledeed.canonical.documents import Json, encode_document, hex_word, parse_document
from titledeed.canonical.merkle import MerkleTree
from titledeed.errors import (
    InvariantViolation,
    LedgerUnavailableError,
    NotFoundError,
    TransactionRevertedError,
)
from titledeed.models.evidence import Bundle, SignedTransaction
from titledeed.models.primitives import MerkleRoot, RegistrationId
from titledeed.models.record import Dossier
from titledeed.models.registration import Batch, Registration
from titledeed.ports import Ledger, ObjectStore, OutboxRepository, Progress, no_progress

BATCH_SCHEMA: Final = "titledeed.batch/1"
BATCH_LEAVES_MAX: Final = 100_000
"""Bounds the memory of one tree; more leaves make more anchors."""

POLL_INTERVAL_S: Final = 0.5


class AnchoringService:
    """Anchors what was accepted."""

    def __init__(
        self,
        *,
        ledger: Callable[[], Ledger],
        outbox: OutboxRepository,
        objects: ObjectStore,
        inclusion_timeout_s: float,
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._objects = objects
        self._inclusion_timeout_s = inclusion_timeout_s
        self._last_tree: MerkleTree | None = None

    def require_ledger(self) -> None:
        """Ask the chain once, so that an unreachable or foreign one stops work before it starts.

        Raises:
            LedgerUnavailableError: it does not answer.
            ChainMismatchError: it is not the pinned chain.
        """
        self._ledger().count_transactions()

    def anchor_waiting(self, progress: Progress = no_progress) -> None:
        """Put everything that waits on chain and wait until blocks include it.

        Raises:
            LedgerUnavailableError: the chain is down or too slow; the next call goes on.
            TransactionRevertedError: the contract refused a batch.
        """
        if not self._outbox.list_waiting(1) and not self._outbox.list_unsettled():
            return
        progress("Anchoring", 0.0)
        with self._outbox.writer():
            self._send()
        deadline = time.monotonic() + self._inclusion_timeout_s
        while unsettled := self._settle():
            if time.monotonic() > deadline:
                raise LedgerUnavailableError(
                    f"{unsettled} anchor transaction(s) are not in a block yet",
                    next_step="Nothing is lost: try again later.",
                )
            time.sleep(POLL_INTERVAL_S)
        progress("Anchoring", 1.0)

    def complete_bundle(self, registration: Registration) -> Bundle:
        """The evidence bundle of an own, anchored registration; stored on first use.

        Raises:
            NotFoundError: the registration is in no block yet.
        """
        key = bundle_key(registration.registration_id)
        try:
            stored = parse_bundle(parse_document(self._objects.get(key), what=key))
        except NotFoundError:
            stored = None
        # One that was imported before this home registered the same work is of another anchor.
        if stored is not None and stored.anchor == registration.anchor:
            return stored
        bundle = self._build_bundle(registration)
        self._objects.put(key, encode_document(encode_bundle(bundle)))
        return bundle

    def _send(self) -> None:
        for batch in self._outbox.list_unsettled():
            self._ledger().broadcast(batch.transaction)
        while waiting := self._outbox.list_waiting(BATCH_LEAVES_MAX):
            ledger = self._ledger()
            tree = MerkleTree([leaf for _, leaf in waiting])
            nonce = self._outbox.next_nonce(ledger.sender, ledger.count_transactions())
            transaction = ledger.sign_anchor(tree.root, tree.size, nonce)
            ids = tuple(registration_id for registration_id, _ in waiting)
            # The order of leaves is nowhere on chain: without it no path could be rebuilt.
            self._objects.put(batch_key(tree.root), encode_document(_list_leaves(ids, transaction)))
            self._outbox.add_batch(Batch(tree.root, ids, ledger.sender, transaction, None))
            ledger.broadcast(transaction)

    def _settle(self) -> int:
        unsettled = 0
        refusal: TransactionRevertedError | None = None
        for batch in self._outbox.list_unsettled():
            try:
                anchor = self._ledger().find_receipt(batch.transaction.hash)
            except TransactionRevertedError as error:
                refusal = error  # the other batches must not wait for this one
                continue
            if anchor is None:
                unsettled += 1
            else:
                self._outbox.settle(batch, anchor)
        if refusal is not None and not unsettled:
            raise refusal
        return unsettled

    def _build_bundle(self, registration: Registration) -> Bundle:
        if registration.anchor is None or registration.leaf_index is None:
            raise NotFoundError(
                f"{registration.registration_id} is in no block yet",
                next_step=f"Run `titledeed receipt {registration.registration_id}`.",
            )
        root = registration.anchor.root
        batch = self._outbox.find_batch(root)
        if batch is None:
            raise InvariantViolation(f"an own anchor {root.hex()} without its batch")
        return Bundle(
            dossier=read_dossier(self._objects, registration.registration_id),
            proof=self._tree(root).prove(registration.leaf_index),
            anchor=registration.anchor,
            chain=self._ledger().identity,
            raw_transaction=batch.transaction.raw,
        )

    def _tree(self, root: MerkleRoot) -> MerkleTree:
        # Bundles of one batch are asked for one after the other: keep its tree.
        tree = self._last_tree
        if tree is None or tree.root != root:
            tree = self._last_tree = MerkleTree(self._outbox.list_leaves(root))
        if tree.root != root:
            raise InvariantViolation(f"the stored leaves do not lead to {root.hex()}")
        return tree


def dossier_key(registration_id: RegistrationId) -> str:
    """Where the object store keeps a dossier."""
    return f"dossiers/{registration_id}.json"


def batch_key(root: MerkleRoot) -> str:
    """Where the object store keeps the order of a batch's leaves."""
    return f"batches/{root.hex()}.json"


def _list_leaves(
    ids: tuple[RegistrationId, ...], transaction: SignedTransaction
) -> dict[str, Json]:
    return {
        "schema": BATCH_SCHEMA,
        "registration_ids": list(ids),
        "raw_transaction": hex_word(transaction.raw),
    }


def bundle_key(registration_id: RegistrationId) -> str:
    """Where the object store keeps an evidence bundle."""
    return f"bundles/{registration_id}.json"


def read_dossier(objects: ObjectStore, registration_id: RegistrationId) -> Dossier:
    """The dossier of an own registration.

    Raises:
        NotFoundError: this home keeps none.
    """
    key = dossier_key(registration_id)
    return parse_dossier(parse_document(objects.get(key), what=key))


def read_bundle(objects: ObjectStore, registration_id: RegistrationId) -> Bundle:
    """The stored bundle of an own or imported registration.

    Raises:
        NotFoundError: none was completed or imported.
    """
    key = bundle_key(registration_id)
    return parse_bundle(parse_document(objects.get(key), what=key))
