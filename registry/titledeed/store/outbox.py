"""Leaves that wait for an anchor, and the batches under way."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import bindparam, func, update
from sqlmodel import col, select

from titledeed.errors import ConflictError, InvariantViolation, NotFoundError
from titledeed.models.evidence import Anchor, ClaimStatus
from titledeed.models.primitives import (
    Address,
    Keccak256,
    LeafHash,
    MerkleRoot,
    RegistrationId,
)
from titledeed.models.registration import Batch
from titledeed.store import tables
from titledeed.store.database import Database
from titledeed.store.locking import hold_lock
from titledeed.store.rows import batch_row, batch_value, keep_anchor

_WAITS = (
    col(tables.Registration.snapshot_id).is_(None),
    col(tables.Registration.batch_root).is_(None),
    col(tables.Registration.anchor_id).is_(None),
)


class SqlOutbox:
    """Implements ``ports.OutboxRepository``.

    Args:
        database: the registrations' own database; an outbox elsewhere could disagree with them.
        lock_path: held by the one writer.
        writer_timeout_s: how long another writer is waited for.
    """

    def __init__(self, database: Database, *, lock_path: Path, writer_timeout_s: float) -> None:
        self._database = database
        self._lock_path = lock_path
        self._writer_timeout_s = writer_timeout_s

    def writer(self) -> AbstractContextManager[None]:
        """See the port. Excludes threads as well; not re-entrant; ends with its process."""
        return hold_lock(
            self._lock_path, timeout_s=self._writer_timeout_s, purpose="that sends to the chain"
        )

    def list_waiting(self, limit: int) -> list[tuple[RegistrationId, LeafHash]]:
        """See the port."""
        with self._database.read() as session:
            rows = session.exec(
                select(tables.Registration.registration_id, tables.Registration.leaf)
                .where(*_WAITS)
                .order_by(col(tables.Registration.position))
                .limit(limit)
            ).all()
        return [(RegistrationId(found), LeafHash(Keccak256(leaf))) for found, leaf in rows]

    def next_nonce(self, sender: Address, on_chain: int) -> int:
        """See the port."""
        with self._database.read() as session:
            last = session.exec(
                select(func.max(tables.Batch.nonce)).where(col(tables.Batch.sender) == sender)
            ).one()
        return on_chain if last is None else max(on_chain, last + 1)

    def add_batch(self, batch: Batch) -> None:
        """See the port.

        Raises:
            ConflictError: the root or the nonce is taken, or a registration does not wait.
        """
        place = (
            update(tables.Registration)
            .where(col(tables.Registration.registration_id) == bindparam("waiting_id"), *_WAITS)
            .values(batch_root=batch.root, leaf_index=bindparam("place"))
        )
        places = [
            {"waiting_id": registration_id, "place": index}
            for index, registration_id in enumerate(batch.registration_ids)
        ]
        with self._database.write() as session:
            session.add(batch_row(batch))
            session.flush()
            session.connection().execute(place, places)
            placed = session.exec(
                select(func.count())
                .select_from(tables.Registration)
                .where(col(tables.Registration.batch_root) == batch.root)
            ).one()
            if placed != len(places):
                raise ConflictError(
                    f"{len(places) - placed} of {len(places)} registrations do not wait for a batch"
                )

    def list_unsettled(self) -> list[Batch]:
        """See the port."""
        with self._database.read() as session:
            rows = session.exec(
                select(tables.Batch)
                .where(col(tables.Batch.anchor_id).is_(None))
                .order_by(col(tables.Batch.sender), col(tables.Batch.nonce))
            ).all()
            return [batch_value(session, row) for row in rows]

    def settle(self, batch: Batch, anchor: Anchor) -> None:
        """See the port. Settling again with another block, after a reorg, points at that one.

        Raises:
            NotFoundError: no such batch is stored.
        """
        if anchor.root != batch.root:
            raise InvariantViolation("the anchor is of another root than the batch")
        in_batch = update(tables.Registration).where(
            col(tables.Registration.batch_root) == batch.root
        )
        pending = col(tables.Registration.status) == ClaimStatus.PENDING.value
        with self._database.write() as session:
            row = session.get(tables.Batch, batch.root)
            if row is None:
                raise NotFoundError(f"no batch with root 0x{batch.root.hex()} is stored")
            row.anchor_id = keep_anchor(session, anchor)
            session.execute(in_batch.values(anchor_id=row.anchor_id))
            session.execute(in_batch.where(pending).values(status=ClaimStatus.INCLUDED.value))

    def list_leaves(self, root: MerkleRoot) -> list[LeafHash]:
        """See the port."""
        with self._database.read() as session:
            leaves = session.exec(
                select(tables.Registration.leaf)
                .where(col(tables.Registration.batch_root) == root)
                .order_by(col(tables.Registration.leaf_index))
            ).all()
        return [LeafHash(Keccak256(leaf)) for leaf in leaves]

    def find_batch(self, root: MerkleRoot) -> Batch | None:
        """See the port."""
        with self._database.read() as session:
            row = session.get(tables.Batch, root)
            return batch_value(session, row) if row is not None else None
