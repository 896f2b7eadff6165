"""Child processes of ``test_store_processes``: each opens the home named by its first argument."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import builders
from sqlalchemy import Engine, event
from sqlmodel import Session

from titledeed.store.database import sqlite_url
from titledeed.store.repositories import SqlRepositories

MOMENTS = {
    "the rows are written": (Engine, "after_cursor_execute"),
    "the transaction is about to be committed": (Engine, "commit"),
    "the transaction is committed": (Session, "after_commit"),
}


def open_home(home: Path) -> SqlRepositories:
    return SqlRepositories(url=sqlite_url(home / "store.sqlite3"), lock_path=home / "sender")


def say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def accept(store: SqlRepositories, seed: int) -> None:
    dossier = builders.build_dossier(seed)
    store.registrations.accept(builders.build_registration(dossier), dossier.fingerprints)


def accept_many(home: Path, start: int, count: int) -> None:
    """Say each seed once it is accepted."""
    store = open_home(home)
    say("open")
    for seed in range(start, start + count):
        accept(store, seed)
        say(seed)


def die(home: Path, seed: int, moment: str) -> None:
    """Be killed while two registrations are accepted together."""
    store = open_home(home)
    target, name = MOMENTS[moment]

    def kill(*context: object) -> None:
        if name != "after_cursor_execute" or "INSERT INTO fingerprint" in str(context[2]):
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(target, name, kill)
    dossiers = [builders.build_dossier(number) for number in (seed, seed + 1)]
    store.registrations.accept_many(
        [(builders.build_registration(one), one.fingerprints) for one in dossiers]
    )


def hold(home: Path) -> None:
    """Be the writer until killed."""
    with open_home(home).outbox.writer():
        say("held")
        time.sleep(60)


if __name__ == "__main__":
    command, folder, *rest = sys.argv[1:]
    if command == "accept":
        accept_many(Path(folder), int(rest[0]), int(rest[1]))
    elif command == "die":
        die(Path(folder), int(rest[0]), rest[1])
    elif command == "hold":
        hold(Path(folder))
