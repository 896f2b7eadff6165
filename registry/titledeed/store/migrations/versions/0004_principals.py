"""Jobs and tokens name an account and scopes; jobs keep the arguments they can be run with again.

A job or a token of before is the home's own: no account is written down for it, and it keeps every
scope. Jobs of before have no arguments, so that none of them is taken up again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ALL_SCOPES = "audit read register"


def upgrade() -> None:
    """Forward only: a rollback is a restored backup."""
    _create_job()
    _create_token()
    op.execute(
        f"""
        INSERT INTO job_new
        SELECT job_id, kind, CASE viewer WHEN 'owner' THEN 'owner' ELSE 'anonymous' END, NULL,
               CASE viewer WHEN 'owner' THEN '{ALL_SCOPES}' ELSE 'read' END,
               NULL, status, 1, result, problem, created_at
        FROM job
        """  # noqa: S608 - words of ours
    )
    op.execute(f"INSERT INTO token_new SELECT digest, NULL, '{ALL_SCOPES}' FROM token")  # noqa: S608 - words of ours
    for table in ("job", "token"):
        op.drop_table(table)
        op.rename_table(f"{table}_new", table)


def _create_job() -> None:
    """Under another name: SQLite changes no constraint of a table that is there."""
    op.create_table(
        "job_new",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("starts", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "principal IN ('anonymous', 'token', 'owner')", name="principal_known"
        ),
        sa.CheckConstraint("status IN ('running', 'succeeded', 'failed')", name="status_known"),
        sa.PrimaryKeyConstraint("job_id"),
    )


def _create_token() -> None:
    op.create_table(
        "token_new",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.CheckConstraint("length(digest) = 32", name="digest_length"),
        sa.PrimaryKeyConstraint("digest"),
    )
