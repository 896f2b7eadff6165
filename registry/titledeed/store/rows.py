"""Rows to values and back."""

from __future__ import annotations

import os

from sqlmodel import Session, col, select

from titledeed.errors import InvariantViolation
from titledeed.models.claim import SigningDomain
from titledeed.models.disclosure import DigitalSourceType
from titledeed.models.evidence import Anchor, ClaimStatus, SignedTransaction
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
from titledeed.models.registration import Batch, Registration, Visibility
from titledeed.store import tables


def encode_path(path: str | None) -> bytes | None:
    """A path as the file system's own bytes: file names need not be Unicode."""
    return None if path is None else os.fsencode(path)


def decode_path(path: bytes | None) -> str | None:
    """Inverse of ``encode_path``."""
    return None if path is None else os.fsdecode(path)


def registration_row(registration: Registration, *, anchor_id: int | None) -> tables.Registration:
    """A new row in no batch."""
    return tables.Registration(
        registration_id=registration.registration_id,
        chain_id=registration.domain.chain_id,
        contract=registration.domain.contract,
        claimant=registration.claimant,
        content_digest=registration.content_digest,
        signed_digest=registration.signed_digest,
        manifest_id=registration.manifest_id,
        title=registration.title,
        source_type=registration.source_type.value,
        status=registration.status.value,
        visibility=registration.visibility.value,
        snapshot_id=registration.snapshot_id,
        signed_path=encode_path(registration.signed_path),
        leaf=registration.leaf,
        leaf_index=registration.leaf_index,
        anchor_id=anchor_id,
        duration_ms=registration.duration_ms,
        claimed_at=registration.claimed_at,
        accepted_at=registration.accepted_at,
    )


def registration_value(row: tables.Registration, anchor: tables.Anchor | None) -> Registration:
    """The registration in a row, with its anchor."""
    return Registration(
        registration_id=RegistrationId(row.registration_id),
        domain=SigningDomain(row.chain_id, Address(row.contract)),
        claimant=Address(row.claimant),
        content_digest=Sha256(row.content_digest),
        signed_digest=Sha256(row.signed_digest) if row.signed_digest is not None else None,
        manifest_id=row.manifest_id,
        title=row.title,
        source_type=DigitalSourceType(row.source_type),
        status=ClaimStatus(row.status),
        visibility=Visibility(row.visibility),
        snapshot_id=row.snapshot_id,
        signed_path=decode_path(row.signed_path),
        leaf=LeafHash(Keccak256(row.leaf)),
        leaf_index=row.leaf_index,
        anchor=anchor_value(anchor) if anchor is not None else None,
        duration_ms=row.duration_ms,
        claimed_at=row.claimed_at,
        accepted_at=row.accepted_at,
    )


def anchor_value(row: tables.Anchor) -> Anchor:
    """The anchor in a row."""
    return Anchor(
        root=MerkleRoot(Keccak256(row.root)),
        size=row.size,
        caller=Address(row.caller),
        sequence=row.sequence,
        transaction=TransactionHash(Keccak256(row.transaction_hash)),
        block_number=row.block_number,
        block_hash=BlockHash(Keccak256(row.block_hash)),
        block_timestamp=row.block_timestamp,
    )


def keep_anchor(session: Session, anchor: Anchor) -> int:
    """The id of the row with this value, which is added if it is new."""
    known = session.exec(
        select(tables.Anchor.anchor_id)
        .where(col(tables.Anchor.root) == anchor.root)
        .where(col(tables.Anchor.size) == anchor.size)
        .where(col(tables.Anchor.caller) == anchor.caller)
        .where(col(tables.Anchor.sequence) == anchor.sequence)
        .where(col(tables.Anchor.transaction_hash) == anchor.transaction)
        .where(col(tables.Anchor.block_number) == anchor.block_number)
        .where(col(tables.Anchor.block_hash) == anchor.block_hash)
        .where(col(tables.Anchor.block_timestamp) == anchor.block_timestamp)
    ).first()
    if known is not None:
        return known
    row = tables.Anchor(
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


def batch_row(batch: Batch) -> tables.Batch:
    """A new row, without an anchor."""
    return tables.Batch(
        root=batch.root,
        sender=batch.sender,
        nonce=batch.transaction.nonce,
        transaction_hash=batch.transaction.hash,
        transaction_raw=batch.transaction.raw,
    )


def batch_value(session: Session, row: tables.Batch) -> Batch:
    """The batch in a row, with its leaves' registrations and its anchor."""
    ids = session.exec(
        select(tables.Registration.registration_id)
        .where(col(tables.Registration.batch_root) == row.root)
        .order_by(col(tables.Registration.leaf_index))
    )
    anchor = session.get(tables.Anchor, row.anchor_id) if row.anchor_id is not None else None
    return Batch(
        root=MerkleRoot(Keccak256(row.root)),
        registration_ids=tuple(RegistrationId(found) for found in ids),
        sender=Address(row.sender),
        transaction=SignedTransaction(
            raw=row.transaction_raw,
            hash=TransactionHash(Keccak256(row.transaction_hash)),
            nonce=row.nonce,
        ),
        anchor=anchor_value(anchor) if anchor is not None else None,
    )
