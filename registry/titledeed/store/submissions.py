"""Submissions as rows and back, and how they meet their events.

A batch is settled by its root and sender, since what it asks for may have come about in several
ways; an act by the hash of one of its attempts.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from sqlalchemy import ColumnElement, literal, update
from sqlmodel import Session, col, select

from titledeed.errors import InvariantViolation, NotFoundError
from titledeed.models.evidence import SignedTransaction
from titledeed.models.ledger import Submission, SubmissionState
from titledeed.models.primitives import (
    Address,
    Keccak256,
    MerkleRoot,
    RegistrationId,
    TransactionHash,
)
from titledeed.proofs.event_kinds import anchor_mention
from titledeed.store import tables

PENDING: Final = col(tables.SubmissionRow.state) == SubmissionState.PENDING.value
# Written out, not bound: SQLite uses an index with a condition only where it sees the same one.
STANDING: Final = col(tables.SubmissionRow.state) != literal(
    SubmissionState.REVERTED.value, literal_execute=True
)


def read_submissions(session: Session, *conditions: ColumnElement[bool]) -> list[Submission]:
    """Submissions by sender and nonce."""
    rows = session.exec(
        select(tables.SubmissionRow, tables.AttemptRow)
        .join(
            tables.AttemptRow,
            col(tables.AttemptRow.submission_id) == col(tables.SubmissionRow.submission_id),
        )
        .where(*conditions)
        .order_by(
            col(tables.SubmissionRow.sender),
            col(tables.SubmissionRow.nonce),
            col(tables.AttemptRow.position),
        )
    )
    return [
        _submission_value(row, [attempt for _, attempt in pairs])
        for row, pairs in groupby(rows, key=lambda pair: pair[0])
    ]


def read_submission(session: Session, submission_id: int) -> Submission:
    """The submission with this number.

    Raises:
        NotFoundError: there is none.
    """
    found = read_submissions(session, col(tables.SubmissionRow.submission_id) == submission_id)
    if not found:
        raise NotFoundError(
            f"no submission {submission_id} is stored", what="submission", name=str(submission_id)
        )
    return found[0]


def settle(session: Session, *, repeats: bool = True) -> None:
    """Include every pending submission of which a stored event tells.

    Args:
        session: of a transaction that writes.
        repeats: also a batch whose root its sender anchored in a transaction of another submission,
            as when a reorganisation lets one succeed that was refused. Not while batches are added:
            a rebuild adds the refused one too, and then tells that it was refused.
    """
    for submission in read_submissions(session, PENDING):
        sequence = _find_event(session, submission, repeats=repeats)
        if sequence is not None:
            session.execute(
                update(tables.SubmissionRow)
                .where(col(tables.SubmissionRow.submission_id) == submission.submission_id)
                .values(state=SubmissionState.INCLUDED.value, sequence=sequence)
            )


def unsettle(session: Session, contract: str, *, after: int) -> None:
    """Make those pending again whose event in a contract has a greater sequence number."""
    session.execute(
        update(tables.SubmissionRow)
        .where(col(tables.SubmissionRow.contract) == contract)
        .where(col(tables.SubmissionRow.sequence) > after)
        .values(state=SubmissionState.PENDING.value, sequence=None)
    )


def _find_event(session: Session, submission: Submission, *, repeats: bool) -> int | None:
    """The sequence number of the first event that tells of a submission's effect."""
    anchored = _list_anchored(session, submission)
    if submission.root is not None and repeats:
        return min(anchored, default=None)
    logged = _list_logged(session, submission)
    return min(logged if submission.root is None else anchored & logged, default=None)


def _list_anchored(session: Session, submission: Submission) -> set[int]:
    """Events of the contract that tell of the batch's root under its sender."""
    if submission.root is None:
        return set()
    mention = anchor_mention(submission.root, submission.sender)
    return set(
        session.exec(
            select(tables.MentionRow.sequence)
            .where(col(tables.MentionRow.role) == mention.role.value)
            .where(col(tables.MentionRow.word) == mention.word)
            .where(col(tables.MentionRow.contract) == submission.contract)
        )
    )


def _list_logged(session: Session, submission: Submission) -> set[int]:
    """Events of the contract in any of the attempts."""
    hashes = [attempt.hash for attempt in submission.attempts]
    rows = session.exec(
        select(tables.EventRow.contract, tables.EventRow.sequence).where(
            col(tables.EventRow.transaction_hash).in_(hashes)
        )
    )
    # Told apart here: asked for the contract, SQLite would look through all its events.
    return {sequence for contract, sequence in rows if contract == submission.contract}


def _submission_value(
    row: tables.SubmissionRow, attempts: Sequence[tables.AttemptRow]
) -> Submission:
    if row.submission_id is None:
        raise InvariantViolation("a stored submission has no number")
    return Submission(
        submission_id=row.submission_id,
        contract=Address(row.contract),
        sender=Address(row.sender),
        nonce=row.nonce,
        label=row.label,
        root=MerkleRoot(Keccak256(row.root)) if row.root is not None else None,
        registration_id=(
            RegistrationId(row.registration_id) if row.registration_id is not None else None
        ),
        attempts=tuple(
            SignedTransaction(
                raw=attempt.raw, hash=TransactionHash(Keccak256(attempt.hash)), nonce=row.nonce
            )
            for attempt in attempts
        ),
        sent_at=row.sent_at,
        state=SubmissionState(row.state),
        problem=row.problem,
    )
