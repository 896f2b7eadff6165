"""What is followed of the chain, submissions in place of batches, and tombstones.

A batch becomes a pending submission: its transaction is in the chain or will be sent again, and
its anchor is found when the chain is followed for the first time. Imported anchors stay.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Forward only: a rollback is a restored backup."""
    _create_block()
    _create_event()
    _create_mention()
    _create_submission()
    _create_attempt()
    _create_tombstone()
    _create_registration()
    _move_batches()
    _move_registrations()


def _create_block() -> None:
    op.create_table(
        "block",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("parent_hash", sa.LargeBinary(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("safe_number", sa.BigInteger(), nullable=False),
        sa.Column("final_number", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(hash) = 32", name="hash_length"),
        sa.CheckConstraint("length(parent_hash) = 32", name="parent_hash_length"),
        sa.PrimaryKeyConstraint("number"),
    )


def _create_event() -> None:
    op.create_table(
        "event",
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("block_timestamp", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(block_hash) = 32", name="block_hash_length"),
        sa.CheckConstraint("length(head) = 20", name="head_length"),
        sa.CheckConstraint("length(transaction_hash) = 32", name="transaction_hash_length"),
        sa.PrimaryKeyConstraint("sequence"),
    )
    op.create_index("ix_event_transaction_hash", "event", ["transaction_hash"])


def _create_mention() -> None:
    op.create_table(
        "mention",
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("word", sa.LargeBinary(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("role IN ('about', 'anchor', 'key')", name="role_known"),
        sa.ForeignKeyConstraint(["sequence"], ["event.sequence"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("role", "word", "sequence"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_mention_sequence", "mention", ["sequence"])


def _create_submission() -> None:
    op.create_table(
        "submission",
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("registration_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.CheckConstraint("(root IS NULL) = (size IS NULL)", name="batch_has_size"),
        sa.CheckConstraint("length(root) = 32", name="root_length"),
        sa.CheckConstraint(
            "sequence IS NULL OR state = 'included'", name="event_means_included"
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'included', 'reverted')", name="state_known"
        ),
        sa.ForeignKeyConstraint(["sequence"], ["event.sequence"]),
        sa.PrimaryKeyConstraint("submission_id"),
        sa.UniqueConstraint("sender", "nonce", name="submission_nonce"),
    )
    op.create_index("ix_submission_sequence", "submission", ["sequence"])
    op.create_index("ix_submission_state", "submission", ["state"])
    op.create_index(
        "submission_root",
        "submission",
        ["root"],
        unique=True,
        sqlite_where=sa.text("state <> 'reverted'"),
    )


def _create_attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(hash) = 32", name="hash_length"),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.submission_id"]),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("hash"),
    )
    op.create_index("ix_attempt_submission_id", "attempt", ["submission_id"])


def _create_tombstone() -> None:
    op.create_table(
        "tombstone",
        sa.Column("tombstone_id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Text(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=True),
        sa.Column("leaf_index", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(submission_id IS NULL) = (leaf_index IS NULL)", name="place_is_whole"
        ),
        sa.CheckConstraint("length(leaf) = 32", name="leaf_length"),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.submission_id"]),
        sa.PrimaryKeyConstraint("tombstone_id"),
        sa.UniqueConstraint("submission_id", "leaf_index", name="tombstone_place"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_tombstone_registration_id", "tombstone", ["registration_id"])


def _create_registration() -> None:
    """Under another name: SQLite changes no constraint of a table that is there."""
    op.create_table(
        "registration_new",
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
        sa.Column("submission_id", sa.Integer(), nullable=True),
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
            "submission_id IS NULL OR (leaf_index IS NOT NULL AND snapshot_id IS NULL)",
            name="batched_is_own",
        ),
        sa.CheckConstraint(
            "snapshot_id IS NOT NULL OR (anchor_id IS NULL AND status = 'pending')",
            name="own_is_followed",
        ),
        sa.CheckConstraint("length(content_digest) = 32", name="content_digest_length"),
        sa.CheckConstraint("length(leaf) = 32", name="leaf_length"),
        sa.CheckConstraint("length(signed_digest) = 32", name="signed_digest_length"),
        sa.ForeignKeyConstraint(["anchor_id"], ["anchor.anchor_id"]),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.submission_id"]),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("submission_id", "leaf_index", name="registration_place"),
        sa.UniqueConstraint("registration_id"),
        sqlite_autoincrement=True,
    )


def _move_batches() -> None:
    op.execute(
        """
        INSERT INTO submission (sender, nonce, label, root, size, state, problem, sent_at)
        SELECT sender, nonce, 'anchor', root,
               count(registration.position), 'pending', '', coalesce(max(accepted_at), 0)
        FROM batch LEFT JOIN registration ON registration.batch_root = batch.root
        GROUP BY batch.root ORDER BY sender, nonce
        """
    )
    op.execute(
        """
        INSERT INTO attempt (submission_id, hash, raw)
        SELECT submission_id, transaction_hash, transaction_raw
        FROM batch JOIN submission ON submission.root = batch.root
        ORDER BY submission_id
        """
    )


def _move_registrations() -> None:
    op.execute(
        """
        INSERT INTO registration_new
        SELECT position, registration.registration_id, chain_id, contract, claimant, content_digest,
               signed_digest, manifest_id, title, source_type,
               CASE WHEN snapshot_id IS NULL THEN 'pending' ELSE status END,
               visibility, snapshot_id, signed_path, leaf, submission_id,
               CASE WHEN snapshot_id IS NULL AND batch_root IS NULL THEN NULL ELSE leaf_index END,
               CASE WHEN snapshot_id IS NULL THEN NULL ELSE anchor_id END,
               duration_ms, claimed_at, accepted_at
        FROM registration LEFT JOIN submission ON submission.root = registration.batch_root
        ORDER BY position
        """
    )
    op.drop_table("registration")
    op.rename_table("registration_new", "registration")
    op.drop_table("batch")
    op.execute(
        "DELETE FROM anchor WHERE anchor_id NOT IN "
        "(SELECT anchor_id FROM registration WHERE anchor_id IS NOT NULL)"
    )
    for column in ("content_digest", "manifest_id", "signed_digest"):
        op.create_index(f"ix_registration_{column}", "registration", [column])
    op.create_index(
        "registration_own",
        "registration",
        ["submission_id", "position", "accepted_at"],
        sqlite_where=sa.text("snapshot_id IS NULL"),
    )
