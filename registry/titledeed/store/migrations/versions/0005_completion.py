"""For which block the evidence bundles of a batch were made.

Bundles of homes made before are made once more: none was recorded.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Forward only: a rollback is a restored backup."""
    op.create_table(
        "completion",
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.CheckConstraint("length(block_hash) = 32", name="block_hash_length"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("submission_id"),
    )
