"""Run by Alembic: migrates the connection that ``titledeed.store.migration`` hands over."""

from __future__ import annotations

from alembic import context

from titledeed.store import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.METADATA,
    # SQLite cannot alter most of a table; batch mode copies it.
    render_as_batch=True,
    # SQLite's DDL is transactional, which Alembic does not assume.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
