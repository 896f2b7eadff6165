"""Which batches have the evidence bundles of their registrations."""

from __future__ import annotations

from sqlalchemy import and_, or_
from sqlmodel import col, func, select

from titledeed.models.primitives import BlockHash, Keccak256, RegistrationId
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
        newest = select(func.max(tables.BlockRow.number)).scalar_subquery()
        final = (
            select(tables.BlockRow.final_number).where(col(tables.BlockRow.number) == newest)
        ).scalar_subquery()
        number = col(tables.SubmissionRow.submission_id)
        completed_for = col(tables.CompletionRow.block_hash)
        became_final = and_(
            col(tables.CompletionRow.is_final).is_(False),
            col(tables.EventRow.block_number) <= final,
        )
        with self._database.read() as session:
            found = session.exec(
                select(tables.SubmissionRow.submission_id, tables.EventRow.block_hash)
                .join(
                    tables.EventRow,
                    and_(
                        col(tables.SubmissionRow.contract) == col(tables.EventRow.contract),
                        col(tables.SubmissionRow.sequence) == col(tables.EventRow.sequence),
                    ),
                )
                .join(
                    tables.CompletionRow,
                    number == col(tables.CompletionRow.submission_id),
                    isouter=True,
                )
                .where(
                    col(tables.SubmissionRow.root).is_not(None),
                    number > after,
                    or_(
                        completed_for.is_(None),
                        completed_for != col(tables.EventRow.block_hash),
                        became_final,
                    ),
                )
                .order_by(number)
                .limit(1)
            ).first()
            if found is None or found[0] is None:
                return None
            batch_id, block_hash = found
            registrations = select_registrations(
                session, col(tables.RegistrationRow.submission_id) == batch_id
            )
        return IncompleteBatch(
            batch_id=batch_id,
            block_hash=BlockHash(Keccak256(block_hash)),
            registrations=tuple(registration for _, registration in registrations),
        )

    def list_erased(self, batch: IncompleteBatch) -> list[RegistrationId]:
        """See the port."""
        with self._database.read() as session:
            there = set(
                session.exec(
                    select(tables.RegistrationRow.registration_id).where(
                        col(tables.RegistrationRow.submission_id) == batch.batch_id
                    )
                )
            )
        ids = [one.registration_id for one in batch.registrations]
        return [one for one in ids if one not in there]

    def mark(self, batch: IncompleteBatch, *, is_final: bool) -> None:
        """See the port."""
        with self._database.write() as session:
            session.merge(
                tables.CompletionRow(
                    submission_id=batch.batch_id, block_hash=batch.block_hash, is_final=is_final
                )
            )
