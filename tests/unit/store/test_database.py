"""Connections, transactions and what becomes of SQLite's errors."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import builders
import pytest
from sqlmodel import text

from titledeed.errors import ConfigurationError, StorageError
from titledeed.models.ledger import Tombstone
from titledeed.store.database import Database, sqlite_url
from titledeed.store.registrations import SqlRegistrations
from titledeed.store.repositories import SqlRepositories

FULL_DISK = """
import resource, sys
from pathlib import Path
import builders
from titledeed.errors import StorageError
from titledeed.store.database import sqlite_url
from titledeed.store.repositories import SqlRepositories
home = Path(sys.argv[1])
store = SqlRepositories(url=sqlite_url(home / "store.sqlite3"), lock_path=home / "lock")
store.registrations.accept(builders.build_registration(1), builders.build_fingerprints(1))
size = (home / "store.sqlite3-wal").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 8_000, size + 8_000))
try:
    for seed in range(2, 100):
        store.registrations.accept(
            builders.build_registration(seed), builders.build_fingerprints(seed)
        )
        print(seed, flush=True)
except StorageError as error:
    print("StorageError", error.next_step)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[SqlRepositories]:
    opened = open_store(path)
    yield opened
    opened.close()


def open_store(path: Path) -> SqlRepositories:
    return SqlRepositories(url=sqlite_url(path), lock_path=path.with_name("lock"))


def fill(database: Database) -> None:
    """Write more than the pages that are there can hold."""
    with database.write() as session:
        connection = session.connection()
        connection.execute(text("PRAGMA max_page_count = 1"))
        connection.execute(
            text(
                "INSERT INTO token (digest, scopes) SELECT randomblob(32), '' "
                "FROM pragma_function_list CROSS JOIN pragma_collation_list, pragma_table_list"
            )
        )


def pragma(path: Path, name: str) -> object:
    database = Database(url=sqlite_url(path))
    with database.read() as session:
        value: object = session.connection().execute(text(f"PRAGMA {name}")).scalar()
    database.close()
    return value


def test_commits_are_durable_and_rules_are_enforced(store: SqlRepositories, path: Path) -> None:
    assert pragma(path, "journal_mode") == "wal"
    assert pragma(path, "synchronous") == 2  # FULL
    assert pragma(path, "foreign_keys") == 1
    assert pragma(path, "secure_delete") == 1
    assert pragma(path, "busy_timeout") == 30_000


def test_path_with_any_character_is_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a b?c#d%41é;" / "x.sqlite3"
    path.parent.mkdir()
    open_store(path).close()
    assert path.is_file()
    assert {item.name for item in path.parent.iterdir()} <= {
        "x.sqlite3",
        "x.sqlite3-shm",
        "x.sqlite3-wal",
        "lock.upgrade",
    }


@pytest.mark.parametrize("url", ["postgresql://host/db", "sqlite://", "/tmp/x.sqlite3", ""])
def test_url_of_no_sqlite_file_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SqlRepositories(url=url, lock_path=tmp_path / "lock")
    assert caught.value.next_step


def test_missing_folder_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        open_store(tmp_path / "nowhere" / "x.sqlite3")


def test_file_that_is_no_database_is_a_storage_error(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageError, match="no database"):
        open_store(path)
    assert path.read_bytes() == b"no database at all" * 100


def test_damaged_database_is_a_storage_error(path: Path) -> None:
    store = open_store(path)
    for seed in range(50):
        store.registrations.accept(builders.build_registration(seed), [])
    store.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(StorageError, match="damaged"):
        open_store(path).registrations.find_by_manifest("x")


