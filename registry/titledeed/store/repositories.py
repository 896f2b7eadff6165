"""All tables of one database, behind ``ports.Repositories``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from sqlmodel import col, select

from titledeed.errors import StorageError, TitledeedError
from titledeed.models.primitives import Address
from titledeed.models.registration import Coverage
from titledeed.store import tables
from titledeed.store.chain import SqlChain
from titledeed.store.completions import SqlCompletions
from titledeed.store.database import Database
from titledeed.store.fingerprints import SqlFingerprints
from titledeed.store.migration import HEAD, read_revision, upgrade
from titledeed.store.outbox import SqlOutbox
from titledeed.store.registrations import SqlRegistrations
from titledeed.store.requests import SqlJobs, SqlTokens


class SqlSnapshots:
    """Implements ``ports.SnapshotRepository``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, coverage: Coverage) -> None:
        """See the port."""
        with self._database.write() as session:
            session.merge(tables.SnapshotRow(**asdict(coverage)))

    def list_all(self) -> list[Coverage]:
        """See the port."""
        oldest_first = (col(tables.SnapshotRow.exported_at), col(tables.SnapshotRow.snapshot_id))
        with self._database.read() as session:
            return [
                Coverage(
                    snapshot_id=row.snapshot_id,
                    exported_at=row.exported_at,
                    exporter=Address(row.exporter),
                    registrations=row.registrations,
                    chain_id=row.chain_id,
                )
                for row in session.exec(select(tables.SnapshotRow).order_by(*oldest_first))
            ]


class SqlRepositories:
    """Implements ``ports.Repositories``; creates or migrates the tables when constructed.

    Threads may share one instance, processes one database: each method is a transaction.

    Args:
        url: ``sqlite:///`` and a file in an existing folder; see ``database.sqlite_url``.
        lock_path: a file on the same machine, made if absent; held by who sends to the chain. A
            second file beside it, with ``.upgrade`` added, is held while tables are migrated, and
            others, named ``accept-…``, while files are accepted.
        writer_timeout_s: how long ``outbox.writer`` waits for another writer.

    Raises:
        ConfigurationError: the URL is wrong, or a newer release wrote the database.
        StorageError: the database cannot be used.
    """

    def __init__(self, *, url: str, lock_path: Path, writer_timeout_s: float = 120.0) -> None:
        self._database = Database(url=url)
        try:
            upgrade(self._database, lock_path=lock_path.with_name(f"{lock_path.name}.upgrade"))
        except TitledeedError:
            self.close()
            raise
        self.registrations = SqlRegistrations(self._database, lock_folder=lock_path.parent)
        self.fingerprints = SqlFingerprints(self._database)
        self.outbox = SqlOutbox(
            self._database, lock_path=lock_path, writer_timeout_s=writer_timeout_s
        )
        self.followed = SqlChain(self._database)
        self.completions = SqlCompletions(self._database)
        self.snapshots = SqlSnapshots(self._database)
        self.jobs = SqlJobs(self._database)
        self.tokens = SqlTokens(self._database)

    def check(self) -> None:
        """See the port. Reads, and takes and gives back the right to write."""
        if read_revision(self._database) != HEAD:
            raise StorageError(
                "the database has lost its tables",
                next_step="Restore the database from a backup.",
            )
        with self._database.write() as session:
            session.connection()

    def close(self) -> None:
        """Close all connections; idempotent."""
        self._database.close()
