"""One SQLite database, and the transactions on it.

*Accepted means durable*: an acknowledged write survives ``kill -9`` and a power cut. Hence
``synchronous=FULL``: in WAL mode ``NORMAL`` would not sync the log at commit, and a power cut could
take back what was acknowledged. It costs one fsync per transaction.

A writer begins with ``BEGIN IMMEDIATE``. It waits its turn at the start, where nothing is held yet,
instead of failing in the middle when a read lock must become a write lock: that upgrade is what
deadlocks two processes. Readers never wait; each sees the state of its first read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

from titledeed.errors import (
    ConfigurationError,
    ConflictError,
    DependencyError,
    InvalidRequestError,
    InvariantViolation,
    StorageError,
    TitledeedError,
)

BUSY_TIMEOUT_S: Final = 30
_BEGIN: Final = "titledeed_begin"
_PRAGMAS: Final = (
    "foreign_keys = ON",
    "synchronous = FULL",
    "secure_delete = ON",
    # In KiB: with the 2 MB it takes otherwise, an insert into a large index writes pages out early.
    "cache_size = -65536",
)
"""``secure_delete``: what is erased is overwritten."""

_STORAGE_PROBLEMS: Final = {
    sqlite3.SQLITE_FULL: ("the disk is full", "Free some space and try again."),
    sqlite3.SQLITE_IOERR: ("the disk reports an error", "Check the disk and its free space."),
    sqlite3.SQLITE_READONLY: ("it is read-only", "Make the home folder writable."),
    sqlite3.SQLITE_PERM: ("access is denied", "Make the home folder readable and writable."),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "Check that the home folder exists."),
    sqlite3.SQLITE_CORRUPT: ("it is damaged", "Restore the database from a backup."),
    sqlite3.SQLITE_NOTADB: ("it is no database", "Restore the database from a backup."),
    sqlite3.SQLITE_BUSY: ("another process holds it", "Try again when that process is done."),
    sqlite3.SQLITE_LOCKED: ("another process holds it", "Try again when that process is done."),
}
_KEY_VIOLATIONS: Final = (
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
)


def sqlite_url(path: Path, *, read_only: bool = False) -> str:
    """The URL of a database file; any character of the path survives.

    Args:
        path: the file.
        read_only: for one on a medium that nobody can write, where SQLite could make no lock. A log
            beside it is read as well.
    """
    if not read_only:
        return URL.create("sqlite", database=str(path)).render_as_string()
    log = path.with_name(f"{path.name}-wal")
    # Without a log SQLite must be told that it need not make one to read.
    is_closed = not log.exists() or not log.stat().st_size
    query = {"mode": "ro", "uri": "true"} | ({"immutable": "1"} if is_closed else {})
    return URL.create("sqlite", database=path.absolute().as_uri(), query=query).render_as_string()


class Database:
    """Connections to one database file. Thread-safe; one session per transaction.

    Args:
        url: ``sqlite:///`` and a file, as ``sqlite_url`` makes it.
        busy_timeout_s: how long a transaction that writes waits for others that do.

    Raises:
        ConfigurationError: the URL names no SQLite file.
    """

    def __init__(self, *, url: str, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.engine = _create_engine(url, busy_timeout_s)
        self._writing = self.engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that sees one state of the database and writes nothing.

        Raises:
            StorageError: the database cannot be used.
        """
        with _own_errors(), Session(self.engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that is committed, and durable, when the block ends without an error.

        Raises:
            StorageError: the database cannot be used; nothing was written.
            ConflictError: a row with the same key is stored already.
        """
        with _own_errors(), Session(self._writing) as session, session.begin():
            yield session

    @contextmanager
    def migrate(self) -> Iterator[Session]:
        """``write`` while foreign keys rest: a table that is replaced would take others with it.

        Raises:
            StorageError: as for ``write``.
            InvariantViolation: a row names one that is not there; nothing was changed.
        """
        with _own_errors(), self._writing.connect() as connection:
            # Ignored inside a transaction, and SQLAlchemy begins one: so it goes past SQLAlchemy.
            pragma = connection.connection.cursor()
            pragma.execute("PRAGMA foreign_keys = OFF")
            try:
                with Session(connection) as session, session.begin():
                    yield session
                    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                    if broken is not None:
                        raise InvariantViolation(f"a row of {broken[0]} names one that is missing")
            finally:
                pragma.execute("PRAGMA foreign_keys = ON")
                pragma.close()

    def forget_old_pages(self) -> None:
        """Put what was committed into the file and empty the log, which still holds old pages.

        Does as much as others who read at the same moment allow.

        Raises:
            StorageError: the database cannot be used.
        """
        self._run("PRAGMA wal_checkpoint(TRUNCATE)")

    def use_wal(self) -> None:
        """Switch the file to WAL mode for good; no other process may be using it.

        Raises:
            StorageError: the file system cannot hold a WAL database.
        """
        if self._run("PRAGMA journal_mode = WAL") != "wal":
            raise StorageError(
                "the database cannot use a write-ahead log on this file system",
                next_step="Put the home folder on a local disk.",
            )

    def _run(self, statement: str) -> object:
        """The first value that a statement gives outside a transaction."""
        with _own_errors():
            connection = self.engine.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute(statement)
                row = cursor.fetchone()
            finally:
                connection.close()
        return None if row is None else row[0]

    def close(self) -> None:
        """Close all connections; idempotent."""
        self.engine.dispose()


def _create_engine(url: str, busy_timeout_s: float) -> Engine:
    if not url.startswith("sqlite:///"):
        raise ConfigurationError(
            f"{url[:200]!r} is not the URL of a SQLite file",
            next_step="Use sqlite:/// and the path of the file.",
        )
    engine = create_engine(
        url,
        # None: sqlite3 must not begin transactions by itself, _begin does.
        connect_args={"timeout": busy_timeout_s, "isolation_level": None},
    )
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _set_pragmas(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


@contextmanager
def _own_errors() -> Iterator[None]:
    """Turn the errors of SQLAlchemy and sqlite3 into ours."""
    try:
        yield
    except PoolTimeoutError as error:
        raise DependencyError(
            "the database is too busy", next_step="Try again in a moment."
        ) from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise _translate(error) from error
    except (UnicodeEncodeError, OverflowError) as error:
        raise InvalidRequestError(
            f"a value cannot be stored: {error}"[:300],
            next_step="Use valid Unicode text and numbers below 2^63.",
        ) from error


def _translate(error: Exception) -> TitledeedError | InvariantViolation:
    origin = getattr(error, "orig", error)
    code = getattr(origin, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    if code in _KEY_VIOLATIONS:
        return ConflictError(f"already stored: {origin}")
    if isinstance(error, IntegrityError):
        return InvariantViolation(f"the database refused a row: {origin}")
    # Extended codes keep the primary one in their low byte.
    problem, next_step = _STORAGE_PROBLEMS.get(
        code & 0xFF, (str(origin).partition("\n")[0], "Run `titledeed doctor`.")
    )
    return StorageError(f"the database cannot be used: {problem}", next_step=next_step)
