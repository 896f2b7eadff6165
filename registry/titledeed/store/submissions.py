"""Submissions as rows and back, and how they meet their events.

A batch is settled by its root and sender, since what it asks for may have come about in several
ways; an act by the hash of one of its attempts.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from sqlalchemy import ColumnElement, func, literal, update
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

PENDING: Final = col(tables.Submission.state) == SubmissionState.PENDING.value
# Written out, not bound: SQLite uses an index with a condition only where it sees the same one.
STANDING: Final = col(tables.Submission.state) != literal(
    SubmissionState.REVERTED.value, literal_execute=True
)


def read_submissions(session: Session, *conditions: ColumnElement[bool]) -> list[Submission]:
    """Submissions by sender and nonce."""
    rows = session.exec(
        select(tables.Submission, tables.Attempt)
        .join(
            tables.Attempt,
            col(tables.Attempt.submission_id) == col(tables.Submission.submission_id),
        )
        .where(*conditions)
        .order_by(
            col(tables.Submission.sender),
            col(tables.Submission.nonce),
            col(tables.Attempt.position),
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
    found = read_submissions(session, col(tables.Submission.submission_id) == submission_id)
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
                update(tables.Submission)
                .where(col(tables.Submission.submission_id) == submission.submission_id)
                .values(state=SubmissionState.INCLUDED.value, sequence=sequence)
            )


def unsettle(session: Session, contract: str, *, after: int) -> None:
    """Make those pending again whose event in a contract has a greater sequence number."""
    session.execute(
        update(tables.Submission)
        .where(col(tables.Submission.contract) == contract)
        .where(col(tables.Submission.sequence) > after)
        .values(state=SubmissionState.PENDING.value, sequence=None)
    )


def _find_event(session: Session, submission: Submission, *, repeats: bool) -> int | None:
    conditions = [col(tables.Event.contract) == submission.contract]
    if submission.root is not None:
        mention = anchor_mention(submission.root, submission.sender)
        anchored = select(tables.Mention.sequence).where(
            col(tables.Mention.contract) == submission.contract,
            col(tables.Mention.role) == mention.role.value,
            col(tables.Mention.word) == mention.word,
        )
        conditions.append(col(tables.Event.sequence).in_(anchored))
    if submission.root is None or not repeats:
        hashes = [attempt.hash for attempt in submission.attempts]
        conditions.append(col(tables.Event.transaction_hash).in_(hashes))
    return session.exec(select(func.min(tables.Event.sequence)).where(*conditions)).one()


def _submission_value(row: tables.Submission, attempts: Sequence[tables.Attempt]) -> Submission:
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
