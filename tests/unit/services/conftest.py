"""The desk at which services are tested, in a folder that waits for no disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import build_claimant
from service_desk import ServiceDesk

MEMORY = Path("/dev/shm")


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """Where the system has a file system in memory, there: a home syncs many small files."""
    if not MEMORY.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="titledeed-", dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ServiceDesk]:
    """A home's services on an empty database, and a chain that makes blocks at once."""
    desk = ServiceDesk(tmp_path / "home")
    yield desk
    desk.close()


@pytest.fixture
def rival(desk: ServiceDesk, tmp_path: Path) -> Iterator[ServiceDesk]:
    """Another claimant's home, which anchors on the same chain."""
    rival = ServiceDesk(tmp_path / "rival", desk.ledger, holder=build_claimant(1))
    yield rival
    rival.close()


@pytest.fixture
def source(desk: ServiceDesk) -> Path:
    return desk.write("a.png", 1)
