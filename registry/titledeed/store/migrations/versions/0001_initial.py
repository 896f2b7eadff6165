"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Forward only: a rollback is a restored backup."""
    _create_anchor()
    _create_batch()
    _create_registration()
    _create_fingerprint()
    _create_intent()
    _create_snapshot()
    _create_job()
    _create_token()


def _create_anchor() -> None:
    op.create_table(
        "anchor",
        sa.Column("anchor_id", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("block_timestamp", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(block_hash) = 32", name="block_hash_length"),
        sa.CheckConstraint("length(root) = 32", name="root_length"),
        sa.CheckConstraint("length(transaction_hash) = 32", name="transaction_hash_length"),
        sa.PrimaryKeyConstraint("anchor_id"),
        sa.UniqueConstraint(
            "root",
            "size",
            "caller",
            "sequence",
            "transaction_hash",
            "block_number",
            "block_hash",
            "block_timestamp",
            name="anchor_value",
        ),
    )


def _create_batch() -> None:
    op.create_table(
        "batch",
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.Column("transaction_raw", sa.LargeBinary(), nullable=False),
        sa.Column("anchor_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("length(root) = 32", name="root_length"),
        sa.CheckConstraint("length(transaction_hash) = 32", name="transaction_hash_length"),
        sa.ForeignKeyConstraint(
            ["anchor_id"],
            ["anchor.anchor_id"],
        ),
        sa.PrimaryKeyConstraint("root"),
        sa.UniqueConstraint("sender", "nonce", name="batch_nonce"),
    )
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_batch_anchor_id"), ["anchor_id"], unique=False)


def _create_registration() -> None:
    op.create_table(
        "registration",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Text(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("claimant", sa.Text(), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("signed_digest", sa.LargeBinary(), nullable=True),
        sa.Column("manifest_id", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("source_type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Text(), nullable=True),
        sa.Column("signed_path", sa.LargeBinary(), nullable=True),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("batch_root", sa.LargeBinary(), nullable=True),
        sa.Column("leaf_index", sa.BigInteger(), nullable=True),
        sa.Column("anchor_id", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'included', 'safe', 'final')", name="status_known"
        ),
        sa.CheckConstraint("visibility IN ('private', 'published')", name="visibility_known"),
        sa.CheckConstraint(
            "batch_root IS NULL OR (leaf_index IS NOT NULL AND snapshot_id IS NULL)",
            name="batched_is_own",
        ),
        sa.CheckConstraint("length(content_digest) = 32", name="content_digest_length"),
        sa.CheckConstraint("length(leaf) = 32", name="leaf_length"),
        sa.CheckConstraint("length(signed_digest) = 32", name="signed_digest_length"),
        sa.ForeignKeyConstraint(
            ["anchor_id"],
            ["anchor.anchor_id"],
        ),
        sa.ForeignKeyConstraint(
            ["batch_root"],
            ["batch.root"],
        ),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("batch_root", "leaf_index", name="registration_place"),
        sa.UniqueConstraint("registration_id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_registration_anchor_id"), ["anchor_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_registration_content_digest"), ["content_digest"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_registration_manifest_id"), ["manifest_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_registration_signed_digest"), ["signed_digest"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_registration_snapshot_id"), ["snapshot_id"], unique=False
        )


def _create_fingerprint() -> None:
    op.create_table(
        "fingerprint",
        sa.Column("cursor", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Text(), nullable=False),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registration.registration_id"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("cursor"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("fingerprint", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_fingerprint_registration_id"), ["registration_id"], unique=False
        )


def _create_intent() -> None:
    op.create_table(
        "intent",
        sa.Column("registration_id", sa.Text(), nullable=False),
        sa.Column("source_path", sa.LargeBinary(), nullable=False),
        sa.Column("signed_path", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("registration_id"),
    )


def _create_snapshot() -> None:
    op.create_table(
        "snapshot",
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("exported_at", sa.BigInteger(), nullable=False),
        sa.Column("exporter", sa.Text(), nullable=False),
        sa.Column("registrations", sa.BigInteger(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("snapshot_id"),
    )


def _create_job() -> None:
    op.create_table(
        "job",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("viewer", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("status IN ('running', 'succeeded', 'failed')", name="status_known"),
        sa.CheckConstraint("viewer IN ('owner', 'public')", name="viewer_known"),
        sa.PrimaryKeyConstraint("job_id"),
    )


def _create_token() -> None:
    op.create_table(
        "token",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(digest) = 32", name="digest_length"),
        sa.PrimaryKeyConstraint("digest"),
    )
