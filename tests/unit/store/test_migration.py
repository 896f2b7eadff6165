"""Migrations lead to the tables of the code, once, and refuse what they do not know."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from titledeed.errors import ConfigurationError, DependencyError, StorageError
from titledeed.store import migration, tables
from titledeed.store.database import Database, sqlite_url
from titledeed.store.locking import hold_lock
from titledeed.store.migration import HEAD, alembic_config, read_revision, upgrade

OPEN_AGAIN = """
import sys
from pathlib import Path
from titledeed.store.database import sqlite_url
from titledeed.store.repositories import SqlRepositories
SqlRepositories(url=sqlite_url(Path(sys.argv[1])), lock_path=Path("x")).check()
print("alembic" in sys.modules)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened = Database(url=sqlite_url(path))
    yield opened
    opened.close()


def read_schema(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name != 'alembic_version'"
    ).fetchall()
    connection.close()
    return {" ".join(sorted(re.findall(r"[^\s,]+", sql))) for (sql,) in rows}


def test_head_is_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [HEAD]


def test_migrations_lead_to_the_tables_of_the_code(database: Database, tmp_path: Path) -> None:
    upgrade(database, lock_path=tmp_path / "lock")
    with database.read() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, tables.METADATA) == []


def test_migrations_carry_every_constraint_of_the_code(
    database: Database, path: Path, tmp_path: Path
) -> None:
    """Alembic compares no CHECK constraints; the stored statements do."""
    upgrade(database, lock_path=tmp_path / "lock")
    made = tmp_path / "made.sqlite3"
    engine = create_engine(sqlite_url(made))
    tables.METADATA.create_all(engine)
    engine.dispose()
    assert read_schema(path) == read_schema(made)


def test_empty_database_has_no_revision(database: Database) -> None:
    assert read_revision(database) is None


def test_second_upgrade_changes_nothing(database: Database, path: Path, tmp_path: Path) -> None:
    upgrade(database, lock_path=tmp_path / "lock")
    database.close()
    before = path.read_bytes()
    upgrade(database, lock_path=tmp_path / "lock")
    assert read_revision(database) == HEAD
    database.close()
    assert path.read_bytes() == before


def test_database_that_is_up_to_date_opens_without_alembic(
    database: Database, path: Path, tmp_path: Path
) -> None:
    upgrade(database, lock_path=tmp_path / "lock")
    child = subprocess.run(
        [sys.executable, "-c", OPEN_AGAIN, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert child.stdout.strip() == "False"
    assert not (tmp_path / "x.upgrade").exists()


def test_database_of_a_newer_release_is_refused_and_left_alone(
    database: Database, path: Path, tmp_path: Path
) -> None:
    upgrade(database, lock_path=tmp_path / "lock")
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(ConfigurationError) as caught:
        upgrade(database, lock_path=tmp_path / "lock")
    assert "9999" in caught.value.message and caught.value.next_step
    assert read_revision(database) == "9999"


def test_migration_that_fails_half_way_leaves_nothing(
    database: Database, path: Path, tmp_path: Path
) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE token (digest TEXT)")  # in the way of the last steps
    connection.close()
    before = read_schema(path)
    with pytest.raises(StorageError, match="token already exists"):
        upgrade(database, lock_path=tmp_path / "lock")
    assert read_schema(path) == before
    assert read_revision(database) is None


def test_upgrade_waits_for_the_process_that_upgrades(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "LOCK_TIMEOUT_S", 0.1)
    lock = tmp_path / "lock"
    with hold_lock(lock, timeout_s=1, purpose="in the test"), pytest.raises(DependencyError):
        upgrade(database, lock_path=lock)
    assert read_revision(database) is None
