"""Leaves that wait for an anchor, and the calls under way."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, bindparam, exists, func, union_all, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from titledeed.errors import ConflictError, InvariantViolation, NotFoundError
from titledeed.models.evidence import SignedTransaction
from titledeed.models.ledger import Submission, SubmissionState
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
from titledeed.store.rows import OWN
from titledeed.store.submissions import (
    PENDING,
    STANDING,
    read_submission,
    read_submissions,
    settle,
)

ANCHOR_LABEL: Final = "anchor"

_WAITS: Final = (OWN, col(tables.RegistrationRow.submission_id).is_(None))


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
                select(tables.RegistrationRow.registration_id, tables.RegistrationRow.leaf)
                .where(*_WAITS)
                .order_by(col(tables.RegistrationRow.position))
                .limit(limit)
            ).all()
        return [(RegistrationId(found), LeafHash(Keccak256(leaf))) for found, leaf in rows]

    def count_waiting(self) -> tuple[int, int | None]:
        """See the port."""
        with self._database.read() as session:
            return session.exec(
                select(func.count(), func.min(tables.RegistrationRow.accepted_at)).where(*_WAITS)
            ).one()

    def next_nonce(self, sender: Address, on_chain: int) -> int:
        """See the port."""
        with self._database.read() as session:
            last = session.exec(
                select(func.max(tables.SubmissionRow.nonce)).where(
                    col(tables.SubmissionRow.sender) == sender
                )
            ).one()
        return on_chain if last is None else max(on_chain, last + 1)

    def add_batch(self, batch: Batch, *, contract: Address, sent_at: int) -> Submission:
        """See the port. A batch whose event was followed before is included at once.

        A leaf that was erased meanwhile, or before a rebuild, has its place too.

        Raises:
            ConflictError: a submission that was not reverted has the root, the nonce or a
                transaction, or a registration does not wait.
        """
        row = tables.SubmissionRow(
            contract=contract,
            sender=batch.sender,
            nonce=batch.attempts[0].nonce,
            label=ANCHOR_LABEL,
            root=batch.root,
            size=len(batch.registration_ids),
            sent_at=sent_at,
        )
        with self._database.write() as session:
            added = _add(session, row, batch.attempts)
            placed = _place(session.connection(), added, batch.registration_ids)
            if placed != len(batch.registration_ids):
                raise ConflictError(
                    f"{len(batch.registration_ids) - placed} of {len(batch.registration_ids)} "
                    "registrations do not wait for a batch"
                )
            settle(session, repeats=False)
            return read_submission(session, added)

    def add_act(
        self,
        transaction: SignedTransaction,
        *,
        contract: Address,
        sender: Address,
        label: str,
        registration_id: RegistrationId | None,
        sent_at: int,
    ) -> Submission:
        """See the port.

        Raises:
            ConflictError: another submission has the nonce or the transaction.
        """
        row = tables.SubmissionRow(
            contract=contract,
            sender=sender,
            nonce=transaction.nonce,
            label=label,
            registration_id=registration_id,
            sent_at=sent_at,
        )
        with self._database.write() as session:
            added = _add(session, row, (transaction,))
            settle(session, repeats=False)
            return read_submission(session, added)

    def add_attempt(
        self, submission: Submission, transaction: SignedTransaction, sent_at: int
    ) -> Submission:
        """See the port.

        Raises:
            ConflictError: the transaction is stored already.
            NotFoundError: no such submission is stored.
        """
        if transaction.nonce != submission.nonce:
            raise InvariantViolation("a replacement has the nonce of what it replaces")
        with self._database.write() as session:
            row = session.get(tables.SubmissionRow, submission.submission_id)
            if row is None:
                raise NotFoundError(
                    f"no submission {submission.submission_id} is stored",
                    what="submission",
                    name=str(submission.submission_id),
                )
            row.sent_at = sent_at
            _add_attempts(session, submission.submission_id, (transaction,))
            settle(session, repeats=False)
            return read_submission(session, submission.submission_id)

    def list_pending(self) -> list[Submission]:
        """See the port."""
        with self._database.read() as session:
            return read_submissions(session, PENDING)

    def find_submission(self, submission_id: int) -> Submission | None:
        """See the port."""
        with self._database.read() as session:
            found = read_submissions(
                session, col(tables.SubmissionRow.submission_id) == submission_id
            )
        return found[0] if found else None

    def mark_included(self, submission: Submission) -> None:
        """See the port. Changes nothing where another process was faster."""
        with self._database.write() as session:
            settle(session)
            stored = read_submission(session, submission.submission_id)
            if stored.state is not SubmissionState.PENDING:
                return
            if stored.root is not None:
                raise InvariantViolation(f"no followed event holds the root 0x{stored.root.hex()}")
            _change(session, submission.submission_id, SubmissionState.INCLUDED)

    def mark_reverted(self, submission: Submission, problem: str) -> None:
        """See the port. Changes nothing where another process was faster."""
        with self._database.write() as session:
            stored = read_submission(session, submission.submission_id)
            if stored.state is not SubmissionState.PENDING:
                return
            _change(session, submission.submission_id, SubmissionState.REVERTED, problem)
            for places in (tables.RegistrationRow, tables.TombstoneRow):
                session.execute(
                    update(places)
                    .where(col(places.submission_id) == submission.submission_id)
                    .values(submission_id=None, leaf_index=None)
                )

    def list_leaves(self, root: MerkleRoot) -> list[LeafHash]:
        """See the port."""
        with self._database.read() as session:
            return _list_leaves(session, root)


def _add(session: Session, row: tables.SubmissionRow, attempts: Sequence[SignedTransaction]) -> int:
    if any(attempt.nonce != row.nonce for attempt in attempts):
        raise InvariantViolation("the attempts at one call have one nonce")
    session.add(row)
    session.flush()
    if row.submission_id is None:
        raise InvariantViolation("the database gave a new submission no number")
    _add_attempts(session, row.submission_id, attempts)
    return row.submission_id


def _add_attempts(
    session: Session, submission_id: int, attempts: Sequence[SignedTransaction]
) -> None:
    session.add_all(
        tables.AttemptRow(submission_id=submission_id, hash=attempt.hash, raw=attempt.raw)
        for attempt in attempts
    )
    session.flush()


def _place(connection: Connection, submission_id: int, ids: Sequence[RegistrationId]) -> int:
    """Give each leaf its index; returns how many have one.

    A leaf that waits no more because it was erased has its place on its newest tombstone.
    """
    places = [{"waiting_id": found, "place": index} for index, found in enumerate(ids)]
    values = {"submission_id": submission_id, "leaf_index": bindparam("place")}
    same_id = col(tables.RegistrationRow.registration_id) == bindparam("waiting_id")
    placed = connection.execute(
        update(tables.RegistrationRow).where(same_id, *_WAITS).values(values), places
    ).rowcount
    if placed == len(ids):
        return placed
    newest = select(func.max(tables.TombstoneRow.tombstone_id)).where(
        col(tables.TombstoneRow.registration_id) == bindparam("waiting_id"),
        col(tables.TombstoneRow.submission_id).is_(None),
    )
    is_placed = exists().where(same_id, col(tables.RegistrationRow.submission_id) == submission_id)
    return (
        placed
        + connection.execute(
            update(tables.TombstoneRow)
            .where(col(tables.TombstoneRow.tombstone_id) == newest.scalar_subquery(), ~is_placed)
            .values(values),
            places,
        ).rowcount
    )


def _list_leaves(session: Session, root: MerkleRoot) -> list[LeafHash]:
    """Of the standing batch with this root, by index; those of erased registrations, too."""
    kept, erased = (
        select_columns(col(places.leaf), col(places.leaf_index))
        .join(
            tables.SubmissionRow,
            col(tables.SubmissionRow.submission_id) == col(places.submission_id),
        )
        .where(col(tables.SubmissionRow.root) == root, STANDING)
        for places in (tables.RegistrationRow, tables.TombstoneRow)
    )
    rows = session.connection().execute(union_all(kept, erased).order_by("leaf_index"))
    return [LeafHash(Keccak256(leaf)) for leaf, _ in rows]


def _change(
    session: Session, submission_id: int, state: SubmissionState, problem: str = ""
) -> None:
    session.execute(
        update(tables.SubmissionRow)
        .where(col(tables.SubmissionRow.submission_id) == submission_id)
        .values(state=state.value, problem=problem)
    )
