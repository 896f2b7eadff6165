"""Which batches have the evidence bundles of their registrations."""

from __future__ import annotations

from sqlalchemy import and_, or_
from sqlmodel import col, func, select

from titledeed.models.primitives import BlockHash, Keccak256
from titledeed.ports import IncompleteBatch
from titledeed.store import tables
from titledeed.store.database import Database
from titledeed.store.rows import select_registrations


class SqlCompletions:
    """Implements ``ports.CompletionRepository``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find_next(self, after: int) -> IncompleteBatch | None:
        """See the port."""
        newest = select(func.max(tables.Block.number)).scalar_subquery()
        final = (
            select(tables.Block.final_number).where(col(tables.Block.number) == newest)
        ).scalar_subquery()
        completed_for = col(tables.Completion.block_hash)
        became_final = and_(
            col(tables.Completion.is_final).is_(False), col(tables.Event.block_number) <= final
        )
        with self._database.read() as session:
            found = session.exec(
                select(tables.Submission.submission_id, tables.Event.block_hash)
                .join(
                    tables.Event,
                    and_(
                        col(tables.Submission.contract) == col(tables.Event.contract),
                        col(tables.Submission.sequence) == col(tables.Event.sequence),
                    ),
                )
                .join(
                    tables.Completion,
                    col(tables.Submission.submission_id) == col(tables.Completion.submission_id),
                    isouter=True,
                )
                .where(
                    col(tables.Submission.root).is_not(None),
                    col(tables.Submission.submission_id) > after,
                    or_(
                        completed_for.is_(None),
                        completed_for != col(tables.Event.block_hash),
                        became_final,
                    ),
                )
                .order_by(col(tables.Submission.submission_id))
                .limit(1)
            ).first()
            if found is None or found[0] is None:
                return None
            batch_id, block_hash = found
            registrations = select_registrations(
                session, col(tables.Registration.submission_id) == batch_id
            )
        return IncompleteBatch(
            batch_id=batch_id,
            block_hash=BlockHash(Keccak256(block_hash)),
            registrations=tuple(registration for _, registration in registrations),
        )

    def mark(self, batch: IncompleteBatch, *, is_final: bool) -> None:
        """See the port."""
        with self._database.write() as session:
            session.merge(
                tables.Completion(
                    submission_id=batch.batch_id, block_hash=batch.block_hash, is_final=is_final
                )
            )
