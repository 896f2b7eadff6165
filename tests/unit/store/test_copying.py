from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import builders
import pytest

from titledeed.errors import DependencyError, StorageError
from titledeed.models.registration import Registration
from titledeed.store.copying import (
    check_database,
    copy_database,
    delete_database,
    move_signed_copies,
    replace_database,
)
from titledeed.store.database import sqlite_url
from titledeed.store.occupancy import occupy
from titledeed.store.repositories import SqlRepositories


def open_store(path: Path) -> SqlRepositories:
    return SqlRepositories(url=sqlite_url(path), lock_path=path.parent / "locks" / "sender")


def fill(path: Path, *registrations: Registration) -> None:
    with closing(open_store(path)) as store:
        for registration in registrations:
            store.registrations.accept(registration, builders.build_fingerprints(1))


def ids(path: Path) -> set[str]:
    with closing(open_store(path)) as store:
        return {
            found.registration_id for _, found in store.registrations.list_own(after=0, limit=9)
        }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a #1?.sqlite3"
    fill(path, builders.build_registration(1))
    return path


@pytest.fixture
def user(path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody who has the database open."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("SELECT count(*) FROM registration").fetchone()
        yield connection


def test_a_copy_holds_what_was_committed_and_nothing_that_was_not(
    path: Path, user: sqlite3.Connection, tmp_path: Path
) -> None:
    user.execute("INSERT INTO token VALUES (?, NULL, '')", (bytes(32),))
    user.execute("BEGIN IMMEDIATE")
    user.execute("INSERT INTO token VALUES (?, NULL, '')", (b"1" * 32,))
    copy_database(path, tmp_path / "copy")
    user.execute("COMMIT")
    check_database(tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy")) as connection:
        assert connection.execute("SELECT digest FROM token").fetchall() == [(bytes(32),)]
    assert ids(tmp_path / "copy") == ids(path)


def test_a_database_that_nobody_has_open_is_copied(path: Path, tmp_path: Path) -> None:
    copy_database(path, tmp_path / "copy")
    assert ids(tmp_path / "copy") == ids(path)


def test_a_missing_or_damaged_database_is_told(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        copy_database(tmp_path / "none", tmp_path / "copy")
    data = bytearray(path.read_bytes())
    data[4096:8192] = bytes(4096)
    path.write_bytes(data)
    with pytest.raises(StorageError):
        check_database(path)


def test_signed_copies_below_the_old_folder_move_and_others_stay(tmp_path: Path) -> None:
    old, new = tmp_path / "old" / "signed", tmp_path / "n\udcffew" / "signed"
    paths = [str(old / "td1a" / "x.mp4"), str(tmp_path / "old" / "signed-too" / "y.mp4"), None]
    path = tmp_path / "store.sqlite3"
    fill(path, *(builders.build_registration(i, signed_path=p) for i, p in enumerate(paths)))
    move_signed_copies(path, old=old, new=new)
    with closing(open_store(path)) as store:
        found = [one.signed_path for _, one in store.registrations.list_own(after=0, limit=9)]
    assert found == [str(new / "td1a" / "x.mp4"), *paths[1:]]


def test_a_new_database_takes_the_place_of_one_with_a_log(
    path: Path, user: sqlite3.Connection, tmp_path: Path
) -> None:
    user.execute("INSERT INTO token VALUES (?, NULL, '')", (bytes(32),))
    new = tmp_path / "new.sqlite3"
    fill(new, builders.build_registration(2))
    expected = ids(new)
    replace_database(path, new)
    assert ids(path) == expected
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM token").fetchone() == (0,)


@pytest.mark.parametrize("damage", ["missing", "garbage", "log"])
def test_a_new_database_takes_the_place_of_a_damaged_one(
    path: Path, tmp_path: Path, damage: str
) -> None:
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b"no database" * 999)
    if damage == "log":
        path.with_name(f"{path.name}-wal").write_bytes(b"what a crash left" * 999)
    new = tmp_path / "new.sqlite3"
    fill(new, builders.build_registration(2))
    expected = ids(new)
    replace_database(path, new)
    assert ids(path) == expected
    assert not new.exists()


def test_nothing_of_a_deleted_database_stays(path: Path, user: sqlite3.Connection) -> None:
    user.execute("INSERT INTO token VALUES (?, NULL, '')", (bytes(32),))
    delete_database(path)
    assert not list(path.parent.glob(f"{path.name}*"))
    delete_database(path)


def test_many_use_a_home_or_one_has_it_alone(tmp_path: Path) -> None:
    lock = tmp_path / "locks" / "home"
    with (
        occupy(lock, alone=False),
        occupy(lock, alone=False),
        pytest.raises(DependencyError, match="another process uses"),
        occupy(lock, alone=True),
    ):
        pass
    with occupy(lock, alone=True):
        with pytest.raises(DependencyError, match="rebuilt"), occupy(lock, alone=False):
            pass
        with pytest.raises(DependencyError), occupy(lock, alone=True):
            pass
    with occupy(lock, alone=True):
        pass