def test_lost_tables_are_noticed_by_the_check(store: SqlRepositories, path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE alembic_version")
    connection.close()
    with pytest.raises(StorageError, match="lost its tables"):
        store.check()


def test_missing_table_is_a_storage_error(store: SqlRepositories, path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE token")
    connection.close()
    with pytest.raises(StorageError, match="no such table"):
        store.tokens.find(builders.build_registration(1).content_digest)


def test_read_only_database_is_a_storage_error(store: SqlRepositories, path: Path) -> None:
    registration = builders.build_registration(1)
    store.registrations.accept(registration, [])
    store.close()
    # Root ignores file modes, so the connection itself is made read-only.
    read_only = Database(
        url=f"{sqlite_url(path.absolute()).replace(':///', ':///file:')}?mode=ro&uri=true"
    )
    with pytest.raises(StorageError, match="read-only"), read_only.write() as session:
        session.connection().execute(text("DELETE FROM registration"))
    read_only.close()


def test_full_database_is_a_storage_error_and_changes_nothing(
    store: SqlRepositories, path: Path
) -> None:
    database = Database(url=sqlite_url(path))
    with pytest.raises(StorageError, match="disk is full") as caught:
        fill(database)
    database.close()
    assert "space" in caught.value.next_step
    connection_after = sqlite3.connect(path)
    assert connection_after.execute("SELECT count(*) FROM token").fetchone() == (0,)
    connection_after.close()


def test_disk_that_takes_no_more_loses_nothing_accepted(tmp_path: Path) -> None:
    """A limit on file size stands for the disk."""
    tests = Path(builders.__file__).parent
    child = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(tests)},
    )
    *accepted, refused = child.stdout.splitlines()
    assert refused.startswith("StorageError") and "free space" in refused
    store = open_store(tmp_path / "store.sqlite3")
    assert store.registrations.count_own() == 1 + len(accepted)
    for seed in accepted:
        assert store.registrations.find(builders.build_registration(int(seed)).registration_id)
    assert len(list(store.fingerprints.iter_fingerprints(0))) == 2 * (1 + len(accepted))
    store.close()


@pytest.mark.usefixtures("store")
def test_database_held_for_too_long_is_a_storage_error(path: Path) -> None:
    database = Database(url=sqlite_url(path), busy_timeout_s=0.1)
    registrations = SqlRegistrations(database, lock_folder=path.parent)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="another process holds it"):
        registrations.accept(builders.build_registration(1), [])
    assert registrations.count_own() == 0  # readers do not wait
    other.execute("ROLLBACK")
    other.close()
    registrations.accept(builders.build_registration(1), [])
    database.close()


def test_writer_waits_for_its_turn_before_it_reads(store: SqlRepositories, path: Path) -> None:
    """Both read, then both write: with deferred transactions one of them would fail at once."""
    database = Database(url=sqlite_url(path))
    both = threading.Barrier(2)
    values = []

    def add_one() -> None:
        both.wait()
        for _ in range(25):
            with database.write() as session:
                connection = session.connection()
                seen = connection.execute(text("SELECT count(*) FROM token")).scalar_one()
                connection.execute(
                    text("INSERT INTO token (digest, scopes) VALUES (:digest, '')"),
                    {"digest": int(seen).to_bytes(32, "big")},
                )
                values.append(seen)

    threads = [threading.Thread(target=add_one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    assert sorted(values) == list(range(50))


def test_error_in_a_transaction_takes_all_of_it_back(store: SqlRepositories, path: Path) -> None:
    database = Database(url=sqlite_url(path))
    insert = text("INSERT INTO token (digest, scopes) VALUES (randomblob(32), '')")
    with suppress(KeyError), database.write() as session:
        session.connection().execute(insert)
        assert session.connection().execute(text("SELECT count(*) FROM token")).scalar() == 1
        raise KeyError
    with database.read() as session:
        assert session.connection().execute(text("SELECT count(*) FROM token")).scalar() == 0
    database.close()


def test_erased_words_are_in_no_file(store: SqlRepositories, path: Path) -> None:
    title = "a title that must not be found again"
    registration = builders.build_registration(builders.build_dossier(1, title=title))
    codes = builders.build_fingerprints(1)
    store.registrations.accept(builders.build_registration(2), [])
    store.registrations.accept(registration, codes)
    files = [path, path.with_name(f"{path.name}-wal")]
    secrets = [title.encode(), codes[1].code, registration.content_digest]
    before = b"".join(file.read_bytes() for file in files)
    assert all(secret in before for secret in secrets)
    store.registrations.erase(Tombstone(registration.registration_id, registration.leaf, 1))
    after = b"".join(file.read_bytes() for file in files)
    assert bytes(registration.leaf) in after
    assert not [secret for secret in secrets if secret in after]
