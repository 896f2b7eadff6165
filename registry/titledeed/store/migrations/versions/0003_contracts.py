"""Events, mentions, submissions and the cursor by contract.

Until now a home followed one contract: the one that its own registrations name, and its
transactions call. A home that has neither only looked on. There nothing says which contract it was:
what was followed is forgotten, and comes again with the next look at the chain.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from titledeed.proofs.transactions import decode_signed

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Forward only: a rollback is a restored backup."""
    contract = _find_contract()
    if contract is None:
        for table in ("mention", "event", "block"):
            op.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
    _create_cursor()
    _replace_event(contract)
    _replace_mention(contract)
    _replace_submission(contract)
    op.get_bind().execute(
        sa.text(
            "INSERT INTO cursor SELECT :contract, number, hash, parent_hash, timestamp "
            "FROM block ORDER BY number DESC LIMIT 1"
        ),
        {"contract": contract},
    )


def _find_contract() -> str | None:
    own = "SELECT contract FROM registration WHERE snapshot_id IS NULL ORDER BY position"
    contract = op.get_bind().execute(sa.text(own)).scalar()
    if contract is not None:
        return str(contract)
    raw = op.get_bind().execute(sa.text("SELECT raw FROM attempt ORDER BY position")).scalar()
    return None if raw is None else decode_signed(raw)[0].to


def _create_cursor() -> None:
    op.create_table(
        "cursor",
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("parent_hash", sa.LargeBinary(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(hash) = 32", name="hash_length"),
        sa.CheckConstraint("length(parent_hash) = 32", name="parent_hash_length"),
        sa.PrimaryKeyConstraint("contract"),
    )


def _replace_event(contract: str | None) -> None:
    op.drop_index("ix_event_transaction_hash")
    op.create_table(
        "event_new",
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
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
        sa.PrimaryKeyConstraint("contract", "sequence"),
    )
    columns = (
        "sequence, kind, body, head, transaction_hash, block_number, block_hash, block_timestamp"
    )
    _move("event", columns, contract)
    op.create_index("ix_event_transaction_hash", "event", ["transaction_hash"])


def _replace_mention(contract: str | None) -> None:
    op.drop_index("ix_mention_sequence")
    op.create_table(
        "mention_new",
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("word", sa.LargeBinary(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("role IN ('about', 'anchor', 'key')", name="role_known"),
        sa.ForeignKeyConstraint(
            ["contract", "sequence"], ["event.contract", "event.sequence"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("role", "word", "contract", "sequence"),
        sqlite_with_rowid=False,
    )
    _move("mention", "role, word, sequence", contract)
    op.create_index("mention_event", "mention", ["contract", "sequence"])


def _replace_submission(contract: str | None) -> None:
    for index in ("ix_submission_sequence", "ix_submission_state", "submission_root"):
        op.drop_index(index)
    op.create_table(
        "submission_new",
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("registration_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(root IS NULL) = (size IS NULL)", name="batch_has_size"),
        sa.CheckConstraint("length(root) = 32", name="root_length"),
        sa.CheckConstraint(
            "sequence IS NULL OR state = 'included'", name="event_means_included"
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'included', 'reverted')", name="state_known"
        ),
        sa.ForeignKeyConstraint(["contract", "sequence"], ["event.contract", "event.sequence"]),
        sa.PrimaryKeyConstraint("submission_id"),
        sa.UniqueConstraint("sender", "nonce", name="submission_nonce"),
    )
    columns = (
        "submission_id, sender, nonce, label, root, size, registration_id, state, problem, "
        "sent_at, sequence"
    )
    _move("submission", columns, contract)
    op.create_index("submission_event", "submission", ["contract", "sequence"])
    op.create_index("ix_submission_state", "submission", ["state"])
    op.create_index(
        "submission_root",
        "submission",
        ["root"],
        unique=True,
        sqlite_where=sa.text("state <> 'reverted'"),
    )


def _move(table: str, columns: str, contract: str | None) -> None:
    """Fill the new table and put it in the old one's place: SQLite changes no key of a table."""
    op.get_bind().execute(
        sa.text(
            f"INSERT INTO {table}_new ({columns}, contract) "  # noqa: S608 - names of ours
            f"SELECT {columns}, :contract FROM {table}"
        ),
        {"contract": contract},
    )
    op.drop_table(table)
    op.rename_table(f"{table}_new", table)
