"""Several processes on one home, and processes killed while they write."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import builders
import pytest

from titledeed.errors import DependencyError
from titledeed.models.registration import SigningIntent
from titledeed.store.database import sqlite_url
from titledeed.store.repositories import SqlRepositories

CHILD = Path(__file__).with_name("store_process.py")
CODES_EACH = len(builders.build_fingerprints(0))


def start(command: str, home: Path, *rest: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(CHILD), command, str(home), *map(str, rest)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(CHILD.parents[1])},
    )


def open_home(home: Path, *, writer_timeout_s: float = 5.0) -> SqlRepositories:
    return SqlRepositories(
        url=sqlite_url(home / "store.sqlite3"),
        lock_path=home / "sender",
        writer_timeout_s=writer_timeout_s,
    )


def test_two_writers_lose_nothing_and_a_reader_misses_nothing(tmp_path: Path) -> None:
    """They also create the database at the same moment."""
    writers = [start("accept", tmp_path, first, 200) for first in (0, 1_000)]
    for writer in writers:
        assert writer.stdout is not None and writer.stdout.readline() == "open\n"
    store = open_home(tmp_path)
    seen: list[int] = []
    while any(writer.poll() is None for writer in writers):
        last = seen[-1] if seen else 0
        seen += [cursor for cursor, _, _ in store.fingerprints.iter_fingerprints(last)]
    for writer in writers:
        _, errors = writer.communicate()
        assert (writer.returncode, errors) == (0, "")
    seen += [cursor for cursor, _, _ in store.fingerprints.iter_fingerprints(seen[-1])]
    everything = [cursor for cursor, _, _ in store.fingerprints.iter_fingerprints(0)]
    assert seen == everything
    assert len(everything) == 400 * CODES_EACH
    expected = {
        builders.build_registration(seed).registration_id
        for seed in (*range(200), *range(1_000, 1_200))
    }
    assert {found for found, _ in store.outbox.list_waiting(1_000)} == expected
    store.close()


@pytest.mark.parametrize(
    ("moment", "accepted"),
    [
        ("the rows are written", False),
        ("the transaction is about to be committed", False),
        ("the transaction is committed", True),
    ],
)
def test_killed_acceptance_is_whole_or_absent(
    tmp_path: Path, moment: str, *, accepted: bool
) -> None:
    registration = builders.build_registration(1)
    intent = SigningIntent(registration.registration_id, "/in/a.mp4", "/signed/a.mp4")
    store = open_home(tmp_path)
    store.registrations.save_intent(intent)
    child = start("die", tmp_path, 1, moment)
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    store.check()
    found = store.registrations.find(registration.registration_id)
    codes = list(store.fingerprints.iter_fingerprints(0))
    waiting = store.outbox.list_waiting(10)
    if accepted:
        both = [registration, builders.build_registration(2)]
        assert found == registration
        assert len(codes) == 2 * CODES_EACH
        assert waiting == [(one.registration_id, one.leaf) for one in both]
        assert store.registrations.find_intent(registration.registration_id) is None
    else:
        assert (found, codes, waiting) == (None, [], [])
        assert store.registrations.find_intent(registration.registration_id) == intent
    store.registrations.accept(registration, builders.build_fingerprints(1))
    expected = 2 * CODES_EACH if accepted else CODES_EACH
    assert len(list(store.fingerprints.iter_fingerprints(0))) == expected
    store.close()


def test_what_was_acknowledged_survives_a_kill_at_any_moment(tmp_path: Path) -> None:
    child = start("accept", tmp_path, 0, 100_000)
    assert child.stdout is not None
    acknowledged = [child.stdout.readline() for _ in range(40)][1:]
    child.kill()
    acknowledged += [line for line in child.communicate()[0].splitlines(True) if "\n" in line]
    store = open_home(tmp_path)
    store.check()
    accepted = store.registrations.count_own()
    assert len(acknowledged) <= accepted <= len(acknowledged) + 1
    for line in acknowledged:
        registration = builders.build_registration(int(line))
        assert store.registrations.find(registration.registration_id) == registration
    assert len(list(store.fingerprints.iter_fingerprints(0))) == accepted * CODES_EACH
    assert len(store.outbox.list_waiting(100_000)) == accepted
    store.close()


def test_writer_is_one_across_processes_and_its_death_lets_the_next_in(tmp_path: Path) -> None:
    child = start("hold", tmp_path)
    assert child.stdout is not None and child.stdout.readline() == "held\n"
    impatient = open_home(tmp_path, writer_timeout_s=0.1)
    with pytest.raises(DependencyError), impatient.outbox.writer():
        pass
    child.kill()
    child.communicate()
    with impatient.outbox.writer():
        impatient.check()
    impatient.close()
