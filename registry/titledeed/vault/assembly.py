"""Putting an evidence bundle together from what is kept."""

from __future__ import annotations

from titledeed.canonical.merkle import root_of_proof
from titledeed.errors import InvariantViolation, LedgerError, NotFoundError
from titledeed.models.bundle import AnchorEvidence, Bundle
from titledeed.models.evidence import Anchor, ChainIdentity, StateProof
from titledeed.models.registration import Registration
from titledeed.vault.batches import AuditPaths, Batches
from titledeed.vault.vault import Vault


class Assembly:
    """The bundles of one batch: what they have in common is read once.

    Args:
        vault: keeps dossiers, paths, transactions and time-stamps.
        anchor: of the batch.
        chain: that holds the anchor.
        state_proof: None where the chain gave none, or was not asked.
        timestamp_token: RFC 3161 token (DER) over the root; empty where there is none.

    Raises:
        NotFoundError: the batch is not kept.
        LedgerError: this home did not sign the transaction that anchored it.
    """

    def __init__(
        self,
        vault: Vault,
        anchor: Anchor,
        chain: ChainIdentity,
        *,
        state_proof: StateProof | None,
        timestamp_token: bytes,
    ) -> None:
        self._vault = vault
        self._anchor = anchor
        self._chain = chain
        self._state_proof = state_proof
        self._timestamp_token = timestamp_token
        self._paths: AuditPaths = vault.batches.read_paths(anchor.root)
        self._raw_transaction = _raw_transaction(vault.batches, anchor)

    def assemble(self, registration: Registration) -> Bundle:
        """The bundle of an own registration of the batch.

        Raises:
            NotFoundError: it is in no block, or its dossier is not kept.
        """
        if registration.leaf_index is None:
            raise NotFoundError(
                f"{registration.registration_id} is in no block yet",
                what="bundle",
                registration_id=registration.registration_id,
            )
        proof = self._paths.prove(registration.leaf_index)
        if root_of_proof(registration.leaf, proof) != self._anchor.root:
            raise InvariantViolation(f"the kept paths do not lead to {self._anchor.root.hex()}")
        evidence = AnchorEvidence(
            chain=self._chain,
            proof=proof,
            anchor=self._anchor,
            raw_transaction=self._raw_transaction,
            state_proof=self._state_proof,
            timestamp_token=self._timestamp_token,
        )
        return Bundle(self._vault.dossiers.read(registration.registration_id), (evidence,))


def _raw_transaction(batches: Batches, anchor: Anchor) -> bytes:
    for attempt in batches.read(anchor.root).batch.attempts:
        if attempt.hash == anchor.transaction:
            return attempt.raw
    raise LedgerError(
        f"this home signed no transaction 0x{anchor.transaction.hex()}",
        next_step="Another program anchored the same batch from this home's account.",
        transaction="0x" + anchor.transaction.hex(),
    )
