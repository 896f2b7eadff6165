"""Whole database files: copied while others write, checked, put in another's place."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from titledeed.durability import sync_folder
from titledeed.errors import StorageError

_PAGES_AT_ONCE: Final = 4_096
_TIMEOUT_S: Final = 30
_PATHS: Final = (("registration", "position"), ("intent", "rowid"))


def copy_database(source: Path, destination: Path) -> None:
    """Copy one state of a database to a new file, while others write to it.

    Raises:
        StorageError: one of both cannot be used.
    """
    with (
        _own_errors(source),
        closing(_open(source, writable=False)) as original,
        closing(sqlite3.connect(destination)) as copy,
    ):
        # A reader's transaction: a copy in steps would begin again at each write of the others.
        original.execute("BEGIN")
        original.execute("SELECT count(*) FROM sqlite_master").fetchone()
        original.backup(copy, pages=_PAGES_AT_ONCE)


def check_database(path: Path) -> None:
    """Read a whole database file.

    Raises:
        StorageError: it is damaged, or its rows contradict each other.
    """
    with _own_errors(path), closing(_open(path, writable=False)) as connection:
        problems = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        dangling = connection.execute("PRAGMA foreign_key_check").fetchone()
    if problems != "ok" or dangling is not None:
        raise StorageError(
            f"the database {path.name} is damaged", next_step="Use another backup.", path=path
        )


def move_signed_copies(path: Path, *, old: Path, new: Path) -> None:
    """Let rows that name a file below one folder name it below another.

    Raises:
        StorageError: the database cannot be written.
    """
    prefix = os.fsencode(old) + b"/"
    with _own_errors(path), closing(_open(path, writable=True)) as connection, connection:
        for table, key in _PATHS:
            rows = connection.execute(
                f"SELECT {key}, signed_path FROM {table} WHERE signed_path IS NOT NULL"  # noqa: S608 - names of ours
            )
            moved = [
                (os.fsencode(new) + b"/" + found[len(prefix) :], row)
                for row, found in rows
                if found.startswith(prefix)
            ]
            connection.executemany(
                f"UPDATE {table} SET signed_path = ? WHERE {key} = ?",  # noqa: S608 - names of ours
                moved,
            )


def replace_database(path: Path, new: Path) -> None:
    """Put a closed database file in the place of another, which nobody may be using.

    At any instant the old one is there or the new one. A log that the old one left is put into it
    first, or aside where the old one cannot be used: beside the new file it would destroy it.

    Raises:
        StorageError: the folder cannot be written.
    """
    with suppress(sqlite3.Error):  # missing or damaged, which is why it is replaced
        _empty_log(path)
    with _own_errors(new):
        _empty_log(new)
    try:
        for name in (f"{path.name}-wal", f"{path.name}-shm"):
            leftover = path.with_name(name)
            if leftover.exists():
                leftover.replace(path.with_name(f"{name}.damaged"))
        new.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise StorageError(f"{path} cannot be replaced: {error.strerror}", path=path) from error


def delete_database(path: Path) -> None:
    """Delete a database file and what SQLite keeps beside it; its absence is no error."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}-journal"):
        path.with_name(name).unlink(missing_ok=True)


def _empty_log(path: Path) -> None:
    """Whoever closes a database last puts its log into it, durably, and deletes the log."""
    with closing(_open(path, writable=True)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _open(path: Path, *, writable: bool) -> sqlite3.Connection:
    mode = "rw" if writable else "ro"
    return sqlite3.connect(f"{path.as_uri()}?mode={mode}", uri=True, timeout=_TIMEOUT_S)


@contextmanager
def _own_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StorageError(
            f"the database {path} cannot be used: {error}",
            next_step="Check the disk, or run `titledeed index rebuild`.",
            path=path,
        ) from error
