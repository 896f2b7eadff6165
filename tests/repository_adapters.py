"""The databases that the contract suites run against, and steps that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import builders

from titledeed.models.evidence import Bundle
from titledeed.models.registration import Batch, Registration, Visibility
from titledeed.ports import Repositories
from titledeed.store.database import sqlite_url
from titledeed.store.repositories import SqlRepositories


@contextmanager
def _open_sqlite(folder: Path) -> Iterator[Repositories]:
    repositories = SqlRepositories(
        url=sqlite_url(folder / "store.sqlite3"),
        lock_path=folder / "locks" / "sender",
        writer_timeout_s=0.2,
    )
    yield repositories
    repositories.close()


ADAPTERS: dict[str, Callable[[Path], AbstractContextManager[Repositories]]] = {
    "sqlite": _open_sqlite,
}


def accept(repositories: Repositories, *registrations: Registration) -> None:
    for registration in registrations:
        repositories.registrations.accept(registration, [])


def anchor(repositories: Repositories, *registrations: Registration, sequence: int = 1) -> Batch:
    batch = builders.build_batch(registrations, nonce=sequence - 1)
    repositories.outbox.add_batch(batch)
    repositories.outbox.settle(
        batch, builders.build_anchor(batch.root, len(registrations), sequence=sequence)
    )
    return batch


def imported(bundle: Bundle, snapshot_id: str = "snapshot") -> Registration:
    return builders.build_registration(
        bundle.dossier,
        bundle=bundle,
        snapshot_id=snapshot_id,
        visibility=Visibility.PUBLISHED,
    )
