"""Brings a database to this release's tables.

Every migration runs in one transaction: a process killed half way leaves the old tables. The file
lock keeps a second process from opening the database while the first makes it; SQLite does not
wait by itself when two processes switch a new file to WAL mode at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlmodel import text

from titledeed.errors import ConfigurationError
from titledeed.store.database import Database
from titledeed.store.locking import hold_lock

if TYPE_CHECKING:
    from alembic.config import Config

HEAD: Final = "0005"
"""The newest revision in ``migrations/versions``; a test compares them."""
LOCK_TIMEOUT_S: Final = 120.0


def upgrade(database: Database, *, lock_path: Path, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
    """Create or migrate the tables; does nothing when they are up to date.

    Args:
        database: the database to migrate.
        lock_path: a file, made if absent, that every process of this home names.
        lock_timeout_s: how long to wait for another process that migrates.

    Raises:
        ConfigurationError: a newer release wrote the database.
        DependencyError: another process has been migrating for longer than that.
        StorageError: the database cannot be used.
    """
    if read_revision(database) == HEAD:  # Alembic takes most of a second to import.
        return
    with hold_lock(lock_path, timeout_s=lock_timeout_s, purpose="to upgrade the database"):
        if read_revision(database) != HEAD:
            database.use_wal()
            _migrate(database)


def read_revision(database: Database) -> str | None:
    """The stored revision; None for an empty database.

    Raises:
        StorageError: the database cannot be used.
    """
    with database.read() as session:
        connection = session.connection()
        names = connection.execute(
            text("SELECT name FROM sqlite_master WHERE name = 'alembic_version'")
        )
        if names.first() is None:
            return None
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if revision is None else str(revision)


def alembic_config() -> Config:
    """Alembic's configuration; ``attributes["connection"]`` names what to migrate."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "titledeed.store:migrations")
    return config


def _migrate(database: Database) -> None:
    from alembic import command
    from alembic.util import CommandError

    config = alembic_config()
    try:
        with database.migrate() as session:
            config.attributes["connection"] = session.connection()
            command.upgrade(config, HEAD)
    except CommandError as error:
        raise ConfigurationError(
            f"the database has a revision that this release does not know: {error}",
            next_step="Use the release of Titledeed that wrote it, or a newer one.",
        ) from error
