"""Registrations as rows and back, with the anchors that other rows give them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, column, func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from titledeed.errors import InvariantViolation
from titledeed.models.claim import SigningDomain
from titledeed.models.evidence import Anchor, ClaimStatus
from titledeed.models.primitives import (
    Address,
    BlockHash,
    Keccak256,
    LeafHash,
    MerkleRoot,
    RegistrationId,
    Sha256,
    TransactionHash,
)
from titledeed.models.registration import Registration, Visibility
from titledeed.store import tables

OWN: Final = col(tables.RegistrationRow.snapshot_id).is_(None)


def encode_path(path: str | None) -> bytes | None:
    """A path as the file system's own bytes: file names need not be Unicode."""
    return None if path is None else os.fsencode(path)


def decode_path(path: bytes | None) -> str | None:
    """Inverse of ``encode_path``."""
    return None if path is None else os.fsdecode(path)


def is_among(attribute: object, values: Sequence[str] | Sequence[int]) -> ColumnElement[bool]:
    """Whether a column holds one of these, as one bound value: there may be any number of them."""
    listed = func.json_each(json.dumps(values)).table_valued(column("value"))
    return col(attribute).in_(select_columns(listed.c.value))


def registration_columns(registration: Registration, *, anchor_id: int | None) -> dict[str, Any]:
    """What a new row in no batch holds."""
    return {
        "registration_id": registration.registration_id,
        "chain_id": registration.domain.chain_id,
        "contract": registration.domain.contract,
        "claimant": registration.claimant,
        "content_digest": registration.content_digest,
        "signed_digest": registration.signed_digest,
        "manifest_id": registration.manifest_id,
        "title": registration.title,
        "source_type": str(registration.source_type),
        "status": registration.status.value,
        "visibility": registration.visibility.value,
        "snapshot_id": registration.snapshot_id,
        "signed_path": encode_path(registration.signed_path),
        "leaf": registration.leaf,
        "leaf_index": registration.leaf_index,
        "anchor_id": anchor_id,
        "duration_ms": registration.duration_ms,
        "claimed_at": registration.claimed_at,
        "accepted_at": registration.accepted_at,
    }


def select_registrations(
    session: Session, *conditions: ColumnElement[bool], limit: int | None = None
) -> list[tuple[int, Registration]]:
    """Registrations in the order of acceptance, with their position."""
    horizon = _find_horizon(session)
    rows = session.exec(
        select(tables.RegistrationRow, tables.AnchorRow, tables.SubmissionRow, tables.EventRow)
        .join(
            tables.AnchorRow,
            col(tables.RegistrationRow.anchor_id) == col(tables.AnchorRow.anchor_id),
            isouter=True,
        )
        .join(
            tables.SubmissionRow,
            col(tables.RegistrationRow.submission_id) == col(tables.SubmissionRow.submission_id),
            isouter=True,
        )
        .join(
            tables.EventRow,
            and_(
                col(tables.SubmissionRow.contract) == col(tables.EventRow.contract),
                col(tables.SubmissionRow.sequence) == col(tables.EventRow.sequence),
            ),
            isouter=True,
        )
        .where(*conditions)
        .order_by(col(tables.RegistrationRow.position))
        .limit(limit)
    ).all()
    completed = _find_completed(session, {row.submission_id for row, *_ in rows})
    return [
        _placed(
            row,
            _trace(row, anchor, submission, event, horizon),
            completed_for=completed.get(row.submission_id),
        )
        for row, anchor, submission, event in rows
    ]


def _event_anchor(submission: tables.SubmissionRow, event: tables.EventRow) -> Anchor:
    """The anchor that a batch's event tells of."""
    if submission.root is None or submission.size is None:
        raise InvariantViolation("an act anchors nothing")
    return _anchor_value(submission.root, submission.size, submission.sender, event)


