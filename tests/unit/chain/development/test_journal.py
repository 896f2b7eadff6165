from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from titledeed.canonical.hashing import keccak256
from titledeed.chain.development.journal import JOURNAL_NAME, Journal, JournalEntry
from titledeed.errors import StorageError
from titledeed.models.primitives import BlockHash

GENESIS = 1_790_000_000


def _entry(number: int) -> JournalEntry:
    return JournalEntry(
        number=number,
        timestamp=GENESIS + number,
        parent_hash=BlockHash(keccak256(b"block %d" % (number - 1))),
        transactions=(b"\x02raw %d" % number,),
    )


def _open(folder: Path) -> Journal:
    return Journal(folder / JOURNAL_NAME, genesis_timestamp=GENESIS)


@pytest.fixture
def lines(tmp_path: Path) -> list[bytes]:
    journal = _open(tmp_path)
    for number in (1, 2, 3):
        journal.append(_entry(number))
    return (tmp_path / JOURNAL_NAME).read_bytes().splitlines(keepends=True)


def test_missing_file_is_an_empty_journal(tmp_path: Path) -> None:
    journal = _open(tmp_path)
    assert journal.read_new() == []
    assert (journal.number, journal.timestamp) == (0, GENESIS)


def test_appended_entries_are_read_back(tmp_path: Path, lines: list[bytes]) -> None:
    assert _open(tmp_path).read_new() == [_entry(1), _entry(2), _entry(3)]


def test_reader_sees_only_what_is_new(tmp_path: Path) -> None:
    writer, reader = _open(tmp_path), _open(tmp_path)
    writer.append(_entry(1))
    assert reader.read_new() == [_entry(1)]
    assert not reader.has_news()
    writer.append(_entry(2))
    assert reader.has_news()
    assert reader.read_new() == [_entry(2)]


def test_writer_that_appended_has_no_news(tmp_path: Path) -> None:
    writer = _open(tmp_path)
    writer.append(_entry(1))
    assert not writer.has_news()
    assert writer.number == 1


def test_file_is_for_its_owner_alone(tmp_path: Path, lines: list[bytes]) -> None:
    assert (tmp_path / JOURNAL_NAME).stat().st_mode & 0o777 == 0o600


def test_every_torn_tail_is_passed_over_and_cut_off(tmp_path: Path, lines: list[bytes]) -> None:
    path = tmp_path / JOURNAL_NAME
    for kept in range(1, len(lines[2]) - 1, 7):
        path.write_bytes(lines[0] + lines[1] + lines[2][:kept])
        journal = _open(tmp_path)
        assert journal.read_new() == [_entry(1), _entry(2)]
        journal.append(_entry(3))
        assert path.read_bytes() == b"".join(lines)


def test_damage_in_a_whole_line_is_refused(tmp_path: Path, lines: list[bytes]) -> None:
    path = tmp_path / JOURNAL_NAME
    for at in range(0, len(lines[1]) - 1, 5):
        damaged = bytearray(lines[1])
        damaged[at] ^= 1
        path.write_bytes(lines[0] + damaged + lines[2])
        with pytest.raises(StorageError, match="damaged"):
            _open(tmp_path).read_new()


def test_missing_line_is_refused(tmp_path: Path, lines: list[bytes]) -> None:
    (tmp_path / JOURNAL_NAME).write_bytes(lines[0] + lines[2])
    with pytest.raises(StorageError, match="does not follow"):
        _open(tmp_path).read_new()


def test_repeated_line_is_refused(tmp_path: Path, lines: list[bytes]) -> None:
    (tmp_path / JOURNAL_NAME).write_bytes(lines[0] + lines[0])
    with pytest.raises(StorageError, match="does not follow"):
        _open(tmp_path).read_new()


def test_time_that_stands_still_is_refused(tmp_path: Path, lines: list[bytes]) -> None:
    late = Journal(tmp_path / JOURNAL_NAME, genesis_timestamp=GENESIS + 1)
    with pytest.raises(StorageError, match="does not follow"):
        late.read_new()


def test_shortened_file_is_refused(tmp_path: Path, lines: list[bytes]) -> None:
    journal = _open(tmp_path)
    journal.read_new()
    (tmp_path / JOURNAL_NAME).write_bytes(lines[0])
    with pytest.raises(StorageError, match="shorter"):
        journal.has_news()


def test_unreadable_file_is_told(tmp_path: Path) -> None:
    (tmp_path / JOURNAL_NAME).mkdir()
    with pytest.raises(StorageError, match="cannot"):
        _open(tmp_path).read_new()
    with pytest.raises(StorageError, match="cannot"):
        _open(tmp_path).append(_entry(1))


def test_block_of_more_than_five_hundred_transactions_is_refused(tmp_path: Path) -> None:
    """A replay puts all of a block's transactions into anvil's pool."""
    journal = _open(tmp_path)
    journal.append(replace(_entry(1), transactions=(b"\x02raw",) * 500))
    journal.append(replace(_entry(2), transactions=(b"\x02raw",) * 501))
    reader = _open(tmp_path)
    with pytest.raises(StorageError, match="at most 500"):
        reader.read_new()
    assert reader.number == 1


def test_line_is_json_that_names_its_parts(lines: list[bytes]) -> None:
    assert json.loads(lines[1]).keys() == {
        "checksum",
        "number",
        "parent_hash",
        "timestamp",
        "transactions",
    }