def keep_anchor(session: Session, anchor: Anchor) -> int:
    """The id of the row with this value, which is added if it is new."""
    known = session.exec(
        select(tables.AnchorRow.anchor_id)
        .where(col(tables.AnchorRow.root) == anchor.root)
        .where(col(tables.AnchorRow.size) == anchor.size)
        .where(col(tables.AnchorRow.caller) == anchor.caller)
        .where(col(tables.AnchorRow.sequence) == anchor.sequence)
        .where(col(tables.AnchorRow.transaction_hash) == anchor.transaction)
        .where(col(tables.AnchorRow.block_number) == anchor.block_number)
        .where(col(tables.AnchorRow.block_hash) == anchor.block_hash)
        .where(col(tables.AnchorRow.block_timestamp) == anchor.block_timestamp)
    ).first()
    if known is not None:
        return known
    row = tables.AnchorRow(
        root=anchor.root,
        size=anchor.size,
        caller=anchor.caller,
        sequence=anchor.sequence,
        transaction_hash=anchor.transaction,
        block_number=anchor.block_number,
        block_hash=anchor.block_hash,
        block_timestamp=anchor.block_timestamp,
    )
    session.add(row)
    session.flush()
    if row.anchor_id is None:
        raise InvariantViolation("the database gave a new anchor no id")
    return row.anchor_id


def _find_completed(session: Session, batches: set[int | None]) -> dict[int | None, bytes]:
    """The block for which the bundles of each batch were made."""
    ids = [batch for batch in batches if batch is not None]
    if not ids:
        return {}
    rows = session.exec(
        select(tables.CompletionRow).where(is_among(tables.CompletionRow.submission_id, ids))
    )
    return {row.submission_id: row.block_hash for row in rows}


@dataclass(frozen=True, slots=True)
class _Horizon:
    """Heights up to which the followed chain is safe, and final."""

    safe: int
    final: int

    def status_of(self, block_number: int) -> ClaimStatus:
        if block_number <= self.final:
            return ClaimStatus.FINAL
        return ClaimStatus.SAFE if block_number <= self.safe else ClaimStatus.INCLUDED


def _find_horizon(session: Session) -> _Horizon:
    newest = session.exec(
        select(tables.BlockRow.safe_number, tables.BlockRow.final_number)
        .order_by(col(tables.BlockRow.number).desc())
        .limit(1)
    ).first()
    return _Horizon(*newest) if newest is not None else _Horizon(safe=-1, final=-1)


def _trace(
    row: tables.RegistrationRow,
    anchor: tables.AnchorRow | None,
    submission: tables.SubmissionRow | None,
    event: tables.EventRow | None,
    horizon: _Horizon,
) -> tuple[ClaimStatus, Anchor | None]:
    """How far a registration has got, and its anchor."""
    if submission is not None and event is not None:
        return horizon.status_of(event.block_number), _event_anchor(submission, event)
    if anchor is not None:
        named = _anchor_value(anchor.root, anchor.size, anchor.caller, anchor)
        return ClaimStatus(row.status), named
    return ClaimStatus(row.status), None


def _anchor_value(
    root: bytes, size: int, caller: str, at: tables.AnchorRow | tables.EventRow
) -> Anchor:
    return Anchor(
        root=MerkleRoot(Keccak256(root)),
        size=size,
        caller=Address(caller),
        sequence=at.sequence,
        transaction=TransactionHash(Keccak256(at.transaction_hash)),
        block_number=at.block_number,
        block_hash=BlockHash(Keccak256(at.block_hash)),
        block_timestamp=at.block_timestamp,
    )


def _placed(
    row: tables.RegistrationRow,
    trace: tuple[ClaimStatus, Anchor | None],
    *,
    completed_for: bytes | None,
) -> tuple[int, Registration]:
    status, anchor = trace
    if row.position is None:
        raise InvariantViolation("a stored registration has no position")
    return row.position, Registration(
        registration_id=RegistrationId(row.registration_id),
        domain=SigningDomain(row.chain_id, Address(row.contract)),
        claimant=Address(row.claimant),
        content_digest=Sha256(row.content_digest),
        signed_digest=Sha256(row.signed_digest) if row.signed_digest is not None else None,
        manifest_id=row.manifest_id,
        title=row.title,
        source_type=row.source_type,
        status=status,
        visibility=Visibility(row.visibility),
        snapshot_id=row.snapshot_id,
        signed_path=decode_path(row.signed_path),
        leaf=LeafHash(Keccak256(row.leaf)),
        leaf_index=row.leaf_index,
        anchor=anchor,
        duration_ms=row.duration_ms,
        claimed_at=row.claimed_at,
        accepted_at=row.accepted_at,
        has_bundle=row.snapshot_id is not None
        or (anchor is not None and anchor.block_hash == completed_for),
    )
